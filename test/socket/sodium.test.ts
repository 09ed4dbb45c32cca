import fc from "fast-check";
import nacl from "tweetnacl";
import { afterEach, describe, expect, it, vi } from "vitest";
import { curveCipher, loadCurveCipher } from "../../src/socket/sodium.js";
import { NaclCipher } from "../support/nacl-cipher.js";

const sodium = await loadCurveCipher();
const oracle = new NaclCipher();

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("the ciphers of libsodium", () => {
  it("are loaded once", async () => {
    expect(await loadCurveCipher()).toBe(sodium);
    expect(curveCipher()).toBe(sodium);
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

  it("leave no key behind in the memory of WebAssembly", async () => {
    const { default: wrappers } = await import("libsodium-wrappers");
    const { libsodium } = wrappers as unknown as { libsodium: { HEAPU8: Uint8Array } };
    const { secretKey } = sodium.keyPair();
    const shared = sodium.share(oracle.keyPair().publicKey, secretKey) as Uint8Array;
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
