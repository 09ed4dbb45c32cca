import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { Pair } from "../../src/socket/pair.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const pair = sockets.pair.bind(sockets);

afterEach(async () => {
  vi.useRealTimers();
  await sockets.close();
});
afterAll(() => sockets.end());

const EAGAIN = expect.objectContaining({ code: "EAGAIN" });

/** Numbered messages. */
async function send(socket: Pair, count: number, prefix = ""): Promise<void> {
  for (let i = 0; i < count; i++) await socket.send(`${prefix}${i}`);
}

function numbered(count: number, prefix = ""): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

async function receive(socket: Pair, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(String(await socket.receive()));
  return texts;
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  /** A socket that is bound. */
  async function bound(options: ConstructorParameters<typeof Pair>[0] = {}): Promise<Pair> {
    const socket = pair(options);
    await socket.bind(sockets.endpoint(transport));
    return socket;
  }

  /** A socket that is connected to `one`, or will be. */
  function connecting(one: Pair, options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
    const socket = pair({ reconnectInterval: 10, ...options });
    socket.connect(one.lastEndpoint as string);
    return socket;
  }

  /** Where nobody is bound yet. */
  async function vacantEndpoint(): Promise<string> {
    const one = await bound();
    const endpoint = one.lastEndpoint as string;
    await one[Symbol.asyncDispose]();
    return endpoint;
  }

  describe("one peer", () => {
    it("messages go both ways, in order", async () => {
      const one = await bound();
      const other = connecting(one);
      const both = await Promise.all([
        send(one, 500, "one "),
        send(other, 500, "other "),
        receive(one, 500),
        receive(other, 500),
      ]);
      expect(both[2]).toEqual(numbered(500, "other "));
      expect(both[3]).toEqual(numbered(500, "one "));
    });

    it("messages of many parts stay together", async () => {
      const one = await bound();
      const other = connecting(one);
      const messages = [[""], ["", ""], ["a", "", "c"], numbered(300)];
      for (const message of messages) await other.send(message);
      for (const message of messages) {
        expect((await one.receive()).map(String)).toEqual(message);
      }
    });

    it.each([0, 1, 100, 255, 256, 4096, 65_536, 1_000_000])("a part of %i bytes", async (size) => {
      const one = await bound();
      const other = connecting(one);
      const part = Buffer.alloc(size, "0123456789");
      await other.send([part, "end"]);
      const [first, second] = (await one.receive()) as [Buffer, Buffer];
      expect(Buffer.isBuffer(first)).toBe(true);
      expect(first.equals(part)).toBe(true);
      expect(String(second)).toBe("end");
    });

    it("a small part may be reused at once", async () => {
      const one = await bound();
      const other = connecting(one);
      const part = Buffer.alloc(128);
      for (let i = 0; i < 100; i++) {
        part.fill(i);
        await other.send([part, part.subarray(0, 1)]);
      }
      part.fill(255);
      for (let i = 0; i < 100; i++) {
        const [first, second] = (await one.receive()) as [Buffer, Buffer];
        expect(first.equals(Buffer.alloc(128, i))).toBe(true);
        expect(second[0]).toBe(i);
      }
    });

    it("nothing is discarded, however slow the reader is", async () => {
      const one = await bound({ receiveHighWaterMark: 1 });
      const other = connecting(one, { sendHighWaterMark: 1 });
      const sent = send(other, 300);
      const texts: string[] = [];
      while (texts.length < 300) {
        await turns(1);
        texts.push(String(await one.receive()));
      }
      expect(texts).toEqual(numbered(300));
      await sent;
    });

    it("a sender that waits for room goes on when there is some", async () => {
      const one = await bound({ receiveHighWaterMark: 1 });
      const other = connecting(one, { sendHighWaterMark: 1, sendTimeout: 0 });
      const part = Buffer.alloc(1_000_000);
      const error = await (async () => {
        for (let i = 0; ; i++) {
          await other.send(part);
          if (i > 1000) throw new Error("it is never full");
          await turns(5);
        }
      })().catch((it) => it);
      expect(error).toEqual(EAGAIN);
      other.sendTimeout = -1;
      const sent = other.send("last");
      for (;;) if ((await one.receive())[0]?.length === 4) break;
      await sent;
    });
  });

  describe("no peer", () => {
    it("a binder has no queue: send waits, trySend refuses", async () => {
      const one = await bound();
      expect(one.trySend("x")).toBe(false);
      const sent = one.send("x");
      expect(one.stats().send.messages).toBe(0);
      const other = connecting(one);
      await sent;
      expect(String(await other.receive())).toBe("x");
    });

    it("a connector has one, up to its high-water mark", async () => {
      const socket = pair({ sendHighWaterMark: 5 });
      socket.connect(await vacantEndpoint());
      let count = 0;
      while (socket.trySend("x")) count++;
      expect([count, socket.stats().send.messages]).toEqual([5, 5]);
    });

    it("connect before bind: what is queued arrives, in order", async () => {
      const endpoint = await vacantEndpoint();
      const other = pair({ reconnectInterval: 10 });
      other.connect(endpoint);
      await send(other, 100);
      const one = pair();
      await one.bind(endpoint);
      expect(await receive(one, 100)).toEqual(numbered(100));
    });

    it("a receive that waits gets the first peer's message", async () => {
      const one = await bound();
      const received = one.receive();
      await connecting(one).send("x");
      expect(String(await received)).toBe("x");
    });
  });

  describe("a peer that goes", () => {
    it("leaves what it has sent, and its place to the next at once", async () => {
      const one = await bound();
      const first = connecting(one);
      await send(first, 2, "first ");
      await until(() => one.stats().receive.messages === 2);
      await first[Symbol.asyncDispose]();
      const second = connecting(one);
      await send(second, 2, "second ");
      await until(() => one.stats().receive.messages === 4);
      expect(await receive(one, 4)).toEqual(["first 0", "first 1", "second 0", "second 1"]);
      await one.send("to the second");
      expect(String(await second.receive())).toBe("to the second");
    });

    it("leaves its place again and again; nothing is lost", async () => {
      const one = await bound();
      for (let i = 0; i < 10; i++) {
        const peer = connecting(one, { linger: -1 });
        await send(peer, 3, `${i} `);
        await peer[Symbol.asyncDispose]();
      }
      const expected = numbered(10).flatMap((i) => numbered(3, `${i} `));
      expect(await receive(one, 30)).toEqual(expected);
    });

    it("takes what was queued for it along: the next one gets nothing of it", async () => {
      const one = await bound();
      const first = connecting(one, { receiveHighWaterMark: 1 });
      await until(() => one.writable);
      await one.send("for the first");
      await turns(10);
      first.close();
      await until(() => !one.writable);
      expect(one.stats().send.messages).toBe(0);
      const second = connecting(one);
      await one.send("for the second");
      expect(String(await second.receive())).toBe("for the second");
    });

    it("lets a send that waits for room wait for the next", async () => {
      const one = await bound({ sendHighWaterMark: 1 });
      const first = connecting(one, { receiveHighWaterMark: 1 });
      await until(() => one.writable);
      const part = Buffer.alloc(1_000_000);
      while (one.trySend(part)) await turns(20);
      const sent = one.send("waiting");
      first.close();
      await until(() => !one.writable);
      const second = connecting(one);
      await sent;
      expect(String(await second.receive())).toBe("waiting");
    });

    it("counts what it left against the receive mark of those after it", async () => {
      const one = await bound({ receiveHighWaterMark: 4 });
      const first = connecting(one);
      await send(first, 3, "first ");
      await until(() => one.stats().receive.messages === 3);
      await first[Symbol.asyncDispose]();
      const second = connecting(one, { sendHighWaterMark: 100 });
      await send(second, 50, "second ");
      await until(() => one.stats().receive.messages > 3);
      await turns(20);
      // On inproc the mark is the sum of both sides'.
      const mark = transport === "inproc" ? 53 : 4;
      expect(one.stats().receive.messages).toBe(mark);
      const expected = [...numbered(3, "first "), ...numbered(50, "second ")];
      expect(await receive(one, 53)).toEqual(expected);
    });

    it("with the queue full leaves its place once there is room; nothing is lost", async () => {
      const one = await bound({ receiveHighWaterMark: 4 });
      const first = connecting(one, { linger: -1, sendHighWaterMark: 1 });
      await send(first, 4, "first ");
      await until(() => one.stats().receive.messages === 4);
      await first[Symbol.asyncDispose]();
      const second = connecting(one);
      await send(second, 50, "second ");
      await turns(20);
      const expected = [...numbered(4, "first "), ...numbered(50, "second ")];
      expect(await receive(one, 54)).toEqual(expected);
    });
  });

  describe("a second peer", () => {
    it("waits; what it sends is not lost; it gets the place when that is free", async () => {
      const one = await bound();
      const first = connecting(one);
      await send(first, 1, "first ");
      expect(await receive(one, 1)).toEqual(["first 0"]);
      const second = connecting(one);
      await send(second, 20, "second ");
      await turns(20);
      expect(one.stats().receive.messages).toBe(0);
      await one.send("to the first");
      expect(String(await first.receive())).toBe("to the first");
      first.close();
      expect(await receive(one, 20)).toEqual(numbered(20, "second "));
      await one.send("to the second");
      expect(String(await second.receive())).toBe("to the second");
    });

    it("that gives up while it waits makes no room for itself", async () => {
      const one = await bound();
      const first = connecting(one);
      await send(first, 1);
      await receive(one, 1);
      const second = connecting(one);
      await send(second, 1, "second ");
      await turns(20);
      second.close();
      await turns(20);
      first.close();
      await until(() => !one.writable);
      await connecting(one).send("third");
      expect(await receive(one, 1)).toEqual(["third"]);
    });

    it("several wait; each gets its turn, and loses nothing", async () => {
      const one = await bound();
      const peers = Array.from({ length: 4 }, () => connecting(one, { linger: -1 }));
      await Promise.all(peers.map((peer, i) => send(peer, 5, `${i} `)));
      for (const peer of peers) peer.close();
      const texts = await receive(one, 20);
      // Each one's are in order and together.
      const order = [...new Set(texts.map((text) => text[0]))];
      expect(texts).toEqual(order.flatMap((i) => numbered(5, `${i} `)));
    });
  });

  describe("unbind and disconnect", () => {
    it("unbind: what was sent arrives", async () => {
      const one = await bound({ linger: -1 });
      const other = connecting(one);
      await until(() => one.writable);
      const part = Buffer.alloc(50_000, 1);
      for (let i = 0; i < 100; i++) expect(one.trySend([String(i), part])).toBe(true);
      await one.unbind(one.lastEndpoint as string);
      for (let i = 0; i < 100; i++) expect(String((await other.receive())[0])).toBe(String(i));
    });

    it("unbind while the peer sends all the time: what was sent arrives", async () => {
      const one = await bound({ linger: -1, receiveHighWaterMark: 1 });
      const other = connecting(one, { sendHighWaterMark: 2 });
      await until(() => one.writable);
      const part = Buffer.alloc(50_000, 1);
      let stopped = false;
      const flood = (async () => {
        while (!stopped) await other.send(part);
      })().catch(() => {});
      await until(() => one.stats().receive.messages > 0);
      for (let i = 0; i < 100; i++) expect(one.trySend([String(i), part])).toBe(true);
      await one.unbind(one.lastEndpoint as string);
      for (let i = 0; i < 100; i++) expect(String((await other.receive())[0])).toBe(String(i));
      stopped = true;
      other.close();
      await flood;
    });

    it("disconnect: what was sent arrives, what was unread is gone", async () => {
      const one = await bound();
      const other = connecting(one, { linger: -1 });
      await other.send("x");
      await one.receive();
      await one.send("unread");
      await until(() => other.readable);
      await send(other, 100);
      other.disconnect(one.lastEndpoint as string);
      expect([other.readable, other.writable, other.tryReceive()]).toEqual([
        false,
        false,
        undefined,
      ]);
      expect(await receive(one, 100)).toEqual(numbered(100));
    });

    it("disconnect, then connect again", async () => {
      const one = await bound();
      const other = connecting(one);
      for (let i = 0; i < 5; i++) {
        await other.send(String(i));
        expect(await receive(one, 1)).toEqual([String(i)]);
        other.disconnect(one.lastEndpoint as string);
        expect(other.trySend("nobody")).toBe(false);
        await until(() => !one.writable);
        other.connect(one.lastEndpoint as string);
      }
    });

    it("a send that waits outlives a disconnect", async () => {
      const one = await bound();
      const other = pair();
      other.connect(await vacantEndpoint());
      while (other.trySend("x")) {}
      const sent = other.send("waiting");
      other.disconnect(other.lastEndpoint as string);
      other.connect(one.lastEndpoint as string);
      await sent;
      expect(await receive(one, 1)).toEqual(["waiting"]);
    });
  });

  describe("linger", () => {
    it("-1: asyncDispose waits until all is written, and all arrives", async () => {
      const one = await bound();
      const other = connecting(one, { linger: -1 });
      const part = Buffer.alloc(10_000, 1);
      for (let i = 0; i < 200; i++) expect(other.trySend([String(i), part])).toBe(true);
      let disposed = false;
      const over = other[Symbol.asyncDispose]().then(() => {
        disposed = true;
      });
      expect(other.closed).toBe(true);
      for (let i = 0; i < 200; i++) expect(String((await one.receive())[0])).toBe(String(i));
      await over;
      expect(disposed).toBe(true);
    });

    it("0: nothing waits", async () => {
      const socket = pair({ linger: 0 });
      socket.connect(await vacantEndpoint());
      await send(socket, 3);
      await socket[Symbol.asyncDispose]();
      expect(socket.closed).toBe(true);
    });

    it("a binder without a peer has nothing to wait for", async () => {
      const one = await bound({ linger: -1 });
      await one[Symbol.asyncDispose]();
    });

    it("a connector that has nothing queued has nothing to wait for", async () => {
      const socket = pair({ linger: -1 });
      socket.connect(await vacantEndpoint());
      await socket[Symbol.asyncDispose]();
    });
  });

  describe("high-water marks, changed while connected", () => {
    it("more room lets a send that waits go on", async () => {
      const socket = pair({ sendHighWaterMark: 1 });
      socket.connect(await vacantEndpoint());
      await socket.send("1");
      const second = socket.send("2");
      socket.sendHighWaterMark = 2;
      await second;
      expect(socket.stats().send.messages).toBe(2);
    });

    it("less room stops what comes", async () => {
      const socket = pair({ sendHighWaterMark: 10 });
      socket.connect(await vacantEndpoint());
      for (let i = 0; i < 5; i++) expect(socket.trySend("x")).toBe(true);
      socket.sendHighWaterMark = 3;
      expect(socket.trySend("x")).toBe(false);
      socket.sendHighWaterMark = 6;
      expect([socket.trySend("x"), socket.trySend("x")]).toEqual([true, false]);
      socket.sendHighWaterMark = 0;
      for (let i = 0; i < 2000; i++) expect(socket.trySend("x")).toBe(true);
    });
  });

  it("sendHighWaterMarkBytes bounds what a connector queues", async () => {
    const socket = pair({ sendHighWaterMarkBytes: 1000 });
    socket.connect(await vacantEndpoint());
    let count = 0;
    while (socket.trySend(["x".repeat(60), "y".repeat(40)])) count++;
    expect([count, socket.stats().send.bytes]).toEqual([10, 1000]);
  });

  it("receiveHighWaterMarkBytes bounds what waits to be received; nothing is lost", async () => {
    const one = await bound({ receiveHighWaterMarkBytes: 1000, receiveHighWaterMark: 0 });
    const other = connecting(one, { sendHighWaterMark: 0, sendHighWaterMarkBytes: 1000 });
    const bodies = numbered(200).map((text) => text.padEnd(100, "."));
    const sent = (async () => {
      for (const body of bodies) await other.send(body);
    })();
    await until(() => one.stats().receive.messages > 0);
    await turns(20);
    const { messages, bytes } = one.stats().receive;
    // On inproc the mark is the sum of both sides'.
    expect(bytes).toBe(transport === "inproc" ? 2000 : 1000);
    expect(messages).toBe(bytes / 100);
    expect(await receive(one, 200)).toEqual(bodies);
    await sent;
  });
});

describe("bind and connect on one socket", () => {
  it("a connector takes the place at once: those who come wait", async () => {
    const [one, connected, coming] = [pair(), pair(), pair()];
    const [name, other] = [sockets.endpoint("inproc"), sockets.endpoint("inproc")];
    await connected.bind(name);
    await one.bind(other);
    one.connect(name);
    coming.connect(other);
    await coming.send("waits");
    await connected.send("first");
    expect(String(await one.receive())).toBe("first");
    expect(one.tryReceive()).toBeUndefined();
    one.disconnect(name);
    expect(String(await one.receive())).toBe("waits");
  });

  it("a second connect waits for the place of the first", async () => {
    const [one, first, second] = [pair(), pair(), pair()];
    const names = [sockets.endpoint("inproc"), sockets.endpoint("inproc")] as const;
    await first.bind(names[0]);
    await second.bind(names[1]);
    for (const name of names) one.connect(name);
    await one.send("to the first");
    expect([String(await first.receive()), second.tryReceive()]).toEqual([
      "to the first",
      undefined,
    ]);
    one.disconnect(names[0]);
    await one.send("to the second");
    expect(String(await second.receive())).toBe("to the second");
  });

  it("several endpoints serve one peer", async () => {
    const [one, first, second] = [pair(), pair(), pair()];
    await one.bind("tcp://127.0.0.1:*");
    const tcp = one.lastEndpoint as string;
    await one.bind(sockets.endpoint("ipc"));
    const ipc = one.lastEndpoint as string;
    first.connect(tcp);
    await first.send("first");
    expect(String(await one.receive())).toBe("first");
    second.connect(ipc);
    await second.send("second");
    first.close();
    expect(String(await one.receive())).toBe("second");
  });
});
