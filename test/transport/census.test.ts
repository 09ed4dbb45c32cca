import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Census } from "../../src/transport/census.js";

describe("the census of threads", () => {
  it("counts as a plain table does, whoever comes, goes and takes others along", () => {
    const step = fc.record({
      do: fc.constantFrom("start", "add", "remove", "end"),
      who: fc.nat(20),
      most: fc.integer({ min: 1, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const first = new Census(0);
        /** The threads that there are, each with who started it, and its sockets. */
        const model = new Map([[0, { census: first, parent: -1, sockets: 0 }]]);
        const total = (): number => [...model.values()].reduce((sum, it) => sum + it.sockets, 0);
        const end = (thread: number): number[] => {
          model.delete(thread);
          const children = [...model].filter(([, { parent }]) => parent === thread);
          return [thread, ...children.flatMap(([child]) => end(child))];
        };
        let latest = 0;
        for (const { do: what, who, most } of steps) {
          const [thread, it] = [...model][who % model.size] as [number, { census: Census } & Entry];
          if (what === "start") {
            const census = new Census(++latest, thread, first.memory);
            model.set(latest, { census, parent: thread, sockets: 0 });
          } else if (what === "add") {
            const room = total() < most;
            expect(it.census.add(most)).toBe(room);
            if (room) it.sockets++;
          } else if (what === "remove" && it.sockets > 0) {
            it.census.remove();
            it.sockets--;
          } else if (what === "end" && thread !== 0) {
            const gone = first.bury(thread);
            expect(gone.sort()).toEqual(end(thread).sort());
          }
          expect(first.sockets).toBe(total());
        }
      }),
    );
  });

  interface Entry {
    parent: number;
    sockets: number;
  }

  it("has room for more than there was at first, and uses it again", () => {
    const first = new Census(0);
    const before = first.memory.byteLength;
    const many = Array.from({ length: 3000 }, (_, i) => new Census(i + 1, 0, first.memory));
    for (const it of many) it.add(10_000);
    expect(first.sockets).toBe(3000);
    const grown = first.memory.byteLength;
    expect(grown).toBeGreaterThan(before);
    expect(first.bury(0)).toHaveLength(3001);
    for (let i = 0; i < 3001; i++) new Census(4000 + i, undefined, first.memory);
    expect([first.sockets, first.memory.byteLength]).toEqual([0, grown]);
  });

  it("is not lost with a thread that was ended while it held the lock", () => {
    const census = new Census(0);
    new Int32Array(census.memory)[0] = 8;
    expect([census.add(2), census.add(2), census.add(2)]).toEqual([true, true, false]);
  });
});
