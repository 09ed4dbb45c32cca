import type { Buffer } from "node:buffer";
import { own, ownBuffers, type Parts, sizeOf } from "../message.js";
import type { Pool } from "./pool.js";
import { Queue } from "./queue.js";

/** Who holds an end of a pipe, and is told what happens at the other one. */
export interface PipeSink {
  /** There is something to read, after {@link Pipe.read} had found nothing. */
  readActivated(pipe: Pipe): void;
  /** Whether it reads, from within readActivated, all that was written: see {@link Pipe.readAtOnce}. */
  readonly readsAtOnce?: boolean;
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

/** How much one direction of a pipe may hold; 0 means no bound. */
export interface Bounds {
  /** `ZMQ_SNDHWM`, `ZMQ_RCVHWM` or their sum, in messages; one of several parts counts once. */
  messages: number;
  /** Ours alone, in bytes. A message larger than the mark still passes, alone. */
  bytes: number;
}

/** What one direction of a pipe is made with. */
export interface Marks extends Bounds {
  /** `ZMQ_CONFLATE`: a message takes the place of the one that waits; there are no bounds then. */
  conflate?: boolean;
  /** What the direction shares a bound in bytes with. */
  pool?: Pool | undefined;
}

const NO_BOUNDS: Bounds = { messages: 0, bytes: 0 };

/**
 * One end of a two-way pipe of messages: a socket holds one end, a session or another socket the
 * other.
 *
 * Each direction is full once `written - acknowledged` reaches its mark. The reader acknowledges
 * not each message but every (HWM + 1) / 2 of them (libzmq's low-water mark): a writer that had to
 * wait then gets on with a run of messages, not with one.
 */
export class Pipe {
  readonly #inbound = new Queue<Parts>();
  #inboundBytes = 0;
  #peer!: Pipe;
  #sink!: PipeSink;

  /** What this end has read, and what of it the writer knows. */
  #read = 0;
  #readBytes = 0;
  #toldRead = 0;
  #toldBytes = 0;
  /** What this end has written. */
  #written = 0;
  #writtenBytes = 0;

  #marks: Bounds;
  #awaitsRead = true;
  #awaitsRoom = false;
  #ended = false;
  #exclusive = false;
  #conflate = false;
  /** What counts the bytes that this end writes, too. */
  #pools: Pool[] | undefined;
  #largest = 0;

  /** What a socket that addresses its peers calls the one at the other end. */
  routingId: Buffer | undefined = undefined;
  /** A message found no room here, and none has been made since. For whoever wrote to tell. */
  dropping = false;
  /** Called when either end has ended; to be set at one of them. */
  onEnd: (() => void) | undefined = undefined;
  /** Whether a socket holds the other end, too: then what is written is handed on as it is. */
  direct = false;

  private constructor(marks: Marks) {
    this.#marks = marks;
    this.#conflate = marks.conflate === true;
    this.#pools = marks.pool && [marks.pool];
  }

  /**
   * Makes both ends of a pipe.
   * @param there Marks of the direction from the first end to the second; `back` the other way.
   */
  static pair(there: Marks, back: Marks): [Pipe, Pipe] {
    const one = new Pipe(there);
    const other = new Pipe(back);
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
    return this.#inbound.length;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#inboundBytes;
  }

  /** Messages that wait at the other end for its reader. */
  get outLength(): number {
    return this.#peer.length;
  }

  get outBytes(): number {
    return this.#peer.bytes;
  }

  /** The bytes of the largest message that was written here, and at the other end. */
  get largest(): { written: number; read: number } {
    return { written: this.#largest, read: this.#peer.#largest };
  }

  /** Whether what this end writes shares a bound with what others write. */
  get pooled(): boolean {
    return this.#pools !== undefined;
  }

  /** What this end writes counts in one more pool. */
  join(pool: Pool | undefined): void {
    if (pool === undefined || this.#conflate) return;
    this.#pools = [...(this.#pools ?? []), pool];
    pool.add(this.#peer.#inboundBytes);
  }

  /** Bounds of what this end writes. */
  get marks(): Bounds {
    return this.#marks;
  }

  /** Changes the bounds of what this end writes, and of what is written to it. */
  setMarks(out: Bounds, back: Bounds): void {
    this.#bound(out);
    this.#peer.#bound(back);
  }

  #bound(marks: Bounds): void {
    if (this.#conflate) return;
    this.#marks = marks;
    // What was read below the old low-water mark may be all that the new mark allows.
    this.#peer.acknowledge();
  }

  /** Of what either end writes only the newest message is kept from now on. */
  conflate(): void {
    for (const end of [this, this.#peer]) {
      end.#marks = NO_BOUNDS;
      end.#conflate = true;
      end.#keepNewest();
      end.#leavePools();
    }
    for (const end of [this, this.#peer]) end.wakeWriter();
  }

  #leavePools(): void {
    const pools = this.#pools ?? [];
    this.#pools = undefined;
    for (const pool of pools) {
      pool.forget(this);
      pool.add(-this.#peer.#inboundBytes);
    }
  }

  #keepNewest(): void {
    while (this.#inbound.length > 1) this.#count(-sizeOf(this.#inbound.shift() as Parts));
  }

  /**
   * What waits here cannot be read yet, nor for nobody knows how long: it counts in a pool apart, so that
   * it is in nobody's way who can be read from.
   */
  setApart(): void {
    this.#countIn((pool) => pool.apart);
  }

  /** Takes {@link setApart} back. */
  bringBack(): void {
    this.#countIn((pool) => pool.whole);
  }

  #countIn(other: (pool: Pool) => Pool): void {
    const writer = this.#peer;
    const before = writer.#pools;
    const after = before?.map(other);
    // Who stays where it is keeps its turn there.
    if (before === undefined || after === undefined || after[0] === before[0]) return;
    writer.#pools = after;
    for (const pool of after) pool.add(this.#inboundBytes);
    for (const pool of before) {
      pool.forget(writer);
      pool.add(-this.#inboundBytes);
    }
    writer.wakeWriter();
  }

  /** Whether the other end has ended: it takes no more messages, and sends none. */
  get ended(): boolean {
    return this.#peer.#ended;
  }

  /** Whether either end has ended: nothing can be written. */
  get over(): boolean {
    return this.#ended || this.#peer.#ended;
  }

  /** Whether more waits at the other end than our marks allow. */
  get overfull(): boolean {
    const { messages, bytes } = this.#marks;
    return (messages > 0 && this.outLength > messages) || (bytes > 0 && this.outBytes > bytes);
  }

  /**
   * Whether the other end reads at once whatever is written and flushed: a message then never
   * waits, and need not be copied. Asked of its reader each time, for much may change its mind.
   */
  get readAtOnce(): boolean {
    const peer = this.#peer;
    return peer.#awaitsRead && peer.#inbound.length === 0 && peer.#sink.readsAtOnce === true;
  }

  /** Whether each part read here shall have an ArrayBuffer to itself. Nobody's by default. */
  set exclusive(exclusive: boolean) {
    this.#exclusive = exclusive;
  }

  /** Whether a message can be written now. If not, {@link PipeSink.writeActivated} will tell. */
  checkWrite(): boolean {
    if (!this.#isFull()) return true;
    this.#awaitsRoom = true;
    if (this.#pools !== undefined) this.#awaitPools(this.#pools);
    return false;
  }

  /** Whether there is a message to read. If not, {@link PipeSink.readActivated} will tell. */
  checkRead(): boolean {
    if (this.#inbound.length > 0) return true;
    this.#awaitsRead = true;
    return false;
  }

  /** Writes a message that may share the caller's memory, and lets the other end know. */
  send(parts: Parts): void {
    if (!this.readAtOnce) own(parts);
    this.write(parts);
    this.flush();
  }

  /** Writes a message, whole. To be followed by {@link flush}; {@link checkWrite} comes first. */
  write(parts: Parts): void {
    if (this.#conflate) this.#peer.#forget();
    this.#put(parts);
  }

  #put(parts: Parts): void {
    const size = sizeOf(parts);
    const peer = this.#peer;
    peer.#inbound.push(parts);
    peer.#count(size);
    if (size > this.#largest) this.#largest = size;
    this.#written++;
    this.#writtenBytes += size;
  }

  /** Lets the other end know that something was written. */
  flush(): void {
    const peer = this.#peer;
    if (!peer.#awaitsRead || peer.#inbound.length === 0) return;
    peer.#awaitsRead = false;
    peer.#sink.readActivated(peer);
  }

  /**
   * Takes the next message; undefined when there is none: then readActivated will tell.
   *
   * It may let the other end write again, and that may lead to anything: more messages here, calls of
   * the application's that had to wait, the end of this pipe. Whoever calls looks first at what it
   * must know of the time before, and takes nothing for granted afterwards.
   */
  read(): Parts | undefined {
    const parts = this.#inbound.shift();
    if (parts === undefined) {
      this.#awaitsRead = true;
      return undefined;
    }
    const size = sizeOf(parts);
    this.#count(-size);
    this.#read++;
    this.#readBytes += size;
    if (this.#exclusive) ownBuffers(parts);
    if (this.#isLowWater()) this.acknowledge();
    return parts;
  }

  /** Puts messages back that were read and never used: they will be read again, first. */
  unread(messages: Parts[]): void {
    if (this.#peer.#conflate) {
      // Only the newest counts, and what waits is newer.
      const newest = messages.at(-1);
      if (newest !== undefined && this.#inbound.length === 0) this.#peer.write(newest);
      return;
    }
    for (let i = messages.length - 1; i >= 0; i--) {
      const parts = messages[i] as Parts;
      const size = sizeOf(parts);
      this.#inbound.unshift(parts);
      this.#count(size);
      this.#read--;
      this.#readBytes -= size;
    }
    this.#toldRead = Math.min(this.#toldRead, this.#read);
    this.#toldBytes = Math.min(this.#toldBytes, this.#readBytes);
  }

  /** Lets {@link PipeSink.readActivated} tell of the next message, though others wait. */
  listen(): void {
    this.#awaitsRead = true;
  }

  /** Puts a message behind what is to be read here, as if the peer had sent it; takes no other's place. */
  inject(parts: Parts): void {
    this.#peer.#put(parts);
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
    for (let parts = other.read(); parts !== undefined; parts = other.read()) {
      const size = sizeOf(parts);
      messages.push(parts);
      this.#count(size);
      this.#peer.#written++;
      this.#peer.#writtenBytes += size;
    }
    for (let i = messages.length - 1; i >= 0; i--) this.#inbound.unshift(messages[i] as Parts);
  }

  /**
   * Ends this end: it writes no more, and nothing more can be written to it. What is queued at
   * either end can still be read there.
   */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const end of [this, this.#peer]) for (const pool of end.#pools ?? []) pool.forget(end);
    if (!this.#peer.#ended) this.#peer.#sink.pipeEnded(this.#peer);
    (this.onEnd ?? this.#peer.onEnd)?.();
  }

  /** Ends this end, and forgets what it has not read. */
  close(): void {
    // First: what is forgotten makes room in a pool, and nobody shall write here then.
    this.end();
    this.#forget();
  }

  #forget(): void {
    this.#inbound.clear();
    this.#count(-this.#inboundBytes);
  }

  /** What can be read here has become more, or less. */
  #count(bytes: number): void {
    this.#inboundBytes += bytes;
    const pools = this.#peer.#pools;
    if (pools !== undefined) for (const pool of pools) pool.add(bytes);
  }

  // A method, as #isLowWater is: V8 asks its runtime for each read of a private getter.
  #isFull(): boolean {
    const { messages, bytes } = this.#marks;
    const peer = this.#peer;
    return (
      this.#ended ||
      peer.#ended ||
      (messages > 0 && this.#written - peer.#toldRead >= messages) ||
      (bytes > 0 && this.#writtenBytes - peer.#toldBytes >= bytes) ||
      this.#pools?.some((pool) => pool.full) === true
    );
  }

  #awaitPools(pools: Pool[]): void {
    if (this.over) return;
    for (const pool of pools) if (pool.full) pool.wait(this);
  }

  /** Whether enough has been read since the writer last heard of it. */
  #isLowWater(): boolean {
    const { messages, bytes } = this.#peer.#marks;
    return (
      (messages > 0 && this.#read - this.#toldRead >= (messages + 1) >> 1) ||
      (bytes > 0 && this.#readBytes - this.#toldBytes >= bytes / 2)
    );
  }

  /** Lets the writer know what has been read, before the low-water mark does. */
  acknowledge(): void {
    this.#toldRead = this.#read;
    this.#toldBytes = this.#readBytes;
    this.#peer.wakeWriter();
  }

  /** Not for callers: there may be room. */
  wakeWriter(): void {
    // Asked anew: it may have to wait for something else now.
    if (!this.#awaitsRoom || this.#ended || !this.checkWrite()) return;
    this.#awaitsRoom = false;
    this.dropping = false;
    this.#sink.writeActivated(this);
  }
}
