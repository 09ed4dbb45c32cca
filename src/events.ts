import type { Buffer } from "node:buffer";
import type { ErrnoError } from "./errors.js";
import type { ProtocolErrorCode } from "./zmtp/index.js";

/** A peer's refusal or ours, by `authenticate` or a ZAP handler (RFC 27). The messages are npm zeromq's. */
export interface AuthError extends Error {
  /** The answer (RFC 27): 300 temporary error, 400 failure, 500 internal error. */
  status: 300 | 400 | 500;
  /** What `authenticate` threw, or rejected with. */
  cause?: unknown;
}

/** What a ZAP handler's reply can be wrong in. */
export type ZapErrorCode =
  | "ERR_ZAP_UNSPECIFIED"
  | "ERR_ZAP_MALFORMED_REPLY"
  | "ERR_ZAP_BAD_REQUEST_ID"
  | "ERR_ZAP_BAD_VERSION"
  | "ERR_ZAP_INVALID_STATUS_CODE"
  | "ERR_ZAP_INVALID_METADATA";

/**
 * A peer broke the protocol or a limit, or a ZAP handler did. The message is npm zeromq's: "ZMTP
 * protocol error" or "ZAP protocol error".
 */
export interface ProtoError extends Error {
  /** What was wrong: one of the codes in `docs/protocol-errors.md`. */
  code: ProtocolErrorCode | ZapErrorCode;
  /** Says what exactly was wrong: a `ProtocolError`, or an `Error` where a ZAP handler was. */
  cause?: unknown;
}

/** What is known of a peer but for its name. */
export interface PeerMetadata {
  /** What it said itself (RFC 37, "Metadata"), which nobody has checked. Names are in lower case. */
  claimed: ReadonlyMap<string, Buffer>;
  /** What `authenticate` or the ZAP handler knows of it. Names are in lower case. */
  assured: ReadonlyMap<string, Buffer>;
}

interface EventAddress {
  /** Our endpoint, bound or connected; for where the peer is see `peerAddress`. */
  address: string;
}

/** Which peer an event is of. Ours alone: npm zeromq's events do not say. */
export interface EventPeer {
  /**
   * Where the peer is, where there is one; over ipc our endpoint.
   */
  peerAddress?: string;
  /**
   * What the peer calls itself, or what we call it: once its handshake is done, and if it has a
   * name (`ZMQ_ROUTING_ID`).
   */
  routingId?: Buffer;
  /** Who the peer is, as `authenticate` or the ZAP handler said (RFC 27, "user id"). */
  userId?: string;
}

interface EventFailure<E = ErrnoError> {
  /** What went wrong. */
  error: E;
}

/**
 * What happens to a socket's connections, with npm zeromq's names (`zmq_socket_monitor`). Of inproc
 * endpoints nothing is told, and of udp endpoints `drop` alone.
 *
 * - `accept` (`ZMQ_EVENT_ACCEPTED`): a peer came to a bound endpoint; its handshake begins.
 * - `accept:error` (`ZMQ_EVENT_ACCEPT_FAILED`): a connection could not be accepted, or was closed
 *   at once: by `tcpAcceptFilter` (EACCES), or as there were too many (`maxConnections`:
 *   ECONNREFUSED), or later, to make room for the next one (`maxHandshakes`: ECONNREFUSED).
 * - `bind` (`ZMQ_EVENT_LISTENING`): an endpoint is bound; `address` has its real port or path.
 * - `bind:error` (`ZMQ_EVENT_BIND_FAILED`): it could not be bound; `address` lacks the `tcp://`. Over udp only
 *   after `bindSync` in a runtime that cannot bind at once.
 * - `connect` (`ZMQ_EVENT_CONNECTED`): there is a connection to a peer; its handshake begins.
 * - `connect:delay` (`ZMQ_EVENT_CONNECT_DELAYED`): an attempt to connect over tcp began.
 * - `connect:retry` (`ZMQ_EVENT_CONNECT_RETRIED`): the next attempt begins in `interval`
 *   milliseconds.
 * - `close` (`ZMQ_EVENT_CLOSED`): a bound endpoint was given up, or an attempt to connect failed.
 * - `close:error` (`ZMQ_EVENT_CLOSE_FAILED`): not emitted here.
 * - `disconnect` (`ZMQ_EVENT_DISCONNECTED`): a connection was lost, or a peer turned away.
 * - `drop`: a peer has no room for a message, which it misses, as it may miss the next ones; told of
 *   once, until it has had room again. Over udp: a datagram was lost here, as there was no room for it, or
 *   it was none, or the system did not send it; told of once, until one is not; `peerAddress` says where
 *   it came from, or was to go. How many were dropped, `stats()` tells. Ours alone.
 * - `handshake` (`ZMQ_EVENT_HANDSHAKE_SUCCEEDED`): a peer's handshake is done; `metadata`, ours alone,
 *   says what is known of it.
 * - `handshake:error:protocol` (`ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL`): a peer broke the protocol
 *   or a limit, in its handshake or after it, or a ZAP handler did. `disconnect` follows.
 * - `handshake:error:auth` (`ZMQ_EVENT_HANDSHAKE_FAILED_AUTH`): a peer may not come in, or will not
 *   have us. `disconnect` follows.
 * - `handshake:error:other` (`ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL`): a handshake took longer than
 *   `handshakeInterval` (EAGAIN), or its connection was lost (EPIPE, or the system's error).
 *   `disconnect` follows.
 * - `end` (`ZMQ_EVENT_MONITOR_STOPPED`): the socket is closed, nothing more will come.
 * - `unknown`: not emitted here.
 */
export type Event =
  | ({ type: "accept" } & EventAddress & EventPeer)
  | ({ type: "accept:error" } & EventAddress & EventPeer & EventFailure)
  | ({ type: "bind" } & EventAddress)
  | ({ type: "bind:error" } & EventAddress & EventFailure)
  | ({ type: "connect" } & EventAddress & EventPeer)
  | ({ type: "connect:delay" } & EventAddress)
  | ({ type: "connect:retry"; interval: number } & EventAddress)
  | ({ type: "close" } & EventAddress)
  | ({ type: "close:error" } & EventAddress & EventFailure)
  | ({ type: "disconnect" } & EventAddress & EventPeer)
  | ({ type: "drop" } & EventAddress & EventPeer)
  | ({ type: "handshake"; metadata?: PeerMetadata } & EventAddress & EventPeer)
  | ({ type: "handshake:error:protocol" } & EventAddress & EventPeer & EventFailure<ProtoError>)
  | ({ type: "handshake:error:auth" } & EventAddress & EventPeer & EventFailure<AuthError>)
  | ({ type: "handshake:error:other" } & EventAddress & EventPeer & EventFailure)
  | { type: "end" }
  | { type: "unknown" };

/** The name of an event: see {@link Event}. */
export type EventType = Event["type"];

/** The event that has the given type. */
export type EventOfType<E extends EventType = EventType> = Extract<Event, { type: E }>;
