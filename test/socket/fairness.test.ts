import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pair } from "../../src/socket/pair.js";
import { turn } from "../../src/socket/turn.js";
import { until } from "../support/sockets.js";

/**
 * Invariant 5: loops over sockets that never have to wait share the thread with everything else.
 * Turns of the real event loop are counted; the time is what the loops say that they take.
 */
const TURNS = 60;
/** What the first turns learn about the cost of operations is not held against them. */
const LEARNING = 10;
const DELAY_MAX_MS = 10;
/** npm zeromq's tests ask for a turn at least every 512 operations of a loop: a socket has no more. */
const SHARE_MAX = 512;
/** And all of them together no more than these, even if they are fast. */
const OPERATIONS_MAX = 4096;

/** What `count` sockets may do in one turn, all together; each may have begun one more. */
const most = (count: number): number => Math.min(count * SHARE_MAX, OPERATIONS_MAX) + count;

let now = 0;
let operations = 0;
let running = false;
let sockets: Pair[] = [];
let names = 0;

beforeEach(() => {
  now = performance.now();
  operations = 0;
  running = true;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});

afterEach(async () => {
  running = false;
  for (const socket of sockets) socket.close();
  sockets = [];
  // Those who wait for a turn come to their end.
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => turn.defer(resolve));
  vi.restoreAllMocks();
});

/** Two connected sockets, without bounds. */
function pairs(count: number): [Pair, Pair][] {
  return Array.from({ length: count }, () => {
    const name = `inproc://fairness-${names++}`;
    const one = new Pair({ sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 0 });
    const other = new Pair({ sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 0 });
    one.bindSync(name);
    other.connect(name);
    sockets.push(one, other);
    return [one, other];
  });
}

/** One operation of a loop was done, and the program worked on it for a while. */
function work(ms: number): void {
  operations++;
  now += ms;
}

interface TurnOfLoop {
  operations: number;
  ms: number;
}

/** Lets the event loop turn, and says what went on in each turn. */
function turns(count: number): Promise<TurnOfLoop[]> {
  const seen: TurnOfLoop[] = [];
  let before = { operations, now };
  return new Promise((resolve) => {
    const tick = (): void => {
      seen.push({ operations: operations - before.operations, ms: now - before.now });
      before = { operations, now };
      if (seen.length < count) setImmediate(tick);
      else resolve(seen);
    };
    setImmediate(tick);
  });
}

type Work = (ms: number) => void;
type Loop = (one: Pair, other: Pair, work: Work, ms: number) => Promise<void>;

/** Loops that never have to wait. */
const LOOPS: Record<string, Loop> = {
  "await receive": async (one, other, work, ms) => {
    for (let i = 0; i < 10; i++) other.trySend("x");
    while (running) {
      await one.receive();
      other.trySend("x");
      work(ms);
    }
  },
  "for await": async (one, other, work, ms) => {
    for (let i = 0; i < 10; i++) other.trySend("x");
    for await (const [part] of one) {
      other.trySend(part as Buffer);
      work(ms);
      if (!running) return;
    }
  },
  "await send": async (one, other, work, ms) => {
    while (running) {
      await one.send("x");
      other.tryReceive();
      work(ms);
    }
  },
  "receive that fails": async (one, _other, work, ms) => {
    one.receiveTimeout = 0;
    while (running) {
      await one.receive().catch(() => {});
      work(ms);
    }
  },
  "send that fails": async (one, other, work, ms) => {
    other.close();
    one.sendTimeout = 0;
    while (running) {
      await one.send("x").catch(() => {});
      work(ms);
    }
  },
  "two sockets that answer each other": async (one, other, work, ms) => {
    const echo = async (): Promise<void> => {
      while (running) {
        await other.send(await other.receive());
        work(ms);
      }
    };
    void echo().catch(() => {});
    while (running) {
      await one.send("x");
      await one.receive();
      work(ms);
    }
  },
  "a sender for a receiver that waits": async (one, other, work, ms) => {
    const consume = async (): Promise<void> => {
      for await (const _ of other) work(ms);
    };
    void consume();
    while (running) {
      await one.send("x");
      work(ms);
    }
  },
};

const WAKING = new Set([
  "two sockets that answer each other",
  "a sender for a receiver that waits",
]);

describe.each(Object.entries(LOOPS))("%s", (name, loop) => {
  describe.each([1, 16])("%i at once", (count) => {
    function start(ms: number): void {
      for (const [one, other] of pairs(count)) loop(one, other, work, ms).catch(() => {});
    }

    it("turns the event loop every 512 operations, if they are fast", async () => {
      start(0);
      const seen = (await turns(TURNS)).slice(1);
      // Where two sockets wake each other up, both have their share.
      const busy = WAKING.has(name) ? 2 * count : count;
      expect(Math.max(...seen.map((it) => it.operations))).toBeLessThanOrEqual(most(busy));
      // And it gets something done between.
      const total = seen.reduce((sum, turn) => sum + turn.operations, 0);
      expect(total / seen.length).toBeGreaterThan(SHARE_MAX / 8);
    });

    it.each([0.01, 0.5, 2, 9, 50])(
      "delays nobody by 10 ms more than the %d ms that the program takes for one message",
      async (ms) => {
        start(ms);
        const seen = (await turns(TURNS)).slice(LEARNING);
        // Where two sockets wake each other up, both sides of the program take their time.
        const own = WAKING.has(name) ? 2 * ms : ms;
        expect(Math.max(...seen.map((it) => it.ms))).toBeLessThanOrEqual(DELAY_MAX_MS + own);
        expect(Math.max(...seen.map((it) => it.operations))).toBeGreaterThan(0);
      },
    );
  });
});

describe("over tcp", () => {
  const MESSAGES = 4096;

  /** Connected sockets without bounds, the first of each bound. */
  async function wired(count: number): Promise<[Pair, Pair][]> {
    const wires: [Pair, Pair][] = [];
    for (let i = 0; i < count; i++) {
      const options = { sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 0 };
      const [one, other] = [new Pair(options), new Pair(options)];
      sockets.push(one, other);
      await one.bind("tcp://127.0.0.1:*");
      other.connect(one.lastEndpoint as string);
      await until(() => one.writable);
      wires.push([one, other]);
    }
    return wires;
  }

  describe.each([1, 16])("%i at once", (count) => {
    it.each([0, 2])("receiving, %d ms of work", async (ms) => {
      const wires = await wired(count);
      const each = MESSAGES / count;
      for (const [, other] of wires) for (let i = 0; i < each; i++) other.trySend(String(i));
      await until(() => wires.every(([one]) => one.stats().receive.messages === each));
      for (const [one] of wires) {
        (async () => {
          for (let i = 0; i < each && running; i++) {
            expect(String(await one.receive())).toBe(String(i));
            work(ms);
          }
        })().catch(() => {});
      }
      expectFair(await turns(TURNS), count, ms);
      expect(operations).toBeGreaterThan(TURNS / 2);
    });

    it.each([0, 2])("sending, %d ms of work", async (ms) => {
      for (const [one] of await wired(count)) {
        (async () => {
          while (running) {
            await one.send("0123456789");
            work(ms);
          }
        })().catch(() => {});
      }
      expectFair(await turns(TURNS), count, ms);
      expect(operations).toBeGreaterThan(TURNS / 2);
    });
  });

  function expectFair(seen: TurnOfLoop[], count: number, ms: number): void {
    const later = seen.slice(LEARNING);
    expect(Math.max(...later.map((it) => it.operations))).toBeLessThanOrEqual(most(count));
    expect(Math.max(...later.map((it) => it.ms))).toBeLessThanOrEqual(DELAY_MAX_MS + ms);
  }
});

describe("16 loops", () => {
  it("all get on", async () => {
    const done = new Array<number>(16).fill(0);
    for (const [id, [one, other]] of pairs(16).entries()) {
      const count: Work = (ms) => {
        done[id] = (done[id] as number) + 1;
        work(ms);
      };
      LOOPS["await receive"]?.(one, other, count, 0.5).catch(() => {});
    }
    await turns(400);
    expect(Math.min(...done)).toBeGreaterThan(Math.max(...done) / 4);
  });
});

describe("sends that nobody awaits", () => {
  it("are all taken at once, however many, and in their order", async () => {
    const [[one, other]] = pairs(1) as [[Pair, Pair]];
    const sends: Promise<void>[] = [];
    for (let i = 0; i < 3000; i++) sends.push(one.send(String(i)));
    expect(other.stats().receive.messages).toBe(3000);
    await Promise.all(sends);
    for (let i = 0; i < 3000; i++) expect(String(other.tryReceive())).toBe(String(i));
  });

  it("settle in a later turn once this one's share is spent", async () => {
    const [[one]] = pairs(1) as [[Pair, Pair]];
    let settled = 0;
    for (let i = 0; i < 3000; i++) void one.send("x").then(() => settled++);
    await Promise.resolve();
    await Promise.resolve();
    expect(settled).toBeLessThanOrEqual(SHARE_MAX);
    await turns(30);
    expect(settled).toBe(3000);
  });
});
