import { Loop } from "./loop.js";

/** Someone who would like a place at a socket that has none left. */
export interface Candidate {
  /** There is a place: take it. */
  enter(): void;
  /** The socket is closed: there will be none. */
  turnedAway?(): void;
}

/** Those who wait for a place, first come, first served. */
export class Candidates {
  readonly #waiting = new Set<Candidate>();
  /** Who enters may be gone at once, and there is a place again. */
  readonly #loop = new Loop((vacant: () => boolean) => this.#letIn(vacant));

  add(candidate: Candidate): void {
    this.#waiting.add(candidate);
  }

  delete(candidate: Candidate): void {
    this.#waiting.delete(candidate);
  }

  /** Nobody gets a place any more. */
  close(): void {
    for (const candidate of this.#waiting) candidate.turnedAway?.();
    this.#waiting.clear();
  }

  /** Lets candidates in, as long as there is a place. */
  admit(vacant: () => boolean): void {
    this.#loop.run(vacant);
  }

  #letIn(vacant: () => boolean): void {
    for (const candidate of this.#waiting) {
      if (!vacant()) break;
      this.#waiting.delete(candidate);
      candidate.enter();
    }
  }
}
