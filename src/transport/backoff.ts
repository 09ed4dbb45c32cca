/** How long to wait between attempts to connect. */
export interface BackoffOptions {
  /** The first delay, in milliseconds; 0 or less: do not try again. `ZMQ_RECONNECT_IVL`. */
  intervalMs: number;
  /** The delay doubles up to here; 0: it stays as it is. `ZMQ_RECONNECT_IVL_MAX`. */
  maxMs: number;
}

/**
 * Delays between attempts, with jitter, so that the peers of a server that comes back do not all
 * come at once: one to two intervals, as libzmq does, but never more than the bound.
 *
 * After a protocol failure the interval doubles whatever the options say: a peer that is wrong
 * once will mostly be wrong again, and RFC 37 asks for increasing delays.
 */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #attempt = 0;
  #failures = 0;

  /** @param random A number from 0 to 1, 1 excluded. */
  constructor(options: BackoffOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  /** The next delay in milliseconds; undefined: give up. */
  next(): number | undefined {
    const { intervalMs, maxMs } = this.#options;
    if (intervalMs <= 0) return undefined;
    const doublings = maxMs > 0 ? this.#attempt : this.#failures;
    const bound = maxMs > 0 ? Math.max(maxMs, intervalMs) : Math.max(FAILURE_MAX_MS, intervalMs);
    this.#attempt++;
    const interval = Math.min(intervalMs * 2 ** Math.min(doublings, 30), bound);
    const delay = Math.min(interval * (1 + this.#random()), bound);
    // At the bound there is no room above: the jitter goes below.
    return Math.round(interval < bound ? delay : bound * (0.5 + this.#random() / 2));
  }

  /** The peer turned out to be wrong. */
  failed(): void {
    this.#failures++;
  }

  /** A handshake was completed: start over. */
  reset(): void {
    this.#attempt = 0;
    this.#failures = 0;
  }
}

/** Where doubling after protocol failures ends if the options name no end. */
const FAILURE_MAX_MS = 30_000;
