import { Buffer } from "node:buffer";
import type { Transferable } from "node:worker_threads";
import type { Parts } from "../message.js";
import { LARGE, SegmentMemory } from "../transport/memory.js";

/**
 * Messages on their way to another thread. Their octets are copied, exactly: what is sent to a thread
 * takes the whole ArrayBuffer along, and that is the sender's, or somebody else's, too.
 */
export interface Parcel {
  /** Of each message the number of its parts, followed by their sizes. */
  sizes: number[];
  /** The octets of all parts that are not large, one after the other. */
  small: ArrayBuffer;
  /** The others have memory of their own, which the receiver keeps. */
  large: ArrayBuffer[];
}

/** Packs messages up; what the parcel is made of goes with it. */
export function pack(messages: readonly Parts[]): { parcel: Parcel; transfer: Transferable[] } {
  const sizes: number[] = [];
  const large: ArrayBuffer[] = [];
  let total = 0;
  for (const parts of messages) {
    sizes.push(parts.length);
    for (const { length } of parts) {
      sizes.push(length);
      if (length < LARGE) total += length;
    }
  }
  const small = new Uint8Array(total);
  let at = 0;
  for (const parts of messages) {
    for (const part of parts) {
      if (part.length >= LARGE) large.push(new Uint8Array(part).buffer);
      else {
        small.set(part, at);
        at += part.length;
      }
    }
  }
  return { parcel: { sizes, small: small.buffer, large }, transfer: [small.buffer, ...large] };
}

/** Unpacks what comes from one other thread. A part that is kept keeps little else alive. */
export class Unpacker {
  readonly #memory = new SegmentMemory();

  /** Calls `message` with each message. */
  unpack({ sizes, small, large }: Parcel, message: (parts: Parts) => void): void {
    const octets = new Uint8Array(small);
    let at = 0;
    let nextLarge = 0;
    for (let i = 0; i < sizes.length; ) {
      const parts: Parts = new Array(sizes[i++] as number);
      for (let part = 0; part < parts.length; part++) {
        const size = sizes[i++] as number;
        if (size >= LARGE) parts[part] = Buffer.from(large[nextLarge++] as ArrayBuffer);
        else {
          parts[part] = this.#memory.copy(octets, at, at + size);
          at += size;
        }
      }
      message(parts);
    }
  }
}
