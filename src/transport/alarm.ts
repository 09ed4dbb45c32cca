/** The longest delay that a timer takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** A timer that may be set again and again: the earliest time counts. It keeps no process alive. */
export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #at = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /**
   * Rings at that time, unless it does so earlier already.
   * @param at As `performance.now()` has it; Infinity: never. For a time too far away it rings too early,
   *   and is to be set anew.
   */
  set(at: number): void {
    if (at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    const delay = Math.min(Math.max(at - performance.now(), 0), TIMER_MAX_MS);
    this.#timer = setTimeout(() => this.#rings(), delay);
    this.#timer.unref();
  }

  /** Does not ring any more. */
  cancel(): void {
    clearTimeout(this.#timer);
    this.#at = Number.POSITIVE_INFINITY;
  }

  #rings(): void {
    this.#at = Number.POSITIVE_INFINITY;
    this.#ring();
  }
}
