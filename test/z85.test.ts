import { expect, it } from "vitest";
import { encode } from "../src/z85.js";

it("RFC 32's own example", () => {
  const octets = Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b);
  expect(encode(octets)).toBe("HelloWorld");
});

it("the least and the greatest, and nothing", () => {
  expect(encode(new Uint8Array(4))).toBe("00000");
  expect(encode(new Uint8Array(4).fill(255))).toBe("%nSc0");
  expect(encode(new Uint8Array(0))).toBe("");
});
