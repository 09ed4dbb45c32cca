// The messages of the interop tests: made and judged alike by the tests and by the peers they start.
import { createHash } from "node:crypto";

/** A prime length, so that content that has moved by any power of two is seen. */
const PATTERN = Uint8Array.from({ length: 251 }, (_, i) => i);

/**
 * Message `n`. A part starts with `n` and then its index, 32 bits each, as far as they fit whole.
 */
export function buildMessage(n, sizes) {
  return sizes.map((size, index) => {
    if (size < 4) return Buffer.alloc(size, (n + index) & 0xff);
    const part = Buffer.alloc(size, PATTERN);
    part.writeUInt32BE(n, 0);
    if (size >= 8) part.writeUInt32BE(index, 4);
    return part;
  });
}

export function* messages({ from = 0, count, shapes }) {
  for (let n = from; n < from + count; n++) yield buildMessage(n, shapes[n % shapes.length]);
}

export class Tally {
  #hash = createHash("sha1");
  #count = 0;
  #parts = 0;
  #bytes = 0;
  #sequence = [];

  add(parts) {
    const sizes = Buffer.alloc(4 * (parts.length + 1));
    sizes.writeUInt32BE(parts.length, 0);
    for (const [i, part] of parts.entries()) sizes.writeUInt32BE(part.length, 4 * (i + 1));
    this.#hash.update(sizes);
    for (const part of parts) {
      this.#hash.update(part);
      this.#bytes += part.length;
    }
    this.#count++;
    this.#parts += parts.length;
    const first = Buffer.from(parts[0].buffer, parts[0].byteOffset, parts[0].length);
    this.#sequence.push(first.length < 4 ? null : first.readUInt32BE(0));
  }

  get count() {
    return this.#count;
  }

  get last() {
    return this.#sequence.at(-1) ?? null;
  }

  get summary() {
    return {
      count: this.#count,
      parts: this.#parts,
      bytes: this.#bytes,
      digest: this.#hash.copy().digest("hex"),
      sequence: this.#sequence,
    };
  }
}

export function expected(...batches) {
  const tally = new Tally();
  for (const batch of batches) for (const message of messages(batch)) tally.add(message);
  return tally.summary;
}
