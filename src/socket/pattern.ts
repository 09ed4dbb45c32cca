import type { Buffer } from "node:buffer";
import type { Parts } from "../message.js";
import type { OptionStore, OptionValue } from "../options.js";
import type { Depth } from "./depth.js";
import { FairQueue } from "./fq.js";
import type { Bounds } from "./lane.js";
import type { NameSet } from "./name-set.js";
import type { Pipe, PipeSink } from "./pipe.js";

/**
 * What makes a socket the type that it is: where its messages go, and where they come from. It
 * holds the socket's end of every pipe.
 */
export interface Pattern extends PipeSink {
  /** Whether another peer may have a pipe now. If not, {@link PatternHost.vacated} will tell. */
  readonly vacant: boolean;
  /**
   * Takes a new peer's pipe.
   * @param routingId What to call the peer, if whoever connected said so (`ZMQ_CONNECT_ROUTING_ID`).
   */
  attach(pipe: Pipe, routingId?: Buffer): void;
  /** Forgets a pipe, unread messages included: the endpoint was disconnected. */
  detach(pipe: Pipe): void;
  /** Ends every pipe, and forgets what was not received: the socket is closed. */
  close(): void;
  /** Whether {@link receive} would give a message. */
  readonly readable: boolean;
  /** Whether {@link send} would take one. */
  readonly writable: boolean;
  /** Whether {@link send} would take this one now; if not, {@link sendRefusal} says why, as after it. */
  takes(parts: Parts): boolean;
  /** Takes the next message; if there is none, {@link PatternHost.readActivated} will tell. */
  receive(): Parts | undefined;
  /** Whether it took the message; if not, {@link PatternHost.writeActivated} will tell. */
  send(parts: Parts): boolean;
  /** Why {@link receive} gave nothing. */
  readonly receiveRefusal: Refusal;
  /** Why {@link send} did not take its last message. */
  readonly sendRefusal: Refusal;
  /** Messages and bytes that wait to be received. */
  readonly depth: Depth;
  /** Messages and bytes that wait to be sent. */
  readonly outDepth: Depth;
  /** Topics that are subscribed to: by us, or by all peers together; undefined where there are none. */
  readonly subscriptions?: number;
  /** What a peer asked for, where peers ask for messages; undefined for one that is not there. */
  asked?(pipe: Pipe): Pick<NameSet, "size" | "octets"> | undefined;
  /** An option that the pattern keeps at hand has changed. */
  optionsChanged?(): void;
  /** An option was set that is an order and not a value: see `OptionSpec.order`. */
  order?(name: string, value: OptionValue | Buffer): void;
  /** @throws EINVAL when a peer cannot be called so: somebody is already. */
  checkRoutingId?(routingId: Buffer): void;
}

/** Why a call did nothing, and whether to wait may help. */
export interface Refusal {
  code: "EAGAIN" | "EFSM" | "EHOSTUNREACH" | "EINVAL" | "EMSGSIZE" | "ENOTSUP";
  waits: boolean;
}

/** Nobody is there, or everybody's queue is full, or nothing has come. */
export const NOT_NOW: Refusal = { code: "EAGAIN", waits: true };
/** It is not this call's turn. */
export const WRONG_STATE: Refusal = { code: "EFSM", waits: true };
/** No datagram can carry it. */
export const TOO_LONG: Refusal = { code: "EMSGSIZE", waits: false };
/** This type of socket cannot do it. */
export const UNSUPPORTED: Refusal = { code: "ENOTSUP", waits: false };

/** What a pattern knows of its socket, and tells it. */
export interface PatternHost {
  readonly options: Pick<OptionStore, "boolean" | "number" | "octets">;
  readActivated(): void;
  writeActivated(): void;
  /** There is a place for another peer. */
  vacated(): void;
  /**
   * A message was dropped, whose peer has no room for it, or is not there.
   * @param pipe The peer's; given only for the first of a run.
   */
  dropped(pipe?: Pipe): void;
  /** What `distribute` sends to many peers is one message: it is encoded once. */
  publish(parts: Parts, distribute: () => void): void;
}

/** Where a socket's messages come from. */
export interface Input {
  readonly vacant: boolean;
  readonly readable: boolean;
  readonly depth: Depth;
  readonly refusal: Refusal;
  attach(pipe: Pipe): void;
  /** There is something to read from the pipe. */
  activated(pipe: Pipe): void;
  /** The pipe's peer is gone. */
  ended(pipe: Pipe): void;
  /** Forgets a pipe, and closes it. */
  detach(pipe: Pipe): void;
  /** Closes all pipes. */
  close(): void;
  receive(): Parts | undefined;
}

/** Where a socket's messages go. */
export interface Output {
  readonly writable: boolean;
  readonly depth: Depth;
  readonly refusal: Refusal;
  attach(pipe: Pipe): void;
  /** There is room in the pipe again. */
  activated(pipe: Pipe): void;
  /** The pipe's peer is gone, or it is forgotten. */
  detach(pipe: Pipe): void;
  close(): void;
  send(parts: Parts): boolean;
}

/** A pattern of two halves: what comes in, and what goes out. */
export class RoutedPattern implements Pattern {
  protected readonly host: PatternHost;
  readonly #input: Input;
  readonly #output: Output;

  constructor(host: PatternHost, input: Input, output: Output) {
    this.host = host;
    this.#input = input;
    this.#output = output;
  }

  get vacant(): boolean {
    return this.#input.vacant;
  }

  get readable(): boolean {
    return this.#input.readable;
  }

  get writable(): boolean {
    return this.#output.writable;
  }

  get receiveRefusal(): Refusal {
    return this.#input.refusal;
  }

  get sendRefusal(): Refusal {
    return this.#output.refusal;
  }

  get depth(): Depth {
    return this.#input.depth;
  }

  get outDepth(): Depth {
    return this.#output.depth;
  }

  attach(pipe: Pipe, _routingId?: Buffer): void {
    pipe.attach(this);
    this.#input.attach(pipe);
    this.#output.attach(pipe);
    if (pipe.length > 0) this.host.readActivated();
    this.host.writeActivated();
  }

  detach(pipe: Pipe): void {
    this.#output.detach(pipe);
    this.#input.detach(pipe);
  }

  close(): void {
    this.#output.close();
    this.#input.close();
  }

  receive(): Parts | undefined {
    return this.#input.receive();
  }

  takes(_parts: Parts): boolean {
    return this.writable;
  }

  send(parts: Parts): boolean {
    return this.#output.send(parts);
  }

  readActivated(pipe: Pipe): void {
    this.#input.activated(pipe);
    this.host.readActivated();
  }

  writeActivated(pipe: Pipe): void {
    this.#output.activated(pipe);
    this.host.writeActivated();
  }

  pipeEnded(pipe: Pipe): void {
    this.#output.detach(pipe);
    this.#input.ended(pipe);
  }
}

/** A fair queue for a socket whose peers may leave messages behind. @internal */
export function fairQueueOf(host: PatternHost): FairQueue {
  return new FairQueue(
    () => receiveBounds(host),
    () => host.vacated(),
  );
}

/** What one peer's queue of a socket that receives may hold. @internal */
export function receiveBounds({ options }: PatternHost): Bounds {
  return {
    messages: options.number("receiveHighWaterMark"),
    bytes: options.number("receiveHighWaterMarkBytes"),
  };
}

const NOTHING: Depth = { messages: 0, bytes: 0 };

/** The input of a socket that receives nothing: what comes all the same is forgotten. */
export class NoInput implements Input {
  readonly vacant = true;
  readonly readable = false;
  readonly depth = NOTHING;
  readonly refusal = UNSUPPORTED;
  readonly #pipes = new Set<Pipe>();

  attach(pipe: Pipe): void {
    this.#pipes.add(pipe);
    this.activated(pipe);
  }

  activated(pipe: Pipe): void {
    while (pipe.read() !== undefined);
  }

  ended(pipe: Pipe): void {
    this.detach(pipe);
  }

  detach(pipe: Pipe): void {
    this.#pipes.delete(pipe);
    pipe.close();
  }

  close(): void {
    for (const pipe of [...this.#pipes]) this.detach(pipe);
  }

  receive(): undefined {
    return undefined;
  }
}

/** The output of a socket that sends nothing. */
export const noOutput: Output = {
  writable: false,
  depth: NOTHING,
  refusal: UNSUPPORTED,
  attach: () => {},
  activated: () => {},
  detach: () => {},
  close: () => {},
  send: () => false,
};
