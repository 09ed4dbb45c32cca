import { expect, it } from "vitest";
import { Budget, DEFAULT_LIMITS } from "../../src/zmtp/limits.js";

it("has the documented defaults", () => {
  expect(DEFAULT_LIMITS).toEqual({
    maxMessageSize: -1,
    maxMultipartSize: 1_073_741_824,
    maxFrames: 65_536,
    maxHandshakeCommandSize: 65_536,
    maxCommandSize: 1_048_576,
    maxProperties: 256,
  });
});

it("a budget gives all or nothing, up to its limit", () => {
  const budget = new Budget(10);
  expect(budget.take(11)).toBe(false);
  expect(budget.take(10)).toBe(true);
  expect(budget.take(1)).toBe(false);
  expect(budget.take(0)).toBe(true);
  budget.give(4);
  expect(budget.used).toBe(6);
  expect(budget.take(Number.POSITIVE_INFINITY)).toBe(false);
  expect(budget.take(4)).toBe(true);
  expect(budget.limit).toBe(10);
});
