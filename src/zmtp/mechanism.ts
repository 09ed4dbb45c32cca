import type { Command } from "./command.js";
import type { Frame } from "./frame.js";
import type { Metadata } from "./metadata.js";

/** What a mechanism makes of a command. */
export interface Step {
  /** A command body to send in answer. */
  reply?: Uint8Array;
  /** The peer's properties: it has done its part, and asks to be let in. */
  properties?: Metadata;
}

/**
 * A security mechanism (RFC 37, "Security Mechanisms"): NULL, PLAIN, CURVE. It sees the commands
 * of the handshake in order; what is out of order it answers with a ProtocolError.
 *
 * A connector plays the client, a binder the server:
 *
 * ```
 *          start()  receive() ...  admit()
 * client   first    replies        -            NULL: READY      PLAIN: HELLO, INITIATE
 * server   -        replies        last         NULL: READY      PLAIN: WELCOME, READY
 * ```
 *
 * The server's last command waits for {@link admit}: until then the peer can be turned away
 * without it believing that it was ever connected.
 */
export interface Mechanism {
  /** Upper case, at most 20 characters, as it stands in the greeting. */
  readonly name: string;
  /** What a client says first. */
  start(): Uint8Array | undefined;
  /** @throws ProtocolError when the command is malformed or out of order. */
  receive(command: Command): Step;
  /** What a server says last. */
  admit(): Uint8Array | undefined;
  /**
   * Transforms a frame of the traffic on its way out; absent: frames go as they are. It is called
   * in the order of the wire, and must not throw. What it returns may still share `body`.
   */
  wrap?(flags: number, body: Uint8Array): Frame;
  /**
   * Undoes the peer's {@link wrap}. The decoder has held the wire's frame against the limits, and
   * holds what comes out against them as well.
   * @throws ProtocolError when the frame is not one of the peer's.
   */
  unwrap?(flags: number, body: Uint8Array): Frame;
}

/** The part that a side plays in the handshake: who asks to be let in, and who lets in. */
export type Role = "client" | "server";
