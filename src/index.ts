/// <reference types="node" preserve="true" />

/**
 * ZeroMQ in pure TypeScript, with the names and the behaviour of npm zeromq.
 *
 * @module
 */

/** What this library can do, in npm zeromq's terms. */
export const capability: Readonly<Record<string, boolean>> = {
  ipc: true,
  pgm: false,
  tipc: false,
  norm: false,
  curve: false,
  gssapi: false,
  draft: false,
};

export { context } from "./socket/context.js";

/** The version of libzmq whose behaviour this library has. */
export const version: string = "4.3.5";

export { Context, type ContextOptions } from "./socket/context.js";
export {
  type Readable,
  Socket,
  type SocketOptions,
  type Writable,
} from "./socket/socket.js";
export { Observer } from "./socket/observer.js";
export { Pair } from "./socket/pair.js";
export type { CallOptions } from "./socket/arguments.js";
export type { PeerStats, QueueStats, Stats } from "./socket/stats.js";
export type { ErrnoError } from "./errors.js";
export type { AuthError, Event, EventOfType, EventType, ProtoError } from "./events.js";
export type { Message, MessageLike } from "./message.js";
export type { ProtocolError, ProtocolErrorCode } from "./zmtp/index.js";
