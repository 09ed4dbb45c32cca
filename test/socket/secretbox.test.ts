import { readFileSync } from "node:fs";
import { hsalsa, xsalsa20, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import fc from "fast-check";
import wrappers from "libsodium-wrappers";
import nacl from "tweetnacl";
import { afterEach, describe, expect, it, vi } from "vitest";
import { compiled } from "../../scripts/assembly.mjs";
import { type BoxSodium, SodiumSecretbox } from "../../src/socket/secretbox-sodium.js";
import { VectorSecretbox, vectorOr } from "../../src/socket/secretbox-vector.js";
import { OUTPUT, PIECE_SIZE } from "../../src/socket/secretbox-wasm.js";
import type { Secretbox } from "../../src/zmtp/index.js";
import { NaclSecretbox } from "../support/nacl-cipher.js";
import { naivePoly1305, solvePoly1305 } from "../support/naive-poly1305.js";
import { openBox } from "../support/open-box.js";
import { concat } from "../support/wire.js";

await wrappers.ready;
const { libsodium } = wrappers as unknown as { libsodium: BoxSodium };

/** What @types/node has no types for. */
const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: {
    Module: new (octets: Uint8Array) => object;
    Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer } } };
    CompileError: new (message: string) => Error;
  };
};

const NOTHING = new Uint8Array(0);
const BOXES: [string, Secretbox][] = [
  ["vectors", new VectorSecretbox()],
  ["libsodium", new SodiumSecretbox(libsodium)],
];

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const nonce = fc.uint8Array({ minLength: 24, maxLength: 24 });
const octets = fc.uint8Array({ maxLength: 3000 });
const [KEY, NONCE] = [nacl.randomBytes(32), nacl.randomBytes(24)];

/** Octets that repeat after 7,919 of them: no block of 64 is like another. */
function pattern(size: number): Uint8Array {
  const octets = nacl.randomBytes(Math.min(size, 7919));
  return Uint8Array.from({ length: size }, (_, i) => octets[i % 7919] as number);
}

function sealed(box: Secretbox, plain: Uint8Array, lead = NOTHING): Uint8Array {
  const target = new Uint8Array(16 + lead.length + plain.length);
  box.seal(target, 0, lead, plain, NONCE, KEY);
  return target;
}

/** What is in a box; undefined when it does not open. */
function opened(box: Secretbox, source: Uint8Array): Uint8Array | undefined {
  const { isOpen, plain } = openBox(box, source, { nonce: NONCE, key: KEY });
  return isOpen ? plain : undefined;
}

describe.each(BOXES)("a secretbox by %s", (_, box) => {
  it("seals as tweetnacl and noble do, and opens what it sealed", () => {
    fc.assert(
      fc.property(octets, octets, nonce, key, fc.nat(40), (lead, plain, nonce, key, at) => {
        const whole = concat(lead, plain);
        const expected = nacl.secretbox(whole, nonce, key);
        expect(xsalsa20poly1305(key, nonce).encrypt(whole)).toEqual(expected);
        const target = new Uint8Array(at + expected.length + 1).fill(7);
        box.seal(target, at, lead, plain, nonce, key);
        expect(target.subarray(at, -1)).toEqual(expected);
        expect([...target.subarray(0, at), target.at(-1)].every((octet) => octet === 7)).toBe(true);
        const source = target.subarray(0, -1);
        const back = openBox(box, source, { nonce, key, at, leadSize: lead.length });
        expect(back).toEqual({ isOpen: true, lead, plain });
      }),
    );
  });

  it("does so for every size up to five strides, and around the ends of pieces", () => {
    const sizes = Array.from({ length: 1000 }, (_, size) => size);
    for (const pieces of [1, 2, 3, 7]) {
      const end = pieces * PIECE_SIZE - 32;
      for (let size = end - 70; size < end + 70; size++) sizes.push(size);
    }
    const whole = pattern(Math.max(...sizes));
    for (const size of sizes) {
      const plain = whole.subarray(0, size);
      const expected = nacl.secretbox(plain, NONCE, KEY);
      expect(Buffer.compare(sealed(box, plain), expected), `sealing ${size}`).toBe(0);
      const back = opened(box, expected) as Uint8Array;
      expect(Buffer.compare(back, plain), `opening ${size}`).toBe(0);
    }
  });

  it("tells right tags from wrong ones at the borders of Poly1305's field", () => {
    // The number that a tag is made of comes near 0, 2^128 and 2^130 - 5 by chance once in 2^120 boxes.
    let found = 0;
    for (let i = 0; i < 300; i++) {
      const [key, nonce] = [nacl.randomBytes(32), nacl.randomBytes(24)];
      const oneTimeKey = xsalsa20(key, nonce, new Uint8Array(32));
      for (const before of [NOTHING, nacl.randomBytes(16), new Uint8Array(64).fill(255)]) {
        for (const block of solvePoly1305(oneTimeKey, before)) {
          const cipherText = concat(before, block);
          const tag = naivePoly1305(oneTimeKey, cipherText);
          const source = concat(tag, cipherText);
          expect(openBox(box, source, { nonce, key }).isOpen).toBe(true);
          source[0] = (source[0] as number) ^ 1;
          expect(openBox(box, source, { nonce, key }).isOpen).toBe(false);
          found++;
        }
      }
    }
    expect(found).toBeGreaterThan(1000);
  });

  it("takes any blocks of ones and zeros into the tag", () => {
    const block = fc.constantFrom("00", "ff", "fe", "01", "80", "7f").map((hex) => hex.repeat(16));
    fc.assert(
      fc.property(fc.array(block, { maxLength: 20 }), nonce, key, (blocks, nonce, key) => {
        const cipherText = new Uint8Array(Buffer.from(blocks.join(""), "hex"));
        const oneTimeKey = xsalsa20(key, nonce, new Uint8Array(32));
        const source = concat(naivePoly1305(oneTimeKey, cipherText), cipherText);
        expect(openBox(box, source, { nonce, key }).isOpen).toBe(true);
      }),
    );
  });

  it("opens nothing that was changed, in whatever bit: nothing of it is left then", () => {
    const box_ = sealed(box, Uint8Array.of(1, 2, 3));
    for (let bit = 0; bit < 8 * box_.length; bit++) {
      const changed = box_.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      const back = openBox(box, changed, { nonce: NONCE, key: KEY, leadSize: 1 });
      expect(back).toEqual({ isOpen: false, lead: Uint8Array.of(0), plain: Uint8Array.of(0, 0) });
    }
  });

  it("takes large boxes, and small ones after them", () => {
    for (const size of [100, 5_000_000, 100, 9_000_000, 0]) {
      const plain = pattern(size);
      const box_ = sealed(box, plain);
      expect(Buffer.compare(box_, nacl.secretbox(plain, NONCE, KEY))).toBe(0);
      expect(Buffer.compare(opened(box, box_) as Uint8Array, plain)).toBe(0);
    }
  });
});

describe("a secretbox by vectors", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is what assembly/secretbox.ts compiles to", async () => {
    const file = new URL("../../src/socket/secretbox-wasm.ts", import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(await compiled());
  });

  it("leaves no key behind in its memory", () => {
    const memories: { buffer: ArrayBuffer }[] = [];
    class Instance extends wasm.Instance {
      constructor(module: object) {
        super(module);
        memories.push(this.exports.memory);
      }
    }
    vi.stubGlobal("WebAssembly", { Module: wasm.Module, Instance });
    const box = new VectorSecretbox();
    const gone = new Uint8Array(100);
    structuredClone(gone, { transfer: [gone.buffer] });
    for (const size of [1, 100, 50_000]) {
      const source = sealed(box, pattern(size));
      expect(opened(box, source)).toHaveLength(size);
      source[1] = (source[1] as number) ^ 1;
      expect(opened(box, source)).toBeUndefined();
      // A part that has lost its memory ends in the middle.
      expect(() => sealed(box, gone)).toThrow(TypeError);
      expectNoSecret(memories[0]!);
      const [lead, body] = [new Uint8Array(1), source.subarray(17)];
      expect(() => box.open(lead, gone, source, 0, body, NONCE, KEY)).toThrow(TypeError);
      expectNoSecret(memories[0]!);
    }
    function expectNoSecret({ buffer }: { buffer: ArrayBuffer }): void {
      const memory = Buffer.from(buffer);
      // Nor the block of which the key of the message was made.
      expect(memory.subarray(OUTPUT, OUTPUT + 64)).toEqual(Buffer.alloc(64));
      const subKey = hsalsa20(KEY, NONCE);
      const oneTimeKey = xsalsa20(KEY, NONCE, new Uint8Array(32));
      const secrets = [KEY, NONCE.subarray(0, 16), subKey, oneTimeKey.subarray(0, 16)];
      for (const secret of [...secrets, oneTimeKey.subarray(16)])
        expect(memory.indexOf(secret)).toBe(-1);
    }
  });

  it("takes the place of one that does the same, and of no other", () => {
    const known = new NaclSecretbox();
    expect(vectorOr(known)).toBeInstanceOf(VectorSecretbox);
    const other = new NaclSecretbox();
    other.seal = (target, at, lead, plain, nonce, key) => {
      known.seal(target, at, lead, plain, nonce, key);
      target[17_000] = (target[17_000] as number) ^ 1;
    };
    expect(vectorOr(other)).toBe(other);
  });

  it("does not take it where the processor has no vector instructions", () => {
    const known = new NaclSecretbox();
    class Module {
      constructor() {
        throw new wasm.CompileError("Wasm SIMD unsupported");
      }
    }
    vi.stubGlobal("WebAssembly", { Module });
    expect(vectorOr(known)).toBe(known);
    vi.stubGlobal("WebAssembly", undefined);
    expect(vectorOr(known)).toBe(known);
  });
});

/** The key that XSalsa20 makes of a key and the first half of a nonce. */
function hsalsa20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const subKey = new Uint32Array(8);
  const words = (octets: Uint8Array) => new Uint32Array(octets.slice().buffer);
  const sigma = words(new TextEncoder().encode("expand 32-byte k"));
  hsalsa(sigma, words(key), words(nonce.slice(0, 16)), subKey);
  return new Uint8Array(subKey.buffer);
}
