import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Share, Turn } from "../../src/socket/turn.js";

/** What all operations of one turn may take together. */
const BUDGET_MS = 4;
const OPERATIONS_MAX = 4096;
/** And those of one socket. */
const SHARE_MAX = 512;
/** In how many groups those go on that waited. */
const GROUPS = OPERATIONS_MAX / SHARE_MAX;
/** What is asked of the event loop for a turn: to begin it, and to let each group go on. */
const TURN = 1 + GROUPS;

/** An event loop: the clock goes on by what operations take, turns end when somebody asks. */
class Loop {
  now = 0;
  reads = 0;
  #callbacks: (() => void)[] = [];
  /** Operations in this turn. */
  count = 0;

  readonly turn = new Turn(
    () => {
      this.reads++;
      return this.now;
    },
    (callback) => {
      this.#callbacks.push(callback);
    },
  );

  get scheduled(): number {
    return this.#callbacks.length;
  }

  /** @param between What happens after each call of the event loop's. */
  next(between = (): void => {}): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) {
      callback();
      between();
    }
  }

  /** One turn of a loop whose operations take `costMs` each: how many, and what they took. */
  run(costMs: number): { count: number; ms: number; reads: number } {
    const { now, reads } = this;
    this.count = 0;
    const operation = (): void => {
      this.now += costMs;
      this.count++;
    };
    this.next();
    while (!this.turn.spend()) operation();
    this.turn.defer(operation);
    return { count: this.count, ms: this.now - now, reads: this.reads - reads };
  }

  /** Turns enough to learn what an operation takes. */
  learn(costMs: number): void {
    for (let i = 0; i < 20; i++) this.run(costMs);
  }
}

let loop: Loop;

beforeEach(() => {
  loop = new Loop();
});

describe("Turn", () => {
  it("ends after 4096 operations, even if the clock stands still", () => {
    loop.learn(0);
    for (let i = 0; i < 5; i++) {
      const { count } = loop.run(0);
      expect(count).toBeLessThanOrEqual(OPERATIONS_MAX);
      expect(count).toBeGreaterThan(OPERATIONS_MAX / 2);
    }
  });

  it("ends after 4096 operations from the first on", () => {
    expect(loop.run(0).count).toBeLessThanOrEqual(OPERATIONS_MAX);
  });

  it("is over for all who ask until the next one begins", () => {
    loop.run(0);
    expect([loop.turn.spend(), loop.turn.spend()]).toEqual([true, true]);
    loop.next();
    expect(loop.turn.spend()).toBe(false);
  });

  it("ends after its budget", () => {
    loop.learn(0.1);
    const { ms } = loop.run(0.1);
    expect(ms).toBeGreaterThanOrEqual(BUDGET_MS);
    expect(ms).toBeLessThan(BUDGET_MS + 1.1);
  });

  it("lets operations pass that take longer than the budget, one at a turn", () => {
    loop.learn(0.01);
    loop.learn(50);
    for (let i = 0; i < 5; i++) expect(loop.run(50).count).toBe(1);
  });

  it("looks at the clock after an operation that may have been long", () => {
    loop.learn(0.0005);
    loop.next();
    let count = 0;
    while (!loop.turn.spend()) {
      loop.now += 3;
      count++;
      loop.turn.look();
    }
    expect(count).toBe(2);
  });

  it("reads the clock rarely while operations are fast", () => {
    loop.learn(0.0005);
    const { count, reads } = loop.run(0.0005);
    expect(reads).toBeLessThanOrEqual(count / 256);
  });

  it("learns that operations have become slow", () => {
    loop.learn(0.0005);
    // One turn has to find out.
    for (let i = 0; i < 6; i++) loop.run(1);
    expect(loop.run(1).ms).toBeLessThanOrEqual(BUDGET_MS + 1);
  });

  it("learns that operations have become fast again", () => {
    loop.learn(10);
    loop.learn(0.0005);
    expect(loop.run(0.0005).count).toBeGreaterThan(OPERATIONS_MAX / 2);
  });

  it("takes no more than its budget and a step, whatever operations take", () => {
    const cost = fc.double({ min: 0.0001, max: 20, noNaN: true });
    fc.assert(
      fc.property(cost, cost, (first, second) => {
        loop = new Loop();
        for (const costMs of [first, second]) {
          loop.learn(costMs);
          for (let i = 0; i < 5; i++) {
            const { count, ms } = loop.run(costMs);
            expect(count).toBeLessThanOrEqual(OPERATIONS_MAX);
            // The last look may have come just before the end: then one more step follows.
            expect(ms).toBeLessThanOrEqual(BUDGET_MS + Math.max(costMs, 1) + 1e-6);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  describe("shared by 16 loops", () => {
    const done = new Array<number>(16).fill(0);

    /** One turn in which each of 16 loops goes on for as long as it may. */
    function run(costMs: number): number {
      const before = loop.now;
      const waiting = new Set<number>();
      const operation = (id: number): void => {
        loop.now += costMs;
        done[id] = (done[id] as number) + 1;
      };
      loop.next();
      for (let id = 0; waiting.size < 16; id = (id + 1) % 16) {
        if (waits.has(id) || waiting.has(id)) {
          waiting.add(id);
        } else if (loop.turn.spend()) {
          waiting.add(id);
          waits.add(id);
          loop.turn.defer(() => {
            waits.delete(id);
            operation(id);
          });
        } else {
          operation(id);
        }
      }
      return loop.now - before;
    }

    let waits: Set<number>;

    beforeEach(() => {
      waits = new Set();
      done.fill(0);
    });

    it.each([0.0005, 0.1, 0.5, 2, 9])("keeps its budget when operations take %d ms", (costMs) => {
      for (let i = 0; i < 60; i++) run(costMs);
      for (let i = 0; i < 60; i++) {
        expect(run(costMs)).toBeLessThanOrEqual(BUDGET_MS + Math.max(costMs, 1) + 1e-6);
      }
      // And nobody starves.
      expect(Math.min(...done)).toBeGreaterThan(Math.max(...done) / 3);
    });
  });

  describe("defer", () => {
    it("calls back in the next turn, in the order of the calls", () => {
      loop.learn(0.0005);
      loop.next();
      const order: number[] = [];
      for (let i = 0; i < 5; i++) loop.turn.defer(() => order.push(i));
      expect(order).toEqual([]);
      loop.next();
      expect(order).toEqual([0, 1, 2, 3, 4]);
    });

    it("schedules once for all who wait", () => {
      for (let i = 0; i < 5; i++) loop.turn.defer(() => {});
      expect(loop.scheduled).toBe(TURN);
    });

    it.each([1, 3, GROUPS, 20, SHARE_MAX])(
      "lets %d go on in groups, each called by the event loop",
      (count) => {
        loop.learn(0);
        loop.next();
        const order: number[] = [];
        for (let i = 0; i < count; i++) loop.turn.defer(() => order.push(i));
        const groups: number[] = [];
        loop.next(() => groups.push(order.length - groups.reduce((sum, size) => sum + size, 0)));
        expect(order).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(Math.max(...groups)).toBe(Math.ceil(count / GROUPS));
      },
    );

    it("lets nobody go on once a group has spent the turn", () => {
      loop.learn(0);
      loop.next();
      const order: number[] = [];
      for (let i = 0; i < GROUPS; i++) loop.turn.defer(() => order.push(i));
      loop.next(() => {
        if (order.length === 3) while (!loop.turn.spend());
      });
      expect(order).toEqual([0, 1, 2]);
      loop.next();
      expect(order).toEqual(Array.from({ length: GROUPS }, (_, i) => i));
    });

    it("leaves what is left of the turn to others", () => {
      loop.turn.defer(() => {});
      expect([loop.turn.spend(), loop.scheduled]).toEqual([false, TURN]);
    });

    it("lets no more go on at once than pass between two looks at the clock", () => {
      loop.learn(2);
      loop.next();
      const order: number[] = [];
      for (let i = 0; i < 6; i++) loop.turn.defer(() => order.push(i));
      loop.next();
      expect(order).toEqual([0]);
      expect(loop.scheduled).toBe(TURN);
    });

    it("lets all go on in their order, and soon, however many wait", () => {
      loop.learn(2);
      loop.next();
      const order: number[] = [];
      for (let i = 0; i < 5000; i++) loop.turn.defer(() => order.push(i));
      let turns = 0;
      for (; order.length < 5000; turns++) loop.next();
      expect(order).toEqual(Array.from({ length: 5000 }, (_, i) => i));
      // It learns that they take nothing, though none of them asks for more.
      expect(turns).toBeLessThan(30);
    });

    it("learns that those who waited take long, though none of them asks for more", () => {
      loop.learn(0.0005);
      loop.next();
      for (let i = 0; i < 2000; i++) loop.turn.defer(() => (loop.now += 2));
      const spent: number[] = [];
      while (loop.scheduled > 0) {
        const before = loop.now;
        loop.next();
        spent.push(loop.now - before);
      }
      expect(Math.max(...spent.slice(10))).toBeLessThanOrEqual(BUDGET_MS);
    });

    it("counts what callbacks do against the turn that they are called in", () => {
      loop.learn(0.0005);
      loop.next();
      const order: string[] = [];
      loop.turn.defer(() => {
        while (!loop.turn.spend()) {}
        loop.turn.defer(() => order.push("second"));
        order.push("first");
      });
      loop.next();
      expect(order).toEqual(["first"]);
      expect(loop.scheduled).toBe(TURN);
      loop.next();
      expect(order).toEqual(["first", "second"]);
    });

    it("called by a callback: calls back in the turn after that", () => {
      const order: number[] = [];
      loop.turn.defer(() => {
        order.push(1);
        loop.turn.defer(() => order.push(2));
      });
      loop.next();
      expect(order).toEqual([1]);
      loop.next();
      expect(order).toEqual([1, 2]);
    });
  });

  describe("later", () => {
    it("settles in the next turn", async () => {
      loop.learn(0.0005);
      loop.next();
      const order: string[] = [];
      const resolved = loop.turn.later<string>((resolve) => resolve("value"));
      const rejected = loop.turn.later((_, reject) => reject(new Error("reason")));
      void resolved.then((value) => order.push(value));
      rejected.catch((error) => order.push(error.message));
      await new Promise((resolve) => setImmediate(resolve));
      expect(order).toEqual([]);
      loop.next();
      await new Promise((resolve) => setImmediate(resolve));
      expect(order).toEqual(["value", "reason"]);
    });

    it("settles before those go on that were deferred in the same turn, and after those of turns before", async () => {
      const order: string[] = [];
      const settle = (name: string): void => {
        void loop.turn.later<void>((resolve) => {
          order.push(name);
          resolve();
        });
      };
      const attempt = (name: string): void => loop.turn.defer(() => order.push(name));
      // Operations take long, so one goes on in each turn.
      loop.learn(2);
      loop.next();
      attempt("attempt 1");
      settle("done 1");
      settle("done 2");
      attempt("attempt 2");
      loop.next();
      expect(order).toEqual(["done 1"]);
      settle("done 3");
      for (let i = 0; i < 5; i++) loop.next();
      expect(order).toEqual(["done 1", "done 2", "attempt 1", "attempt 2", "done 3"]);
    });
  });
});

describe("admit", () => {
  function spend(): void {
    while (!loop.turn.spend());
  }

  it("calls back at once while the turn has budget left", () => {
    const calls: string[] = [];
    loop.turn.admit(() => calls.push("a"));
    expect([calls, loop.scheduled]).toEqual([["a"], 0]);
  });

  it("calls back later when it is spent, but for the first: each by itself, in order", () => {
    const calls: string[] = [];
    spend();
    for (const name of ["a", "b", "c"]) loop.turn.admit(() => calls.push(name));
    expect(calls).toEqual(["a"]);
    loop.next();
    expect([calls, loop.scheduled]).toEqual([["a"], 2]);
    loop.next();
    expect(calls).toEqual(["a", "b", "c"]);
  });

  it("lets one of them through in each turn, though others spend all of it", () => {
    const calls: number[] = [];
    spend();
    for (let i = 0; i < 5; i++) {
      loop.turn.admit(() => {
        calls.push(i);
        spend();
      });
    }
    for (let turns = 0; calls.length < 5; turns++) {
      expect(turns).toBeLessThan(10);
      loop.next();
      spend();
    }
    expect(calls).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("Share", () => {
  it("lasts for 512 operations of each turn, whatever others do with theirs", () => {
    const [one, other] = [new Share(loop.turn), new Share(loop.turn)];
    const used = (share: Share): number => {
      let count = 0;
      while (!share.spend()) count++;
      return count;
    };
    for (let i = 0; i < 3; i++) {
      expect([used(one), used(other)]).toEqual([SHARE_MAX - 1, SHARE_MAX - 1]);
      expect([one.spend(), other.spend()]).toEqual([true, true]);
      loop.turn.defer(() => {});
      loop.next();
    }
  });

  it("is over with the turn", () => {
    const share = new Share(loop.turn);
    while (!loop.turn.spend());
    expect(share.spend()).toBe(true);
  });
});
