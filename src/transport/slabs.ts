import { Buffer } from "node:buffer";
import { SLAB_SIZE, type Slabs } from "../zmtp/index.js";

/** Slabs that nobody has now: of each size some 512 KB at the most. */
class SpareSlabs {
  readonly size: number;
  readonly #spare: Uint8Array[] = [];

  constructor(size: number) {
    this.size = size;
  }

  take(): Uint8Array {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  give(slab: Uint8Array): void {
    if (this.#spare.length < (SLAB_SIZE * 8) / this.size) this.#spare.push(slab);
  }
}

/** A thousand peers that get a small message each would hold 64 MB if all slabs were large. */
const spareSlabs = [2 * 1024, 16 * 1024, SLAB_SIZE].map((size) => new SpareSlabs(size));

/** The thread's slabs for outgoing frames: a connection holds one only while it has output. */
export const slabs: Slabs = {
  take: (wanted) => (spareSlabs.find(({ size }) => wanted <= size) as SpareSlabs).take(),
  give: (slab) => spareSlabs.find(({ size }) => size === slab.length)?.give(slab),
};
