import { type Secretbox, TAG_SIZE } from "./curve-cipher.js";
import { type OwnNonces, type PeerNonces, PREFIX, SHORT_AT, SHORT_SIZE } from "./curve-nonce.js";
import { COMMAND, COPY_MAX, type Frame, MORE } from "./frame.js";
import type { Role, Traffic } from "./mechanism.js";
import { ProtocolError } from "./protocol-error.js";
import { ascii } from "./text.js";

const NAME = ascii("\x07MESSAGE");
const BOX_AT: number = NAME.length + SHORT_SIZE;
const FLAGS_SIZE = 1;

/** Octets of a MESSAGE before those of the body that it carries: 33. */
const OVERHEAD: number = BOX_AT + TAG_SIZE + FLAGS_SIZE;

/** The flags inside a MESSAGE. Those of a frame are others: there a command is 4. */
const INNER_MORE = 0b01;
const INNER_COMMAND = 0b10;

/** Where small frames are sealed, whoever's they are: an encoder copies them at once. */
const small = new Uint8Array(COPY_MAX);

/** What keeps the frames of one connection over CURVE secret. */
export interface Secured {
  box: Secretbox;
  /** Our role. */
  role: Role;
  /** What C' and S' share: cleared by its owner. */
  key: Uint8Array;
  /** Go on counting where the handshake stopped. */
  own: OwnNonces;
  peer: PeerNonces;
}

/**
 * The traffic over CURVE (RFC 26): each frame, a command too, in a MESSAGE of its own.
 *
 * ```
 *  0            8      16   32     33
 *  \x07MESSAGE  nonce  tag  flags  body     the last two sealed
 * ```
 *
 * RFC 37 makes MESSAGE a command, libzmq sends it in the frame of a message: we take both, and
 * send the latter. What it carries says by its own flags whether it is a command and whether more
 * parts follow; libzmq's are 1 for MORE and 2 for COMMAND.
 */
export class CurveTraffic implements Traffic {
  readonly overhead: number = OVERHEAD;
  readonly #box: Secretbox;
  #key: Uint8Array | undefined;
  readonly #own: OwnNonces;
  readonly #ownPrefix: Uint8Array;
  readonly #peer: PeerNonces;
  readonly #peerPrefix: Uint8Array;
  readonly #flags = new Uint8Array(FLAGS_SIZE);

  constructor({ box, role, key, own, peer }: Secured) {
    this.#box = box;
    this.#key = key;
    this.#own = own;
    this.#ownPrefix = role === "client" ? PREFIX.fromClient : PREFIX.fromServer;
    this.#peer = peer;
    this.#peerPrefix = role === "client" ? PREFIX.fromServer : PREFIX.fromClient;
  }

  /** @throws Error when no nonce is left, after 2^64 - 1 frames, and after the end. */
  wrap(flags: number, body: Uint8Array): Frame {
    const nonce = this.#own.next(this.#ownPrefix);
    const size = OVERHEAD + body.length;
    const wrapped = size <= COPY_MAX ? small.subarray(0, size) : new Uint8Array(size);
    for (let i = 0; i < NAME.length; i++) wrapped[i] = NAME[i] as number;
    for (let i = 0; i < SHORT_SIZE; i++) wrapped[NAME.length + i] = nonce[SHORT_AT + i] as number;
    this.#flags[0] =
      ((flags & MORE) !== 0 ? INNER_MORE : 0) | ((flags & COMMAND) !== 0 ? INNER_COMMAND : 0);
    this.#box.seal(wrapped, BOX_AT, this.#flags, body, nonce, this.#secret);
    return { flags: 0, body: wrapped };
  }

  /**
   * @returns The flags of what it carries, which fills `target`.
   * @throws ProtocolError when it is no MESSAGE of the peer's, or one that was there before.
   */
  unwrap(
    flags: number,
    head: Uint8Array,
    at: number,
    body: Uint8Array,
    target: Uint8Array,
  ): number {
    if ((flags & MORE) !== 0) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_FRAME", "MORE outside a MESSAGE");
    }
    for (let i = 0; i < NAME.length; i++) {
      if (head[at + i] !== NAME[i]) {
        throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "no MESSAGE");
      }
    }
    if (head.length - at < OVERHEAD) throw malformed("it is cut short");
    const nonce = this.#peer.take(head, at + NAME.length, this.#peerPrefix);
    if (!this.#box.open(this.#flags, target, head, at + BOX_AT, body, nonce, this.#secret)) {
      throw new ProtocolError("ERR_ZMTP_CRYPTOGRAPHIC");
    }
    const inner = this.#flags[0] as number;
    if ((inner & ~(INNER_MORE | INNER_COMMAND)) !== 0) throw malformed("a reserved flag is set");
    return ((inner & INNER_MORE) !== 0 ? MORE : 0) | ((inner & INNER_COMMAND) !== 0 ? COMMAND : 0);
  }

  /** The connection has ended. */
  close(): void {
    this.#key = undefined;
  }

  /** It is cleared after the end, and nothing may go out under such a key. */
  get #secret(): Uint8Array {
    if (this.#key === undefined) throw new Error("the connection has ended");
    return this.#key;
  }
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_MESSAGE", detail);
}
