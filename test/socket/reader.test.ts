import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Parts } from "../../src/message.js";
import { hold } from "../../src/socket/hold.js";
import { NOT_NOW } from "../../src/socket/pattern.js";
import { Reader } from "../../src/socket/reader.js";
import { turn } from "../../src/socket/turn.js";

let queue: string[];
/** What taking a message leads to, once. */
let onTake: (() => void) | undefined;
let reader: Reader;

beforeEach(async () => {
  // No turn ends because the machine is slow.
  vi.spyOn(performance, "now").mockReturnValue(performance.now());
  queue = [];
  onTake = undefined;
  reader = new Reader({
    receive: () => {
      const text = queue.shift();
      const act = onTake;
      onTake = undefined;
      act?.();
      return text === undefined ? undefined : [Buffer.from(text)];
    },
    receiveRefusal: NOT_NOW,
  });
  await fresh();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  expect(hold.count).toBe(0);
});

/** Waits for a turn that has its share of time before it, after all who wait for one. */
async function fresh(): Promise<void> {
  await new Promise<void>((resolve) => turn.defer(resolve));
  await microtasks();
}

function spendTurn(): void {
  while (!turn.spend()) {}
}

function arrive(...texts: string[]): void {
  queue.push(...texts);
  reader.activated();
}

const text = (parts: Parts | undefined): string | undefined => parts?.join();

/** What becomes of a promise, so far. */
function follow(promise: Promise<Parts>): { state: string } {
  const result = { state: "pending" };
  promise.then(
    (parts) => {
      result.state = parts.join();
    },
    (error) => {
      result.state = error.code ?? error.message;
    },
  );
  return result;
}

async function microtasks(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

describe("Reader", () => {
  it("hands out what is made of a message, in whatever way it is asked for; another socket gets it as it came", async () => {
    const present = (parts: Parts) => [...parts, Buffer.from("presented")];
    const source = { receive: () => next.shift(), receiveRefusal: NOT_NOW };
    const next = ["1", "2", "3"].map((it) => [Buffer.from(it)]);
    const one = new Reader(source, undefined, present);
    expect(text(await one.receive(-1, undefined))).toBe("1,presented");
    expect(text(one.tryReceive())).toBe("2,presented");
    expect(text(one.take())).toBe("3");
    expect(one.tryReceive()).toBeUndefined();
    const waits = one.receive(-1, undefined);
    next.push([Buffer.from("4")]);
    one.activated();
    expect(text(await waits)).toBe("4,presented");
    expect(one.messages).toBe(4);
  });

  it("gives what there is", async () => {
    queue.push("a", "b");
    expect(text(await reader.receive(-1, undefined))).toBe("a");
    expect(text(await reader.receive(0, undefined))).toBe("b");
    expect(reader.messages).toBe(2);
  });

  it("makes no timer for what there is", () => {
    queue.push("a");
    void reader.receive(1000, new AbortController().signal);
    expect([vi.getTimerCount(), hold.count, reader.busy]).toEqual([0, 0, false]);
  });

  it("waits for what comes", async () => {
    const received = reader.receive(-1, undefined);
    expect([reader.busy, hold.count]).toEqual([true, 1]);
    arrive("a", "b");
    expect(text(await received)).toBe("a");
    expect([reader.busy, queue]).toEqual([false, ["b"]]);
    expect(reader.messages).toBe(1);
  });

  it("takes nothing while nobody waits", () => {
    arrive("a");
    expect(queue).toEqual(["a"]);
    expect(reader.messages).toBe(0);
  });

  it("goes on waiting when there was nothing after all", async () => {
    const received = follow(reader.receive(-1, undefined));
    reader.activated();
    await microtasks();
    expect([received.state, reader.busy]).toEqual(["pending", true]);
    arrive("a");
    await microtasks();
    expect(received.state).toBe("a");
  });

  describe("timeout", () => {
    it("0: EAGAIN at once, without waiting", async () => {
      const received = follow(reader.receive(0, undefined));
      expect([reader.busy, vi.getTimerCount()]).toEqual([false, 0]);
      await microtasks();
      expect(received.state).toBe("EAGAIN");
    });

    it("EAGAIN after it; what comes later stays for the next call", async () => {
      const received = follow(reader.receive(30, undefined));
      vi.advanceTimersByTime(29);
      await microtasks();
      expect(received.state).toBe("pending");
      vi.advanceTimersByTime(1);
      await microtasks();
      expect([received.state, reader.busy]).toEqual(["EAGAIN", false]);
      arrive("a");
      expect(queue).toEqual(["a"]);
      expect(text(await reader.receive(-1, undefined))).toBe("a");
    });

    it("is over when a message comes in time", async () => {
      const received = reader.receive(30, undefined);
      arrive("a");
      expect(vi.getTimerCount()).toBe(0);
      expect(text(await received)).toBe("a");
    });
  });

  describe("signal", () => {
    it("ends the call; nothing is consumed", async () => {
      const abort = new AbortController();
      const received = follow(reader.receive(-1, abort.signal));
      abort.abort(new Error("own"));
      arrive("a");
      await microtasks();
      expect([received.state, reader.busy, queue]).toEqual(["own", false, ["a"]]);
      expect(reader.messages).toBe(0);
    });

    it("comes too late for a message that came before", async () => {
      const abort = new AbortController();
      const received = follow(reader.receive(-1, abort.signal));
      arrive("a");
      abort.abort(new Error("own"));
      await microtasks();
      expect(received.state).toBe("a");
    });

    it("leaves the message when it comes while the call waits for the next turn", async () => {
      const abort = new AbortController();
      const received = follow(reader.receive(-1, abort.signal));
      spendTurn();
      arrive("a");
      abort.abort(new Error("own"));
      await fresh();
      expect([received.state, queue]).toEqual(["own", ["a"]]);
    });
  });

  describe("close", () => {
    it("EAGAIN for the call that waits", async () => {
      const received = follow(reader.receive(-1, undefined));
      reader.close();
      await microtasks();
      expect([received.state, reader.busy]).toEqual(["EAGAIN", false]);
    });

    it("is nothing when none waits", () => {
      reader.close();
      expect(reader.busy).toBe(false);
    });

    it("leaves the message when the call waits for the next turn", async () => {
      const received = follow(reader.receive(-1, undefined));
      spendTurn();
      arrive("a");
      reader.close();
      await fresh();
      expect([received.state, queue]).toEqual(["EAGAIN", ["a"]]);
    });
  });

  describe("when the turn's share is spent", () => {
    it("gives what there is, in a later turn", async () => {
      queue.push("a");
      spendTurn();
      const received = follow(reader.receive(-1, undefined));
      await microtasks();
      expect(received.state).toBe("pending");
      await fresh();
      expect(received.state).toBe("a");
    });

    it("fails in a later turn", async () => {
      spendTurn();
      const received = follow(reader.receive(0, undefined));
      await microtasks();
      expect(received.state).toBe("pending");
      await fresh();
      expect(received.state).toBe("EAGAIN");
    });

    it("wakes a call that waits in a later turn, once", async () => {
      const received = follow(reader.receive(-1, undefined));
      spendTurn();
      arrive("a");
      arrive("b");
      await microtasks();
      expect([received.state, reader.busy]).toEqual(["pending", true]);
      await fresh();
      expect([received.state, queue]).toEqual(["a", ["b"]]);
    });

    it("takes nothing for a call that has timed out meanwhile, nor for the next one twice", async () => {
      const first = follow(reader.receive(30, undefined));
      spendTurn();
      arrive("a");
      vi.advanceTimersByTime(30);
      const second = follow(reader.receive(-1, undefined));
      await fresh();
      expect([first.state, second.state, queue]).toEqual(["EAGAIN", "a", []]);
      expect(reader.messages).toBe(1);
    });

    it("takes one message for one call, though taking it lets the next one come", async () => {
      const received = follow(reader.receive(-1, undefined));
      onTake = () => arrive("b");
      arrive("a");
      await microtasks();
      expect([received.state, queue, reader.messages]).toEqual(["a", ["b"], 1]);
      expect(text(reader.tryReceive())).toBe("b");
    });

    it("does not keep tryReceive from it", () => {
      queue.push("a");
      spendTurn();
      expect(text(reader.tryReceive())).toBe("a");
      expect(reader.tryReceive()).toBeUndefined();
      expect(reader.messages).toBe(1);
    });
  });
});
