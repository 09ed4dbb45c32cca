import { Buffer } from "node:buffer";
import * as workerThreads from "node:worker_threads";
import { type Memory, SLAB_SIZE, type Slabs } from "../zmtp/index.js";

/** V8 keeps typed arrays of up to this size on its own heap: the cheapest memory of all. */
const TINY = 64;

/** Parts of this size and more own their memory; smaller ones share a segment. */
const LARGE = 4 * 1024;

/** What one kept part may keep alive beside itself. */
const SEGMENT_SIZE = 8 * 1024;

/** Typed arrays of any kind fit on the start of a part. */
const ALIGNMENT = 8;

/**
 * Memory for the received parts of one connection.
 *
 * A part that a program keeps must not keep the chunk alive that it arrived in, so each is
 * copied: tiny ones to the heap, small ones into a segment that only this connection's parts
 * share, large ones into memory of their own.
 */
export class SegmentMemory implements Memory {
  #segment: Buffer = Buffer.alloc(0);
  #used = 0;

  allocate(size: number): Buffer {
    if (size <= TINY || size >= LARGE) return Buffer.allocUnsafeSlow(size);
    const start = this.#reserve(size);
    return this.#segment.subarray(start, start + size);
  }

  copy(source: Uint8Array, from: number, to: number): Buffer {
    const size = to - from;
    if (size <= TINY) {
      const part = Buffer.allocUnsafeSlow(size);
      for (let i = 0; i < size; i++) part[i] = source[from + i] as number;
      return part;
    }
    const bytes = new Uint8Array(source.buffer, source.byteOffset + from, size);
    if (size >= LARGE) {
      const part = Buffer.allocUnsafeSlow(size);
      part.set(bytes);
      return part;
    }
    const start = this.#reserve(size);
    this.#segment.set(bytes, start);
    return this.#segment.subarray(start, start + size);
  }

  /** Sets `size` bytes of the segment aside and says where they begin; they end at `#used`. */
  #reserve(size: number): number {
    const start = (this.#used + ALIGNMENT - 1) & -ALIGNMENT;
    if (size <= this.#segment.length - start) {
      this.#used = start + size;
      return start;
    }
    this.#segment = Buffer.allocUnsafeSlow(SEGMENT_SIZE);
    // A transfer of one part to a worker would take all others of the segment away.
    workerThreads.markAsUntransferable?.(this.#segment.buffer);
    this.#used = size;
    return 0;
  }
}

/** Every part has an ArrayBuffer to itself, as in npm zeromq: the option `exclusiveBuffers`. */
export const exclusiveMemory: Memory = {
  allocate: (size) => Buffer.allocUnsafeSlow(size),
  copy: (source, from, to) => {
    const part = Buffer.allocUnsafeSlow(to - from);
    part.set(source.subarray(from, to));
    return part;
  },
};

const SPARE_SLABS = 8;
const spareSlabs: Uint8Array[] = [];

/** The thread's slabs for outgoing frames: a connection holds one only while it has output. */
export const slabs: Slabs = {
  take: () => spareSlabs.pop() ?? Buffer.allocUnsafeSlow(SLAB_SIZE),
  give: (slab) => {
    if (spareSlabs.length < SPARE_SLABS) spareSlabs.push(slab);
  },
};
