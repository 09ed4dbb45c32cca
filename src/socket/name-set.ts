/**
 * What a peer asked for, topics or groups: each once, with a character for each octet; and how many
 * octets they have together, which is the peer's choice.
 */
export class NameSet implements Iterable<string> {
  readonly #names = new Set<string>();
  #octets = 0;

  get size(): number {
    return this.#names.size;
  }

  get octets(): number {
    return this.#octets;
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** @returns Whether it was not there. */
  add(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    this.#octets += name.length;
    return true;
  }

  /** @returns Whether it was there. */
  delete(name: string): boolean {
    if (!this.#names.delete(name)) return false;
    this.#octets -= name.length;
    return true;
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#names.values();
  }
}
