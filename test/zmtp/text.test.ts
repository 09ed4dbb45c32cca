import { expect, it } from "vitest";
import { ascii, isAscii, toAscii } from "../../src/zmtp/text.js";

it("turns ASCII into octets and back", () => {
  expect([...ascii("PAIR~ ")]).toEqual([0x50, 0x41, 0x49, 0x52, 0x7e, 0x20]);
  expect(toAscii(ascii("xPAIRx"), 1, 5)).toBe("PAIR");
  expect(toAscii(ascii("abc"), 2, 2)).toBe("");
});

it("knows printable ASCII", () => {
  expect(isAscii(Uint8Array.of(0x20, 0x7e), 0, 2)).toBe(true);
  expect(isAscii(Uint8Array.of(0x1f), 0, 1)).toBe(false);
  expect(isAscii(Uint8Array.of(0x7f), 0, 1)).toBe(false);
  expect(isAscii(Uint8Array.of(0x00, 0x41, 0xff), 1, 2)).toBe(true);
});
