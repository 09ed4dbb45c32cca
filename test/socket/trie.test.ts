import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Trie } from "../../src/socket/trie.js";

function octets(topic: string): Buffer {
  return Buffer.from(topic, "latin1");
}

/** What `match` visits, in its order. */
function visited<T>(trie: Trie<T>, message: string): T[] {
  const values: T[] = [];
  // What it says is not true, whatever else it may be.
  trie.match(octets(message), (value) => values.push(value));
  return values;
}

function trieOf(...topics: string[]): Trie<string> {
  const trie = new Trie<string>();
  for (const topic of topics) trie.set(topic, topic);
  return trie;
}

describe("Trie", () => {
  it("is empty at first", () => {
    const trie = new Trie<number>();
    expect([trie.size, trie.get(""), trie.matches(octets("a"))]).toEqual([0, undefined, false]);
    expect([...trie.entries()]).toEqual([]);
    expect(trie.delete("")).toBe(false);
  });

  it("visits all topics that a message begins with, the shortest first", () => {
    const trie = trieOf("abc", "", "ab", "abd", "b", "abcde");
    expect(visited(trie, "abcd")).toEqual(["", "ab", "abc"]);
    expect(visited(trie, "abcde")).toEqual(["", "ab", "abc", "abcde"]);
    expect(visited(trie, "")).toEqual([""]);
  });

  it("visits no more once that is enough", () => {
    const trie = trieOf("", "a", "ab");
    const seen: string[] = [];
    expect(trie.match(octets("ab"), (topic) => seen.push(topic) === 2)).toBe(true);
    expect(seen).toEqual(["", "a"]);
    expect(trie.match(octets("ab"), () => false)).toBe(false);
  });

  it("the empty topic is one like any other", () => {
    const trie = trieOf("");
    expect([trie.size, trie.get(""), trie.matches(octets("x")), trie.matches(octets(""))]).toEqual([
      1,
      "",
      true,
      true,
    ]);
    expect([trie.delete(""), trie.delete(""), trie.size]).toEqual([true, false, 0]);
    expect(trie.matches(octets("x"))).toBe(false);
  });

  it("a message shorter than a topic does not match it, one that parts from it neither", () => {
    const trie = trieOf("topic");
    for (const message of ["", "t", "topi", "topix", "Topic", "xtopic"]) {
      expect(trie.matches(octets(message))).toBe(false);
    }
    for (const message of ["topic", "topics", "topic\0"]) {
      expect(trie.matches(octets(message))).toBe(true);
    }
  });

  it("a beginning that topics have in common is no topic itself", () => {
    const trie = trieOf("abx", "aby");
    expect([trie.get("ab"), trie.get("a"), trie.delete("ab"), trie.size]).toEqual([
      undefined,
      undefined,
      false,
      2,
    ]);
    expect(visited(trie, "abz")).toEqual([]);
  });

  it("a value takes the place of another", () => {
    const trie = new Trie<number>();
    trie.set("a", 1);
    trie.set("a", 2);
    expect([trie.size, trie.get("a")]).toEqual([1, 2]);
  });

  it("holds every octet apart from every other", () => {
    const all = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet));
    const trie = trieOf(...all);
    for (const topic of all) expect(visited(trie, `${topic}x`)).toEqual([topic]);
    for (const topic of all.filter((_, i) => i % 2 === 0)) expect(trie.delete(topic)).toBe(true);
    const left = all.filter((topic) => trie.matches(octets(topic)));
    expect(left).toEqual(all.filter((_, i) => i % 2 === 1));
  });

  it("holds topics of any length", () => {
    const long = "x".repeat(100_000);
    const trie = trieOf(long, `${long}y`, long.slice(0, 256));
    expect(visited(trie, `${long}yz`).map(({ length }) => length)).toEqual([256, 100_000, 100_001]);
    expect(trie.delete(long)).toBe(true);
    expect(visited(trie, `${long}yz`).map(({ length }) => length)).toEqual([256, 100_001]);
  });

  it("keeps nothing of topics that are gone, though others began with them", () => {
    const trie = new Trie<true>();
    const churn = (from: number): void => {
      const topics = Array.from({ length: 10_000 }, (_, i) => `${from + i}.`.repeat(3));
      for (const topic of topics) for (const end of ["", "x", "xy"]) trie.set(topic + end, true);
      for (const topic of topics) for (const end of ["", "xy", "x"]) trie.delete(topic + end);
    };
    churn(0);
    const before = heapUsed();
    for (let round = 1; round <= 5; round++) churn(round * 10_000);
    // A node for each of the topics would be some 10 MB.
    expect(heapUsed() - before).toBeLessThan(1e6);
  });

  it("reads a message where it lies in a larger piece of memory", () => {
    const around = octets("abcabcabc");
    expect(trieOf("ca").matches(around.subarray(2, 4))).toBe(true);
    expect(trieOf("cab").matches(around.subarray(2, 4))).toBe(false);
  });
});

function heapUsed(): number {
  (globalThis.gc as () => void)();
  return process.memoryUsage().heapUsed;
}

/** Topics that have beginnings in common, and are beginnings of each other. */
const TOPICS: [string, fc.Arbitrary<string>][] = [
  ["of two letters", fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 })],
  ["of one letter", fc.string({ unit: fc.constant("a"), maxLength: 9 })],
  [
    "at the ends of what an octet can be",
    fc.string({ unit: fc.constantFrom("\0", "\x01", "\x7f", "\x80", "\xff"), maxLength: 3 }),
  ],
  ["of any octets", fc.uint8Array({ maxLength: 3 }).map((topic) => String.fromCharCode(...topic))],
  [
    "longer than 255 octets, that part late or not at all",
    fc
      .tuple(
        fc.constantFrom(254, 255, 256, 300),
        fc.string({ unit: fc.constantFrom("x", "y"), maxLength: 3 }),
      )
      .map(([size, end]) => "x".repeat(size) + end),
  ],
];

describe.each(TOPICS)("Trie, of topics %s", (_, topic) => {
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("set"), topic }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("delete"), topic }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("match"), topic }) },
  );

  it("is a plain map, whatever is done", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (operations) => {
        const trie = new Trie<number>();
        const model = new Map<string, number>();
        for (const [i, { do: what, topic }] of operations.entries()) {
          if (what === "set") {
            trie.set(topic, i);
            model.set(topic, i);
          } else if (what === "delete") {
            expect(trie.delete(topic)).toBe(model.delete(topic));
          } else {
            const expected = matching(model, topic);
            expect(visited(trie, topic)).toEqual(expected);
            expect(trie.matches(octets(topic))).toBe(expected.length > 0);
          }
          expect([trie.size, trie.get(topic)]).toEqual([model.size, model.get(topic)]);
        }
        expect([...trie.entries()]).toEqual([...model].sort(byTopic));
        for (const topic of model.keys()) expect(trie.delete(topic)).toBe(true);
        expect([trie.size, [...trie.entries()]]).toEqual([0, []]);
      }),
      { numRuns: 80 },
    );
  });
});

/** What a message begins with, looked at one topic after the other. */
function matching(model: Map<string, number>, message: string): number[] {
  return [...model]
    .filter(([topic]) => message.startsWith(topic))
    .sort(([a], [b]) => a.length - b.length)
    .map(([, value]) => value);
}

function byTopic([a]: [string, number], [b]: [string, number]): number {
  return a < b ? -1 : 1;
}
