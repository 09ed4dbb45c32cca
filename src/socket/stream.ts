import { Buffer } from "node:buffer";
import type { Message, MessageLike, Parts } from "../message.js";
import type { CallOptions, SendCallOptions, TransferOptions } from "./arguments.js";
import { NOT_NOW } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import { AddressedPattern, UNROUTABLE } from "./router.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_STREAM = 11;
const ZMQ_CONNECT_ROUTING_ID = 61;

export interface Stream
  extends ReadableSocket<[Message, Message]>,
    WritableSocket<[MessageLike, MessageLike]> {
  /**
   * `ZMQ_STREAM_NOTIFY`: receive an empty message of each peer that connects, and of each that is
   * gone. Write only. Default true.
   */
  notify: boolean;
  send(message: [MessageLike, MessageLike], options?: SendCallOptions): Promise<void>;
  trySend(message: [MessageLike, MessageLike], options?: TransferOptions): boolean;
  receive(options?: CallOptions): Promise<[Message, Message]>;
  tryReceive(): [Message, Message] | undefined;
  [Symbol.asyncIterator](): AsyncIterator<[Message, Message], undefined>;
}

/** Options of {@link Stream.connect}. */
export interface StreamConnectOptions {
  /** What to call the peer: `ZMQ_CONNECT_ROUTING_ID`. Default: five bytes, the first of them zero. */
  routingId?: string | Uint8Array;
}

/**
 * Speaks plain TCP, without ZMTP: the first part of a message names the peer, the second is what it
 * sent, or is to be sent, cut anyhow. An empty second part closes the connection, once everything
 * before it is written.
 *
 * `send` to a peer that is not there fails with EHOSTUNREACH, and waits for one whose queue is full.
 */
export class Stream extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Stream>) {
    super(ZMQ_STREAM, options as SocketOptions<Socket>);
  }

  /**
   * As {@link Socket.connect}, over tcp or ipc.
   * @throws As there; EINVAL when another peer is called `routingId`, or for its size.
   */
  override connect(address: string, options: StreamConnectOptions = {}): void {
    if (options.routingId) {
      this.setStringOption(ZMQ_CONNECT_ROUTING_ID, options.routingId as string);
    }
    super.connect(address);
  }
}

const EMPTY = Buffer.alloc(0);

/** STREAM: raw TCP, its peers addressed as a ROUTER's. @internal */
export class StreamPattern extends AddressedPattern {
  /** Those whose connection there is now. */
  readonly #connected = new Set<Pipe>();

  /** To whom a message goes shows only when there is one. */
  override get writable(): boolean {
    return true;
  }

  override attach(pipe: Pipe, routingId?: Buffer): void {
    this.routes.add(pipe, routingId ?? this.routes.generate());
    super.attach(pipe);
  }

  override detach(pipe: Pipe): void {
    this.#connected.delete(pipe);
    this.routes.delete(pipe);
    super.detach(pipe);
    // A message may have waited for room at this one.
    this.host.writeActivated();
  }

  override close(): void {
    this.#connected.clear();
    super.close();
  }

  peerConnected(pipe: Pipe): void {
    this.#connected.add(pipe);
    this.#notify(pipe);
  }

  peerDisconnected(pipe: Pipe): void {
    if (this.#connected.delete(pipe)) this.#notify(pipe);
  }

  override pipeEnded(pipe: Pipe): void {
    this.peerDisconnected(pipe);
    this.routes.delete(pipe);
    super.pipeEnded(pipe);
    // A message may have waited for room at this one.
    this.host.writeActivated();
  }

  override takes(parts: Parts): boolean {
    return parts.length < 2 || this.#whereTo(parts) !== undefined;
  }

  override send(parts: Parts): boolean {
    if (parts.length < 2) return true;
    const pipe = this.#whereTo(parts);
    if (pipe === undefined) return false;
    const closes = parts.at(-1)?.length === 0;
    const octets = parts.slice(1).filter(({ length }) => length > 0);
    if (octets.length > 0) pipe.send(octets);
    if (closes) this.detach(pipe);
    return true;
  }

  /** The pipe that a message goes to; undefined when there is no such peer, or no room at it. */
  #whereTo(parts: Parts): Pipe | undefined {
    const pipe = this.routes.find(parts[0] as Buffer);
    if (pipe?.checkWrite()) return pipe;
    this.refusal = pipe === undefined ? UNROUTABLE : NOT_NOW;
    return undefined;
  }

  #notify(pipe: Pipe): void {
    if (!this.host.options.boolean("notify")) return;
    pipe.inject([EMPTY]);
    this.fq.activated(pipe);
    this.host.readActivated();
  }
}

defineSocket(Stream, {
  type: ZMQ_STREAM,
  name: "STREAM",
  scopes: ["writable", "readable"],
  options: ["notify", "connectRoutingId"],
  pattern: (host) => new StreamPattern(host),
});
