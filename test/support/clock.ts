/** A clock that stands still until it is told what time it is, in milliseconds. */
export class VirtualClock {
  #now: number;

  constructor(now = 1_000_000) {
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  advance(ms: number): number {
    return this.to(this.#now + ms);
  }

  /** Goes to a time that is not in the past. */
  to(time: number): number {
    if (time < this.#now) throw new Error(`the clock cannot go back to ${time}`);
    this.#now = time;
    return time;
  }
}
