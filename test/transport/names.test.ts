import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SharedNames } from "../../src/transport/names.js";

const name = fc.oneof(fc.constantFrom("", "a", "b", "name", "näme", "名"), fc.string());

describe("names that threads share", () => {
  it("are as in a plain table, whoever looks", () => {
    const step = fc.record({
      do: fc.constantFrom("claim", "release", "find", "purge"),
      thread: fc.nat(2),
      name,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const first = new SharedNames(0);
        const threads = [first, new SharedNames(1, first.memory), new SharedNames(2, first.memory)];
        const model = new Map<string, number>();
        for (const it of steps) {
          const names = threads[it.thread] as SharedNames;
          if (it.do === "claim") {
            expect(names.claim(it.name)).toBe(!model.has(it.name));
            if (!model.has(it.name)) model.set(it.name, it.thread);
          } else if (it.do === "release") {
            names.release(it.name);
            if (model.get(it.name) === it.thread) model.delete(it.name);
          } else if (it.do === "purge") {
            names.purge(it.thread);
            for (const [taken, by] of model) if (by === it.thread) model.delete(taken);
          }
          expect(names.find(it.name)).toBe(model.get(it.name));
        }
      }),
    );
  });

  it("have room for more than there was at first, and use it again", () => {
    const names = new SharedNames(0);
    const other = new SharedNames(1, names.memory);
    const before = names.memory.byteLength;
    const all = Array.from({ length: 2000 }, (_, i) => `inproc-${i}`.padEnd(100, "-"));
    for (const it of all) expect(names.claim(it)).toBe(true);
    const grown = names.memory.byteLength;
    expect(grown).toBeGreaterThan(before);
    expect(all.every((it) => other.find(it) === 0)).toBe(true);
    for (const it of all) names.release(it);
    for (const it of all) expect(other.claim(it)).toBe(true);
    expect(names.memory.byteLength).toBe(grown);
  });

  it("are not lost with a thread that was ended while it held the lock", () => {
    const names = new SharedNames(0);
    new Int32Array(names.memory)[0] = 8;
    expect(names.claim("a")).toBe(true);
    expect(names.find("a")).toBe(0);
  });
});
