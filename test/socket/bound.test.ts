import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { Event } from "../../src/events.js";
import { lifetime } from "../../src/socket/lifetime.js";
import { Observer } from "../../src/socket/observer.js";
import type { Pair } from "../../src/socket/pair.js";
import { RawPeer } from "../support/raw-peer.js";
import { Sockets, turns, until } from "../support/sockets.js";
import { frame, greeting, message, ready } from "../support/wire.js";

// A binder and its peers, who are made of octets.
const sockets = new Sockets();
const pair = sockets.pair.bind(sockets);
let peers: RawPeer[] = [];

afterEach(async () => {
  vi.useRealTimers();
  for (const { socket } of peers) socket.destroy();
  peers = [];
  await sockets.close();
});
afterAll(() => sockets.end());

const GREETING_SIZE = 64;

async function bound(options: ConstructorParameters<typeof Pair>[0] = {}): Promise<Pair> {
  const socket = pair(options);
  await socket.bind("tcp://127.0.0.1:*");
  return socket;
}

async function raw(one: Pair, greets = true): Promise<RawPeer> {
  const peer = await RawPeer.connect(one.lastEndpoint as string);
  peers.push(peer);
  if (greets) peer.greet();
  return peer;
}

function follow(socket: Pair): Event[] {
  const seen: Event[] = [];
  const observer = new Observer(socket);
  void (async () => {
    for await (const event of observer) seen.push(event);
  })();
  return seen;
}

const count = (events: Event[], type: Event["type"]): number =>
  events.filter((event) => event.type === type).length;

/** Resolves once the peer's handshake is done as far as it goes while the place is taken. */
async function waits(one: Pair, peer: RawPeer): Promise<void> {
  await until(() => peer.size === GREETING_SIZE);
  await turns(20);
  expect(one.stats().peers.length).toBeGreaterThan(1);
}

describe("the place, when it is free again", () => {
  it("goes to the first of many who break off as soon as they have it, and to the last", async () => {
    // However long it takes until all are there, none has waited too long.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const one = await bound();
    const holder = await raw(one);
    await until(() => holder.commands.includes("READY"));
    for (let i = 0; i < 600; i++) {
      const peer = await raw(one, false);
      peer.socket.write(Buffer.concat([greeting(), ready(), Buffer.from([0x80, 0])]));
    }
    const last = await raw(one);
    await until(() => last.size === GREETING_SIZE);
    await turns(20);
    expect(one.stats().peers.length).toBe(602);
    holder.socket.destroy();
    await until(() => last.commands.includes("READY"));
    await until(() => one.stats().peers.length === 1);
  });

  it("is no way past the mark for peers who come, send one message and break off", async () => {
    const one = await bound({ receiveHighWaterMark: 5 });
    for (let i = 0; i < 40; i++) {
      const peer = await raw(one, false);
      peer.socket.write(Buffer.concat([greeting(), ready(), message("x")]));
      peer.socket.resetAndDestroy();
      await turns(20);
    }
    const { messages } = one.stats().receive;
    expect([messages >= 5, messages <= 6]).toEqual([true, true]);
    // Whoever has the place may not be read from: that it has gone shows when there is room.
    await until(() => {
      while (one.tryReceive() !== undefined) {}
      return one.stats().peers.length === 0;
    });
  });

  it("goes to a peer whose heartbeats start then", async () => {
    const one = await bound({ heartbeatInterval: 20, heartbeatTimeout: 40 });
    const holder = await raw(one);
    await until(() => holder.commands.includes("READY"));
    const late = await raw(one);
    await until(() => late.size === GREETING_SIZE);
    await turns(20);
    holder.socket.destroy();
    await until(() => late.commands.includes("PING"));
    await until(() => late.ended);
  });
});

describe("the same ipc path, bound twice", () => {
  it("belongs to the new listener; the old one's peer stays; both end together", async () => {
    const one = pair();
    const events = follow(one);
    const path = sockets.endpoint("ipc");
    await one.bind(path);
    const peer = await raw(one);
    await until(() => peer.commands.includes("READY"));
    await one.bind(path);
    await one.send("still here");
    await until(() => peer.messages.length === 1);
    const second = await raw(one);
    await until(() => second.size === GREETING_SIZE);
    expect(one.stats().peers.length).toBe(2);
    one.unbindSync(path);
    await until(() => peer.ended && second.ended);
    expect(count(events, "close")).toBe(2);
    expect(() => one.unbindSync(path)).toThrow("No such endpoint");
  });

  it("both end when the socket is closed", async () => {
    const one = pair();
    const events = follow(one);
    const path = sockets.endpoint("ipc");
    await one.bind(path);
    const halfway = await raw(one, false);
    await until(() => halfway.size === GREETING_SIZE);
    await one.bind(path);
    one.close();
    await until(() => halfway.ended);
    await until(() => count(events, "close") === 2);
  });
});

describe("closing", () => {
  it("lingers for a slow peer even if another, who was not in yet, is turned away first", async () => {
    const one = await bound({ linger: -1 });
    const slow = await raw(one);
    await until(() => slow.commands.includes("READY"));
    slow.socket.pause();
    const body = Buffer.alloc(100_000);
    for (let i = 0; i < 200; i++) expect(one.trySend([String(i), body])).toBe(true);
    const other = await raw(one, false);
    await until(() => other.size === GREETING_SIZE);
    let over = false;
    const disposed = one[Symbol.asyncDispose]().then(() => {
      over = true;
    });
    await until(() => other.ended);
    await turns(20);
    expect([over, lifetime.size]).toEqual([false, 1]);
    slow.socket.resume();
    await disposed;
    await until(() => slow.messages.length === 200);
    expect(lifetime.size).toBe(0);
  });

  it("takes and forgets what still comes: a peer may have to write before it reads", async () => {
    const one = await bound({ linger: -1, receiveHighWaterMark: 10, sendHighWaterMark: 0 });
    const peer = await raw(one);
    await until(() => peer.commands.includes("READY"));
    peer.socket.pause();
    const all = Buffer.concat(Array.from({ length: 300 }, () => message(Buffer.alloc(100_000))));
    peer.socket.write(all, () => peer.socket.resume());
    for (let i = 0; i < 300; i++) one.trySend([String(i), Buffer.alloc(100_000)]);
    await until(() => one.stats().receive.messages >= 10);
    await one[Symbol.asyncDispose]();
    await until(() => peer.messages.length === 300);
  });
});

describe("the place", () => {
  it("is not taken by one who has not done its handshake", async () => {
    const one = await bound();
    const silent = await raw(one, false);
    const halfway = await raw(one, false);
    halfway.socket.write(greeting());
    await turns(10);
    const peer = await raw(one);
    await until(() => peer.commands.includes("READY"));
    await one.send("x");
    await until(() => peer.messages.length === 1);
    expect([silent.commands, silent.messages, halfway.messages]).toEqual([[], [], []]);
  });

  it("taken: a surplus peer hears the greeting and no READY", async () => {
    const one = await bound();
    const first = await raw(one);
    await until(() => first.commands.includes("READY"));
    const second = await raw(one);
    await waits(one, second);
    expect([second.commands, second.ended]).toEqual([[], false]);
  });

  it("free again: the surplus peer hears READY, and what it had sent is delivered", async () => {
    const one = await bound();
    const first = await raw(one);
    await until(() => first.commands.includes("READY"));
    const second = await raw(one);
    second.socket.write(Buffer.concat([message("a"), message("b")]));
    await waits(one, second);
    expect(one.readable).toBe(false);
    first.socket.destroy();
    await until(() => second.commands.includes("READY"));
    expect([String(await one.receive()), String(await one.receive())]).toEqual(["a", "b"]);
    await one.send("c");
    await until(() => second.messages.length === 1);
  });

  it("goes to those who wait in the order they came", async () => {
    const one = await bound();
    const order = [];
    for (let i = 0; i < 4; i++) {
      const peer = await raw(one);
      await until(() => peer.size >= GREETING_SIZE);
      await turns(10);
      order.push(peer);
    }
    for (const [i, peer] of order.entries()) {
      await until(() => peer.commands.includes("READY"));
      for (const later of order.slice(i + 1)) expect(later.commands).toEqual([]);
      peer.socket.destroy();
    }
  });

  it("is not given to one who has gone while it waited", async () => {
    const one = await bound();
    const first = await raw(one);
    await until(() => first.commands.includes("READY"));
    const gone = await raw(one);
    await waits(one, gone);
    gone.socket.resetAndDestroy();
    await until(() => one.stats().peers.length === 1);
    first.socket.destroy();
    await until(() => one.stats().peers.length === 0);
    const third = await raw(one);
    await until(() => third.commands.includes("READY"));
  });
});

describe("a surplus peer", () => {
  it("is turned away after a second, then after two: each time later", async () => {
    const one = await bound();
    const first = await raw(one);
    await until(() => first.commands.includes("READY"));
    for (const delay of [1000, 2000, 4000]) {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const surplus = await raw(one);
      await waits(one, surplus);
      vi.advanceTimersByTime(delay - 1);
      await turns(5);
      expect(surplus.ended).toBe(false);
      vi.advanceTimersByTime(1);
      await until(() => surplus.ended);
      expect([surplus.commands, surplus.size]).toEqual([[], GREETING_SIZE]);
      vi.useRealTimers();
    }
    await one.send("x");
    await until(() => first.messages.length === 1);
  });

  it("is counted anew once it had the place", async () => {
    const one = await bound();
    const first = await raw(one);
    await until(() => first.commands.includes("READY"));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const surplus = await raw(one);
    await waits(one, surplus);
    vi.advanceTimersByTime(1000);
    await until(() => surplus.ended);
    vi.useRealTimers();
    first.socket.destroy();
    await until(() => one.stats().peers.length === 0);
    const second = await raw(one);
    await until(() => second.commands.includes("READY"));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const third = await raw(one);
    await waits(one, third);
    vi.advanceTimersByTime(1000);
    await until(() => third.ended);
  });

  it("emits accept, and handshake only when it gets the place", async () => {
    const one = await bound();
    const events = follow(one);
    const first = await raw(one);
    await until(() => first.commands.includes("READY"));
    const second = await raw(one);
    await waits(one, second);
    expect([count(events, "accept"), count(events, "handshake")]).toEqual([2, 1]);
    first.socket.destroy();
    await until(() => second.commands.includes("READY"));
    expect(count(events, "handshake")).toBe(2);
  });
});

describe("unbind and close", () => {
  it.each(["unbind", "close"] as const)("%s: all who came are let go", async (how) => {
    const one = await bound();
    const endpoint = one.lastEndpoint as string;
    const established = await raw(one);
    await until(() => established.commands.includes("READY"));
    const surplus = await raw(one);
    await waits(one, surplus);
    const silent = await raw(one, false);
    const halfway = await raw(one, false);
    halfway.socket.write(greeting());
    await until(() => one.stats().peers.length === 4);
    if (how === "unbind") await one.unbind(one.lastEndpoint as string);
    else one.close();
    for (const peer of [established, surplus, silent, halfway]) await until(() => peer.ended);
    expect([surplus.commands, silent.commands, halfway.commands]).toEqual([[], [], []]);
    await expect(RawPeer.connect(endpoint)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("unbind keeps what came and was not received", async () => {
    const one = await bound();
    const peer = await raw(one);
    peer.socket.write(message("unread"));
    await until(() => one.readable);
    await one.unbind(one.lastEndpoint as string);
    await until(() => peer.ended);
    expect(String(await one.receive())).toBe("unread");
  });

  it("unbind writes what was sent, to the last octet, before it hangs up", async () => {
    const one = await bound({ linger: -1 });
    const peer = await raw(one);
    await until(() => peer.commands.includes("READY"));
    peer.socket.pause();
    const body = Buffer.alloc(100_000, 1);
    for (let i = 0; i < 100; i++) expect(one.trySend([String(i), body])).toBe(true);
    await one.unbind(one.lastEndpoint as string);
    peer.socket.resume();
    await until(() => peer.ended);
    expect(peer.messages.map(([id]) => Number(id))).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  it("a peer that never reads is cut off when linger is over", async () => {
    const one = await bound({ linger: 500 });
    const peer = await raw(one);
    await until(() => peer.commands.includes("READY"));
    peer.socket.pause();
    const body = Buffer.alloc(100_000, 1);
    for (let i = 0; i < 200; i++) expect(one.trySend(body)).toBe(true);
    await turns(20);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const over: string[] = [];
    void one[Symbol.asyncDispose]().then(() => over.push("over"));
    vi.advanceTimersByTime(499);
    await turns(5);
    expect(over).toEqual([]);
    vi.advanceTimersByTime(1);
    await turns(5);
    expect(over).toEqual(["over"]);
  });

  it("a peer that goes on sending does not hold linger up", async () => {
    const one = await bound({ linger: -1 });
    const peer = await raw(one);
    await until(() => peer.commands.includes("READY"));
    let stopped = false;
    const flood = (async () => {
      while (!stopped && !peer.ended) {
        peer.socket.write(message("x".repeat(200)));
        await turns(1);
      }
    })();
    await one.send("last words");
    await one[Symbol.asyncDispose]();
    stopped = true;
    await flood;
    await until(() => peer.messages.length === 1);
    expect(String(peer.messages[0])).toBe("last words");
  });
});

describe("a peer's connection", () => {
  it("that breaks in the middle of a message delivers what came before", async () => {
    const one = await bound();
    const peer = await raw(one);
    peer.socket.write(
      Buffer.concat([message("whole"), frame("part", { more: true }), frame("cut", { size: 900 })]),
    );
    await until(() => one.stats().assemblyBytes > 0);
    peer.socket.resetAndDestroy();
    await until(() => one.stats().peers.length === 0);
    expect([one.stats().assemblyBytes, String(await one.receive())]).toEqual([0, "whole"]);
    expect(one.tryReceive()).toBeUndefined();
  });

  it("that ends in a stroke with its messages delivers all of them", async () => {
    const one = await bound({ receiveHighWaterMark: 2 });
    const peer = await raw(one);
    const texts = Array.from({ length: 20 }, (_, i) => String(i));
    peer.socket.end(Buffer.concat(texts.map((text) => message(text))));
    for (const text of texts) expect(String(await one.receive())).toBe(text);
  });

  it("again and again does not let the queue grow", async () => {
    const one = await bound({ receiveHighWaterMark: 2 });
    for (let i = 0; i < 20; i++) {
      const peer = await raw(one);
      for (let j = 0; j < 3; j++) peer.socket.write(message("x"));
      await turns(5);
      peer.socket.resetAndDestroy();
      await turns(5);
    }
    // The mark, and what stood in one chunk when the first connection broke.
    expect(one.stats().receive.messages).toBeLessThanOrEqual(2 + 3);
  });

  it("over ipc: peers are told apart by nothing, and all goes as over tcp", async () => {
    const one = pair();
    await one.bind(sockets.endpoint("ipc"));
    const first = await raw(one);
    await until(() => first.commands.includes("READY"));
    const second = await raw(one);
    second.socket.write(message("a"));
    await waits(one, second);
    first.socket.destroy();
    expect(String(await one.receive())).toBe("a");
  });
});

describe("too many in handshake", () => {
  it("for the 1,025th the first has to go", async () => {
    const one = await bound();
    const events = follow(one);
    const silent: RawPeer[] = [];
    for (let i = 0; i < 1024; i++) silent.push(await raw(one, false));
    await until(() => one.stats().peers.length === 1024);
    expect(silent.some(({ ended }) => ended)).toBe(false);
    const peer = await raw(one, false);
    peer.socket.write(Buffer.concat([greeting(), ready(), message("in")]));
    expect(String(await one.receive())).toBe("in");
    await until(() => silent[0]?.ended === true);
    expect([count(events, "accept:error"), one.stats().peers.length]).toEqual([1, 1024]);
  });
});
