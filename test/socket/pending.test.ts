import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Hold } from "../../src/socket/hold.js";
import { Pending } from "../../src/socket/pending.js";

let hold: Hold;
let order: unknown[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  hold = new Hold();
  order = [];
});

afterEach(() => {
  vi.useRealTimers();
});

function make(timeoutMs = -1, signal?: AbortSignal): Pending<string> {
  const pending = new Pending<string>(
    hold,
    (value) => order.push(["resolved", value]),
    (error) => order.push(["rejected", error]),
    () => order.push(["failed"]),
  );
  pending.limit(timeoutMs, signal, () => "EAGAIN");
  return pending;
}

const EAGAIN = expect.objectContaining({ code: "EAGAIN" });

describe("Pending", () => {
  it("resolves, and holds the process until then", () => {
    const pending = make();
    expect(hold.count).toBe(1);
    pending.resolve("value");
    expect(order).toEqual([["resolved", "value"]]);
    expect(hold.count).toBe(0);
  });

  it("rejects, and says so before", () => {
    const error = new Error("own");
    make().reject(error);
    expect(order).toEqual([["failed"], ["rejected", error]]);
    expect(hold.count).toBe(0);
  });

  it("-1: waits for ever, without a timer", () => {
    make(-1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("times out with EAGAIN, not earlier", () => {
    make(30);
    vi.advanceTimersByTime(29);
    expect(order).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(order).toEqual([["failed"], ["rejected", EAGAIN]]);
    expect(hold.count).toBe(0);
  });

  it("leaves no timer behind", () => {
    make(30).resolve("value");
    expect(vi.getTimerCount()).toBe(0);
    make(30).reject(new Error("own"));
    expect(vi.getTimerCount()).toBe(0);
  });

  it("takes the longest timeout there is", () => {
    make(2 ** 31 - 1);
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(order).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(order).toHaveLength(2);
  });

  it("rejects with the reason of its signal", () => {
    const abort = new AbortController();
    const reason = { why: "own" };
    make(30, abort.signal);
    abort.abort(reason);
    expect(order).toEqual([["failed"], ["rejected", reason]]);
    expect([hold.count, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("leaves no listener on a signal that lives on", () => {
    const abort = new AbortController();
    const added = vi.spyOn(abort.signal, "addEventListener");
    const removed = vi.spyOn(abort.signal, "removeEventListener");
    make(-1, abort.signal).resolve("value");
    make(-1, abort.signal).reject(new Error("own"));
    expect(removed.mock.calls.map((call) => call[1])).toEqual(added.mock.calls.map((c) => c[1]));
    expect(added).toHaveBeenCalledTimes(2);
    order = [];
    abort.abort();
    expect(order).toEqual([]);
  });

  it("ends once: timeout, then signal", () => {
    const abort = new AbortController();
    make(30, abort.signal);
    vi.advanceTimersByTime(30);
    abort.abort();
    expect(order).toHaveLength(2);
    expect(hold.count).toBe(0);
  });
});
