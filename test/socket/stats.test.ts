import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RawPeer } from "../support/raw-peer.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";
import { frame } from "../support/wire.js";

const sockets = new Sockets();
const pair = sockets.pair.bind(sockets);

afterEach(async () => {
  vi.restoreAllMocks();
  await sockets.close();
});
afterAll(() => sockets.end());

const EMPTY = { messages: 0, bytes: 0 };

/** Of queues that nobody has. */
const BOUNDS = {
  highWaterMark: 1000,
  highWaterMarkBytes: 0,
  highWaterMarkTotalBytes: 0,
  capacity: 0,
  largestMessage: 0,
};

/** What waits at a peer without a name. */
const IDLE = {
  routingId: undefined,
  receiveMessages: 0,
  receiveBytes: 0,
  sendMessages: 0,
  sendBytes: 0,
};

describe("stats", () => {
  it("of a fresh socket are all zero, with its marks", () => {
    expect(pair().stats()).toEqual({
      receive: { ...EMPTY, ...BOUNDS },
      send: { ...EMPTY, ...BOUNDS },
      total: { messagesReceived: 0, messagesSent: 0, messagesDropped: 0 },
      connectionsRefused: 0,
      subscriptions: undefined,
      assemblyBytes: 0,
      peers: [],
    });
  });

  it("show the marks as they are set", () => {
    const socket = pair({ sendHighWaterMark: 1, receiveHighWaterMark: 2 });
    socket.sendHighWaterMarkBytes = 3;
    socket.receiveHighWaterMarkBytes = 4;
    const { send, receive } = socket.stats();
    expect([send.highWaterMark, receive.highWaterMark]).toEqual([1, 2]);
    expect([send.highWaterMarkBytes, receive.highWaterMarkBytes]).toEqual([3, 4]);
  });

  it.each(TRANSPORTS)(
    "over %s: count messages, parts together, and their bytes",
    async (transport) => {
      const [one, other] = await sockets.connected(transport);
      for (let i = 0; i < 10; i++) await other.send(["abc", Buffer.alloc(1000), ""]);
      await until(() => one.stats().receive.messages === 10);
      expect(one.stats().receive).toMatchObject({ messages: 10, bytes: 10_030 });
      expect(other.stats().total).toEqual({
        messagesReceived: 0,
        messagesSent: 10,
        messagesDropped: 0,
      });
      for (let i = 0; i < 4; i++) await one.receive();
      one.tryReceive();
      expect(one.stats()).toMatchObject({
        receive: { messages: 5, bytes: 5015 },
        total: { messagesReceived: 5, messagesSent: 0 },
      });
      while (one.tryReceive() !== undefined) {}
      expect(one.stats()).toMatchObject({ receive: EMPTY, total: { messagesReceived: 10 } });
    },
  );

  it("count what waits to be sent", async () => {
    const socket = pair();
    socket.connect(sockets.endpoint("ipc"));
    for (let i = 0; i < 5; i++) await socket.send(["ab", "c"]);
    expect(socket.stats()).toMatchObject({
      send: { messages: 5, bytes: 15 },
      total: { messagesSent: 5 },
    });
    socket.disconnect(socket.lastEndpoint as string);
    expect(socket.stats().send).toMatchObject(EMPTY);
  });

  it("count neither calls that fail, nor empty ones", async () => {
    const socket = pair({ sendTimeout: 0, receiveTimeout: 0 });
    await socket.send("x").catch(() => {});
    await socket.receive().catch(() => {});
    await socket.send([]);
    socket.tryReceive();
    socket.trySend("x");
    expect(socket.stats().total).toEqual({
      messagesReceived: 0,
      messagesSent: 0,
      messagesDropped: 0,
    });
  });

  it("show what a departed peer has left", async () => {
    const [one, other] = await sockets.connected("tcp");
    await other.send("abc");
    await until(() => one.readable);
    other.close();
    await until(() => !one.writable);
    expect(one.stats()).toMatchObject({ receive: { messages: 1, bytes: 3 }, peers: [] });
  });

  it("show octets of messages whose end has not come", async () => {
    const one = pair();
    await one.bind("tcp://127.0.0.1:*");
    const peer = await RawPeer.connect(one.lastEndpoint as string);
    peer.greet();
    await until(() => one.stats().peers[0]?.connected === true);
    peer.socket.write(frame(Buffer.alloc(1000), { more: true }));
    // Each part counts a little more than its octets.
    await until(() => one.stats().assemblyBytes >= 1000);
    expect(one.stats().assemblyBytes).toBeLessThan(1500);
    peer.socket.write(frame(Buffer.alloc(500), { more: true }));
    await until(() => one.stats().assemblyBytes >= 1500);
    expect(one.stats().receive.messages).toBe(0);
    peer.socket.write(frame("end"));
    await until(() => one.stats().receive.messages === 1);
    expect(one.stats()).toMatchObject({ assemblyBytes: 0, receive: { bytes: 1503 } });
    peer.socket.destroy();
  });

  it("work on a closed socket", async () => {
    const [one, other] = await sockets.connected("inproc");
    await other.send("x");
    await one.receive();
    one.close();
    expect(one.stats()).toMatchObject({
      receive: EMPTY,
      total: { messagesReceived: 1 },
      peers: [],
    });
  });

  it("are a picture: they do not change afterwards", async () => {
    const [one, other] = await sockets.connected("inproc");
    const before = one.stats();
    await other.send("x");
    expect([before.receive.messages, one.stats().receive.messages]).toEqual([0, 1]);
  });
});

describe("peers", () => {
  beforeEach(() => {
    const start = Math.ceil(performance.now());
    vi.spyOn(performance, "now").mockReturnValue(start);
  });

  function later(ms: number): void {
    vi.mocked(performance.now).mockReturnValue(performance.now() + ms);
  }

  it("of a binder: each with its address and age", async () => {
    const one = pair();
    await one.bind("tcp://127.0.0.1:*");
    const endpoint = one.lastEndpoint as string;
    const first = pair();
    first.connect(endpoint);
    await until(() => one.stats().peers.some((peer) => peer.connected));
    later(1500);
    const second = pair();
    second.connect(endpoint);
    await until(() => one.stats().peers.length === 2);
    later(10);
    const [one1, one2] = one.stats().peers;
    expect(one1).toEqual({
      endpoint,
      address: expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/),
      connected: true,
      ...IDLE,
      ageMs: 1510,
    });
    // Surplus: it has no place yet.
    expect(one2).toMatchObject({ endpoint, connected: false, ageMs: 10 });
    expect(one2?.address).not.toBe(one1?.address);
  });

  it("of a connector: there before it is connected", async () => {
    const one = pair();
    await one.bind(sockets.endpoint("ipc"));
    const endpoint = one.lastEndpoint as string;
    await one.unbind(endpoint);
    const other = pair({ reconnectInterval: 10 });
    other.connect(endpoint);
    expect(other.stats().peers).toEqual([
      { endpoint, address: undefined, connected: false, ...IDLE, ageMs: 0 },
    ]);
    await one.bind(endpoint);
    await until(() => other.stats().peers[0]?.connected === true);
    expect(other.stats().peers[0]?.address).toBe(endpoint);
    one.close();
    await until(() => other.stats().peers[0]?.connected === false);
    expect(other.stats().peers[0]?.address).toBeUndefined();
    other.disconnect(endpoint);
    await turns(5);
    expect(other.stats().peers).toEqual([]);
  });

  it("linger on for as long as their messages do", async () => {
    const [socket, one] = [pair({ linger: -1 }), pair()];
    const endpoint = sockets.endpoint("ipc");
    socket.connect(endpoint);
    await socket.send("x");
    socket.disconnect(endpoint);
    expect(socket.stats().peers).toHaveLength(1);
    vi.restoreAllMocks();
    await one.bind(endpoint);
    expect(String(await one.receive())).toBe("x");
    await until(() => socket.stats().peers.length === 0);
  });
});
