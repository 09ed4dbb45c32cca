import fc from "fast-check";
import { expect, it } from "vitest";
import { Renewal } from "../../src/socket/renewal.js";

/** A peer, all that it is subscribed to, and what of that it lost for not having renewed it. */
function peer() {
  const renewal = new Renewal();
  const names = new Set<string>();
  return {
    names,
    ask(...asked: string[]): void {
      for (const name of asked) {
        renewal.ask(name);
        names.add(name);
      }
    },
    cancel(name: string): void {
      renewal.cancel(name);
      names.delete(name);
    },
    go(): string[] {
      const lost: string[] = [];
      renewal.gone(names, (name) => {
        lost.push(name);
        names.delete(name);
      });
      return lost;
    },
  };
}

it("a peer that goes for the first time loses nothing", () => {
  const { ask, go } = peer();
  ask("a", "b");
  expect(go()).toEqual([]);
});

it("one that goes again loses what it has not asked for since it came", () => {
  const { ask, go, names } = peer();
  ask("a", "b");
  go();
  ask("b", "c");
  expect([go(), [...names]]).toEqual([["a"], ["b", "c"]]);
  ask("c");
  expect([go(), [...names]]).toEqual([["b"], ["c"]]);
  expect([go(), [...names]]).toEqual([["c"], []]);
});

it("what it has asked for and cancelled is not renewed", () => {
  const renewal = new Renewal();
  renewal.gone([], () => {});
  renewal.ask("a");
  renewal.ask("b");
  renewal.cancel("a");
  const lost: string[] = [];
  renewal.gone(["a", "b"], (name) => lost.push(name));
  expect(lost).toEqual(["a"]);
});

it("however often it comes and goes: what is kept was asked for in one of its last two stays", () => {
  const stay = fc.array(fc.constantFrom("a", "b", "c", "d", "e"), { maxLength: 5 });
  fc.assert(
    fc.property(fc.array(stay, { minLength: 1, maxLength: 8 }), (stays) => {
      const one = peer();
      for (const [i, asked] of stays.entries()) {
        one.ask(...asked);
        const before = i === 0 ? [] : (stays[i - 1] as string[]);
        expect([...one.names].sort()).toEqual([...new Set([...before, ...asked])].sort());
        one.go();
      }
    }),
  );
});
