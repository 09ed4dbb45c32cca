/// <reference types="node" preserve="true" />

/**
 * ZeroMQ in pure TypeScript, with the names and the behaviour of npm zeromq.
 *
 * @module
 */

/** What this library can do, in npm zeromq's terms. */
export const capability: Partial<{
  ipc: boolean;
  pgm: boolean;
  tipc: boolean;
  norm: boolean;
  curve: boolean;
  gssapi: boolean;
  draft: boolean;
}> = {
  ipc: true,
  pgm: false,
  tipc: false,
  norm: false,
  curve: true,
  gssapi: false,
  draft: true,
};

export { context } from "./socket/context.js";
export { type CurveKeyPair, curveKeyPair } from "./curve-key-pair.js";

/** The version of libzmq whose behaviour this library has. */
export const version: string = "4.3.5";

export { Context, type ContextOptions } from "./socket/context.js";
export {
  type Readable,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type Writable,
  type WritableSocket,
} from "./socket/socket.js";
export { type EventSubscriber, Observer } from "./socket/observer.js";
export { Proxy, type ProxyOptions } from "./socket/proxy.js";
export { Pair } from "./socket/pair.js";
export { Publisher } from "./socket/pub.js";
export { Subscriber } from "./socket/sub.js";
export { Request } from "./socket/req.js";
export { Reply } from "./socket/rep.js";
export { Dealer } from "./socket/dealer.js";
export { Router, type RouterConnectOptions } from "./socket/router.js";
export { Pull } from "./socket/pull.js";
export { Push } from "./socket/push.js";
export { XPublisher } from "./socket/xpub.js";
export { XSubscriber } from "./socket/xsub.js";
export { Stream, type StreamConnectOptions } from "./socket/stream.js";
export type { CallOptions, SendCallOptions, TransferOptions } from "./socket/arguments.js";
export type {
  Allowance,
  Authenticate,
  AuthenticationReply,
  AuthenticationRequest,
  Denial,
} from "./socket/authenticate.js";
export type { PeerStats, QueueStats, Stats } from "./socket/stats.js";
export type { ErrnoError } from "./errors.js";
export type {
  AuthError,
  Event,
  EventOfType,
  EventType,
  PeerMetadata,
  ProtoError,
  ZapErrorCode,
} from "./events.js";
export type { Message, MessageLike } from "./message.js";
export type { ProtocolError, ProtocolErrorCode } from "./zmtp/index.js";
