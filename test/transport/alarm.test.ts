import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Alarm } from "../../src/transport/alarm.js";

const start = 1000;
let rung: number[];
let alarm: Alarm;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  vi.advanceTimersByTime(start - performance.now());
  rung = [];
  alarm = new Alarm(() => rung.push(performance.now()));
});
afterEach(() => vi.useRealTimers());

it("rings once, at the earliest time that it was set to", () => {
  alarm.set(start + 300);
  alarm.set(start + 100);
  alarm.set(start + 200);
  vi.advanceTimersByTime(1000);
  expect(rung).toEqual([start + 100]);
});

it("can be set again from within", () => {
  const again = new Alarm(() => {
    rung.push(performance.now());
    if (rung.length < 3) again.set(performance.now() + 50);
  });
  again.set(start + 50);
  vi.advanceTimersByTime(1000);
  expect(rung).toEqual([start + 50, start + 100, start + 150]);
});

it("rings as soon as it can for a time that has passed, and never for one that does not come", () => {
  alarm.set(Number.POSITIVE_INFINITY);
  vi.advanceTimersByTime(2 ** 31);
  expect(rung).toEqual([]);
  const late = performance.now();
  alarm.set(start);
  vi.advanceTimersByTime(1);
  expect(rung[0]).toBeLessThanOrEqual(late + 1);
});

it("is set to what no timer takes: it rings too early, and not at once", () => {
  alarm.set(start + 2 ** 40);
  vi.advanceTimersByTime(2 ** 31 - 2);
  expect(rung).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(rung.length).toBe(1);
});

it("does not ring once cancelled, until it is set again", () => {
  alarm.set(start + 100);
  alarm.cancel();
  vi.advanceTimersByTime(200);
  expect(rung).toEqual([]);
  alarm.set(start + 300);
  vi.advanceTimersByTime(200);
  expect(rung).toEqual([start + 300]);
});

it("keeps no process alive", () => {
  vi.useRealTimers();
  const unref = vi.spyOn(Object.getPrototypeOf(setTimeout(() => {}, 0)), "unref");
  alarm.set(performance.now() + 1000);
  expect(unref).toHaveBeenCalledTimes(1);
  alarm.cancel();
  unref.mockRestore();
});
