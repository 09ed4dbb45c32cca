/** Someone who would like a place at a socket that has none left. */
export interface Candidate {
  /** There is a place: take it. */
  enter(): void;
}

/** Those who wait for a place, first come, first served. */
export class Candidates {
  readonly #waiting = new Set<Candidate>();
  #admitting = false;

  add(candidate: Candidate): void {
    this.#waiting.add(candidate);
  }

  delete(candidate: Candidate): void {
    this.#waiting.delete(candidate);
  }

  /** Lets candidates in, as long as there is a place. */
  admit(vacant: () => boolean): void {
    // Who enters may be gone at once: the loop that let it in goes on, for calls inside calls would
    // be as many as there are candidates.
    if (this.#admitting) return;
    this.#admitting = true;
    try {
      for (const candidate of this.#waiting) {
        if (!vacant()) break;
        this.#waiting.delete(candidate);
        candidate.enter();
      }
    } finally {
      this.#admitting = false;
    }
  }
}
