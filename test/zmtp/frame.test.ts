import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  COMMAND,
  headerSize,
  MAX_HEADER_SIZE,
  MORE,
  readUint32,
  readUint64,
  SHORT_MAX,
  writeHeader,
  writeUint32,
} from "../../src/zmtp/frame.js";
import * as wire from "../support/wire.js";

describe("a header", () => {
  it.each([
    [0, 0, [0x00, 0]],
    [MORE, 255, [0x01, 255]],
    [0, 256, [0x02, 0, 0, 0, 0, 0, 0, 1, 0]],
    [MORE, 65_536, [0x03, 0, 0, 0, 0, 0, 1, 0, 0]],
    [COMMAND, 3, [0x04, 3]],
    [COMMAND, 2 ** 32 - 1, [0x06, 0, 0, 0, 0, 255, 255, 255, 255]],
    [0, 2 ** 32, [0x02, 0, 0, 0, 1, 0, 0, 0, 0]],
    [0, Number.MAX_SAFE_INTEGER, [0x02, 0, 0x1f, 255, 255, 255, 255, 255, 255]],
  ])("with flags %i and size %i", (flags, size, octets) => {
    const target = new Uint8Array(12).fill(0xaa);
    const end = writeHeader(target, 2, flags, size);
    expect([...target.subarray(2, end)]).toEqual(octets);
    expect(end - 2).toBe(headerSize(size));
    expect([...target.subarray(end)].every((octet) => octet === 0xaa)).toBe(true);
  });

  it("is short up to 255 octets", () => {
    expect(SHORT_MAX).toBe(255);
    expect(headerSize(255)).toBe(2);
    expect(headerSize(256)).toBe(MAX_HEADER_SIZE);
  });
});

describe("sizes of eight octets", () => {
  it.each([
    [0n, 0],
    [2n ** 31n, 2 ** 31],
    [2n ** 32n - 1n, 2 ** 32 - 1],
    [2n ** 53n - 1n, Number.MAX_SAFE_INTEGER],
    [2n ** 53n, Number.POSITIVE_INFINITY],
    [2n ** 53n + 1n, Number.POSITIVE_INFINITY],
    [2n ** 63n, Number.POSITIVE_INFINITY],
    [2n ** 64n - 1n, Number.POSITIVE_INFINITY],
  ])("%d is read as %d", (value, read) => {
    expect(readUint64(wire.concat("x", wire.number(value, 8)), 1)).toBe(read);
  });

  it("are exact below 2^53, and nothing above is finite", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
        const read = readUint64(wire.number(value, 8), 0);
        expect(read).toBe(value < 2n ** 53n ? Number(value) : Number.POSITIVE_INFINITY);
      }),
    );
  });
});

it("numbers of four octets come back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const octets = new Uint8Array(6);
      writeUint32(octets, 1, value);
      expect(readUint32(octets, 1)).toBe(value);
      expect(octets.subarray(1, 5)).toEqual(wire.number(value, 4));
    }),
  );
});
