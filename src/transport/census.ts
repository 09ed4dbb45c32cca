import { SharedWords } from "./shared-words.js";

/** Words at the beginning: the lock, and how many entries are used. */
const [USED, HEADER] = [1, 2];
/** Words of an entry: the thread and 1, or 0 for nobody; the thread that has started it, and 1; its sockets. */
const [THREAD, PARENT, SOCKETS, SIZE] = [0, 1, 2, 3];
const NOBODY = 0;

/**
 * Which threads there are, who has started them, and how many sockets each has open: in memory that all
 * threads share. A thread that is ended takes those along that it has started, and all their sockets.
 */
export class Census {
  readonly memory: SharedArrayBuffer;
  readonly #shared: SharedWords;
  readonly #words: Int32Array;
  readonly #at: number;

  /**
   * Enters this thread.
   * @param parent The thread that has started it, or, if that did not load the library, the one above it that did;
   *   undefined for the first.
   * @param memory Another thread's; if absent, new.
   */
  constructor(thread: number, parent?: number, memory?: SharedArrayBuffer) {
    this.#shared = new SharedWords(thread, memory);
    this.memory = this.#shared.memory;
    this.#words = this.#shared.words;
    this.#at = this.#shared.locked(() => this.#enter(thread, parent));
  }

  /** The sockets of all threads. */
  get sockets(): number {
    let total = 0;
    for (const at of this.#entries()) total += this.#words[at + SOCKETS] as number;
    return total;
  }

  /** Counts one more socket of this thread, unless all have `most` already. Whether there was room. */
  add(most: number): boolean {
    return this.#shared.locked(() => {
      if (this.sockets >= most) return false;
      Atomics.add(this.#words, this.#at + SOCKETS, 1);
      return true;
    });
  }

  /** A socket of this thread is closed. */
  remove(): void {
    Atomics.sub(this.#words, this.#at + SOCKETS, 1);
  }

  /** A thread has ended. @returns It, and those that ended with it. */
  bury(thread: number): number[] {
    const words = this.#words;
    return this.#shared.locked(() => {
      const gone = [thread];
      for (const one of gone) {
        for (const at of this.#entries()) {
          if (words[at + PARENT] === one + 1) gone.push((words[at + THREAD] as number) - 1);
          if (words[at + THREAD] === one + 1) words[at + THREAD] = NOBODY;
        }
      }
      return gone;
    });
  }

  /** The entries of the threads that there are. */
  *#entries(): Generator<number> {
    for (const at of this.#places()) if (this.#words[at + THREAD] !== NOBODY) yield at;
  }

  *#places(): Generator<number> {
    const end = HEADER + (this.#words[USED] as number) * SIZE;
    for (let at = HEADER; at < end; at += SIZE) yield at;
  }

  #enter(thread: number, parent: number | undefined): number {
    const words = this.#words;
    const at = this.#unused() ?? this.#append();
    words[at + PARENT] = parent === undefined ? NOBODY : parent + 1;
    words[at + SOCKETS] = 0;
    // Last: a thread that is ended before has not been there.
    words[at + THREAD] = thread + 1;
    return at;
  }

  #unused(): number | undefined {
    for (const at of this.#places()) if (this.#words[at + THREAD] === NOBODY) return at;
    return undefined;
  }

  #append(): number {
    const count = this.#words[USED] as number;
    const at = HEADER + count * SIZE;
    this.#shared.reserve(at + SIZE);
    this.#words[at + THREAD] = NOBODY;
    this.#words[USED] = count + 1;
    return at;
  }
}
