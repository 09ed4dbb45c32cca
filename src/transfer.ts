import { Buffer } from "node:buffer";
import { types } from "node:util";
import * as workerThreads from "node:worker_threads";
import { errnoError } from "./errors.js";
import type { Parts } from "./message.js";
import { shared } from "./shared.js";

/** Parts whose memory is their message's alone, for all copies of the library. `any`: there have been some. */
const sole = shared("sole", () => ({ parts: new WeakSet<Buffer>(), any: false }));

/**
 * Whether nobody but its message has a part's memory, all of its ArrayBuffer: then it need not be
 * copied for another thread.
 * @internal
 */
export function isSole(part: Buffer): boolean {
  return sole.any && sole.parts.has(part);
}

/** From now on somebody else has these parts, too. @internal */
export function share(parts: Parts): void {
  if (!sole.any) return;
  for (const part of parts) sole.parts.delete(part);
}

/**
 * Buffers that a message takes along: once it is accepted, the caller has them no more. As libzmq has
 * it (`zmq_msg_send`), a message that is not accepted stays the caller's, with all its memory.
 * @internal
 */
export class Transfer {
  readonly #buffers: ArrayBuffer[];
  readonly #sizes: number[];

  /**
   * @throws TypeError unless `buffers` is an array of ArrayBuffers; EINVAL when one is there twice, when
   *   it cannot be transferred, or when no part lies in it. Nothing has happened to any of them then.
   */
  constructor(buffers: unknown, parts: Parts) {
    if (!Array.isArray(buffers) || !buffers.every(types.isArrayBuffer)) {
      throw new TypeError("transfer must be an array of ArrayBuffers");
    }
    this.#buffers = [...buffers];
    this.#sizes = buffers.map(({ byteLength }) => byteLength);
    for (const [i, buffer] of this.#buffers.entries()) {
      if (buffers.indexOf(buffer) !== i) throw refusal(i, "is there twice");
      if (!parts.some((part) => part.buffer === buffer)) throw refusal(i, "holds no part");
      if (!isTransferable(buffer)) throw refusal(i, "cannot be transferred");
    }
  }

  /**
   * Takes the buffers away from the caller.
   * @returns The message, in memory that is its alone.
   * @throws EINVAL when somebody else has taken one meanwhile.
   */
  take(parts: Parts): Parts {
    const buffers = this.#buffers;
    const changed = buffers.findIndex(({ byteLength }, i) => byteLength !== this.#sizes[i]);
    if (changed >= 0) throw refusal(changed, "has changed its size");
    // Before: of what is detached no part knows any more where it was.
    const places = parts.map(({ buffer, byteOffset, length }) => {
      return { in: buffers.indexOf(buffer as ArrayBuffer), byteOffset, length };
    });
    const memory = structuredClone(buffers, { transfer: buffers });
    sole.any = true;
    return places.map((place, i) => {
      if (place.in < 0) return parts[i] as Buffer;
      const part = Buffer.from(memory[place.in] as ArrayBuffer, place.byteOffset, place.length);
      sole.parts.add(part);
      return part;
    });
  }
}

function refusal(index: number, why: string): Error {
  return errnoError("EINVAL", undefined, `Invalid argument: transfer[${index}] ${why}`);
}

/** Node.js 20 copies what cannot be transferred, without a word; later ones refuse it. */
const REFUSES = "isMarkedAsUntransferable" in workerThreads;

/**
 * Whether a buffer can be transferred; nothing happens to it. Node.js does not say so. Where it does not
 * refuse the others, it refuses to take twice only what it would take.
 */
function isTransferable(buffer: ArrayBuffer): boolean {
  return !isDetached(buffer) && (REFUSES ? isListed([buffer]) : !isListed([buffer, buffer]));
}

/** Whether a list of what to transfer is accepted: what is to be cloned is looked at only then. */
function isListed(transfer: ArrayBuffer[]): boolean {
  let accepted = false;
  const value = {
    get stop(): never {
      accepted = true;
      throw undefined;
    },
  };
  try {
    structuredClone(value, { transfer });
  } catch {
    // Nothing has been transferred, whoever has thrown.
  }
  return accepted;
}

function isDetached(buffer: ArrayBuffer): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
