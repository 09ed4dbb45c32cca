import { ProtocolError } from "./protocol-error.js";

/**
 * The greeting, 64 octets that each side sends first (RFC 37, "greeting"):
 *
 * ```
 *  0        9   10  11  12          32        33
 *  FF 8*pad 7F  maj min mechanism   as-server filler
 * ```
 *
 * The padding and the filler are ignored. So is as-server: libzmq always sends 0 there, whatever
 * its role, so the role can only come from our own options.
 */
export const GREETING_SIZE = 64;

const SIGNATURE_END = 9;
const MAJOR = 10;
const MINOR = 11;
const MECHANISM = 12;
const MECHANISM_SIZE = 20;
const AS_SERVER = 32;

/** What a peer's greeting says about it. */
export interface Greeting {
  /** The major version of ZMTP, 3 or more. */
  major: number;
  /** The minor version: 0 for ZMTP 3.0, 1 for ZMTP 3.1. */
  minor: number;
}

/** Our greeting: ZMTP 3.1 and `mechanism`, an upper-case name of at most 20 characters. */
export function encodeGreeting(mechanism: string, asServer: boolean): Uint8Array {
  const bytes = new Uint8Array(GREETING_SIZE);
  bytes[0] = 0xff;
  bytes[SIGNATURE_END] = 0x7f;
  bytes[MAJOR] = 3;
  bytes[MINOR] = 1;
  for (let i = 0; i < mechanism.length; i++) bytes[MECHANISM + i] = mechanism.charCodeAt(i);
  bytes[AS_SERVER] = asServer ? 1 : 0;
  return bytes;
}

/** Collects a peer's greeting and judges every octet as soon as it is there. */
export class GreetingDecoder {
  readonly #bytes = new Uint8Array(GREETING_SIZE);
  readonly #mechanism: string;
  #size = 0;

  /** @param mechanism The only mechanism name that we accept. */
  constructor(mechanism: string) {
    this.#mechanism = mechanism;
  }

  /** Whether all 64 octets are there, and right. */
  get done(): boolean {
    return this.#size === GREETING_SIZE;
  }

  /** The peer's version; of meaning once {@link done}. */
  get greeting(): Greeting {
    return { major: this.#bytes[MAJOR] as number, minor: this.#bytes[MINOR] as number };
  }

  /**
   * Takes octets of `chunk` from `at` on, as many as belong to the greeting.
   * @returns The index after the last octet taken.
   * @throws ProtocolError as soon as an octet is wrong.
   */
  decode(chunk: Uint8Array, at: number, end: number): number {
    while (at < end && this.#size < GREETING_SIZE) {
      const octet = chunk[at++] as number;
      this.#check(this.#size, octet);
      this.#bytes[this.#size++] = octet;
    }
    return at;
  }

  #check(index: number, octet: number): void {
    if (index === 0 && octet !== 0xff) {
      throw new ProtocolError("ERR_ZMTP_UNSUPPORTED_VERSION", "no ZMTP signature");
    }
    // ZMTP 1.0 peers send the size of a long frame up to here, and flags that are even.
    if (index === SIGNATURE_END && octet !== 0x7f) {
      throw octet & 1
        ? new ProtocolError("ERR_ZMTP_MALFORMED_GREETING", "signature does not end in 7F")
        : new ProtocolError("ERR_ZMTP_UNSUPPORTED_VERSION", "ZMTP 1.0");
    }
    if (index === MAJOR && octet < 3) {
      throw new ProtocolError("ERR_ZMTP_UNSUPPORTED_VERSION", `revision ${octet}`);
    }
    if (index >= MECHANISM && index < MECHANISM + MECHANISM_SIZE) {
      const i = index - MECHANISM;
      const wanted = i < this.#mechanism.length ? this.#mechanism.charCodeAt(i) : 0;
      if (octet !== wanted) {
        throw new ProtocolError("ERR_ZMTP_MECHANISM_MISMATCH", `we speak ${this.#mechanism}`);
      }
    }
  }
}
