import { shared } from "../shared.js";
import { requests } from "../transport/requests.js";

/** What queues that leave may take of one turn of the event loop, all together. */
const BUDGET_MS = 4;

/** How often to go on when the process is about to end: that must not keep it alive. */
const SUSPENDED_MS = 100;

/**
 * The thread's share of time for queues that leave by themselves: no call is made that `Turn` could
 * count, and a system that takes whatever it is given would hold timers up until they are empty.
 */
export class Pace {
  readonly #now: () => number;
  readonly #schedule: (callback: () => void) => void;
  /** What they have had of this turn. */
  #spentMs = 0;
  /** Since when there is one at it; undefined: nobody knows. */
  #since: number | undefined;
  #waiting: (() => void)[] = [];
  #scheduled = false;

  /** @param schedule Calls back in the next turn, after timers and I/O. */
  constructor(now: () => number, schedule: (callback: () => void) => void) {
    this.#now = now;
    this.#schedule = schedule;
  }

  /** A queue begins to leave, and its time counts; else that begins with its first batch. */
  start(): void {
    this.#since = this.#now();
  }

  /** It leaves no more. */
  stop(): void {
    this.#since = undefined;
  }

  /**
   * A queue has had a batch written: whether it may go on now. If not, calls back in the next turn, or
   * in one that has some time left.
   */
  goesOn(callback: () => void): boolean {
    const now = this.#now();
    this.#spentMs += now - (this.#since ?? now);
    this.#since = now;
    this.#wake();
    if (this.#spentMs < BUDGET_MS) return true;
    this.#waiting.push(callback);
    return false;
  }

  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#begin());
  }

  #begin(): void {
    this.#scheduled = false;
    this.#spentMs = 0;
    const waiting = this.#waiting;
    this.#waiting = [];
    let next = 0;
    try {
      while (next < waiting.length && this.#spentMs < BUDGET_MS) {
        this.start();
        (waiting[next++] as () => void)();
      }
    } finally {
      this.stop();
      // They come before those that have just had their turn.
      this.#waiting.unshift(...waiting.slice(next));
      if (this.#waiting.length > 0) this.#wake();
    }
  }
}

/** The one of this thread. */
export const pace: Pace = shared(
  "pace",
  () =>
    new Pace(
      () => performance.now(),
      (callback) => {
        if (requests.suspended) setTimeout(callback, SUSPENDED_MS).unref();
        else requests.turn(callback);
      },
    ),
);
