import { describe, expect, it } from "vitest";
import { SurplusDelays } from "../../src/socket/surplus.js";

describe("SurplusDelays", () => {
  it("grow for an address that comes again and again, up to 10 s", () => {
    const delays = new SurplusDelays();
    const taken = Array.from({ length: 7 }, () => delays.next("a"));
    expect(taken).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
  });

  it("are each address's own", () => {
    const delays = new SurplusDelays();
    delays.next("a");
    expect([delays.next("b"), delays.next("a")]).toEqual([1000, 2000]);
  });

  it("start over for one that got a place", () => {
    const delays = new SurplusDelays();
    delays.next("a");
    delays.next("b");
    delays.forget("a");
    expect([delays.next("a"), delays.next("b")]).toEqual([1000, 2000]);
  });

  it("remember 1,024 addresses, those that came last", () => {
    const delays = new SurplusDelays();
    delays.next("oldest");
    delays.next("kept");
    for (let i = 0; i < 1022; i++) delays.next(String(i));
    expect(delays.next("kept")).toBe(2000);
    delays.next("one more");
    expect(delays.next("kept")).toBe(4000);
    expect(delays.next("oldest")).toBe(1000);
  });
});
