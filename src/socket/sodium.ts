import { builtin } from "../builtin.js";
import { errnoError } from "../errors.js";
import type { CurveCipher, CurveKeys } from "../zmtp/index.js";

const KEY_SIZE = 32;
const TAG_SIZE = 16;

/** Where in the scratch memory things stand: each on a boundary of 16 octets. */
const KEY = 0;
const OTHER_KEY = 32;
const NONCE = 64;
const SCRATCH_SIZE = 96;

/** What there is room for at first; larger boxes make the room grow, and it stays. */
const FIRST_BOX_SIZE = 64 * 1024;

/** The part of libsodium that CURVE needs, as WebAssembly has it: sizes and places are numbers. */
interface Sodium {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _free(at: number): void;
  _crypto_scalarmult_base(publicKey: number, secretKey: number): number;
  _crypto_box_beforenm(shared: number, publicKey: number, secretKey: number): number;
  _crypto_secretbox_easy: Secretbox;
  _crypto_secretbox_open_easy: Secretbox;
}

/** Sizes are of 64 bits: their lower half, then their upper one. */
type Secretbox = (
  to: number,
  from: number,
  size: number,
  sizeHigh: number,
  nonce: number,
  key: number,
) => number;

/**
 * The ciphers of CURVE by libsodium. The wrappers' own functions allocate memory on both sides for
 * every argument; sealing 100 octets takes 1.2 µs by them and 0.6 µs so.
 */
class SodiumCipher implements CurveCipher {
  readonly #sodium: Sodium;
  readonly #fill: (octets: Uint8Array) => void;
  readonly #scratch: number;
  #box = 0;
  #boxSize = 0;
  #heap: Uint8Array;

  constructor(sodium: Sodium, fill: (octets: Uint8Array) => void) {
    this.#sodium = sodium;
    this.#fill = fill;
    this.#scratch = sodium._malloc(SCRATCH_SIZE);
    this.#heap = sodium.HEAPU8;
    this.#reserve(FIRST_BOX_SIZE);
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
    this.#put(secretKey, KEY);
    this.#sodium._crypto_scalarmult_base(this.#scratch + OTHER_KEY, this.#scratch + KEY);
    return this.#takeKeys();
  }

  share(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined {
    this.#put(secretKey, KEY);
    this.#put(publicKey, OTHER_KEY);
    const other = this.#scratch + OTHER_KEY;
    const failed = this.#sodium._crypto_box_beforenm(other, other, this.#scratch + KEY);
    const shared = this.#takeKeys();
    return failed === 0 ? shared : undefined;
  }

  /** @throws RangeError when WebAssembly has no memory for so much, some 2 GB. */
  seal(
    target: Uint8Array,
    at: number,
    lead: Uint8Array,
    plain: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): void {
    const size = lead.length + plain.length;
    if (!this.#reserve(TAG_SIZE + size))
      throw new RangeError(`${size} octets are too many for CURVE`);
    const box = this.#box;
    const from = box + TAG_SIZE;
    this.#heap.set(lead, from);
    this.#heap.set(plain, from + lead.length);
    this.#crypt(this.#sodium._crypto_secretbox_easy, box, from, size, nonce, key);
    target.set(this.#heap.subarray(box, from + size), at);
  }

  open(
    source: Uint8Array,
    from: number,
    nonce: Uint8Array,
    key: Uint8Array,
  ): Uint8Array | undefined {
    const size = source.length - from;
    if (size < TAG_SIZE || !this.#reserve(size)) return undefined;
    const box = this.#box;
    const to = box + TAG_SIZE;
    this.#heap.set(from === 0 ? source : source.subarray(from), box);
    const { _crypto_secretbox_open_easy } = this.#sodium;
    if (this.#crypt(_crypto_secretbox_open_easy, to, box, size, nonce, key) !== 0) return undefined;
    return this.#heap.subarray(to, box + size);
  }

  #crypt(
    secretbox: Secretbox,
    to: number,
    from: number,
    size: number,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number {
    const scratch = this.#scratch;
    this.#heap.set(key, scratch + KEY);
    this.#heap.set(nonce, scratch + NONCE);
    const failed = secretbox(to, from, size, 0, scratch + NONCE, scratch + KEY);
    this.#heap.fill(0, scratch + KEY, scratch + KEY + KEY_SIZE);
    return failed;
  }

  #put(key: Uint8Array, where: number): void {
    this.#heap = this.#sodium.HEAPU8;
    this.#heap.set(key, this.#scratch + where);
  }

  /** Takes the key that was made, and clears the scratch memory. */
  #takeKeys(): Uint8Array {
    const made = this.#scratch + OTHER_KEY;
    const key = Uint8Array.from(this.#heap.subarray(made, made + KEY_SIZE));
    this.#heap.fill(0, this.#scratch, this.#scratch + NONCE);
    return key;
  }

  /** Sees to it that there is room for a box; false when there cannot be. */
  #reserve(size: number): boolean {
    if (size > this.#boxSize) {
      this.#sodium._free(this.#box);
      const wanted = Math.max(size, FIRST_BOX_SIZE);
      this.#box = this.#sodium._malloc(wanted);
      this.#boxSize = this.#box === 0 ? 0 : wanted;
    }
    // It is another array when the memory has grown, for us or for somebody else.
    this.#heap = this.#sodium.HEAPU8;
    return this.#box !== 0;
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
  await sodium.ready;
  // Not imported: it takes 3 ms to load, and few need it.
  const crypto = builtin<typeof import("node:crypto")>("node:crypto");
  loaded = new SodiumCipher(sodium.libsodium, (octets) => crypto.randomFillSync(octets));
  return loaded;
}

interface Wrappers {
  ready: Promise<void>;
  /** The library itself, once it is ready. */
  libsodium: Sodium;
}
