/** Someone who would like a place at a socket that has none left. */
export interface Candidate {
  /** There is a place: take it. */
  enter(): void;
}

/** Those who wait for a place, first come, first served. */
export class Candidates {
  readonly #waiting = new Set<Candidate>();

  add(candidate: Candidate): void {
    this.#waiting.add(candidate);
  }

  delete(candidate: Candidate): void {
    this.#waiting.delete(candidate);
  }

  /** Lets candidates in, as long as there is a place. */
  admit(vacant: () => boolean): void {
    for (const candidate of this.#waiting) {
      if (!vacant()) return;
      this.#waiting.delete(candidate);
      candidate.enter();
    }
  }
}
