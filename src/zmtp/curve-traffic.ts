import { type Secretbox, TAG_SIZE } from "./curve-cipher.js";
import { type OwnNonces, type PeerNonces, PREFIX, SHORT_AT, SHORT_SIZE } from "./curve-nonce.js";
import { COMMAND, COPY_MAX, type Frame, MORE } from "./frame.js";
import type { Role } from "./mechanism.js";
import type { Memory } from "./memory.js";
import { ProtocolError } from "./protocol-error.js";
import { ascii } from "./text.js";

const NAME = ascii("\x07MESSAGE");
const BOX_AT: number = NAME.length + SHORT_SIZE;
const FLAGS_SIZE = 1;

/** Octets of a MESSAGE beside those of the body that it carries: 33. */
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
  /** Where received bodies go. */
  memory: Memory;
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
export class CurveTraffic {
  readonly #box: Secretbox;
  readonly #key: Uint8Array;
  readonly #own: OwnNonces;
  readonly #ownPrefix: Uint8Array;
  readonly #peer: PeerNonces;
  readonly #peerPrefix: Uint8Array;
  readonly #memory: Memory;
  readonly #flags = new Uint8Array(FLAGS_SIZE);

  constructor({ box, role, key, own, peer, memory }: Secured) {
    this.#box = box;
    this.#key = key;
    this.#own = own;
    this.#ownPrefix = role === "client" ? PREFIX.fromClient : PREFIX.fromServer;
    this.#peer = peer;
    this.#peerPrefix = role === "client" ? PREFIX.fromServer : PREFIX.fromClient;
    this.#memory = memory;
  }

  /** @throws Error when no nonce is left, after 2^64 - 1 frames. */
  wrap(flags: number, body: Uint8Array): Frame {
    const nonce = this.#own.next(this.#ownPrefix);
    const size = OVERHEAD + body.length;
    const wrapped = size <= COPY_MAX ? small.subarray(0, size) : new Uint8Array(size);
    for (let i = 0; i < NAME.length; i++) wrapped[i] = NAME[i] as number;
    for (let i = 0; i < SHORT_SIZE; i++) wrapped[NAME.length + i] = nonce[SHORT_AT + i] as number;
    this.#flags[0] =
      ((flags & MORE) !== 0 ? INNER_MORE : 0) | ((flags & COMMAND) !== 0 ? INNER_COMMAND : 0);
    this.#box.seal(wrapped, BOX_AT, this.#flags, body, nonce, this.#key);
    return { flags: 0, body: wrapped };
  }

  /** @throws ProtocolError when it is no MESSAGE of the peer's, or one that was there before. */
  unwrap(flags: number, body: Uint8Array): Frame {
    if ((flags & MORE) !== 0) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_FRAME", "MORE outside a MESSAGE");
    }
    for (let i = 0; i < NAME.length; i++) {
      if (body[i] !== NAME[i]) throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "no MESSAGE");
    }
    if (body.length < OVERHEAD) throw malformed("it is cut short");
    const nonce = this.#peer.take(body, NAME.length, this.#peerPrefix);
    const plain = this.#memory.allocate(body.length - OVERHEAD);
    if (!this.#box.open(this.#flags, plain, body, BOX_AT, nonce, this.#key)) {
      throw new ProtocolError("ERR_ZMTP_CRYPTOGRAPHIC");
    }
    const inner = this.#flags[0] as number;
    if ((inner & ~(INNER_MORE | INNER_COMMAND)) !== 0) throw malformed("a reserved flag is set");
    return {
      flags:
        ((inner & INNER_MORE) !== 0 ? MORE : 0) | ((inner & INNER_COMMAND) !== 0 ? COMMAND : 0),
      body: plain,
    };
  }
}

function malformed(detail: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_MALFORMED_COMMAND_MESSAGE", detail);
}
