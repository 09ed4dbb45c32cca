import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Event } from "../../src/events.js";
import { Observer } from "../../src/socket/observer.js";
import type { Pair } from "../../src/socket/pair.js";
import { type RawPeer, RawServer } from "../support/raw-peer.js";
import { Sockets, turns, until } from "../support/sockets.js";
import { command, frame, greeting, message, ready } from "../support/wire.js";

// A connector and its server, who is made of octets.
const sockets = new Sockets();
const pair = sockets.pair.bind(sockets);

let server: RawServer;

beforeEach(async () => {
  server = await RawServer.open();
});

afterEach(async () => {
  vi.useRealTimers();
  await sockets.close();
  server.close();
});
afterAll(() => sockets.end());

function connector(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
  const socket = pair({ reconnectInterval: 10, ...options });
  socket.connect(server.endpoint);
  return socket;
}

/** The connection of this number, once its handshake is done on our side. */
async function peer(socket: Pair, number = 1): Promise<RawPeer> {
  await until(
    () => server.peers.length >= number && socket.stats().peers.some(({ connected }) => connected),
  );
  return server.peers[number - 1] as RawPeer;
}

/** What the first parts of a peer's messages say. */
const ids = (peer: RawPeer): number[] => peer.messages.map(([id]) => Number(id));

function follow(socket: Pair): string[] {
  const seen: string[] = [];
  const observer = new Observer(socket);
  void (async () => {
    for await (const event of observer as AsyncIterable<Event>) seen.push(event.type);
  })();
  return seen;
}

/** Where a bare listener is to be found, once it is there. */
async function listen(listener: Server, transport: "ipc" | "tcp"): Promise<string> {
  const path = sockets.endpoint("ipc");
  await new Promise<void>((resolve) => {
    if (transport === "ipc") listener.listen(path.slice("ipc://".length), resolve);
    else listener.listen(0, "127.0.0.1", resolve);
  });
  if (transport === "ipc") return path;
  return `tcp://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

describe("closed before the handshake", () => {
  it("takes and forgets what comes: a peer may have to write before it reads", async () => {
    server.close();
    server = await RawServer.open(false);
    const socket = connector({ linger: -1, sendHighWaterMark: 0 });
    for (let i = 0; i < 300; i++) socket.trySend([String(i), Buffer.alloc(100_000)]);
    await until(() => server.peers.length === 1);
    const over = socket[Symbol.asyncDispose]();
    const [first] = server.peers as [RawPeer];
    first.socket.pause();
    const all = Buffer.concat(Array.from({ length: 300 }, () => message(Buffer.alloc(100_000))));
    first.socket.write(Buffer.concat([greeting(), ready(), all]), () => first.socket.resume());
    await over;
    await until(() => first.messages.length === 300);
  });

  it("sends the rest to the next connection when the peer goes in the midst of it", async () => {
    server.close();
    server = await RawServer.open(false);
    const socket = connector({ linger: -1 });
    for (let i = 0; i < 20; i++) socket.trySend([String(i), Buffer.alloc(1_000_000)]);
    await until(() => server.peers.length === 1);
    const over = socket[Symbol.asyncDispose]();
    const [first] = server.peers as [RawPeer];
    first.socket.pause();
    first.socket.write(Buffer.concat([greeting(), ready()]));
    await turns(20);
    first.socket.resetAndDestroy();
    await until(() => server.peers.length === 2);
    const [, second] = server.peers as [RawPeer, RawPeer];
    second.greet();
    await over;
    await until(() => ids(second).at(-1) === 19);
  });
});

describe("a peer that goes while nobody receives", () => {
  it.each(["ipc", "tcp"] as const)(
    "over %s: does not hold up a connector that only sends",
    async (transport) => {
      const listeners: Socket[] = [];
      const listener = createServer({ pauseOnConnect: true }, (it) => {
        listeners.push(it);
        it.on("error", () => {}).write(Buffer.concat([greeting(), ready()]));
        for (let i = 0; i < 50; i++) it.write(message("flood"));
      });
      const endpoint = await listen(listener, transport);
      const socket = pair({ reconnectInterval: 1, receiveHighWaterMark: 5 });
      socket.connect(endpoint);
      await until(() => socket.stats().receive.messages >= 5);
      listeners[0]?.destroy();
      await until(() => {
        socket.trySend("x");
        return listeners.length === 2;
      });
      for (const it of listeners) it.destroy();
      listener.close();
    },
  );
});

describe("a peer that goes", () => {
  it.each(["ipc", "tcp"] as const)(
    "over %s: what it sent before is received, though a write finds it gone first",
    async (transport) => {
      let peer: Socket | undefined;
      const listener = createServer({ pauseOnConnect: true }, (socket) => {
        peer = socket;
        socket.on("error", () => {}).write(Buffer.concat([greeting(), ready()]));
      });
      const endpoint = await listen(listener, transport);
      const socket = pair({ reconnectInterval: -1 });
      socket.connect(endpoint);
      await until(() => socket.stats().peers[0]?.connected === true);
      // It has read all of ours: the system has no reason to reset the connection.
      peer?.resume();
      await until(() => (peer?.bytesRead ?? 0) > 64 + 8);
      await turns(5);
      // In one turn: no octet of these has been read when our write comes back with an error.
      for (let i = 0; i < 100; i++) peer?.write(message(Buffer.alloc(100, i)));
      peer?.destroy();
      await socket.send("y");
      await until(() => socket.stats().receive.messages === 100);
      await until(() => socket.stats().peers[0]?.connected !== true);
      for (let i = 0; i < 100; i++) expect(socket.tryReceive()?.[0]?.[0]).toBe(i);
      listener.close();
    },
  );
});

describe("handshake", () => {
  it("a connector says READY once it has heard the greeting, and nothing more before READY", async () => {
    server.close();
    server = await RawServer.open(false);
    const socket = connector();
    await socket.send("too early");
    await until(() => server.peers[0]?.size === 64);
    const [first] = server.peers as [RawPeer];
    first.socket.write(greeting());
    await until(() => first.commands.length === 1);
    await turns(20);
    expect([first.commands, first.messages]).toEqual([["READY"], []]);
    first.socket.write(ready());
    await until(() => first.messages.length === 1);
    expect(String(first.messages[0])).toBe("too early");
  });

  it("a message before READY is not delivered and ends the connection", async () => {
    server.close();
    server = await RawServer.open(false);
    const socket = connector({ reconnectInterval: -1 });
    const events = follow(socket);
    await until(() => server.peers.length === 1);
    server.peers[0]?.socket.write(Buffer.concat([greeting(), message("early"), ready()]));
    await until(() => events.includes("disconnect"));
    expect(events).toContain("handshake:error:protocol");
    expect(socket.tryReceive()).toBeUndefined();
  });

  describe("an ERROR", () => {
    async function refused(socket: Pair): Promise<void> {
      await until(() => server.peers.length === 1);
      server.peers[0]?.socket.write(Buffer.concat([greeting(), command("ERROR", "\x02no")]));
      await until(() => socket.stats().total.messagesDropped === 3);
    }

    beforeEach(async () => {
      server.close();
      server = await RawServer.open(false);
    });

    it("ends the attempts; what waits for the peer is dropped, and counted", async () => {
      const socket = connector();
      const events = follow(socket);
      for (const text of ["a", "b", "c"]) await socket.send(text);
      await refused(socket);
      await turns(20);
      expect(events).toContain("disconnect");
      expect(events).not.toContain("connect:retry");
      expect(socket.stats().peers.every(({ connected }) => !connected)).toBe(true);
      // Nothing is sent to it any more: others may take it.
      expect([socket.trySend("d"), socket.stats().send.messages]).toEqual([false, 0]);
      // The endpoint is still there to be disconnected.
      socket.disconnect(server.endpoint);
    });

    it("holds nobody up: not a close before it, nor one after it", async () => {
      for (const order of ["before", "after"]) {
        server.close();
        server = await RawServer.open(false);
        const socket = connector({ linger: -1 });
        for (const text of ["a", "b", "c"]) await socket.send(text);
        let closed: PromiseLike<void> | undefined;
        if (order === "before") closed = socket[Symbol.asyncDispose]();
        await until(() => server.peers.length === 1);
        server.peers[0]?.socket.write(Buffer.concat([greeting(), command("ERROR", "\x02no")]));
        if (order === "after") await until(() => socket.stats().total.messagesDropped === 3);
        await (closed ?? socket[Symbol.asyncDispose]());
      }
    });
  });
});

describe("a connection that breaks", () => {
  const SIZE = 100_000;
  const COUNT = 100;
  /** What goes to the kernel in one write at the most, if the messages are small. */
  const WRITE_SIZE = 64 * 1024;

  it("gives back what was not written: the next one begins with a whole message", async () => {
    const socket = connector({ sendHighWaterMark: 0 });
    const first = await peer(socket);
    first.socket.pause();
    const body = Buffer.alloc(SIZE, 1);
    for (let i = 0; i < COUNT; i++) await socket.send([String(i), body]);
    // The kernel takes what it takes; then nothing moves.
    let left = COUNT;
    await until(() => {
      const { messages } = socket.stats().send;
      const still = messages === left;
      left = messages;
      return still && messages < COUNT;
    });
    await turns(50);
    left = socket.stats().send.messages;
    expect(left).toBeGreaterThan(0);
    first.socket.resetAndDestroy();
    const second = await peer(socket, 2);
    await until(() => ids(second).at(-1) === COUNT - 1);
    const got = ids(second);
    const [start] = got as [number];
    // Whole, in order, each once; among them one that the connection had taken and not written.
    expect(got).toEqual(Array.from({ length: COUNT - start }, (_, i) => start + i));
    expect(start).toBeGreaterThan(0);
    expect(start).toBeLessThan(COUNT - left);
    expect(second.messages.every(([, part]) => part?.length === SIZE)).toBe(true);
    expect(socket.stats().send.messages).toBe(0);
  });

  it("sends nothing twice: what the first connection got, the second does not get", async () => {
    const socket = connector({ sendHighWaterMark: 0 });
    const first = await peer(socket);
    let sent = 0;
    const next = (): boolean => socket.trySend([String(sent++), Buffer.alloc(500, 1)]);
    for (let i = 0; i < 500; i++) next();
    await until(() => first.messages.length >= 500);
    for (let i = 0; i < 500; i++) next();
    first.socket.resetAndDestroy();
    for (let i = 0; i < 500; i++) next();
    const second = await peer(socket, 2);
    await until(() => ids(second).at(-1) === sent - 1);
    const [got, rest] = [new Set(ids(first)), ids(second)];
    expect(rest.filter((id) => got.has(id))).toEqual([]);
    // All that is missing between them was under way: in one write, or in the kernel's hands.
    const [start] = rest as [number];
    expect(rest).toEqual(Array.from({ length: sent - start }, (_, i) => start + i));
    expect(start).toBeLessThan(1000 + WRITE_SIZE / 500);
  });

  it("keeps what is queued, however often it breaks in the handshake", async () => {
    server.close();
    server = await RawServer.open(false);
    const socket = connector();
    for (let round = 0; round < 5; round++) {
      await socket.send(String(round));
      await until(() => server.peers.length === round + 1);
      const now = server.peers[round] as RawPeer;
      if (round % 2 === 0) now.socket.write(greeting());
      await turns(2);
      now.socket.resetAndDestroy();
    }
    await until(() => server.peers.length === 6);
    const last = server.peers[5] as RawPeer;
    last.greet();
    await until(() => last.messages.length === 5);
    expect(ids(last)).toEqual([0, 1, 2, 3, 4]);
  });

  it("a send that waits goes on with the next connection", async () => {
    const socket = connector({ sendHighWaterMark: 1 });
    const first = await peer(socket);
    first.socket.pause();
    const body = Buffer.alloc(1_000_000, 1);
    while (socket.trySend(["0", body])) await turns(20);
    const sent = socket.send("9");
    first.socket.resetAndDestroy();
    await sent;
    const second = await peer(socket, 2);
    await until(() => ids(second).at(-1) === 9);
  });

  it("the half of a message that came is forgotten, the whole ones stay", async () => {
    const socket = connector();
    const first = await peer(socket);
    first.socket.write(Buffer.concat([message("whole"), frame("half", { more: true })]));
    first.socket.write(frame("cut", { size: 1000 }));
    await until(() => socket.stats().assemblyBytes > 0);
    first.socket.resetAndDestroy();
    const second = await peer(socket, 2);
    expect(socket.stats().assemblyBytes).toBe(0);
    second.socket.write(message("next"));
    expect([String(await socket.receive()), String(await socket.receive())]).toEqual([
      "whole",
      "next",
    ]);
  });

  it("a half-closed one is one that breaks", async () => {
    const socket = connector();
    const first = await peer(socket);
    await socket.send("0");
    first.socket.end(message("last words"));
    expect(String(await socket.receive())).toBe("last words");
    const second = await peer(socket, 2);
    await socket.send("1");
    await until(() => second.messages.length === 1);
    expect([...ids(first), ...ids(second)]).toEqual([0, 1]);
  });

  it("what came before it broke is delivered, though there was no room", async () => {
    const socket = connector({ receiveHighWaterMark: 1, reconnectInterval: -1 });
    const first = await peer(socket);
    for (const text of ["a", "b", "c"]) first.socket.write(message(text));
    first.socket.end();
    const texts: string[] = [];
    for (let i = 0; i < 3; i++) texts.push(String(await socket.receive()));
    expect(texts).toEqual(["a", "b", "c"]);
  });
});

describe("immediate", () => {
  it("there is a queue only while there is a peer", async () => {
    server.close();
    server = await RawServer.open(false);
    const socket = connector({ immediate: true });
    expect([socket.writable, socket.trySend("x")]).toEqual([false, false]);
    await until(() => server.peers.length === 1);
    await turns(10);
    expect(socket.writable).toBe(false);
    const [first] = server.peers as [RawPeer];
    first.greet();
    await until(() => socket.writable);
    await socket.send("0");
    await until(() => first.messages.length === 1);
    first.socket.resetAndDestroy();
    await until(() => !socket.writable);
    expect(socket.trySend("x")).toBe(false);
  });

  it("a send waits for the peer, also for the next one", async () => {
    const socket = connector({ immediate: true });
    await socket.send("0");
    const first = await peer(socket);
    await until(() => first.messages.length === 1);
    first.socket.resetAndDestroy();
    await until(() => !socket.writable);
    await socket.send("1");
    const second = await peer(socket, 2);
    await until(() => second.messages.length === 1);
    expect(ids(second)).toEqual([1]);
  });

  it("what was queued goes with the peer; what it sent stays", async () => {
    const socket = connector({ immediate: true });
    const first = await peer(socket);
    first.socket.write(message("unread"));
    await until(() => socket.readable);
    first.socket.pause();
    const body = Buffer.alloc(1_000_000, 1);
    for (let i = 0; i < 50; i++) expect(socket.trySend(["0", body])).toBe(true);
    await turns(20);
    first.socket.resetAndDestroy();
    await until(() => !socket.writable);
    expect(socket.stats().send.messages).toBe(0);
    expect(String(await socket.receive())).toBe("unread");
    await socket.send("1");
    const second = await peer(socket, 2);
    await until(() => second.messages.length > 0);
    expect(ids(second)).toEqual([1]);
  });
});

describe("linger", () => {
  /** A socket with more to send than the kernel takes, whose peer does not read. */
  async function stuck(linger: number): Promise<{ socket: Pair; first: RawPeer; over: string[] }> {
    const socket = connector({ linger });
    const first = await peer(socket);
    first.socket.pause();
    const body = Buffer.alloc(100_000, 1);
    for (let i = 0; i < 200; i++) expect(socket.trySend([String(i), body])).toBe(true);
    await turns(20);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const over: string[] = [];
    void socket[Symbol.asyncDispose]().then(() => over.push("over"));
    await turns(20);
    return { socket, first, over };
  }

  it("0: over at once, the connection is cut", async () => {
    const { socket, first, over } = await stuck(0);
    expect([socket.closed, over]).toEqual([true, ["over"]]);
    vi.useRealTimers();
    first.socket.resume();
    await until(() => first.ended);
    expect(first.messages.length).toBeLessThan(200);
  });

  it("n: over after that time, not before, and the connection is cut", async () => {
    const { socket, first, over } = await stuck(500);
    expect([socket.closed, over]).toEqual([true, []]);
    vi.advanceTimersByTime(499);
    await turns(5);
    expect(over).toEqual([]);
    vi.advanceTimersByTime(1);
    await turns(5);
    expect(over).toEqual(["over"]);
    vi.useRealTimers();
    first.socket.resume();
    await until(() => first.ended);
    expect(first.messages.length).toBeLessThan(200);
  });

  it.each([-1, 60_000])("%i: over once the peer has taken all", async (linger) => {
    const { first, over } = await stuck(linger);
    if (linger < 0) vi.advanceTimersByTime(3_600_000);
    await turns(5);
    expect(over).toEqual([]);
    vi.useRealTimers();
    first.socket.resume();
    await until(() => over.length > 0);
    await until(() => first.messages.length === 200);
    expect(ids(first)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });

  it("-1: a peer that breaks off meanwhile gets the rest when it comes back", async () => {
    const { first, over } = await stuck(-1);
    vi.useRealTimers();
    first.socket.resetAndDestroy();
    await until(() => server.peers.length === 2);
    const [, second] = server.peers as [RawPeer, RawPeer];
    await until(() => over.length > 0);
    await until(() => ids(second).at(-1) === 199);
    const [start] = ids(second) as [number];
    expect(ids(second)).toEqual(Array.from({ length: 200 - start }, (_, i) => start + i));
  });

  it("n: over after that time when there never was a peer", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const socket = pair({ linger: 500 });
    socket.connect(sockets.endpoint("ipc"));
    await socket.send("x");
    const over: string[] = [];
    void socket[Symbol.asyncDispose]().then(() => over.push("over"));
    await turns(5);
    vi.advanceTimersByTime(499);
    await turns(5);
    expect(over).toEqual([]);
    vi.advanceTimersByTime(1);
    await turns(5);
    expect(over).toEqual(["over"]);
  });

  it("is also how long a disconnected endpoint goes on", async () => {
    const socket = connector({ linger: 500 });
    const first = await peer(socket);
    first.socket.pause();
    const body = Buffer.alloc(100_000, 1);
    for (let i = 0; i < 200; i++) expect(socket.trySend([String(i), body])).toBe(true);
    await turns(20);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    socket.disconnect(server.endpoint);
    await turns(5);
    expect(socket.stats().peers).toHaveLength(1);
    vi.advanceTimersByTime(500);
    await turns(5);
    expect(socket.stats().peers).toHaveLength(0);
    expect(socket.closed).toBe(false);
  });

  it("set after the messages were sent, before close: is what counts", async () => {
    const socket = pair({ linger: -1 });
    socket.connect(sockets.endpoint("ipc"));
    await socket.send("x");
    socket.linger = 0;
    await socket[Symbol.asyncDispose]();
  });
});
