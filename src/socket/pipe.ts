import type { Buffer } from "node:buffer";
import { own, ownBuffers, type Parts } from "../message.js";
import { share } from "../transfer.js";
import { type Bounds, Lane, type Marks } from "./lane.js";
import type { Pool } from "./pool.js";

/** Who holds an end of a pipe, and is told what happens at the other one. */
export interface PipeSink {
  /** There is something to read, after {@link Pipe.read} had found nothing. */
  readActivated(pipe: Pipe): void;
  /** Takes a message that need not wait, if it can: see {@link Pipe.pass}. */
  take?(parts: Parts): boolean;
  /** There is room again, after {@link Pipe.checkWrite} had found none. */
  writeActivated(pipe: Pipe): void;
  /** The other end has ended: nothing can be written; what is queued can still be read. */
  pipeEnded(pipe: Pipe): void;
  /** The peer is there, for the first time or again: see {@link Pipe.connected}. */
  peerConnected?(pipe: Pipe, routingId: Buffer): void;
  /** The peer is gone, and may come again: see {@link Pipe.disconnected}. */
  peerDisconnected?(pipe: Pipe): void;
  /** The peer wants messages that begin with `topic`, or wants them no longer. */
  peerSubscribed?(pipe: Pipe, topic: Uint8Array, subscribe: boolean): void;
}

/**
 * One end of a two-way pipe of messages: a socket holds one end, a session or another socket the
 * other. What is full when, and who hears of it, says {@link Lane}.
 */
export class Pipe {
  /** What this end writes, and what it reads. */
  readonly #out: Lane;
  readonly #in: Lane;
  #peer!: Pipe;
  #sink!: PipeSink;

  #ended = false;
  #exclusive = false;

  /** What a socket that addresses its peers calls the one at the other end. */
  routingId: Buffer | undefined = undefined;
  /** A message found no room here, and none has been made since. For whoever wrote to tell. */
  dropping = false;
  /** Called when either end has ended; to be set at one of them. */
  onEnd: (() => void) | undefined = undefined;
  /** Whether a socket holds the other end, too: then what is written is handed on as it is. */
  direct = false;
  /** Nobody at the other end can say what is wanted: over udp all goes to whoever is there. */
  blind = false;

  private constructor(out: Lane, back: Lane) {
    this.#out = out;
    this.#in = back;
  }

  /**
   * Makes both ends of a pipe.
   * @param there Marks of the direction from the first end to the second; `back` the other way.
   */
  static pair(there: Marks, back: Marks): [Pipe, Pipe] {
    const [out, home] = [new Lane(there), new Lane(back)];
    const one = new Pipe(out, home);
    const other = new Pipe(home, out);
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }

  /** Names who holds this end. To be called before anything else happens to it. */
  attach(sink: PipeSink): void {
    this.#sink = sink;
  }

  /** Messages waiting to be read here. */
  get length(): number {
    return this.#in.length;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#in.bytes;
  }

  /** Messages that wait at the other end for its reader. */
  get outLength(): number {
    return this.#out.length;
  }

  get outBytes(): number {
    return this.#out.bytes;
  }

  /** The bytes of the largest message that was written here, and at the other end. */
  get largest(): { written: number; read: number } {
    return { written: this.#out.largest, read: this.#in.largest };
  }

  /** Whether what this end writes shares a bound with what others write. */
  get pooled(): boolean {
    return this.#out.pooled;
  }

  /** What this end writes counts in one more pool. */
  join(pool: Pool | undefined): void {
    this.#out.join(pool);
  }

  /** Bounds of what this end writes. */
  get marks(): Bounds {
    return this.#out.marks;
  }

  /** Changes the bounds of what this end writes, and of what is written to it. */
  setMarks(out: Bounds, back: Bounds): void {
    this.#out.bound(out);
    this.wakeWriter();
    this.#in.bound(back);
    this.#peer.wakeWriter();
  }

  /** Of what either end writes only the newest message is kept from now on. */
  conflate(): void {
    this.#out.conflate(this);
    this.#in.conflate(this.#peer);
    this.wakeWriter();
    this.#peer.wakeWriter();
  }

  /**
   * What waits here cannot be read yet, nor for nobody knows how long: it counts in a pool apart, so that
   * it is in nobody's way who can be read from.
   */
  countApart(): void {
    this.#in.moveTo((pool) => pool.apart, this.#peer);
    this.#peer.wakeWriter();
  }

  /** It counts with the rest again: see {@link countApart}. */
  countTogether(): void {
    this.#in.moveTo((pool) => pool.whole, this.#peer);
    this.#peer.wakeWriter();
  }

  /** Whether the other end has ended: it takes no more messages, and sends none. */
  get ended(): boolean {
    return this.#peer.#ended;
  }

  /** Whether either end has ended: nothing can be written. */
  get over(): boolean {
    return this.#ended || this.#peer.#ended;
  }

  /** Whether more waits at the other end than our marks allow, or at many where they share a bound. */
  get overfull(): boolean {
    return this.#out.overfull;
  }

  /**
   * Hands a message over to the other end, past the queue, if nothing waits there and it takes it now:
   * then it need not be copied, nor counted. It comes after {@link checkWrite}.
   */
  pass(parts: Parts): boolean {
    if (!this.#out.idle || this.#peer.#sink.take?.(parts) !== true) return false;
    this.#out.passed(parts);
    return true;
  }

  /** Whether each part read here shall have an ArrayBuffer to itself. Nobody's by default. */
  set exclusive(exclusive: boolean) {
    this.#exclusive = exclusive;
  }

  /** Whether a message can be written now. If not, {@link PipeSink.writeActivated} will tell. */
  checkWrite(): boolean {
    return !this.#ended && !this.#peer.#ended && this.#out.checkWrite(this);
  }

  /** Whether there is a message to read. If not, {@link PipeSink.readActivated} will tell. */
  checkRead(): boolean {
    return this.#in.checkRead();
  }

  /** Writes a message that may share the caller's memory, and lets the other end know. */
  send(parts: Parts): void {
    if (this.pass(parts)) return;
    own(parts);
    this.write(parts);
    this.flush();
  }

  /** Writes a message, whole. To be followed by {@link flush}; {@link checkWrite} comes first. */
  write(parts: Parts): void {
    this.#out.write(parts);
  }

  /** Lets the other end know that something was written. */
  flush(): void {
    const peer = this.#peer;
    if (this.#out.messageCame()) peer.#sink.readActivated(peer);
  }

  /**
   * Takes the next message; undefined when there is none: then readActivated will tell.
   *
   * It may let the other end write again, and that may lead to anything: more messages here, calls of
   * the application's that had to wait, the end of this pipe. Whoever calls looks first at what it
   * must know of the time before, and takes nothing for granted afterwards.
   */
  read(): Parts | undefined {
    const parts = this.#in.read();
    if (parts === undefined) return undefined;
    if (this.direct) share(parts);
    if (this.#exclusive) ownBuffers(parts);
    if (this.#in.isLowWater()) this.acknowledge();
    return parts;
  }

  /** Puts messages back that were read and never used: they will be read again, first. */
  unread(messages: Parts[]): void {
    this.#in.unread(messages);
  }

  /** Lets {@link PipeSink.readActivated} tell of the next message, though others wait. */
  listen(): void {
    this.#in.listen();
  }

  /** Puts a message behind what is to be read here, as if the peer had sent it; takes no other's place. */
  inject(parts: Parts): void {
    this.#in.put(parts);
  }

  /** Takes back what was written here and has not been read. */
  retract(): void {
    this.#out.clear();
  }

  /** Tells the other end that the peer is there; `routingId` is what it calls itself. */
  connected(routingId: Buffer): void {
    const peer = this.#peer;
    if (!peer.#ended) peer.#sink.peerConnected?.(peer, routingId);
  }

  /** Tells the other end that the peer is gone; the pipe stays, for it may come again. */
  disconnected(): void {
    const peer = this.#peer;
    if (!peer.#ended) peer.#sink.peerDisconnected?.(peer);
  }

  /**
   * Tells the other end what we want. A call and not a message: no mark holds it up, and it does
   * not wait behind messages that nobody reads.
   */
  subscribe(topic: Uint8Array, subscribe: boolean): void {
    const peer = this.#peer;
    if (!peer.#ended) peer.#sink.peerSubscribed?.(peer, topic, subscribe);
  }

  /**
   * Takes over what can still be read from `other`, in front; it counts against our marks. `other`
   * may be of the library's other copy, so nothing private of it is touched.
   */
  adopt(other: Pipe): void {
    const messages: Parts[] = [];
    for (let parts = other.read(); parts !== undefined; parts = other.read()) messages.push(parts);
    this.#in.adopt(messages);
  }

  /**
   * Ends this end: it writes no more, and nothing more can be written to it. What is queued at
   * either end can still be read there.
   */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#out.forget(this);
    this.#in.forget(this.#peer);
    if (!this.#peer.#ended) this.#peer.#sink.pipeEnded(this.#peer);
    (this.onEnd ?? this.#peer.onEnd)?.();
  }

  /** Ends this end, and forgets what it has not read. */
  close(): void {
    // First: what is forgotten makes room in a pool, and nobody shall write here then.
    this.end();
    this.#in.clear();
  }

  /** Lets the writer know what has been read, before the low-water mark does. */
  acknowledge(): void {
    this.#in.acknowledge();
    this.#peer.wakeWriter();
  }

  /** Not for callers: there may be room. */
  wakeWriter(): void {
    if (this.over || !this.#out.roomCame(this)) return;
    this.dropping = false;
    this.#sink.writeActivated(this);
  }
}
