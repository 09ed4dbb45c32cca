/**
 * Where the octets of received messages go. Handed in: this folder does not know what a part
 * should be (a Buffer, say), or how small ones share memory.
 */
export interface Memory {
  /** Room for `size` octets, starting on an 8-byte boundary. */
  allocate(size: number): Uint8Array;
  /** A part with a copy of `source` from `from` to `to`. */
  copy(source: Uint8Array, from: number, to: number): Uint8Array;
}

/** Every part owns its memory: right everywhere, and fast nowhere. */
export const plainMemory: Memory = {
  allocate: (size) => new Uint8Array(size),
  copy: (source, from, to) => source.slice(from, to),
};
