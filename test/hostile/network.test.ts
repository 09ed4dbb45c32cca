import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { BlackHole, DeafPeer } from "../support/deaf.js";
import { EventLog } from "../support/event-log.js";
import { MockListener, MockPeer } from "../support/mock-peer.js";
import { Pair } from "../support/ours.js";
import { framesOf } from "../support/raw-peer.js";
import { sendUntilFull } from "../support/traffic.js";
import {
  commandBody,
  concat,
  frame,
  greeting,
  message,
  number,
  ping,
  ready,
} from "../support/wire.js";

let closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

type Options = ConstructorParameters<typeof Pair>[0];

function ours(options: Options = {}): { pair: Pair; events: EventLog } {
  const pair = new Pair({ linger: 0, reconnectInterval: 1, receiveTimeout: 10_000, ...options });
  closing.push(() => pair.close());
  return { pair, events: EventLog.of(pair) };
}

interface Meeting extends ReturnType<typeof ours> {
  peer: MockPeer;
  /** The peer comes once more. */
  again: () => Promise<MockPeer>;
}

const HELLO = concat(greeting(), ready());

async function mock(peer: Promise<MockPeer>): Promise<MockPeer> {
  const it = await peer;
  closing.push(() => it.close());
  return it;
}

const MEETINGS: [string, (options?: Options) => Promise<Meeting>][] = [
  [
    "bind",
    async (options) => {
      const us = ours(options);
      await us.pair.bind("tcp://127.0.0.1:*");
      const again = () => mock(MockPeer.connect(us.pair.lastEndpoint as string));
      const peer = await again();
      await us.events.next("accept");
      return { ...us, peer, again };
    },
  ],
  [
    "connect",
    async (options) => {
      const listener = await MockListener.open();
      closing.push(() => listener.close());
      const us = ours(options);
      us.pair.connect(listener.endpoint);
      const again = () => mock(listener.accept());
      const peer = await again();
      await us.events.next("connect");
      return { ...us, peer, again };
    },
  ],
];

/** Reads our side of the handshake, and then messages of one part of less than 256 octets. */
async function readTexts(peer: MockPeer, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const [flags = 0, size = 0] = await peer.read(2);
    const body = await peer.read(size);
    if (flags === 0) texts.push(String(body));
  }
  return texts;
}

async function receiveTexts(pair: Pair, count: number): Promise<string[][]> {
  const texts: string[][] = [];
  while (texts.length < count) texts.push((await pair.receive()).map(String));
  return texts;
}

const STAGES: [string, Uint8Array][] = [
  ["before it said anything", concat()],
  ["in its greeting", greeting().subarray(0, 20)],
  ["after its greeting", greeting()],
  ["in READY", HELLO.subarray(0, -1)],
  ["after READY", HELLO],
  ["in a header", concat(HELLO, "\x02\0\0")],
  ["in a short frame", concat(HELLO, "\x00\x09half")],
  ["in a large frame", concat(HELLO, "\x02", number(1e6, 8), new Uint8Array(1e5))],
  ["in a multipart message", concat(HELLO, frame("a", { more: true }), frame("b", { more: true }))],
];

describe.each(MEETINGS)("where we %s", (_, meet) => {
  describe.each([
    ["resets", async (peer: MockPeer) => peer.reset()],
    [
      "ends",
      async (peer: MockPeer) => {
        peer.end();
        await peer.gone();
      },
    ],
  ])("a peer that %s the connection", (_, leave) => {
    it.each(STAGES)("%s", async (_, octets) => {
      const { pair, events, peer, again } = await meet();
      peer.send(octets);
      if (octets.length >= HELLO.length) await events.next("handshake");
      await leave(peer);
      await events.next("disconnect");
      expect(pair.readable).toBe(false);
      expect(pair.stats().assemblyBytes).toBe(0);
      const better = await again();
      better.send(HELLO, message("back"));
      expect(await receiveTexts(pair, 1)).toEqual([["back"]]);
      await pair.send("welcome");
      await better.read(64);
      expect(await readTexts(better, 1)).toEqual(["welcome"]);
    });
  });

  it("whole messages of a peer that is gone are delivered, the unfinished one is not", async () => {
    const { pair, events, peer, again } = await meet();
    peer.send(HELLO, message("one"), message("two", "three"), frame("four", { more: true }));
    await events.next("handshake");
    peer.end();
    await events.next("disconnect");
    const better = await again();
    better.send(HELLO, message("five"));
    expect(await receiveTexts(pair, 3)).toEqual([["one"], ["two", "three"], ["five"]]);
  });

  it("a peer that never says anything is given up in time", async () => {
    const { events, peer } = await meet({ handshakeInterval: 50 });
    const { error } = await events.next("handshake:error:other");
    expect(error?.code).toBe("EAGAIN");
    await peer.gone();
  });

  it("a peer that falls silent is given up in time", async () => {
    const { events, peer } = await meet({ heartbeatInterval: 20, heartbeatTimeout: 60 });
    peer.send(HELLO);
    await events.next("handshake");
    await events.next("disconnect");
    await peer.gone();
  });

  it("28 a flood of PINGs while our output is stuck is answered with the last one's PONG", async () => {
    const { pair, events, peer } = await meet({ sendHighWaterMark: 10 });
    peer.send(HELLO);
    await events.next("handshake");
    peer.pause();
    const batch = { count: 1000, shapes: [[100_000]] };
    const { sent, full } = await sendUntilFull(pair, batch, 100);
    expect(full).toBe(true);
    const flood = Buffer.alloc(100_000 * ping().length, ping());
    peer.send(flood, ping(0, "last"), message("through"));
    expect(await receiveTexts(pair, 1)).toEqual([["through"]]);
    pair.linger = -1;
    pair.close();
    peer.resume();
    await peer.gone();
    const { messages, commands } = framesOf(peer.unread.subarray(greeting().length));
    expect(messages).toHaveLength(sent);
    // READY and a PONG; one or two more where the system finds some room yet.
    expect(commands.length).toBeLessThan(5);
    expect(commands.at(-1)).toEqual(Buffer.from(commandBody("PONG", "last")));
  });

  it("a peer that resets while we send costs what was being written, nothing twice", async () => {
    const { pair, events, peer, again } = await meet({ sendHighWaterMark: 0 });
    peer.send(HELLO);
    await events.next("handshake");
    const sending = (async () => {
      for (let i = 0; i < 20_000; i++) await pair.send(`${i}`);
    })();
    await peer.read(64);
    const first = await readTexts(peer, 1000);
    peer.reset();
    await events.next("disconnect");
    const better = await again();
    better.send(HELLO);
    await better.read(64);
    const isConnector = events.types.includes("connect");
    if (!isConnector) {
      // A binder's queue dies with its peer; the message that was waiting goes to the next one.
      await Promise.race([sending, readTexts(better, 1)]);
      return;
    }
    const rest: string[] = [];
    while (rest.at(-1) !== "19999") rest.push(...(await readTexts(better, 1)));
    await sending;
    const numbers = [...first, ...rest].map(Number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  });
});

describe("a peer that never reads", () => {
  it("fills the queue up to its mark, and no further", async () => {
    const deaf = await DeafPeer.open();
    closing.push(() => deaf.close());
    const { pair, events } = ours({ sendHighWaterMark: 10 });
    pair.connect(deaf.endpoint);
    await events.next("handshake");
    const batch = { count: 1000, shapes: [[100_000]] };
    const { sent, full } = await sendUntilFull(pair, batch, 100);
    expect(full).toBe(true);
    expect(sent).toBeLessThan(1000);
    const { messages, bytes } = pair.stats().send;
    expect(messages).toBeLessThanOrEqual(10);
    expect(bytes).toBe(messages * 100_000);
    expect(pair.writable).toBe(false);
    deaf.close();
    await events.next("disconnect");
    // What was not written waits for the next connection.
    expect(pair.stats().send.messages).toBeGreaterThanOrEqual(messages);
  });
});

describe("reconnecting", () => {
  function intervals(events: EventLog, count: number): Promise<number[]> {
    return (async () => {
      const all: number[] = [];
      while (all.length < count) all.push((await events.next("connect:retry")).interval as number);
      return all;
    })();
  }

  it("38 grows slower with a peer that accepts and hangs up, over and over", async () => {
    const listener = await MockListener.open();
    closing.push(() => listener.close());
    const { pair, events } = ours({ reconnectInterval: 4, reconnectMaxInterval: 64 });
    pair.connect(listener.endpoint);
    const hangUp = async () => {
      for (let i = 0; i < 8; i++) (await mock(listener.accept())).close();
    };
    const [grown] = await Promise.all([intervals(events, 8), hangUp()]);
    expect(grown.map((it, i) => it >= Math.min(4 * 2 ** i, 32))).toEqual(grown.map(() => true));
    expect(Math.max(...grown)).toBeLessThanOrEqual(64);
    // A handshake is what counts.
    const better = await mock(listener.accept());
    better.send(HELLO);
    await events.next("handshake");
    better.close();
    const [first = 0] = await intervals(events, 1);
    expect(first).toBeLessThanOrEqual(8);
  });

  it("grows slower with a peer that is wrong, over and over, even without reconnectMaxInterval", async () => {
    const listener = await MockListener.open();
    closing.push(() => listener.close());
    const { pair, events } = ours({ reconnectInterval: 4 });
    pair.connect(listener.endpoint);
    const beWrong = async () => {
      for (let i = 0; i < 5; i++) (await mock(listener.accept())).send(Buffer.from("HTTP/1.1 400"));
    };
    const [grown] = await Promise.all([intervals(events, 5), beWrong()]);
    expect(grown.map((it, i) => it >= 4 * 2 ** i)).toEqual(grown.map(() => true));
  });

  it("36 an attempt is given up after connectTimeout", async () => {
    const hole = await BlackHole.open();
    closing.push(() => hole.close());
    const { pair, events } = ours({ connectTimeout: 30 });
    pair.connect(hole.endpoint);
    for (let i = 0; i < 3; i++) {
      await events.next("connect:delay");
      await events.next("close");
      await events.next("connect:retry");
    }
  });
});

/** Connections to `port` whose peer has hung up and whose owner has not noticed; Linux tells. */
function closeWaits(port: number): number {
  const table = "/proc/net/tcp";
  if (!existsSync(table)) return 0;
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync(table, "latin1")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address?.endsWith(local) && state === "08").length;
}

describe("34 the second peer of a PAIR", () => {
  async function occupied(): Promise<Meeting & { port: number }> {
    const [, bind] = MEETINGS[0] as (typeof MEETINGS)[0];
    const meeting = await bind();
    meeting.peer.send(HELLO);
    await meeting.events.next("handshake");
    return { ...meeting, port: Number(new URL(meeting.pair.lastEndpoint as string).port) };
  }

  it.each([
    ["stays, and leaves", HELLO],
    ["talks, and leaves", concat(HELLO, message("hello"), message("x".repeat(100_000)))],
  ])("%s: no connection is left over", async (_, octets) => {
    const { pair, peer, again, port } = await occupied();
    const second = await again();
    second.send(octets);
    second.end();
    await second.gone();
    expect(pair.stats().peers).toHaveLength(1);
    expect(closeWaits(port)).toBe(0);
    peer.send(message("still here"));
    expect(await receiveTexts(pair, 1)).toEqual([["still here"]]);
  });

  it("comes in a storm", async () => {
    const { pair, peer, again, port } = await occupied();
    for (let i = 0; i < 10; i++) {
      const storm = await Promise.all(Array.from({ length: 50 }, again));
      for (const it of storm) {
        it.send(HELLO);
        if (i % 2 === 0) it.reset();
        else it.end();
      }
      await Promise.all(storm.filter(() => i % 2 === 1).map((it) => it.gone()));
    }
    peer.send(message("still here"));
    expect(await receiveTexts(pair, 1)).toEqual([["still here"]]);
    expect(closeWaits(port)).toBe(0);
    expect(pair.stats().peers).toHaveLength(1);
  });

  it("gets the place when the first one leaves, though messages of that one are unread", async () => {
    const { pair, events, peer, again } = await occupied();
    peer.send(message("m1"), message("m2"));
    const second = await again();
    second.send(HELLO, message("b1"));
    await events.next("accept");
    peer.end();
    await events.next("handshake");
    expect(await receiveTexts(pair, 3)).toEqual([["m1"], ["m2"], ["b1"]]);
  });
});

describe("37 many connections at once", () => {
  it("are bounded while they have not done their handshake; a good peer gets through", async () => {
    const { pair, events } = ours({ handshakeInterval: 0, backlog: 2000 });
    await pair.bind("tcp://127.0.0.1:*");
    const endpoint = pair.lastEndpoint as string;
    const connecting = Array.from({ length: 1100 }, () => MockPeer.connect(endpoint));
    const silent = await Promise.all(connecting);
    closing.push(() => {
      for (const peer of silent) peer.close();
    });
    for (let i = 0; i < 76; i++) await events.next("accept:error");
    while (events.count("accept") < 1100) await events.next("accept");
    expect(events.count("accept:error")).toBe(76);
    expect(pair.stats().peers).toHaveLength(1024);
    const good = await mock(MockPeer.connect(endpoint));
    good.send(HELLO, message("through"));
    expect(await receiveTexts(pair, 1)).toEqual([["through"]]);
  });
});
