import type { ErrnoError } from "./errors.js";
import type { ProtocolErrorCode } from "./zmtp/index.js";

/** A peer's refusal or ours, by a ZAP handler (RFC 27). */
export interface AuthError extends Error {
  status: 300 | 400 | 500;
}

/** A peer broke the protocol. */
export interface ProtoError extends Error {
  code: ProtocolErrorCode;
  /** A `ProtocolError` that says what exactly was wrong. */
  cause?: unknown;
}

interface EventAddress {
  /** The endpoint. */
  address: string;
}

interface EventPeer {
  /** Where the peer is, where there is one: ours alone, npm zeromq has no such property. */
  peerAddress?: string;
}

interface EventFailure<E = ErrnoError> {
  error: E;
}

/** What happens to a socket's connections, with npm zeromq's names. */
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
  | ({ type: "handshake" } & EventAddress & EventPeer)
  | ({ type: "handshake:error:protocol" } & EventAddress & EventPeer & EventFailure<ProtoError>)
  | ({ type: "handshake:error:auth" } & EventAddress & EventPeer & EventFailure<AuthError>)
  | ({ type: "handshake:error:other" } & EventAddress & EventPeer & EventFailure)
  | { type: "end" }
  | { type: "unknown" };

export type EventType = Event["type"];

/** The event that has the given type. */
export type EventOfType<E extends EventType = EventType> = Extract<Event, { type: E }>;
