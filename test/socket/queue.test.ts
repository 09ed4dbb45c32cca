import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Queue } from "../../src/socket/queue.js";

/** More than one run of slots. */
const MANY = 1000;

function filled(count: number): Queue<number> {
  const queue = new Queue<number>();
  for (let i = 0; i < count; i++) queue.push(i);
  return queue;
}

function drain<T>(queue: Queue<T>): T[] {
  const items: T[] = [];
  while (queue.length > 0) items.push(queue.shift() as T);
  return items;
}

describe("Queue", () => {
  it("is empty at first", () => {
    const queue = new Queue<number>();
    expect(queue.length).toBe(0);
    expect(queue.first).toBeUndefined();
    expect(queue.shift()).toBeUndefined();
    expect(queue.length).toBe(0);
  });

  it("gives items in the order they came, over many runs", () => {
    const queue = filled(MANY);
    expect(queue.length).toBe(MANY);
    expect(drain(queue)).toEqual(Array.from({ length: MANY }, (_, i) => i));
    expect(queue.shift()).toBeUndefined();
  });

  it("shows the item that comes next, and leaves it there", () => {
    const queue = filled(300);
    for (let i = 0; i < 300; i++) {
      expect([queue.first, queue.first, queue.length]).toEqual([i, i, 300 - i]);
      queue.shift();
    }
    expect(queue.first).toBeUndefined();
    queue.push(7);
    queue.unshift(-1);
    expect(queue.first).toBe(-1);
    queue.clear();
    expect(queue.first).toBeUndefined();
  });

  it("can be used again after it was empty", () => {
    const queue = filled(MANY);
    drain(queue);
    queue.push(7);
    expect(drain(queue)).toEqual([7]);
  });

  it("keeps its order when it is filled and emptied in turn", () => {
    const queue = new Queue<number>();
    let next = 0;
    let expected = 0;
    for (let round = 0; round < MANY; round++) {
      for (let i = 0; i < 3; i++) queue.push(next++);
      for (let i = 0; i < 2; i++) expect(queue.shift()).toBe(expected++);
    }
    expect(queue.length).toBe(MANY);
  });

  it("takes an item back in front, again and again", () => {
    const queue = filled(2);
    for (let i = 1; i <= MANY; i++) queue.unshift(-i);
    expect(queue.length).toBe(MANY + 2);
    expect(queue.shift()).toBe(-MANY);
    expect(drain(queue).slice(-3)).toEqual([-1, 0, 1]);
  });

  it("takes an item back when it is empty", () => {
    const queue = new Queue<number>();
    queue.unshift(1);
    queue.push(2);
    expect(drain(queue)).toEqual([1, 2]);
  });

  it("takes an item back at the end of a run", () => {
    for (const taken of [127, 128, 129]) {
      const queue = filled(300);
      for (let i = 0; i < taken; i++) queue.shift();
      queue.unshift(-1);
      expect(queue.shift()).toBe(-1);
      expect(queue.shift()).toBe(taken);
    }
  });

  it("holds falsy items", () => {
    const queue = new Queue<number | undefined | null>();
    for (const item of [0, undefined, null]) queue.push(item);
    expect(queue.length).toBe(3);
    expect(drain(queue)).toEqual([0, undefined, null]);
  });

  it("forgets all at clear", () => {
    const queue = filled(MANY);
    queue.clear();
    expect(queue.length).toBe(0);
    expect(queue.shift()).toBeUndefined();
    queue.push(1);
    expect(drain(queue)).toEqual([1]);
  });

  it("forgets an item once it is taken", async () => {
    const gc = globalThis.gc as () => void;
    const queue = new Queue<object>();
    const refs = ((): WeakRef<object>[] => {
      const items = Array.from({ length: 300 }, () => ({}));
      for (const item of items) queue.push(item);
      for (let i = 0; i < 299; i++) queue.shift();
      return items.map((item) => new WeakRef(item));
    })();
    await new Promise((resolve) => setImmediate(resolve));
    gc();
    expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([refs[299]]);
    expect(queue.shift()).toBe(refs[299]?.deref());
  });

  it("is an array with push, shift and unshift", () => {
    const operation = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant("push"), times: fc.nat(200) }) },
      { weight: 5, arbitrary: fc.record({ do: fc.constant("shift"), times: fc.nat(200) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("unshift"), times: fc.nat(140) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("clear"), times: fc.constant(1) }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30, size: "max" }), (operations) => {
        const queue = new Queue<number>();
        let model: number[] = [];
        let next = 0;
        for (const { do: what, times } of operations) {
          for (let i = 0; i < times; i++) {
            if (what === "push") {
              queue.push(next);
              model.push(next++);
            } else if (what === "unshift") {
              queue.unshift(next);
              model.unshift(next++);
            } else if (what === "shift") {
              if (queue.shift() !== model.shift()) return false;
            } else {
              queue.clear();
              model = [];
            }
            if (queue.length !== model.length || queue.first !== model[0]) return false;
          }
        }
        expect(drain(queue)).toEqual(model);
        return true;
      }),
      { numRuns: 200 },
    );
  });
});
