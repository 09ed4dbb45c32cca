import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Context } from "../../src/socket/context.js";
import { Dealer } from "../../src/socket/dealer.js";
import { Pipe } from "../../src/socket/pipe.js";
import { Pool } from "../../src/socket/pool.js";
import { Request } from "../../src/socket/req.js";
import { Router, RouterPattern } from "../../src/socket/router.js";
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
  texts,
  thrown,
  vacant,
} from "../support/patterns.js";
import { handshake, Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const router = maker(sockets, Router);
const dealer = maker(sockets, Dealer);
const request = maker(sockets, Request);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

const EHOSTUNREACH = failure("EHOSTUNREACH");
const BODY = Buffer.alloc(200_000);
const dropped = (socket: Router): number => socket.stats().total.messagesDropped;

/** A peer that does not come back by itself when it has lost its connection. */
const once = (routingId: string, options: ConstructorParameters<typeof Dealer>[0] = {}): Dealer =>
  dealer({ routingId, reconnectInterval: -1, ...options });

describe.each(TRANSPORTS)("over %s", (transport) => {
  /** A peer that has said something and is gone, or will be once it was let in. */
  async function passerBy(endpoint: string, routingId: string, text: string): Promise<void> {
    const socket = dealer({ linger: -1, reconnectInterval: 10, routingId });
    socket.connect(endpoint);
    await socket.send(text);
    await socket[Symbol.asyncDispose]();
  }

  /** Comes, after all others. */
  async function come(one: Router, peer: Dealer): Promise<void> {
    peer.connect(one.lastEndpoint as string);
    await handshake(peer);
  }

  /** A connector keeps its queue over tcp and ipc. */
  function isCutOff(peer: Dealer): boolean {
    return transport === "inproc" ? !peer.writable : peers(peer) === 0;
  }

  describe("test_spec_router", () => {
    it("fair_queue_in: one message of each peer in turn, with its routing id", async () => {
      const one = router();
      const names = ["A", "B", "C", "D", "E"];
      const all = names.map((name) => once(name));
      await sockets.join(transport, one, ...all);
      for (let i = 0; i < 2; i++) {
        await all[0]?.send("M");
        expect(await receiveOne(one)).toEqual(["A", "M"]);
      }
      for (const peer of all) for (const text of ["1", "2"]) await peer.send(text);
      await until(() => one.stats().receive.messages === 10);
      for (const text of ["1", "2"]) {
        expect((await receive(one, 5)).sort()).toEqual(names.map((name) => [name, text]));
      }
    });

    it("destroy_queue_on_disconnect: what waits for a peer goes with it, what it sent stays", async () => {
      const one = router({ mandatory: true, sendTimeout: 0 });
      const other = once("B");
      await sockets.join(transport, one, other);
      await one.send(["B", "ABC"]);
      await other.send("DEF");
      await until(() => one.readable && other.readable);
      other.disconnect(one.lastEndpoint as string);
      await until(() => peers(one) === 0);
      await expect(one.send(["B", "x"])).rejects.toEqual(EHOSTUNREACH);
      await come(one, other);
      expect([other.tryReceive(), drain(one)]).toEqual([undefined, [["B", "DEF"]]]);
      await one.send(["B", "new"]);
      expect(await receiveOne(other)).toEqual(["new"]);
    });
  });

  it("each peer gets what is addressed to it, and nothing else", async () => {
    const one = router();
    const all = numbered(5, "peer ").map((name) => once(name));
    await sockets.join(transport, one, ...all);
    for (let i = 0; i < 20; i++) await one.send([`peer ${(i * 3) % 5}`, "", String(i)]);
    for (const [i, peer] of all.entries()) {
      const expected = numbered(20).filter((text) => (Number(text) * 3) % 5 === i);
      expect(await receive(peer, 4)).toEqual(expected.map((text) => ["", text]));
      expect(peer.tryReceive()).toBeUndefined();
    }
  });

  it("an id with nothing behind it goes nowhere, and is no error", async () => {
    const one = router({ mandatory: true });
    const other = once("A");
    await sockets.join(transport, one, other);
    await one.send("A");
    await one.send(["nobody"]);
    await one.send(["A", ""]);
    expect(await receiveOne(other)).toEqual([""]);
    expect(dropped(one)).toBe(0);
  });

  describe("a peer without a name", () => {
    it("gets one of five octets, the first of them zero; each its own", async () => {
      const one = router();
      const endpoint = await bound(sockets, transport, one);
      const ids = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const peer = dealer();
        peer.connect(endpoint);
        await peer.send(`${i}`);
        const [id, text] = (await one.receive()) as [Buffer, Buffer];
        expect([id.length, id[0], String(text)]).toEqual([5, 0, `${i}`]);
        ids.add(id.toString("hex"));
        await one.send([id, `back ${i}`]);
        expect(await receiveOne(peer)).toEqual([`back ${i}`]);
        if (i % 2 === 0) peer.close();
      }
      expect(ids.size).toBe(20);
    });

    it("is told of by stats and events under the name that it got", async () => {
      const one = router();
      const events = new Events(one);
      const peer = dealer();
      await sockets.join(transport, one, peer);
      await peer.send("x");
      const [id] = await one.receive();
      expect(one.stats().peers.map(({ routingId }) => routingId)).toEqual([id]);
      peer.close();
      await until(() => peers(one) === 0);
      // Of inproc endpoints no event tells.
      if (transport === "inproc") return;
      expect((await events.seen("handshake")).routingId).toEqual(id);
      expect((await events.seen("disconnect")).routingId).toEqual(id);
    });
  });

  it("a received id, and one that was sent, may be changed without harm", async () => {
    const one = router();
    const peer = once("name");
    await sockets.join(transport, one, peer);
    for (let i = 0; i < 3; i++) {
      await peer.send("x");
      const [id] = (await one.receive()) as [Buffer];
      expect(String(id)).toBe("name");
      const address = Buffer.from(id);
      id.fill(0);
      await one.send([address, "back"]);
      address.fill(0);
      expect(await receiveOne(peer)).toEqual(["back"]);
    }
    expect(one.stats().peers[0]?.routingId).toEqual(Buffer.from("name"));
  });

  describe("a message to nobody", () => {
    it("is dropped and counted", async () => {
      const one = router();
      expect(one.writable).toBe(true);
      await one.send(["nobody", "x"]);
      await sockets.join(transport, one, once("A"));
      expect(one.trySend(["nobody", "x"])).toBe(true);
      expect(dropped(one)).toBe(2);
    });

    it("test_router_mandatory, basic: with mandatory EHOSTUNREACH at once", async () => {
      const one = router({ mandatory: true });
      const peer = once("X");
      await sockets.join(transport, one, peer);
      await expect(one.send(["UNKNOWN", "DATA"])).rejects.toEqual(EHOSTUNREACH);
      expect(thrown(() => one.trySend(["UNKNOWN", "DATA"]))).toBe("EHOSTUNREACH");
      await one.send(["X", "Hello"]);
      expect(await receiveOne(peer)).toEqual(["Hello"]);
      one.mandatory = false;
      await one.send(["UNKNOWN", "DATA"]);
      expect(dropped(one)).toBe(1);
    });

    it("with mandatory and no peers at all: EHOSTUNREACH after sendTimeout, 0 included", async () => {
      const one = router({ mandatory: true, sendTimeout: 0 });
      await bound(sockets, transport, one);
      expect([one.writable, thrown(() => one.trySend(["A", "x"]))]).toEqual([
        false,
        "EHOSTUNREACH",
      ]);
      await expect(one.send(["A", "x"])).rejects.toEqual(EHOSTUNREACH);
      one.sendTimeout = 20;
      await expect(one.send(["A", "x"])).rejects.toEqual(EHOSTUNREACH);
      expect(dropped(one)).toBe(0);
    });

    it("with mandatory and no peers at all it waits: for its peer", async () => {
      const one = router({ mandatory: true });
      await bound(sockets, transport, one);
      const sent = one.send(["A", "waited"]);
      const peer = once("A");
      await come(one, peer);
      await sent;
      expect(await receiveOne(peer)).toEqual(["waited"]);
    });

    it("with mandatory and no peers at all it waits: and is refused when it is another who comes", async () => {
      const one = router({ mandatory: true });
      await bound(sockets, transport, one);
      const sent = one.send(["A", "x"]);
      one.sendTimeout = 0;
      await Promise.all([come(one, once("B")), expect(sent).rejects.toEqual(EHOSTUNREACH)]);
    });
  });

  describe("a peer whose queue is full", () => {
    /** Two peers; the first one's queue is full, with as many messages as the last number says. */
    async function full(mandatory: boolean): Promise<[Router, Dealer, Dealer, number]> {
      const one = router({ mandatory: true, sendHighWaterMark: 1 });
      const [slow, other] = [once("slow", { receiveHighWaterMark: 1 }), once("other")];
      await sockets.join(transport, one, slow, other);
      const count = await saturate(one, ["slow", BODY]);
      one.mandatory = mandatory;
      return [one, slow, other, count];
    }

    it("misses messages, which are counted; others get theirs", async () => {
      const [one, slow, other, count] = await full(false);
      for (const text of numbered(5)) {
        expect(one.trySend(["slow", "missed"])).toBe(true);
        await one.send(["other", text]);
      }
      expect((await receive(other, 5)).flat()).toEqual(numbered(5));
      expect(dropped(one)).toBe(5);
      for (let i = 0; i < count; i++) expect((await slow.receive())[0]).toHaveLength(BODY.length);
      await until(() => one.stats().send.messages === 0);
      await one.send(["slow", "again"]);
      expect(await receiveOne(slow)).toEqual(["again"]);
      expect(dropped(one)).toBe(5);
    });

    it("test_router_mandatory, get_peer_state: with mandatory trySend says so; others get theirs", async () => {
      const [one, , other] = await full(true);
      for (const text of numbered(5)) {
        expect(thrown(() => one.trySend(["nobody", "x"]))).toBe("EHOSTUNREACH");
        expect([one.trySend(["slow", "x"]), one.writable]).toEqual([false, true]);
        await one.send(["other", text]);
      }
      expect((await receive(other, 5)).flat()).toEqual(numbered(5));
      expect(dropped(one)).toBe(0);
    });

    it("test_router_mandatory_hwm: with mandatory send waits until there is room; all arrives", async () => {
      const [one, slow, , count] = await full(true);
      one.sendTimeout = 20;
      await expect(one.send(["slow", "too late"])).rejects.toEqual(failure("EAGAIN"));
      one.sendTimeout = -1;
      const sent = one.send(["slow", "waited"]);
      for (let i = 0; i < count; i++) expect((await slow.receive())[0]).toHaveLength(BODY.length);
      await sent;
      expect(await receiveOne(slow)).toEqual(["waited"]);
      expect(dropped(one)).toBe(0);
    });

    it("with mandatory: a send that waits for it goes on when it may be dropped", async () => {
      const [one] = await full(true);
      const sent = one.send(["slow", "dropped"]);
      one.mandatory = false;
      await sent;
      expect(dropped(one)).toBe(1);
    });

    it("with mandatory: a send that waits for it fails with EHOSTUNREACH when it goes", async () => {
      const [one, slow] = await full(true);
      one.sendTimeout = 500;
      const sent = one.send(["slow", "waits"]);
      slow.close();
      await expect(sent).rejects.toEqual(EHOSTUNREACH);
    });

    it("with mandatory: all are full, and the socket is not writable until one of them has room", async () => {
      const [one, , other] = await full(true);
      other.receiveHighWaterMark = 1;
      const count = await saturate(one, ["other", BODY]);
      expect(one.writable).toBe(false);
      for (let i = 0; i < count; i++) await other.receive();
      await until(() => one.writable);
    });
  });

  describe("two peers with one name", () => {
    it("test_router_handover, without_handover: the second waits, and gets the name when the first goes", async () => {
      const one = router();
      const [first, second, third] = [once("X"), once("X"), once("X")];
      await sockets.join(transport, one, first, second, third);
      await third.send("third");
      await second.send("second");
      await first.send("first");
      expect(await receiveOne(one)).toEqual(["X", "first"]);
      await turns(20);
      expect(one.tryReceive()).toBeUndefined();
      await one.send(["X", "to the first"]);
      expect(await receiveOne(first)).toEqual(["to the first"]);
      first.close();
      expect(await receiveOne(one)).toEqual(["X", "second"]);
      await one.send(["X", "to the second"]);
      expect(await receiveOne(second)).toEqual(["to the second"]);
      expect(third.tryReceive()).toBeUndefined();
      second.close();
      expect(await receiveOne(one)).toEqual(["X", "third"]);
      await one.send(["X", "to the third"]);
      expect(await receiveOne(third)).toEqual(["to the third"]);
      third.close();
      await until(() => peers(one) === 0);
      const fourth = once("X");
      await come(one, fourth);
      await one.send(["X", "to the fourth"]);
      expect(await receiveOne(fourth)).toEqual(["to the fourth"]);
      expect(dropped(one)).toBe(0);
    });

    it("one that goes while it waits takes no name away", async () => {
      const one = router();
      const [first, second, third] = [once("X"), once("X"), once("X")];
      await sockets.join(transport, one, first, second, third);
      second.close();
      await until(() => peers(one) === 2);
      await one.send(["X", "to the first"]);
      expect(await receiveOne(first)).toEqual(["to the first"]);
      first.close();
      await until(() => peers(one) === 1);
      await one.send(["X", "to the third"]);
      expect(await receiveOne(third)).toEqual(["to the third"]);
    });

    it("what the second sends while it waits is in nobody's way, and is heard when the first goes", async () => {
      const server = router({ receiveHighWaterMarkTotalBytes: 100_000 });
      const [first, second, third] = [
        once("X"),
        dealer({ routingId: "X" }),
        dealer({ routingId: "Y" }),
      ];
      const endpoint = await bound(sockets, transport, server);
      first.connect(endpoint);
      await first.send("hello");
      expect(await receiveOne(server)).toEqual(["X", "hello"]);
      second.connect(endpoint);
      const count = fill(second, () => Buffer.alloc(10_000), 40);
      await until(() => server.stats().peers.length === 2);
      await turns(5);
      third.connect(endpoint);
      for (const text of numbered(20)) await third.send(text);
      expect((await receive(server, 20)).map(String)).toEqual(numbered(20, "Y,"));
      first.close();
      for (let i = 0; i < count; i++) {
        const [id, body] = await server.receive();
        expect([String(id), body?.length]).toEqual(["X", 10_000]);
      }
    });

    it("what waits of the second is told by stats", async () => {
      const server = router();
      const [first, second] = [once("X"), dealer({ routingId: "X" })];
      await sockets.join("inproc", server, first);
      const name = sockets.endpoint("inproc");
      second.connect(name);
      for (const text of ["four", "five!"]) await second.send(text);
      await server.bind(name);
      expect(server.stats().receive).toMatchObject({ messages: 2, bytes: 9 });
      expect(server.tryReceive()).toBeUndefined();
      first.close();
      await turns(1);
      expect(drain(server)).toEqual([
        ["X", "four"],
        ["X", "five!"],
      ]);
      expect(server.stats().receive).toMatchObject({ messages: 0, bytes: 0 });
    });

    it("a mandatory send goes to the heir", async () => {
      const one = router({ mandatory: true, sendHighWaterMark: 1 });
      const [first, second] = [once("X", { receiveHighWaterMark: 1 }), once("X")];
      await sockets.join(transport, one, first, second);
      await saturate(one, ["X", BODY]);
      const sent = one.send(["X", "waited"]);
      first.close();
      await sent;
      expect(await receiveOne(second)).toEqual(["waited"]);
    });

    it("test_router_handover, with_handover: the second has the name at once, the first is disconnected", async () => {
      const one = router({ handover: true });
      const [first, second] = [once("X"), once("X")];
      await sockets.join(transport, one, first);
      await first.send("first");
      await one.send(["X", "to the first"]);
      await until(() => one.readable);
      await come(one, second);
      await second.send("second");
      await one.send(["X", "to the second"]);
      expect(await receiveOne(second)).toEqual(["to the second"]);
      await until(() => isCutOff(first));
      expect([await receiveOne(first), first.tryReceive()]).toEqual([["to the first"], undefined]);
      // What the first had sent is not lost, and comes under the name that it had.
      expect((await receive(one, 2)).sort()).toEqual([
        ["X", "first"],
        ["X", "second"],
      ]);
      expect(dropped(one)).toBe(0);
    });

    it("with_handover: neither side counts the other as a peer any more", async () => {
      const one = router({ handover: true });
      const [first, second] = [once("X"), once("X")];
      await sockets.join(transport, one, first, second);
      await until(() => isCutOff(first));
      await turns(20);
      expect([peers(one), one.stats().peers.length, peers(first)]).toEqual([1, 1, 0]);
    });

    it("with_handover: the first may come again and have its name back", async () => {
      const one = router({ handover: true });
      const [first, second] = [once("X"), once("X")];
      await sockets.join(transport, one, first, second);
      await until(() => isCutOff(first));
      // Over inproc a connection does not come back by itself, so it is forgotten.
      if (transport !== "inproc") first.disconnect(one.lastEndpoint as string);
      await come(one, first);
      await until(() => isCutOff(second));
      await one.send(["X", "back"]);
      expect(await receiveOne(first)).toEqual(["back"]);
      await first.send("again");
      expect(await receiveOne(one)).toEqual(["X", "again"]);
    });

    it("with_handover and mandatory: a send that waits for the first one's room goes to the second", async () => {
      const one = router({ handover: true, mandatory: true, sendHighWaterMark: 1 });
      const [first, second] = [once("X", { receiveHighWaterMark: 1 }), once("X")];
      await sockets.join(transport, one, first);
      await saturate(one, ["X", BODY]);
      const sent = one.send(["X", "waited"]);
      await come(one, second);
      await sent;
      expect(await receiveOne(second)).toEqual(["waited"]);
    });
  });

  describe("connect with a routing id", () => {
    it.each([false, true])(
      "test_connect_rid, router_2_router: it is the peer's name here, whatever it calls itself (named: %s)",
      async (named) => {
        const [one, other] = [router(), router()];
        if (named) {
          one.routingId = "X";
          other.routingId = "Y";
        }
        const endpoint = await bound(sockets, transport, one);
        other.connect(endpoint, { routingId: "conn1" });
        await other.send(["conn1", "hi 1"]);
        const [id, text] = (await one.receive()) as [Buffer, Buffer];
        expect([named ? String(id) : id[0], String(text)]).toEqual([named ? "Y" : 0, "hi 1"]);
        await one.send([id, "ok"]);
        expect(await receiveOne(other)).toEqual(["conn1", "ok"]);
        expect(String(other.stats().peers[0]?.routingId)).toBe("conn1");
      },
    );

    it("test_connect_rid, router_2_router_while_receiving: it is the next connection's, not that of a peer that came", async () => {
      const [x, y, z] = [
        router({ routingId: "X" }),
        router({ routingId: "Y" }),
        router({ routingId: "Z" }),
      ];
      const [atX, atZ] = [await bound(sockets, transport, x), await bound(sockets, transport, z)];
      y.connect(atX, { routingId: "X" });
      await y.send(["X", "hi 1"]);
      await until(() => x.readable);
      x.connect(atZ, { routingId: "Z" });
      await x.send(["Z", "hi 1"]);
      expect(await receiveOne(z)).toEqual(["X", "hi 1"]);
      expect([y.tryReceive(), drain(x)]).toEqual([undefined, [["Y", "hi 1"]]]);
    });

    it("can be sent to before the peer is there", async () => {
      const endpoint = await vacant(sockets, transport);
      const other = router({ mandatory: true, reconnectInterval: 10 });
      const octets = Buffer.of(255, 0, 128);
      other.connect(endpoint, { routingId: octets });
      for (const text of numbered(3)) await other.send([octets, text]);
      expect(other.stats().send.messages).toBe(3);
      const one = dealer();
      await one.bind(endpoint);
      expect((await receive(one, 3)).flat()).toEqual(numbered(3));
      await one.send("back");
      expect((await other.receive())[0]).toEqual(octets);
    });

    it("a name that is taken, or of a bad size: EINVAL, and no connection", async () => {
      const [one, coming, there] = [router(), once("taken"), dealer()];
      await sockets.join(transport, one, coming);
      const endpoint = await bound(sockets, transport, there);
      for (const routingId of ["taken", "x".repeat(256), Buffer.alloc(0), "\0abc"]) {
        expect(thrown(() => one.connect(endpoint, { routingId }))).toBe("EINVAL");
      }
      one.connect(endpoint, { routingId: "mine" });
      expect(thrown(() => one.connect(endpoint, { routingId: "mine" }))).toBe("EINVAL");
      await until(() => peers(one) === 2);
      expect(one.stats().peers).toHaveLength(2);
      one.disconnect(endpoint);
      one.connect(endpoint, { routingId: "mine" });
      one.disconnect(endpoint);
      one.connect(endpoint, { routingId: "x".repeat(255) });
    });

    it("a name of a call that fails is not that of the next", async () => {
      const [one, other] = [router(), dealer()];
      const endpoint = await bound(sockets, transport, other);
      const routingId = "A";
      expect(thrown(() => one.connect("tcp://nothing", { routingId }))).toBe("EINVAL");
      expect(() => one.connect(5 as unknown as string, { routingId })).toThrow(TypeError);
      const binding = one.bind(sockets.endpoint(transport));
      expect(thrown(() => one.connect(endpoint, { routingId }))).toBe("EBUSY");
      await binding;
      one.connect(endpoint);
      await other.send("x");
      expect((await one.receive())[0]).toHaveLength(5);
    });

    it("a second connection to one endpoint is one more peer", async () => {
      const [one, other] = [router(), dealer()];
      const endpoint = await bound(sockets, transport, other);
      for (const routingId of ["A", "B"]) one.connect(endpoint, { routingId });
      await until(() => peers(one) === 2 && peers(other) === 2);
      for (const id of ["B", "A", "B"]) await one.send([id, id]);
      expect((await receive(other, 3)).flat().sort()).toEqual(["A", "B", "B"]);
      one.disconnect(endpoint);
      await until(() => peers(other) === 0);
      await one.send(["A", "x"]);
      expect(dropped(one)).toBe(1);
    });
  });

  describe("test_probe_router", () => {
    it("router: it is heard of by an empty message, and can be sent to", async () => {
      const [one, other] = [router(), router({ routingId: "X", probeRouter: true })];
      await sockets.join(transport, one, other);
      expect(await receiveOne(one)).toEqual(["X", ""]);
      await one.send(["X", "Hello"]);
      const [id, text] = (await other.receive()) as [Buffer, Buffer];
      expect([id.length, id[0], String(text)]).toEqual([5, 0, "Hello"]);
    });

    it.each([["dealer"], ["request"]])("%s: so are these", async (type) => {
      const one = router();
      const options = { routingId: "X", probeRouter: true };
      const other = type === "dealer" ? dealer(options) : request(options);
      await sockets.join(transport, one, other);
      expect(await receiveOne(one)).toEqual(["X", ""]);
      await other.send("Hello");
      expect((await receiveOne(one)).slice(-1)).toEqual(["Hello"]);
    });

    it("a Router that is connected to greets, too, each peer once", async () => {
      const one = router({ probeRouter: true });
      const all = [once("A"), once("B")];
      await sockets.join(transport, one, ...all);
      for (const peer of all) expect(await receiveOne(peer)).toEqual([""]);
      await turns(5);
      expect(all.map((peer) => peer.tryReceive())).toEqual([undefined, undefined]);
    });
  });

  describe("peers that are gone", () => {
    it("are heard, each under its name", async () => {
      const one = router();
      const endpoint = await bound(sockets, transport, one);
      for (const name of ["A", "B", "C"]) await passerBy(endpoint, name, `from ${name}`);
      await until(() => one.stats().receive.messages === 3 && peers(one) === 0);
      expect((await receive(one, 3)).sort()).toEqual([
        ["A", "from A"],
        ["B", "from B"],
        ["C", "from C"],
      ]);
      await one.send(["A", "too late"]);
      expect(dropped(one)).toBe(1);
    });

    it("with one name, one after the other: all are heard", async () => {
      const one = router();
      const endpoint = await bound(sockets, transport, one);
      for (const text of numbered(5)) {
        await passerBy(endpoint, "A", text);
        await until(() => peers(one) === 0);
      }
      expect((await receive(one, 5)).sort()).toEqual(numbered(5).map((text) => ["A", text]));
    });

    it("pile up no more than the mark; those who come later wait, and nobody is lost", async () => {
      const one = router({ receiveHighWaterMark: 4 });
      const endpoint = await bound(sockets, transport, one);
      for (const text of numbered(4)) {
        await passerBy(endpoint, text, "early");
        await until(() => peers(one) === 0);
      }
      for (let i = 0; i < 12; i++) {
        const peer = dealer({ routingId: `late ${i}` });
        peer.connect(endpoint);
        await peer.send("late");
        await turns(2);
      }
      expect(one.stats().receive.messages).toBe(4);
      one.trySend(["late 0", "not yet"]);
      expect(dropped(one)).toBe(1);
      const names = (await receive(one, 16)).map(([name]) => name as string);
      expect(names.sort()).toEqual([...numbered(4), ...numbered(12, "late ")].sort());
    });
  });

  it("disconnect forgets what was not received from that endpoint, and nothing else", async () => {
    const one = router();
    const [left, stays] = [dealer({ routingId: "left" }), dealer({ routingId: "stays" })];
    for (const peer of [left, stays]) {
      one.connect(await bound(sockets, transport, peer));
      await peer.send("1");
      await peer.send("2");
    }
    await until(() => one.stats().receive.messages === 4);
    one.disconnect(left.lastEndpoint as string);
    expect(drain(one)).toEqual([
      ["stays", "1"],
      ["stays", "2"],
    ]);
    await one.send(["left", "x"]);
    expect(dropped(one)).toBe(1);
    await until(() => peers(left) === 0);
  });

  it("test_last_endpoint: it is what was bound last", async () => {
    const one = router();
    const first = await bound(sockets, transport, one);
    const second = await bound(sockets, transport, one);
    expect([first === second, one.lastEndpoint]).toEqual([false, second]);
    await one.unbind(first);
    const peer = once("A");
    peer.connect(second);
    await peer.send("x");
    expect(await receiveOne(one)).toEqual(["A", "x"]);
  });

  it("test_inproc_connect, connect_before_bind_ctx_term: who connects to nobody can be closed", async () => {
    for (let i = 0; i < 20; i++) {
      const socket = router({ linger: -1 });
      socket.connect(await vacant(sockets, transport));
      await socket[Symbol.asyncDispose]();
    }
  });

  it("test_inproc_connect, routing_id: the id of one who connected first comes first", async () => {
    const endpoint = await vacant(sockets, transport);
    const [other, named] = [dealer({ reconnectInterval: 10 }), dealer({ reconnectInterval: 10 })];
    named.routingId = "named";
    for (const peer of [other, named]) {
      peer.connect(endpoint);
      await peer.send(["A", "B"]);
    }
    const one = router();
    await one.bind(endpoint);
    const messages = await receive(one, 2);
    expect(messages.map((parts) => parts.slice(1))).toEqual([
      ["A", "B"],
      ["A", "B"],
    ]);
    expect(messages.map(([id]) => id === "named").sort()).toEqual([false, true]);
  });
});

describe.each(["ipc", "tcp"] as const)("over %s", (transport) => {
  it("test_issue_566: a peer of another context can be sent to once it is there", async () => {
    const [mine, theirs] = [new Context(), new Context()];
    const one = router({ mandatory: true, sendTimeout: 0, context: mine });
    const endpoint = await bound(sockets, transport, one);
    for (let i = 0; i < 30; i++) {
      const routingId = String(i).padStart(9, "0");
      const peer = dealer({ routingId, context: theirs });
      peer.connect(endpoint);
      let refused = 0;
      while ((await one.send([routingId, "HELLO"]).catch(({ code }) => code)) === "EHOSTUNREACH") {
        refused++;
        await turns(1);
      }
      expect(refused).toBeGreaterThan(0);
      expect(await receiveOne(peer)).toEqual(["HELLO"]);
      peer.close();
    }
  });

  it("a drop event says which peer misses messages: once until it has had room again", async () => {
    const one = router({ sendHighWaterMark: 1 });
    const events = new Events(one);
    const peer = once("slow", { receiveHighWaterMark: 1 });
    await sockets.join(transport, one, peer);
    const miss = async (count: number): Promise<number> => {
      let sent = 0;
      for (const before = dropped(one); dropped(one) < before + count; sent++) {
        one.trySend(["slow", BODY]);
        await turns(5);
      }
      return sent - count;
    };
    const { peerAddress } = await events.seen("accept");
    const expected = {
      type: "drop",
      address: one.lastEndpoint,
      peerAddress,
      routingId: Buffer.from("slow"),
    };
    const heard = await miss(5);
    expect(events.of("drop")).toEqual([expected]);
    for (let i = 0; i < heard; i++) await peer.receive();
    await until(() => one.stats().send.messages === 0);
    await miss(3);
    expect(events.of("drop")).toEqual([expected, expected]);
    one.trySend(["nobody", "x"]);
    await turns(2);
    expect([events.of("drop").length, dropped(one)]).toEqual([2, 9]);
  });

  it("a name given by connect stays the peer's when it comes again; what waits for it is sent then", async () => {
    const first = dealer();
    const endpoint = await bound(sockets, transport, first);
    const other = router({ reconnectInterval: 10 });
    other.connect(endpoint, { routingId: "server" });
    await first.send("first");
    expect(await receiveOne(other)).toEqual(["server", "first"]);
    first.close();
    await until(() => peers(other) === 0);
    await other.send(["server", "kept"]);
    const second = dealer({ routingId: "another" });
    await second.bind(endpoint);
    expect(await receiveOne(second)).toEqual(["kept"]);
    await second.send("second");
    expect(await receiveOne(other)).toEqual(["server", "second"]);
    expect(dropped(other)).toBe(0);
  });

  it("test_monitor: the routing id is in handshake and disconnect, before there is one it is not", async () => {
    const one = router();
    const events = new Events(one);
    const peer = once("client");
    await sockets.join(transport, one, peer);
    peer.close();
    await events.seen("disconnect");
    const address = one.lastEndpoint;
    const { peerAddress } = await events.seen("accept");
    const routingId = Buffer.from("client");
    expect(events.all).toEqual([
      { type: "bind", address },
      { type: "accept", address, peerAddress },
      { type: "handshake", address, peerAddress, routingId },
      { type: "disconnect", address, peerAddress, routingId },
    ]);
  });

  it("with handover the first one's end is no disconnect of its own making", async () => {
    const one = router({ handover: true });
    const [first, second] = [once("X"), once("X")];
    await sockets.join(transport, one, first);
    const events = new Events(first);
    second.connect(one.lastEndpoint as string);
    await events.seen("disconnect");
    expect(events.types).toEqual(["disconnect"]);
    expect(peers(first)).toBe(0);
  });
});

/**
 * Of those with one name the first has it. With handover it is the last; whoever had it is
 * disconnected, and what it had sent is received.
 */
it("thousands that wait for one name, and break off when they get it, do so one after the other", () => {
  const host = {
    options: { boolean: () => false, number: () => 1000, octets: () => undefined },
    readActivated() {},
    writeActivated() {},
    vacated() {},
    dropped() {},
    publish() {},
  };
  const pattern = new RouterPattern(host);
  const pool = new Pool(10);
  const unbound = { messages: 0, bytes: 0 };
  const come = (writeActivated: (end: Pipe) => void): Pipe => {
    const [end, pipe] = Pipe.pair({ ...unbound, pool }, unbound);
    end.attach({ readActivated() {}, writeActivated, pipeEnded() {} });
    pattern.attach(pipe);
    pattern.peerConnected(pipe, Buffer.from("X"));
    return end;
  };
  const first = come(() => {});
  let over = 0;
  const waiting = Array.from({ length: 10_000 }, () =>
    come((end) => {
      over++;
      end.close();
    }),
  );
  waiting[0]?.write([Buffer.alloc(10)]);
  for (const end of waiting) expect(end.checkWrite()).toBe(false);
  first.close();
  while (pattern.receive() !== undefined);
  expect(over).toBe(10_000);
});

describe("any sequence of arrivals, departures and messages", () => {
  const name = fc.constantFrom("A", "B");
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("come" as const), name }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("go" as const), peer: fc.nat(7) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("say" as const), peer: fc.nat(7) }) },
    { weight: 4, arbitrary: fc.constant({ do: "take" } as const) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("tell" as const), name }) },
  );

  interface Peer {
    socket: Dealer;
    name: string;
    ousted: boolean;
    /** What it said that was not received, and what it was told. */
    queue: string[];
    told: string[];
  }

  it("who has a name is heard and told, who waits for it is so later", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, handover) => {
        const one = router({ handover });
        const endpoint = sockets.endpoint("inproc");
        one.bindSync(endpoint);
        const order = new Turns<Peer>();
        const present: Peer[] = [];
        let lost = 0;
        const holder = (id: string): Peer | undefined =>
          present.find((peer) => peer.name === id && !peer.ousted);
        for (const [i, it] of steps.entries()) {
          const text = String(i);
          const peer = "peer" in it ? present[it.peer % present.length] : undefined;
          if (it.do === "come") {
            const before = holder(it.name);
            if (handover && before !== undefined) before.ousted = true;
            const socket = dealer({ routingId: it.name });
            socket.connect(endpoint);
            const next = { socket, name: it.name, ousted: false, queue: [], told: [] };
            present.push(next);
            if (holder(it.name) === next) order.activate(next);
          } else if (it.do === "go" && peer !== undefined) {
            const had = holder(peer.name) === peer;
            expect(drain(peer.socket).flat()).toEqual(peer.told);
            peer.socket.close();
            present.splice(present.indexOf(peer), 1);
            const heir = holder(peer.name);
            if (had && heir !== undefined) order.activate(heir);
          } else if (it.do === "say" && peer !== undefined) {
            expect(peer.socket.trySend(text)).toBe(!peer.ousted);
            if (peer.ousted) continue;
            peer.queue.push(text);
            if (holder(peer.name) === peer) order.activate(peer);
          } else if (it.do === "take") {
            const expected = order.next((candidate) => {
              const next = candidate.queue.shift();
              return next === undefined ? undefined : [candidate.name, next];
            });
            const parts = one.tryReceive();
            expect(parts && texts(parts)).toEqual(expected);
          } else if (it.do === "tell") {
            expect(one.trySend([it.name, text])).toBe(true);
            const addressee = holder(it.name);
            if (addressee === undefined) lost++;
            else addressee.told.push(text);
          }
        }
        for (const { socket, told } of present) expect(drain(socket).flat()).toEqual(told);
        expect(dropped(one)).toBe(lost);
        one.close();
        for (const { socket } of present) socket.close();
      }),
      { numRuns: 200 },
    );
  });
});
