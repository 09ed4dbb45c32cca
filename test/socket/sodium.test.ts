import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import fc from "fast-check";
import nacl from "tweetnacl";
import { afterEach, describe, expect, it, vi } from "vitest";
import { curveCipher, loadCurveCipher } from "../../src/socket/sodium.js";
import { NaclCipher } from "../support/nacl-cipher.js";
import { concat } from "../support/wire.js";

const sodium = await loadCurveCipher();
const oracle = new NaclCipher();

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const nonce = fc.uint8Array({ minLength: 24, maxLength: 24 });
const octets = fc.uint8Array({ maxLength: 3000 });

describe("the ciphers of libsodium", () => {
  it("are loaded once", async () => {
    expect(await loadCurveCipher()).toBe(sodium);
    expect(curveCipher()).toBe(sodium);
  });

  it("seal as tweetnacl and noble do, and open what they sealed", () => {
    fc.assert(
      fc.property(octets, octets, nonce, key, fc.nat(40), (lead, plain, nonce, key, at) => {
        const whole = concat(lead, plain);
        const expected = nacl.secretbox(whole, nonce, key);
        expect(xsalsa20poly1305(key, nonce).encrypt(whole)).toEqual(expected);
        const target = new Uint8Array(at + expected.length + 1).fill(7);
        sodium.seal(target, at, lead, plain, nonce, key);
        expect(target.subarray(at, -1)).toEqual(expected);
        expect([...target.subarray(0, at), target.at(-1)].every((octet) => octet === 7)).toBe(true);
        expect(sodium.open(target.subarray(0, -1), at, nonce, key)).toEqual(whole);
      }),
    );
  });

  it("agree on keys with tweetnacl", () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const publicKey = oracle.publicKey(other);
        expect(sodium.publicKey(other)).toEqual(publicKey);
        expect(sodium.share(publicKey, one)).toEqual(oracle.share(publicKey, one));
      }),
      { numRuns: 30 },
    );
  });

  it("make pairs of keys that belong together, and others each time", () => {
    const pairs = [sodium.keyPair(), sodium.keyPair()];
    for (const { publicKey, secretKey } of pairs) {
      expect(nacl.box.keyPair.fromSecretKey(secretKey).publicKey).toEqual(publicKey);
    }
    expect(pairs[0]).not.toEqual(pairs[1]);
    expect(sodium.random(20)).toHaveLength(20);
    expect(sodium.random(20)).not.toEqual(sodium.random(20));
  });

  it("share nothing with a public key that leads to zero", () => {
    for (const wrong of SMALL_ORDER) {
      expect(sodium.share(wrong, sodium.random(32))).toBeUndefined();
    }
  });

  it("open nothing that was changed, in whatever bit, or is too short", () => {
    const [key, nonce] = [sodium.random(32), sodium.random(24)];
    const sealed = nacl.secretbox(Uint8Array.of(1, 2, 3), nonce, key);
    for (let bit = 0; bit < 8 * sealed.length; bit++) {
      const changed = sealed.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(sodium.open(changed, 0, nonce, key)).toBeUndefined();
    }
    for (let size = 0; size < sealed.length; size++) {
      expect(sodium.open(sealed.subarray(0, size), 0, nonce, key)).toBeUndefined();
    }
  });

  it("take boxes that are larger than the memory they began with, and small ones after them", () => {
    const [key, nonce] = [sodium.random(32), sodium.random(24)];
    for (const size of [100, 5_000_000, 100, 9_000_000, 0]) {
      const plain = new Uint8Array(size).fill(3);
      const target = new Uint8Array(16 + size);
      sodium.seal(target, 0, plain.subarray(0, 0), plain, nonce, key);
      expect(Buffer.compare(target, nacl.secretbox(plain, nonce, key))).toBe(0);
      expect(Buffer.compare(sodium.open(target, 0, nonce, key) as Uint8Array, plain)).toBe(0);
    }
  });

  it("leave no key behind in the memory of WebAssembly", async () => {
    const { default: wrappers } = await import("libsodium-wrappers");
    const { libsodium } = wrappers as unknown as { libsodium: { HEAPU8: Uint8Array } };
    const { secretKey } = sodium.keyPair();
    const shared = sodium.share(oracle.keyPair().publicKey, secretKey) as Uint8Array;
    const target = new Uint8Array(17);
    sodium.seal(target, 0, new Uint8Array(1), new Uint8Array(0), new Uint8Array(24), shared);
    expect(sodium.open(target, 0, new Uint8Array(24), shared)).toEqual(new Uint8Array(1));
    const memory = Buffer.from(libsodium.HEAPU8.buffer);
    expect([memory.indexOf(secretKey), memory.indexOf(shared)]).toEqual([-1, -1]);
  });
});

describe("without the package", () => {
  afterEach(() => {
    vi.doUnmock("libsodium-wrappers");
    vi.resetModules();
  });

  it("the error says what is missing, and the next attempt may succeed", async () => {
    vi.resetModules();
    vi.doMock("libsodium-wrappers", () => {
      throw new Error("not found");
    });
    const fresh = await import("../../src/socket/sodium.js");
    const missing = "CURVE needs the package libsodium-wrappers, which cannot be loaded";
    await expect(fresh.loadCurveCipher()).rejects.toThrow(missing);
    expect(fresh.curveCipher()).toBeUndefined();
    vi.doUnmock("libsodium-wrappers");
    expect(await fresh.loadCurveCipher()).toBe(fresh.curveCipher());
  });
});

/** Points of X25519 whose order is small, and other spellings of them. */
const SMALL_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => new Uint8Array(Buffer.from(hex, "hex")));
