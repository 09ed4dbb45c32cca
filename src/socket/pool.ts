import { Loop } from "./loop.js";

/** Someone who wants to put more in. */
export interface Waiter {
  /** There may be room again. */
  wakeWriter(): void;
}

/** The bytes that all pipes of a socket hold together, in one direction, and how many they may hold. */
export class Pool {
  /** Bytes at the most, though the last message may pass that. */
  readonly limit: number;
  readonly #direction: "send" | "receive";
  #bytes = 0;
  readonly #waiting = new Set<Waiter>();
  /** Who is woken may make room for the next. */
  readonly #loop = new Loop(() => this.#wake());
  /** The pool that this is a part apart of, or itself. */
  readonly whole: Pool;
  #apart: Pool | undefined;

  /** @param direction What it bounds: what a socket has to receive, or what it has sent. */
  constructor(limit: number, direction: "send" | "receive" = "receive", whole?: Pool) {
    this.limit = limit;
    this.#direction = direction;
    this.whole = whole ?? this;
  }

  /**
   * A pool as large, for what must not take the room of the rest. Of what a socket has sent nothing is
   * apart: to the sender one who is not read from is as good as one who does not read.
   */
  get apart(): Pool {
    if (this.whole !== this || this.#direction === "send") return this;
    this.#apart ??= new Pool(this.limit, this.#direction, this);
    return this.#apart;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#bytes >= this.limit;
  }

  /** Whether it holds more than it may. */
  get overfull(): boolean {
    return this.#bytes > this.limit;
  }

  /** Counts bytes that came, or, if negative, that went. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#waiting.size > 0) this.#loop.run();
  }

  /**
   * One after the other: who finds the room gone again keeps its turn. There is no low-water mark as a
   * pipe has it, for what keeps the pool above it may be a peer that never reads.
   */
  #wake(): void {
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
