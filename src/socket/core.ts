import { Buffer } from "node:buffer";
import type { Event, EventPeer } from "../events.js";
import type { Parts } from "../message.js";
import { type OptionSpec, OptionStore, type OptionType, type OptionValue } from "../options.js";
import type { BackoffOptions } from "../transport/backoff.js";
import { exclusiveMemory, SegmentMemory, slabs } from "../transport/memory.js";
import { RawConnection } from "../transport/raw.js";
import type { Wire } from "../transport/wire.js";
import {
  announce,
  Budget,
  Connection,
  type ConnectionHandler,
  type ConnectionOptions,
  DEFAULT_LIMITS,
  isCompatible,
  type Memory,
  NullMechanism,
  Press,
  type Role,
  type SocketTypeName,
} from "../zmtp/index.js";
import { Candidates } from "./candidates.js";
import type { ContextCore } from "./context-core.js";
import type { InprocConnection } from "./inproc.js";
import { lifetime } from "./lifetime.js";
import { Monitor } from "./monitor.js";
import type { Pattern, PatternHost } from "./pattern.js";
import { type Marks, Pipe } from "./pipe.js";
import { Pool } from "./pool.js";
import { Reader } from "./reader.js";
import type { Session } from "./session.js";
import { Writer } from "./writer.js";

/** What unfinished messages of all peers of a socket may hold together. */
const ASSEMBLY_LIMIT = 2 ** 31;

/** What a socket that keeps only the newest message bounds its queues by. */
const CONFLATED: Marks = { messages: 0, bytes: 0, conflate: true };

/** Routers make up a name for a peer that says this. */
const NO_ROUTING_ID = Buffer.alloc(0);

/** What this thread publishes is encoded here, once for all peers. */
const press = new Press();

/** A peer of a socket, or one that a connector has not reached yet. */
export interface Link {
  /** The endpoint that was bound or connected. */
  readonly endpoint: string;
  /** Where the peer is; undefined while there is none. */
  readonly peerAddress: string | undefined;
  /** Whether the peer is there, its handshake done. */
  readonly established: boolean;
  /** Since when, on the clock of `performance.now`. */
  readonly startedAt: number;
  /** The socket's end of the pipe, if there is one. */
  readonly socketPipe: Pipe | undefined;
  /** What the peer calls itself; undefined when it does not say. */
  readonly routingId: Buffer | undefined;
}

/** The part of an event that says of which peer it is. */
export function whereIs(link: Link): { address: string } & EventPeer {
  const { endpoint: address, peerAddress, socketPipe } = link;
  const routingId = socketPipe?.routingId ?? link.routingId;
  return {
    address,
    ...(peerAddress !== undefined && { peerAddress }),
    ...(routingId !== undefined && { routingId: Buffer.from(routingId) }),
  };
}

/** An endpoint of a socket, bound or connected. */
export interface Endpoint {
  readonly endpoint: string;
  readonly sessions: Iterable<Session>;
  /** Ends it, once what was sent through it is written. */
  close(): void;
}

/** What makes a socket of some type. */
export interface SocketKind {
  /** libzmq's number (`ZMQ_PAIR`). */
  type: number;
  /** As the handshake names it; STREAM has none. */
  name: SocketTypeName | "STREAM";
  options: ReadonlyMap<number, OptionSpec>;
  /** Options that have another default than the table says. */
  defaults?: Readonly<Record<string, OptionValue>>;
  /** Whether a message of a peer's may be one for this type; if absent, any may. */
  accepts?: (parts: readonly Uint8Array[]) => boolean;
  pattern: (host: PatternHost) => Pattern;
}

/** Types for which a second connection to the same endpoint makes no sense, says libzmq. */
const SINGLE_CONNECT: readonly string[] = ["PAIR", "DEALER", "SUB", "PUB", "REQ"];

/** Types that send a message to many peers at once. */
const PUBLISHING: readonly string[] = ["PUB", "XPUB", "XSUB"];

/** Types that tell their routing id. */
const NAMED: readonly string[] = ["REQ", "DEALER", "ROUTER"];

/**
 * The inside of a socket: its options, its pattern, its endpoints. The public class stands before
 * it and checks what callers say.
 */
export class Core implements PatternHost {
  readonly kind: SocketKind;
  readonly context: ContextCore;
  readonly options: OptionStore;
  readonly monitor = new Monitor();
  readonly candidates = new Candidates();
  /** Connections to other sockets of this thread, from either side. */
  readonly inproc: Set<InprocConnection> = new Set();
  readonly pattern: Pattern;
  readonly reader: Reader;
  readonly writer: Writer;
  /** A proxy that wants to know when there may be something to receive, or room to send. */
  relay: (() => void) | undefined = undefined;
  readonly #held = new Budget(ASSEMBLY_LIMIT);
  /** Several may have one name: an ipc path can be bound again, which takes it over. */
  readonly #bound = new Set<Endpoint>();
  readonly #connected = new Set<Endpoint>();
  /** Sessions whose endpoint is gone and whose messages are not all written yet. */
  readonly #lingering = new Map<Session, NodeJS.Timeout | undefined>();
  #sendPool: Pool | undefined;
  #receivePool: Pool | undefined;
  #sendTimeoutMs = -1;
  #receiveTimeoutMs = -1;
  #closed = false;
  /** In the midst of {@link close}: sessions that end there do not mean that all have. */
  #closing = false;
  #settled: (() => void)[] = [];
  #dropped = 0;

  /** @throws EMFILE when the context has as many sockets as it may. */
  constructor(kind: SocketKind, context: ContextCore) {
    context.add(this);
    this.kind = kind;
    this.context = context;
    this.options = new OptionStore(kind.options);
    this.options.put("type", kind.type);
    this.options.put("threadSafe", false);
    this.options.put("ipv6", context.get(42, "Bool"));
    if (context.get(70, "Bool") === false) this.options.put("linger", 0);
    for (const [name, value] of Object.entries(kind.defaults ?? {})) this.options.put(name, value);
    this.pattern = kind.pattern(this);
    this.reader = new Reader(this.pattern);
    this.writer = new Writer(this.pattern);
    lifetime.add(this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Octets held for unfinished messages of all peers. */
  get assemblyBytes(): number {
    return this.#held.used;
  }

  /** Messages that had no room at their peer, or no peer. */
  get messagesDropped(): number {
    return this.#dropped;
  }

  /** Every peer: sessions, and connections within this thread. */
  *links(): Iterable<Link> {
    yield* this.sessions();
    for (const connection of this.inproc) yield connection.linkOf(this);
  }

  /** Every session there is, lingering ones included. */
  *sessions(): Iterable<Session> {
    for (const endpoint of this.#bound) yield* endpoint.sessions;
    for (const endpoint of this.#connected) yield* endpoint.sessions;
    yield* this.#lingering.keys();
  }

  /** Whether messages are on their way out that somebody may still wait for. */
  get hasOutput(): boolean {
    for (const session of this.sessions()) if (session.hasOutput) return true;
    return false;
  }

  /** Whether any endpoint is bound or connected. */
  get inUse(): boolean {
    return this.#bound.size > 0 || this.#connected.size > 0;
  }

  bound(endpoint: string): Endpoint[] {
    return [...this.#bound].filter((it) => it.endpoint === endpoint);
  }

  connected(endpoint: string): Endpoint[] {
    return [...this.#connected].filter((it) => it.endpoint === endpoint);
  }

  /** Whether a connection to an endpoint that is connected already is to be made all the same. */
  mayConnectAgain(): boolean {
    return !SINGLE_CONNECT.includes(this.kind.name);
  }

  /** Takes a new endpoint in. */
  addBound(endpoint: Endpoint): void {
    this.#bound.add(endpoint);
    this.options.put("lastEndpoint", endpoint.endpoint);
  }

  addConnected(endpoint: Endpoint): void {
    this.#connected.add(endpoint);
    this.options.put("lastEndpoint", endpoint.endpoint);
  }

  /** Ends an endpoint and forgets it. */
  remove(endpoint: Endpoint): void {
    this.forget(endpoint);
    endpoint.close();
  }

  /** Forgets an endpoint that has ended. */
  forget(endpoint: Endpoint): void {
    this.#bound.delete(endpoint);
    this.#connected.delete(endpoint);
  }

  emit(event: Event): void {
    this.monitor.emit(event);
  }

  readActivated(): void {
    this.reader.activated();
    this.relay?.();
  }

  writeActivated(): void {
    this.writer.activated();
    this.relay?.();
  }

  vacated(): void {
    if (!this.#closed) this.candidates.admit(() => this.pattern.vacant);
  }

  dropped(pipe?: Pipe): void {
    this.#dropped++;
    if (pipe === undefined || pipe.dropping) return;
    pipe.dropping = true;
    for (const link of this.links()) {
      if (link.socketPipe === pipe) this.emit({ type: "drop", ...whereIs(link) });
    }
  }

  publish(parts: Parts, distribute: () => void): void {
    press.print(parts, distribute);
  }

  /** Gives a session its pipe, and the other end to the pattern. */
  attach(session: Session, routingId?: Buffer): void {
    const [ours, theirs] = Pipe.pair(this.sendMarks, this.receiveMarks);
    session.attachPipe(theirs, ours);
    this.pattern.attach(ours, routingId);
  }

  get sendMarks(): Marks {
    if (this.options.boolean("conflate")) return CONFLATED;
    return {
      messages: this.options.number("sendHighWaterMark"),
      bytes: this.options.number("sendHighWaterMarkBytes"),
      pool: this.sendPool,
    };
  }

  get receiveMarks(): Marks {
    if (this.options.boolean("conflate")) return CONFLATED;
    return {
      messages: this.options.number("receiveHighWaterMark"),
      bytes: this.options.number("receiveHighWaterMarkBytes"),
      pool: this.receivePool,
    };
  }

  /** What the queues to all peers may hold together; undefined when there is no such bound. */
  get sendPool(): Pool | undefined {
    const limit = this.options.number("sendHighWaterMarkTotalBytes");
    if (limit !== this.#sendPool?.limit) this.#sendPool = limit > 0 ? new Pool(limit) : undefined;
    return this.#sendPool;
  }

  /** What the queues from all peers may hold together; undefined when there is no such bound. */
  get receivePool(): Pool | undefined {
    const limit = this.options.number("receiveHighWaterMarkTotalBytes");
    if (limit !== this.#receivePool?.limit) {
      this.#receivePool = limit > 0 ? new Pool(limit) : undefined;
    }
    return this.#receivePool;
  }

  /** How long a call may wait, in milliseconds: asked for by every call, so kept at hand. */
  get sendTimeoutMs(): number {
    return this.#sendTimeoutMs;
  }

  get receiveTimeoutMs(): number {
    return this.#receiveTimeoutMs;
  }

  /**
   * Sets an option by number.
   * @returns Whether it takes effect at once.
   * @throws As {@link OptionStore.set}.
   */
  setOption(id: number, type: OptionType, value: unknown): boolean {
    const { name, immediate, order } = this.options.set(id, type, value);
    if (order === true) this.pattern.order?.(name, this.options.value(name) ?? null);
    else if (immediate === true) this.optionsChanged();
    return immediate === true;
  }

  /** Changes of the options that take effect at once reach those whom they concern. */
  optionsChanged(): void {
    this.pattern.optionsChanged?.();
    this.#sendTimeoutMs = this.options.number("sendTimeout");
    this.#receiveTimeoutMs = this.options.number("receiveTimeout");
    for (const session of this.sessions()) {
      session.pipe?.setMarks(this.receiveMarks, this.sendMarks);
    }
    for (const connection of this.inproc) connection.updateMarks();
  }

  /** Takes a session's pipe from the pattern; what was not received from it is forgotten. */
  detach(session: Session): void {
    if (session.socketPipe !== undefined) this.pattern.detach(session.socketPipe);
  }

  /** Ends a session once what was sent to it is written, or linger is over. */
  finish(session: Session): void {
    session.finish();
    if (!session.connected && !session.hasOutput) return;
    const linger = this.options.number("linger");
    if (linger === 0 && session.hasOutput) {
      session.abandon();
      return;
    }
    const timer = linger > 0 ? setTimeout(() => session.abandon(), linger) : undefined;
    timer?.unref();
    this.#lingering.set(session, timer);
    this.settle();
  }

  /** Whether sockets of both types may talk to each other. */
  mayTalkTo(other: Core): boolean {
    const { name } = this.kind;
    return name !== "STREAM" && isCompatible(name, other.kind.name);
  }

  /** What the next peer that is connected to shall be called; only once. */
  takeConnectRoutingId(): Buffer | undefined {
    const routingId = this.options.octets("connectRoutingId");
    if (routingId !== undefined) this.options.put("connectRoutingId", null);
    return routingId;
  }

  /** What routers call us; undefined where our type has no say in it. */
  get routingId(): Buffer | undefined {
    if (!NAMED.includes(this.kind.name)) return undefined;
    return this.options.octets("routingId") ?? NO_ROUTING_ID;
  }

  /** A connection without its wire. */
  connection(role: Role, handler: ConnectionHandler, now: number): Wire {
    const memory = this.options.boolean("exclusiveBuffers") ? exclusiveMemory : new SegmentMemory();
    const { name } = this.kind;
    if (name === "STREAM") return new RawConnection(handler, memory);
    return new Connection(this.#connectionOptions(name, memory, role), handler, now);
  }

  #connectionOptions(socketType: SocketTypeName, memory: Memory, role: Role): ConnectionOptions {
    const { options } = this;
    const limits = { ...DEFAULT_LIMITS, maxMessageSize: options.number("maxMessageSize") };
    const interval = options.number("heartbeatInterval");
    const timeout = options.number("heartbeatTimeout");
    return {
      role,
      socketType,
      mechanism: new NullMechanism(role, announce(socketType, this.routingId), limits),
      slabs,
      ...(PUBLISHING.includes(socketType) && { press }),
      memory,
      limits,
      held: this.#held,
      reserve: this.context.reserve,
      ...(this.kind.accepts && { accepts: this.kind.accepts }),
      handshakeTimeoutMs: options.number("handshakeInterval"),
      heartbeat: {
        intervalMs: interval,
        timeoutMs: timeout < 0 ? interval : timeout,
        ttlMs: options.number("heartbeatTimeToLive"),
      },
    };
  }

  dialerOptions(): BackoffOptions & { connectTimeoutMs: number; ipv6: boolean } {
    return {
      intervalMs: this.options.number("reconnectInterval"),
      maxMs: this.options.number("reconnectMaxInterval"),
      connectTimeoutMs: this.options.number("connectTimeout"),
      ipv6: this.options.boolean("ipv6"),
    };
  }

  /** Closes the socket: calls that wait end, messages are sent for as long as linger says. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing = true;
    this.reader.close();
    this.writer.close();
    for (const endpoint of [...this.#bound, ...this.#connected]) endpoint.close();
    this.#bound.clear();
    this.#connected.clear();
    for (const connection of this.inproc) connection.closedBy(this);
    this.pattern.close();
    this.monitor.end();
    this.context.remove(this);
    this.#closing = false;
    this.settle();
  }

  /** Looks whether the last message has left, and the socket is gone. */
  settle(): void {
    for (const [session, timer] of this.#lingering) {
      if (session.connected || session.hasOutput) continue;
      clearTimeout(timer);
      this.#lingering.delete(session);
    }
    if (!this.#closed || this.#closing || this.#lingering.size > 0) return;
    lifetime.remove(this);
    const settled = this.#settled;
    this.#settled = [];
    for (const done of settled) done();
  }

  /** Resolves once the socket is closed and linger is over. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.settle();
    });
  }
}
