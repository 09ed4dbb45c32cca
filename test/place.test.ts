import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placeOf, placeText, withMapping, withoutMapping } from "../src/place.js";

const port = fc.integer({ min: 1, max: 65_535 });

describe("a place", () => {
  it("is read as it is written", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (ip, port) => {
        expect(placeOf(placeText({ ip, port }))).toEqual({ ip, port });
      }),
    );
  });

  it.each([
    ["127.0.0.1:5555", { ip: "127.0.0.1", port: 5555 }],
    ["127.0.0.1:00080", { ip: "127.0.0.1", port: 80 }],
    ["[::1]:65535", { ip: "::1", port: 65_535 }],
    ["[fe80::1%eth0]:1", { ip: "fe80::1%eth0", port: 1 }],
    ["[::ffff:10.0.0.1]:1", { ip: "::ffff:10.0.0.1", port: 1 }],
  ])("%j", (text, place) => {
    expect(placeOf(text)).toEqual(place);
  });

  it.each([
    ...["", "x", ":", ":1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536"],
    ...["127.0.0.1:000080", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1:1e3", "127.0.0.1: 1"],
    ...["127.0.0.1:1 ", "127.0.0.1:1\n", " 127.0.0.1:1", "127.0.0.1:12ab", "127.1:1"],
    ...["localhost:1", "*:1", "256.0.0.1:1", "::1:1", "[::1]", "[::1]:", "[127.0.0.1]:1", "[x]:1"],
    ...["[]:1", "[::1:1", "127.0.0.1:1\0"],
  ])("is not %j", (text) => {
    expect(placeOf(text)).toBeUndefined();
  });
});

it("an IPv4 address is one, however it is written", () => {
  fc.assert(
    fc.property(fc.ipV4(), (ip) => {
      expect(withMapping(ip)).toBe(`::ffff:${ip}`);
      expect([withoutMapping(withMapping(ip)), withoutMapping(ip)]).toEqual([ip, ip]);
    }),
  );
  for (const ip of ["::1", "::ffff:1:2", "::fffe:1.2.3.4", "fe80::1%eth0"]) {
    expect([withMapping(ip), withoutMapping(ip)]).toEqual([ip, ip]);
  }
  expect(withoutMapping("::FFFF:1.2.3.4")).toBe("1.2.3.4");
});
