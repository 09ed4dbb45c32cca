/**
 * Hostile peers of every socket type, with a good one of libzmq's on the same socket: what the table of
 * inputs does not say, for it takes a socket that is in some state, or many peers.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Stream } from "../../src/index.js";
import { Pipe } from "../../src/socket/pipe.js";
import { Pool } from "../../src/socket/pool.js";
import type { SocketTypeName } from "../../src/zmtp/socket-type.js";
import { CURVE, PLAIN } from "../support/dialects.js";
import { goodOptions, Target, texts } from "../support/hostile.js";
import { MockListener, MockPeer } from "../support/mock-peer.js";
import { framesOf } from "../support/raw-peer.js";
import { turns, until } from "../support/sockets.js";
import { ALL_TRADES, isExclusive, open, partners, type Trade, tradeOf } from "../support/trades.js";
import {
  cancel,
  command,
  concat,
  frame,
  greeting,
  message,
  number,
  type Octets,
  ready,
  subscribe,
} from "../support/wire.js";
import { handshakes, INPUTS, type Input, repeat, subscriptions } from "./inputs.js";
import { alive, drain, unharmed } from "./outcome.js";
import { securedInputs } from "./secured-inputs.js";
import { Stage } from "./stage.js";

const KB = 1024;
const MB = 1024 * KB;

const stage = new Stage();

beforeAll(() => stage.start());
afterEach(({ task }) => stage.clear(task.result?.state === "fail"));
afterAll(() => stage.end());

/** Our socket of a type, bound, and its good peer; the same for all who ask alike. */
function targetOf(trade: Trade, options: object = {}): Promise<Target> {
  const key = `${trade.name} ${JSON.stringify(options)}`;
  return stage.target(key, () => stage.libzmq.target(trade, { maxMessageSize: MB, ...options }));
}

async function dial(endpoint: string): Promise<MockPeer> {
  const peer = await MockPeer.connect(endpoint);
  stage.closing.push(() => peer.close());
  return peer;
}

function hello(type: string, identity?: Octets): Uint8Array {
  const name = identity === undefined ? {} : { Identity: identity };
  return concat(greeting(), ready({ "Socket-Type": type, ...name }));
}

/** A hostile peer whose handshake is done. */
async function enter(target: Target, type: string, identity?: Octets): Promise<MockPeer> {
  const peer = await dial(target.endpoint);
  peer.send(hello(type, identity));
  await target.events.next("handshake");
  return peer;
}

/** The peer goes, without a word. */
async function leave(
  target: Target,
  peer: MockPeer,
  how: "reset" | "end" = "reset",
): Promise<void> {
  peer[how]();
  await target.events.next("disconnect");
}

/** A million topics have a test of their own, of those types that care. */
const isHuge = ({ octets }: Input) => octets.length > 10 * MB;

/** Of a PAIR, which has one peer at a time, the tests beside these tell. */
const OURS = ALL_TRADES.filter((trade) => !isExclusive(trade));

describe.each(OURS)("our $name", (trade) => {
  const legal = partners(trade.name);

  /** What a peer has said when it resets the connection. */
  const STAGES: [string, (hello: Uint8Array) => Uint8Array][] = [
    ["before it said anything", () => concat()],
    ["in its greeting", (hello) => hello.subarray(0, 20)],
    ["in READY", (hello) => hello.subarray(0, -1)],
    ["after READY", (hello) => hello],
    ["in a header", (hello) => concat(hello, "\x02\0\0")],
    ["in a short frame", (hello) => concat(hello, "\x01\x00\x00\x09half")],
    ["in a large frame", (hello) => concat(hello, "\x02", number(MB, 8), new Uint8Array(1e5))],
    ["between two frames", (hello) => concat(hello, frame("", { more: true }))],
    ["in a command", (hello) => concat(hello, subscribe("good").subarray(0, -1))],
  ];

  it.each(STAGES)("a peer that resets the connection, or ends it, %s", async (_, octets) => {
    const target = await targetOf(trade);
    for (const type of legal.slice(0, 3)) {
      for (const how of ["reset", "end"] as const) {
        const said = octets(hello(type));
        const peer = await dial(target.endpoint);
        await target.events.next("accept");
        peer.send(said);
        if (said.length >= hello(type).length) await target.events.next("handshake");
        await leave(target, peer, how);
        expect(drain(target)).toEqual([]);
      }
      await unharmed(target);
    }
  });
});

/** Options of a socket whose queues are short. */
const SHORT = 10;

describe("a flood that nobody receives", () => {
  const BODY = "x".repeat(KB);
  const RECEIVING: [SocketTypeName, Uint8Array][] = [
    ["SUB", message("good flood", BODY)],
    ["REP", message("", BODY)],
    ["DEALER", message("flood", BODY)],
    ["ROUTER", message("flood", BODY)],
    ["PULL", message("flood", BODY)],
    ["XPUB", message("flood", BODY)],
    ["XSUB", message("flood", BODY)],
    ["SERVER", message(BODY)],
    ["CLIENT", message(BODY)],
    ["GATHER", message(BODY)],
    ["PEER", message(BODY)],
    ["DISH", message("good", BODY)],
  ];

  it.each(RECEIVING)(
    "%s: fills its queue to the mark, and leaves the good peer its turn",
    async (name, one) => {
      const target = await targetOf(tradeOf(name), { receiveHighWaterMark: SHORT });
      const { socket, events } = target;
      // A Server has to know whom it talks to.
      await target.exchange();
      const peer = await enter(target, partners(name)[0] as string);
      peer.send(repeat(one, 5000));
      await until(() => socket.stats().receive.messages === SHORT);
      await turns(20);
      expect(socket.stats().receive.messages).toBe(SHORT);

      const sent = target.tell("good turn");
      await until(() => socket.stats().receive.messages === SHORT + 1);
      await sent;
      const first = receiveSome(target, name === "XPUB" ? SHORT + 1 : 2);
      expect(first.filter((parts) => parts.includes("good turn"))).toHaveLength(1);
      if (name === "REP") await target.good.receive();

      peer.reset();
      const gone = events.next("disconnect").then(() => true);
      // A peer that is not read from is seen to be gone only once it is read from again.
      while (!(await Promise.race([gone, turns(1)]))) target.drain();
      target.drain();
      await unharmed(target);
    },
  );

  it.each<SocketTypeName>(["PUSH", "PUB", "SCATTER", "RADIO"])(
    "%s: takes it and forgets it",
    async (name) => {
      const target = await targetOf(tradeOf(name));
      const peer = await enter(target, partners(name)[0] as string);
      peer.send(repeat(message("x".repeat(KB)), 10_000), repeat(message("", "a", "b"), 10_000));
      await alive(peer);
      expect(target.socket.stats().receive).toMatchObject({ messages: 0, bytes: 0 });
      await target.exchange();
      await leave(target, peer);
      await unharmed(target);
    },
  );
});

/** Receives `count` messages that are there, and answers what has to be answered. */
function receiveSome({ socket, trade }: Target, count: number): string[][] {
  return Array.from({ length: count }, () => {
    const parts = texts(socket.tryReceive() as Buffer[]);
    if (trade.name === "REP") socket.trySend("answer");
    return parts;
  });
}

describe("a peer that never reads", () => {
  const LARGE = Buffer.alloc(200 * KB);

  async function deaf(target: Target, type: string, identity?: Octets): Promise<MockPeer> {
    const peer = await enter(target, type, identity);
    // Its part of the handshake it does read.
    await alive(peer);
    peer.pause();
    return peer;
  }

  const dropped = ({ socket }: Target) => socket.stats().total.messagesDropped;

  it.each<SocketTypeName>(["PUB", "XPUB", "XSUB", "RADIO"])(
    "%s: misses messages; others get all",
    async (name) => {
      const target = await targetOf(tradeOf(name), { sendHighWaterMark: SHORT });
      const peer = await enter(target, partners(name)[0] as string);
      if (name !== "XSUB") peer.send(subscribe("good"), command("JOIN", "good"));
      await alive(peer);
      peer.pause();
      for (let i = 0; dropped(target) < 2 * SHORT; i++) {
        const text = `good ${i}`.padEnd(10);
        await target.send(Buffer.concat([Buffer.from(text), LARGE]));
        expect(texts(await target.good.receive())[0]?.slice(0, 10)).toBe(text);
      }
      expect(target.socket.stats().send.messages).toBeLessThanOrEqual(SHORT);
      await leave(target, peer);
      target.drain();
      await unharmed(target);
    },
  );

  it.each<SocketTypeName>(["PUSH", "DEALER", "SCATTER", "CLIENT"])(
    "%s: is passed over once its queue is full",
    async (name) => {
      const target = await targetOf(tradeOf(name), { sendHighWaterMark: SHORT });
      const peer = await deaf(target, partners(name)[0] as string);
      const { socket } = target;
      const queued = () => socket.stats().peers[1]?.sendMessages ?? 0;
      // Acknowledgements come some at a time: it is full when nothing is added to it any more.
      for (let same = 0; same < 5; ) {
        const before = queued();
        await socket.send(LARGE);
        same = before > 0 && queued() === before ? same + 1 : 0;
      }
      await socket.send("last");
      for (let last = ""; last !== "last"; ) [last = ""] = texts(await target.good.receive());
      for (let i = 0; i < 3 * SHORT; i++) await target.exchange();
      expect(queued()).toBeLessThanOrEqual(SHORT);
      await leave(target, peer);
      await unharmed(target);
    },
  );

  it("ROUTER: what is for it is dropped once its queue is full", async () => {
    const target = await targetOf(tradeOf("ROUTER"), { sendHighWaterMark: SHORT });
    const peer = await deaf(target, "DEALER", "deaf");
    while (dropped(target) < SHORT) await target.socket.send(["deaf", LARGE]);
    await target.exchange();
    await leave(target, peer);
    await unharmed(target);
  });

  it("REP: asks and asks, and gets as many answers as its queue holds", async () => {
    const target = await targetOf(tradeOf("REP"), { sendHighWaterMark: SHORT });
    const { socket } = target;
    const peer = await deaf(target, "DEALER");
    const before = dropped(target);
    for (let i = 0; dropped(target) < before + SHORT; i++) {
      peer.send(message("", `question ${i}`));
      expect(String(await socket.receive())).toBe(`question ${i}`);
      await socket.send(LARGE);
    }
    await target.exchange();
    await leave(target, peer);
    await unharmed(target);
  });
});

/** A Request whose only peer so far has been asked. */
async function asked(
  options: object,
): Promise<{ target: Target; peer: MockPeer; request: Buffer[] }> {
  const trade = tradeOf("REQ");
  const socket = open("Request", options);
  const good = await stage.libzmq.socket("Reply", { linger: 0 });
  const target = new Target(trade, socket, good);
  stage.closing.push(() => target.close());
  await socket.bind("tcp://127.0.0.1:*");
  const peer = await enter(target, "REP");
  await socket.send("question");
  await until(() => requestOf(peer) !== undefined);
  return { target, peer, request: requestOf(peer) as Buffer[] };
}

function requestOf(peer: MockPeer): Buffer[] | undefined {
  return framesOf(peer.unread.subarray(greeting().length)).messages[0];
}

describe("a peer that goes in the midst of it", () => {
  it.each<SocketTypeName>(["PUSH", "DEALER", "REQ", "SCATTER", "CLIENT"])(
    "%s: a send that waits for it goes to the next one",
    async (name) => {
      const trade = tradeOf(name);
      const relaxed = name === "REQ" ? { relaxed: true } : {};
      const socket = open(trade.ours, { sendHighWaterMark: 1, ...relaxed });
      const target = new Target(
        trade,
        socket,
        await stage.libzmq.socket(trade.good, goodOptions(trade)),
      );
      stage.closing.push(() => target.close());
      await socket.bind("tcp://127.0.0.1:*");
      const peer = await enter(target, partners(name)[0] as string);
      peer.pause();
      const body = Buffer.alloc(200 * KB);
      while (socket.trySend(body)) await turns(5);
      const sent = socket.send("good to have you");
      await leave(target, peer);
      await target.good.connect(target.endpoint);
      await sent;
      expect(texts(await target.good.receive())).toEqual(["good to have you"]);
    },
  );

  it("ROUTER: a send that waits for it, mandatory, waits no longer", async () => {
    const options = { mandatory: true, sendHighWaterMark: SHORT, sendTimeout: -1 };
    const target = await targetOf(tradeOf("ROUTER"), options);
    const { socket } = target;
    const peer = await enter(target, "DEALER", "gone");
    peer.pause();
    const body = Buffer.alloc(200 * KB);
    for (let full = 0; full < 10; await turns(2))
      full = socket.trySend(["gone", body]) ? 0 : full + 1;
    const sent = socket.send(["gone", body]).then(
      () => "taken along",
      (error) => error.code,
    );
    await leave(target, peer);
    expect(["taken along", "EHOSTUNREACH"]).toContain(await sent);
    await unharmed(target);
  });

  it("REP: asks, and is gone before the answer", async () => {
    const target = await targetOf(tradeOf("REP"));
    for (const type of ["REQ", "DEALER"]) {
      const peer = await enter(target, type);
      peer.send(message("", "question"));
      expect(texts(await target.socket.receive())).toEqual(["question"]);
      await leave(target, peer);
      await target.socket.send("answer");
      await unharmed(target);
    }
  });

  it("REQ: is asked, and gone before the answer: any other's counts then", async () => {
    const { target, peer } = await asked({});
    const answer = target.socket.receive();
    await leave(target, peer);
    const other = await enter(target, "ROUTER");
    other.send(message("", "answer"));
    expect(texts(await answer)).toEqual(["answer"]);
    await leave(target, other);
    await target.good.connect(target.endpoint);
    await target.events.next("handshake");
    await unharmed(target);
  });
});

describe("what a peer leaves behind that nobody receives", () => {
  it.each<[SocketTypeName, Uint8Array]>([
    // A Request drops what it has not asked for, but receives nothing before it has asked.
    ["REQ", message("", "nobody asked")],
    // An application may use an XPublisher as a Publisher, for its welcome message, say.
    ["XPUB", message("upstream")],
  ])("%s: does not keep the good peer out", async (name, octets) => {
    const trade = tradeOf(name);
    const socket = open(trade.ours, { receiveHighWaterMark: SHORT });
    const target = new Target(
      trade,
      socket,
      await stage.libzmq.socket(trade.good, goodOptions(trade)),
    );
    stage.closing.push(() => target.close());
    await socket.bind("tcp://127.0.0.1:*");
    // None of them fills its queue, both together leave more than one may.
    for (let i = 0; i < 2; i++) {
      const peer = await enter(target, partners(name)[0] as string);
      peer.send(repeat(octets, 6));
      await until(() => socket.stats().receive.messages >= 6 * (name === "REQ" ? 1 : i + 1));
      await leave(target, peer);
    }
    await target.good.connect(target.endpoint);
    if (name === "REQ") {
      await target.exchange();
    } else {
      await target.good.send("\x01good");
      await until(() => socket.stats().subscriptions === 1);
      await socket.send("good news");
      expect(texts(await target.good.receive())).toEqual(["good news"]);
    }
  });

  it("STREAM: is more than a mark by one peer's at the most", async () => {
    const stream = open("Stream", { receiveHighWaterMark: SHORT }) as Stream;
    stage.closing.push(() => stream.close());
    await stream.bind("tcp://127.0.0.1:*");
    const endpoint = stream.lastEndpoint as string;
    const waiting = () => stream.stats().receive.messages;
    for (let i = 0; i < 3 * SHORT; i++) {
      const peer = await dial(endpoint);
      peer.send(Buffer.from("x"));
      peer.end();
      // A note when it comes, one when it goes, and what it said.
      await until(() => waiting() >= Math.min(12, 3 * (i + 1)));
    }
    await turns(20);
    expect(waiting()).toBe(12);
    const peer = await dial(endpoint);
    peer.send(Buffer.from("good"));
    for (let text = ""; text !== "good"; ) text = String((await stream.receive())[1]);
  });
});

describe("queues with a common bound", () => {
  it("PULL: a flood leaves room for the good peer", async () => {
    const target = await targetOf(tradeOf("PULL"), { receiveHighWaterMarkTotalBytes: 64 * KB });
    const { socket, good } = target;
    const peer = await enter(target, "PUSH");
    const FLOOD = 40_000;
    peer.send(repeat(message("x".repeat(KB)), FLOOD));
    await until(() => socket.stats().receive.bytes >= 64 * KB);
    for (let i = 0; i < 20; i++) await good.send(`good ${i}`);
    const got: string[] = [];
    let others = 0;
    while (got.length < 20 && others < FLOOD) {
      const [text = ""] = texts(await socket.receive());
      if (text.startsWith("good")) got.push(text);
      else others++;
    }
    expect(got).toEqual(Array.from({ length: 20 }, (_, i) => `good ${i}`));
    expect(others).toBeLessThan(FLOOD);
    peer.reset();
    const gone = target.events.next("disconnect").then(() => true);
    while (!(await Promise.race([gone, turns(1)]))) target.drain();
    target.drain();
    await unharmed(target);
  });

  it("who waits for room has its turn, though another takes all that there is", () => {
    const none = { messages: 0, bytes: 0 };
    const pool = new Pool(100);
    const served: string[] = [];
    const join = (name: string): [Pipe, Pipe] => {
      const [reader, writer] = Pipe.pair(none, { ...none, pool });
      const write = () => {
        served.push(name);
        writer.write([Buffer.alloc(100)]);
        writer.checkWrite();
      };
      const sink = { readActivated: () => {}, pipeEnded: () => {} };
      reader.attach({ ...sink, writeActivated: () => {} });
      writer.attach({ ...sink, writeActivated: write });
      if (writer.checkWrite()) write();
      return [reader, writer];
    };
    const readers = ["one", "two", "three"].map((name) => join(name)[0]);
    for (let i = 0; i < 11; i++) readers.find((reader) => reader.read() !== undefined);
    const times = (name: string) => served.filter((it) => it === name).length;
    expect([served.length, Math.min(...["one", "two", "three"].map(times))]).toEqual([12, 3]);
  });

  it("who waits for its own mark as well as for the common bound is told of both", () => {
    const pool = new Pool(100);
    const told: string[] = [];
    const join = (name: string, messages: number): [Pipe, Pipe] => {
      const [reader, writer] = Pipe.pair({ messages: 0, bytes: 0 }, { messages, bytes: 0, pool });
      const sink = { readActivated: () => {}, pipeEnded: () => {} };
      reader.attach({ ...sink, writeActivated: () => {} });
      const writeActivated = () => {
        told.push(name);
        // One takes what there is; the other one comes later.
        if (name === "two") writer.write([Buffer.alloc(100)]);
      };
      writer.attach({ ...sink, writeActivated });
      return [reader, writer];
    };
    const [one, toOne] = join("one", 4);
    const [two, toTwo] = join("two", 0);
    for (let i = 0; i < 4; i++) toOne.write([Buffer.alloc(25)]);
    expect([toOne.checkWrite(), toTwo.checkWrite()]).toEqual([false, false]);
    for (const reader of [one, one, one, one, two]) expect(reader.read()).toBeDefined();
    expect(pool.bytes).toBe(0);
    expect(told).toEqual(["two", "one"]);
  });

  it("PULL that conflates: of a flood the last message waits", async () => {
    const target = await targetOf(tradeOf("PULL"), { conflate: true });
    const peer = await enter(target, "PUSH");
    peer.send(repeat(message("x".repeat(KB)), 5000), message("y", "z"));
    await alive(peer);
    expect(target.socket.stats().receive.messages).toBe(1);
    expect(target.drain()).toEqual([["y", "z"]]);
    await leave(target, peer);
    await unharmed(target);
  });
});

describe("a REQ's peer that answers wrongly", () => {
  const WRONG: [string, Uint8Array][] = [
    ["without a delimiter", message("answer")],
    ["without a delimiter, in two parts", message("an", "swer")],
    ["a delimiter behind the answer", message("answer", "")],
    ["a delimiter, and nothing behind it", message("")],
    ["a number of five octets", message("12345", "", "answer")],
    ["a number and no delimiter", message("1234", "answer")],
    ["two numbers", message("1234", "5678", "", "answer")],
    ["a number and a delimiter, and nothing behind it", message("1234", "")],
    [
      "60,000 parts, the last one empty",
      concat(repeat(frame("x", { more: true }), 59_999), frame("")),
    ],
  ];

  it.each(WRONG)("%s: is disconnected, and another peer can be asked", async (_, octets) => {
    const { target, peer } = await asked({ relaxed: true });
    peer.send(octets);
    const { error } = await target.events.next("handshake:error:protocol");
    expect(error?.code).toBe("ERR_ZMTP_MALFORMED_MESSAGE");
    await target.events.next("disconnect");
    await peer.gone();
    await target.good.connect(target.endpoint);
    await target.events.next("handshake");
    await unharmed(target);
  });

  it("to another question, or twice: only the right answer counts", async () => {
    const { target, peer, request } = await asked({ relaxed: true, correlate: true });
    const [id = Buffer.alloc(0)] = request;
    const other = Buffer.from(id);
    other.writeUInt32LE((id.readUInt32LE() + 1) >>> 0);
    peer.send(message(other, "", "wrong"), message("", "wrong"), message(id, "", "right"));
    peer.send(message(id, "", "too late"));
    expect(String(await target.socket.receive())).toBe("right");
    await alive(peer);
    expect(() => target.socket.tryReceive()).toThrow(expect.objectContaining({ code: "EFSM" }));
    await leave(target, peer);
    await target.good.connect(target.endpoint);
    await target.events.next("handshake");
    // What came too late is forgotten when the next question is asked.
    await target.exchange();
    await unharmed(target);
  });

  it("whom nobody asked: its answers are forgotten", async () => {
    const target = await targetOf(tradeOf("REQ"));
    const peer = await enter(target, "ROUTER");
    peer.send(
      repeat(message("", "nobody asked"), 500),
      repeat(message("1234", "", "nor this"), 400),
    );
    await alive(peer);
    await leave(target, peer);
    await target.exchange();
    await unharmed(target);
  });
});

describe("envelopes", () => {
  const ADDRESS = repeat(frame("x", { more: true }), 60_000);
  const DELIMITERS = repeat(frame("", { more: true }), 60_000);

  /** The octets of a request, what is received of it, and how many parts the reply has. */
  it.each<[string, Uint8Array, string[] | undefined, number]>([
    ["no delimiter", message("question"), undefined, 0],
    ["no delimiter, in 60,001 parts", concat(ADDRESS, frame("question")), undefined, 0],
    ["a delimiter, and nothing behind it", message("x", ""), undefined, 0],
    ["a delimiter alone", message(""), undefined, 0],
    ["an empty question", message("", ""), [""], 2],
    ["60,000 addresses", concat(ADDRESS, message("", "question")), ["question"], 60_002],
    [
      "60,000 delimiters",
      concat(DELIMITERS, frame("question")),
      [...Array<string>(59_999).fill(""), "question"],
      2,
    ],
  ])("REP: %s", async (_, octets, question, size) => {
    const target = await targetOf(tradeOf("REP"));
    const peer = await enter(target, "DEALER");
    peer.send(octets);
    await alive(peer);
    const [parts] = target.drain();
    expect(parts).toEqual(question);
    if (question !== undefined) {
      await alive(peer);
      const { messages } = framesOf(peer.unread.subarray(greeting().length));
      expect(messages.map((reply) => reply.length)).toEqual([size]);
      expect(String(messages[0]?.at(-1))).toBe("answer");
    }
    await leave(target, peer);
    await unharmed(target);
  });

  it.each<[string, Uint8Array, number]>([
    ["60,001 parts", concat(ADDRESS, frame("")), 60_001],
    ["60,000 delimiters", concat(DELIMITERS, frame("x")), 60_001],
    ["no delimiter", message("x"), 1],
    ["nothing", message(""), 1],
  ])("ROUTER: %s", async (_, octets, size) => {
    const target = await targetOf(tradeOf("ROUTER"));
    const peer = await enter(target, "REQ", "odd");
    peer.send(octets);
    await alive(peer);
    const [parts = []] = target.drain();
    expect([parts[0], parts.length]).toEqual(["odd", 1 + size]);
    await leave(target, peer);
    await unharmed(target);
  });
});

describe("names that two peers have", () => {
  it("ROUTER: the good peer's: the other is kept, unheard", async () => {
    const target = await targetOf(tradeOf("ROUTER"));
    const peer = await enter(target, "DEALER", "good");
    peer.send(repeat(message("I am good"), 500));
    await alive(peer);
    await target.exchange();
    expect(target.drain()).toEqual([]);
    await leave(target, peer);
    await unharmed(target);
  });

  it("ROUTER: 100 peers at once", async () => {
    const target = await targetOf(tradeOf("ROUTER"));
    const peers = await Promise.all(Array.from({ length: 100 }, () => dial(target.endpoint)));
    for (const peer of peers) peer.send(hello("REQ", "same"), message("hello"));
    for (const peer of peers) await alive(peer);
    for (const _ of peers) await target.events.next("handshake");
    expect(target.drain()).toEqual([["same", "hello"]]);
    await target.exchange();
    // Each heir of the name is heard, until it goes itself.
    for (const peer of peers) peer.reset();
    for (const _ of peers) await target.events.next("disconnect");
    for (const parts of target.drain()) expect(parts).toEqual(["same", "hello"]);
    await unharmed(target);
  });

  it("ROUTER, handover: who takes the good peer's name loses it when that comes again", async () => {
    const target = await targetOf(tradeOf("ROUTER"), { handover: true });
    const peer = await enter(target, "DEALER", "good");
    // libzmq comes again by itself.
    await target.events.next("handshake");
    await peer.gone();
    await unharmed(target);
  });

  it("ROUTER, handover: of 100 that come for one name the last one has it", async () => {
    const target = await targetOf(tradeOf("ROUTER"), { handover: true });
    const peers = [];
    for (let i = 0; i < 100; i++) {
      const peer = await enter(target, "DEALER", "same");
      peer.send(message(`${i}`));
      await alive(peer);
      peers.push(peer);
    }
    for (const peer of peers.slice(0, -1)) await peer.gone();
    expect(target.drain()).toEqual(peers.map((_, i) => ["same", `${i}`]));
    expect(target.socket.stats().peers).toHaveLength(2);
    await target.exchange();
    await leave(target, peers.at(-1) as MockPeer);
    await unharmed(target);
  });

  it("PUSH, PULL, SUB: names mean nothing", async () => {
    for (const name of ["PUSH", "PULL", "SUB"] as const) {
      const target = await targetOf(tradeOf(name));
      const peers = [];
      for (let i = 0; i < 3; i++)
        peers.push(await enter(target, partners(name)[0] as string, "same"));
      for (const peer of peers) await leave(target, peer);
      await unharmed(target);
    }
  });
});

describe.each<SocketTypeName>(["PUB", "XPUB"])("subscriptions at our %s", (name) => {
  const [type = ""] = partners(name);
  const notices = (target: Target) => (name === "XPUB" ? target.drain().flat() : []);
  const told = (...expected: string[]) => (name === "XPUB" ? expected : []);

  /** The octets, topics that are subscribed to then, what an XPUB hears of that, and of the end. */
  it.each<[string, Uint8Array, number, string[], string[]]>([
    ["one twice", repeat(subscribe("a"), 2), 1, ["\x01a"], ["\0a"]],
    ["one 100,000 times", repeat(subscribe("a"), 100_000), 1, ["\x01a"], ["\0a"]],
    [
      "one, on and off, 400 times",
      repeat(concat(subscribe("a"), cancel("a")), 400),
      0,
      Array.from({ length: 800 }, (_, i) => (i % 2 === 0 ? "\x01a" : "\0a")),
      [],
    ],
    ["a CANCEL of what nobody subscribed to", cancel("a"), 0, [], []],
    ["a CANCEL of what another subscribed to", cancel("good"), 0, [], []],
    ["a CANCEL of part of a topic", concat(subscribe("ab"), cancel("")), 1, ["\x01ab"], ["\0ab"]],
    ["what another is subscribed to", subscribe("good"), 0, [], []],
    ["a topic of 0 octets", subscribe(""), 1, ["\x01"], ["\0"]],
    ...[255, 256, 100_000].map<[string, Uint8Array, number, string[], string[]]>((size) => {
      const topic = "t".repeat(size);
      return [`a topic of ${size} octets`, subscribe(topic), 1, [`\x01${topic}`], [`\0${topic}`]];
    }),
    [
      "binary topics",
      concat(subscribe("\xff\0"), subscribe("\0")),
      2,
      ["\x01\xff\0", "\x01\0"],
      ["\0\xff\0", "\0\0"],
    ],
    [
      "as messages",
      concat(message("\x01a"), message("\0a"), message("\x01")),
      1,
      ["\x01a", "\0a", "\x01"],
      ["\0"],
    ],
    ["a message of two", message("\x01a", "\x01b"), 2, ["\x01a", "\x01b"], ["\0a", "\0b"]],
    ["a message of one, and something else", message("\x01a", "x"), 1, ["\x01a", "x"], ["\0a"]],
    ["a message of nothing", message(""), 0, [""], []],
    [
      "a message of 60,000",
      concat(repeat(frame("\x01a", { more: true }), 59_999), frame("\0a")),
      0,
      ["\x01a", "\0a"],
      [],
    ],
  ])("%s", async (_, octets, topics, heard, heardAtTheEnd) => {
    const target = await targetOf(tradeOf(name));
    const peer = await enter(target, type);
    peer.send(octets);
    await alive(peer);
    expect(target.socket.stats().subscriptions).toBe(1 + topics);
    expect(notices(target)).toEqual(told(...heard));
    await leave(target, peer);
    expect(target.socket.stats().subscriptions).toBe(1);
    expect(notices(target)).toEqual(told(...heardAtTheEnd));
    await unharmed(target);
  });

  it("a message of something else, and one: the first part says what it is", async () => {
    const target = await targetOf(tradeOf(name));
    const peer = await enter(target, type);
    peer.send(message("x", "\x01a"));
    await alive(peer);
    expect(target.socket.stats().subscriptions).toBe(1);
    expect(notices(target).sort()).toEqual(told("\x01a", "x"));
    await leave(target, peer);
    expect(notices(target)).toEqual([]);
    await unharmed(target);
  });

  it("100,000 topics, that nobody receives, on and off and on again", async () => {
    const target = await targetOf(tradeOf(name));
    const some = subscriptions(100_000);
    const peer = await enter(target, type);
    peer.send(some);
    await alive(peer);
    expect(target.socket.stats().subscriptions).toBe(100_001);
    await leave(target, peer);
    expect(target.socket.stats().subscriptions).toBe(1);
    // What undoes what nobody has received yet takes its place, but for as many as a mark allows.
    expect(target.drain().length).toBeLessThanOrEqual(1000);
    await unharmed(target);
  });

  it("each message goes to who wants it, and only there", async () => {
    const target = await targetOf(tradeOf(name));
    const topic = "t".repeat(100_000);
    const peer = await enter(target, type);
    peer.send(subscribe(topic), subscribe("\xff"), subscribe("a"), cancel("a"));
    await alive(peer);
    for (const text of [topic.slice(1), "a", "b", `${topic}!`, "good one"]) {
      await target.socket.send(Buffer.from(text, "latin1"));
    }
    await target.socket.send(Buffer.from("\xff\xff", "latin1"));
    expect(texts(await target.good.receive())).toEqual(["good one"]);
    await alive(peer);
    const { messages } = framesOf(peer.unread.subarray(greeting().length));
    expect(messages.map(texts)).toEqual([[`${topic}!`], ["\xff\xff"]]);
    await leave(target, peer);
    target.drain();
    await unharmed(target);
  });
});

describe("subscriptions at our XPUB that nobody receives", () => {
  const OPTIONS: [string, object][] = [
    ["as it is", {}],
    ["verbose", { verbosity: "allSubs" }],
    ["verboser", { verbosity: "allSubsUnsubs" }],
    ["manual", { manual: true }],
  ];
  const mark = 100;
  const TOPICS = 2000;

  interface Manual {
    setStringOption(id: number, value: string): void;
  }

  const once = subscriptions(TOPICS);
  /** Each topic on, and off, before the next. */
  const onAndOff = concat(
    ...Array.from({ length: TOPICS }, (_, i) => concat(subscribe(`${i}`), cancel(`${i}`))),
  );

  it.each(OPTIONS)("%s: are no more than a mark and what counts now", async (_, options) => {
    const target = await targetOf(tradeOf("XPUB"), { receiveHighWaterMark: mark, ...options });
    const { socket, events } = target;
    const isManual = "manual" in options;
    // The good peer's subscription was received last.
    if (isManual) (socket as unknown as Manual).setStringOption(6, "good");
    const limit = isManual ? mark : mark + TOPICS;
    for (const octets of [
      once,
      onAndOff,
      repeat(subscribe("a"), 5000),
      repeat(cancel("a"), 5000),
    ]) {
      const peer = await enter(target, "SUB");
      peer.send(octets);
      await turns(20);
      expect(socket.stats().receive.messages).toBeLessThanOrEqual(limit);
      peer.reset();
      const gone = events.next("disconnect").then(() => true);
      while (!(await Promise.race([gone, turns(1)]))) target.drain();
      expect(socket.stats().receive.messages).toBeLessThanOrEqual(mark + TOPICS);
      target.drain();
      await unharmed(target);
    }
  });
});

describe.each<SocketTypeName>(["PUB", "XPUB", "RADIO"])("our %s that connects", (name) => {
  it("to one that asks for something else each time it comes: keeps none but the last ones", async () => {
    const listener = await MockListener.open();
    stage.closing.push(() => listener.close());
    const socket = open(tradeOf(name).ours, { reconnectInterval: 1 });
    stage.closing.push(() => socket.close());
    socket.connect(listener.endpoint);
    const [type = ""] = partners(name);
    for (let i = 0; i < 20; i++) {
      const peer = await listener.accept();
      const topics = Array.from({ length: 100 }, (_, n) => `${i} ${n}`);
      const asks = name === "RADIO" ? (topic: string) => command("JOIN", topic) : subscribe;
      peer.send(hello(type), ...topics.map((topic) => asks(topic)));
      await alive(peer);
      peer.reset();
    }
    // Of a peer that is gone its topics may be kept until it comes again, with its messages.
    expect(socket.stats().subscriptions).toBeLessThanOrEqual(200);
  });
});

describe("subscriptions at our other types", () => {
  const OTHERS = OURS.filter(({ name }) => name !== "PUB" && name !== "XPUB");

  it.each(OTHERS)("$name: are ignored", async (trade) => {
    const target = await targetOf(trade);
    const before = target.socket.stats().subscriptions;
    const peer = await enter(target, partners(trade.name)[0] as string);
    peer.send(
      subscribe("a"),
      subscribe(""),
      cancel("a"),
      cancel("b"),
      subscribe("t".repeat(100_000)),
    );
    await alive(peer);
    expect(target.socket.stats().subscriptions).toBe(before);
    await leave(target, peer);
    expect(target.drain()).toEqual([]);
    await unharmed(target);
  });
});

describe("our STREAM", () => {
  // What a peer says is not ours to judge. Those who are slow, or are many, say nothing new.
  const inputs = [
    ...INPUTS.filter((input) => input.isSlow !== true && !isHuge(input)),
    // Those that do not depend on what we say: nothing is said to them here.
    ...[PLAIN, CURVE].flatMap((dialect) =>
      [...handshakes("PAIR", "PUSH", dialect), ...securedInputs(dialect, "client", "PAIR")]
        .filter(({ act, octets }) => act === undefined && octets.length > 0)
        .map((input) => ({ ...input, name: `${dialect.name}: ${input.name}` })),
    ),
  ];

  let endpoint: string;
  let stream: Stream;

  beforeAll(async () => {
    // A mechanism is ZMTP's: where an option asks for one, a STREAM does not bind.
    stream = open("Stream", { receiveHighWaterMark: SHORT }) as Stream;
    await stream.bind("tcp://127.0.0.1:*");
    endpoint = stream.lastEndpoint as string;
  });

  afterAll(() => stream.close());

  /** Receives until the peer of the first message is gone. */
  async function receiveAll(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const [first, note] = await stream.receive();
    expect(note).toHaveLength(0);
    for (;;) {
      const [name, chunk] = await stream.receive();
      expect(name).toEqual(first);
      if (chunk.length === 0) return Buffer.concat(chunks);
      chunks.push(chunk);
    }
  }

  it.each(inputs)("$name: comes as it was said", async ({ octets }) => {
    const peer = await dial(endpoint);
    peer.send(octets);
    peer.end();
    expect((await receiveAll()).equals(octets)).toBe(true);
    await peer.gone();
    expect(stream.stats()).toMatchObject({ peers: [], receive: { messages: 0 } });
  });

  it.each([0, 1, 100_000])(
    "a peer that resets after %i octets is gone, and its name",
    async (size) => {
      const peer = await dial(endpoint);
      const [name] = await stream.receive();
      peer.send(new Uint8Array(size));
      await turns(5);
      peer.reset();
      while ((await stream.receive())[1].length > 0);
      expect(stream.stats().peers).toEqual([]);
      await expect(stream.send([name, "x"])).rejects.toThrow("Host unreachable");
    },
  );

  it("a peer that never reads is not sent more than its queue holds; others are", async () => {
    const [bad, good] = [await dial(endpoint), await dial(endpoint)];
    bad.pause();
    const [[one], [other]] = [await stream.receive(), await stream.receive()];
    stream.sendHighWaterMark = SHORT;
    const chunk = Buffer.alloc(200 * KB);
    while (stream.trySend([one, chunk]));
    const { messages } = stream.stats().send;
    // Acknowledgements come some at a time.
    expect([messages > 0, messages <= SHORT]).toEqual([true, true]);
    await stream.send([other, "hello"]);
    await good.expect(Buffer.from("hello"));
    bad.reset();
    good.close();
    for (const _ of [bad, good]) expect((await stream.receive())[1]).toHaveLength(0);
    expect(stream.stats()).toMatchObject({ peers: [], send: { messages: 0 } });
  });
});
