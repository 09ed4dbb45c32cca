import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/zmtp/limits.js";
import { decodeMetadata, encodeMetadata } from "../../src/zmtp/metadata.js";
import * as wire from "../support/wire.js";

const decode = (octets: wire.Octets, limits = DEFAULT_LIMITS) =>
  decodeMetadata(wire.bytes(octets), 0, limits);
const invalid = expect.objectContaining({ code: "ERR_ZMTP_INVALID_METADATA" });
const malformed = expect.objectContaining({ code: "ERR_ZMTP_MALFORMED_COMMAND_READY" });

describe("properties", () => {
  it("are encoded as RFC 37 has them", () => {
    const properties = [
      ["Socket-Type", wire.bytes("PAIR")],
      ["Identity", wire.bytes("")],
    ] as const;
    const octets = wire.concat(wire.property("Socket-Type", "PAIR"), wire.property("Identity", ""));
    expect(encodeMetadata(properties)).toEqual(octets);
    expect(encodeMetadata([])).toEqual(new Uint8Array(0));
  });

  it("come back, by lower-case name", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9\-_.+]{1,255}$/);
    const list = fc.uniqueArray(fc.tuple(name, fc.uint8Array()), {
      selector: ([name]) => name.toLowerCase(),
    });
    fc.assert(
      fc.property(list, (properties) => {
        fc.pre(!properties.some(([name]) => name.toLowerCase() === "identity"));
        const octets = wire.concat(
          ...properties.map(([name, value]) => wire.property(name, value)),
        );
        expect(encodeMetadata(properties)).toEqual(octets);
        const expected = properties.map(([name, value]) => [name.toLowerCase(), value]);
        expect([...decode(octets)]).toEqual(expected);
      }),
    );
  });

  it("begin where they are said to", () => {
    const octets = wire.concat("READY", wire.property("X-a", "1"));
    expect([...decodeMetadata(octets, 5, DEFAULT_LIMITS).keys()]).toEqual(["x-a"]);
  });

  it("do not refer to what they were read from", () => {
    const octets = Buffer.from(wire.property("X-a", "1"));
    const properties = decode(octets);
    octets.fill(0);
    expect(properties.get("x-a")).toEqual(wire.bytes("1"));
  });

  it("may have names that mean something to the language", () => {
    const octets = wire.metadata({ __proto__x: "", constructor: "c", to_string: "t" });
    const evil = wire.concat(octets, wire.property("__proto__", "p"));
    expect(decode(evil).get("__proto__")).toEqual(wire.bytes("p"));
    expect(decode(evil).get("hasOwnProperty")).toBeUndefined();
  });
});

describe("metadata is refused with", () => {
  it.each([
    ["an empty name", wire.property("", "x")],
    ["a space in a name", wire.property("X a", "x")],
    ["a zero octet in a name", wire.property("X\0", "x")],
    ["a name that is not ASCII", wire.property("X-\xe9", "x")],
    ["a name twice", wire.concat(wire.property("X-a", "1"), wire.property("X-a", "1"))],
    [
      "a name twice, in other letters",
      wire.concat(wire.property("X-a", ""), wire.property("x-A", "")),
    ],
    ["an Identity of 256 octets", wire.property("Identity", "i".repeat(256))],
    ["an Identity that starts with zero", wire.property("identity", "\0i")],
  ])("%s", (_, octets) => expect(() => decode(octets)).toThrow(invalid));

  it("anything that is cut short, at every octet", () => {
    const octets = wire.property("Socket-Type", "PAIR");
    for (let size = 1; size < octets.length; size++) {
      expect(() => decode(octets.subarray(0, size))).toThrow(malformed);
    }
  });

  it.each([
    ["a trailing octet", wire.concat(wire.property("X-a", "1"), "\x01")],
    ["a name past the end", wire.bytes("\xffX-a\0\0\0\0")],
    ["a value of 4 GiB", wire.bytes("\x01X\xff\xff\xff\xff")],
    ["a value of 2 GiB", wire.bytes("\x01X\x80\0\0\0")],
    ["a value an octet too long", wire.bytes("\x01X\0\0\0\x02x")],
  ])("%s", (_, octets) => expect(() => decode(octets)).toThrow(malformed));
});

describe("limits", () => {
  it("Identity: 255 octets, or none", () => {
    expect(decode(wire.property("Identity", "i".repeat(255))).get("identity")).toHaveLength(255);
    expect(decode(wire.property("Identity", "")).get("identity")).toHaveLength(0);
  });

  it("properties: as many as maxProperties, not one more", () => {
    const limits = { ...DEFAULT_LIMITS, maxProperties: 3 };
    const three = wire.metadata({ a: "", b: "", c: "" });
    expect(decode(three, limits).size).toBe(3);
    expect(() => decode(wire.concat(three, wire.property("d", "")), limits)).toThrow(
      expect.objectContaining({ code: "ERR_ZMTP_TOO_MANY_PROPERTIES" }),
    );
  });
});
