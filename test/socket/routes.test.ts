import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Pipe } from "../../src/socket/pipe.js";
import { Routes } from "../../src/socket/routes.js";

/** Ids that are made up begin close to the end of the numbers: they have to go on at 0. */
const START = 2 ** 32 - 3;

vi.mock("../../src/random.js", () => ({ randomInt: () => START }));

let routes: Routes;

function pipe(): Pipe {
  const unbound = { messages: 0, bytes: 0 };
  return Pipe.pair(unbound, unbound)[0];
}

/** A peer that gave itself an id. */
function peer(id: string): Pipe {
  const peer = pipe();
  routes.add(peer, octets(id));
  return peer;
}

function octets(id: string): Buffer {
  return Buffer.from(id, "latin1");
}

/** The id that is made up for a number. */
function madeUp(number: number): Buffer {
  const id = Buffer.alloc(5);
  id.writeUInt32BE(number % 2 ** 32, 1);
  return id;
}

beforeEach(() => {
  routes = new Routes();
});

describe("Routes", () => {
  it("finds a peer by its id, octet by octet", () => {
    const ids = ["a", "A", "aa", "\xff", "\xff\xfe", "\0\0\0\0\0", "x".repeat(255)];
    const peers = ids.map(peer);
    expect(ids.map((id) => routes.find(octets(id)))).toEqual(peers);
    expect(routes.find(octets("b"))).toBeUndefined();
    expect(routes.find(octets(""))).toBeUndefined();
    expect([routes.size, [...routes.pipes]]).toEqual([ids.length, peers]);
  });

  it("finds a peer though the octets of its id were changed afterwards", () => {
    const id = octets("a");
    const peer = pipe();
    routes.add(peer, id);
    id.fill("b");
    expect([routes.find(octets("a")), routes.find(octets("b"))]).toEqual([peer, undefined]);
  });

  it("says what a pipe's peer is called, in the pipe", () => {
    const [a, b] = [peer("a"), pipe()];
    routes.replace(b, octets("b"));
    expect([a, b].map(({ routingId }) => String(routingId))).toEqual(["a", "b"]);
  });

  it("the first of several with one id has it, the others get it in their order", () => {
    const peers = [peer("a"), peer("a"), peer("a")];
    const holders: (Pipe | undefined)[] = [];
    for (const peer of peers) {
      holders.push(routes.find(octets("a")));
      expect(routes.delete(peer)).toBe(peers[holders.length]);
    }
    expect(holders).toEqual(peers);
    expect([routes.find(octets("a")), routes.size]).toEqual([undefined, 0]);
  });

  it("says whether a peer has its id, or has to wait", () => {
    expect(routes.add(pipe(), octets("a"))).toBe(true);
    expect(routes.add(pipe(), octets("a"))).toBe(false);
    expect(routes.add(pipe(), octets("b"))).toBe(true);
    expect(routes.size).toBe(2);
  });

  it("forgets one that waits", () => {
    const [holder, waiting, next] = [peer("a"), peer("a"), peer("a")];
    expect(routes.delete(waiting)).toBeUndefined();
    expect(routes.find(octets("a"))).toBe(holder);
    expect(routes.delete(holder)).toBe(next);
  });

  it("forgetting twice, or one that never came, changes nothing", () => {
    const [a, b] = [peer("a"), peer("a")];
    routes.delete(a);
    expect([routes.delete(a), routes.delete(pipe()), routes.find(octets("a"))]).toEqual([
      undefined,
      undefined,
      b,
    ]);
  });

  it("gives an id to another, who is then the one to have it", () => {
    const [holder, heir] = [peer("a"), pipe()];
    expect(routes.replace(heir, octets("a"))).toBe(holder);
    expect(routes.delete(holder)).toBeUndefined();
    expect(routes.find(octets("a"))).toBe(heir);
    expect(routes.replace(pipe(), octets("new"))).toBeUndefined();
  });

  it("leaves those who wait where they are when an id changes hands", () => {
    const [, waiting] = [peer("a"), peer("a")];
    const heir = pipe();
    routes.replace(heir, octets("a"));
    expect(routes.delete(heir)).toBe(waiting);
  });

  it("forgets all at clear", () => {
    const [a] = [peer("a"), peer("a")];
    routes.clear();
    expect([routes.size, routes.find(octets("a")), routes.delete(a)]).toEqual([
      0,
      undefined,
      undefined,
    ]);
    const newcomer = pipe();
    expect(routes.add(newcomer, octets("a"))).toBe(true);
    expect(routes.delete(newcomer)).toBeUndefined();
  });
});

describe("ids that are made up", () => {
  it("are five octets, the first of them zero, the rest a number that counts on", () => {
    const ids = Array.from({ length: 5 }, () => routes.generate());
    expect(ids).toEqual([0, 1, 2, 3, 4].map((i) => madeUp(START + i)));
    expect(ids[3]).toEqual(Buffer.alloc(5));
  });

  it("are each an object of its own", () => {
    const first = routes.generate();
    routes.generate();
    expect(first).toEqual(madeUp(START));
  });

  it("are never one that somebody has", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(9), { maxLength: 9 }), (taken) => {
        routes = new Routes();
        for (const number of taken) routes.add(pipe(), madeUp(START + number));
        const free = Array.from({ length: 12 }, (_, i) => i).filter((i) => !taken.includes(i));
        for (const i of free) {
          const id = routes.generate();
          expect(id).toEqual(madeUp(START + i));
          expect(routes.add(pipe(), id)).toBe(true);
        }
      }),
    );
  });
});

describe("Routes, whoever comes and goes", () => {
  const id = fc.constantFrom("a", "b", "\xff", "\0\0\0\0\x01");
  const operation = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("add"), id, who: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("replace"), id, who: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("generate"), id, who: fc.nat(9) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("delete"), id, who: fc.nat(9) }) },
  );

  it("are a map from each id to a list of peers, the first of whom has it", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (operations) => {
        routes = new Routes();
        const model = new Map<string, Pipe[]>();
        /** Everybody who has not been forgotten, and what they are called. */
        const everybody: { peer: Pipe; id: string }[] = [];
        const listOf = (id: string): Pipe[] => model.get(id) ?? [];
        for (const { do: what, id: given, who } of operations) {
          const id = what === "generate" ? routes.generate().toString("latin1") : given;
          if (what === "delete") {
            const [entry] = everybody.splice(who % Math.max(everybody.length, 1), 1);
            if (entry === undefined) continue;
            const list = listOf(entry.id);
            const heir = list[0] === entry.peer ? list[1] : undefined;
            model.set(
              entry.id,
              list.filter((other) => other !== entry.peer),
            );
            expect(routes.delete(entry.peer)).toBe(heir);
          } else {
            const peer = pipe();
            everybody.push({ peer, id });
            const list = listOf(id);
            if (what === "generate") expect(list).toEqual([]);
            if (what === "replace") {
              expect(routes.replace(peer, octets(id))).toBe(list[0]);
              model.set(id, [peer, ...list.slice(1)]);
            } else {
              expect(routes.add(peer, octets(id))).toBe(list.length === 0);
              model.set(id, [...list, peer]);
            }
          }
          for (const [id, [holder]] of model) expect(routes.find(octets(id))).toBe(holder);
          const holders = [...model.values()].flatMap((list) => list.slice(0, 1));
          expect(new Set(routes.pipes)).toEqual(new Set(holders));
          expect(routes.size).toBe(holders.length);
        }
      }),
      { numRuns: 100 },
    );
  });
});
