import nacl from "tweetnacl";
import { TAG_SIZE } from "../../src/zmtp/curve-cipher.js";
import type { CurveCipher, CurveKeys, Secretbox } from "../../src/zmtp/index.js";
import { concat } from "./wire.js";

/** The ciphers of CURVE by tweetnacl, which is right and slow. */
export class NaclCipher implements CurveCipher {
  readonly box: Secretbox = new NaclSecretbox();

  random(size: number): Uint8Array {
    return nacl.randomBytes(size);
  }

  keyPair(): CurveKeys {
    return nacl.box.keyPair();
  }

  publicKey(secretKey: Uint8Array): Uint8Array {
    return nacl.box.keyPair.fromSecretKey(secretKey).publicKey;
  }

  share(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined {
    if (nacl.scalarMult(secretKey, publicKey).every((octet) => octet === 0)) return undefined;
    return nacl.box.before(publicKey, secretKey);
  }
}

/** XSalsa20-Poly1305 by tweetnacl. */
export class NaclSecretbox implements Secretbox {
  seal(
    target: Uint8Array,
    at: number,
    lead: Uint8Array,
    plain: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): void {
    target.set(nacl.secretbox(concat(lead, plain), nonce, key), at);
  }

  open(
    lead: Uint8Array,
    target: Uint8Array,
    head: Uint8Array,
    at: number,
    body: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): boolean {
    const sealed = concat(head.subarray(at, at + TAG_SIZE + lead.length), body);
    const plain = nacl.secretbox.open(sealed, nonce, key);
    if (plain === null) return false;
    lead.set(plain.subarray(0, lead.length));
    target.set(plain.subarray(lead.length));
    return true;
  }
}

/** A cipher of which nothing is left to chance: it draws the same octets each time. */
export class SeededCipher implements CurveCipher {
  readonly #base: CurveCipher;
  readonly #seed: number;
  #count = 0;

  get box(): Secretbox {
    return this.#base.box;
  }

  constructor(base: CurveCipher, seed: number) {
    this.#base = base;
    this.#seed = seed;
  }

  random(size: number): Uint8Array {
    const block = nacl.hash(Uint8Array.of(this.#seed, this.#count++));
    return Uint8Array.from({ length: size }, (_, i) => block[i % block.length] as number);
  }

  keyPair(): CurveKeys {
    const secretKey = this.random(32);
    return { publicKey: this.publicKey(secretKey), secretKey };
  }

  publicKey(secretKey: Uint8Array): Uint8Array {
    return this.#base.publicKey(secretKey);
  }

  share(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined {
    return this.#base.share(publicKey, secretKey);
  }
}
