import { statSync } from "node:fs";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { Event } from "../../src/events.js";
import { Observer } from "../../src/socket/observer.js";
import type { Pair } from "../../src/socket/pair.js";
import { Listener } from "../../src/transport/listener.js";
import { RawPeer } from "../support/raw-peer.js";
import { handshake, Sockets, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const pair = sockets.pair.bind(sockets);

afterEach(async () => {
  vi.restoreAllMocks();
  await sockets.close();
});
afterAll(() => sockets.end());

function follow(socket: Pair): Event[] {
  const seen: Event[] = [];
  const observer = new Observer(socket);
  void (async () => {
    for await (const event of observer) seen.push(event);
  })();
  return seen;
}

describe("bindSync where the runtime cannot bind at once", () => {
  function cannot(): void {
    vi.spyOn(Listener, "bindSync").mockReturnValue(undefined);
  }

  it("binds a little later", async () => {
    cannot();
    const [one, other] = [pair(), pair()];
    one.bindSync("tcp://127.0.0.1:*");
    await until(() => one.lastEndpoint !== null);
    other.connect(one.lastEndpoint as string);
    await other.send("x");
    expect(String(await one.receive())).toBe("x");
  });

  it("says what is wrong by an event", async () => {
    const first = pair();
    await first.bind("tcp://127.0.0.1:*");
    cannot();
    const socket = pair();
    const events = follow(socket);
    socket.bindSync(first.lastEndpoint as string);
    await until(() => events.some(({ type }) => type === "bind:error"));
    expect(events.at(-1)).toMatchObject({ error: { code: "EADDRINUSE" } });
  });

  it("leaves nothing bound when the socket is closed meanwhile", async () => {
    const first = pair();
    await first.bind("tcp://127.0.0.1:*");
    const endpoint = first.lastEndpoint as string;
    await first[Symbol.asyncDispose]();
    cannot();
    const socket = pair();
    socket.bindSync(endpoint);
    socket.close();
    await turns(20);
    await expect(RawPeer.connect(endpoint)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("ipcMode", () => {
  it.each(["bind", "bindSync"] as const)("is the mode of files that %s makes", async (bind) => {
    const socket = pair();
    const umask = 0o777 & ~process.umask();
    for (const ipcMode of [0o600, 0o622, null]) {
      socket.ipcMode = ipcMode;
      await socket[bind](sockets.endpoint("ipc"));
      const path = (socket.lastEndpoint as string).slice("ipc://".length);
      expect(statSync(path).mode & 0o777).toBe(ipcMode ?? umask);
      const other = pair();
      other.connect(socket.lastEndpoint as string);
      await other.send("x");
      expect(String(await socket.receive())).toBe("x");
      await other[Symbol.asyncDispose]();
      socket.unbindSync(socket.lastEndpoint as string);
    }
  });

  it("never lets an abstract name be bound, which it could not protect", async () => {
    const socket = pair({ ipcMode: 0o600 });
    const events = follow(socket);
    const refused = expect.objectContaining({ code: "ENOTSUP", address: "ipc://@purezmq-mode" });
    await expect(socket.bind("ipc://@purezmq-mode")).rejects.toThrow(refused);
    expect(() => socket.bindSync("ipc://@purezmq-mode")).toThrow(refused);
    await until(() => events.length === 2);
    expect(events.map(({ type }) => type)).toEqual(["bind:error", "bind:error"]);
  });
});

describe("several endpoints of one PAIR", () => {
  it.each([false, true])(
    "immediate %s: the second peer waits for the place of the first",
    async (immediate) => {
      const [first, second] = [pair(), pair()];
      for (const socket of [first, second]) await socket.bind("tcp://127.0.0.1:*");
      const socket = pair({ immediate });
      socket.connect(first.lastEndpoint as string);
      await handshake(socket);
      socket.connect(second.lastEndpoint as string);
      await first.send("from the first");
      expect(String(await socket.receive())).toBe("from the first");
      await turns(20);
      await socket.send("to the first");
      expect(String(await first.receive())).toBe("to the first");
      socket.disconnect(first.lastEndpoint as string);
      await second.send("from the second");
      expect(String(await socket.receive())).toBe("from the second");
      await socket.send("to the second");
      expect(String(await second.receive())).toBe("to the second");
      expect(first.tryReceive()).toBeUndefined();
    },
  );

  it("a second peer that waits and breaks off is dialled again", async () => {
    const [first, second] = [pair(), pair()];
    await first.bind("tcp://127.0.0.1:*");
    await second.bind("tcp://127.0.0.1:*");
    const endpoint = second.lastEndpoint as string;
    const socket = pair({ immediate: true, reconnectInterval: 10 });
    socket.connect(first.lastEndpoint as string);
    await handshake(socket);
    const events = follow(socket);
    socket.connect(endpoint);
    await until(() => events.some(({ type }) => type === "connect"));
    await second[Symbol.asyncDispose]();
    const third = pair();
    await third.bind(endpoint);
    socket.disconnect(first.lastEndpoint as string);
    await socket.send("x");
    expect(String(await third.receive())).toBe("x");
  });

  it("a socket that is connected to itself can be closed", async () => {
    const socket = pair({ linger: 0 });
    await socket.bind("tcp://127.0.0.1:*");
    socket.connect(socket.lastEndpoint as string);
    await socket.send("x");
    await until(() => socket.stats().peers.length === 2);
    await turns(10);
    expect(socket.tryReceive()).toBeUndefined();
    await socket[Symbol.asyncDispose]();
    expect(socket.stats().peers).toEqual([]);
  });
});

describe("marks that are changed", () => {
  it("receiveHighWaterMark raised: what stands in the wire comes in without a read", async () => {
    const [one, other] = await sockets.connected("tcp", { receiveHighWaterMark: 1 });
    for (let i = 0; i < 10; i++) await other.send(Buffer.alloc(100_000, i));
    await until(() => one.readable);
    await turns(20);
    expect(one.stats().receive.messages).toBe(1);
    one.receiveHighWaterMark = 5;
    await until(() => one.stats().receive.messages === 5);
    one.receiveHighWaterMark = 0;
    await until(() => one.stats().receive.messages === 10);
    for (let i = 0; i < 10; i++) expect((await one.receive())[0]?.[0]).toBe(i);
  });

  it("receiveHighWaterMark lowered: no more than that comes in", async () => {
    const [one, other] = await sockets.connected("tcp", { receiveHighWaterMark: 100 });
    await other.send("first");
    await until(() => one.readable);
    one.receiveHighWaterMark = 2;
    for (let i = 0; i < 50; i++) await other.send(String(i));
    await turns(20);
    expect(one.stats().receive.messages).toBe(2);
    expect(String(await one.receive())).toBe("first");
    for (let i = 0; i < 50; i++) expect(String(await one.receive())).toBe(String(i));
  });

  it("receiveHighWaterMarkBytes: a message that is larger than the mark passes, alone", async () => {
    const [one, other] = await sockets.connected("tcp", { receiveHighWaterMarkBytes: 1000 });
    for (let i = 0; i < 5; i++) await other.send(Buffer.alloc(100_000, i));
    await until(() => one.readable);
    await turns(20);
    expect(one.stats().receive.messages).toBe(1);
    for (let i = 0; i < 5; i++) expect((await one.receive())[0]?.[0]).toBe(i);
  });

  it("sendHighWaterMarkBytes set while a send waits: 0 lets it go on", async () => {
    const socket = pair({ sendHighWaterMarkBytes: 100 });
    socket.connect(sockets.endpoint("ipc"));
    await socket.send(Buffer.alloc(100));
    const sent = socket.send("waiting");
    socket.sendHighWaterMarkBytes = 0;
    await sent;
    expect(socket.stats().send.messages).toBe(2);
  });
});
