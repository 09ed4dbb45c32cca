import { describe, expect, it } from "vitest";
import { Backoff, type BackoffOptions } from "../../src/transport/backoff.js";

function delays(options: BackoffOptions, random: number, count: number): (number | undefined)[] {
  const backoff = new Backoff(options, () => random);
  return Array.from({ length: count }, () => backoff.next());
}

describe("Backoff", () => {
  it.each([
    [{ intervalMs: 100, maxMs: 0 }, 0, [100, 100, 100, 100]],
    [{ intervalMs: 100, maxMs: 0 }, 0.5, [150, 150, 150, 150]],
    [{ intervalMs: 100, maxMs: 1000 }, 0, [100, 200, 400, 800, 500, 500]],
    [{ intervalMs: 100, maxMs: 1000 }, 0.5, [150, 300, 600, 1000, 750, 750]],
    [{ intervalMs: 100, maxMs: 50 }, 0, [50, 50, 50]],
    [{ intervalMs: 100, maxMs: 100 }, 0.5, [75, 75]],
    [{ intervalMs: 0, maxMs: 0 }, 0, [undefined, undefined]],
    [{ intervalMs: -1, maxMs: 1000 }, 0, [undefined, undefined]],
  ])("%o, random %d: %o", (options, random, expected) => {
    expect(delays(options, random, expected.length)).toEqual(expected);
  });

  it("never passes its bound, however often it is asked", () => {
    for (const delay of delays({ intervalMs: 1, maxMs: 5000 }, 0.999, 5000)) {
      expect(delay).toBeLessThanOrEqual(5000);
    }
  });

  it("doubles after failures without a bound in the options, up to half a minute", () => {
    const backoff = new Backoff({ intervalMs: 100, maxMs: 0 }, () => 0);
    const grown = Array.from({ length: 12 }, () => {
      backoff.failed();
      return backoff.next();
    });
    expect(grown.slice(0, 5)).toEqual([200, 400, 800, 1600, 3200]);
    expect(grown.at(-1)).toBe(15_000);
    expect(backoff.next()).toBe(15_000);
  });

  it("starts over after a success", () => {
    const backoff = new Backoff({ intervalMs: 100, maxMs: 1000 }, () => 0);
    backoff.failed();
    expect([backoff.next(), backoff.next()]).toEqual([100, 200]);
    backoff.reset();
    expect([backoff.next(), backoff.next()]).toEqual([100, 200]);
  });

  it("differs from one to the next", () => {
    const one = new Backoff({ intervalMs: 1000, maxMs: 0 });
    const all = Array.from({ length: 100 }, () => one.next() as number);
    expect(new Set(all).size).toBeGreaterThan(10);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(1000);
    expect(Math.max(...all)).toBeLessThanOrEqual(2000);
  });
});
