const MIN_MS = 1000;
const MAX_MS = 10_000;

/** Addresses that are remembered at the most. */
const ADDRESSES_MAX = 1024;

/**
 * How long a surplus peer is kept waiting before it is turned away.
 *
 * It comes back five to ten times a second for ever: libzmq's back-off starts over at every TCP
 * connect. So each time the same address is turned away, the next wait is longer, and it costs
 * little.
 */
export class SurplusDelays {
  readonly #delays = new Map<string, number>();

  /** How long to keep the peer from `address` waiting this time, in milliseconds. */
  next(address: string): number {
    const delay = this.#delays.get(address) ?? MIN_MS;
    this.#delays.delete(address);
    this.#delays.set(address, Math.min(2 * delay, MAX_MS));
    if (this.#delays.size > ADDRESSES_MAX) {
      for (const oldest of this.#delays.keys()) {
        this.#delays.delete(oldest);
        break;
      }
    }
    return delay;
  }

  /** The address got a place: its next wait is a short one. */
  forget(address: string): void {
    this.#delays.delete(address);
  }
}
