import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Dealer } from "../../src/socket/dealer.js";
import { Reply } from "../../src/socket/rep.js";
import {
  bound,
  drain,
  Events,
  failure,
  maker,
  numbered,
  peers,
  receive,
  receiveOne,
  saturate,
  thrown,
  vacant,
} from "../support/patterns.js";
import { Sockets, TRANSPORTS, until } from "../support/sockets.js";

const sockets = new Sockets();
const dealer = maker(sockets, Dealer);
const reply = maker(sockets, Reply);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

describe.each(TRANSPORTS)("over %s", (transport) => {
  describe("test_spec_dealer", () => {
    it("round_robin_out: every service gets one request, in the order in which they came", async () => {
      const one = dealer();
      const services = [reply(), reply(), reply(), reply(), reply()];
      await sockets.join(transport, one, ...services);
      for (const text of numbered(5)) await one.send(["", text]);
      for (const [i, service] of services.entries()) {
        expect(await receiveOne(service)).toEqual([String(i)]);
      }
    });

    it("fair_queue_in: one message of each peer in turn", async () => {
      const one = dealer();
      const senders = [dealer(), dealer(), dealer(), dealer(), dealer()];
      await sockets.join(transport, one, ...senders);
      for (let i = 0; i < 2; i++) {
        await senders[0]?.send("A");
        expect(await receiveOne(one)).toEqual(["A"]);
      }
      for (const [i, sender] of senders.entries()) {
        await sender.send(`${i}`);
        await sender.send(`${i} again`);
      }
      await until(() => one.stats().receive.messages === 10);
      expect((await receive(one, 5)).flat().sort()).toEqual(numbered(5));
      expect((await receive(one, 5)).flat().sort()).toEqual(numbered(5).map((i) => `${i} again`));
    });

    it("destroy_queue_on_disconnect: no message of before is there after a reconnect", async () => {
      const one = dealer({ sendHighWaterMark: 1 });
      const other = dealer({ receiveHighWaterMark: 1 });
      await sockets.join(transport, one, other);
      await saturate(one, Buffer.alloc(200_000));
      await until(() => other.readable);
      other.disconnect(one.lastEndpoint as string);
      await until(() => peers(one) === 0);
      expect([one.trySend("x"), one.stats().send.messages]).toEqual([false, 0]);
      expect([other.trySend("x"), other.tryReceive()]).toEqual([false, undefined]);
      other.connect(one.lastEndpoint as string);
      await other.send("from other");
      expect(await receiveOne(one)).toEqual(["from other"]);
      await one.send("from one");
      expect(await receiveOne(other)).toEqual(["from one"]);
    });

    it("block_on_send_no_peers: EAGAIN, or waits for a peer", async () => {
      const one = dealer({ sendTimeout: 0 });
      expect([one.trySend(""), one.writable]).toEqual([false, false]);
      await expect(one.send("")).rejects.toEqual(failure("EAGAIN"));
      one.sendTimeout = 20;
      await expect(one.send("")).rejects.toEqual(failure("EAGAIN"));
      one.sendTimeout = -1;
      const sent = one.send("waited");
      const other = dealer();
      one.connect(await bound(sockets, transport, other));
      await sent;
      expect(await receiveOne(other)).toEqual(["waited"]);
    });
  });

  it("test_bind_after_connect_tcp: what is sent before anybody is bound arrives, in order", async () => {
    const endpoint = await vacant(sockets, transport);
    const other = dealer({ reconnectInterval: 10 });
    other.connect(endpoint);
    for (const text of ["foobar", "baz", "buzz"]) await other.send(text);
    const one = dealer();
    await one.bind(endpoint);
    expect(await receive(one, 3)).toEqual([["foobar"], ["baz"], ["buzz"]]);
  });

  it("test_timeo: timeouts end calls with EAGAIN, and nothing is lost by it", async () => {
    const one = dealer({ receiveTimeout: 0, receiveHighWaterMark: 1 });
    const endpoint = await bound(sockets, transport, one);
    expect(one.tryReceive()).toBeUndefined();
    await expect(one.receive()).rejects.toEqual(failure("EAGAIN"));
    one.receiveTimeout = 20;
    await expect(one.receive()).rejects.toEqual(failure("EAGAIN"));
    one.receiveTimeout = -1;
    const received = one.receive();
    const other = dealer({ sendTimeout: 20, sendHighWaterMark: 1 });
    other.connect(endpoint);
    await other.send("Hello");
    expect(String(await received)).toBe("Hello");
    const count = await saturate(other, Buffer.alloc(200_000));
    await expect(other.send("too late")).rejects.toEqual(failure("EAGAIN"));
    for (let i = 0; i < count; i++) expect((await one.receive())[0]).toHaveLength(200_000);
    await other.send("in time");
    expect(await receiveOne(one)).toEqual(["in time"]);
  });

  it("test_disconnect_inproc: after a disconnect neither hears of the other, until they connect again", async () => {
    const [one, other] = [dealer(), dealer()];
    const endpoint = await bound(sockets, transport, one);
    for (let i = 0; i < 3; i++) {
      other.connect(endpoint);
      await other.send(`to one ${i}`);
      expect(await receiveOne(one)).toEqual([`to one ${i}`]);
      await one.send(`to other ${i}`);
      expect(await receiveOne(other)).toEqual([`to other ${i}`]);
      other.disconnect(endpoint);
      await until(() => !one.writable);
      expect([one.trySend("nobody"), other.trySend("nobody")]).toEqual([false, false]);
    }
  });

  it("both ways at once: all arrives, in order", async () => {
    const [one, other] = [dealer(), dealer()];
    await sockets.join(transport, one, other);
    const send = async (socket: Dealer) => {
      for (const text of numbered(2000)) await socket.send(text);
    };
    const [, , atOne, atOther] = await Promise.all([
      send(one),
      send(other),
      receive(one, 2000),
      receive(other, 2000),
    ]);
    expect(atOne.flat()).toEqual(numbered(2000));
    expect(atOther.flat()).toEqual(numbered(2000));
  });

  it("a second connect to one endpoint does nothing, as disconnect says then", async () => {
    const [one, other] = [dealer(), dealer()];
    const endpoint = await bound(sockets, transport, one);
    other.connect(endpoint);
    other.connect(endpoint);
    await other.send("x");
    await one.receive();
    expect([peers(one), other.stats().peers.length]).toEqual([1, 1]);
    other.disconnect(endpoint);
    expect(thrown(() => other.disconnect(endpoint))).toBe("ENOENT");
  });

  it("binds and connects at once: its peers take turns, wherever they come from", async () => {
    const [one, bounder, connector] = [dealer(), dealer(), dealer()];
    const theirs = await bound(sockets, transport, bounder);
    await sockets.join(transport, one, connector);
    one.connect(theirs);
    await until(() => peers(one) === 2);
    for (const text of numbered(4)) await one.send(text);
    expect([await receive(connector, 2), await receive(bounder, 2)]).toEqual([
      [["0"], ["2"]],
      [["1"], ["3"]],
    ]);
  });

  it("conflate: the newest message counts, both ways", async () => {
    const one = dealer({ conflate: true });
    const other = dealer();
    await sockets.join(transport, one, other);
    for (const text of numbered(20)) expect(other.trySend(text)).toBe(true);
    await until(() => one.readable);
    expect(drain(one)).toEqual([["19"]]);
    await one.send("back");
    expect(await receiveOne(other)).toEqual(["back"]);
  });

  it("test_app_meta, test_metadata: stats say who the peer is", async () => {
    const one = dealer();
    const other = dealer({ routingId: "client" });
    await sockets.join(transport, one, other);
    await other.send("x");
    await one.receive();
    const [peer] = one.stats().peers;
    expect([peer?.endpoint, peer?.connected, peer?.routingId]).toEqual([
      one.lastEndpoint,
      true,
      Buffer.from("client"),
    ]);
    expect(peer?.address).toMatch(transport === "tcp" ? /127\.0\.0\.1:\d+$/ : /^(ipc|inproc):/);
    expect(other.stats().peers[0]?.routingId).toBeUndefined();
  });
});

describe.each(["ipc", "tcp"] as const)("over %s", (transport) => {
  it("test_immediate, 3: with immediate sends wait while the peer is away, then go on", async () => {
    const back = dealer();
    const front = dealer({ immediate: true, reconnectInterval: 10 });
    const endpoint = await bound(sockets, transport, back);
    front.connect(endpoint);
    await back.send("Hello");
    expect(await receiveOne(front)).toEqual(["Hello"]);
    expect(front.trySend("Hello")).toBe(true);
    await back.receive();
    back.close();
    await until(() => !front.writable);
    expect([front.trySend("lost"), front.stats().send.messages]).toEqual([false, 0]);
    const sent = front.send("waits");
    const next = dealer();
    await next.bind(endpoint);
    await next.send("Hello again");
    expect(await receiveOne(front)).toEqual(["Hello again"]);
    await sent;
    expect(front.trySend("flows")).toBe(true);
    expect(await receive(next, 2)).toEqual([["waits"], ["flows"]]);
  });

  it("test_monitor: both sides tell the story of a connection, with peer and name", async () => {
    const server = dealer();
    const client = dealer({ routingId: "client" });
    const [theirs, ours] = [new Events(server), new Events(client)];
    await sockets.join(transport, server, client);
    const address = server.lastEndpoint as string;
    await client.send("ping");
    await server.receive();
    await server.send("pong");
    await client.receive();
    client.close();
    await theirs.seen("disconnect");
    server.close();
    await theirs.seen("end");
    await ours.seen("end");
    const delay = transport === "tcp" ? ["connect:delay"] : [];
    expect(ours.types).toEqual([...delay, "connect", "handshake", "end"]);
    expect(theirs.types).toEqual(["bind", "accept", "handshake", "disconnect", "close", "end"]);
    const { peerAddress } = await theirs.seen("accept");
    expect(peerAddress).toMatch(transport === "tcp" ? /127\.0\.0\.1:\d+$/ : /^ipc:/);
    const routingId = Buffer.from("client");
    for (const event of [await theirs.seen("handshake"), await theirs.seen("disconnect")]) {
      expect(event).toEqual({ type: event.type, address, peerAddress, routingId });
    }
    const connect = await ours.seen("connect");
    expect(connect.peerAddress).toContain(transport === "tcp" ? new URL(address).port : address);
    expect(await ours.seen("handshake")).toEqual({ ...connect, type: "handshake" });
  });

  it("an event's routing id is the listener's own", async () => {
    const server = dealer();
    const events = new Events(server);
    await sockets.join(transport, server, dealer({ routingId: "client" }));
    const { routingId } = await events.seen("handshake");
    routingId?.fill(0);
    expect(server.stats().peers[0]?.routingId).toEqual(Buffer.from("client"));
  });
});

describe("routingId", () => {
  it("is 1 to 255 octets, the first of them not zero; reads as text", () => {
    const one = dealer();
    expect(one.routingId).toBeNull();
    one.routingId = "abc";
    expect(one.routingId).toBe("abc");
    for (const bad of ["", "\0", "\0abc", "x".repeat(256), null]) {
      expect(thrown(() => Object.assign(one, { routingId: bad }))).toBe("EINVAL");
    }
    expect(one.routingId).toBe("abc");
    Object.assign(one, { routingId: Buffer.from("x".repeat(255)) });
    expect(one.routingId).toBe("x".repeat(255));
  });
});
