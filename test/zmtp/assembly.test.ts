import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Assembly } from "../../src/zmtp/assembly.js";
import { Budget } from "../../src/zmtp/limits.js";
import { type Memory, plainMemory } from "../../src/zmtp/memory.js";

const KB = 1024;
const MB = 1024 * KB;

/** Memory that knows what was asked of it, and breaks when told to. */
class WatchedMemory implements Memory {
  readonly sizes: number[] = [];
  max = Number.POSITIVE_INFINITY;

  allocate(size: number): Uint8Array {
    if (size > this.max) throw new RangeError("Array buffer allocation failed");
    this.sizes.push(size);
    return new Uint8Array(size).fill(0xee);
  }

  copy = plainMemory.copy;
}

function setUp({ held = 2 ** 31, reserve = 64 * MB } = {}) {
  const memory = new WatchedMemory();
  const budgets = { held: new Budget(held), reserve: new Budget(reserve) };
  const assembly = new Assembly(memory, budgets.held, budgets.reserve);
  return { memory, assembly, ...budgets };
}

function octets(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7) & 0xff);
}

describe("a body", () => {
  it("is put together from pieces, and handed out once it is whole", () => {
    const { assembly, held, reserve } = setUp();
    expect(assembly.active).toBe(false);
    assembly.begin(5);
    expect(assembly.active).toBe(true);
    expect(assembly.fill(Uint8Array.of(9, 1, 2, 9), 1, 3)).toBe(3);
    expect(assembly.done).toBe(false);
    expect(assembly.fill(Uint8Array.of(3, 4, 5, 9), 0, 4)).toBe(3);
    expect(assembly.done).toBe(true);
    expect([...assembly.take()]).toEqual([1, 2, 3, 4, 5]);
    expect(assembly.active).toBe(false);
    expect([held.used, reserve.used, assembly.held]).toEqual([0, 0, 0]);
  });

  it("of any size, in any pieces, with or without a reservation, is what was sent", () => {
    const size = fc.integer({ min: 1, max: 40 * KB });
    const pieces = fc.array(fc.integer({ min: 0, max: 9 * KB }), { maxLength: 12 });
    fc.assert(
      fc.property(size, pieces, fc.boolean(), (size, pieces, reserved) => {
        const { assembly, held, reserve } = setUp({ reserve: reserved ? MB : 0 });
        const body = octets(size);
        assembly.begin(size);
        let from = 0;
        for (const piece of pieces) {
          const end = Math.min(size, from + piece);
          from = assembly.fill(body, from, end);
          expect(from).toBe(end);
          expect(held.used).toBe(assembly.held);
        }
        assembly.fill(body, from, size);
        expect(Buffer.compare(assembly.take(), body)).toBe(0);
        expect([held.used, reserve.used]).toEqual([0, 0]);
      }),
    );
  });
});

describe("what stands before a body", () => {
  it("is kept apart, however it is cut, and takes nothing of what may be held", () => {
    for (const [headSize, bodySize] of [
      [5, 6],
      [5, 0],
      [1, 9],
      [33, 1],
    ] as const) {
      const all = octets(headSize + bodySize);
      for (let cut = 0; cut <= all.length; cut++) {
        const { assembly, memory, held, reserve } = setUp({ held: bodySize });
        assembly.begin(all.length, headSize);
        assembly.fill(all, 0, cut);
        expect(assembly.done).toBe(cut === all.length);
        assembly.fill(all, cut, all.length);
        expect(assembly.done).toBe(true);
        expect(assembly.take()).toEqual(all.subarray(headSize));
        expect(assembly.head).toEqual(all.subarray(0, headSize));
        expect([memory.sizes, held.used, reserve.used]).toEqual([[bodySize], 0, 0]);
      }
    }
  });

  it("may be all there is, or not even that, and is of its own body alone", () => {
    const { assembly } = setUp();
    for (const size of [8, 5, 3, 1, 8]) {
      const all = octets(size).map((octet) => octet + size);
      assembly.begin(size, 5);
      expect(assembly.fill(all, 0, size)).toBe(size);
      expect(assembly.take()).toEqual(all.subarray(Math.min(5, size)));
      expect(assembly.head).toEqual(all.subarray(0, 5));
    }
  });
});

describe("reading straight into a body", () => {
  it("needs a body", () => {
    const { assembly } = setUp();
    expect(assembly.room(0)).toBeUndefined();
    assembly.begin(1);
    expect(assembly.room(0)).toHaveLength(1);
    assembly.drop();
    expect(assembly.room(0)).toBeUndefined();
  });

  it("fills what is left of its room, as filling from chunks does", () => {
    const { assembly, memory, held, reserve } = setUp({ reserve: 0 });
    const body = octets(10 * KB);
    assembly.begin(body.length);
    assembly.fill(body, 0, 100);
    for (let at = 100; !assembly.done; ) {
      expect(assembly.room(body.length - at + 1)).toBeUndefined();
      const rest = assembly.room(body.length - at) as Uint8Array;
      const count = Math.min(rest.length, 3000);
      rest.set(body.subarray(at, at + count));
      assembly.advance(count);
      at += count;
    }
    expect(memory.sizes).toEqual([4, 8, 10].map((size) => size * KB));
    expect(assembly.done).toBe(true);
    expect(Buffer.compare(assembly.take(), body)).toBe(0);
    expect([held.used, reserve.used]).toEqual([0, 0]);
  });

  it("is bounded by what may be held", () => {
    const { assembly } = setUp({ held: 4 * KB, reserve: 0 });
    assembly.begin(10 * KB);
    assembly.advance(4 * KB);
    expect(() => assembly.room(1)).toThrow(
      expect.objectContaining({ code: "ERR_ZMTP_ASSEMBLY_LIMIT" }),
    );
  });
});

describe("a reservation", () => {
  it.each([
    [1, 1],
    [MB, MB],
    [MB + 1, MB],
    [Number.MAX_SAFE_INTEGER, MB],
  ])("for %i octets is %i", (size, wish) => {
    const { assembly, memory, held, reserve } = setUp();
    assembly.begin(size);
    expect(memory.sizes).toEqual([wish]);
    expect([held.used, reserve.used]).toEqual([wish, wish]);
    assembly.drop();
    expect([held.used, reserve.used]).toEqual([0, 0]);
  });

  it("ends when its octets have come", () => {
    const { assembly, reserve } = setUp();
    assembly.begin(3 * MB);
    assembly.fill(octets(MB), 0, MB);
    expect(reserve.used).toBe(MB);
    assembly.fill(octets(1), 0, 1);
    expect(reserve.used).toBe(0);
  });

  it("is refused whole: then the room starts small and doubles", () => {
    const { assembly, memory, reserve } = setUp({ reserve: 20 * KB - 1 });
    assembly.begin(20 * KB);
    expect(reserve.used).toBe(0);
    assembly.fill(octets(20 * KB), 0, 20 * KB);
    expect(memory.sizes).toEqual([4, 8, 16, 20].map((size) => size * KB));
    expect(assembly.take()).toEqual(octets(20 * KB));
  });
});

describe("memory follows octets", () => {
  it("1,000 bodies of 1 GiB announced, one octet each sent, cost the reservation and 4 KiB each", () => {
    const held = new Budget(2 ** 31);
    const reserve = new Budget(4 * MB);
    const memory = new WatchedMemory();
    const bodies = Array.from({ length: 1000 }, () => new Assembly(memory, held, reserve));
    for (const body of bodies) {
      body.begin(2 ** 30);
      body.fill(octets(1), 0, 1);
    }
    expect(held.used).toBe(4 * MB + 996 * 4 * KB);
    expect(memory.sizes.reduce((sum, size) => sum + size)).toBe(held.used);
    for (const body of bodies) body.drop();
    expect([held.used, reserve.used]).toEqual([0, 0]);
  });

  it("never more than twice what has come", () => {
    const { assembly } = setUp({ reserve: 0 });
    assembly.begin(2 ** 40);
    const chunk = octets(8 * KB);
    for (let come = 0; come < 5 * MB; come += 8 * KB) {
      assembly.fill(chunk, 0, 8 * KB);
      expect(assembly.held).toBeLessThanOrEqual(2 * (come + 8 * KB));
    }
  });
});

describe("what may be held", () => {
  const limit = expect.objectContaining({ code: "ERR_ZMTP_ASSEMBLY_LIMIT" });

  it.each([0, MB])("is bounded when a body begins (reserve %i)", (reserve) => {
    const { assembly, held } = setUp({ held: 1000, reserve });
    assembly.begin(1000);
    assembly.drop();
    expect(() => assembly.begin(1001)).toThrow(limit);
    assembly.drop();
    expect(held.used).toBe(0);
  });

  it("is bounded when a body grows, and given back once", () => {
    const { assembly, held, reserve } = setUp({ held: 16 * KB, reserve: 0 });
    assembly.begin(20 * KB);
    expect(() => assembly.fill(octets(20 * KB), 0, 20 * KB)).toThrow(limit);
    expect(held.used).toBe(16 * KB);
    assembly.drop();
    assembly.drop();
    expect([held.used, reserve.used]).toEqual([0, 0]);
  });

  it.each([0, MB])("is bounded by the memory there is (reserve %i)", (reserveLimit) => {
    const { assembly, memory, held, reserve } = setUp({ reserve: reserveLimit });
    memory.max = 4 * KB;
    if (reserveLimit > 0) {
      expect(() => assembly.begin(8 * KB)).toThrow(limit);
    } else {
      assembly.begin(8 * KB);
      expect(() => assembly.fill(octets(8 * KB), 0, 8 * KB)).toThrow(limit);
    }
    expect(held.used).toBe(assembly.held);
    assembly.drop();
    expect([held.used, reserve.used]).toEqual([0, 0]);
  });
});
