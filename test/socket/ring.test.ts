import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Ring } from "../../src/socket/ring.js";

let ring: Ring<string>;

/** Whose turn it is, and whose it will be then, until it is the first one's again. */
function round(): string[] {
  const turns: string[] = [];
  for (let it = ring.current; it !== undefined && !turns.includes(it); it = ring.current) {
    turns.push(it);
    ring.advance();
  }
  return turns;
}

function open(...items: string[]): void {
  ring = new Ring();
  for (const item of items) {
    ring.add(item);
    ring.activate(item);
  }
}

beforeEach(() => open("a", "b", "c"));

describe("Ring", () => {
  it("gives turns in the order in which items became active, round and round", () => {
    expect([round(), round()]).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
  });

  it("is nobody's turn while nobody is active", () => {
    open();
    ring.advance();
    expect([ring.current, ring.size, [...ring.items]]).toEqual([undefined, 0, []]);
    ring.add("a");
    expect([ring.current, ring.size, ring.has("a")]).toEqual([undefined, 1, true]);
  });

  it("one that becomes active has its first turn after all others", () => {
    ring.advance();
    ring.add("d");
    ring.activate("d");
    expect(round()).toEqual(["b", "c", "a", "d"]);
  });

  it("activating one that is active changes nothing", () => {
    ring.advance();
    ring.activate("a");
    ring.activate("b");
    expect(round()).toEqual(["b", "c", "a"]);
  });

  it("activating one that was not added changes nothing", () => {
    ring.activate("x");
    expect([round(), ring.has("x"), ring.size]).toEqual([["a", "b", "c"], false, 3]);
  });

  it("adding one that is there changes nothing", () => {
    ring.add("a");
    expect([round(), ring.size]).toEqual([["a", "b", "c"], 3]);
  });

  it("passes the turn on when it is taken from the current one", () => {
    ring.deactivate("a");
    expect(round()).toEqual(["b", "c"]);
    ring.delete("b");
    expect(round()).toEqual(["c"]);
    ring.deactivate("c");
    expect([ring.current, [...ring.items]]).toEqual([undefined, ["a", "c"]]);
  });

  it("leaves the turn where it is when another goes", () => {
    ring.advance();
    ring.delete("a");
    expect(round()).toEqual(["b", "c"]);
  });

  it("deactivating or deleting twice is doing it once", () => {
    ring.deactivate("b");
    ring.deactivate("b");
    ring.delete("c");
    ring.delete("c");
    ring.deactivate("c");
    expect([round(), [...ring.items]]).toEqual([["a"], ["a", "b"]]);
  });

  it("forgets all at clear, and can be used again", () => {
    ring.clear();
    expect([ring.current, ring.size, ring.has("a")]).toEqual([undefined, 0, false]);
    ring.add("a");
    ring.activate("a");
    expect(round()).toEqual(["a"]);
  });

  it("is two lists, whatever is done", () => {
    const item = fc.constantFrom("a", "b", "c", "d", "e");
    const what = fc.oneof(
      { weight: 3, arbitrary: fc.constant("add") },
      { weight: 6, arbitrary: fc.constant("activate") },
      { weight: 3, arbitrary: fc.constant("deactivate") },
      { weight: 2, arbitrary: fc.constant("delete") },
      { weight: 5, arbitrary: fc.constant("advance") },
    );
    const operation = fc.record({ what, item });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (operations) => {
        open();
        let items: string[] = [];
        let active: string[] = [];
        for (const { what, item } of operations) {
          if (what === "advance") {
            ring.advance();
            active.push(...active.splice(0, 1));
          } else {
            ring[what as "add" | "activate" | "deactivate" | "delete"](item);
            if (what === "add" && !items.includes(item)) items.push(item);
            if (what === "activate" && items.includes(item) && !active.includes(item)) {
              active.push(item);
            }
            if (what === "deactivate" || what === "delete") {
              active = active.filter((other) => other !== item);
            }
            if (what === "delete") items = items.filter((other) => other !== item);
          }
          expect(ring.current).toBe(active[0]);
          expect([[...ring.items], ring.size, ring.has(item)]).toEqual([
            items,
            items.length,
            items.includes(item),
          ]);
          expect(round()).toEqual(active);
        }
      }),
      { numRuns: 300 },
    );
  });
});
