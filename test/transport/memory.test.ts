import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exclusiveMemory, SegmentMemory } from "../../src/transport/memory.js";
import type { Memory } from "../../src/zmtp/index.js";

const SEGMENT_SIZE = 8 * 1024;
/** Parts of this size own their memory. */
const LARGE = 4 * 1024;

/** Around each size at which another kind of memory is taken. */
const EDGES = [0, 1, 7, 8, 9, 16, 17, 63, 64, 65, 128, 4095, 4096, 4097, 8191, 8192, 8193];

interface Wish {
  size: number;
  /** Copied from a chunk, or allocated and filled later. */
  how: "copy" | "allocate";
  /** Where in its chunk a copied part lies. */
  at: number;
}

const wishes: fc.Arbitrary<Wish[]> = fc.array(
  fc.record({
    size: fc.oneof(fc.constantFrom(...EDGES), fc.nat(300), fc.nat(20_000)),
    how: fc.constantFrom("copy", "allocate"),
    at: fc.nat(20),
  }),
  { maxLength: 60 },
);

/** Octets that tell, from the first on, the part that they belong to, and their place in it. */
function content(size: number, index: number): Buffer {
  return Buffer.alloc(size, Buffer.of(100 + index, 1, 2, 3, 4, 5, 6));
}

/** As a connection takes memory: parts that lie whole in a chunk are copied, others are filled. */
function take(memory: Memory, wish: Wish, index: number): Uint8Array {
  const { size, how, at } = wish;
  if (how === "copy") {
    // Chunks are views themselves, and are overwritten once they have been taken.
    const chunk = Buffer.alloc(size + 50).subarray(5);
    content(size, index).copy(chunk, at);
    const part = memory.copy(chunk, at, at + size);
    chunk.fill(0xee);
    return part;
  }
  const part = memory.allocate(size);
  part.set(content(size, index));
  return part;
}

describe.each([
  ["SegmentMemory", () => new SegmentMemory()],
  ["exclusiveMemory", () => exclusiveMemory],
])("%s", (_, make) => {
  it("gives every part its size, and its content to keep", () => {
    fc.assert(
      fc.property(wishes, (wishes) => {
        const memory = make();
        const parts = wishes.map((wish, i) => take(memory, wish, i));
        for (const [i, part] of parts.entries()) {
          expect(Buffer.isBuffer(part)).toBe(true);
          expect(content((wishes[i] as Wish).size, i).equals(part)).toBe(true);
        }
      }),
    );
  });

  it("copies from one chunk after the other, and from one at any place", () => {
    const memory = make();
    const chunks = [content(5000, 1), content(5000, 2)];
    for (const size of [10, 40, 100, 4096]) {
      for (const from of [0, 1, 900]) {
        for (const chunk of chunks) {
          const part = memory.copy(chunk, from, from + size);
          expect(chunk.subarray(from, from + size).equals(part)).toBe(true);
        }
      }
    }
  });
});

describe("SegmentMemory", () => {
  it("starts every part on an 8-byte boundary; large ones own their memory, no other keeps more than 8 KB", () => {
    fc.assert(
      fc.property(wishes, (wishes) => {
        const memory = new SegmentMemory();
        for (const [i, wish] of wishes.entries()) {
          const { buffer, byteOffset, length } = take(memory, wish, i);
          expect(byteOffset % 8).toBe(0);
          expect(buffer.byteLength).toBeLessThanOrEqual(Math.max(length, SEGMENT_SIZE));
          if (length >= LARGE) expect([byteOffset, buffer.byteLength]).toEqual([0, length]);
        }
      }),
    );
  });

  it("makes no two parts overlap", () => {
    fc.assert(
      fc.property(wishes, (wishes) => {
        const memory = new SegmentMemory();
        const ends = new Map<ArrayBufferLike, number>();
        for (const [i, wish] of wishes.entries()) {
          const { buffer, byteOffset, length } = take(memory, wish, i);
          if (length === 0) continue;
          // Within a segment parts follow each other.
          expect(byteOffset).toBeGreaterThanOrEqual(ends.get(buffer) ?? 0);
          ends.set(buffer, byteOffset + length);
        }
      }),
    );
  });

  it("fills a segment before it takes another", () => {
    const memory = new SegmentMemory();
    const parts = Array.from({ length: 65 }, () => memory.allocate(128));
    const buffers = parts.map(({ buffer }) => buffer);
    expect(new Set(buffers.slice(0, 64)).size).toBe(1);
    expect(buffers[64]).not.toBe(buffers[63]);
  });

  it("shares no segment with another connection's", () => {
    const [one, other] = [new SegmentMemory(), new SegmentMemory()];
    expect(one.allocate(100).buffer).not.toBe(other.allocate(100).buffer);
  });

  it.each<["copy" | "allocate"]>([["copy"], ["allocate"]])(
    "keeps a segment from being transferred: %s",
    (how) => {
      const memory = new SegmentMemory();
      const parts = [0, 1].map((i) => take(memory, { size: 100, how, at: 0 }, i));
      const [{ buffer }] = parts as [Uint8Array];
      try {
        // Node.js 20 copies what must not be transferred, later ones throw.
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
      } catch {}
      expect(buffer.byteLength).toBe(SEGMENT_SIZE);
      expect(parts.map((part, i) => content(100, i).equals(part))).toEqual([true, true]);
    },
  );

  it("lets parts be transferred that own their memory", () => {
    const { buffer } = new SegmentMemory().allocate(LARGE);
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    expect(buffer.byteLength).toBe(0);
  });
});

describe("exclusiveMemory", () => {
  it("gives every part an ArrayBuffer to itself", () => {
    fc.assert(
      fc.property(wishes, (wishes) => {
        for (const [i, wish] of wishes.entries()) {
          const { buffer, byteOffset, length } = take(exclusiveMemory, wish, i);
          expect([byteOffset, buffer.byteLength]).toEqual([0, length]);
        }
      }),
    );
  });
});
