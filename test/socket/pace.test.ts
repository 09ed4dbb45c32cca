import { beforeEach, describe, expect, it } from "vitest";
import { Pace } from "../../src/socket/pace.js";

const BUDGET_MS = 4;

let now: number;
let scheduled: (() => void)[];
let pace: Pace;

beforeEach(() => {
  now = 1000;
  scheduled = [];
  pace = new Pace(
    () => now,
    (callback) => scheduled.push(callback),
  );
});

/** The next turn of the event loop, if somebody has asked for it. */
function next(): void {
  for (const callback of scheduled.splice(0)) callback();
}

interface LeavingQueue {
  left: number;
  leave: () => void;
  /** The system has room for it again. */
  restart: () => void;
}

/** A queue whose batches take so long. */
function queue(batches: number, ms: number): LeavingQueue {
  const it: LeavingQueue = {
    left: batches,
    leave: () => {
      while (it.left > 0) {
        it.left--;
        now += ms;
        if (!pace.goesOn(it.leave)) break;
      }
      pace.stop();
    },
    restart: () => {
      pace.start();
      it.leave();
    },
  };
  return it;
}

describe("Pace", () => {
  it("lets a queue have its budget of a turn, and not more", () => {
    const { leave } = queue(100, 1);
    for (let turn = 0; turn < 10; turn++) {
      // What others do before is not the queue's.
      now += 50;
      const before = now;
      if (turn === 0) leave();
      else next();
      // Who begins by itself has one batch that nobody counts.
      expect(now - before).toBe(turn === 0 ? BUDGET_MS + 1 : BUDGET_MS);
    }
  });

  it("counts only what queues take", () => {
    const { restart } = queue(100, 0.125);
    const some = queue(24, 0.125);
    for (let i = 0; i < 9; i++) {
      const { left } = some;
      some.restart();
      if (i === 0) expect(left - some.left).toBe(24);
      now += 20;
    }
    const before = now;
    restart();
    expect(now - before).toBe(BUDGET_MS - 3);
  });

  it("asks for one turn, however many batches there are, and for none when nothing is written", () => {
    expect(scheduled).toHaveLength(0);
    queue(20, 0.01).leave();
    expect(scheduled).toHaveLength(1);
    next();
    expect(scheduled).toHaveLength(0);
  });

  it("lets all queues get on, and all of them together no longer than one", () => {
    const queues = Array.from({ length: 50 }, () => queue(40, 1));
    for (const { restart } of queues) restart();
    for (let turns = 0; queues.some(({ left }) => left > 0); turns++) {
      const before = now;
      next();
      expect(now - before).toBeLessThanOrEqual(BUDGET_MS);
      const left = queues.map((it) => it.left);
      expect(Math.max(...left) - Math.min(...left)).toBeLessThanOrEqual(2 * BUDGET_MS);
      expect(turns).toBeLessThan(1000);
    }
  });

  it("a queue that comes to its end asks for nothing more", () => {
    queue(6, 1).restart();
    for (let i = 0; i < 3; i++) next();
    expect([scheduled, now]).toEqual([[], 1006]);
  });

  it("goes on with the others when one throws", () => {
    const thrower = (): void => {
      throw new Error("a listener's");
    };
    const other = queue(3, 1);
    queue(10, 5).restart();
    expect(pace.goesOn(thrower)).toBe(false);
    expect(pace.goesOn(other.leave)).toBe(false);
    expect(() => {
      for (let i = 0; i < 20; i++) next();
    }).toThrow("a listener's");
    for (let i = 0; i < 20; i++) next();
    expect(other.left).toBe(0);
  });
});
