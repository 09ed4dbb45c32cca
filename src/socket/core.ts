import type { Buffer } from "node:buffer";
import type { Event } from "../events.js";
import type { Parts } from "../message.js";
import { OptionStore, type OptionType } from "../options.js";
import type { BackoffOptions } from "../transport/backoff.js";
import { Candidates } from "./candidates.js";
import type { ContextCore } from "./context-core.js";
import type { InprocPeer } from "./inproc.js";
import { Judge } from "./judge.js";
import type { SocketKind } from "./kind.js";
import { lifetime } from "./lifetime.js";
import { type Link, whereIs } from "./link.js";
import { QueueMarks } from "./marks.js";
import { Monitor } from "./monitor.js";
import type { Pattern, PatternHost } from "./pattern.js";
import { Pipe } from "./pipe.js";
import { Reader } from "./reader.js";
import { Security } from "./security.js";
import { Share, turn } from "./turn.js";
import { press, Wiring } from "./wiring.js";
import { Writer } from "./writer.js";

/** What takes messages from a pipe out of this thread, and brings others: a session, or a udp endpoint. */
export interface Carrier extends Link {
  readonly pipe: Pipe | undefined;
  /** Whether there is a connection, its handshake done or not, or a socket of the system's. */
  readonly connected: boolean;
  /** Whether messages are on their way out. */
  readonly hasOutput: boolean;
  /** Gives it its end of a pipe, and tells it which the other is. */
  attachPipe(pipe: Pipe, socketPipe: Pipe): void;
  /** Ends it once everything in its pipe is written. */
  finish(): void;
  /** Ends it now. */
  abandon(): void;
}

/** An endpoint of a socket, bound or connected. */
export interface Endpoint {
  readonly endpoint: string;
  readonly sessions: Iterable<Carrier>;
  /** Ends it, once what was sent through it is written. */
  close(): void;
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
  /** Connections to other sockets of this process, from either side. */
  readonly inproc: Set<InprocPeer> = new Set();
  readonly sendMarks: QueueMarks;
  readonly receiveMarks: QueueMarks;
  readonly security: Security;
  readonly judge: Judge;
  readonly wiring: Wiring;
  readonly pattern: Pattern;
  readonly reader: Reader;
  readonly writer: Writer;
  /** Connections that were closed at the door of a bound endpoint: see `Door`. */
  connectionsRefused = 0;
  /** A proxy that wants to know when there may be something to receive, or room to send. */
  relay: (() => void) | undefined = undefined;
  /** Several may have one name: an ipc path can be bound again, which takes it over. */
  readonly #bound = new Set<Endpoint>();
  readonly #connected = new Set<Endpoint>();
  /** Sessions whose endpoint is gone and whose messages are not all written yet. */
  readonly #lingering = new Map<Carrier, NodeJS.Timeout | undefined>();
  #sendTimeoutMs = -1;
  #receiveTimeoutMs = -1;
  #closed = false;
  /** In the midst of {@link close}: sessions that end there do not mean that all have. */
  #closing = false;
  #settled: (() => void)[] = [];
  #dropped = 0;

  /** @throws EMFILE when the context has as many sockets as it may. */
  constructor(kind: SocketKind, context: ContextCore) {
    if (kind.hidden !== true) context.add(this);
    this.kind = kind;
    this.context = context;
    this.options = new OptionStore(kind.options);
    this.options.put("type", kind.type);
    this.options.put("threadSafe", false);
    this.options.put("ipv6", context.get(42, "Bool"));
    if (context.get(70, "Bool") === false) this.options.put("linger", 0);
    for (const [name, value] of Object.entries(kind.defaults ?? {})) this.options.put(name, value);
    this.sendMarks = new QueueMarks(this.options, "send");
    this.receiveMarks = new QueueMarks(this.options, "receive");
    this.security = new Security(this.options);
    this.judge = new Judge(context.zap);
    this.wiring = new Wiring(kind, this.options, context.reserve);
    this.pattern = kind.pattern(this);
    const share = new Share(turn);
    this.reader = new Reader(this.pattern, share, kind.present);
    this.writer = new Writer(this.pattern, share);
    if (kind.hidden !== true) lifetime.add(this);
  }

  get closed(): boolean {
    return this.#closed;
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
  *sessions(): Iterable<Carrier> {
    for (const endpoint of this.#bound) yield* endpoint.sessions;
    for (const endpoint of this.#connected) yield* endpoint.sessions;
    yield* this.#lingering.keys();
  }

  /** Whether messages are on their way out that somebody may still wait for. */
  get hasOutput(): boolean {
    for (const session of this.sessions()) if (session.hasOutput) return true;
    return false;
  }

  /** Whether a call waits, or a proxy works with the socket. */
  get busy(): boolean {
    return this.reader.busy || this.writer.busy || this.relay !== undefined;
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

  /** A message cannot be written, to anybody: its sender has to know, though it has long been accepted. */
  unwritable(error: RangeError): void {
    this.dropped();
    process.emitWarning(`A message is lost: ${error.message}`);
  }

  publish(parts: Parts, distribute: () => void): void {
    press.print(parts, distribute);
  }

  /** Whether a peer asked for more than one may: its connection ends, and what it asked for with it. */
  asksTooMuch(pipe: Pipe | undefined): boolean {
    const asked = pipe && this.pattern.asked?.(pipe);
    if (asked === undefined) return false;
    const most = this.options.number("maxSubscriptions");
    const mostOctets = this.options.number("maxSubscriptionBytes");
    return (most > 0 && asked.size > most) || (mostOctets > 0 && asked.octets > mostOctets);
  }

  /** Gives a session its pipe, and the other end to the pattern. */
  attach(session: Carrier, routingId?: Buffer): void {
    const [ours, theirs] = Pipe.pair(this.sendMarks.each, this.receiveMarks.each);
    session.attachPipe(theirs, ours);
    this.pattern.attach(ours, routingId);
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
    const { name, immediate, makesNoRoom, order } = this.options.set(id, type, value);
    this.security.optionSet(name);
    if (order === true) this.pattern.order?.(name, this.options.value(name) ?? null);
    else if (immediate === true) this.optionsChanged();
    // A message may find its way now, or a peer its place.
    if (immediate === true && makesNoRoom !== true) {
      this.vacated();
      this.writeActivated();
    }
    return immediate === true;
  }

  /** Changes of the options that take effect at once reach those whom they concern. */
  optionsChanged(): void {
    this.pattern.optionsChanged?.();
    this.#sendTimeoutMs = this.options.number("sendTimeout");
    this.#receiveTimeoutMs = this.options.number("receiveTimeout");
    for (const session of this.sessions()) {
      session.pipe?.setMarks(this.receiveMarks.bounds, this.sendMarks.bounds);
    }
    for (const connection of this.inproc) connection.updateMarks();
  }

  /** Takes a session's pipe from the pattern; what was not received from it is forgotten. */
  detach(session: Carrier): void {
    if (session.socketPipe !== undefined) this.pattern.detach(session.socketPipe);
  }

  /** Ends a session once what was sent to it is written, or linger is over. */
  finish(session: Carrier): void {
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

  /** What the next peer that is connected to shall be called; only once. */
  takeConnectRoutingId(): Buffer | undefined {
    const routingId = this.options.octets("connectRoutingId");
    if (routingId !== undefined) this.options.put("connectRoutingId", null);
    return routingId;
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
    this.candidates.close();
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
