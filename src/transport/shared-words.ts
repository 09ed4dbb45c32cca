/** The word that says who holds the lock: the number of its thread and 1; 0 for nobody. */
const LOCK = 0;

const INITIAL_BYTES = 2 ** 14;
const MAX_BYTES = 2 ** 24;

/**
 * How long somebody may hold the lock, in milliseconds. It takes microseconds, unless the thread was
 * ended in the midst of it.
 */
const HELD_MAX_MS = 1000;

/**
 * Words of 32 bits that all threads share, and that one of them changes at a time. The first is the
 * lock's, the others are zero at first. Threads are numbers from 0.
 *
 * A thread may be ended at any instruction: whatever is written has to make sense at each.
 */
export class SharedWords {
  readonly thread: number;
  readonly memory: SharedArrayBuffer;
  readonly words: Int32Array;

  /** @param memory Another thread's; if absent, new. */
  constructor(thread: number, memory: SharedArrayBuffer = newMemory()) {
    this.thread = thread;
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  /** Sees that there are so many words. */
  reserve(count: number): void {
    const needed = count * 4;
    if (needed <= this.memory.byteLength) return;
    const memory = this.memory as SharedArrayBuffer & { grow(bytes: number): void };
    memory.grow(Math.min(Math.max(needed, 2 * memory.byteLength), MAX_BYTES));
  }

  /** Does something while nobody else does. */
  locked<T>(task: () => T): T {
    const { words } = this;
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
      // Unless somebody has given us up, and has it now.
      if (Atomics.compareExchange(words, LOCK, me, 0) === me) Atomics.notify(words, LOCK, 1);
    }
  }
}

function newMemory(): SharedArrayBuffer {
  const growable = { maxByteLength: MAX_BYTES };
  const Memory = SharedArrayBuffer as new (bytes: number, options: object) => SharedArrayBuffer;
  return new Memory(INITIAL_BYTES, growable);
}
