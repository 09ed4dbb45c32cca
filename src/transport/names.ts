import { Buffer } from "node:buffer";
import { SharedWords } from "./shared-words.js";

/** Words at the beginning: the lock, and up to which all are used; 0 as long as none is. */
const [USED, HEADER] = [1, 2];
/** Words of an entry: its size in words, the thread that has it, the length of the name; then the name. */
const [SIZE, OWNER, LENGTH, NAME] = [0, 1, 2, 3];
const NOBODY = 0;

/**
 * Which thread has taken which name: a table in memory that all threads share, so that each knows at
 * once what another has done.
 *
 * A thread may be ended at any instruction, so an entry counts once its owner is written, last of all;
 * and entries are used anew, not moved.
 */
export class SharedNames {
  readonly thread: number;
  readonly memory: SharedArrayBuffer;
  readonly #shared: SharedWords;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  /** @param memory Another thread's; if absent, new. */
  constructor(thread: number, memory?: SharedArrayBuffer) {
    this.#shared = new SharedWords(thread, memory);
    this.thread = thread;
    this.memory = this.#shared.memory;
    this.#words = this.#shared.words;
    this.#bytes = new Uint8Array(this.memory);
  }

  /** Takes a name for this thread. Whether it was free. */
  claim(name: string): boolean {
    return this.#shared.locked(() => {
      const octets = Buffer.from(name);
      if (this.#find(octets) >= 0) return false;
      this.#write(octets);
      return true;
    });
  }

  /** Gives a name of this thread's up. */
  release(name: string): void {
    this.#shared.locked(() => {
      const at = this.#find(Buffer.from(name));
      if (at >= 0 && this.#owner(at) === this.thread) this.#words[at + OWNER] = NOBODY;
    });
  }

  /** The thread that has a name. */
  find(name: string): number | undefined {
    return this.#shared.locked(() => {
      const at = this.#find(Buffer.from(name));
      return at < 0 ? undefined : this.#owner(at);
    });
  }

  /** A thread has ended: its names are free. */
  purge(thread: number): void {
    this.#shared.locked(() => {
      for (const at of this.#entries()) {
        if (this.#owner(at) === thread) this.#words[at + OWNER] = NOBODY;
      }
    });
  }

  *#entries(): Generator<number> {
    const used = this.#used;
    for (let at = HEADER; at < used; at += this.#words[at + SIZE] as number) yield at;
  }

  get #used(): number {
    return Math.max(this.#words[USED] as number, HEADER);
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
    const at = this.#used;
    this.#shared.reserve(at + size);
    words[at + OWNER] = NOBODY;
    words[at + SIZE] = size;
    words[USED] = at + size;
    return at;
  }
}
