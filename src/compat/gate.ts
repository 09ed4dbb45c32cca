/** Whether messages may pass: not while a socket is paused, nor during its binds and unbinds. */
export class Gate {
  #paused = false;
  #blocks = 0;

  get shut(): boolean {
    return this.#paused || this.#blocks > 0;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** A bind or unbind begins. */
  block(): void {
    this.#blocks++;
  }

  /** It is over. */
  unblock(): void {
    this.#blocks--;
  }
}
