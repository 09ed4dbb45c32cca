import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COPY_MAX, type MessageLike, own, sizeOf, toParts } from "../src/message.js";
import { REUSE_MAX } from "../src/zmtp/frame.js";

const convert = (value: unknown): Buffer[] => toParts(value as MessageLike);
const text = (value: unknown): string => convert(value).map(String).join("|");

it("parts may be reused up to one and the same size, wherever they wait", () => {
  expect(COPY_MAX).toBe(REUSE_MAX);
});

describe("toParts", () => {
  it("a Buffer is itself", () => {
    const part = Buffer.from("abc");
    expect(convert(part)).toEqual([part]);
    expect(convert(part)[0]).toBe(part);
  });

  it("an array is one part each, and is not kept", () => {
    const one = Buffer.from("a");
    const message = [one, "b", null, 4];
    const parts = convert(message);
    expect(parts.map(String)).toEqual(["a", "b", "", "4"]);
    expect(parts).not.toBe(message);
    expect(parts[0]).toBe(one);
  });

  it("an empty array has no parts", () => {
    expect(convert([])).toEqual([]);
  });

  it.each([
    ["null", null, ""],
    ["an empty string", "", ""],
    ["a string", "äöü€", "äöü€"],
    ["0", 0, "0"],
    ["a number", -1.5, "-1.5"],
    ["NaN", Number.NaN, "NaN"],
    ["true", true, "true"],
    ["a bigint", 10n ** 20n, "100000000000000000000"],
    ["an object", {}, "[object Object]"],
    ["an object with toString", { toString: () => "own" }, "own"],
    ["a date's text", { [Symbol.toPrimitive]: () => "primitive" }, "primitive"],
    ["undefined in an array", [undefined], "undefined"],
    ["a nested array", [["a", "b"]], "a,b"],
    ["a SharedArrayBuffer", new SharedArrayBuffer(2), "[object SharedArrayBuffer]"],
  ])("%s", (_name, value, expected) => {
    expect(text(value)).toBe(expected);
  });

  it("a function is sent as its text", () => {
    const own = () => 1;
    expect(text(own)).toBe(String(own));
  });

  it("an ArrayBuffer shares its memory", () => {
    const buffer = new ArrayBuffer(4);
    const [part] = convert(buffer) as [Buffer];
    new Uint8Array(buffer).fill(7);
    expect([...part]).toEqual([7, 7, 7, 7]);
  });

  it.each([
    Uint8Array,
    Int8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ])("%o shares the memory that it looks at, no more", (View) => {
    const buffer = new ArrayBuffer(64);
    new Uint8Array(buffer).forEach((_, i, bytes) => {
      bytes[i] = i;
    });
    const [part] = convert(new View(buffer, 16, 2)) as [Buffer];
    expect(Buffer.isBuffer(part)).toBe(true);
    const size = 2 * View.BYTES_PER_ELEMENT;
    expect([...part]).toEqual(Array.from({ length: size }, (_, i) => 16 + i));
    expect(part.buffer).toBe(buffer);
  });

  it("a DataView is refused, as in npm zeromq", () => {
    for (const value of [new DataView(new ArrayBuffer(2)), [new DataView(new ArrayBuffer(2))]]) {
      expect(() => convert(value)).toThrow(new Error("Invalid argument"));
    }
  });

  it.each([[Symbol("x")], [[Symbol("x")]], [[[Symbol("x")]]]])("a symbol is refused", (value) => {
    expect(() => convert(value)).toThrow(
      new TypeError("Cannot convert a Symbol value to a string"),
    );
  });

  it("an object without text is refused", () => {
    expect(() => convert(Object.create(null))).toThrow(
      new TypeError("Cannot convert object to primitive value"),
    );
  });

  it("an error of the caller's toString is the caller's", () => {
    const error = new RangeError("own");
    const value = {
      toString() {
        throw error;
      },
    };
    expect(() => convert(value)).toThrow(error);
  });

  it("strings are UTF-8, whatever is in them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        expect(convert(value)).toEqual([Buffer.from(value, "utf8")]);
      }),
    );
  });
});

describe("own", () => {
  it.each([1, 10, 127, 128])("copies a part of %i bytes", (size) => {
    const source = Buffer.alloc(size, 1);
    const parts = [source];
    own(parts);
    source.fill(2);
    expect(parts[0]).toEqual(Buffer.alloc(size, 1));
  });

  it.each([129, 1000])("keeps a part of %i bytes by reference", (size) => {
    const source = Buffer.alloc(size, 1);
    const parts = [source];
    own(parts);
    expect(parts[0]).toBe(source);
  });

  it("looks at each part by itself", () => {
    const parts = [Buffer.alloc(0), Buffer.alloc(10), Buffer.alloc(200)];
    const before = [...parts];
    own(parts);
    expect(parts.map((part, i) => part === before[i])).toEqual([true, false, true]);
    expect(parts).toEqual(before);
  });
});

describe("sizeOf", () => {
  it("adds up all parts", () => {
    expect(sizeOf([])).toBe(0);
    expect(sizeOf([Buffer.alloc(3), Buffer.alloc(0), Buffer.alloc(300)])).toBe(303);
  });
});
