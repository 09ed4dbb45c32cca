import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Publisher } from "../../src/socket/pub.js";
import { Subscriber } from "../../src/socket/sub.js";
import { XPublisher } from "../../src/socket/xpub.js";
import { XSubscriber } from "../../src/socket/xsub.js";
import {
  bound,
  drain,
  Events,
  failure,
  fill,
  maker,
  numbered,
  receive,
  receiveOne,
  thrown,
} from "../support/patterns.js";
import {
  gaps,
  noticeText,
  PubSubPeer,
  PubSubServer,
  subscription,
  untilFull,
} from "../support/pubsub.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const publisher = maker(sockets, Publisher);
const subscriber = maker(sockets, Subscriber);
const xpublisher = maker(sockets, XPublisher);
const xsubscriber = maker(sockets, XSubscriber);

const peers: { close(): void }[] = [];

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await sockets.close();
});
afterAll(() => sockets.end());

/** Comes to a bound publisher as a subscriber made of octets. */
async function rawSubscriber(endpoint: string, ...topics: string[]): Promise<PubSubPeer> {
  const peer = await PubSubPeer.connect(endpoint, "SUB");
  peers.push(peer);
  peer.subscribe(...topics);
  return peer;
}

/** Resolves once `count` topics are subscribed to. */
function subscribed(pub: Publisher | XPublisher, count: number): Promise<void> {
  return until(() => pub.stats().subscriptions === count);
}

const LARGE = Buffer.alloc(100_000, "x");

/** Few octets, so that topics are often the beginnings of messages. */
const octets = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 });

describe.each(TRANSPORTS)("over %s", (transport) => {
  describe("RFC 29, PUB: outgoing messages", () => {
    it("go to those who are subscribed to their beginning, whoever binds, and to nobody else", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(octets, { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
          fc.array(octets, { maxLength: 30 }),
          fc.boolean(),
          async (wishes, messages, binds) => {
            const pub = publisher();
            const subs = wishes.map(() => subscriber());
            if (binds) await sockets.join(transport, pub, ...subs);
            else for (const sub of subs) await sockets.join(transport, sub, pub);
            // Each one's last topic shows that those before it have come, and the last message is
            // for it.
            for (const [i, sub] of subs.entries()) sub.subscribe(...(wishes[i] as []), `last ${i}`);
            await subscribed(pub, new Set(wishes.flat()).size + subs.length);
            for (const message of messages) await pub.send(message);
            for (const i of subs.keys()) await pub.send(`last ${i}`);
            for (const [i, sub] of subs.entries()) {
              const topics = wishes[i] as string[];
              const wanted = [...messages, ...numbered(subs.length, "last ")].filter(
                (it) => it === `last ${i}` || topics.some((topic) => it.startsWith(topic)),
              );
              expect((await receive(sub, wanted.length)).flat()).toEqual(wanted);
              expect(drain(sub)).toEqual([]);
            }
            await sockets.close();
          },
        ),
        { numRuns: 10 },
      );
    });

    it("only the first part is compared, and all parts arrive as they are", async () => {
      const [pub, sub] = [publisher(), subscriber()];
      await sockets.join(transport, pub, sub);
      sub.subscribe("A");
      await subscribed(pub, 1);
      const sizes = [0, 1, 128, 129, 255, 256, 8192, 8193, 100_000];
      const parts = ["A", ...sizes.map((size) => Buffer.alloc(size, "0123456789"))];
      await pub.send(["B", "A"]);
      await pub.send(parts);
      const got = await sub.receive();
      expect(got.map((part) => part.length)).toEqual([1, ...sizes]);
      expect(Buffer.concat(got).equals(Buffer.concat(parts.map((it) => Buffer.from(it))))).toBe(
        true,
      );
    });

    it("come once, whichever of a subscriber's topics match", async () => {
      const [pub, sub] = [publisher(), subscriber()];
      await sockets.join(transport, pub, sub);
      sub.subscribe("", "a", "ab", "abc");
      await subscribed(pub, 4);
      await pub.send("abcd");
      await pub.send("end");
      expect(await receive(sub, 2)).toEqual([["abcd"], ["end"]]);
    });

    it("that nobody is subscribed to are accepted, and are gone", async () => {
      const [pub, sub] = [publisher(), subscriber()];
      await pub.send("no peer");
      await sockets.join(transport, pub, sub);
      await pub.send("no subscription");
      sub.subscribe("wanted");
      await subscribed(pub, 1);
      await pub.send("not this");
      await pub.send("wanted");
      expect(await receiveOne(sub)).toEqual(["wanted"]);
      expect(pub.stats().total).toMatchObject({ messagesSent: 4, messagesDropped: 0 });
    });

    it("a small part may be used again at once, however many get it", async () => {
      const [pub, ...subs] = [publisher(), subscriber(), subscriber(), subscriber()];
      await sockets.join(transport, pub, ...subs);
      for (const [i, sub] of subs.entries()) sub.subscribe("", String(i));
      await subscribed(pub, 4);
      const part = Buffer.alloc(128);
      for (let i = 0; i < 50; i++) {
        part.fill(i);
        await pub.send([part, part.subarray(0, 1)]);
      }
      part.fill(255);
      for (const sub of subs) {
        for (let i = 0; i < 50; i++) {
          const [first, second] = await sub.receive();
          expect([first?.equals(Buffer.alloc(128, i)), second?.[0]]).toEqual([true, i]);
        }
      }
    });

    it("are still delivered when the publisher is closed, while it lingers", async () => {
      const [pub, sub] = [publisher({ linger: -1 }), subscriber({ receiveHighWaterMark: 2 })];
      await sockets.join(transport, pub, sub);
      sub.subscribe("");
      await subscribed(pub, 1);
      for (const text of numbered(100)) await pub.send([text, LARGE.subarray(0, 10_000)]);
      pub.close();
      const got = await receive(sub, 100);
      expect(got.map(([text]) => text)).toEqual(numbered(100));
    });
  });

  describe("RFC 29, PUB: a subscriber that has no room", () => {
    it("holds up nobody else; each message that it misses is counted, each run of them told once", async () => {
      const pub = publisher({ sendHighWaterMark: 10 });
      const events = new Events(pub);
      const [slow, fast] = [subscriber({ receiveHighWaterMark: 10 }), subscriber()];
      await sockets.join(transport, pub, slow, fast);
      slow.subscribe("");
      fast.subscribe("", "fast");
      await subscribed(pub, 2);
      let sent = 0;
      const publish = async (): Promise<void> => {
        await pub.send([String(sent), LARGE]);
        // The fast one never has to wait.
        expect((await receiveOne(fast))[0]).toBe(String(sent));
        sent++;
      };
      const got: number[] = [];
      const overflow = async (): Promise<void> => {
        const { messagesDropped } = pub.stats().total;
        while (pub.stats().total.messagesDropped < messagesDropped + 10) {
          if (sent > 1000) throw new Error("it is never full");
          await publish();
        }
        // Of the others none is missing.
        while (got.length < sent - pub.stats().total.messagesDropped) {
          got.push(Number((await receiveOne(slow))[0]));
        }
      };
      await overflow();
      await until(() => pub.stats().send.messages === 0);
      await overflow();
      const drops = events.of("drop");
      expect(drops).toHaveLength(gaps(got, sent));
      expect(drops.length).toBeGreaterThan(1);
      // The first peer that the statistics show is the slow one.
      const { endpoint, address } = pub.stats().peers[0] ?? {};
      for (const drop of drops) {
        expect(drop).toMatchObject({ address: endpoint, peerAddress: address });
      }
    });
  });

  describe("noDrop", () => {
    it("waits for who has no room, and goes on: nothing is lost", async () => {
      const pub = publisher({ sendHighWaterMark: 2, noDrop: true });
      const sub = subscriber({ receiveHighWaterMark: 2 });
      await sockets.join(transport, pub, sub);
      sub.subscribe("");
      await subscribed(pub, 1);
      let sent = 0;
      const sending = (async () => {
        for (; sent < 150; sent++) await pub.send([String(sent), LARGE]);
      })();
      const got: string[] = [];
      while (got.length < 150) {
        await turns(2);
        got.push((await receiveOne(sub))[0] as string);
      }
      await sending;
      expect(got).toEqual(numbered(150));
      expect(pub.stats().total.messagesDropped).toBe(0);
    });

    /** A publisher whose first subscriber, of A and all, has no room; the other one wants B and all. */
    async function full(): Promise<[pub: Publisher, slow: Subscriber, fast: Subscriber]> {
      const pub = publisher({ sendHighWaterMark: 1, noDrop: true });
      const [slow, fast] = [subscriber({ receiveHighWaterMark: 1 }), subscriber()];
      await sockets.join(transport, pub, slow, fast);
      slow.subscribe("A", "all");
      fast.subscribe("B", "all");
      await subscribed(pub, 3);
      await untilFull(pub, ["A", LARGE]);
      return [pub, slow, fast];
    }

    it("does not wait for those who do not want the message", async () => {
      const [pub, , fast] = await full();
      expect(pub.trySend(["A", LARGE])).toBe(false);
      await pub.send("B");
      expect(await receiveOne(fast)).toEqual(["B"]);
    });

    it("a message that had to wait too long has reached nobody", async () => {
      const [pub, , fast] = await full();
      pub.sendTimeout = 5;
      await expect(pub.send("all")).rejects.toEqual(failure("EAGAIN"));
      expect(pub.trySend("all")).toBe(false);
      await pub.send("B");
      expect(await receiveOne(fast)).toEqual(["B"]);
    });

    it("does not wait any longer for one that is gone", async () => {
      const [pub, slow, fast] = await full();
      pub.sendTimeout = 500;
      const sent = pub.send("all");
      slow.close();
      await sent;
      expect(await receiveOne(fast)).toEqual(["all"]);
    });

    it("does not wait any longer for one that cancels", async () => {
      const [pub, slow, fast] = await full();
      pub.sendTimeout = 500;
      const sent = pub.send("all");
      slow.unsubscribe("all");
      await sent;
      expect(await receiveOne(fast)).toEqual(["all"]);
    });
  });

  it("test_pub_invert_matching: on both sides it sends to those who are not subscribed", async () => {
    const [pub, one, two] = [publisher(), subscriber(), subscriber()];
    await sockets.join(transport, pub, one, two);
    one.subscribe("prefix1", "end");
    two.subscribe("p2", "end");
    await subscribed(pub, 3);
    /** What both receive of two messages; `end` tells that there is no more. */
    const received = async (end: string): Promise<string[][]> => {
      await pub.send("prefix1");
      await pub.send("p2");
      await pub.send(end);
      const all = [[], []] as string[][];
      for (const [i, sub] of [one, two].entries()) {
        for (let [text] = await receiveOne(sub); text !== end; [text] = await receiveOne(sub)) {
          all[i]?.push(text as string);
        }
      }
      return all;
    };
    expect(await received("end")).toEqual([["prefix1"], ["p2"]]);
    for (const socket of [pub, one, two]) socket.invertMatching = true;
    expect(await received("other")).toEqual([["p2"], ["prefix1"]]);
    for (const socket of [pub, one, two]) socket.invertMatching = false;
    expect(await received("end")).toEqual([["prefix1"], ["p2"]]);
  });

  describe("test_pubsub_topics_count", () => {
    it("independent_topic_prefixes: stats().subscriptions counts topics on both sides", async () => {
      const [pub, sub] = [publisher(), subscriber()];
      await sockets.join(transport, pub, sub);
      const counts = async (count: number): Promise<void> => {
        expect(sub.stats().subscriptions).toBe(count);
        await subscribed(pub, count);
      };
      sub.subscribe("topicprefix1", "topicprefix2", "topicprefix3");
      await counts(3);
      sub.unsubscribe("topicprefix3");
      await counts(2);
      sub.unsubscribe("topicprefix1", "topicprefix2");
      await counts(0);
    });

    it("nested_topic_prefixes: each counts, though one begins with the other", async () => {
      const [pub, sub] = [publisher(), subscriber()];
      await sockets.join(transport, pub, sub);
      sub.subscribe("a", "ab", "abc");
      await subscribed(pub, 3);
      sub.subscribe("xyz", "xy", "x");
      await subscribed(pub, 6);
      expect(sub.stats().subscriptions).toBe(6);
    });

    it("those of several subscribers count once, and until the last one is gone", async () => {
      const [pub, one, two] = [publisher(), subscriber(), subscriber()];
      await sockets.join(transport, pub, one, two);
      one.subscribe("a", "a", "b");
      two.subscribe("b", "c");
      await subscribed(pub, 3);
      two.close();
      await subscribed(pub, 2);
      one.close();
      await subscribed(pub, 0);
    });
  });

  describe("test_hwm_pubsub", () => {
    it.each([
      { name: "defaults_large", mark: 1000 },
      { name: "defaults_small", mark: 100 },
    ])("$name: as many messages as the mark says are never dropped", async ({ mark }) => {
      const [pub, sub] = [xpublisher(), subscriber()];
      await sockets.join(transport, pub, sub);
      pub.sendHighWaterMark = mark;
      sub.subscribe("");
      expect(noticeText(await pub.receive())).toBe("+");
      expect(fill(pub, () => "test message", mark)).toBe(mark);
      expect(await receive(sub, mark)).toHaveLength(mark);
      expect(pub.stats().total.messagesDropped).toBe(0);
    });

    it("blocking: with noDrop it is full at times, and all messages arrive", async () => {
      const [pub, sub] = [xpublisher(), subscriber({ receiveHighWaterMark: 20 })];
      await sockets.join(transport, pub, sub);
      pub.sendHighWaterMark = 20;
      pub.noDrop = true;
      sub.subscribe("");
      expect(noticeText(await pub.receive())).toBe("+");
      let [sent, received, blocked] = [0, 0, 0];
      while (sent < 300) {
        const count = fill(pub, () => LARGE, 300 - sent);
        sent += count;
        if (sent < 300) blocked++;
        await turns(1);
        if (count === 0) received += drain(sub).length;
      }
      expect(blocked).toBeGreaterThan(0);
      await until(() => {
        received += drain(sub).length;
        return received === sent;
      });
    });

    it("reset_hwm: what was received counts no more", async () => {
      const mark = 11_024;
      const pub = publisher({ sendHighWaterMark: mark });
      const sub = subscriber({ receiveHighWaterMark: mark });
      await sockets.join(transport, pub, sub);
      sub.subscribe("");
      await subscribed(pub, 1);
      for (const count of [9999, 1100]) {
        expect(fill(pub, () => "", count)).toBe(count);
        await until(() => sub.stats().receive.messages === count);
        expect(drain(sub)).toHaveLength(count);
      }
      expect(pub.stats().total.messagesDropped).toBe(0);
    });
  });

  it("is not to be received from, and forgets what subscribers send", async () => {
    const [pub, sub] = [publisher(), xsubscriber()];
    await sockets.join(transport, pub, sub);
    await sub.send(subscription(""));
    // More than queues hold, so that it would wait if they were kept.
    for (const text of numbered(3000)) await sub.send(`${text} upstream`);
    await sub.send(subscription("end"));
    await subscribed(pub, 2);
    expect(sub.stats().total.messagesDropped).toBe(0);
    expect(pub.stats().receive).toMatchObject({ messages: 0, bytes: 0 });
    await expect(pub.receive()).rejects.toEqual(failure("ENOTSUP"));
    expect(thrown(() => pub.tryReceive())).toBe("ENOTSUP");
    expect(pub.readable).toBe(false);
    await pub.send("x");
    expect(await receiveOne(sub)).toEqual(["x"]);
  });
});

describe("a subscriber that has no room", () => {
  it("misses messages until it has read half of what its queue holds", async () => {
    const pub = publisher({ sendHighWaterMark: 5 });
    const sub = subscriber({ receiveHighWaterMark: 5 });
    await sockets.join("inproc", pub, sub);
    sub.subscribe("");
    for (const text of numbered(50)) await pub.send(text);
    expect(pub.stats().total).toMatchObject({ messagesSent: 50, messagesDropped: 40 });
    expect((await receive(sub, 4)).flat()).toEqual(numbered(4));
    await pub.send("still no room");
    expect((await receive(sub, 1)).flat()).toEqual(["4"]);
    for (const text of numbered(10, "later ")) await pub.send(text);
    expect(drain(sub).flat()).toEqual(["5", "6", "7", "8", "9", ...numbered(5, "later ")]);
    expect(pub.stats().total.messagesDropped).toBe(46);
  });
});

describe("conflate", () => {
  it.each(["the publisher", "the subscriber"])(
    "of %s: only the newest message waits",
    async (who) => {
      const pub = publisher({ conflate: who === "the publisher" });
      const sub = subscriber({ conflate: who === "the subscriber" });
      await sockets.join("inproc", pub, sub);
      sub.subscribe("");
      for (const text of numbered(20)) await pub.send([text, "whole"]);
      expect(drain(sub)).toEqual([["19", "whole"]]);
      expect(pub.stats().total.messagesDropped).toBe(0);
    },
  );
});

describe("a message that several sockets of this thread receive", () => {
  it.each([[["inproc"]], [["inproc", "tcp"]]] as const)(
    "can be changed by each, and nobody else notices: over %s",
    async (transports) => {
      const pub = publisher();
      const subs: Subscriber[] = [];
      for (const transport of transports) {
        const endpoint = await bound(sockets, transport, pub);
        for (let i = 0; i < 3; i++) {
          const sub = subscriber();
          sub.connect(endpoint);
          sub.subscribe("", String(subs.length));
          subs.push(sub);
        }
      }
      await subscribed(pub, 1 + subs.length);
      const small = Buffer.alloc(128, 1);
      const sent = [small, Buffer.of(2, 3), Buffer.alloc(129, 4)];
      await pub.send(sent);
      for (const sub of subs) {
        const parts = await sub.receive();
        expect(parts.map((part) => [part.length, part[0]])).toEqual([
          [128, 1],
          [2, 2],
          [129, 4],
        ]);
        parts[0]?.fill(0);
        parts[1]?.fill(0);
        parts.length = 0;
      }
      expect([sent.length, small[0]]).toEqual([3, 1]);
    },
  );
});

describe("a subscriber that reads nothing", () => {
  it.each(["ipc", "tcp"] as const)(
    "over %s: can still subscribe and cancel; it gets what its queue had room for, when it reads",
    async (transport) => {
      const pub = publisher({ sendHighWaterMark: 10 });
      const events = new Events(pub);
      const peer = await rawSubscriber(await bound(sockets, transport, pub), "A");
      await subscribed(pub, 1);
      peer.pause();
      let sent = 0;
      while (pub.stats().total.messagesDropped < 20) {
        if (sent > 1000) throw new Error("it is never full");
        await pub.send([`A${sent++}`, LARGE]);
        await turns(1);
      }
      expect(pub.stats().send.messages).toBeLessThanOrEqual(10);
      peer.subscribe("B", "C");
      await subscribed(pub, 3);
      peer.cancel("A", "B", "C");
      await subscribed(pub, 0);
      peer.resume();
      await until(() => peer.messages.length === sent - pub.stats().total.messagesDropped);
      const numbers = peer.messages.map(([text]) => Number(String(text).slice(1)));
      expect(events.of("drop")).toHaveLength(gaps(numbers, sent));
    },
  );

  it("loses its queue when it goes", async () => {
    const pub = publisher({ sendHighWaterMark: 10 });
    const peer = await rawSubscriber(await bound(sockets, "tcp", pub), "");
    await subscribed(pub, 1);
    peer.pause();
    while (pub.stats().total.messagesDropped === 0) {
      await pub.send(LARGE);
      await turns(1);
    }
    peer.close();
    await subscribed(pub, 0);
    expect(pub.stats()).toMatchObject({ send: { messages: 0, bytes: 0 }, peers: [] });
  });
});

describe("RFC 29, PUB: a publisher that connects", () => {
  it("keeps a queue for its subscriber while that is away, of what it was subscribed to", async () => {
    const server = await PubSubServer.open("SUB");
    peers.push(server);
    const pub = publisher({ reconnectInterval: 5 });
    const events = new Events(pub);
    pub.connect(server.endpoint);
    await pub.send("A: nobody has subscribed yet");
    const first = await server.peer(0);
    first.subscribe("A");
    await subscribed(pub, 1);
    first.close();
    await events.seen("disconnect");
    for (const text of numbered(3, "A")) await pub.send(text);
    await pub.send("B");
    const second = await server.peer(1);
    await until(() => second.messages.length === 3);
    expect(second.messages.flat().map(String)).toEqual(numbered(3, "A"));
  });
});
