import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, encode } from "../src/z85.js";

it("RFC 32's own example", () => {
  const octets = Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b);
  expect(encode(octets)).toBe("HelloWorld");
  expect(decode("HelloWorld")).toEqual(octets);
});

it("the least and the greatest, and nothing", () => {
  expect(encode(new Uint8Array(4))).toBe("00000");
  expect(encode(new Uint8Array(4).fill(255))).toBe("%nSc0");
  expect(encode(new Uint8Array(0))).toBe("");
});

/** RFC 32's test vector: 32 octets, a key of RFC 26. */
it("a key", () => {
  const key = Uint8Array.from(
    Buffer.from("8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7", "hex"),
  );
  expect(encode(key)).toBe("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6");
  expect(decode("JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")).toEqual(key);
});

describe("decode", () => {
  it("gives back what was encoded", () => {
    const octets = fc
      .array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { maxLength: 20 })
      .map((groups) => Uint8Array.from(groups.flatMap((group) => [...group])));
    fc.assert(
      fc.property(octets, (it) => {
        expect(decode(encode(it))).toEqual(it);
      }),
    );
  });

  it("takes a text only if encode could have made it", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.stringMatching(/^[0-9a-zA-Z.:+=^!/*?&<>()[\]{}@%$#-]{10}$/),
    );
    fc.assert(
      fc.property(text, (it) => {
        const octets = decode(it);
        if (octets !== undefined) expect(encode(octets)).toBe(it);
      }),
    );
  });

  it.each(["0", "0000", "000000", "%nSc1", "#####", "0000\\", "0000 ", "0000ä", "\u{1f511}000"])(
    "does not take %j",
    (text) => {
      expect(decode(text)).toBeUndefined();
    },
  );
});
