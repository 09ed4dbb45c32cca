/** Who is asked has this long, in milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Something that was asked, and is settled once: by an answer, or by none that came in time. It can be
 * taken back, and keeps no process alive.
 */
export class Question<A> {
  /** Undefined once it is settled. */
  #settle: ((answer: A) => void) | undefined;
  readonly #timer: NodeJS.Timeout;
  /** Tells who was asked that no answer is wanted any more. */
  drop: (() => void) | undefined = undefined;

  /** @param none What it is settled with if no answer comes in time. */
  constructor(settle: (answer: A) => void, none: A) {
    this.#settle = settle;
    this.#timer = setTimeout(() => this.answer(none), PATIENCE_MS);
    this.#timer.unref();
  }

  get open(): boolean {
    return this.#settle !== undefined;
  }

  /** Settles it, if it is still open. */
  answer(answer: A): void {
    const settle = this.#settle;
    this.takeBack();
    settle?.(answer);
  }

  /** It is not to be settled. */
  takeBack(): void {
    if (!this.open) return;
    this.#settle = undefined;
    clearTimeout(this.#timer);
    this.drop?.();
  }
}
