import type { Parts } from "../message.js";
import type { Depth } from "./depth.js";
import { NOT_NOW, type Pattern, type PatternHost, type Refusal } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_PAIR = 0;

export interface Pair extends ReadableSocket, WritableSocket {}

/**
 * A socket for exactly one peer, both ways (RFC 31). It waits while there is no peer, or while
 * the peer's queue is full; nothing is discarded. If the peer goes, another may come.
 */
export class Pair extends Socket {
  /**
   * @throws TypeError for an option that does not exist or is of the wrong type, EINVAL or ENOTSUP
   *   for its value, EMFILE when the context has `maxSockets` already.
   */
  constructor(options?: SocketOptions<Pair>) {
    super(ZMQ_PAIR, options as SocketOptions<Socket>);
  }
}

/**
 * PAIR (RFC 31): one peer at a time, both ways, nothing discarded.
 *
 * The place is free the moment its peer is gone. What that peer sent and nobody has read yet stays
 * for the reader, and counts against the receive high-water mark of the next one.
 * @internal
 */
export class PairPattern implements Pattern {
  readonly receiveRefusal = NOT_NOW;
  sendRefusal: Refusal = NOT_NOW;
  readonly #host: PatternHost;
  #pipe: Pipe | undefined;
  /** A peer's that is gone, with messages left to read. */
  #departed: Pipe | undefined;

  constructor(host: PatternHost) {
    this.#host = host;
  }

  get vacant(): boolean {
    return this.#pipe === undefined;
  }

  get readable(): boolean {
    return this.depth.messages > 0;
  }

  get writable(): boolean {
    return this.#pipe?.checkWrite() ?? false;
  }

  get outDepth(): Depth {
    return { messages: this.#pipe?.outLength ?? 0, bytes: this.#pipe?.outBytes ?? 0 };
  }

  get depth(): Depth {
    const { length = 0, bytes = 0 } = this.#departed ?? {};
    return {
      messages: length + (this.#pipe?.length ?? 0),
      bytes: bytes + (this.#pipe?.bytes ?? 0),
    };
  }

  attach(pipe: Pipe): void {
    pipe.attach(this);
    this.#pipe = pipe;
    if (this.#departed !== undefined) {
      pipe.adopt(this.#departed);
      this.#departed.close();
      this.#departed = undefined;
    }
    if (pipe.length > 0) this.#host.readActivated();
    this.#host.writeActivated();
  }

  detach(pipe: Pipe): void {
    if (pipe !== this.#pipe) return;
    this.#pipe = undefined;
    pipe.close();
    this.#host.vacated();
  }

  close(): void {
    for (const pipe of [this.#pipe, this.#departed]) pipe?.close();
    this.#pipe = undefined;
    this.#departed = undefined;
  }

  receive(): Parts | undefined {
    const departed = this.#departed;
    if (departed === undefined) return this.#pipe?.read();
    const parts = departed.read() as Parts;
    if (departed.length === 0) {
      departed.close();
      this.#departed = undefined;
    }
    return parts;
  }

  takes(_parts: Parts): boolean {
    return this.writable;
  }

  send(parts: Parts): boolean {
    const pipe = this.#pipe;
    if (pipe === undefined || !pipe.checkWrite()) return false;
    pipe.send(parts);
    return true;
  }

  readActivated(): void {
    this.#host.readActivated();
  }

  writeActivated(): void {
    this.#host.writeActivated();
  }

  pipeEnded(pipe: Pipe): void {
    if (pipe !== this.#pipe) return;
    this.#pipe = undefined;
    if (pipe.length > 0) this.#departed = pipe;
    else pipe.close();
    this.#host.vacated();
  }
}

defineSocket(Pair, {
  type: ZMQ_PAIR,
  name: "PAIR",
  scopes: ["writable", "readable"],
  single: true,
  pattern: (host) => new PairPattern(host),
});
