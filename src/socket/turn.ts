import { shared } from "../shared.js";
import { Queue } from "./queue.js";

/** What loops over sockets may take of one turn of the event loop, all together. */
const BUDGET_MS = 4;

/** How long the operations between two looks at the clock shall take. */
const STEP_MS = BUDGET_MS / 4;

/** A socket has no more operations than this in one turn, even if they are fast. npm zeromq's number. */
const SHARE_MAX = 512;

/** How many operations may go by without a look at the clock. */
const STEP_MAX = 512;

/** A turn ends after this many operations of all sockets, even if they were fast. */
const OPERATIONS_MAX = 4096;

/** In how many groups those go on that waited: so many whole shares fill a turn. */
const GROUPS = OPERATIONS_MAX / SHARE_MAX;

/**
 * The thread's share of time for operations that never have to wait.
 *
 * A promise that is already resolved lets its awaiter go on before any timer or I/O: a loop over
 * a socket that is always ready would starve them. So operations are counted, and once they have
 * had their share of this turn, the next ones settle in the next: after timers and I/O. Those that
 * waited count too, and no more of them go on at once than go between two looks at the clock.
 *
 * The clock is dear (some 80 ns), so it is read every few operations: the slower they are, the
 * more often.
 */
export class Turn {
  readonly #now: () => number;
  readonly #schedule: (callback: () => void) => void;
  #number = 0;
  #operations = 0;
  /** Up to which of them the clock has been looked at, and when to look again. */
  #checked = 0;
  #nextCheck = 2;
  /** What one takes, in milliseconds, by the last looks; nothing is known yet. */
  #cost = BUDGET_MS;
  /** How many that makes until the next look. */
  #step = 1;
  #startedAt: number;
  #checkedAt: number;
  #over = false;
  #scheduled = false;
  /** More wait than may go on in this turn. */
  #crowded = false;
  readonly #deferred = new Queue<() => void>();
  /** Who waits since this turn; they come behind all that is only to be told. */
  #trying: (() => void)[] = [];
  /** How many of those deferred are still to go on in this turn. */
  #resuming = 0;
  #postponed: (() => void)[] = [];
  /** Calls that came when the budget was spent. */
  #late = 0;

  /** @param schedule Calls back in the next turn, after timers and I/O. */
  constructor(now: () => number, schedule: (callback: () => void) => void) {
    this.#now = now;
    this.#schedule = schedule;
    this.#startedAt = now();
    this.#checkedAt = this.#startedAt;
  }

  /** Changes with each turn. */
  get number(): number {
    return this.#number;
  }

  /** Counts an operation. Whether it must settle in the next turn: see {@link defer}. */
  spend(): boolean {
    if (this.#over) return true;
    return ++this.#operations >= this.#nextCheck && this.#check();
  }

  /** The operation that is under way may be a long one: the next looks at the clock. */
  look(): void {
    this.#nextCheck = 0;
  }

  /**
   * Calls back in a later turn: the next, unless too many wait already. Before that, the promises of all
   * operations of this turn have settled ({@link later}): who has sent knows it before who receives goes on.
   */
  defer(callback: () => void): void {
    this.#trying.push(callback);
    this.#wake();
  }

  /**
   * Calls back now, or, if this turn's budget is spent, in a turn that has some left. Whatever that
   * leads to comes before the next such call: what one socket has read is received while it is still
   * in the processor's cache, and not after all others have read, too.
   */
  admit(callback: () => void): void {
    // One goes through in any case: others may spend every turn, and where one alone comes there is
    // nobody to wait for.
    if (!this.#over || this.#late++ === 0) callback();
    else this.#postponed.push(callback);
  }

  /** A promise that settles in a later turn, of an operation that is done. */
  later<T>(
    settle: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    this.#wake();
    return new Promise((resolve, reject) => {
      this.#deferred.push(() => settle(resolve, reject));
    });
  }

  #check(): boolean {
    const now = this.#now();
    this.#learn(now);
    if (this.#operations >= OPERATIONS_MAX || now - this.#startedAt >= BUDGET_MS) {
      this.#end();
      return true;
    }
    this.#nextCheck = Math.min(this.#operations + this.#step, OPERATIONS_MAX);
    return false;
  }

  /**
   * Learns what an operation takes: at once when it is more than was thought, bit by bit when it
   * is less, for operations may go by one after the other before their callers get to work.
   */
  #learn(now: number): void {
    const elapsed = now - this.#checkedAt;
    const cost = Math.min(elapsed / (this.#operations - this.#checked), BUDGET_MS);
    this.#cost = cost > this.#cost ? cost : (cost + this.#cost) / 2;
    this.#step = Math.max(1, Math.min(Math.trunc(STEP_MS / this.#cost), STEP_MAX));
    this.#checked = this.#operations;
    this.#checkedAt = now;
  }

  #end(): void {
    this.#over = true;
    this.#wake();
  }

  /**
   * Asks for the next turn. Those who wait go on in groups, each called by the event loop: what one
   * leads to is done before the next begins. Else loops over many sockets would go on in turns, a
   * message each, and none would find its messages in the processor's cache.
   */
  #wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(() => this.#begin());
    for (let left = GROUPS; left > 0; left--) this.#schedule(() => this.#resume(left));
  }

  #begin(): void {
    const now = this.#now();
    // Those who went on last time may do nothing more that looks at the clock.
    if (this.#crowded && this.#checked === 0) this.#learn(now);
    this.#number++;
    this.#scheduled = false;
    this.#over = false;
    this.#late = 0;
    this.#startedAt = now;
    this.#checkedAt = now;
    this.#nextCheck = this.#step + 1;
    this.#operations = 0;
    this.#checked = 0;
    for (const callback of this.#trying) this.#deferred.push(callback);
    this.#trying = [];
    this.#resuming = Math.min(this.#step, this.#deferred.length);
    this.#crowded = this.#deferred.length > this.#resuming;
    const postponed = this.#postponed;
    this.#postponed = [];
    for (const callback of postponed) this.#schedule(() => this.admit(callback));
  }

  /** Lets the next group go on, of as many as there are left, this one included. */
  #resume(left: number): void {
    const count = Math.ceil(this.#resuming / left);
    this.#resuming -= count;
    for (let i = 0; i < count && !this.spend(); i++) (this.#deferred.shift() as () => void)();
    if (left === 1 && this.#deferred.length > 0) this.#wake();
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

/**
 * One socket's share of a turn: a loop over a socket that is always ready must not have all of it.
 * While it lasts its messages are handled one after the other, and are still in the cache.
 */
export class Share {
  readonly #turn: Turn;
  #number = -1;
  #operations = 0;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Counts an operation. Whether it must settle in the next turn. */
  spend(): boolean {
    const { number } = this.#turn;
    if (number !== this.#number) {
      this.#number = number;
      this.#operations = 0;
    }
    return this.#turn.spend() || ++this.#operations >= SHARE_MAX;
  }
}
