import { type CurveCipher, KEY_SIZE, TAG_SIZE } from "./curve-cipher.js";
import { OwnNonces, PeerNonces } from "./curve-nonce.js";
import { CurveTraffic } from "./curve-traffic.js";
import type { Limits } from "./limits.js";
import type { Role, Traffic } from "./mechanism.js";
import { encodeMetadata } from "./metadata.js";
import { ProtocolError } from "./protocol-error.js";

/** What both roles of CURVE need. */
export interface CurveOptions {
  /** All connections may share it. */
  cipher: CurveCipher;
  /** Our metadata: see {@link announce}. */
  properties: Iterable<readonly [string, Uint8Array]>;
  /** Bounds of the peer's metadata. */
  limits: Limits;
}

/** Boxes in a handshake: where in the commands they stand (RFC 26), names not counted. */
export const HELLO = { size: 194, padding: 2, paddingEnd: 74, key: 74, nonce: 106, box: 114 };
export const WELCOME = { size: 160, nonce: 0, box: 16 };
export const INITIATE = { minSize: 248, cookie: 0, nonce: 96, box: 104 };
export const READY = { minSize: 24, nonce: 0, box: 8 };

/** What INITIATE's box holds: the client's key, a vouch for its short-term key, its metadata. */
export const INITIATE_BOX = { key: 0, vouchNonce: 32, vouch: 48, metadata: 128 };

/** CurveZMQ's version, in HELLO. */
export const VERSION: readonly number[] = [1, 0];

export const COOKIE_SIZE = 96;
export const LONG_NONCE_SIZE = 16;
export const VOUCH_PREFIX = "VOUCH---";
export const WELCOME_PREFIX = "WELCOME-";

/** What HELLO's box holds. */
export const SIGNATURE: Uint8Array = new Uint8Array(64);

export const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * What both roles of CURVE (RFC 26) have in common: nonces, the traffic, and secrets that are
 * cleared in the end.
 *
 * ```
 * C, S    the keys that client and server are known by; c, s the secret halves
 * C', S'  keys for this connection alone; c', s' their secret halves, which never leave it
 *
 * client  HELLO     C', a box from C' to S               I know S
 * server  WELCOME   a box from S to C': S', cookie       I am S
 * client  INITIATE  cookie, a box from C' to S':         I am C: who has c' has c
 *                   C, a box from C to S' (C', S), metadata
 * server  READY     a box from S' to C': metadata
 * ```
 *
 * Whatever is wrong with a box, the peer sees the same end of its connection, and we see the same
 * error.
 */
export abstract class Curve {
  readonly name = "CURVE";
  readonly protects = true;
  protected readonly cipher: CurveCipher;
  protected readonly metadata: Uint8Array;
  protected readonly limits: Limits;
  protected readonly own: OwnNonces = new OwnNonces();
  protected readonly peer: PeerNonces = new PeerNonces();
  readonly #role: Role;
  readonly #secrets: Uint8Array[] = [];
  #traffic: CurveTraffic | undefined;

  protected constructor(role: Role, { cipher, properties, limits }: CurveOptions) {
    this.#role = role;
    this.cipher = cipher;
    this.metadata = encodeMetadata(properties);
    this.limits = limits;
  }

  get traffic(): Traffic | undefined {
    return this.#traffic;
  }

  close(): void {
    for (const secret of this.#secrets) secret.fill(0);
    this.#secrets.length = 0;
    this.#traffic?.close();
  }

  /** From here on there is traffic, under the key that C' and S' share. */
  protected secure(key: Uint8Array): void {
    const { own, peer } = this;
    this.#traffic = new CurveTraffic({ box: this.cipher.box, role: this.#role, key, own, peer });
  }

  /** Remembers a secret that is to be cleared in the end. */
  protected secret(octets: Uint8Array): Uint8Array {
    this.#secrets.push(octets);
    return octets;
  }

  /**
   * The key that two pairs share. X25519 overlooks the highest bit of a public key, which is never
   * set: a key that has it is another name of somebody.
   */
  protected share(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
    if (((publicKey[KEY_SIZE - 1] as number) & 0x80) !== 0) throw cryptographic();
    const shared = this.cipher.share(publicKey, secretKey);
    if (shared === undefined) throw cryptographic();
    return this.secret(shared);
  }

  /** What is in the box that stands in `data` from `from` to its end. */
  protected opened(data: Uint8Array, from: number, nonce: Uint8Array, key: Uint8Array): Uint8Array {
    const body = data.subarray(from + TAG_SIZE);
    const plain = new Uint8Array(body.length);
    if (!this.cipher.box.open(NOTHING, plain, data, from, body, nonce, key)) throw cryptographic();
    return plain;
  }
}

/** @returns The one error there is when a box does not open, or a key is none. */
export function cryptographic(): ProtocolError {
  return new ProtocolError("ERR_ZMTP_CRYPTOGRAPHIC");
}

/** A command's body of a name and `size` octets, still zero; and those octets. */
export function blank(name: string, size: number): [Uint8Array, Uint8Array] {
  const body = new Uint8Array(1 + name.length + size);
  body[0] = name.length;
  for (let i = 0; i < name.length; i++) body[1 + i] = name.charCodeAt(i);
  return [body, body.subarray(1 + name.length)];
}
