import { NONCE_SIZE } from "./curve-cipher.js";
import { ProtocolError } from "./protocol-error.js";
import { ascii } from "./text.js";

/** Octets of a nonce that count, and travel; those before them say what the box is for. */
export const SHORT_SIZE = 8;

/** Where they stand in a whole nonce. */
export const SHORT_AT: number = NONCE_SIZE - SHORT_SIZE;

type Counted = "HELLO" | "INITIATE" | "READY" | "fromClient" | "fromServer";

/** What the nonces of counted boxes begin with, 16 octets each (RFC 26). */
export const PREFIX: Readonly<Record<Counted, Uint8Array>> = {
  HELLO: ascii("CurveZMQHELLO---"),
  INITIATE: ascii("CurveZMQINITIATE"),
  READY: ascii("CurveZMQREADY---"),
  fromClient: ascii("CurveZMQMESSAGEC"),
  fromServer: ascii("CurveZMQMESSAGES"),
};

/** The nonces that one side sends: 1, 2, 3, over all kinds of boxes. */
export class OwnNonces {
  readonly #nonce = new Uint8Array(NONCE_SIZE);
  #prefix: Uint8Array | undefined;

  /** @param last The last one used, 8 octets. */
  constructor(last?: Uint8Array) {
    if (last !== undefined) this.#nonce.set(last, SHORT_AT);
  }

  /**
   * The next nonce, whole; good until the next call.
   * @throws Error when there is none, after 2^64 - 1: no nonce may ever be used again.
   */
  next(prefix: Uint8Array): Uint8Array {
    const nonce = this.#nonce;
    if (prefix !== this.#prefix) {
      nonce.set(prefix);
      this.#prefix = prefix;
    }
    let at = NONCE_SIZE - 1;
    while (at >= SHORT_AT && nonce[at] === 0xff) at--;
    if (at < SHORT_AT) throw new Error("the nonces of this connection are used up");
    nonce[at] = (nonce[at] as number) + 1;
    nonce.fill(0, at + 1);
    return nonce;
  }
}

/** The nonces that the peer sends: each must be greater than all before it. */
export class PeerNonces {
  readonly #nonce = new Uint8Array(NONCE_SIZE);
  #prefix: Uint8Array | undefined;

  /**
   * The whole nonce of which the octets that count stand in `source` at `at`; good until the next
   * call.
   * @throws ProtocolError when it is not greater than the last one; the first must not be 0.
   */
  take(source: Uint8Array, at: number, prefix: Uint8Array): Uint8Array {
    const nonce = this.#nonce;
    let i = 0;
    while (i < SHORT_SIZE && source[at + i] === nonce[SHORT_AT + i]) i++;
    if (i === SHORT_SIZE || (source[at + i] as number) < (nonce[SHORT_AT + i] as number)) {
      throw new ProtocolError("ERR_ZMTP_INVALID_SEQUENCE", "a nonce that is not greater");
    }
    for (; i < SHORT_SIZE; i++) nonce[SHORT_AT + i] = source[at + i] as number;
    if (prefix !== this.#prefix) {
      nonce.set(prefix);
      this.#prefix = prefix;
    }
    return nonce;
  }
}

/** A nonce that is not counted but random: `prefix` of 8 characters and 16 octets. */
export function longNonce(prefix: string, random: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_SIZE);
  nonce.set(ascii(prefix));
  nonce.set(random, prefix.length);
  return nonce;
}
