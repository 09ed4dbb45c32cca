/** Hostile peers of the draft types, with a good one on the same socket: what only these types know. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Dish, Peer } from "../../src/draft.js";
import { goodOptions, Target, texts } from "../support/hostile.js";
import { MockListener, MockPeer } from "../support/mock-peer.js";
import { framesOf } from "../support/raw-peer.js";
import { turns, until } from "../support/sockets.js";
import { open, tradeOf } from "../support/trades.js";
import {
  cancel,
  command,
  concat,
  greeting,
  message,
  type Octets,
  ready,
  subscribe,
} from "../support/wire.js";
import { repeat } from "./inputs.js";
import { alive, unharmed } from "./outcome.js";
import { Stage } from "./stage.js";

const KB = 1024;
const SHORT = 10;

const stage = new Stage();

beforeAll(() => stage.start());
afterEach(({ task }) => stage.clear(task.result?.state === "fail"));
afterAll(() => stage.end());

function targetOf(name: Parameters<typeof tradeOf>[0], options: object = {}): Promise<Target> {
  const key = `${name} ${JSON.stringify(options)}`;
  return stage.target(key, () => stage.libzmq.target(tradeOf(name), options));
}

function hello(type: string, identity?: Octets): Uint8Array {
  const name = identity === undefined ? {} : { Identity: identity };
  return concat(greeting(), ready({ "Socket-Type": type, ...name }));
}

/** A hostile peer whose handshake is done. */
async function enter(target: Target, type: string, identity?: Octets): Promise<MockPeer> {
  const peer = await MockPeer.connect(target.endpoint);
  stage.closing.push(() => peer.close());
  peer.send(hello(type, identity));
  await target.events.next("handshake");
  return peer;
}

async function leave(target: Target, peer: MockPeer): Promise<void> {
  peer.reset();
  await target.events.next("disconnect");
}

/** It is hung up on for this. */
async function expelled(target: Target, peer: MockPeer, code: string): Promise<void> {
  const { error } = await target.events.next("handshake:error:protocol");
  expect(error?.code).toBe(code);
  await peer.gone();
  await target.events.next("disconnect");
}

const join = (group: Octets) => command("JOIN", group);
const left = (group: Octets) => command("LEAVE", group);

/** JOINs to as many groups, each of `size` octets. */
function joins(count: number, size: number): Uint8Array {
  const one = join(new Uint8Array(size));
  const all = repeat(one, count);
  const view = new DataView(all.buffer);
  for (let i = 0; i < count; i++) view.setUint32((i + 1) * one.length - 4, i);
  return all;
}

describe("groups at our RADIO", () => {
  /** The octets, and of how many groups more there is a member then. */
  it.each<[string, Uint8Array, number]>([
    ["one twice", repeat(join("a"), 2), 1],
    ["one twice, and left once", concat(join("a"), join("a"), left("a")), 0],
    ["one, in and out, 10,000 times", repeat(concat(join("a"), left("a")), 10_000), 0],
    ["to leave what nobody has joined", left("a"), 0],
    ["to leave what another has joined", left("good"), 0],
    ["what another has joined", join("good"), 0],
    ["what another has joined, and out again", concat(join("good"), left("good")), 0],
    ["to leave the beginning of a group", concat(join("ab"), left("a"), left("")), 1],
    ["a group without a name", join(""), 1],
    ["a group of 255 octets", join("g".repeat(255)), 1],
    [
      "groups of 256 octets and of 100,000",
      concat(...[256, 1e5].map((n) => join("g".repeat(n)))),
      0,
    ],
    ["octets that are no text", concat(join("\xff\xfe"), join("\x80")), 2],
    ["topics", concat(subscribe("a"), subscribe(""), cancel("good")), 0],
    ["messages that are subscriptions elsewhere", concat(message("\x01a"), message("\0good")), 0],
    ["messages that look like commands", concat(message("\x04JOINa"), message("JOIN", "a")), 0],
    ["commands that nearly do", concat(command("join", "a"), command("JOINa"), command("JOI")), 0],
  ])("%s", async (_, octets, groups) => {
    const target = await targetOf("RADIO");
    const peer = await enter(target, "DISH");
    peer.send(octets);
    await alive(peer);
    expect(target.socket.stats().subscriptions).toBe(1 + groups);
    await target.exchange();
    await leave(target, peer);
    expect(target.socket.stats().subscriptions).toBe(1);
    await unharmed(target);
  });

  it("as many as one may join, and all are forgotten with it", async () => {
    const target = await targetOf("RADIO");
    const peer = await enter(target, "DISH");
    peer.send(joins(100_000, 4));
    await alive(peer);
    expect(target.socket.stats().subscriptions).toBe(100_001);
    await target.exchange();
    await leave(target, peer);
    await unharmed(target);
  });

  it.each([
    ["100,001 groups, and more", joins(200_000, 4)],
    ["groups of more than 16 MB together", joins(70_000, 255)],
  ])(
    "%s are too many: it is hung up on, and all that it joined is forgotten",
    async (_, octets) => {
      const target = await targetOf("RADIO");
      const peer = await enter(target, "DISH");
      peer.send(octets);
      await expelled(target, peer, "ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS");
      await unharmed(target);
    },
  );

  it("a message goes to those who are in its group, and there only", async () => {
    const target = await targetOf("RADIO");
    const peer = await enter(target, "DISH");
    const radio = target.socket as unknown as {
      send(text: string, to: { group: string | Buffer }): Promise<void>;
    };
    peer.send(join("a"), join("b"), left("b"), join("\xff"), join("a\0b"));
    await alive(peer);
    for (const group of ["good", "a", "b", "", "ab", "a!", Buffer.from("a\0c"), Buffer.of(0xff)])
      await radio.send("for", { group });
    expect(texts(await target.good.receive())).toEqual(["for"]);
    await alive(peer);
    const { messages } = framesOf(peer.unread.subarray(greeting().length));
    // What is behind a zero is no part of the group to which is sent.
    expect(messages.map(texts)).toEqual(["a", "a", "\xff"].map((group) => [group, "for"]));
    await leave(target, peer);
    await unharmed(target);
  });
});

describe("messages at our DISH", () => {
  it.each<[string, Uint8Array, string[]]>([
    ["of groups that nobody has joined", repeat(message("other", "x"), 10_000), []],
    ["of groups that begin like one that is joined", message("good!", "x"), []],
    ["of a group that is joined, up to a zero", message("good\0", "x"), []],
    ["of a group without a name", message("", "x"), []],
    ["of a group of 255 octets", message("g".repeat(255), "x"), []],
    ["that are empty", message("good", ""), [""]],
    [
      "of several groups, one of which is joined",
      concat(message("a", "good"), message("good", "x"), message("good", "\x01good")),
      ["x", "\x01good"],
    ],
  ])("%s", async (_, octets, heard) => {
    const target = await targetOf("DISH");
    const peer = await enter(target, "RADIO");
    peer.send(octets, message("good", "last"));
    const got: string[] = [];
    for (let text = ""; text !== "last"; got.push(text)) {
      [text = ""] = texts(await target.socket.receive());
    }
    expect(got).toEqual([...heard, "last"]);
    await alive(peer);
    await leave(target, peer);
    await unharmed(target);
  });

  it("it hears of no groups of ours but those that are joined, and of none before it is a peer", async () => {
    const target = await targetOf("DISH");
    const peer = await MockPeer.connect(target.endpoint);
    stage.closing.push(() => peer.close());
    await peer.read(greeting().length);
    peer.send(greeting());
    await turns(5);
    const early = framesOf(peer.unread).commands.map(String);
    expect(early.filter((it) => it.includes("JOIN"))).toEqual([]);
    peer.send(ready({ "Socket-Type": "RADIO" }));
    await target.events.next("handshake");
    await alive(peer);
    const commands = framesOf(peer.unread).commands.map((body) => body.toString("latin1"));
    expect(commands.filter((it) => it.startsWith("\x04JOIN"))).toEqual(["\x04JOINgood"]);
    await leave(target, peer);
    await unharmed(target);
  });

  it("messages that nobody wants do not hold up one that somebody waits for", async () => {
    const target = await targetOf("DISH", { receiveHighWaterMark: SHORT });
    const peer = await enter(target, "RADIO");
    const received = target.socket.receive();
    peer.send(repeat(message("other", "x".repeat(KB)), 5000));
    await alive(peer);
    await target.tell("good to hear");
    expect(texts(await received)).toEqual(["good to hear"]);
    await leave(target, peer);
    target.drain();
    await unharmed(target);
  });
});

describe.each(["SERVER", "PEER"] as const)("names of peers at our %s", (name) => {
  const type = name === "SERVER" ? "CLIENT" : "PEER";

  interface Addressed {
    receive(): Promise<[Buffer, { routingId: number }]>;
    send(text: string | Buffer, to: { routingId: number }): Promise<void>;
    trySend(text: string | Buffer, to: { routingId: number }): boolean;
  }
  const socketOf = (target: Target) => target.socket as unknown as Addressed;

  it("what one calls itself is not what it is called", async () => {
    const target = await targetOf(name);
    const good = target.socket.stats().peers[0]?.routingId as Buffer;
    const peer = await enter(target, type, good);
    peer.send(message("I am good"));
    const [text, { routingId }] = await socketOf(target).receive();
    expect(String(text)).toBe("I am good");
    expect(routingId).not.toBe(good.readUInt32BE());
    await target.exchange();
    await socketOf(target).send("for you", { routingId });
    await peer.saw(message("for you"));
    const { messages } = framesOf(peer.unread.subarray(greeting().length));
    expect(messages.map(texts)).toEqual([["for you"]]);
    await leave(target, peer);
    await unharmed(target);
  });

  it("each has one of its own, and none that another had", async () => {
    const target = await targetOf(name);
    const ids = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const peer = await enter(target, type);
      peer.send(message("hello"));
      const [, { routingId }] = await socketOf(target).receive();
      ids.add(routingId);
      await leave(target, peer);
      await expect(socketOf(target).send("to nobody", { routingId })).rejects.toMatchObject({
        code: "EHOSTUNREACH",
      });
    }
    expect(ids.size).toBe(50);
    await unharmed(target);
  });

  it("what one has sent is received when it has gone; an answer reaches nobody", async () => {
    const target = await targetOf(name);
    const peer = await enter(target, type);
    peer.send(repeat(message("question"), 500));
    await alive(peer);
    await leave(target, peer);
    for (let i = 0; i < 500; i++) {
      const [text, { routingId }] = await socketOf(target).receive();
      expect(String(text)).toBe("question");
      await expect(socketOf(target).send("answer", { routingId })).rejects.toMatchObject({
        code: "EHOSTUNREACH",
      });
    }
    await unharmed(target);
  });

  it("who never reads has no more room once its queue is full; others are answered", async () => {
    const target = await targetOf(name, { sendHighWaterMark: SHORT, sendTimeout: -1 });
    const socket = socketOf(target);
    const peer = await enter(target, type);
    peer.send(message("hello"));
    const [, { routingId }] = await socket.receive();
    await alive(peer);
    peer.pause();
    const body = Buffer.alloc(200 * KB);
    for (let full = 0; full < 10; await turns(2))
      full = socket.trySend(body, { routingId }) ? 0 : full + 1;
    expect(target.socket.stats().send.messages).toBeLessThanOrEqual(SHORT);
    for (let i = 0; i < 3 * SHORT; i++) await target.exchange();
    const waits = socket.send(body, { routingId }).then(
      () => "taken along",
      (error) => error.code,
    );
    await leave(target, peer);
    expect(["taken along", "EHOSTUNREACH"]).toContain(await waits);
    await unharmed(target);
  });
});

describe("our PEER that connects", () => {
  it("to one that hangs up again and again: calls it the same, and loses nothing that it has not read", async () => {
    const listener = await MockListener.open();
    stage.closing.push(() => listener.close());
    const target = await targetOf("PEER", { reconnectInterval: 1 });
    const peer = target.socket as unknown as Peer;
    const routingId = peer.connectPeer(listener.endpoint);
    stage.closing.push(() => peer.disconnect(listener.endpoint));
    for (const how of ["reset", "end", "wrong", "reset"] as const) {
      const other = await listener.accept();
      if (how === "wrong") {
        other.send(hello("PEER"), message("two", "parts"));
        await other.gone();
      } else other[how]();
      await target.exchange();
    }
    await peer.send("at last", { routingId });
    const good = await listener.accept();
    good.send(hello("PEER"), message("hello"));
    await good.saw(message("at last"));
    const [text, from] = await peer.receive();
    expect([String(text), from.routingId]).toEqual(["hello", routingId]);
  });
});

describe("our CHANNEL", () => {
  const trade = tradeOf("CHANNEL");

  /** A socket whose good peer has the place, and a hostile one that has come second, and said this. */
  async function second(...octets: Uint8Array[]): Promise<{ target: Target; peer: MockPeer }> {
    const target = await stage.libzmq.target(trade);
    stage.closing.push(() => target.close());
    const peer = await MockPeer.connect(target.endpoint);
    stage.closing.push(() => peer.close());
    await target.events.next("accept");
    peer.send(hello("CHANNEL"), ...octets);
    await target.exchange();
    await turns(5);
    // Its handshake is not done: it has our greeting, and nothing else.
    expect(peer.unread.length).toBe(greeting().length);
    expect(target.socket.stats().receive.messages).toBe(0);
    return { target, peer };
  }

  it.each<[string, Uint8Array]>([
    ["what it may not", message("two", "parts")],
    ["as much as it likes", repeat(message("x".repeat(KB)), 1000)],
    ["what is for other types", concat(subscribe(""), join("a"))],
  ])("a second peer that says %s: is not heard while the first is there", async (_, octets) => {
    const { target } = await second(octets);
    await target.exchange();
  });

  it("a second peer gets the place when it is free, and loses it by several parts; the next one is served", async () => {
    const { target, peer } = await second(
      message("one"),
      message("two", "parts"),
      message("three"),
    );
    await target.seeOff();
    await target.events.next("handshake");
    await expelled(target, peer, "ERR_ZMTP_MALFORMED_MESSAGE");
    expect(target.drain()).toEqual([["one"]]);
    await target.invite(await stage.libzmq.socket("Channel", goodOptions(trade)));
    await target.exchange();
  });
});

describe("what peers leave behind that nobody receives", () => {
  it.each([
    ["SERVER", "CLIENT", message("x")],
    ["CLIENT", "SERVER", message("x")],
    ["GATHER", "SCATTER", message("x")],
    ["DISH", "RADIO", message("good", "x")],
    ["PEER", "PEER", message("x")],
  ] as const)(
    "%s: once that is more than a queue may hold, the next one waits, and loses nothing",
    async (name, type, octets) => {
      const trade = tradeOf(name);
      const socket = open(trade.ours, { receiveHighWaterMark: SHORT });
      const good = await stage.libzmq.socket(trade.good, goodOptions(trade));
      const target = new Target(trade, socket, good);
      stage.closing.push(() => target.close());
      if (name === "DISH") (socket as unknown as Dish).join("good");
      await socket.bind("tcp://127.0.0.1:*");
      for (let i = 1; i <= 2; i++) {
        const peer = await enter(target, type);
        peer.send(repeat(octets, 6));
        await until(() => socket.stats().receive.messages === 6 * i);
        await leave(target, peer);
      }
      const peer = await MockPeer.connect(target.endpoint);
      stage.closing.push(() => peer.close());
      await target.events.next("accept");
      peer.send(hello(type), octets);
      await turns(20);
      expect(peer.unread.length).toBe(greeting().length);
      expect(socket.stats().receive.messages).toBe(12);
      for (let i = 0; i < 13; i++) expect(texts(await socket.receive())).toEqual(["x"]);
      await target.events.next("handshake");
      await leave(target, peer);
    },
  );
});
