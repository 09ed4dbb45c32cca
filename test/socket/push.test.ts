import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Context } from "../../src/socket/context.js";
import { Pair } from "../../src/socket/pair.js";
import { Pull } from "../../src/socket/pull.js";
import { Push } from "../../src/socket/push.js";
import type { PeerStats } from "../../src/socket/stats.js";
import { MockPeer, wire } from "../support/mock-peer.js";
import {
  bound,
  drain,
  Events,
  failure,
  fill,
  maker,
  numbered,
  peers,
  receive,
  receiveOne,
  saturate,
  Turns,
  thrown,
  vacant,
} from "../support/patterns.js";
import { handshake, Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const push = maker(sockets, Push);
const pull = maker(sockets, Pull);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

it.each(["tcp", "inproc"] as const)(
  "over %s: who waits because others have left much is let in when the mark is raised",
  async (transport) => {
    const one = pull({ receiveHighWaterMark: 1 });
    const [gone, other] = [push(), push()];
    await sockets.join("inproc", one, gone);
    await gone.send("left behind");
    gone.close();
    one.connect(await bound(sockets, transport, other));
    one.receiveHighWaterMark = 10;
    await other.send("let in");
    expect((await receive(one, 2)).flat()).toEqual(["left behind", "let in"]);
  },
);

it("a mark in bytes for all peers: who waits goes on though another's queue keeps most of it", async () => {
  const one = push({ sendHighWaterMarkTotalBytes: 100_000, sendHighWaterMark: 7 });
  one.connect(await vacant(sockets, "tcp"));
  for (let i = 0; i < 7; i++) await one.send(Buffer.alloc(10_000));
  const other = pull();
  await sockets.join("inproc", other);
  one.connect(other.lastEndpoint as string);
  let received = 0;
  void (async () => {
    for await (const _ of other) received++;
  })();
  for (let i = 0; i < 50; i++) await one.send(Buffer.alloc(10_000));
  await until(() => received === 50);
  expect(one.stats().send.bytes).toBe(70_000);
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  describe("test_spec_pushpull", () => {
    it("push_round_robin_out: the peers take turns, in the order in which they came", async () => {
      const one = push();
      const pulls = [pull(), pull(), pull(), pull(), pull()];
      await sockets.join(transport, one, ...pulls);
      for (const text of numbered(10)) await one.send(text);
      for (const [i, peer] of pulls.entries()) {
        expect(await receive(peer, 2)).toEqual([[`${i}`], [`${i + 5}`]]);
      }
    });

    it("push_block_on_send_no_peers: EAGAIN, or waits for a peer", async () => {
      const one = push({ sendTimeout: 0 });
      expect([one.trySend("x"), one.writable]).toEqual([false, false]);
      await expect(one.send("x")).rejects.toEqual(failure("EAGAIN"));
      one.sendTimeout = 20;
      await bound(sockets, transport, one);
      await expect(one.send("x")).rejects.toEqual(failure("EAGAIN"));
      one.sendTimeout = -1;
      const sent = one.send("waited");
      expect(one.stats().send.messages).toBe(0);
      const other = pull();
      other.connect(one.lastEndpoint as string);
      await sent;
      expect(await receiveOne(other)).toEqual(["waited"]);
    });

    it("destroy_queue_on_disconnect: what waits for a peer that goes is gone with it", async () => {
      const one = push({ sendHighWaterMark: 1 });
      const other = pull({ receiveHighWaterMark: 1 });
      await sockets.join(transport, one, other);
      await saturate(one, Buffer.alloc(200_000));
      await until(() => other.readable);
      other.disconnect(one.lastEndpoint as string);
      await until(() => peers(one) === 0);
      expect([other.tryReceive(), one.trySend("x"), one.stats().send.messages]).toEqual([
        undefined,
        false,
        0,
      ]);
      other.connect(one.lastEndpoint as string);
      await one.send("new");
      expect(await receiveOne(other)).toEqual(["new"]);
    });

    it.each([true, false])(
      "push_multipart_atomic_drop: a message arrives whole or not at all (waiting: %s)",
      async (waits) => {
        const one = push({ sendHighWaterMark: 1 });
        const other = pull({ receiveHighWaterMark: 1 });
        await sockets.join(transport, one, other);
        const endpoint = one.lastEndpoint as string;
        const body = Buffer.alloc(4_000_000);
        const seen: string[] = [];
        let stopped = false;
        const received = (async () => {
          for await (const [a, b, c] of other) {
            expect([String(a), c?.length]).toEqual([String(b), body.length]);
            seen.push(String(a));
          }
        })();
        const sent = (async () => {
          for (let i = 0; !stopped; i++) {
            const message = [String(i), String(i), body];
            if (waits) await one.send(message);
            else if (!one.trySend(message)) await turns(1);
          }
        })().catch(() => {});
        for (let cut = 1; cut <= 3; cut++) {
          const before = seen.length;
          await until(() => seen.length > before + 1);
          other.disconnect(endpoint);
          await turns(cut);
          other.connect(endpoint);
        }
        const before = seen.length;
        await until(() => seen.length > before);
        stopped = true;
        other.close();
        await received;
        one.close();
        await sent;
        const ids = seen.map(Number);
        expect(ids).toEqual([...ids].sort((a, b) => a - b));
      },
    );
  });

  it("test_term_endpoint, send_after_disconnect_fails: nobody is left to send to", async () => {
    const [one, other] = [pull(), push()];
    await sockets.join(transport, one, other);
    await other.send("x");
    await one.receive();
    other.disconnect(one.lastEndpoint as string);
    expect([other.trySend("x"), other.writable]).toEqual([false, false]);
  });

  it("a peer that is full is passed over; once it has room it takes turns again", async () => {
    const one = push({ sendHighWaterMark: 1 });
    const full = pull({ receiveHighWaterMark: 1 });
    await sockets.join(transport, one, full);
    const stuck = await saturate(one, Buffer.alloc(200_000));
    const ready = pull({ receiveHighWaterMark: 0 });
    ready.connect(one.lastEndpoint as string);
    for (const text of numbered(50)) await one.send(text);
    expect((await receive(ready, 50)).flat()).toEqual(numbered(50));
    await receive(full, stuck);
    await until(() => one.stats().send.messages === 0);
    for (const text of numbered(4)) await one.send(text);
    const [first, second] = [await receive(full, 2), await receive(ready, 2)];
    expect([...first, ...second].flat().sort()).toEqual(numbered(4));
  });

  it("one send waits at a time; after its turn the next may", async () => {
    const one = push();
    await bound(sockets, transport, one);
    const sent = one.send("1");
    expect(thrown(() => one.send("2"))).toBe("EBUSY");
    expect(thrown(() => one.trySend("2"))).toBe("EBUSY");
    const other = pull();
    other.connect(one.lastEndpoint as string);
    await sent;
    await one.send("3");
    expect(await receive(other, 2)).toEqual([["1"], ["3"]]);
  });

  it("a send that waits is given up by its signal, and was not sent", async () => {
    const one = push();
    await bound(sockets, transport, one);
    const controller = new AbortController();
    const sent = one.send("aborted", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(sent).rejects.toThrow("enough");
    const other = pull();
    other.connect(one.lastEndpoint as string);
    await one.send("next");
    expect(await receiveOne(other)).toEqual(["next"]);
  });

  it("a second connect to one endpoint makes a second connection, disconnect ends both", async () => {
    const [one, other] = [pull(), push()];
    const endpoint = await bound(sockets, transport, one);
    other.connect(endpoint);
    other.connect(endpoint);
    await until(() => peers(one) === 2 && peers(other) === 2);
    other.disconnect(endpoint);
    expect(other.writable).toBe(false);
    await until(() => peers(one) === 0);
    expect(thrown(() => other.disconnect(endpoint))).toBe("ENOENT");
  });

  it("receive is not for a Push: ENOTSUP, whether there are peers or not", async () => {
    const one = push();
    const receiving = one as unknown as Pull;
    expect([one.readable, thrown(() => receiving.tryReceive())]).toEqual([false, "ENOTSUP"]);
    await expect(receiving.receive()).rejects.toEqual(failure("ENOTSUP"));
    await sockets.join(transport, one, pull());
    expect(thrown(() => receiving.tryReceive())).toBe("ENOTSUP");
    await expect(receiving.receive()).rejects.toEqual(failure("ENOTSUP"));
    await expect(receiving[Symbol.asyncIterator]().next()).rejects.toEqual(failure("ENOTSUP"));
  });

  it("test_inproc_connect, multiple_connects: all who connect before there is a binder are heard", async () => {
    const endpoint = await vacant(sockets, transport);
    for (const text of numbered(10)) {
      const socket = push({ reconnectInterval: 10 });
      socket.connect(endpoint);
      await socket.send(text);
    }
    const one = pull();
    await one.bind(endpoint);
    expect((await receive(one, 10)).flat().sort()).toEqual(numbered(10));
  });

  it("test_shutdown_stress: those who close while they connect harm nobody", async () => {
    const one = pull();
    const endpoint = await bound(sockets, transport, one);
    for (let i = 0; i < 50; i++) {
      const socket = push();
      socket.connect(endpoint);
      if (i % 3 > 0) await turns(i % 3);
      socket.close();
    }
    const last = push();
    last.connect(endpoint);
    await last.send("alive");
    expect(await receiveOne(one)).toEqual(["alive"]);
    await until(() => one.stats().peers.length === 1);
  });
});

describe.each(["ipc", "tcp"] as const)("over %s", (transport) => {
  describe("test_term_endpoint", () => {
    it("send_after_unbind_fails: the peers of the endpoint are gone", async () => {
      const [one, other] = [push(), pull()];
      await sockets.join(transport, one, other);
      await one.send("x");
      await other.receive();
      await one.unbind(one.lastEndpoint as string);
      await until(() => !one.writable);
      expect(one.trySend("x")).toBe(false);
    });

    it("unbind_via_last_endpoint, wildcard_unbind_fails: * is unbound by its real name", async () => {
      const one = push();
      const wildcard = transport === "tcp" ? "tcp://127.0.0.1:*" : "ipc://*";
      await one.bind(wildcard);
      await expect(one.unbind(wildcard)).rejects.toEqual(failure("ENOENT"));
      await one.unbind(one.lastEndpoint as string);
      await expect(one.unbind(one.lastEndpoint as string)).rejects.toEqual(failure("ENOENT"));
    });
  });

  describe("test_immediate", () => {
    it("1: half of the messages wait for a peer that is not there", async () => {
      const one = pull();
      const endpoint = await bound(sockets, transport, one);
      const other = push();
      other.connect(await vacant(sockets, transport));
      other.connect(endpoint);
      for (let i = 0; i < 10; i++) await other.send("x");
      expect(await receive(one, 5)).toHaveLength(5);
      await turns(20);
      expect([one.tryReceive(), other.stats().send.messages]).toEqual([undefined, 5]);
    });

    it("2: with immediate all go to the peer that is there", async () => {
      const one = pull();
      const endpoint = await bound(sockets, transport, one);
      const other = push({ immediate: true });
      other.connect(await vacant(sockets, transport));
      other.connect(endpoint);
      expect(other.trySend("nobody yet")).toBe(false);
      for (let i = 0; i < 10; i++) await other.send("x");
      expect(await receive(one, 10)).toHaveLength(10);
    });
  });

  it("test_monitor, versioned_stats: stats say for whom how much waits", async () => {
    const one = push({ sendHighWaterMark: 10 });
    const pulls = [pull(), pull(), pull(), pull()];
    for (const peer of pulls) peer.receiveHighWaterMark = 10;
    await sockets.join(transport, one, ...pulls);
    await saturate(one, Buffer.alloc(100_000));
    const waiting = (): number[] => one.stats().peers.map((peer) => peer.sendMessages);
    // Full is from the mark down to where the writer hears of room again.
    for (const count of waiting()) {
      expect(count).toBeGreaterThan(5);
      expect(count).toBeLessThanOrEqual(10);
    }
    expect(one.stats().send.messages).toBe(waiting().reduce((sum, count) => sum + count));
    const first = pulls[0] as Pull;
    while (waiting()[0] !== 0) await first.receive();
    expect(
      waiting()
        .slice(1)
        .every((count) => count > 5),
    ).toBe(true);
  });

  it("conflate, set later, is for peers that come then: what waits for the others stays", async () => {
    const endpoint = await vacant(sockets, "tcp");
    const other = push({ reconnectInterval: 10 });
    other.connect(endpoint);
    for (const text of numbered(5)) await other.send(text);
    other.conflate = true;
    // This is of peers that are there, too.
    other.sendHighWaterMark = 20;
    await other.send("5");
    expect(other.stats().send.messages).toBe(6);
    const one = pull();
    await one.bind(endpoint);
    expect((await receive(one, 6)).flat()).toEqual(numbered(6));
  });

  it("conflate: only the newest message waits for a peer that is not there", async () => {
    const endpoint = await vacant(sockets, transport);
    const other = push({ conflate: true, reconnectInterval: 10 });
    other.connect(endpoint);
    for (const text of numbered(20)) await other.send(text);
    expect(other.stats().send.messages).toBe(1);
    const one = pull();
    await one.bind(endpoint);
    expect(await receiveOne(one)).toEqual(["19"]);
    await other.send("next");
    expect(await receiveOne(one)).toEqual(["next"]);
  });

  it("what a connector has queued survives the loss of its peer, in order", async () => {
    const one = pull();
    const endpoint = await bound(sockets, transport, one);
    const other = push({ reconnectInterval: 10 });
    other.connect(endpoint);
    await other.send("before");
    await one.receive();
    one.close();
    await until(() => peers(other) === 0);
    for (const text of numbered(100)) await other.send(text);
    const next = pull();
    await next.bind(endpoint);
    expect((await receive(next, 100)).flat()).toEqual(numbered(100));
  });
});

describe("what a peer sends to a Push", () => {
  it("is forgotten; the peer goes on being served", async () => {
    const one = push();
    await one.bind("tcp://127.0.0.1:*");
    const peer = await MockPeer.connect(one.lastEndpoint as string);
    peer.send(wire.greeting(), wire.ready({ "Socket-Type": "PULL" }));
    await handshake(one);
    for (let i = 0; i < 2000; i++) peer.send(wire.message("not", "for you"));
    await one.send("x");
    await until(() => peer.unread.includes(wire.message("x")));
    await turns(20);
    const [{ connected, receiveMessages }] = one.stats().peers as [PeerStats];
    expect([connected, receiveMessages]).toEqual([true, 0]);
    peer.close();
  });
});

describe("test_hwm", () => {
  const LIMIT = 10_000;

  describe.each([
    ["defaults", undefined, undefined, 2000],
    ["infinite_both", 0, 0, LIMIT],
    ["infinite_receive", 1, 0, LIMIT],
    ["infinite_send", 0, 1, LIMIT],
    ["finite_both", 1, 1, 2],
    ["finite_both, larger", 3, 4, 7],
  ])("%s", (_name, sendHighWaterMark, receiveHighWaterMark, expected) => {
    const sender = () => push(sendHighWaterMark === undefined ? {} : { sendHighWaterMark });
    const receiver = () => pull(receiveHighWaterMark === undefined ? {} : { receiveHighWaterMark });

    it.each(["bind", "connect"])(`%s first: ${expected} messages, and room again`, (first) => {
      const name = sockets.endpoint("inproc");
      const [one, other] = [receiver(), sender()];
      if (first === "bind") one.bindSync(name);
      other.connect(name);
      if (first === "connect") one.bindSync(name);
      expect(fill(other, () => "", LIMIT)).toBe(expected);
      expect(drain(one)).toHaveLength(expected);
      expect(other.trySend("one more")).toBe(true);
      expect(drain(one)).toEqual([["one more"]]);
    });
  });

  it("connect_and_close_first: what was sent before the name was bound arrives", () => {
    const name = sockets.endpoint("inproc");
    const other = push({ sendHighWaterMark: 1, linger: -1 });
    other.connect(name);
    expect(fill(other)).toBe(1);
    other.close();
    const one = pull({ receiveHighWaterMark: 0 });
    one.bindSync(name);
    expect(drain(one)).toEqual([["0"]]);
  });

  it("bind_and_close_first: a binder without peers takes nothing", () => {
    const name = sockets.endpoint("inproc");
    const other = push({ sendHighWaterMark: 1 });
    other.bindSync(name);
    expect(fill(other)).toBe(0);
    other.close();
    const one = pull();
    one.connect(name);
    expect(one.tryReceive()).toBeUndefined();
  });
});

describe("test_sockopt_hwm", () => {
  it("change_before_connected: both marks count, and can be read", () => {
    const name = sockets.endpoint("inproc");
    const [one, other] = [push(), pull()];
    other.receiveHighWaterMark = 2;
    one.sendHighWaterMark = 2;
    other.connect(name);
    one.bindSync(name);
    expect([one.sendHighWaterMark, fill(one)]).toEqual([2, 4]);
  });

  it("change_after_connected: the new mark counts at once", () => {
    const name = sockets.endpoint("inproc");
    const [one, other] = [push({ sendHighWaterMark: 1 }), pull({ receiveHighWaterMark: 1 })];
    other.connect(name);
    one.bindSync(name);
    one.sendHighWaterMark = 5;
    expect([one.sendHighWaterMark, fill(one)]).toEqual([5, 6]);
    other.receiveHighWaterMark = 3;
    expect(fill(one)).toBe(2);
  });

  it("decrease_when_full: what is queued stays, then the new mark counts", () => {
    const name = sockets.endpoint("inproc");
    const [one, other] = [push({ sendHighWaterMark: 100 }), pull({ receiveHighWaterMark: 1 })];
    one.bindSync(name);
    other.connect(name);
    expect(fill(one)).toBe(101);
    one.sendHighWaterMark = 70;
    expect(one.trySend("x")).toBe(false);
    expect(drain(other).flat()).toEqual(numbered(101));
    // Of the last messages that were read the writer hears with the next ones.
    const room = fill(one);
    expect(room).toBeGreaterThan(71 / 2);
    expect(room).toBeLessThanOrEqual(71);
  });

  it("a send that waits goes on when the mark is raised", async () => {
    const name = sockets.endpoint("inproc");
    const [one, other] = [push({ sendHighWaterMark: 1 }), pull({ receiveHighWaterMark: 1 })];
    one.bindSync(name);
    other.connect(name);
    fill(one);
    const sent = one.send("waits");
    one.sendHighWaterMark = 2;
    await sent;
    expect(drain(other).flat()).toEqual(["0", "1", "waits"]);
  });
});

describe("test_inproc_connect", () => {
  it("connect_only, shutdown_during_pend: a name that nobody binds holds nothing up", async () => {
    const socket = push({ linger: -1 });
    socket.connect(sockets.endpoint("inproc"));
    fill(socket);
    const sent = socket.send("x");
    const closed = socket[Symbol.asyncDispose]();
    await expect(sent).rejects.toEqual(failure("EAGAIN"));
    await closed;
  });

  it("names of one context are not found in another", () => {
    const name = sockets.endpoint("inproc");
    const [one, other] = [pull(), push({ context: new Context() })];
    one.bindSync(name);
    other.connect(name);
    other.trySend("x");
    expect([one.tryReceive(), peers(one), peers(other)]).toEqual([undefined, 0, 0]);
  });

  it("types that do not talk to each other are not connected, and harm nobody", () => {
    const name = sockets.endpoint("inproc");
    const [one, wrong, right] = [pull(), sockets.open(new Pair()), push()];
    one.bindSync(name);
    wrong.connect(name);
    wrong.trySend("wrong");
    right.connect(name);
    right.trySend("right");
    expect([drain(one), peers(one), peers(wrong)]).toEqual([[["right"]], 1, 0]);
  });
});

describe("events", () => {
  it("test_monitor: handshake and disconnect say where the peer is, and of no routing id", async () => {
    const one = push();
    const events = new Events(one);
    const other = pull();
    await sockets.join("tcp", one, other);
    other.close();
    const disconnect = await events.seen("disconnect");
    expect(events.types).toEqual(["bind", "accept", "handshake", "disconnect"]);
    const { peerAddress } = await events.seen("accept");
    expect(peerAddress).toMatch(/127\.0\.0\.1:\d+$/);
    for (const event of [...events.of("handshake"), disconnect]) {
      expect(event).toEqual({ type: event.type, address: one.lastEndpoint, peerAddress });
    }
  });
});

describe("any sequence of sends, receives, arrivals and departures", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant({ do: "send" } as const) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("take" as const), peer: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("come" as const), mark: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("go" as const), peer: fc.nat(5) }) },
  );

  /** What a peer should hold. An acknowledgement is due every `low` messages that were read. */
  interface Expected {
    socket: Pull;
    mark: number;
    queue: string[];
    written: number;
    read: number;
    told: number;
    waits: boolean;
  }

  it("each message goes to the one whose turn it is among those with room", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const one = push({ sendHighWaterMark: 1 });
        const name = sockets.endpoint("inproc");
        one.bindSync(name);
        const order = new Turns<Expected>();
        const all: Expected[] = [];
        const hasRoom = (it: Expected): boolean => it.mark === 0 || it.written - it.told < it.mark;
        for (const [i, it] of steps.entries()) {
          const peer = "peer" in it ? all[it.peer % all.length] : undefined;
          if (it.do === "send") {
            const taken = order.next((candidate) => {
              candidate.waits = !hasRoom(candidate);
              return candidate.waits ? undefined : candidate;
            });
            taken?.queue.push(String(i));
            if (taken !== undefined) taken.written++;
            expect(one.trySend(String(i))).toBe(taken !== undefined);
          } else if (it.do === "come") {
            const receiveHighWaterMark = it.mark;
            const socket = pull({ receiveHighWaterMark });
            socket.connect(name);
            const mark = it.mark === 0 ? 0 : it.mark + 1;
            const state = { socket, mark, queue: [], written: 0, read: 0, told: 0, waits: false };
            all.push(state);
            order.activate(state);
          } else if (it.do === "take" && peer !== undefined) {
            expect(peer.socket.tryReceive()?.toString()).toBe(peer.queue.shift());
            if (peer.read === peer.written) continue;
            peer.read++;
            if (peer.read - peer.told >= (peer.mark + 1) >> 1) peer.told = peer.read;
            if (!peer.waits || !hasRoom(peer)) continue;
            peer.waits = false;
            order.activate(peer);
          } else if (it.do === "go" && peer !== undefined) {
            peer.socket.close();
            order.delete(peer);
            all.splice(all.indexOf(peer), 1);
          }
        }
        one.close();
        for (const { socket } of all) socket.close();
      }),
      { numRuns: 200 },
    );
  });
});
