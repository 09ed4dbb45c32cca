import { Buffer } from "node:buffer";
import { errnoError } from "../errors.js";
import type { Parts } from "../message.js";
import { probe } from "./dealer.js";
import { type Depth, depthOf, outDepthOf } from "./depth.js";
import type { FairQueue } from "./fq.js";
import { Loop } from "./loop.js";
import {
  fairQueueOf,
  NOT_NOW,
  noOutput,
  type PatternHost,
  type Refusal,
  RoutedPattern,
} from "./pattern.js";
import type { Pipe } from "./pipe.js";
import { Routes } from "./routes.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_ROUTER = 6;
const ZMQ_CONNECT_ROUTING_ID = 61;

export interface Router extends ReadableSocket, WritableSocket {
  /** `ZMQ_ROUTING_ID`: what other Routers call us: see {@link Dealer.routingId}. Default null. */
  routingId: string | null;
  /** `ZMQ_PROBE_ROUTER`: see {@link Dealer.probeRouter}. Write only. Default false. */
  probeRouter: boolean;
  /**
   * `ZMQ_ROUTER_MANDATORY`: `send` to a peer that is not there fails with EHOSTUNREACH, and waits
   * for a peer whose queue is full. Reading it throws EINVAL, as in npm zeromq. Default false: such
   * messages are dropped, and counted (`stats().total.messagesDropped`).
   */
  mandatory: boolean;
  /**
   * `ZMQ_ROUTER_HANDOVER`: a peer that comes with the routing id of another takes its place; the
   * other is disconnected. Write only. Default false: it waits until the id is free.
   */
  handover: boolean;
}

/** Options of {@link Router.connect}. */
export interface RouterConnectOptions {
  /** What to call the peer, whatever it calls itself: `ZMQ_CONNECT_ROUTING_ID`. */
  routingId?: string | Uint8Array;
}

/**
 * Addresses its peers (RFC 28): the first part of a message is the routing id of the peer that it
 * came from, or goes to. A peer that names none gets one of five bytes, the first of them zero.
 */
export class Router extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Router>) {
    super(ZMQ_ROUTER, options as SocketOptions<Socket>);
  }

  /**
   * As {@link Socket.connect}.
   * @throws As there; EINVAL when another peer is called `routingId`, or for its size.
   */
  override connect(address: string, options: RouterConnectOptions = {}): void {
    if (options.routingId) {
      this.setStringOption(ZMQ_CONNECT_ROUTING_ID, options.routingId as string);
    }
    super.connect(address);
  }
}

/**
 * Why a message to nobody was not taken: that is an error at once, unless there are no peers at all.
 * @internal
 */
export const UNROUTABLE: Refusal = { code: "EHOSTUNREACH", waits: false };
const NO_PEERS: Refusal = { code: "EHOSTUNREACH", waits: true };

/**
 * What ROUTER and STREAM have in common: the first part of a message says of which peer it is.
 * @internal
 */
export abstract class AddressedPattern extends RoutedPattern {
  protected readonly fq: FairQueue;
  protected readonly routes = new Routes();
  protected refusal = NOT_NOW;

  constructor(host: PatternHost) {
    const fq = fairQueueOf(host);
    super(host, fq, noOutput);
    this.fq = fq;
  }

  override get sendRefusal(): Refusal {
    return this.refusal;
  }

  override get outDepth(): Depth {
    return outDepthOf(this.routes.pipes);
  }

  checkRoutingId(routingId: Buffer): void {
    if (this.routes.find(routingId) === undefined) return;
    throw errnoError("EINVAL", undefined, "Invalid argument: the routing id is in use");
  }

  override close(): void {
    this.routes.clear();
    super.close();
  }

  override receive(): Parts | undefined {
    const parts = this.fq.receive();
    // A copy: who receives it may do with it what he likes.
    parts?.unshift(Buffer.from(this.fq.last?.routingId as Buffer));
    return parts;
  }
}

/** ROUTER (RFC 28). @internal */
export class RouterPattern extends AddressedPattern {
  /** Pipes whose peer has not said what it is called, or is called as another is. */
  readonly #anonymous = new Set<Pipe>();
  /** Pipes whose name has become free, and that are to enter. */
  readonly #heirs: Pipe[] = [];
  /** To enter may be the end of an heir, and there may be thousands. */
  readonly #loop = new Loop(() => this.#enterHeirs());
  #mandatory = false;

  override get writable(): boolean {
    if (!this.#mandatory) return true;
    // All of them are asked: each that has no room will tell when it has.
    let writable = false;
    for (const pipe of this.routes.pipes) if (pipe.checkWrite()) writable = true;
    return writable;
  }

  override get depth(): Depth {
    const entered = super.depth;
    const waiting = depthOf(this.#anonymous);
    return {
      messages: entered.messages + waiting.messages,
      bytes: entered.bytes + waiting.bytes,
    };
  }

  optionsChanged(): void {
    this.#mandatory = this.host.options.boolean("mandatory");
  }

  override attach(pipe: Pipe, routingId?: Buffer): void {
    pipe.attach(this);
    if (this.host.options.boolean("probeRouter")) probe(pipe);
    this.#anonymous.add(pipe);
    if (routingId !== undefined) this.#identify(pipe, routingId);
  }

  override detach(pipe: Pipe): void {
    this.#forget(pipe);
    this.fq.detach(pipe);
  }

  override close(): void {
    for (const pipe of this.#anonymous) pipe.close();
    this.#anonymous.clear();
    super.close();
  }

  peerConnected(pipe: Pipe, routingId: Buffer): void {
    // A peer that comes again keeps its name, as with libzmq.
    if (pipe.routingId === undefined) {
      this.#identify(pipe, routingId.length > 0 ? routingId : this.routes.generate());
    }
  }

  override takes(parts: Parts): boolean {
    if (!this.#mandatory || parts.length < 2) return true;
    const pipe = this.routes.find(parts[0] as Buffer);
    return pipe?.checkWrite() === true || this.#refuse(pipe);
  }

  override send(parts: Parts): boolean {
    // An id and nothing behind it goes nowhere, as with libzmq.
    if (parts.length < 2) return true;
    const pipe = this.routes.find(parts[0] as Buffer);
    if (pipe?.checkWrite()) {
      pipe.send(parts.slice(1));
      return true;
    }
    if (this.#mandatory) return this.#refuse(pipe);
    this.host.dropped(pipe?.over ? undefined : pipe);
    return true;
  }

  override readActivated(pipe: Pipe): void {
    if (!this.#anonymous.has(pipe)) super.readActivated(pipe);
  }

  override pipeEnded(pipe: Pipe): void {
    this.#forget(pipe);
    if (this.fq.has(pipe)) this.fq.ended(pipe);
    else pipe.close();
  }

  /** There is no such peer, or no room at it. */
  #refuse(pipe: Pipe | undefined): false {
    if (pipe === undefined) this.refusal = this.routes.size === 0 ? NO_PEERS : UNROUTABLE;
    else this.refusal = NOT_NOW;
    return false;
  }

  #identify(pipe: Pipe, routingId: Buffer): void {
    if (this.host.options.boolean("handover")) {
      const before = this.routes.replace(pipe, routingId);
      if (before !== undefined) this.#handOver(before);
    } else if (!this.routes.add(pipe, routingId)) {
      pipe.countApart();
      return;
    }
    this.#enter(pipe);
  }

  /** The pipe can be received from, and sent to. */
  #enter(pipe: Pipe): void {
    this.#anonymous.delete(pipe);
    this.fq.attach(pipe);
    pipe.countTogether();
    if (pipe.length > 0) this.host.readActivated();
    this.host.writeActivated();
  }

  /** Another peer has this one's place: it is sent nothing more; what it sent stays. */
  #handOver(pipe: Pipe): void {
    this.fq.ended(pipe);
    pipe.end();
  }

  #enterHeirs(): void {
    for (let heir = this.#heirs.shift(); heir !== undefined; heir = this.#heirs.shift()) {
      // It may have gone before its turn.
      if (this.routes.find(heir.routingId as Buffer) === heir) this.#enter(heir);
    }
  }

  #forget(pipe: Pipe): void {
    this.#anonymous.delete(pipe);
    const heir = this.routes.delete(pipe);
    if (heir !== undefined) this.#heirs.push(heir);
    this.#loop.run();
    // A message may have waited for room at this one.
    this.host.writeActivated();
  }
}

defineSocket(Router, {
  type: ZMQ_ROUTER,
  name: "ROUTER",
  scopes: ["writable", "readable"],
  options: ["routingId", "probeRouter", "mandatory", "handover", "connectRoutingId"],
  named: true,
  pattern: (host) => new RouterPattern(host),
});
