import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Publisher } from "../../src/socket/pub.js";
import { Subscriber } from "../../src/socket/sub.js";
import {
  bound,
  drain,
  Events,
  failure,
  maker,
  numbered,
  receive,
  receiveOne,
  thrown,
  vacant,
} from "../support/patterns.js";
import { PubSubPeer, PubSubServer, type PubSubType, WAYS } from "../support/pubsub.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const publisher = maker(sockets, Publisher);
const subscriber = maker(sockets, Subscriber);

const peers: { close(): void }[] = [];

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await sockets.close();
});
afterAll(() => sockets.end());

/** Where a subscriber finds publishers made of octets. */
async function rawServer(
  minor = 1,
  accepted?: (peer: PubSubPeer) => void,
  type: PubSubType = "PUB",
): Promise<PubSubServer> {
  const server = await PubSubServer.open(type, minor, accepted);
  peers.push(server);
  return server;
}

/** Such a publisher, and the subscriber that has come to it. */
async function rawPublisher(
  sub: Subscriber,
  minor = 1,
): Promise<{ server: PubSubServer; peer: PubSubPeer }> {
  const server = await rawServer(minor);
  sub.connect(server.endpoint);
  const peer = await server.peer(0);
  return { server, peer };
}

/** Resolves once the peer has heard of this subscription. */
function hears(peer: PubSubPeer, text: string): Promise<void> {
  return until(() => peer.subscriptions.includes(text));
}

/** Resolves once the publisher knows of `count` topics. */
function subscribed(pub: Publisher, count: number): Promise<void> {
  return until(() => pub.stats().subscriptions === count);
}

/** Few of them, so that they are often the same. */
const topics = fc.constantFrom("", "a", "b", "ab");

describe.each(WAYS)("a publisher that takes subscriptions as $way", ({ way, minor }) => {
  it(`test_mock_pub_sub: mock_pub_${way}: one that comes to a bound subscriber`, async () => {
    const sub = subscriber();
    const peer = await PubSubPeer.connect(await bound(sockets, "tcp", sub), "XPUB", minor);
    peers.push(peer);
    sub.subscribe("A");
    await hears(peer, "SUBSCRIBE A");
    peer.send("ALOL");
    expect(await receiveOne(sub)).toEqual(["ALOL"]);
  });

  it(`test_mock_pub_sub: mock_pub_${way}: one that a subscriber connects to`, async () => {
    const sub = subscriber();
    const server = await rawServer(minor, undefined, "XPUB");
    sub.connect(server.endpoint);
    const peer = await server.peer(0);
    sub.subscribe("A");
    await hears(peer, "SUBSCRIBE A");
    peer.send("ALOL");
    expect(await receiveOne(sub)).toEqual(["ALOL"]);
  });

  it("hears of each subscribe, and of the unsubscribe that undoes the last one", async () => {
    const sub = subscriber();
    const { peer } = await rawPublisher(sub, minor);
    sub.unsubscribe("A");
    sub.subscribe("A", "A");
    sub.unsubscribe("A", "A", "A");
    sub.subscribe();
    sub.unsubscribe();
    sub.subscribe("end");
    await hears(peer, "SUBSCRIBE end");
    expect(peer.subscriptions).toEqual([
      "SUBSCRIBE A",
      "SUBSCRIBE A",
      "CANCEL A",
      "SUBSCRIBE ",
      "CANCEL ",
      "SUBSCRIBE end",
    ]);
  });

  it("hears of each topic once when it comes, however often it was subscribed to", async () => {
    const sub = subscriber();
    sub.subscribe("A", "A", "B", "C", "");
    sub.unsubscribe("C");
    const { peer } = await rawPublisher(sub, minor);
    sub.subscribe("end");
    await hears(peer, "SUBSCRIBE end");
    expect(peer.subscriptions.slice(0, -1).sort()).toEqual([
      "SUBSCRIBE ",
      "SUBSCRIBE A",
      "SUBSCRIBE B",
    ]);
  });

  it("hears nothing of what was changed before its handshake was done", async () => {
    const sub = subscriber();
    const server = await rawServer(minor, () => {});
    sub.subscribe("A");
    sub.connect(server.endpoint);
    await until(() => server.peers.length === 1);
    sub.unsubscribe("A");
    sub.subscribe("B");
    const peer = server.peers[0] as PubSubPeer;
    peer.greet("PUB");
    await hears(peer, "SUBSCRIBE B");
    expect(peer.subscriptions).toEqual(["SUBSCRIBE B"]);
  });

  it("has the subscriber's topics in the end, whatever was changed while the wire broke", async () => {
    const change = fc.record({ kind: fc.constantFrom("subscribe", "unsubscribe"), topic: topics });
    const cut = fc.record({ kind: fc.constant("cut"), waits: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(change, change, cut), { maxLength: 12 }),
        fc.boolean(),
        async (steps, immediate) => {
          const sub = subscriber({ reconnectInterval: 1, immediate });
          const counts = new Map<string, number>();
          const { server } = await rawPublisher(sub, minor);
          for (const step of steps) {
            if ("waits" in step) {
              const { length } = server.peers;
              const peer = await server.peer(length - 1);
              peer.close();
              if (step.waits) await server.peer(length);
              continue;
            }
            const { kind, topic } = step;
            const count = counts.get(topic) ?? 0;
            counts.set(topic, kind === "subscribe" ? count + 1 : Math.max(count - 1, 0));
            if (kind === "subscribe") sub.subscribe(topic);
            else sub.unsubscribe(topic);
          }
          sub.subscribe("end");
          await until(() => server.peers.at(-1)?.topics.includes("end") === true);
          const wanted = [...counts].filter(([, count]) => count > 0).map(([topic]) => topic);
          expect(server.peers.at(-1)?.topics).toEqual([...wanted, "end"].sort());
          expect(sub.stats().subscriptions).toBe(wanted.length + 1);
          await sockets.close();
          server.close();
        },
      ),
      { numRuns: 15 },
    );
  });

  it("that reads nothing is told of all, once it does", async () => {
    const sub = subscriber({ receiveHighWaterMark: 1 });
    const { peer } = await rawPublisher(sub, minor);
    peer.pause();
    const wanted = numbered(20_000, "topic ");
    sub.subscribe(...wanted);
    await turns(5);
    peer.resume();
    await until(() => peer.subscriptions.length === wanted.length);
    expect(peer.subscriptions).toEqual(wanted.map((topic) => `SUBSCRIBE ${topic}`));
  });

  it("is not told of what another connection did not take", async () => {
    const sub = subscriber({ reconnectInterval: 1 });
    const events = new Events(sub);
    const { server, peer } = await rawPublisher(sub, minor);
    peer.pause();
    sub.subscribe("A", "B");
    // More than the system holds, so that the cancellation waits with us.
    const ballast = numbered(200).map((text) => text.padEnd(100_000, "."));
    sub.subscribe(...ballast);
    await turns(5);
    sub.unsubscribe("A", ...ballast);
    sub.subscribe("C");
    await turns(5);
    peer.close();
    await events.seen("disconnect");
    sub.unsubscribe("C");
    sub.subscribe("A");
    const next = await server.peer(1);
    await hears(next, "SUBSCRIBE A");
    sub.subscribe("end");
    await hears(next, "SUBSCRIBE end");
    expect(next.topics).toEqual(["A", "B", "end"]);
    expect(next.subscriptions).toHaveLength(3);
  });
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("subscriptions can be made before and after connecting, and before anybody is bound", async () => {
    const endpoint = await vacant(sockets, transport);
    const sub = subscriber({ reconnectInterval: 5 });
    sub.subscribe("before");
    sub.connect(endpoint);
    sub.subscribe("after");
    const pub = publisher();
    await pub.bind(endpoint);
    sub.subscribe("late");
    await subscribed(pub, 3);
    for (const text of ["before", "other", "after", "late"]) await pub.send(text);
    expect((await receive(sub, 3)).flat()).toEqual(["before", "after", "late"]);
  });

  it("RFC 29, SUB: receives from its publishers in turn", async () => {
    const sub = subscriber();
    const pubs = [publisher(), publisher(), publisher()];
    await sockets.join(transport, sub, ...pubs);
    sub.subscribe("");
    for (const [i, pub] of pubs.entries()) {
      await subscribed(pub, 1);
      for (let n = 0; n < 20; n++) await pub.send([String(i), String(n)]);
    }
    await until(() => sub.stats().receive.messages === 60);
    const got = await receive(sub, 60);
    const order = got.slice(0, 3).map(([who]) => who);
    expect([...order].sort()).toEqual(["0", "1", "2"]);
    expect(got).toEqual(numbered(20).flatMap((n) => order.map((who) => [who, n])));
  });

  it("tells all publishers, and those who come later", async () => {
    const sub = subscriber();
    const pubs = [publisher(), publisher(), publisher()] as const;
    await sockets.join(transport, sub, pubs[0], pubs[1]);
    sub.subscribe("A", "B");
    for (const pub of pubs.slice(0, 2)) await subscribed(pub, 2);
    pubs[2].connect(sub.lastEndpoint as string);
    await subscribed(pubs[2], 2);
    sub.unsubscribe("B");
    for (const pub of pubs) await subscribed(pub, 1);
  });

  it("what a publisher sent before it went is still received", async () => {
    const [sub, pub] = [subscriber(), publisher()];
    await sockets.join(transport, sub, pub);
    sub.subscribe("");
    await subscribed(pub, 1);
    for (const text of numbered(20)) await pub.send(text);
    await until(() => sub.stats().receive.messages === 20);
    pub.close();
    await until(() => sub.stats().peers.length === 0);
    expect((await receive(sub, 20)).flat()).toEqual(numbered(20));
  });

  it("a publisher that it disconnects from has no subscriptions any more, and no messages", async () => {
    const [sub, pub] = [subscriber(), publisher()];
    await sockets.join(transport, pub, sub);
    sub.subscribe("A", "B");
    await subscribed(pub, 2);
    await pub.send("A");
    await until(() => sub.stats().receive.messages === 1);
    sub.disconnect(sub.lastEndpoint as string);
    await subscribed(pub, 0);
    expect([sub.readable, sub.tryReceive()]).toEqual([false, undefined]);
    expect(sub.stats()).toMatchObject({ receive: { messages: 0, bytes: 0 }, subscriptions: 2 });
  });

  it("what was on its way when its topic was cancelled is not received", async () => {
    const [sub, pub] = [subscriber(), publisher()];
    await sockets.join(transport, pub, sub);
    sub.subscribe("A", "B");
    await subscribed(pub, 2);
    for (const text of ["A1", "B1", "A2", "B2"]) await pub.send(text);
    await until(() => sub.stats().receive.messages === 4);
    sub.unsubscribe("A");
    expect(drain(sub).flat()).toEqual(["B1", "B2"]);
  });

  it("topics are octets, whatever they mean as text", async () => {
    const [sub, pub] = [subscriber(), publisher()];
    await sockets.join(transport, pub, sub);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.constantFrom("Buffer", "Uint8Array", "view"),
        async (topic, kind) => {
          const given = {
            Buffer: Buffer.from(topic),
            Uint8Array: topic,
            view: Uint8Array.of(1, ...topic, 2).subarray(1, -1),
          }[kind] as Uint8Array;
          const other = Buffer.from(topic);
          other[topic.length - 1] = (topic.at(-1) as number) ^ 1;
          sub.subscribe(given);
          await subscribed(pub, 1);
          await pub.send([other, "not this"]);
          await pub.send([Buffer.concat([topic, other]), "this"]);
          const [first, second] = await sub.receive();
          expect(String(second)).toBe("this");
          expect(first?.subarray(0, topic.length).equals(topic)).toBe(true);
          sub.unsubscribe(given);
          await subscribed(pub, 0);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("topics that are text are UTF-8", async () => {
    const [sub, pub] = [subscriber(), publisher()];
    await sockets.join(transport, pub, sub);
    sub.subscribe("Grüße");
    await subscribed(pub, 1);
    await pub.send(Buffer.from("Gr\xfc\xdfe", "latin1"));
    await pub.send(Buffer.from("Grüße aus Köln"));
    expect(await receiveOne(sub)).toEqual(["Grüße aus Köln"]);
    sub.unsubscribe(Buffer.from("Grüße"));
    await subscribed(pub, 0);
  });

  it("connects once to an endpoint, however often it is told to", async () => {
    const [sub, pub] = [subscriber(), publisher()];
    await sockets.join(transport, pub, sub);
    sub.connect(sub.lastEndpoint as string);
    sub.subscribe("A");
    await subscribed(pub, 1);
    expect(sub.stats().peers).toHaveLength(1);
    await pub.send("A1");
    await pub.send("A2");
    expect((await receive(sub, 2)).flat()).toEqual(["A1", "A2"]);
  });

  it("cannot send", async () => {
    const [sub, pub] = [subscriber(), publisher()];
    await sockets.join(transport, pub, sub);
    await expect(sub.send("x")).rejects.toEqual(failure("ENOTSUP"));
    expect(thrown(() => sub.trySend("x"))).toBe("ENOTSUP");
    expect(sub.writable).toBe(false);
  });
});

describe("a publisher that does not filter", () => {
  it("is filtered here: nothing comes of what was not subscribed to", async () => {
    const sub = subscriber();
    const { peer } = await rawPublisher(sub);
    sub.subscribe("A", "BB");
    for (const text of ["A1", "B1", "", "BB1", "C"]) peer.send(text, "second part: A");
    peer.send("A2");
    expect(await receive(sub, 3)).toEqual([
      ["A1", "second part: A"],
      ["BB1", "second part: A"],
      ["A2"],
    ]);
    expect(drain(sub)).toEqual([]);
  });

  it("is not readable of what nobody wants, which holds nothing up", async () => {
    const sub = subscriber({ receiveHighWaterMark: 4 });
    const { peer } = await rawPublisher(sub);
    sub.subscribe("A");
    for (const text of numbered(500, "B")) peer.send(text);
    await until(() => sub.stats().receive.messages === 4);
    expect(sub.readable).toBe(false);
    peer.send("A");
    await until(() => sub.readable);
    expect(sub.stats().receive.messages).toBe(1);
    expect(drain(sub)).toEqual([["A"]]);
  });

  it("matches the other way round with invertMatching", async () => {
    const sub = subscriber({ invertMatching: true });
    const { peer } = await rawPublisher(sub);
    sub.subscribe("A");
    for (const text of ["A1", "B1", "A2", "B2"]) peer.send(text);
    expect((await receive(sub, 2)).flat()).toEqual(["B1", "B2"]);
  });

  it("has to wait while nobody receives: nothing is lost", async () => {
    const sub = subscriber({ receiveHighWaterMark: 1 });
    const { peer } = await rawPublisher(sub);
    sub.subscribe("");
    for (const text of numbered(300)) peer.send(text);
    await until(() => sub.stats().receive.messages > 0);
    await turns(20);
    expect(sub.stats().receive.messages).toBe(1);
    expect((await receive(sub, 300)).flat()).toEqual(numbered(300));
  });

  it("conflate: of what came while nobody received only the newest is left", async () => {
    const sub = subscriber({ conflate: true });
    const { peer } = await rawPublisher(sub);
    sub.subscribe("");
    for (const text of numbered(20)) peer.send(text);
    await until(() => sub.stats().receive.bytes === 2);
    peer.send("last one");
    await until(() => sub.stats().receive.bytes === 8);
    expect(sub.stats().receive.messages).toBe(1);
    expect(drain(sub)).toEqual([["last one"]]);
  });
});

describe("subscribe and unsubscribe", () => {
  it("take text and octets, and nothing else", () => {
    const sub = subscriber();
    for (const topic of [1, {}, undefined, ["A"]]) {
      const wrong = topic as unknown as string;
      expect(() => sub.subscribe(wrong)).toThrow(TypeError);
      expect(() => sub.unsubscribe(wrong)).toThrow(TypeError);
    }
    expect(sub.stats().subscriptions).toBe(0);
  });

  it("of none mean all messages", () => {
    const sub = subscriber();
    sub.subscribe();
    sub.subscribe("");
    expect(sub.stats().subscriptions).toBe(1);
    sub.unsubscribe();
    expect(sub.stats().subscriptions).toBe(1);
    sub.unsubscribe("");
    expect(sub.stats().subscriptions).toBe(0);
  });

  it("throw ENOTSOCK once the socket is closed", () => {
    const sub = subscriber();
    sub.close();
    expect([thrown(() => sub.subscribe("A")), thrown(() => sub.unsubscribe("A"))]).toEqual([
      "ENOTSOCK",
      "ENOTSOCK",
    ]);
  });
});
