import { type Parts, sizeOf } from "../message.js";
import type { Pool, Waiter } from "./pool.js";
import { Queue } from "./queue.js";

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
 * One direction of a pipe: messages that wait, and an account of them. Neither end is called from here:
 * a lane only says whether an end that found nothing, or no room, is to be told now.
 *
 * It is full once `written - acknowledged` reaches its mark: that is what waits, and what was read and the
 * writer does not know of. The reader acknowledges not each message but every (HWM + 1) / 2 of them
 * (libzmq's low-water mark): a writer that had to wait then gets on with a run of messages, not with one.
 */
export class Lane {
  readonly #queue = new Queue<Parts>();
  #bytes = 0;

  /** What was read and not acknowledged. */
  #untold = 0;
  #untoldBytes = 0;

  #awaitsRead = true;
  #awaitsRoom = false;

  #marks: Bounds;
  #conflate: boolean;
  /** What counts the bytes, too. */
  #pools: Pool[] | undefined;
  #largest = 0;

  constructor(marks: Marks) {
    this.#marks = marks;
    this.#conflate = marks.conflate === true;
    this.#pools = marks.pool && [marks.pool];
  }

  /** Messages that wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** Their bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes of the largest message that was ever written. */
  get largest(): number {
    return this.#largest;
  }

  get marks(): Bounds {
    return this.#marks;
  }

  /** Whether the bytes count in a pool, too. */
  get pooled(): boolean {
    return this.#pools !== undefined;
  }

  /** Whether the reader has found nothing, and nothing has come since. */
  get idle(): boolean {
    return this.#awaitsRead && this.#queue.length === 0;
  }

  /** Whether more waits than the marks allow, or in all who share a pool. */
  get overfull(): boolean {
    const { messages, bytes } = this.#marks;
    return (
      (messages > 0 && this.length > messages) ||
      (bytes > 0 && this.#bytes > bytes) ||
      this.#pools?.some((pool) => pool.overfull) === true
    );
  }

  /** Whether there is room. If not, `writer` waits: see {@link roomCame}; a pool will wake it. */
  checkWrite(writer: Waiter): boolean {
    const { messages, bytes } = this.#marks;
    const full =
      (messages > 0 && this.#queue.length + this.#untold >= messages) ||
      (bytes > 0 && this.#bytes + this.#untoldBytes >= bytes) ||
      this.#pools?.some((pool) => pool.full) === true;
    if (!full) return true;
    this.#awaitsRoom = true;
    if (this.#pools !== undefined) for (const pool of this.#pools) if (pool.full) pool.wait(writer);
    return false;
  }

  /** Whether there is room again for a writer that had found none, and has not been told. */
  roomCame(writer: Waiter): boolean {
    // Asked anew: it may have to wait for something else now.
    if (!this.#awaitsRoom || !this.checkWrite(writer)) return false;
    this.#awaitsRoom = false;
    return true;
  }

  /** Whether there is a message. If not, the reader waits: see {@link messageCame}. */
  checkRead(): boolean {
    if (this.#queue.length > 0) return true;
    this.#awaitsRead = true;
    return false;
  }

  /** Whether there is a message for a reader that had found none, and has not been told. */
  messageCame(): boolean {
    if (!this.#awaitsRead || this.#queue.length === 0) return false;
    this.#awaitsRead = false;
    return true;
  }

  /** The reader waits for the next message, though others are there. */
  listen(): void {
    this.#awaitsRead = true;
  }

  /** Whether enough has been read since the writer last heard of it. */
  isLowWater(): boolean {
    const { messages, bytes } = this.#marks;
    return (
      (messages > 0 && this.#untold >= (messages + 1) >> 1) ||
      (bytes > 0 && this.#untoldBytes >= bytes / 2)
    );
  }

  /** The writer knows of all that has been read. */
  acknowledge(): void {
    this.#untold = 0;
    this.#untoldBytes = 0;
  }

  /** Writes a message, whether there is room or not. */
  write(parts: Parts): void {
    if (this.#conflate) this.clear();
    this.put(parts);
  }

  /** A message went from writer to reader, and did not wait here. */
  passed(parts: Parts): void {
    const size = sizeOf(parts);
    if (size > this.#largest) this.#largest = size;
  }

  /** Puts a message behind the others; it takes none's place. */
  put(parts: Parts): void {
    const size = sizeOf(parts);
    this.#queue.push(parts);
    if (size > this.#largest) this.#largest = size;
    this.#count(size);
  }

  /** Takes the next message; if there is none, the reader waits. Room in a pool may lead to anything. */
  read(): Parts | undefined {
    const parts = this.#queue.shift();
    if (parts === undefined) {
      this.#awaitsRead = true;
      return undefined;
    }
    const size = sizeOf(parts);
    this.#untold++;
    this.#untoldBytes += size;
    this.#count(-size);
    return parts;
  }

  /** Puts messages back that were read and never used: they will be read again, first. */
  unread(messages: Parts[]): void {
    if (this.#conflate) {
      // Only the newest counts, and what waits is newer.
      const newest = messages.at(-1);
      if (newest !== undefined && this.length === 0) this.put(newest);
      return;
    }
    for (let i = messages.length - 1; i >= 0; i--) {
      const parts = messages[i] as Parts;
      const size = sizeOf(parts);
      this.#queue.unshift(parts);
      this.#untold--;
      this.#untoldBytes -= size;
      this.#count(size);
    }
    // The writer may know of them already.
    this.#untold = Math.max(this.#untold, 0);
    this.#untoldBytes = Math.max(this.#untoldBytes, 0);
  }

  /** Takes over messages that waited elsewhere, in front of the others. */
  adopt(messages: Parts[]): void {
    for (let i = messages.length - 1; i >= 0; i--) {
      const parts = messages[i] as Parts;
      this.#queue.unshift(parts);
      this.#count(sizeOf(parts));
    }
  }

  /** Forgets all that waits. */
  clear(): void {
    this.#queue.clear();
    this.#count(-this.#bytes);
  }

  /** Changes the bounds, unless there are none for good: see {@link conflate}. */
  bound(marks: Bounds): void {
    if (this.#conflate) return;
    this.#marks = marks;
    // What was read below the old low-water mark may be all that the new mark allows.
    this.acknowledge();
  }

  /** Keeps only the newest message from now on. @param writer Who may wait for room. */
  conflate(writer: Waiter): void {
    this.#marks = NO_BOUNDS;
    this.#conflate = true;
    const pools = this.#pools ?? [];
    const bytes = this.#bytes;
    this.#pools = undefined;
    for (const pool of pools) {
      pool.forget(writer);
      pool.add(-bytes);
    }
    while (this.length > 1) this.#count(-sizeOf(this.#queue.shift() as Parts));
  }

  /** Counts in one more pool. */
  join(pool: Pool | undefined): void {
    if (pool === undefined || this.#conflate) return;
    this.#pools = [...(this.#pools ?? []), pool];
    pool.add(this.#bytes);
  }

  /**
   * Counts in others from now on, one for each pool.
   * @param writer Who may wait for room, and has to ask anew.
   */
  moveTo(other: (pool: Pool) => Pool, writer: Waiter): void {
    const before = this.#pools ?? [];
    // Now: who is woken when bytes have left one pool may read here, before they have left the next.
    const bytes = this.#bytes;
    this.#pools = this.#pools?.map(other);
    for (const pool of before) {
      const after = other(pool);
      // Who stays where it is keeps its turn there.
      if (after === pool) continue;
      after.add(bytes);
      pool.forget(writer);
      pool.add(-bytes);
    }
  }

  /** No pool tells of room any more. */
  forget(writer: Waiter): void {
    for (const pool of this.#pools ?? []) pool.forget(writer);
  }

  /** What waits has become more, or less. */
  #count(bytes: number): void {
    this.#bytes += bytes;
    const pools = this.#pools;
    if (pools !== undefined) for (const pool of pools) pool.add(bytes);
  }
}
