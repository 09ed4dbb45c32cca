import type { Parts } from "../message.js";
import type { Pipe, PipeSink } from "./pipe.js";

/**
 * What makes a socket the type that it is: where its messages go, and where they come from. It
 * holds the socket's end of every pipe.
 */
export interface Pattern extends PipeSink {
  /** Whether another peer may have a pipe now. If not, {@link PatternHost.vacated} will tell. */
  readonly vacant: boolean;
  /** Takes a new peer's pipe. */
  attach(pipe: Pipe): void;
  /** Forgets a pipe, unread messages included: the endpoint was disconnected. */
  detach(pipe: Pipe): void;
  /** Ends every pipe, and forgets what was not received: the socket is closed. */
  close(): void;
  /** Whether {@link receive} would give a message. */
  readonly readable: boolean;
  /** Whether {@link send} would take one. */
  readonly writable: boolean;
  /** Takes the next message; if there is none, {@link PatternHost.readActivated} will tell. */
  receive(): Parts | undefined;
  /** Whether it took the message; if not, {@link PatternHost.writeActivated} will tell. */
  send(parts: Parts): boolean;
  /** Messages and bytes that wait to be received. */
  readonly depth: Depth;
  /** Messages and bytes that wait to be sent. */
  readonly outDepth: Depth;
}

export interface Depth {
  messages: number;
  bytes: number;
}

/** What a pattern tells its socket. */
export interface PatternHost {
  readActivated(): void;
  writeActivated(): void;
  /** There is a place for another peer. */
  vacated(): void;
}
