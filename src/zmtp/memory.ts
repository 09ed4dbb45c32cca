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
  copy: copyOf,
};

/** A copy of `source` from `from` to `to`. Not `slice`: that of a Node Buffer is a view. */
export function copyOf(source: Uint8Array, from: number, to: number): Uint8Array {
  const copy = new Uint8Array(to - from);
  copy.set(source.subarray(from, to));
  return copy;
}
