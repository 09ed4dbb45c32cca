import { builtin } from "../builtin.js";
import { errnoError } from "../errors.js";
import type { CurveCipher, CurveKeys, Secretbox } from "../zmtp/index.js";
import { type BoxSodium, KEY_SIZE, SodiumSecretbox } from "./secretbox-sodium.js";

/** The part of libsodium that CURVE needs, as WebAssembly has it: places are numbers. */
interface Sodium extends BoxSodium {
  _crypto_scalarmult_base(publicKey: number, secretKey: number): number;
  _crypto_box_beforenm(shared: number, publicKey: number, secretKey: number): number;
}

/** The ciphers of CURVE: keys by libsodium, boxes by whatever is handed in. */
class SodiumCipher implements CurveCipher {
  readonly box: Secretbox;
  readonly #sodium: Sodium;
  readonly #fill: (octets: Uint8Array) => void;
  readonly #key: number;
  readonly #otherKey: number;

  constructor(sodium: Sodium, fill: (octets: Uint8Array) => void, box: Secretbox) {
    this.#sodium = sodium;
    this.#fill = fill;
    this.box = box;
    this.#key = sodium._malloc(2 * KEY_SIZE);
    this.#otherKey = this.#key + KEY_SIZE;
  }

  random(size: number): Uint8Array {
    const octets = new Uint8Array(size);
    this.#fill(octets);
    return octets;
  }

  keyPair(): CurveKeys {
    const secretKey = this.random(KEY_SIZE);
    return { publicKey: this.publicKey(secretKey), secretKey };
  }

  publicKey(secretKey: Uint8Array): Uint8Array {
    this.#sodium.HEAPU8.set(secretKey, this.#key);
    this.#sodium._crypto_scalarmult_base(this.#otherKey, this.#key);
    return this.#takeKey();
  }

  share(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined {
    this.#sodium.HEAPU8.set(secretKey, this.#key);
    this.#sodium.HEAPU8.set(publicKey, this.#otherKey);
    const failed = this.#sodium._crypto_box_beforenm(this.#otherKey, this.#otherKey, this.#key);
    const shared = this.#takeKey();
    return failed === 0 ? shared : undefined;
  }

  /** Takes the key that was made, and clears the memory. */
  #takeKey(): Uint8Array {
    const heap = this.#sodium.HEAPU8;
    const key = Uint8Array.from(heap.subarray(this.#otherKey, this.#otherKey + KEY_SIZE));
    heap.fill(0, this.#key, this.#otherKey + KEY_SIZE);
    return key;
  }
}

let loaded: CurveCipher | undefined;
let loading: Promise<CurveCipher> | undefined;

/** The ciphers of CURVE, once {@link loadCurveCipher} has resolved. */
export function curveCipher(): CurveCipher | undefined {
  return loaded;
}

/**
 * Loads libsodium, which takes some 30 ms, when it is first asked for.
 * @throws Error when the package is not there, or is not the one that we know.
 */
export function loadCurveCipher(): Promise<CurveCipher> {
  loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<CurveCipher> {
  const wrappers = await import("libsodium-wrappers").catch((cause) => {
    const text = "CURVE needs the package libsodium-wrappers, which cannot be loaded";
    throw Object.assign(errnoError("ENOTSUP", undefined, text), { cause });
  });
  const { default: sodium } = wrappers as unknown as { default: Wrappers };
  const { vectorOr } = await import("./secretbox-vector.js");
  await sodium.ready;
  // Not imported: it takes 3 ms to load, and few need it.
  const crypto = builtin<typeof import("node:crypto")>("node:crypto");
  const box = vectorOr(new SodiumSecretbox(sodium.libsodium));
  loaded = new SodiumCipher(sodium.libsodium, (octets) => crypto.randomFillSync(octets), box);
  return loaded;
}

interface Wrappers {
  ready: Promise<void>;
  /** The library itself, once it is ready. */
  libsodium: Sodium;
}
