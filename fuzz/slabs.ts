import { SLAB_SIZE, type Slabs } from "../src/zmtp/index.js";

/** Slabs for all connections, which come and go thousands of times a second. */
class SlabPool implements Slabs {
  readonly #spare: Uint8Array[] = [];
  /** How many are lent. */
  out = 0;

  take(): Uint8Array {
    this.out++;
    return this.#spare.pop() ?? new Uint8Array(SLAB_SIZE);
  }

  give(slab: Uint8Array): void {
    this.out--;
    this.#spare.push(slab);
  }
}

export const slabs: SlabPool = new SlabPool();
