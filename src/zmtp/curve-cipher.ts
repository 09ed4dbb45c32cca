/** Octets of a key, public, secret or shared. */
export const KEY_SIZE = 32;

/** Octets that sealing adds: what proves that a box was not changed. They stand first. */
export const TAG_SIZE = 16;

/** Octets of a nonce, of which none may be used twice with a key. */
export const NONCE_SIZE = 24;

/** Two keys of X25519 that belong together, 32 octets each. */
export interface CurveKeys {
  publicKey: Uint8Array;
  secretKey: Uint8Array;
}

/** NaCl's *secretbox*: XSalsa20-Poly1305. */
export interface Secretbox {
  /**
   * Seals `lead`, of 4 KB at the most, with `plain` behind it, and writes the box, which is
   * {@link TAG_SIZE} larger, to `target` at `at`.
   */
  seal(
    target: Uint8Array,
    at: number,
    lead: Uint8Array,
    plain: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): void;
  /**
   * Opens a box that comes in two: its tag, and what `lead` was sealed to, stand in `head` at `at`;
   * `body` is the rest. What was sealed fills `lead`, of 4 KB at the most, and `target`, which is
   * as large as `body`, and may be `body`.
   * @returns False when it was not sealed with this key and nonce, or was changed: then both are
   *   zero.
   */
  open(
    lead: Uint8Array,
    target: Uint8Array,
    head: Uint8Array,
    at: number,
    body: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): boolean;
}

/**
 * The ciphers of CURVE (RFC 26), which are NaCl's: X25519 and XSalsa20-Poly1305. Handed in: this
 * folder has none.
 *
 * NaCl's *box* between two pairs of keys is its *secretbox* with the key that they share, so that
 * {@link CurveCipher.share} and {@link CurveCipher.box} are all there is to both.
 */
export interface CurveCipher {
  readonly box: Secretbox;
  /** Octets that nobody can guess. */
  random(size: number): Uint8Array;
  /** A new pair of keys. */
  keyPair(): CurveKeys;
  /** The public key that belongs to a secret one. */
  publicKey(secretKey: Uint8Array): Uint8Array;
  /**
   * The key that two pairs share, made of the public key of one and the secret key of the other:
   * NaCl's `crypto_box_beforenm`. Undefined when X25519 comes to zero, as it does for public keys
   * that are none: then everybody would know it.
   */
  share(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array | undefined;
}

/** Whether both are the same; that takes as long wherever they differ. */
export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= (one[i] as number) ^ (other[i] as number);
  return difference === 0;
}
