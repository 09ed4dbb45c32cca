import { SLAB_SIZE } from "../zmtp/index.js";
import { slabs } from "./slabs.js";

const NOTHING = new Uint8Array(0);

/**
 * Octets that were read and found no room: what is left of one read, or of some more where a stream
 * reads ahead of us. They are copied, for their memory is the next read's.
 */
export class Rest {
  #octets: Uint8Array = NOTHING;
  #at = 0;
  #end = 0;

  get size(): number {
    return this.#end - this.#at;
  }

  /** Keeps `octets`, behind those that are kept already. */
  keep(octets: Uint8Array): void {
    const size = this.size + octets.length;
    const room = size <= SLAB_SIZE ? slabs.take(size) : new Uint8Array(size);
    room.set(this.#octets.subarray(this.#at, this.#end));
    room.set(octets, this.size);
    this.drop();
    this.#octets = room;
    this.#end = size;
  }

  /** Offers all to `take`, which says what is the first octet that it has not taken. */
  offer(take: (octets: Uint8Array, at: number, end: number) => number): void {
    this.#at = take(this.#octets, this.#at, this.#end);
  }

  /** Forgets all. */
  drop(): void {
    slabs.give(this.#octets);
    this.#octets = NOTHING;
    this.#at = 0;
    this.#end = 0;
  }
}
