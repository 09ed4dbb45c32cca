import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Publisher } from "../../src/socket/pub.js";
import { XPublisher } from "../../src/socket/xpub.js";
import { XSubscriber } from "../../src/socket/xsub.js";
import {
  drain,
  Events,
  fill,
  maker,
  numbered,
  receive,
  receiveOne,
  vacant,
} from "../support/patterns.js";
import {
  cancellation,
  gaps,
  noticeText,
  type PubSubPeer,
  PubSubServer,
  subscription,
  WAYS,
} from "../support/pubsub.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const publisher = maker(sockets, Publisher);
const xpublisher = maker(sockets, XPublisher);
const xsubscriber = maker(sockets, XSubscriber);

const peers: { close(): void }[] = [];

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await sockets.close();
});
afterAll(() => sockets.end());

/** A publisher made of octets, and the subscriber that has come to it. */
async function rawPublisher(sub: XSubscriber, minor = 1): Promise<[PubSubServer, PubSubPeer]> {
  const server = await PubSubServer.open("XPUB", minor);
  peers.push(server);
  sub.connect(server.endpoint);
  return [server, await server.peer(0)];
}

/** Resolves once the peer has heard of this subscription. */
function hears(peer: PubSubPeer, text: string): Promise<void> {
  return until(() => peer.subscriptions.includes(text));
}

/** Resolves once the publisher knows of `count` topics. */
function subscribed(pub: Publisher | XPublisher, count: number): Promise<void> {
  return until(() => pub.stats().subscriptions === count);
}

/** The next `count` subscriptions. */
async function notices(pub: XPublisher, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(noticeText(await pub.receive()));
  return texts;
}

describe.each(WAYS)("a publisher that takes subscriptions as $way", ({ minor }) => {
  it("hears of each subscription, and of the cancellation that undoes the last one", async () => {
    const sub = xsubscriber();
    const [, peer] = await rawPublisher(sub, minor);
    await sub.send(cancellation("A"));
    for (const send of [subscription, subscription, cancellation, cancellation, cancellation]) {
      await sub.send(send("A"));
    }
    await sub.send(subscription(""));
    await sub.send(subscription("\0\x80\xff"));
    await hears(peer, "SUBSCRIBE \0\x80\xff");
    expect(peer.subscriptions).toEqual([
      "SUBSCRIBE A",
      "SUBSCRIBE A",
      "CANCEL A",
      "SUBSCRIBE ",
      "SUBSCRIBE \0\x80\xff",
    ]);
    expect(sub.stats().subscriptions).toBe(2);
  });

  it("hears of each topic once, again after each reconnect", async () => {
    const sub = xsubscriber({ reconnectInterval: 1 });
    for (const send of [subscription, subscription]) await sub.send(send("A"));
    const [server, first] = await rawPublisher(sub, minor);
    await sub.send(subscription("B"));
    await hears(first, "SUBSCRIBE B");
    first.close();
    await sub.send(cancellation("B"));
    await sub.send(subscription("C"));
    const second = await server.peer(1);
    await sub.send(subscription("end"));
    await hears(second, "SUBSCRIBE end");
    expect(second.subscriptions.sort()).toEqual(["SUBSCRIBE A", "SUBSCRIBE C", "SUBSCRIBE end"]);
  });
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_xsub_verbose: a cancellation goes out when it is the last, and never if unmatched", async () => {
    const [pub, sub] = [xpublisher(), xsubscriber()];
    await sockets.join(transport, pub, sub);
    pub.verbosity = "allSubsUnsubs";
    for (const send of [cancellation, subscription, subscription, cancellation, cancellation]) {
      await sub.send(send("A"));
    }
    await sub.send(cancellation("A"));
    await sub.send(subscription("end"));
    expect(await notices(pub, 4)).toEqual(["+A", "+A", "-A", "+end"]);
  });

  it("RFC 29, XSUB: what is no subscription goes to all publishers, as it is", async () => {
    const sub = xsubscriber();
    const pubs = [xpublisher(), xpublisher(), xpublisher()];
    await sockets.join(transport, sub, ...pubs);
    const messages = [["\x02"], [""], ["x", "\x01A", "\0A"], ["", ""], ["y".repeat(100_000)]];
    for (const message of messages) await sub.send(message);
    for (const pub of pubs) {
      expect(await receive(pub, messages.length)).toEqual(messages);
      expect(pub.stats().subscriptions).toBe(0);
    }
  });

  it("RFC 29, XSUB: receives from its publishers in turn, and filters nothing", async () => {
    const sub = xsubscriber();
    const pubs = [publisher(), publisher()];
    await sockets.join(transport, sub, ...pubs);
    await sub.send(subscription("A"));
    for (const [i, pub] of pubs.entries()) {
      await subscribed(pub, 1);
      for (let n = 0; n < 20; n++) await pub.send(["A", String(i), String(n)]);
    }
    await until(() => sub.stats().receive.messages === 40);
    // They have come, so they are received, though it does not want them any more.
    await sub.send(cancellation("A"));
    const got = await receive(sub, 40);
    const order = got.slice(0, 2).map(([, who]) => who);
    expect([...order].sort()).toEqual(["0", "1"]);
    expect(got).toEqual(numbered(20).flatMap((n) => order.map((who) => ["A", who, n])));
  });

  it("connects again to an endpoint as often as it is told to", async () => {
    const [pub, sub] = [xpublisher(), xsubscriber()];
    await sockets.join(transport, pub, sub);
    sub.connect(sub.lastEndpoint as string);
    await until(() => pub.stats().peers.filter(({ connected }) => connected).length === 2);
    await sub.send("x");
    expect(await receive(pub, 2)).toEqual([["x"], ["x"]]);
    pub.verbosity = "allSubs";
    await sub.send(subscription("A"));
    expect(await notices(pub, 2)).toEqual(["+A", "+A"]);
    await pub.send("A");
    expect(await receive(sub, 2)).toEqual([["A"], ["A"]]);
  });

  it("several subscriptions may come in one message: each part that is one counts", async () => {
    const [pub, sub] = [xpublisher(), xsubscriber()];
    await sockets.join(transport, pub, sub);
    await sub.send([subscription("A"), subscription("B"), cancellation("A")]);
    expect(await notices(pub, 3)).toEqual(["+A", "+B", "-A"]);
    expect(sub.stats().subscriptions).toBe(1);
  });

  it("keeps a queue for a publisher that is not there yet; subscriptions do not go through it", async () => {
    const endpoint = await vacant(sockets, transport);
    const sub = xsubscriber({ reconnectInterval: 5, sendHighWaterMark: 2 });
    sub.connect(endpoint);
    await sub.send(subscription("A"));
    for (const text of ["one", "two", "three"]) expect(sub.trySend(text)).toBe(true);
    await sub.send(subscription("B"));
    expect(sub.stats()).toMatchObject({ send: { messages: 2 }, total: { messagesDropped: 1 } });
    const pub = xpublisher();
    await pub.bind(endpoint);
    const got = await receive(pub, 4);
    expect(got.filter(([text]) => !text?.startsWith("\x01"))).toEqual([["one"], ["two"]]);
    expect(got.filter(([text]) => text?.startsWith("\x01")).sort()).toEqual([["\x01A"], ["\x01B"]]);
  });

  it("a full queue holds up no subscription, and loses none; what it drops is told of", async () => {
    const sub = xsubscriber({ sendHighWaterMark: 1 });
    const pub = xpublisher({ receiveHighWaterMark: 1 });
    const events = new Events(sub);
    await sockets.join(transport, sub, pub);
    // It always takes a message: one that has no room anywhere is dropped, and counted.
    let sent = 0;
    const ballast = Buffer.alloc(100_000);
    while (sub.stats().total.messagesDropped < 20) {
      if (sent > 1000) throw new Error("it is never full");
      expect(sub.trySend([`upstream ${sent++}`, ballast])).toBe(true);
      await turns(1);
    }
    const topics = numbered(500, "topic ");
    for (const topic of topics) expect(sub.trySend(subscription(topic))).toBe(true);
    expect(sub.stats().subscriptions).toBe(500);
    const [told, upstream]: [string[], number[]] = [[], []];
    const { messagesDropped } = sub.stats().total;
    while (told.length < 500 || upstream.length < sent - messagesDropped) {
      const [text] = await receiveOne(pub);
      if (text?.startsWith("\x01")) told.push(text.slice(1));
      else upstream.push(Number(text?.slice("upstream ".length)));
    }
    expect(told).toEqual(topics);
    expect(events.of("drop")).toHaveLength(gaps(upstream, sent));
    const { endpoint, address } = sub.stats().peers[0] ?? {};
    expect(events.of("drop")[0]).toMatchObject({ address: endpoint, peerAddress: address });
  });
});

describe("a full queue", () => {
  it("of one publisher does not keep messages from the others", async () => {
    const sub = xsubscriber({ sendHighWaterMark: 2 });
    const [slow, fast] = [xpublisher({ receiveHighWaterMark: 2 }), xpublisher()];
    await sockets.join("inproc", sub, slow, fast);
    expect(fill(sub, String, 100)).toBe(100);
    expect(drain(slow).flat()).toEqual(numbered(4));
    expect(drain(fast).flat()).toEqual(numbered(100));
    expect(sub.stats().total.messagesDropped).toBe(96);
  });
});

describe("more subscriptions in one turn than a batch holds", () => {
  const topics = numbered(2000, "t".repeat(100));

  it("hold up nothing behind them, whatever its buffer is used for next; nor the end", async () => {
    const [pub, sub] = [xpublisher(), xsubscriber({ linger: -1 })];
    await sockets.join("tcp", pub, sub);
    for (const topic of topics) expect(sub.trySend(subscription(topic))).toBe(true);
    const small = Buffer.from("upstream");
    expect(sub.trySend(small)).toBe(true);
    small.fill("!");
    expect((await notices(pub, topics.length)).length).toBe(topics.length);
    expect(await receiveOne(pub)).toEqual(["upstream"]);
    for (const topic of topics) sub.trySend(cancellation(topic));
    await sub[Symbol.asyncDispose]();
    await until(() => pub.stats().subscriptions === 0);
  });
});
