/**
 * What a peer has asked for since it came again.
 *
 * All that it had asked for before goes on being queued for it while it is gone; when it comes again it
 * asks anew. What it did not ask for then is forgotten once it goes again: else it could make that
 * ever more.
 */
export class Renewal {
  /** Undefined while the peer is here for the first time. */
  #renewed: Set<string> | undefined;

  /** The peer asks for something. */
  ask(name: string): void {
    this.#renewed?.add(name);
  }

  /** The peer does not want it any more. */
  cancel(name: string): void {
    this.#renewed?.delete(name);
  }

  /** The peer is gone, and may come again: calls `forget` with those of `names` that it did not renew. */
  gone(names: Iterable<string>, forget: (name: string) => void): void {
    const renewed = this.#renewed;
    this.#renewed = new Set();
    if (renewed === undefined) return;
    for (const name of names) if (!renewed.has(name)) forget(name);
  }
}
