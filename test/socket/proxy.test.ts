import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import * as zmq from "../../src/index.js";
import { Dealer } from "../../src/socket/dealer.js";
import { hold } from "../../src/socket/hold.js";
import type { ProxyOptions, Proxy as SocketProxy } from "../../src/socket/proxy.js";
import { Publisher } from "../../src/socket/pub.js";
import { Pull } from "../../src/socket/pull.js";
import { Push } from "../../src/socket/push.js";
import { Reply } from "../../src/socket/rep.js";
import { Request } from "../../src/socket/req.js";
import { Router } from "../../src/socket/router.js";
import type { Socket } from "../../src/socket/socket.js";
import { Subscriber } from "../../src/socket/sub.js";
import { XPublisher } from "../../src/socket/xpub.js";
import { XSubscriber } from "../../src/socket/xsub.js";
import {
  bound,
  drain,
  failure,
  fill,
  maker,
  numbered,
  receive,
  receiveOne,
  texts,
  thrown,
} from "../support/patterns.js";
import { Program } from "../support/program.js";
import { PubSubPeer, untilFull } from "../support/pubsub.js";
import { Sockets, TRANSPORTS, type Transport, turns, until } from "../support/sockets.js";
import { message } from "../support/wire.js";

const sockets = new Sockets();
const [dealer, router] = [maker(sockets, Dealer), maker(sockets, Router)];
const [push, pull] = [maker(sockets, Push), maker(sockets, Pull)];
const [request, reply] = [maker(sockets, Request), maker(sockets, Reply)];
const [publisher, subscriber] = [maker(sockets, Publisher), maker(sockets, Subscriber)];
const [xpublisher, xsubscriber] = [maker(sockets, XPublisher), maker(sockets, XSubscriber)];

const started: { proxy: SocketProxy; done: Promise<void> }[] = [];

afterEach(async () => {
  for (const { proxy, done } of started.splice(0)) {
    thrown(() => proxy.terminate());
    await done.catch(() => {});
  }
  await sockets.close();
});
afterAll(() => sockets.end());

/** Runs a proxy until it is terminated, by the end of the test at the latest. */
function start<F extends Socket, B extends Socket>(
  front: F,
  back: B,
  options?: ProxyOptions,
): { proxy: SocketProxy<F, B>; done: Promise<void> } {
  const proxy =
    options === undefined ? new zmq.Proxy(front, back) : new zmq.Proxy(front, back, options);
  const done = proxy.run();
  started.push({ proxy, done });
  return { proxy, done };
}

/** A proxy from those who push to those who pull, at work, with one of each. */
async function pipeline(
  transport: Transport,
  mark = 1000,
  options?: ProxyOptions,
): Promise<{
  proxy: SocketProxy;
  done: Promise<void>;
  from: Push;
  to: Pull;
  front: Pull;
  back: Push;
}> {
  const [from, to] = [push({ sendHighWaterMark: mark }), pull({ receiveHighWaterMark: mark })];
  const [front, back] = [pull({ receiveHighWaterMark: mark }), push({ sendHighWaterMark: mark })];
  await sockets.join(transport, front, from);
  await sockets.join(transport, back, to);
  return { ...start(front, back, options), from, to, front, back };
}

/** Resolves once the publisher knows of `count` topics. */
function subscribed(pub: Publisher | XPublisher, count: number): Promise<void> {
  return until(() => pub.stats().subscriptions === count);
}

const CLOSED = expect.objectContaining({ message: "Socket is closed", code: "EBADF" });

describe("the constructor", () => {
  const make = zmq.Proxy as unknown as {
    new (...args: unknown[]): SocketProxy;
    (): SocketProxy;
  };

  it("has to be called with new, and with two sockets", () => {
    expect(() => make()).toThrow(TypeError);
    expect(() => new make()).toThrow(new TypeError("Front-end must be a socket object"));
    expect(() => new make(dealer())).toThrow(new TypeError("Back-end must be a socket object"));
    expect(() => new make("x", dealer())).toThrow(TypeError);
    const three = [dealer(), dealer(), dealer()];
    expect(() => new make(...three)).toThrow(new TypeError("Expected 2 arguments but received 3"));
  });

  it("refuses what is no socket", () => {
    const invalid = expect.objectContaining({ message: "Invalid argument", code: "EINVAL" });
    expect(() => new make({}, {})).toThrow(invalid);
    expect(() => new make(dealer(), {})).toThrow(invalid);
    expect(() => new make(dealer(), dealer(), { capture: {} })).toThrow(invalid);
    expect(() => new make(dealer(), dealer(), { capture: 1 })).toThrow(TypeError);
  });

  it("keeps both sockets, and takes no other properties", () => {
    const [front, back] = [router(), dealer()];
    const proxy = new zmq.Proxy(front, back);
    expect([proxy.frontEnd === front, proxy.backEnd === back]).toEqual([true, true]);
    expect(() => Object.assign(proxy, { other: 1 })).toThrow(TypeError);
    expect(JSON.stringify(proxy)).toBe("{}");
  });
});

describe("run", () => {
  const run = async (proxy: SocketProxy): Promise<void> => proxy.run();

  it.each(["Front-end", "Back-end"])(
    "needs a %s that is bound or connected, and open",
    async (which) => {
      const proxy = new zmq.Proxy(router(), dealer());
      const [one, other] =
        which === "Front-end" ? [proxy.frontEnd, proxy.backEnd] : [proxy.backEnd, proxy.frontEnd];
      await bound(sockets, "inproc", other);
      const error = expect.objectContaining({
        message: `${which} socket must be bound or connected`,
        code: "EINVAL",
        errno: 22,
      });
      await expect(run(proxy)).rejects.toEqual(error);
      await bound(sockets, "inproc", one);
      one.close();
      await expect(run(proxy)).rejects.toEqual(error);
      expect(other.closed).toBe(false);
    },
  );

  it("needs sockets that nobody uses, and a capture socket that is open", async () => {
    const [front, back, capture] = [router(), dealer(), push()];
    for (const socket of [front, back]) await bound(sockets, "inproc", socket);
    const received = front.receive();
    await expect(run(new zmq.Proxy(front, back))).rejects.toEqual(failure("EBUSY"));
    await expect(run(new zmq.Proxy(back, front))).rejects.toEqual(failure("EBUSY"));
    const peer = dealer();
    peer.connect(front.lastEndpoint as string);
    await peer.send("x");
    await received;
    capture.close();
    await expect(run(new zmq.Proxy(front, back, { capture }))).rejects.toEqual(failure("EBADF"));
    // Nothing has begun: they can be used.
    expect([front.tryReceive(), back.trySend("x")]).toEqual([undefined, false]);
  });

  it("takes no arguments, and runs once at a time", async () => {
    const { proxy } = await pipeline("inproc");
    expect(() => (proxy.run as (argument: number) => void).call(proxy, 1)).toThrow(TypeError);
    expect(thrown(() => proxy.run())).toBe("EBUSY");
    expect(thrown(() => new zmq.Proxy(proxy.backEnd, proxy.frontEnd).run())).toBe("EBUSY");
  });
});

describe("pause, resume and terminate", () => {
  it("throw EBADF before and after it has run", async () => {
    const [front, back] = [pull(), push()];
    for (const socket of [front, back]) await bound(sockets, "inproc", socket);
    const proxy = new zmq.Proxy(front, back);
    const throwAll = (): void => {
      for (const method of ["pause", "resume", "terminate"] as const) {
        expect(() => proxy[method]()).toThrow(CLOSED);
      }
    };
    throwAll();
    const done = proxy.run();
    proxy.terminate();
    await done;
    throwAll();
    await expect((async () => proxy.run())()).rejects.toEqual(failure("EINVAL"));
  });

  it("take no arguments", async () => {
    const { proxy } = await pipeline("inproc");
    for (const method of ["pause", "resume", "terminate"] as const) {
      expect(() => (proxy[method] as (argument: number) => void).call(proxy, 1)).toThrow(
        new TypeError("Expected 0 arguments but received 1"),
      );
    }
  });

  it("terminate closes both sockets, and frees the capture socket", async () => {
    const capture = push();
    const { proxy, done, front, back } = await pipeline("inproc", 1000, { capture });
    expect([front.closed, back.closed]).toEqual([false, false]);
    proxy.terminate();
    await done;
    expect([front.closed, back.closed, capture.closed]).toEqual([true, true, false]);
    expect(capture.trySend("x")).toBe(false);
    await capture.bind(sockets.endpoint("inproc"));
  });

  it("once it is terminated, nothing of them has an effect", async () => {
    const before = hold.count;
    const { proxy, done, from, to, front } = await pipeline("inproc");
    proxy.pause();
    expect(fill(from, String, 10)).toBe(10);
    expect(front.stats().receive.messages).toBe(10);
    proxy.terminate();
    thrown(() => proxy.resume());
    expect(to.stats().receive.messages).toBe(0);
    thrown(() => proxy.pause());
    thrown(() => proxy.terminate());
    await done;
    await turns(2);
    expect(hold.count).toBe(before);
  });

  it("what was handed over before is still delivered", async () => {
    const { proxy, done, from, to, back } = await pipeline("tcp");
    back.linger = -1;
    expect(fill(from, String, 100)).toBe(100);
    await until(() => back.stats().total.messagesSent === 100);
    proxy.terminate();
    await done;
    expect((await receive(to, 100)).flat()).toEqual(numbered(100));
  });
});

describe("while it runs", () => {
  it("neither socket, nor the one that captures, can be used", async () => {
    const capture = push();
    const { front, back } = await pipeline("inproc", 1000, { capture });
    const blocked = expect.objectContaining({ code: "EBUSY" });
    for (const socket of [front, back, capture] as Socket[]) {
      const calls = [
        () => socket.send("x"),
        () => socket.trySend("x"),
        () => socket.receive(),
        () => socket.tryReceive(),
        () => socket.bind("inproc://busy"),
        () => socket.bindSync("inproc://busy"),
        () => socket.connect("inproc://busy"),
        () => socket.disconnect("inproc://busy"),
        () => socket.unbindSync("inproc://busy"),
      ];
      for (const call of calls) expect(call).toThrow(blocked);
      expect([socket.readable, socket.writable]).toEqual([false, false]);
    }
  });

  it("a socket that is to be closed is closed afterwards", async () => {
    const capture = push();
    const { proxy, done, from, to, front, back } = await pipeline("inproc", 1000, { capture });
    for (const socket of [front, back, capture]) socket.close();
    await from.send("still handed over");
    expect(await receiveOne(to)).toEqual(["still handed over"]);
    proxy.terminate();
    await done;
    await turns(1);
    expect([front.closed, back.closed, capture.closed]).toEqual([true, true, true]);
  });

  it("holds the process, and does so no more at its end", async () => {
    const program = new Program(new URL("../support/pubsub-proxy.child.mjs", import.meta.url));
    expect(await program.ended()).toMatchObject({
      code: 0,
      stdout: "held\ndone\nclosed true true\n",
    });
  });

  it("hands over in turn what goes either way", async () => {
    const [front, back, one, other] = [dealer(), dealer(), dealer(), dealer()];
    const [capture, observer] = [push(), pull()];
    await sockets.join("inproc", front, one);
    await sockets.join("inproc", back, other);
    await sockets.join("inproc", capture, observer);
    for (const text of numbered(100)) {
      await one.send(`one ${text}`);
      await other.send(`other ${text}`);
    }
    start(front, back, { capture });
    const expected = numbered(100).flatMap((text) => [`one ${text}`, `other ${text}`]);
    expect((await receive(observer, 200)).flat()).toEqual(expected);
    expect((await receive(other, 100)).flat()).toEqual(numbered(100, "one "));
    expect((await receive(one, 100)).flat()).toEqual(numbered(100, "other "));
  });

  it("keeps the order of what comes while it takes something", async () => {
    const [front, back, to] = [xpublisher({ receiveHighWaterMark: 1 }), push(), pull()];
    const peer = await PubSubPeer.connect(await bound(sockets, "tcp", front), "XSUB");
    await sockets.join("inproc", back, to);
    start(front, back);
    // They come in one piece: each that is taken lets the next one in.
    peer.write(...numbered(100).map((text) => message(text)));
    to.receiveTimeout = 500;
    expect((await receive(to, 100)).flat()).toEqual(numbered(100));
    peer.close();
  });

  it("leaves the thread to others at least every 512 messages", async () => {
    const { proxy, from, to } = await pipeline("inproc", 0);
    proxy.pause();
    expect(fill(from, String, 5000)).toBe(5000);
    proxy.resume();
    let before = 0;
    let busy = 0;
    while (before < 5000) {
      const { messages } = to.stats().receive;
      expect(messages - before).toBeLessThanOrEqual(512);
      busy++;
      before = messages;
      await turns(1);
    }
    expect(busy).toBeGreaterThanOrEqual(5000 / 512);
    expect(drain(to).flat()).toEqual(numbered(5000));
  });
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_proxy: ROUTER to DEALER: clients ask, workers answer as often as they like", async () => {
    const [front, back] = [router(), dealer()];
    const clients = ["one", "two", "three"].map((routingId) => dealer({ routingId }));
    const workers = numbered(5).map(() => dealer());
    await sockets.join(transport, front, ...clients);
    await sockets.join("inproc", back, ...workers);
    start(front, back);
    for (const worker of workers) {
      void (async () => {
        for await (const [id, text] of worker) {
          const times = Number(String(text).split("#")[1]) % 5;
          for (let i = 0; i < times; i++) await worker.send([id as Buffer, text as Buffer]);
        }
      })();
    }
    await Promise.all(
      clients.map(async (client) => {
        for (const i of numbered(20)) await client.send(`request #${i}`);
        const expected = numbered(20).flatMap((i) => Array(Number(i) % 5).fill(`request #${i}`));
        const got = (await receive(client, expected.length)).flat();
        expect(got.sort()).toEqual(expected.sort());
      }),
    );
  });

  it("REQ to REP: each client gets its own answers", async () => {
    const [front, back] = [router(), dealer()];
    const clients = numbered(10).map(() => request());
    const workers = numbered(3).map(() => reply());
    await sockets.join(transport, front, ...clients);
    await sockets.join(transport, back, ...workers);
    start(front, back);
    for (const worker of workers) {
      void (async () => {
        for await (const parts of worker) await worker.send(["answer to", ...parts]);
      })();
    }
    await Promise.all(
      clients.map(async (client, i) => {
        for (let n = 0; n < 20; n++) {
          await client.send([`client ${i}`, String(n)]);
          expect(await receiveOne(client)).toEqual(["answer to", `client ${i}`, String(n)]);
        }
      }),
    );
  });

  it("XSUB to XPUB: subscriptions go up, messages come down, and cancellations go up again", async () => {
    const [front, back] = [xsubscriber(), xpublisher()];
    const pubs = [publisher(), publisher()];
    const subs = [subscriber(), subscriber()];
    await sockets.join(transport, front, ...pubs);
    await bound(sockets, transport, back);
    start(front, back);
    for (const [i, sub] of subs.entries()) {
      sub.connect(back.lastEndpoint as string);
      sub.subscribe("A", `only ${i}`);
    }
    for (const pub of pubs) await subscribed(pub, 3);
    for (const [i, pub] of pubs.entries()) {
      await pub.send(["A", `from ${i}`]);
      await pub.send("B");
    }
    for (const sub of subs) {
      const got = await receive(sub, 2);
      expect(got.sort()).toEqual([
        ["A", "from 0"],
        ["A", "from 1"],
      ]);
    }
    subs[0]?.unsubscribe("A", "only 0");
    for (const pub of pubs) await subscribed(pub, 2);
    subs[1]?.close();
    for (const pub of pubs) await subscribed(pub, 0);
  });

  it("a slow back end makes the peers of the front end wait: bounded, and nothing is lost", async () => {
    const { from, to, front, back } = await pipeline(transport, 5);
    const ballast = Buffer.alloc(100_000);
    const count = await untilFull(from, ["ballast", ballast]);
    expect(front.stats().receive.messages).toBeLessThanOrEqual(transport === "inproc" ? 10 : 5);
    expect(back.stats().send.messages).toBeLessThanOrEqual(transport === "inproc" ? 10 : 5);
    // Both queues, and the one message that the proxy has in its hands.
    if (transport === "inproc") expect(count).toBeLessThanOrEqual(21);
    const sending = (async () => {
      for (const text of numbered(100)) await from.send([text, ballast]);
    })();
    const got = (await receive(to, count + 100)).map(([text]) => text);
    await sending;
    expect(got).toEqual([...Array(count).fill("ballast"), ...numbered(100)]);
  });

  it("test_proxy_steerable: paused it hands nothing over; resumed, all that waited", async () => {
    const { proxy, from, to, back } = await pipeline(transport);
    for (const text of numbered(10)) await from.send(text);
    expect((await receive(to, 10)).flat()).toEqual(numbered(10));
    proxy.pause();
    for (const text of numbered(10, "later ")) await from.send(text);
    await until(() => proxy.frontEnd.stats().receive.messages === 10);
    await turns(20);
    expect([back.stats().total.messagesSent, to.readable]).toEqual([10, false]);
    proxy.pause();
    proxy.resume();
    proxy.resume();
    expect((await receive(to, 10)).flat()).toEqual(numbered(10, "later "));
    expect(back.stats().total.messagesSent).toBe(20);
  });

  it("however often it is paused, nothing is lost, or comes twice, or out of order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(3), { maxLength: 20 }), async (waits) => {
        const { proxy, done, from, to } = await pipeline(transport, 3);
        const sending = (async () => {
          for (const text of numbered(60)) await from.send(text);
        })();
        const received = receive(to, 60);
        for (const wait of waits) {
          proxy.pause();
          await turns(wait);
          proxy.resume();
          await turns(1);
        }
        expect((await received).flat()).toEqual(numbered(60));
        await sending;
        proxy.terminate();
        await done;
      }),
      { numRuns: 8 },
    );
  });

  it("test_proxy_terminate: it can be terminated while nobody takes what it has", async () => {
    const [front, back, pub] = [subscriber(), push(), publisher()];
    front.subscribe();
    await sockets.join(transport, front, pub);
    await bound(sockets, transport, back);
    const { proxy, done } = start(front, back);
    await subscribed(pub, 1);
    for (let i = 0; i < 3; i++) await pub.send("This is a test");
    await until(() => front.stats().receive.messages === 3);
    proxy.terminate();
    await done;
    expect([front.closed, back.closed]).toEqual([true, true]);
  });

  it("test_proxy_single_socket: a socket as both ends answers with what it is asked", async () => {
    const [both, client] = [reply(), request({ receiveTimeout: 500 })];
    await sockets.join(transport, both, client);
    start(both, both);
    for (const text of ["msg1", "msg22"]) {
      await client.send(text);
      expect(await receiveOne(client)).toEqual([text]);
    }
  });

  it("a DEALER as both ends sends back what comes", async () => {
    const [both, client] = [dealer(), dealer()];
    await sockets.join(transport, both, client);
    const { proxy, done } = start(both, both);
    for (const text of numbered(100)) await client.send([text, "second part"]);
    const got = await receive(client, 100);
    expect(got).toEqual(numbered(100).map((text) => [text, "second part"]));
    proxy.terminate();
    await done;
    expect(both.closed).toBe(true);
  });

  it("hands over what waited before it began, and serves peers that come later", async () => {
    const [front, back, from] = [pull(), push(), push()];
    await sockets.join(transport, front, from);
    await bound(sockets, transport, back);
    for (const text of numbered(10)) await from.send(text);
    await until(() => front.stats().receive.messages === 10);
    start(front, back);
    const to = pull();
    to.connect(back.lastEndpoint as string);
    expect((await receive(to, 10)).flat()).toEqual(numbered(10));
    const late = push();
    late.connect(front.lastEndpoint as string);
    await late.send("late");
    expect(await receiveOne(to)).toEqual(["late"]);
  });

  it("the capture socket is sent all that goes either way", async () => {
    const [front, back] = [router(), dealer()];
    const [client, worker] = [request({ routingId: "client" }), reply()];
    const [capture, observer] = [push(), pull()];
    await sockets.join(transport, front, client);
    await sockets.join(transport, back, worker);
    await sockets.join(transport, capture, observer);
    start(front, back, { capture });
    for (const text of numbered(5)) {
      await client.send(["question", text]);
      expect(await receiveOne(worker)).toEqual(["question", text]);
      await worker.send(["answer", text]);
      expect(await receiveOne(client)).toEqual(["answer", text]);
      const told = await receive(observer, 2);
      expect(told.map((parts) => parts.slice(-2))).toEqual([
        ["question", text],
        ["answer", text],
      ]);
      expect(told.every(([id]) => id === "client")).toBe(true);
    }
  });

  it("a capture socket that takes nothing holds nothing up", async () => {
    const [capture, observer] = [push({ sendHighWaterMark: 1 }), pull({ receiveHighWaterMark: 1 })];
    await sockets.join(transport, capture, observer);
    const { from, to } = await pipeline(transport, 1000, { capture });
    const ballast = Buffer.alloc(100_000);
    for (const text of numbered(200)) {
      await from.send([text, ballast]);
      expect((await receiveOne(to))[0]).toBe(text);
    }
    const seen = await receive(observer, capture.stats().total.messagesSent);
    expect(seen.length).toBeLessThan(200);
    expect(seen.map(([text]) => text).slice(0, 2)).toEqual(["0", "1"]);
  });
});

describe("test_proxy_hwm", () => {
  it("XPUB noDrop to XSUB, XPUB noDrop to SUB: the publisher has to wait, and nothing is lost", async () => {
    const mark = 10;
    const marks = { sendHighWaterMark: mark, receiveHighWaterMark: mark };
    const [front, back] = [xsubscriber(marks), xpublisher({ ...marks, noDrop: true })];
    const [pub, sub] = [xpublisher({ ...marks, noDrop: true }), subscriber()];
    sub.receiveHighWaterMark = mark;
    await sockets.join("inproc", front, pub);
    await sockets.join("inproc", back, sub);
    start(front, back);
    sub.subscribe();
    await pub.receive();
    const count = fill(pub, (i) => [String(i), Buffer.alloc(50_000)], 1000);
    expect(count).toBeGreaterThanOrEqual(2 * mark);
    expect(count).toBeLessThanOrEqual(4 * mark);
    const got = await receive(sub, count);
    expect(got.map(([text]) => text)).toEqual(numbered(count));
    expect(pub.trySend("again")).toBe(true);
  });

  it("a subscriber that is full and goes away holds up the others no longer", async () => {
    const marks = { sendHighWaterMark: 1, receiveHighWaterMark: 1 };
    const [front, back] = [xsubscriber(marks), xpublisher({ ...marks, noDrop: true })];
    const pub = xpublisher({ ...marks, noDrop: true });
    const slow = subscriber({ receiveHighWaterMark: 1 });
    const fast = subscriber({ receiveTimeout: 500 });
    await sockets.join("inproc", front, pub);
    await sockets.join("inproc", back, slow, fast);
    start(front, back);
    for (const sub of [slow, fast]) sub.subscribe();
    await pub.receive();
    const count = fill(pub, String, 100);
    expect(count).toBeLessThan(100);
    slow.close();
    expect((await receive(fast, count)).flat()).toEqual(numbered(count));
  });
});

describe("what the capture socket sends", () => {
  it("is not changed by who receives the message itself, nor the other way round", async () => {
    const [capture, observer] = [push(), pull()];
    await sockets.join("inproc", capture, observer);
    const { from, to } = await pipeline("inproc", 1000, { capture });
    for (const [first, second] of [
      [to, observer],
      [observer, to],
    ] as const) {
      await from.send(["small", "parts"]);
      const parts = await first.receive();
      for (const part of parts) part.fill(0);
      parts.length = 0;
      expect(texts(await second.receive())).toEqual(["small", "parts"]);
    }
  });
});

describe("a message that cannot be sent", () => {
  it("ends it: run rejects, and both sockets are closed", async () => {
    const [front, back] = [pull(), router({ mandatory: true })];
    const [from, to] = [push(), dealer({ routingId: "somebody" })];
    await sockets.join("inproc", front, from);
    await sockets.join("inproc", back, to);
    const { proxy, done } = start(front, back);
    await from.send(["somebody", "x"]);
    expect(await receiveOne(to)).toEqual(["x"]);
    // It may be over before the call is.
    const ended = expect(done).rejects.toEqual(failure("EHOSTUNREACH"));
    await from.send(["nobody", "x"]);
    await ended;
    expect([front.closed, back.closed]).toEqual([true, true]);
    expect(() => proxy.terminate()).toThrow(CLOSED);
  });
});
