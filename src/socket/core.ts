import type { Event } from "../events.js";
import { type OptionSpec, OptionStore } from "../options.js";
import type { BackoffOptions } from "../transport/backoff.js";
import { exclusiveMemory, SegmentMemory, slabs } from "../transport/memory.js";
import {
  announce,
  Budget,
  type ConnectionOptions,
  DEFAULT_LIMITS,
  NullMechanism,
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
import { Reader } from "./reader.js";
import type { Session } from "./session.js";
import { Writer } from "./writer.js";

/** What unfinished messages of all peers of a socket may hold together. */
const ASSEMBLY_LIMIT = 2 ** 31;

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
  /** As the handshake names it. */
  name: SocketTypeName;
  options: ReadonlyMap<number, OptionSpec>;
  pattern: (host: PatternHost) => Pattern;
}

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
  readonly #held = new Budget(ASSEMBLY_LIMIT);
  /** Several may have one name: an ipc path can be bound again, which takes it over. */
  readonly #bound = new Set<Endpoint>();
  readonly #connected = new Map<string, Endpoint>();
  /** Sessions whose endpoint is gone and whose messages are not all written yet. */
  readonly #lingering = new Map<Session, NodeJS.Timeout | undefined>();
  #sendTimeoutMs = -1;
  #receiveTimeoutMs = -1;
  #closed = false;
  /** In the midst of {@link close}: sessions that end there do not mean that all have. */
  #closing = false;
  #settled: (() => void)[] = [];

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

  /** Every session there is, lingering ones included. */
  *sessions(): Iterable<Session> {
    for (const endpoint of this.#bound) yield* endpoint.sessions;
    for (const endpoint of this.#connected.values()) yield* endpoint.sessions;
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

  connected(endpoint: string): Endpoint | undefined {
    return this.#connected.get(endpoint);
  }

  /** Takes a new endpoint in. */
  addBound(endpoint: Endpoint): void {
    this.#bound.add(endpoint);
    this.options.put("lastEndpoint", endpoint.endpoint);
  }

  addConnected(endpoint: Endpoint): void {
    this.#connected.set(endpoint.endpoint, endpoint);
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
    const { endpoint: name } = endpoint;
    if (this.#connected.get(name) === endpoint) this.#connected.delete(name);
  }

  emit(event: Event): void {
    this.monitor.emit(event);
  }

  readActivated(): void {
    this.reader.activated();
  }

  writeActivated(): void {
    this.writer.activated();
  }

  vacated(): void {
    if (!this.#closed) this.candidates.admit(() => this.pattern.vacant);
  }

  /** Gives a session its pipe, and the other end to the pattern. */
  attach(session: Session): void {
    const [ours, theirs] = Pipe.pair(this.sendMarks, this.receiveMarks);
    session.attachPipe(theirs, ours);
    this.pattern.attach(ours);
  }

  get sendMarks(): Marks {
    return {
      messages: this.options.number("sendHighWaterMark"),
      bytes: this.options.number("sendHighWaterMarkBytes"),
    };
  }

  get receiveMarks(): Marks {
    return {
      messages: this.options.number("receiveHighWaterMark"),
      bytes: this.options.number("receiveHighWaterMarkBytes"),
    };
  }

  /** How long a call may wait, in milliseconds: asked for by every call, so kept at hand. */
  get sendTimeoutMs(): number {
    return this.#sendTimeoutMs;
  }

  get receiveTimeoutMs(): number {
    return this.#receiveTimeoutMs;
  }

  /** Changes of the options that take effect at once reach those whom they concern. */
  optionsChanged(): void {
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

  connectionOptions(role: Role): ConnectionOptions {
    const { options } = this;
    const limits = { ...DEFAULT_LIMITS, maxMessageSize: options.number("maxMessageSize") };
    const interval = options.number("heartbeatInterval");
    const timeout = options.number("heartbeatTimeout");
    return {
      role,
      socketType: this.kind.name,
      mechanism: new NullMechanism(role, announce(this.kind.name, undefined), limits),
      slabs,
      memory: options.boolean("exclusiveBuffers") ? exclusiveMemory : new SegmentMemory(),
      limits,
      held: this.#held,
      reserve: this.context.reserve,
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
    for (const endpoint of [...this.#bound, ...this.#connected.values()]) endpoint.close();
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
