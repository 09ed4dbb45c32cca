import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Publisher } from "../../src/socket/pub.js";
import { Subscriber } from "../../src/socket/sub.js";
import { XPublisher } from "../../src/socket/xpub.js";
import { XSubscriber } from "../../src/socket/xsub.js";
import {
  bound,
  drain,
  fill,
  maker,
  numbered,
  receive,
  receiveOne,
  thrown,
} from "../support/patterns.js";
import {
  cancellation,
  noticeText,
  PubSubPeer,
  PubSubServer,
  type PubSubType,
  subscription,
  WAYS,
} from "../support/pubsub.js";
import { handshake, Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";
import { cancel, message, subscribe } from "../support/wire.js";

const ZMQ_SUBSCRIBE = 6;
const ZMQ_UNSUBSCRIBE = 7;

/** Decides by itself what its peers are subscribed to. */
class ManualPublisher extends XPublisher {
  grant(topic: string): void {
    this.setStringOption(ZMQ_SUBSCRIBE, topic);
  }

  revoke(topic: string): void {
    this.setStringOption(ZMQ_UNSUBSCRIBE, topic);
  }
}

const sockets = new Sockets();
const publisher = maker(sockets, Publisher);
const subscriber = maker(sockets, Subscriber);
const xpublisher = maker(sockets, XPublisher);
const xsubscriber = maker(sockets, XSubscriber);

function manual(options: ConstructorParameters<typeof XPublisher>[0] = {}): ManualPublisher {
  return sockets.open(new ManualPublisher({ linger: 0, manual: true, ...options }));
}

const peers: { close(): void }[] = [];

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await sockets.close();
});
afterAll(() => sockets.end());

/** Comes to a bound publisher as a subscriber made of octets. */
async function rawSubscriber(
  endpoint: string,
  type: PubSubType = "XSUB",
  minor = 1,
): Promise<PubSubPeer> {
  const peer = await PubSubPeer.connect(endpoint, type, minor);
  peers.push(peer);
  return peer;
}

/** Resolves once `count` topics are subscribed to. */
function subscribed(pub: Publisher | XPublisher, count: number): Promise<void> {
  return until(() => pub.stats().subscriptions === count);
}

/** The next subscription: `+topic`, or `-topic`. */
async function notice(pub: XPublisher): Promise<string> {
  return noticeText(await pub.receive());
}

/** The next `count` of them. */
async function notices(pub: XPublisher, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(await notice(pub));
  return texts;
}

/** Those that are there. */
function pending(pub: XPublisher): string[] {
  const texts: string[] = [];
  for (let parts = pub.tryReceive(); parts !== undefined; parts = pub.tryReceive()) {
    texts.push(noticeText(parts));
  }
  return texts;
}

describe.each(WAYS)("a subscriber that speaks by $way", ({ way, minor }) => {
  const talk = async (pub: XPublisher, peer: PubSubPeer): Promise<void> => {
    peer.subscribe("A");
    expect(await pub.receive()).toEqual([Buffer.from("\x01A")]);
    await pub.send("BLOL");
    await pub.send("ALOL");
    await until(() => peer.messages.length === 1);
    expect(peer.messages).toEqual([[Buffer.from("ALOL")]]);
    peer.cancel("A");
    expect(await pub.receive()).toEqual([Buffer.from("\0A")]);
  };

  it(`test_mock_pub_sub: mock_sub_${way}: one that comes to a bound publisher`, async () => {
    const pub = xpublisher();
    await talk(pub, await rawSubscriber(await bound(sockets, "tcp", pub), "SUB", minor));
  });

  it(`test_mock_pub_sub: mock_sub_${way}: one that a publisher connects to`, async () => {
    const pub = xpublisher();
    const server = await PubSubServer.open("SUB", minor);
    peers.push(server);
    pub.connect(server.endpoint);
    await talk(pub, await server.peer(0));
  });

  it("is subscribed or not, however often it says so: two subscribe, one cancels", async () => {
    const pub = xpublisher();
    const peer = await rawSubscriber(await bound(sockets, "tcp", pub), "SUB", minor);
    peer.subscribe("A", "A");
    peer.cancel("A");
    peer.subscribe("end");
    expect(await notices(pub, 3)).toEqual(["+A", "-A", "+end"]);
    expect(pub.stats().subscriptions).toBe(1);
    await pub.send("A");
    await pub.send("end");
    await until(() => peer.messages.length > 0);
    expect(peer.messages.flat().map(String)).toEqual(["end"]);
  });

  it("may speak the other way, too", async () => {
    const pub = xpublisher();
    const peer = await rawSubscriber(await bound(sockets, "tcp", pub), "SUB", minor);
    const other = minor === 1 ? message("\x01A") : subscribe("A");
    const undo = minor === 1 ? message("\0A") : cancel("A");
    peer.write(other, undo, message("\x01B", "upstream", "\x01C"));
    expect(await receive(pub, 5)).toEqual([["\x01A"], ["\0A"], ["\x01B"], ["\x01C"], ["upstream"]]);
  });

  it("cancels what it was not subscribed to: only allSubsUnsubs tells", async () => {
    const pub = xpublisher();
    const peer = await rawSubscriber(await bound(sockets, "tcp", pub), "SUB", minor);
    for (const verbosity of [null, "allSubs"] as const) {
      pub.verbosity = verbosity;
      peer.cancel("A");
      peer.subscribe(String(verbosity));
      expect(await notice(pub)).toBe(`+${verbosity}`);
    }
    pub.verbosity = "allSubsUnsubs";
    peer.cancel("A");
    expect(await notice(pub)).toBe("-A");
  });
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_sub_forward: subscriptions go up by hand through XPUB and XSUB, messages come down", async () => {
    const [xpub, xsub, pub, sub] = [xpublisher(), xsubscriber(), publisher(), subscriber()];
    await sockets.join(transport, xpub, sub);
    await sockets.join(transport, xsub, pub);
    sub.subscribe();
    await xsub.send(await xpub.receive());
    await subscribed(pub, 1);
    await pub.send("");
    await xpub.send(await xsub.receive());
    expect(await receiveOne(sub)).toEqual([""]);
  });

  describe("test_xpub_verbose", () => {
    it("one_sub: a second subscription is received only with allSubs", async () => {
      const [pub, sub] = [xpublisher(), subscriber()];
      await sockets.join(transport, pub, sub);
      sub.subscribe("A", "B", "A", "end");
      expect(await notices(pub, 3)).toEqual(["+A", "+B", "+end"]);
      pub.verbosity = "allSubs";
      sub.subscribe("A");
      expect(await notice(pub)).toBe("+A");
      await pub.send("A");
      await pub.send("B");
      expect((await receive(sub, 2)).flat()).toEqual(["A", "B"]);
    });

    it("two_subs: another peer's subscription is received only with allSubs", async () => {
      const [pub, one, two] = [xpublisher(), subscriber(), subscriber()];
      await sockets.join(transport, pub, one, two);
      one.subscribe("A");
      expect(await notice(pub)).toBe("+A");
      two.subscribe("A", "end");
      expect(await notice(pub)).toBe("+end");
      one.subscribe("B");
      expect(await notice(pub)).toBe("+B");
      pub.verbosity = "allSubs";
      two.subscribe("A");
      expect(await notice(pub)).toBe("+A");
      await pub.send("A");
      await pub.send("B");
      expect((await receive(one, 2)).flat()).toEqual(["A", "B"]);
      expect(await receiveOne(two)).toEqual(["A"]);
    });

    it("allSubs: a cancellation is received only of the last peer", async () => {
      const [pub, one, two] = [xpublisher(), subscriber(), subscriber()];
      pub.verbosity = "allSubs";
      await sockets.join(transport, pub, one, two);
      one.subscribe("A");
      expect(await notice(pub)).toBe("+A");
      two.subscribe("A");
      expect(await notice(pub)).toBe("+A");
      one.unsubscribe("A");
      one.subscribe("end");
      expect(await notice(pub)).toBe("+end");
      two.unsubscribe("A");
      expect(await notice(pub)).toBe("-A");
    });

    it("verboser_one_sub: the subscriber counts, so only its last cancellation comes at all", async () => {
      const [pub, sub] = [xpublisher(), subscriber()];
      await sockets.join(transport, pub, sub);
      sub.unsubscribe("A");
      sub.subscribe("A", "A");
      sub.unsubscribe("A", "A", "A");
      sub.subscribe("end");
      expect(await notices(pub, 3)).toEqual(["+A", "-A", "+end"]);
      pub.verbosity = "allSubsUnsubs";
      sub.subscribe("A");
      expect(await notice(pub)).toBe("+A");
      await pub.send("A");
      expect(await receiveOne(sub)).toEqual(["A"]);
      sub.unsubscribe("A", "A");
      sub.subscribe("other end");
      expect(await notices(pub, 2)).toEqual(["-A", "+other end"]);
    });

    it("verboser_two_subs: with allSubsUnsubs each peer's cancellation is received", async () => {
      const [pub, one, two] = [xpublisher(), subscriber(), subscriber()];
      await sockets.join(transport, pub, one, two);
      one.subscribe("A");
      expect(await notice(pub)).toBe("+A");
      two.subscribe("A", "end");
      expect(await notice(pub)).toBe("+end");
      one.unsubscribe("A");
      one.subscribe("other end");
      expect(await notice(pub)).toBe("+other end");
      two.unsubscribe("A");
      expect(await notice(pub)).toBe("-A");
      pub.verbosity = "allSubsUnsubs";
      for (const sub of [one, two]) {
        sub.subscribe("A");
        expect(await notice(pub)).toBe("+A");
      }
      await pub.send("A");
      for (const sub of [one, two]) expect(await receiveOne(sub)).toEqual(["A"]);
      for (const sub of [two, one]) {
        sub.unsubscribe("A");
        expect(await notice(pub)).toBe("-A");
      }
    });

    it("null makes it quiet again; other values change nothing", async () => {
      const [pub, sub] = [xpublisher(), subscriber()];
      await sockets.join(transport, pub, sub);
      pub.verbosity = "allSubs";
      (pub as { verbosity: unknown }).verbosity = "none of these";
      sub.subscribe("A", "A", "end");
      expect(await notices(pub, 3)).toEqual(["+A", "+A", "+end"]);
      pub.verbosity = null;
      sub.subscribe("A", "other end");
      expect(await notice(pub)).toBe("+other end");
    });
  });

  it("test_xpub_topic: topics of any length are subscribed to and cancelled", async () => {
    const [pub, sub] = [xpublisher(), subscriber()];
    await sockets.join(transport, pub, sub);
    for (const size of [0, 1, 245, 246, 254, 255, 256, 8192, 8193, 100_000]) {
      const topic = "ABCDEFGHIJKLMNOP".repeat(1 + size / 16).slice(0, size);
      sub.subscribe(topic);
      expect(await notice(pub)).toBe(`+${topic}`);
      await pub.send(`${topic}!`);
      expect(await receiveOne(sub)).toEqual([`${topic}!`]);
      sub.unsubscribe(topic);
      expect(await notice(pub)).toBe(`-${topic}`);
    }
  });

  describe("test_xpub_welcome_msg", () => {
    it("a subscriber to the message receives it when it comes", async () => {
      const [pub, sub] = [xpublisher(), subscriber()];
      pub.welcomeMessage = "W";
      sub.subscribe("W");
      await sockets.join(transport, pub, sub);
      expect(await notice(pub)).toBe("+W");
      expect(await receiveOne(sub)).toEqual(["W"]);
    });

    it("who does not subscribe to it does not see it; an XSubscriber does", async () => {
      const pub = xpublisher({ welcomeMessage: "W" });
      const [sub, xsub] = [subscriber(), xsubscriber()];
      sub.subscribe("end");
      await sockets.join(transport, pub, sub, xsub);
      expect(await notice(pub)).toBe("+end");
      await pub.send("end");
      expect(await receiveOne(sub)).toEqual(["end"]);
      expect(await receiveOne(xsub)).toEqual(["W"]);
    });

    it("comes to each, before anything else, until it is null", async () => {
      const pub = xpublisher({ welcomeMessage: "welcome" });
      await sockets.join(transport, pub);
      for (const text of ["welcome", "hello", null]) {
        pub.welcomeMessage = text;
        const sub = subscriber();
        sub.subscribe();
        sub.connect(pub.lastEndpoint as string);
        await notice(pub);
        await pub.send("next");
        const expected = text === null ? ["next"] : [text, "next"];
        expect((await receive(sub, expected.length)).flat()).toEqual(expected);
        sub.close();
        expect(await notice(pub)).toBe("-");
      }
    });

    it("is the same for all, whatever one of them does with it", async () => {
      const pub = xpublisher({ welcomeMessage: "welcome" });
      await sockets.join(transport, pub);
      for (let i = 0; i < 2; i++) {
        const sub = xsubscriber();
        sub.connect(pub.lastEndpoint as string);
        const [part] = await sub.receive();
        expect(String(part)).toBe("welcome");
        part?.fill(0);
      }
    });
  });

  describe("test_xpub_manual", () => {
    it("basic: a peer is subscribed to what the application says, not to what it asked for", async () => {
      const [pub, sub] = [manual(), xsubscriber()];
      await sockets.join(transport, pub, sub);
      await sub.send(subscription("A"));
      expect(await notice(pub)).toBe("+A");
      pub.grant("B");
      await pub.send("A");
      await pub.send("B");
      expect(await receiveOne(sub)).toEqual(["B"]);
      expect(pub.stats().subscriptions).toBe(1);
    });

    it("unsubscribe_manual: it decides on cancellations, too, and hears what a lost peer had asked for", async () => {
      const [pub, sub] = [manual({ manual: false }), xsubscriber()];
      await sockets.join(transport, pub);
      pub.manual = true;
      sub.connect(pub.lastEndpoint as string);
      await handshake(sub);
      await sub.send(subscription("A"));
      await sub.send(subscription("B"));
      expect(await notice(pub)).toBe("+A");
      pub.grant("XA");
      expect(await notice(pub)).toBe("+B");
      pub.grant("XB");
      await sub.send(cancellation("A"));
      expect(await notice(pub)).toBe("-A");
      pub.revoke("XA");
      await pub.send("XA");
      await pub.send("XB");
      expect(await receiveOne(sub)).toEqual(["XB"]);
      sub.close();
      expect(await notice(pub)).toBe("-B");
      pub.revoke("XB");
      expect(pub.stats().subscriptions).toBe(0);
      expect(pending(pub)).toEqual([]);
    });

    it("xpub_proxy_unsubscribe_on_disconnect: a device confirms, forwards and takes back", async () => {
      const [xsub, xpub, pub] = [xsubscriber(), manual(), publisher()];
      const subs = [subscriber(), subscriber()];
      await sockets.join(transport, xsub, pub);
      await sockets.join(transport, xpub);
      for (const sub of subs) {
        sub.connect(xpub.lastEndpoint as string);
        sub.subscribe("1");
        expect(await notice(xpub)).toBe("+1");
        xpub.grant("1");
        await xsub.send(subscription("1"));
      }
      await subscribed(pub, 1);
      await pub.send(["1", "X"]);
      await xpub.send(await xsub.receive());
      for (const sub of subs) expect(await receiveOne(sub)).toEqual(["1", "X"]);
      for (const sub of subs) sub.close();
      for (let i = 0; i < 2; i++) {
        expect(await notice(xpub)).toBe("-1");
        xpub.revoke("1");
        await xsub.send(cancellation("1"));
      }
      await subscribed(pub, 0);
      await pub.send(["1", "X"]);
      await xsub.send(subscription("end"));
      await subscribed(pub, 1);
      await pub.send("end");
      expect(await receiveOne(xsub)).toEqual(["end"]);
    });

    it("missing_subscriptions: it confirms each peer's, one after the other", async () => {
      const [pub, ...subs] = [manual(), subscriber(), subscriber()];
      await sockets.join(transport, pub, ...subs);
      subs[0]?.subscribe("1");
      await until(() => pub.stats().receive.messages === 1);
      subs[1]?.subscribe("2");
      await until(() => pub.stats().receive.messages === 2);
      for (const topic of ["1", "2"]) {
        expect(await notice(pub)).toBe(`+${topic}`);
        pub.grant(topic);
      }
      await pub.send(["1", "X"]);
      await pub.send(["2", "X"]);
      for (const [i, sub] of subs.entries()) {
        expect(await receiveOne(sub)).toEqual([String(i + 1), "X"]);
        expect(drain(sub)).toEqual([]);
      }
    });

    it("unsubscribe_cleanup: what was granted to a peer that is gone is no one else's", async () => {
      const [pub, one, two] = [manual(), xsubscriber(), xsubscriber()];
      await sockets.join(transport, pub, one);
      await one.send(subscription("A"));
      expect(await notice(pub)).toBe("+A");
      pub.grant("XA");
      await pub.send("XA");
      await pub.send("XB");
      expect(await receiveOne(one)).toEqual(["XA"]);
      one.close();
      await until(() => pub.stats().receive.messages === 1);
      pub.grant("XC");
      expect(pub.stats().subscriptions).toBe(0);
      expect(await notice(pub)).toBe("-A");
      // There is nobody whom this could be about.
      pub.revoke("XA");
      pub.grant("XB");
      expect(pub.stats().subscriptions).toBe(0);
      two.connect(pub.lastEndpoint as string);
      await two.send(subscription("B"));
      expect(await notice(pub)).toBe("+B");
      pub.grant("XB");
      await pub.send("XA");
      await pub.send("XB");
      expect(await receiveOne(two)).toEqual(["XB"]);
    });

    it("subscriptions of who keeps the newest message only are received all the same", async () => {
      const [pub, sub] = [manual(), subscriber({ conflate: true })];
      await sockets.join(transport, pub, sub);
      sub.subscribe("a", "b", "c");
      expect(await notices(pub, 3)).toEqual(["+a", "+b", "+c"]);
    });

    it("user_message: what begins otherwise than a subscription is received as it is", async () => {
      const [pub, sub] = [xpublisher(), xsubscriber()];
      await sockets.join(transport, pub, sub);
      await sub.send("\x02A");
      expect(await receiveOne(pub)).toEqual(["\x02A"]);
    });

    it("user_message_multi: the first part says what a message of several parts is", async () => {
      const [pub, sub] = [xpublisher(), xsubscriber()];
      await sockets.join(transport, pub, sub);
      for (const parts of [
        ["ABC", "\0BC"],
        ["ABC", "\x01BC"],
      ]) {
        await sub.send(parts);
        expect(await receiveOne(pub)).toEqual(parts);
      }
      await sub.send(["\x01BC", "\x01CD"]);
      expect(await notices(pub, 2)).toEqual(["+BC", "+CD"]);
      await sub.send(["\0BC", "\0CD"]);
      expect(await notices(pub, 2)).toEqual(["-BC", "-CD"]);
    });

    it("the peer is the one whose subscription was received last", async () => {
      const [pub, one, two] = [manual(), xsubscriber(), xsubscriber()];
      await sockets.join(transport, pub, one, two);
      pub.grant("nobody's");
      await one.send(subscription("1"));
      expect(await notice(pub)).toBe("+1");
      await two.send(subscription("2"));
      await until(() => pub.stats().receive.messages === 1);
      pub.grant("one's");
      expect(await notice(pub)).toBe("+2");
      pub.grant("two's");
      await two.send("upstream");
      expect(await receiveOne(pub)).toEqual(["upstream"]);
      pub.grant("also two's");
      for (const text of ["nobody's", "one's", "two's", "also two's"]) await pub.send(text);
      expect(await receiveOne(one)).toEqual(["one's"]);
      expect((await receive(two, 2)).flat()).toEqual(["two's", "also two's"]);
    });

    it("every subscription and cancellation is received", async () => {
      const [pub, sub] = [manual(), xsubscriber()];
      await sockets.join(transport, pub, sub);
      for (const send of [subscription, subscription, cancellation, cancellation]) {
        await sub.send(send("A"));
      }
      await sub.send(subscription("end"));
      expect(await notices(pub, 4)).toEqual(["+A", "+A", "-A", "+end"]);
    });
  });

  describe("RFC 29, XPUB: subscriptions that end with their peer", () => {
    it("are taken back, if they were the last ones", async () => {
      const [pub, one, two] = [xpublisher(), subscriber(), subscriber()];
      await sockets.join(transport, pub, one, two);
      one.subscribe("A", "B", "C");
      expect(await notices(pub, 3)).toEqual(["+A", "+B", "+C"]);
      two.subscribe("B", "D");
      expect(await notice(pub)).toBe("+D");
      one.close();
      expect((await notices(pub, 2)).sort()).toEqual(["-A", "-C"]);
      two.close();
      expect((await notices(pub, 2)).sort()).toEqual(["-B", "-D"]);
      expect(pub.stats().subscriptions).toBe(0);
    });

    it("are all taken back with allSubsUnsubs", async () => {
      const [pub, one, two] = [xpublisher(), subscriber(), subscriber()];
      pub.verbosity = "allSubsUnsubs";
      await sockets.join(transport, pub, one, two);
      for (const sub of [one, two]) {
        sub.subscribe("A");
        expect(await notice(pub)).toBe("+A");
      }
      for (const sub of [one, two]) {
        sub.close();
        expect(await notice(pub)).toBe("-A");
      }
    });

    it("are taken back behind all that the peer had sent", async () => {
      const [pub, sub] = [xpublisher(), xsubscriber({ linger: -1 })];
      await sockets.join(transport, pub, sub);
      await sub.send(subscription("A"));
      for (const text of numbered(5, "upstream ")) await sub.send(text);
      await until(() => pub.stats().receive.messages === 6);
      sub.close();
      await subscribed(pub, 0);
      const got = (await receive(pub, 7)).flat();
      expect(got).toEqual(["\x01A", ...numbered(5, "upstream "), "\0A"]);
    });

    it("are taken back when the endpoint is unbound, or disconnected", async () => {
      const [pub, one, two] = [xpublisher(), subscriber(), subscriber()];
      await sockets.join(transport, two, pub);
      two.subscribe("B");
      expect(await notice(pub)).toBe("+B");
      pub.disconnect(pub.lastEndpoint as string);
      expect(await notice(pub)).toBe("-B");
      await sockets.join(transport, pub, one);
      one.subscribe("A");
      expect(await notice(pub)).toBe("+A");
      if (transport === "inproc") one.disconnect(one.lastEndpoint as string);
      else await pub.unbind(pub.lastEndpoint as string);
      expect(await notice(pub)).toBe("-A");
    });
  });

  describe("what several peers say is received in the order in which it came", () => {
    it.each([null, "allSubs", "allSubsUnsubs"] as const)(
      "one cancels what the other subscribes to then; verbosity %s",
      async (verbosity) => {
        const [pub, one, two] = [xpublisher(), xsubscriber(), xsubscriber()];
        pub.verbosity = verbosity;
        await sockets.join(transport, pub, one, two);
        await one.send(subscription("A"));
        await subscribed(pub, 1);
        await one.send(cancellation("A"));
        await subscribed(pub, 0);
        await two.send(subscription("A"));
        await subscribed(pub, 1);
        expect(pending(pub)).toEqual(["+A", "-A", "+A"]);
      },
    );

    it("messages, too", async () => {
      const [pub, one, two] = [xpublisher(), xsubscriber(), xsubscriber()];
      await sockets.join(transport, pub, one, two);
      const expected: string[] = [];
      for (let i = 0; i < 20; i++) {
        const sub = i % 3 === 0 ? one : two;
        await sub.send(`message ${i}`);
        await sub.send(subscription(`topic ${i}`));
        expected.push(`message ${i}`, `\x01topic ${i}`);
        await until(() => pub.stats().receive.messages === expected.length);
      }
      expect(drain(pub).flat()).toEqual(expected);
      expect(pub.stats().receive).toMatchObject({ messages: 0, bytes: 0 });
    });
  });
});

describe("test_xpub_nodrop", () => {
  it("up to the mark nothing waits, beyond it nothing is taken; all that was taken arrives", async () => {
    const [pub, sub] = [xpublisher({ sendHighWaterMark: 2000 }), subscriber()];
    await sockets.join("inproc", pub, sub);
    pub.noDrop = true;
    sub.subscribe("");
    expect(await notice(pub)).toBe("+");
    expect(fill(pub, () => "", 1999)).toBe(1999);
    expect(drain(sub)).toHaveLength(1999);
    pub.sendTimeout = 0;
    // The marks of both sides together.
    expect(fill(pub, () => "")).toBe(3000);
    await expect(pub.send("")).rejects.toMatchObject({ code: "EAGAIN" });
    expect(drain(sub)).toHaveLength(3000);
  });
});

describe("a send that waits for a subscriber with noDrop goes on", () => {
  const MARKS = { sendHighWaterMark: 1, noDrop: true };

  /** A send that waits, if `pub` lets it. */
  async function blocked<P extends XPublisher>(
    pub: P,
    grant = (_: P) => {},
  ): Promise<Promise<void>[]> {
    const sub = xsubscriber({ receiveHighWaterMark: 1 });
    await sockets.join("inproc", pub, sub);
    await sub.send(subscription("a"));
    await notice(pub);
    grant(pub);
    fill(pub, () => "a");
    return [pub.send("a")];
  }

  it("when the application subscribes it to nothing any more", async () => {
    const pub = manual(MARKS);
    const [send] = await blocked(pub, (it) => it.grant("a"));
    pub.revoke("a");
    await send;
  });

  it("when messages may be dropped", async () => {
    const pub = xpublisher(MARKS);
    const [send] = await blocked(pub);
    pub.noDrop = false;
    await send;
    expect(pub.stats().total.messagesDropped).toBe(1);
  });

  it("when those who are subscribed do not get it any more", async () => {
    const pub = xpublisher(MARKS);
    const [send] = await blocked(pub);
    pub.invertMatching = true;
    await send;
  });
});

describe("options 6 and 7", () => {
  it("are refused where the application does not decide", () => {
    const pub = manual({ manual: false });
    expect([thrown(() => pub.grant("A")), thrown(() => pub.revoke("A"))]).toEqual([
      "EINVAL",
      "EINVAL",
    ]);
  });
});

describe("subscriptions that nobody receives", () => {
  /** A peer subscribes or cancels, or goes and comes again; the application receives, or sets the mark. */
  type Step =
    | { peer: number; what: "+" | "-"; topic: string }
    | { leaves: number }
    | { receives: number }
    | { mark: number };
  const steps = fc.array<Step>(
    fc.oneof(
      {
        weight: 20,
        arbitrary: fc.record({
          peer: fc.constantFrom(0, 0, 0, 1),
          what: fc.constantFrom("+" as const, "-" as const),
          topic: fc.constantFrom("a", "a", "a", "b", "c"),
        }),
      },
      { weight: 3, arbitrary: fc.record({ receives: fc.integer({ min: 1, max: 3 }) }) },
      { weight: 1, arbitrary: fc.record({ leaves: fc.nat(1) }) },
      { weight: 3, arbitrary: fc.record({ mark: fc.constantFrom(1, 2, 8) }) },
    ),
    { minLength: 10, maxLength: 80, size: "max" },
  );

  it("below the mark each is kept, beyond it what they come to; they are never many more than topics", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const pub = xpublisher({ receiveHighWaterMark: 8 });
        const subs = [subscriber(), subscriber()];
        await sockets.join("inproc", pub, ...subs);
        const wishes = subs.map(() => new Set<string>());
        const changes: string[] = [];
        const got: string[] = [];
        let wasFull = false;
        const apply = (peer: number, what: "+" | "-", topic: string): void => {
          const before = wishes.some((it) => it.has(topic));
          if (what === "+") wishes[peer]?.add(topic);
          else wishes[peer]?.delete(topic);
          if (before !== wishes.some((it) => it.has(topic))) changes.push(what + topic);
        };
        for (const step of all) {
          const before = pub.stats().receive.messages - changes.length;
          if ("mark" in step) pub.receiveHighWaterMark = step.mark;
          else if ("receives" in step) {
            for (let i = 0; i < step.receives; i++) {
              const parts = pub.tryReceive();
              if (parts !== undefined) got.push(noticeText(parts));
            }
          } else if ("leaves" in step) {
            const peer = step.leaves;
            subs[peer]?.close();
            for (const topic of [...(wishes[peer] as Set<string>)]) apply(peer, "-", topic);
            subs[peer] = subscriber();
            subs[peer]?.connect(pub.lastEndpoint as string);
          } else {
            const { peer, what, topic } = step;
            if (wishes[peer]?.has(topic) === (what === "+")) continue;
            if (what === "+") subs[peer]?.subscribe(topic);
            else subs[peer]?.unsubscribe(topic);
            apply(peer, what, topic);
          }
          const { messages, highWaterMark } = pub.stats().receive;
          expect(messages).toBeLessThanOrEqual(8 + 3);
          if (before + changes.length > highWaterMark) wasFull = true;
        }
        got.push(...pending(pub));
        expect(pub.stats().receive).toMatchObject({ messages: 0, bytes: 0 });
        // As long as there was room none is missing.
        if (!wasFull) expect(got).toEqual(changes);
        for (const topic of ["a", "b", "c"]) {
          const said = got.filter((text) => text.slice(1) === topic).map((text) => text[0]);
          // Each one says something new, and the last one is right.
          expect(said).toEqual(said.map((_, i) => (i % 2 === 0 ? "+" : "-")));
          expect(said.at(-1) === "+").toBe(wishes.some((it) => it.has(topic)));
        }
        await sockets.close();
      }),
      { numRuns: 400 },
    );
  });

  it("are all kept while they are of different topics, beyond the mark, too", async () => {
    const pub = xpublisher({ receiveHighWaterMark: 10 });
    const peer = await rawSubscriber(await bound(sockets, "tcp", pub));
    const topics = numbered(3000, "topic ");
    peer.subscribe(...topics);
    await subscribed(pub, 3000);
    expect(pending(pub)).toEqual(topics.map((topic) => `+${topic}`));
  });

  it("keep no peer out, however many come and go", async () => {
    const pub = xpublisher({ receiveHighWaterMark: 2 });
    const endpoint = await bound(sockets, "tcp", pub);
    for (const topic of numbered(20)) {
      const peer = await rawSubscriber(endpoint);
      peer.subscribe(topic, "all");
      await subscribed(pub, 2);
      peer.close();
      await subscribed(pub, 0);
    }
    expect(pub.stats().receive.messages).toBeLessThan(6);
    const last = await rawSubscriber(endpoint);
    last.subscribe("last");
    await subscribed(pub, 1);
    await pub.send("last");
    await until(() => last.messages.length === 1);
    const left = new Set<string>();
    for (const text of pending(pub)) {
      if (text.startsWith("+")) left.add(text);
      else expect(left.delete(`+${text.slice(1)}`)).toBe(true);
    }
    expect([...left]).toEqual(["+last"]);
  });

  it.each(["allSubs", "manual"] as const)(
    "make their peer wait where each is to be received: %s; none is lost",
    async (mode) => {
      const pub = xpublisher({ receiveHighWaterMark: 10, manual: mode === "manual" });
      if (mode === "allSubs") pub.verbosity = "allSubs";
      const endpoint = await bound(sockets, "tcp", pub);
      const [eager, other] = [await rawSubscriber(endpoint), await rawSubscriber(endpoint)];
      eager.subscribe(...numbered(3000));
      await until(() => pub.stats().receive.messages === 10);
      await turns(20);
      expect(pub.stats().receive.messages).toBe(10);
      other.subscribe("from another peer");
      await until(() => pub.stats().receive.messages === 11);
      const got = await notices(pub, 3001);
      expect(got.slice(0, 11)).toContain("+from another peer");
      expect(got.filter((text) => text !== "+from another peer")).toEqual(
        numbered(3000).map((topic) => `+${topic}`),
      );
    },
  );
});

it("manual: a peer that goes while its subscription is being received is subscribed to nothing", async () => {
  const pub = manual({ receiveHighWaterMark: 1, noDrop: true });
  const peer = await rawSubscriber(await bound(sockets, "tcp", pub));
  // To receive the subscription lets in what stands behind it, and that is the end of the peer.
  peer.write(subscribe("A"), Buffer.alloc(20, 0xff));
  await until(() => pub.stats().receive.messages === 1);
  expect(pub.stats().peers).toHaveLength(1);
  expect(await notice(pub)).toBe("+A");
  expect(pub.stats().peers).toHaveLength(0);
  pub.grant("A");
  expect(pub.stats().subscriptions).toBe(0);
  await pub.send("A");
});

describe("messages of subscribers", () => {
  it("make them wait while nobody receives: none is lost", async () => {
    const pub = xpublisher({ receiveHighWaterMark: 4 });
    const peer = await rawSubscriber(await bound(sockets, "tcp", pub));
    for (const text of numbered(300, "message ")) peer.send(text, "second part");
    await until(() => pub.stats().receive.messages === 4);
    await turns(20);
    expect(pub.stats().receive.messages).toBe(4);
    pub.receiveTimeout = 500;
    const got = await receive(pub, 300);
    expect(got).toEqual(numbered(300, "message ").map((text) => [text, "second part"]));
  });

  it.each([1, 2, 4])(
    "are received each, and in order, by calls that wait: mark %i",
    async (mark) => {
      const pub = xpublisher({ receiveHighWaterMark: mark, receiveTimeout: 500 });
      const peer = await rawSubscriber(await bound(sockets, "tcp", pub));
      for (let round = 0; round < 10; round++) {
        const texts = numbered(10, `${round} `);
        const received = receive(pub, 10);
        // They come in one piece: each that is taken lets the next one in.
        peer.write(...texts.map((text) => message(text)));
        expect((await received).flat()).toEqual(texts);
      }
    },
  );

  it("of those who are gone are kept up to a mark; they keep no subscriber out", async () => {
    const pub = xpublisher({ receiveHighWaterMark: 4 });
    const endpoint = await bound(sockets, "tcp", pub);
    for (const name of ["first", "second", "third"]) {
      const peer = await rawSubscriber(endpoint);
      for (const text of numbered(2, `${name} `)) peer.send(text);
      peer.socket.end();
      await until(() => peer.ended);
    }
    const last = await rawSubscriber(endpoint);
    last.send("last");
    await until(() => pub.stats().receive.messages === 5);
    expect(pub.stats().total.messagesDropped).toBe(2);
    const got = (await receive(pub, 5)).flat();
    expect(got).toEqual([...numbered(2, "first "), ...numbered(2, "second "), "last"]);
  });

  it("of those who are gone keep nobody waiting any more once each need not be received", async () => {
    const pub = xpublisher({ receiveHighWaterMark: 1 });
    pub.verbosity = "allSubs";
    const [gone, bound] = [subscriber(), subscriber()];
    gone.subscribe("gone");
    await sockets.join("inproc", pub, gone);
    gone.close();
    await bound.bind(sockets.endpoint("tcp"));
    bound.subscribe("there");
    pub.connect(bound.lastEndpoint as string);
    await turns(5);
    expect([pub.stats().receive.messages, bound.stats().peers]).toEqual([2, []]);
    pub.verbosity = null;
    await subscribed(pub, 1);
  });

  it("keep others waiting where each subscription is to be received; nothing is lost", async () => {
    const pub = xpublisher({ receiveHighWaterMark: 4 });
    pub.verbosity = "allSubs";
    const endpoint = await bound(sockets, "inproc", pub);
    for (const name of ["first", "second"]) {
      const sub = xsubscriber();
      sub.connect(endpoint);
      for (const text of numbered(2, `${name} `)) await sub.send(text);
      sub.close();
    }
    const third = xsubscriber();
    third.connect(endpoint);
    await third.send(subscription("A"));
    expect(pub.stats()).toMatchObject({ subscriptions: 0, receive: { messages: 4 } });
    expect(drain(pub).flat()).toEqual([
      ...numbered(2, "first "),
      ...numbered(2, "second "),
      "\x01A",
    ]);
    expect(pub.stats().subscriptions).toBe(1);
  });
});
