import { Buffer } from "node:buffer";
import type { Transferable } from "node:worker_threads";
import type { Parts } from "../message.js";
import { isSole } from "../transfer.js";
import { LARGE, SegmentMemory } from "../transport/memory.js";

/**
 * Messages on their way to another thread. Their octets are copied, exactly: what is sent to a thread
 * takes the whole ArrayBuffer along, and that is the sender's, or somebody else's, too; unless it was
 * given away with the message.
 */
export interface Parcel {
  /** Of each message the number of its parts, followed by their sizes. */
  sizes: number[];
  /** The octets of all parts that are not large, one after the other. */
  small: ArrayBuffer;
  /** The others have memory of their own, which the receiver keeps, or lie in what was given away. */
  large: (ArrayBuffer | Uint8Array)[];
}

/** Packs messages up; what the parcel is made of goes with it. */
export function pack(messages: readonly Parts[]): { parcel: Parcel; transfer: Transferable[] } {
  const sizes: number[] = [];
  const large: Parcel["large"] = [];
  const transfer = new Set<ArrayBuffer>();
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
      // Empty is, too, what somebody has taken away since it was sent: that cannot be copied.
      if (part.length === 0) continue;
      if (part.length < LARGE) {
        small.set(part, at);
        at += part.length;
      } else if (isSole(part)) {
        large.push(part);
        transfer.add(part.buffer as ArrayBuffer);
      } else {
        const { buffer } = new Uint8Array(part);
        large.push(buffer);
        transfer.add(buffer);
      }
    }
  }
  transfer.add(small.buffer);
  return { parcel: { sizes, small: small.buffer, large }, transfer: [...transfer] };
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
        if (size >= LARGE) parts[part] = bufferOf(large[nextLarge++] as ArrayBuffer | Uint8Array);
        else {
          parts[part] = this.#memory.copy(octets, at, at + size);
          at += size;
        }
      }
      message(parts);
    }
  }
}

function bufferOf(memory: ArrayBuffer | Uint8Array): Buffer {
  if (memory instanceof ArrayBuffer) return Buffer.from(memory);
  return Buffer.from(memory.buffer as ArrayBuffer, memory.byteOffset, memory.byteLength);
}
