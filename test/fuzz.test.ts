import { describe, expect, it } from "vitest";
import { corpusOf, Fuzzer } from "../fuzz/fuzzer.js";
import { TARGETS } from "../fuzz/targets/index.js";

describe.each(TARGETS.map((target) => [target.name, target] as const))("%s", (_, target) => {
  it("reaches every state and error code over its corpus, and no other", () => {
    const corpus = corpusOf(target);
    expect(corpus.length).toBeGreaterThan(0);
    const reached = new Set<string>();
    for (const input of corpus) target.execute(input, (state) => reached.add(state));
    expect([...reached].sort()).toEqual([...target.states].sort());
  });

  it.each([1, 2, 3])("holds its invariant on 2,000 inputs of seed %i", (seed) => {
    const fuzzer = new Fuzzer(target, seed);
    while (fuzzer.executions < 2000) fuzzer.step();
    expect(fuzzer.missing).toEqual([]);
  });

  it("takes an input of nothing, and of zeros", () => {
    for (const size of [0, 1, 4, 5, 6, 100]) target.execute(new Uint8Array(size), () => {});
  });
});

it("the same seed leads to the same inputs", () => {
  for (const target of TARGETS) {
    const inputs = [7, 7].map((seed) => {
      const seen: Uint8Array[] = [];
      const recording = { ...target, execute: (input: Uint8Array) => void seen.push(input) };
      const fuzzer = new Fuzzer(recording, seed);
      for (let i = 0; i < 50; i++) fuzzer.step();
      return seen;
    });
    expect(inputs[0]).toEqual(inputs[1]);
  }
});
