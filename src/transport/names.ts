import { Buffer } from "node:buffer";

/** Words of 32 bits at the beginning: who holds the lock, and how many words are used. */
const [LOCK, USED, HEADER] = [0, 1, 2];
/** Words of an entry: its size in words, the thread that has it, the length of the name; then the name. */
const [SIZE, OWNER, LENGTH, NAME] = [0, 1, 2, 3];
const NOBODY = 0;

const INITIAL_BYTES = 2 ** 14;
const MAX_BYTES = 2 ** 24;

/**
 * How long somebody may hold the lock, in milliseconds. It takes microseconds, unless the thread was
 * ended in the midst of it.
 */
const HELD_MAX_MS = 1000;

/**
 * Which thread has taken which name: a table in memory that all threads share, so that each knows at
 * once what another has done. Threads are numbers from 0.
 *
 * A thread may be ended at any instruction, so an entry counts once its owner is written, last of all;
 * and entries are used anew, not moved.
 */
export class SharedNames {
  readonly memory: SharedArrayBuffer;
  readonly thread: number;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  /** @param memory Another thread's; if absent, new. */
  constructor(thread: number, memory: SharedArrayBuffer = newMemory()) {
    this.memory = memory;
    this.thread = thread;
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
  }

  /** Takes a name for this thread. Whether it was free. */
  claim(name: string): boolean {
    return this.#locked(() => {
      const octets = Buffer.from(name);
      if (this.#find(octets) >= 0) return false;
      this.#write(octets);
      return true;
    });
  }

  /** Gives a name of this thread's up. */
  release(name: string): void {
    this.#locked(() => {
      const at = this.#find(Buffer.from(name));
      if (at >= 0 && this.#owner(at) === this.thread) this.#words[at + OWNER] = NOBODY;
    });
  }

  /** The thread that has a name. */
  find(name: string): number | undefined {
    return this.#locked(() => {
      const at = this.#find(Buffer.from(name));
      return at < 0 ? undefined : this.#owner(at);
    });
  }

  /** A thread has ended: its names are free. */
  purge(thread: number): void {
    this.#locked(() => {
      for (const at of this.#entries()) {
        if (this.#owner(at) === thread) this.#words[at + OWNER] = NOBODY;
      }
    });
  }

  *#entries(): Generator<number> {
    const used = this.#words[USED] as number;
    for (let at = HEADER; at < used; at += this.#words[at + SIZE] as number) yield at;
  }

  #owner(at: number): number {
    return (this.#words[at + OWNER] as number) - 1;
  }

  #find(octets: Buffer): number {
    for (const at of this.#entries()) {
      if (this.#words[at + OWNER] === NOBODY || this.#words[at + LENGTH] !== octets.length)
        continue;
      const start = (at + NAME) * 4;
      if (octets.equals(this.#bytes.subarray(start, start + octets.length))) return at;
    }
    return -1;
  }

  #write(octets: Buffer): void {
    const size = NAME + Math.ceil(octets.length / 4);
    const at = this.#unused(size) ?? this.#append(size);
    const words = this.#words;
    words[at + LENGTH] = octets.length;
    this.#bytes.set(octets, (at + NAME) * 4);
    words[at + OWNER] = this.thread + 1;
  }

  /** An entry that nobody has, and that is large enough. */
  #unused(size: number): number | undefined {
    for (const at of this.#entries()) {
      if (this.#words[at + OWNER] === NOBODY && (this.#words[at + SIZE] as number) >= size)
        return at;
    }
    return undefined;
  }

  #append(size: number): number {
    const words = this.#words;
    const at = words[USED] as number;
    const needed = (at + size) * 4;
    if (needed > this.memory.byteLength) {
      const memory = this.memory as SharedArrayBuffer & { grow(bytes: number): void };
      memory.grow(Math.min(Math.max(needed, 2 * memory.byteLength), MAX_BYTES));
    }
    words[at + OWNER] = NOBODY;
    words[at + SIZE] = size;
    words[USED] = at + size;
    return at;
  }

  #locked<T>(task: () => T): T {
    const words = this.#words;
    const me = this.thread + 1;
    for (;;) {
      const holder = Atomics.compareExchange(words, LOCK, 0, me);
      if (holder === 0) break;
      const outcome = Atomics.wait(words, LOCK, holder, HELD_MAX_MS);
      if (outcome === "timed-out" && Atomics.compareExchange(words, LOCK, holder, me) === holder) {
        break;
      }
    }
    try {
      return task();
    } finally {
      Atomics.store(words, LOCK, 0);
      Atomics.notify(words, LOCK, 1);
    }
  }
}

function newMemory(): SharedArrayBuffer {
  const growable = { maxByteLength: MAX_BYTES };
  const Memory = SharedArrayBuffer as new (bytes: number, options: object) => SharedArrayBuffer;
  const memory = new Memory(INITIAL_BYTES, growable);
  new Int32Array(memory)[USED] = HEADER;
  return memory;
}
