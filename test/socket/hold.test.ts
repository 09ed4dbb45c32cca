import { afterEach, describe, expect, it, vi } from "vitest";
import { Hold, hold } from "../../src/socket/hold.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A hold and the timers that it has made. */
function make(): { hold: Hold; timers: () => NodeJS.Timeout[] } {
  const spy = vi.spyOn(globalThis, "setInterval");
  return {
    hold: new Hold(),
    timers: () => spy.mock.results.map(({ value }) => value as NodeJS.Timeout),
  };
}

describe("Hold", () => {
  it("makes nothing before it is taken", () => {
    expect(make().timers()).toEqual([]);
  });

  it("keeps the process alive from the first take to the last release", () => {
    const { hold, timers } = make();
    hold.take();
    const [timer] = timers() as [NodeJS.Timeout];
    expect([hold.count, timer.hasRef()]).toEqual([1, true]);
    hold.take();
    hold.release();
    expect([hold.count, timer.hasRef()]).toEqual([1, true]);
    hold.release();
    expect([hold.count, timer.hasRef()]).toEqual([0, false]);
    clearInterval(timer);
  });

  it("uses one timer, however often it is taken", () => {
    const { hold, timers } = make();
    for (let i = 0; i < 5; i++) {
      hold.take();
      hold.release();
    }
    hold.take();
    expect(timers()).toHaveLength(1);
    expect(timers()[0]?.hasRef()).toBe(true);
    clearInterval(timers()[0]);
  });

  it("is one of the thread's, whichever copy of the library asks", async () => {
    vi.resetModules();
    const copy = await import("../../src/socket/hold.js");
    expect(copy.Hold).not.toBe(Hold);
    expect(copy.hold).toBe(hold);
  });
});
