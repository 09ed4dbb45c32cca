/** What the parts of the hot path are measured by: the same, as one would write it first. */
import { Buffer } from "node:buffer";

/** Joins what was left with what comes, and cuts whole messages of it. */
export class NaiveDecoder {
  #rest: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];

  decode(chunk: Uint8Array, message: (parts: Buffer[]) => void): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const [flags = 0, short = 0] = this.#rest;
      const isLong = (flags & 2) !== 0;
      const head = isLong ? 9 : 2;
      if (this.#rest.length < head) return;
      const size = isLong ? Number(this.#rest.readBigUInt64BE(1)) : short;
      if (this.#rest.length < head + size) return;
      this.#parts.push(Buffer.from(this.#rest.subarray(head, head + size)));
      this.#rest = this.#rest.subarray(head + size);
      if ((flags & 1) !== 0) continue;
      message(this.#parts);
      this.#parts = [];
    }
  }
}

/** A buffer for each message. */
export function naiveEncode(parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part, i) => {
      const more = i < parts.length - 1 ? 1 : 0;
      if (part.length < 256) return [Buffer.from([more, part.length]), part];
      const head = Buffer.alloc(9);
      head[0] = more | 2;
      head.writeBigUInt64BE(BigInt(part.length), 1);
      return [head, part];
    }),
  );
}

/** An array does it, too. */
export class NaiveQueue<T> {
  readonly #items: T[] = [];

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    return this.#items.shift();
  }
}

/** Looks at every topic. */
export class NaiveTopics {
  readonly #topics: Buffer[] = [];

  set(topic: string): void {
    this.#topics.push(Buffer.from(topic, "latin1"));
  }

  matches(octets: Uint8Array): boolean {
    return this.#topics.some((topic) => topic.compare(octets, 0, topic.length) === 0);
  }
}
