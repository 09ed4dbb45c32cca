import { expect, it } from "vitest";
import { SharedWords } from "../../src/transport/shared-words.js";

const LOCK = 0;

it("who held the lock for too long does not free it for whoever has it by then", () => {
  const one = new SharedWords(1);
  const thief = new SharedWords(2, one.memory);
  one.locked(() => {
    // The other has given it up, as after a breakpoint, and has begun something of its own.
    Atomics.store(thief.words, LOCK, 3);
  });
  expect(Atomics.load(one.words, LOCK)).toBe(3);
});

it("is free again after what was done, even if that throws", () => {
  const words = new SharedWords(1);
  expect(() =>
    words.locked(() => {
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(words.locked(() => "next")).toBe("next");
});
