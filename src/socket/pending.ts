import { errnoError } from "../errors.js";
import type { Hold } from "./hold.js";
import type { Share, Turn } from "./turn.js";

/**
 * A call that waits. It keeps the process alive, and ends once: with a value, an error, its
 * timeout or its signal.
 */
export class Pending<T> {
  readonly #hold: Hold;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #failed: () => void;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  #aborted: (() => void) | undefined;

  #deferred = false;
  #ended = false;

  /** @param failed Called before the call is rejected. */
  constructor(
    hold: Hold,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
    failed: () => void,
  ) {
    this.#hold = hold;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#failed = failed;
    hold.take();
  }

  /**
   * Ends the call after `timeoutMs` (-1: never), or with the signal's reason.
   * @param why The code of the error after the timeout.
   */
  limit(timeoutMs: number, signal: AbortSignal | undefined, why: () => string): void {
    if (timeoutMs >= 0) {
      this.#timer = setTimeout(() => this.reject(errnoError(why())), timeoutMs);
    }
    if (signal === undefined) return;
    this.#signal = signal;
    this.#aborted = () => this.reject(signal.reason);
    signal.addEventListener("abort", this.#aborted, { once: true });
  }

  /**
   * What it waits for may be there: calls `settle` now, or in a later turn if this one's budget is
   * spent. Sockets of one thread that wait for each other in turn must not keep it to themselves.
   */
  attempt(share: Share, turn: Turn, settle: () => void): void {
    if (this.#deferred) return;
    if (!share.spend()) {
      settle();
      return;
    }
    this.#deferred = true;
    turn.defer(() => {
      this.#deferred = false;
      if (!this.#ended) settle();
    });
  }

  resolve(value: T): void {
    this.#end();
    this.#resolve(value);
  }

  reject(error: unknown): void {
    this.#end();
    this.#failed();
    this.#reject(error);
  }

  #end(): void {
    this.#ended = true;
    this.#hold.release();
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    if (this.#aborted !== undefined) this.#signal?.removeEventListener("abort", this.#aborted);
  }
}
