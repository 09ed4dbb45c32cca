import type { Command } from "./command.js";
import type { Frame } from "./frame.js";
import type { Metadata } from "./metadata.js";

/** What a mechanism makes of a command, or of the judge's yes. */
export interface Step {
  /** A command body to send in answer. */
  reply?: Uint8Array;
  /**
   * What the peer proves itself with, to be judged before the mechanism goes on: nothing with
   * NULL, a user name and a password with PLAIN, the client's public key of 32 octets with CURVE.
   * Only a server asks for that, but for NULL, which knows no difference.
   */
  credentials?: readonly Uint8Array[];
  /** The peer's properties: it has done its part, and asks to be let in. */
  properties?: Metadata;
}

/**
 * A security mechanism (RFC 37, "Security Mechanisms"): NULL, PLAIN, CURVE. It sees the commands
 * of the handshake in order; what is out of order it answers with a ProtocolError.
 *
 * Often a connector plays the client and a binder the server, but with PLAIN and CURVE either may
 * play either:
 *
 * ```
 *          start()  receive(), accept()   admit()
 * client   first    replies               -            NULL: READY   PLAIN, CURVE: HELLO, INITIATE
 * server   -        replies               last         NULL: READY   PLAIN, CURVE: WELCOME, READY
 * ```
 *
 * The server's last command waits for {@link admit}: until then the peer can be turned away
 * without it believing that it was ever connected. A step with credentials waits for
 * {@link accept}: no command is received before that.
 */
export interface Mechanism {
  /** Upper case, at most 20 characters, as it stands in the greeting. */
  readonly name: string;
  /**
   * Whether it protects what it carries from those on the way. An ERROR, which travels in clear
   * while the handshake lasts, may then be anybody's.
   */
  readonly protects?: boolean;
  /**
   * What a client says first.
   * @throws ProtocolError when it cannot talk to this server at all.
   */
  start(): Uint8Array | undefined;
  /**
   * Puts a command's body right that some peers are known to spell wrong; absent: there is none.
   */
  respell?(body: Uint8Array): Uint8Array;
  /** @throws ProtocolError when the command is malformed or out of order. */
  receive(command: Command): Step;
  /**
   * The credentials of the last step are good: goes on with what they held up.
   * @throws Error when there were none: the caller's mistake.
   */
  accept(): Step;
  /** What a server says last. */
  admit(): Uint8Array | undefined;
  /**
   * What is done to all frames after {@link admit}. Absent: nothing; one that {@link protects} what it
   * carries is at fault then, and its connection ends.
   */
  readonly traffic?: Traffic | undefined;
  /** The connection has ended: forgets its keys. May be called again. */
  close?(): void;
}

/** The frames of one connection, transformed. */
export interface Traffic {
  /** By how many octets {@link wrap} makes a body larger: all stand before it. */
  readonly overhead: number;
  /**
   * Transforms a frame on its way out, in the order of the wire. If it throws, the connection is at
   * its end, and the message lost: it is too large, say. What it returns may still share `body`, or
   * be overwritten by the next call, of any connection, if an encoder copies bodies of that size.
   */
  wrap(flags: number, body: Uint8Array): Frame;
  /**
   * Undoes the peer's {@link wrap}. The decoder has held the wire's frame against the limits, and
   * holds what comes out against them as well. `head` and `body` are good during the call only.
   * @param head Has the {@link overhead} from `at` on; it ends with the frame if that is shorter.
   * @param body What comes after that.
   * @param target Where the body goes that was wrapped: as large as `body`, and it may be `body`.
   * @returns The flags that were wrapped.
   * @throws ProtocolError when the frame is not one of the peer's.
   */
  unwrap(flags: number, head: Uint8Array, at: number, body: Uint8Array, target: Uint8Array): number;
}

/** The part that a side plays in the handshake: who asks to be let in, and who lets in. */
export type Role = "client" | "server";

/** Why a peer is refused (RFC 27): 300 for now, 400 for its credentials, 500 for our own fault. */
export type Refusal = "300" | "400" | "500";
