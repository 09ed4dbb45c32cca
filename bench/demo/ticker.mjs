/**
 * A ticker that can be asked at any moment how it fares. Its ticks are due at fixed times, not "so
 * long after the last one": lateness does not hide in drift, a slot that the event loop slept through
 * is lost, and a tick that is overdue right now counts as late as it is by now, because a starved
 * ticker never says so itself.
 */
export class Ticker {
  #periodMs;
  #onTick;
  #start = performance.now();
  #due;
  #ticks = 0;
  #lateSinceAsked = 0;
  #worstLate = 0;

  constructor(periodMs, onTick) {
    this.#periodMs = periodMs;
    this.#onTick = onTick;
    this.#due = this.#start + periodMs;
    this.#arm();
  }

  /** Ticks that arrived and ticks that were due, the worst lateness since the last call and in all. */
  read() {
    const now = performance.now();
    this.#note(now - this.#due);
    const lateMs = this.#lateSinceAsked;
    this.#lateSinceAsked = 0;
    const dueTicks = Math.floor((now - this.#start) / this.#periodMs);
    return { ticks: this.#ticks, dueTicks, lateMs, worstLateMs: this.#worstLate };
  }

  #arm() {
    setTimeout(() => this.#tick(), Math.max(1, Math.ceil(this.#due - performance.now())));
  }

  #tick() {
    const late = performance.now() - this.#due;
    if (late >= 0) {
      this.#note(late);
      this.#ticks += 1;
      this.#due += this.#periodMs * (1 + Math.floor(late / this.#periodMs));
    }
    this.#arm();
    this.#onTick();
  }

  #note(lateMs) {
    this.#lateSinceAsked = Math.max(this.#lateSinceAsked, lateMs);
    this.#worstLate = Math.max(this.#worstLate, lateMs);
  }
}
