import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Message, MessageLike } from "../../src/message.js";
import { Client } from "../../src/socket/client.js";
import { Server } from "../../src/socket/server.js";
import type { Readable, Writable } from "../../src/socket/socket.js";
import { mockOf, routed, untilStuck } from "../support/draft.js";
import { wire } from "../support/mock-peer.js";
import { bound, Events, failure, maker, peers, receiveOne, thrown } from "../support/patterns.js";
import { Sockets, TRANSPORTS, until } from "../support/sockets.js";

const sockets = new Sockets();
const client = maker(sockets, Client);
const server = maker(sockets, Server);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

/** A routing id that nobody has: ours are never so low. */
const NOBODY = 1;

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_routing_id: an answer goes to whom it is for, whoever binds", async () => {
    const one = server();
    const clients = [client(), client(), client()];
    await sockets.join(transport, one, ...clients.slice(0, 2));
    one.connect(await bound(sockets, transport, clients[2] as Client));
    for (const [i, it] of clients.entries()) await it.send(String(i));
    const ids = new Map([await routed(one), await routed(one), await routed(one)]);
    expect(new Set(ids.values()).size).toBe(3);
    for (const [text, routingId] of ids) await one.send(`to ${text}`, { routingId });
    for (const [i, it] of clients.entries()) expect(await receiveOne(it)).toEqual([`to ${i}`]);
    await clients[0]?.send("0");
    expect(await routed(one)).toEqual(["0", ids.get("0")]);
  });

  it("nobody of that name: EHOSTUNREACH at once, also for a peer that has gone", async () => {
    const [one, other] = [server(), client()];
    await expect(one.send("x", { routingId: NOBODY })).rejects.toEqual(failure("EHOSTUNREACH"));
    await sockets.join(transport, one, other);
    await other.send("last words");
    await until(() => one.readable);
    other.close();
    await until(() => one.stats().peers.length === 0);
    const [text, routingId] = await routed(one);
    expect(text).toBe("last words");
    await expect(one.send("x", { routingId })).rejects.toEqual(failure("EHOSTUNREACH"));
    expect(thrown(() => one.trySend("x", { routingId }))).toBe("EHOSTUNREACH");
    expect([one.writable, one.stats().total.messagesSent]).toEqual([true, 0]);
  });

  it("waits for a peer whose queue is full, and does not when it goes", async () => {
    const one = server({ sendHighWaterMark: 1 });
    const other = client({ receiveHighWaterMark: 1 });
    await sockets.join(transport, one, other);
    await other.send("hello");
    const [, routingId] = await routed(one);
    const body = Buffer.alloc(1_000_000);
    const send = () => one.send(body, { routingId });
    const count = await untilStuck(one, send);
    const sent = one.send("then", { routingId });
    expect(thrown(() => one.send("x", { routingId }))).toBe("EBUSY");
    for (let i = 0; i < count; i++) expect((await other.receive())[0]).toHaveLength(body.length);
    await sent;
    expect(await receiveOne(other)).toEqual(["then"]);
    await untilStuck(one, send);
    const lost = one.send("lost", { routingId });
    other.close();
    await expect(lost).rejects.toEqual(failure("EHOSTUNREACH"));
  });

  it("stats say which octets the routing id of a peer has", async () => {
    const [one, other] = [server(), client()];
    await sockets.join(transport, one, other);
    await other.send("x");
    const [, routingId] = await routed(one);
    expect(one.stats().peers[0]?.routingId?.readUInt32BE()).toBe(routingId);
  });

  it("an iteration, tryReceive and an aborted call give what the others do", async () => {
    const [one, other] = [server(), client()];
    await sockets.join(transport, one, other);
    expect(one.tryReceive()).toBeUndefined();
    const abort = new AbortController();
    const received = one.receive({ signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(received).rejects.toThrow("enough");
    await other.send("1");
    await until(() => one.readable);
    const [first, meta] = one.tryReceive() ?? [];
    expect([String(first), Object.keys(meta ?? {})]).toEqual(["1", ["routingId"]]);
    const { signal } = abort;
    const { routingId } = meta as { routingId: number };
    await expect(one.send("x", { routingId, signal })).rejects.toThrow("enough");
    expect(one.trySend("back", { routingId })).toBe(true);
    expect(await receiveOne(other)).toEqual(["back"]);
    await other.send("2");
    for await (const [message, { routingId: again }] of one) {
      expect([String(message), again]).toEqual(["2", routingId]);
      one.close();
    }
  });
});

it("what is said is npm zeromq's answer to a wrong call", async () => {
  const one = server();
  const send = (...args: unknown[]) => Reflect.apply(one.send, one, args);
  const trySend = (...args: unknown[]) => Reflect.apply(one.trySend, one, args);
  for (const call of [send, trySend]) {
    expect(() => call()).toThrow(new TypeError("Message must be present"));
    for (const bad of [undefined, null, 3]) {
      expect(() => call("x", bad)).toThrow(new TypeError("Options must be an object"));
    }
    expect(() => call("x", { routingId: 1 }, {})).toThrow(
      new TypeError("Expected 2 arguments but received 3"),
    );
    expect(() => call("x", { routingId: "1" })).toThrow(new TypeError("A number was expected"));
    for (const bad of [{}, { routingId: 0 }, { routingId: Number.NaN }, { routingId: 2 ** 32 }]) {
      expect(() => call("x", bad)).toThrow(failure("EINVAL") as Error);
    }
  }
  await expect(send("x", { routingId: -1 })).rejects.toEqual(failure("EHOSTUNREACH"));
  await expect(send([], { routingId: 1 })).resolves.toBeUndefined();
  one.close();
  expect(thrown(() => send("x", { routingId: 1 }))).toBe("EBADF");
});

it("a routing id may have a fraction, and is taken modulo 2^32, as with npm zeromq", async () => {
  const [one, other] = [server(), client()];
  await sockets.join("inproc", one, other);
  await other.send("x");
  const [, routingId] = await routed(one);
  for (const same of [routingId + 0.5, routingId - 2 ** 32, routingId + 2 ** 32]) {
    await one.send(String(same), { routingId: same });
    expect(await receiveOne(other)).toEqual([String(same)]);
  }
});

it("a connector's peer keeps its routing id when it comes again, and what was sent meanwhile", async () => {
  const [one, first] = [server({ reconnectInterval: 1 }), client()];
  const events = new Events(one);
  const endpoint = await bound(sockets, "tcp", first);
  one.connect(endpoint);
  await first.send("a");
  const [, routingId] = await routed(one);
  await first[Symbol.asyncDispose]();
  await events.seen("disconnect");
  await one.send("meanwhile", { routingId });
  const second = client();
  await second.bind(endpoint);
  expect(await receiveOne(second)).toEqual(["meanwhile"]);
  await second.send("b");
  expect(await routed(one)).toEqual(["b", routingId]);
});

it("on the wire there is the message and nothing else", async () => {
  const one = server();
  await bound(sockets, "tcp", one);
  const mock = await mockOf(one, "SERVER", "CLIENT");
  mock.send(wire.message("hello"));
  const [, routingId] = await routed(one);
  await one.send("answer", { routingId });
  await one.send("", { routingId });
  await mock.expect(Buffer.concat([wire.message("answer"), wire.message("")]));
  mock.close();
});

it("any number of clients ask and are answered in any order", async () => {
  const step = fc.record({ who: fc.nat(3), answer: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const one = server();
      const clients = [client(), client(), client(), client()];
      await sockets.join("inproc", one, ...clients);
      const asked: [string, number][] = [];
      const answers = clients.map((): string[] => []);
      for (const [i, { who, answer }] of steps.entries()) {
        if (!answer) {
          expect(clients[who]?.trySend(`${who} ${i}`)).toBe(true);
          asked.push(await routed(one));
          continue;
        }
        const [text, routingId] = asked.pop() ?? ["", NOBODY];
        if (routingId === NOBODY) continue;
        expect(one.trySend(`re ${text}`, { routingId })).toBe(true);
        answers[Number(text[0])]?.push(`re ${text}`);
      }
      for (const [who, texts] of answers.entries()) {
        for (const text of texts) expect(String(clients[who]?.tryReceive())).toBe(text);
        expect(clients[who]?.tryReceive()).toBeUndefined();
      }
      expect(peers(one)).toBe(4);
      await sockets.close();
    }),
    { numRuns: 30 },
  );
});

it("has npm zeromq's types", () => {
  const one = server();
  const reads: Readable<[Message, { routingId: number }]> = one;
  const writes: Writable<MessageLike, [{ routingId: number }]> = one;
  expect(reads).toBe(writes);
});
