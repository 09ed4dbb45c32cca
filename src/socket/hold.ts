import { shared } from "../shared.js";

/** The longest interval that a timer takes. */
const FOR_EVER_MS = 2 ** 31 - 1;

/**
 * Keeps the process alive while something is pending. Everything else that we own is unref'd: an
 * idle socket keeps nothing alive, as with npm zeromq.
 */
export class Hold {
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  get count(): number {
    return this.#count;
  }

  take(): void {
    if (this.#count++ > 0) return;
    if (this.#timer === undefined) this.#timer = setInterval(() => {}, FOR_EVER_MS);
    else this.#timer.ref();
  }

  release(): void {
    if (--this.#count === 0) this.#timer?.unref();
  }
}

/** The one of this thread. */
export const hold: Hold = shared("hold", () => new Hold());
