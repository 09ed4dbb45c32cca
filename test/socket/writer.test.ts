import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Parts } from "../../src/message.js";
import { hold } from "../../src/socket/hold.js";
import { NOT_NOW } from "../../src/socket/pattern.js";
import { turn } from "../../src/socket/turn.js";
import { Writer } from "../../src/socket/writer.js";

let sent: string[];
/** What sending a message leads to, once. */
let onSend: (() => void) | undefined;
let room: number;
let writer: Writer;

beforeEach(async () => {
  // No turn ends because the machine is slow.
  vi.spyOn(performance, "now").mockReturnValue(performance.now());
  sent = [];
  onSend = undefined;
  room = 0;
  writer = new Writer({
    takes: () => room > 0,
    send: (parts: Parts) => {
      if (room === 0) return false;
      room--;
      sent.push(parts.join());
      const act = onSend;
      onSend = undefined;
      act?.();
      return true;
    },
    sendRefusal: NOT_NOW,
  });
  await fresh();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  expect(hold.count).toBe(0);
});

async function fresh(): Promise<void> {
  await new Promise<void>((resolve) => turn.defer(resolve));
  await microtasks();
}

function spendTurn(): void {
  while (!turn.spend()) {}
}

function makeRoom(count: number): void {
  room += count;
  writer.activated();
}

const message = (text: string): Parts => [Buffer.from(text)];

function send(text: string, timeoutMs = -1, signal?: AbortSignal): { state: string } {
  const result = { state: "pending" };
  writer.send(message(text), timeoutMs, signal).then(
    () => {
      result.state = "sent";
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

describe("Writer", () => {
  it("sends when there is room, and makes no timer", async () => {
    room = 2;
    const call = send("a", 1000, new AbortController().signal);
    expect([sent, writer.busy, vi.getTimerCount(), hold.count]).toEqual([["a"], false, 0, 0]);
    await microtasks();
    expect([call.state, writer.messages]).toEqual(["sent", 1]);
  });

  it("waits for room", async () => {
    const call = send("a");
    expect([writer.busy, hold.count, writer.messages]).toEqual([true, 1, 0]);
    makeRoom(1);
    await microtasks();
    expect([call.state, sent, writer.busy, writer.messages]).toEqual(["sent", ["a"], false, 1]);
  });

  it("goes on waiting when there was no room after all", async () => {
    const call = send("a");
    writer.activated();
    await microtasks();
    expect([call.state, writer.busy]).toEqual(["pending", true]);
    makeRoom(1);
    await microtasks();
    expect(call.state).toBe("sent");
  });

  it("keeps a small message that waits apart from the caller's memory", async () => {
    const part = Buffer.from("before");
    const done = writer.send([part], -1, undefined);
    part.fill("X");
    makeRoom(1);
    await done;
    expect(sent).toEqual(["before"]);
  });

  it("is not woken without a call", () => {
    makeRoom(1);
    expect([sent, room]).toEqual([[], 1]);
  });

  describe("timeout", () => {
    it("0: EAGAIN at once, nothing sent", async () => {
      const call = send("a", 0);
      expect([writer.busy, vi.getTimerCount()]).toEqual([false, 0]);
      await microtasks();
      expect(call.state).toBe("EAGAIN");
      makeRoom(1);
      expect(sent).toEqual([]);
    });

    it("EAGAIN after it, nothing sent", async () => {
      const call = send("a", 30);
      vi.advanceTimersByTime(29);
      await microtasks();
      expect(call.state).toBe("pending");
      vi.advanceTimersByTime(1);
      makeRoom(1);
      await microtasks();
      expect([call.state, sent, writer.busy]).toEqual(["EAGAIN", [], false]);
    });
  });

  describe("signal", () => {
    it("ends the call, nothing is sent", async () => {
      const abort = new AbortController();
      const call = send("a", -1, abort.signal);
      abort.abort(new Error("own"));
      makeRoom(1);
      await microtasks();
      expect([call.state, sent, writer.busy, writer.messages]).toEqual(["own", [], false, 0]);
    });

    it("comes too late for a message that was sent", async () => {
      const abort = new AbortController();
      const call = send("a", -1, abort.signal);
      makeRoom(1);
      abort.abort(new Error("own"));
      await microtasks();
      expect([call.state, sent]).toEqual(["sent", ["a"]]);
    });

    it("ends a call that waits for the next turn, nothing is sent", async () => {
      const abort = new AbortController();
      const call = send("a", -1, abort.signal);
      spendTurn();
      makeRoom(1);
      abort.abort(new Error("own"));
      await fresh();
      expect([call.state, sent]).toEqual(["own", []]);
    });
  });

  it("close: EAGAIN for the call that waits, nothing sent", async () => {
    const call = send("a");
    writer.close();
    makeRoom(1);
    await microtasks();
    expect([call.state, sent, writer.busy]).toEqual(["EAGAIN", [], false]);
  });

  describe("when the turn's share is spent", () => {
    it("sends at once and resolves in a later turn", async () => {
      room = 3;
      spendTurn();
      const calls = [send("a"), send("b"), send("c")];
      expect([sent, writer.busy]).toEqual([["a", "b", "c"], false]);
      await microtasks();
      expect(calls.map((call) => call.state)).toEqual(["pending", "pending", "pending"]);
      await fresh();
      expect(calls.map((call) => call.state)).toEqual(["sent", "sent", "sent"]);
    });

    it("fails in a later turn", async () => {
      spendTurn();
      const call = send("a", 0);
      await microtasks();
      expect(call.state).toBe("pending");
      await fresh();
      expect(call.state).toBe("EAGAIN");
    });

    it("wakes a call that waits in a later turn, once", async () => {
      const call = send("a");
      spendTurn();
      makeRoom(1);
      makeRoom(1);
      await microtasks();
      expect([call.state, sent, writer.busy]).toEqual(["pending", [], true]);
      await fresh();
      expect([call.state, sent, room]).toEqual(["sent", ["a"], 1]);
    });

    it("sends nothing twice when another call takes the place of one that timed out", async () => {
      const first = send("a", 30);
      spendTurn();
      makeRoom(2);
      vi.advanceTimersByTime(30);
      room = 0;
      const second = send("b");
      room = 2;
      await fresh();
      writer.activated();
      await fresh();
      expect([first.state, second.state, sent]).toEqual(["EAGAIN", "sent", ["b"]]);
    });

    it("sends a message once, though sending it makes room for another", async () => {
      const call = send("a");
      onSend = () => makeRoom(1);
      makeRoom(1);
      await microtasks();
      expect([call.state, sent, writer.messages]).toEqual(["sent", ["a"], 1]);
    });

    it("does not keep trySend from it", () => {
      room = 1;
      spendTurn();
      expect([writer.trySend(message("a")), writer.trySend(message("b"))]).toEqual([true, false]);
      expect([sent, writer.messages]).toEqual([["a"], 1]);
    });
  });
});
