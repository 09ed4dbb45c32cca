/**
 * A loop that is not entered a second time from within: what it does may lead to the wish to run it,
 * and calls inside calls would be as many as there are steps. So a call while it is on does nothing, and
 * the body looks for more to do after each step.
 */
export class Loop<A = void> {
  readonly #body: (what: A) => void;
  #on = false;

  constructor(body: (what: A) => void) {
    this.#body = body;
  }

  /** Goes through the loop, unless it is on. @throws What the body throws; it can be run again then. */
  run(what: A): void {
    if (this.#on) return;
    this.#on = true;
    try {
      this.#body(what);
    } finally {
      this.#on = false;
    }
  }
}
