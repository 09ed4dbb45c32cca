import { describe, expect, it } from "vitest";
import type { Event } from "../../src/events.js";
import { Monitor } from "../../src/socket/monitor.js";

const BIND: Event = { type: "bind", address: "tcp://127.0.0.1:1" };

function watcher(): { seen: Event[]; notify: (event: Event) => void } {
  const seen: Event[] = [];
  return { seen, notify: (event) => seen.push(event) };
}

describe("Monitor", () => {
  it("tells all who watch, and nobody else", () => {
    const monitor = new Monitor();
    const [one, other, gone] = [watcher(), watcher(), watcher()];
    for (const it of [one, other, gone]) monitor.watch(it);
    monitor.unwatch(gone);
    monitor.emit(BIND);
    expect([one.seen, other.seen, gone.seen]).toEqual([[BIND], [BIND], []]);
  });

  it("ends once, and says nothing afterwards", () => {
    const monitor = new Monitor();
    const it = watcher();
    monitor.watch(it);
    expect(monitor.ended).toBe(false);
    monitor.end();
    monitor.end();
    monitor.emit(BIND);
    expect(it.seen).toEqual([{ type: "end" }]);
    expect(monitor.ended).toBe(true);
  });

  it("bears watchers that leave while they are told", () => {
    const monitor = new Monitor();
    const last = watcher();
    const leaving = {
      notify: () => monitor.unwatch(leaving),
    };
    monitor.watch(leaving);
    monitor.watch(last);
    monitor.emit(BIND);
    monitor.emit(BIND);
    expect(last.seen).toEqual([BIND, BIND]);
  });
});
