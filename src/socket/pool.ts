/** Someone who wants to put more in. */
interface Waiter {
  /** There may be room again. */
  wakeWriter(): void;
}

/**
 * The bytes that all pipes of a socket hold together, in one direction, and how many they may hold.
 * Once full it has room again when half of that is gone: so a run of messages goes in, not one.
 */
export class Pool {
  /** Bytes at the most, though the last message may pass that. */
  readonly limit: number;
  #bytes = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#bytes >= this.limit;
  }

  /** Counts bytes that came, or, if negative, that went. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#waiting.size === 0 || this.#bytes > this.limit / 2) return;
    // One after the other: who finds the room gone again keeps its turn.
    for (const waiter of this.#waiting) {
      if (this.full) return;
      this.#waiting.delete(waiter);
      waiter.wakeWriter();
    }
  }

  /** Lets a waiter know when there is room. */
  wait(waiter: Waiter): void {
    this.#waiting.add(waiter);
  }

  forget(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }
}
