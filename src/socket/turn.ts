import { shared } from "../shared.js";

/** What loops over sockets may take of one turn of the event loop, all together. */
const BUDGET_MS = 4;

/** A turn ends after this many operations even if they were fast. npm zeromq's number. */
const OPERATIONS_MAX = 512;

/**
 * The thread's share of time for operations that never have to wait.
 *
 * A promise that is already resolved lets its awaiter go on before any timer or I/O: a loop over
 * a socket that is always ready would starve them. So operations are counted, and once they have
 * had their share of this turn, the next ones settle in the next: after timers and I/O.
 *
 * The clock is dear (some 80 ns), so it is read every few operations: the slower they are, the
 * more often.
 */
export class Turn {
  readonly #now: () => number;
  readonly #schedule: (callback: () => void) => void;
  #operations = 0;
  #step = 1;
  #nextCheck = 1;
  #startedAt: number;
  #checkedAt: number;
  #over = false;
  #deferred: (() => void)[] = [];

  /** @param schedule Calls back in the next turn, after timers and I/O. */
  constructor(now: () => number, schedule: (callback: () => void) => void) {
    this.#now = now;
    this.#schedule = schedule;
    this.#startedAt = now();
    this.#checkedAt = this.#startedAt;
  }

  /** Counts an operation. Whether it must settle in the next turn: see {@link defer}. */
  spend(): boolean {
    if (this.#over) return true;
    return ++this.#operations >= this.#nextCheck && this.#check();
  }

  /** Calls back in the next turn. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
    this.#end();
  }

  /** A promise that settles in the next turn. */
  later<T>(
    settle: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.defer(() => settle(resolve, reject));
    });
  }

  #check(): boolean {
    const now = this.#now();
    const elapsed = now - this.#checkedAt;
    this.#checkedAt = now;
    if (elapsed < BUDGET_MS / 8) this.#step = Math.min(2 * this.#step, OPERATIONS_MAX);
    else if (elapsed > BUDGET_MS / 4) this.#step = Math.max(this.#step >> 2, 1);
    if (this.#operations >= OPERATIONS_MAX || now - this.#startedAt >= BUDGET_MS) {
      this.#end();
      return true;
    }
    this.#nextCheck = Math.min(this.#operations + this.#step, OPERATIONS_MAX);
    return false;
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#schedule(() => this.#begin());
  }

  #begin(): void {
    this.#over = false;
    this.#operations = 0;
    this.#nextCheck = this.#step;
    this.#startedAt = this.#now();
    this.#checkedAt = this.#startedAt;
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const callback of deferred) callback();
  }
}

/** The one of this thread. */
export const turn: Turn = shared(
  "turn",
  () =>
    new Turn(
      () => performance.now(),
      (callback) => setImmediate(callback),
    ),
);
