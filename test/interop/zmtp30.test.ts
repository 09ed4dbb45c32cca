import { afterEach, describe, expect, it } from "vitest";
import { EventLog } from "../support/event-log.js";
import { MockListener, MockPeer, wire } from "../support/mock-peer.js";
import { Pair } from "../support/ours.js";

/**
 * A peer that announces ZMTP 3.0, as libzmq up to 4.3.2, NetMQ and JeroMQ do. What we send is
 * compared octet by octet, with the builders where those are clear and with plain hex where it
 * counts.
 */

/** 64 octets: 3.1, NULL, no server. Our padding is all zeros. */
const OUR_GREETING = Buffer.from(
  `ff00000000000000007f0301${"4e554c4c".padEnd(40, "0")}${"00".repeat(32)}`,
  "hex",
);

/** `READY` with `Socket-Type: PAIR`, and nothing else. */
const OUR_READY = Buffer.from("041a0552454144590b536f636b65742d547970650000000450414952", "hex");

let closing: (() => unknown)[] = [];

afterEach(() => {
  for (const close of closing.reverse()) close();
  closing = [];
});

type Options = ConstructorParameters<typeof Pair>[0];
type Dial = (options?: Options) => Promise<{ us: Pair; mock: MockPeer; events: EventLog }>;

function ours(options: Options = {}): { us: Pair; events: EventLog } {
  const us = new Pair({ linger: 0, receiveTimeout: 5000, sendTimeout: 5000, ...options });
  closing.push(() => us.close());
  return { us, events: EventLog.of(us) };
}

const binds: Dial = async (options) => {
  const { us, events } = ours(options);
  await us.bind("tcp://127.0.0.1:*");
  const mock = await MockPeer.connect(us.lastEndpoint as string);
  closing.push(() => mock.close());
  return { us, mock, events };
};

const connects: Dial = async (options) => {
  const { us, events } = ours(options);
  const listener = await MockListener.open();
  closing.push(() => listener.close());
  us.connect(listener.endpoint);
  const mock = await listener.accept();
  closing.push(() => mock.close());
  return { us, mock, events };
};

/** The whole handshake as a 3.0 peer performs it: both sides say READY without waiting. */
async function greet(mock: MockPeer, properties?: Record<string, string>): Promise<void> {
  mock.send(wire.greeting(), wire.ready(properties));
  await mock.expect(OUR_GREETING);
  await mock.expect(OUR_READY);
}

async function text(us: Pair): Promise<string[]> {
  return (await us.receive()).map(String);
}

describe.each([
  { role: "binds", dial: binds },
  { role: "connects", dial: connects },
])("ours $role, the peer speaks ZMTP 3.0", ({ dial }) => {
  it("gets our whole greeting before it has said anything", async () => {
    const { mock } = await dial();
    await mock.expect(OUR_GREETING);
    expect(mock.unread).toHaveLength(0);
  });

  it("gets READY with our socket type alone", async () => {
    const { mock, events } = await dial();
    await greet(mock);
    expect((await events.next("handshake")).address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    expect(events.types).not.toContain("disconnect");
  });

  it("may send its greeting and READY octet by octet", async () => {
    const { us, mock } = await dial();
    await mock.sendSlowly(Buffer.concat([wire.greeting(), wire.ready(), wire.message("hello")]));
    await mock.expect(OUR_GREETING);
    await mock.expect(OUR_READY);
    expect(await text(us)).toEqual(["hello"]);
  });

  it("may send greeting, READY and messages in one segment", async () => {
    const { us, mock } = await dial();
    mock.send(wire.greeting(), wire.ready(), wire.message("one"), wire.message("two", "", "three"));
    expect(await text(us)).toEqual(["one"]);
    expect(await text(us)).toEqual(["two", "", "three"]);
  });

  it.each<[string, Record<string, string>]>([
    ["an empty identity, as NetMQ and JeroMQ send it", { "Socket-Type": "PAIR", Identity: "" }],
    ["names in lower case", { "socket-type": "PAIR" }],
    ["properties that we do not know", { "X-Name": "value", "Socket-Type": "PAIR", Resource: "r" }],
    ["no properties", {}],
  ])("may send READY with %s", async (_, properties) => {
    const { us, mock } = await dial();
    await greet(mock, properties);
    mock.send(wire.message("hello"));
    expect(await text(us)).toEqual(["hello"]);
  });

  it("sends us messages of every size that matters to framing", async () => {
    const { us, mock } = await dial();
    await greet(mock);
    const sizes = [0, 1, 255, 256, 65_535, 65_536, 1_000_000];
    const bodies = sizes.map((size, i) => Buffer.alloc(size, 65 + i));
    mock.send(...bodies.map((body) => wire.message(body)), wire.message(...bodies));
    for (const body of bodies) {
      const parts = await us.receive();
      expect(parts).toHaveLength(1);
      expect(body.equals(parts[0] as Buffer)).toBe(true);
    }
    const parts = await us.receive();
    expect(parts.map((part) => part.length)).toEqual(sizes);
    expect(Buffer.concat(bodies).equals(Buffer.concat(parts))).toBe(true);
  });

  it("may use long frames for short bodies", async () => {
    const { us, mock } = await dial();
    await greet(mock);
    mock.send(wire.frame("a", { more: true, long: true }), wire.frame("", { long: true }));
    expect(await text(us)).toEqual(["a", ""]);
  });

  it.each([
    { name: "nothing", parts: [""], octets: "0000" },
    { name: "hello", parts: ["hello"], octets: "000568656c6c6f" },
    { name: "three parts", parts: ["a", "", "bc"], octets: "010161010000026263" },
    { name: "255 octets", parts: ["x".repeat(255)], octets: `00ff${"78".repeat(255)}` },
    {
      name: "256 octets",
      parts: ["x".repeat(256)],
      octets: `020000000000000100${"78".repeat(256)}`,
    },
    {
      name: "a long part and a short one",
      parts: ["y".repeat(256), "z"],
      octets: `030000000000000100${"79".repeat(256)}00017a`,
    },
    {
      name: "20,000 octets between short parts",
      parts: ["<", "w".repeat(20_000), ">"],
      octets: `01013c030000000000004e20${"77".repeat(20_000)}00013e`,
    },
  ])("gets $name, octet by octet", async ({ parts, octets }) => {
    const { us, mock } = await dial();
    await greet(mock);
    await us.send(parts);
    await mock.expect(Buffer.from(octets, "hex"));
    expect(mock.unread).toHaveLength(0);
  });

  it("gets an answer to PING, though RFC 23 knows none", async () => {
    const { us, mock } = await dial();
    await greet(mock);
    mock.send(wire.ping());
    await mock.expect(Buffer.from("040504504f4e47", "hex"));
    mock.send(wire.ping(655, "sixteen octets.."));
    await mock.expect(
      Buffer.from(`041504504f4e47${Buffer.from("sixteen octets..").toString("hex")}`, "hex"),
    );
    mock.send(wire.message("after"));
    expect(await text(us)).toEqual(["after"]);
    expect(mock.unread).toHaveLength(0);
  });

  it("gets the answer to a PING between the parts of its message", async () => {
    const { us, mock } = await dial();
    await greet(mock);
    mock.send(wire.frame("a", { more: true }), wire.ping(0, "ctx"));
    await mock.expect(wire.pong("ctx"));
    mock.send(wire.frame("b"));
    expect(await text(us)).toEqual(["a", "b"]);
  });

  it("gets the answer to a PING behind messages that nobody reads", async () => {
    const { us, mock } = await dial();
    await greet(mock);
    mock.send(wire.message("one"), wire.message("two"), wire.ping());
    await mock.expect(wire.pong());
    expect(await text(us)).toEqual(["one"]);
    expect(await text(us)).toEqual(["two"]);
  });

  it("gets no PING from us unless we were told to", async () => {
    const { us, mock } = await dial();
    await greet(mock);
    // Whatever we had to say by ourselves would stand before the answers.
    for (let i = 0; i < 3; i++) {
      mock.send(wire.message(`ask ${i}`));
      expect(await text(us)).toEqual([`ask ${i}`]);
      await us.send(`tell ${i}`);
      await mock.expect(wire.message(`tell ${i}`));
    }
    expect(mock.unread).toHaveLength(0);
  });

  it.each([
    { ttl: 0, octets: "04070450494e470000" },
    { ttl: 1000, octets: "04070450494e47000a" },
    // libzmq's 16 bits overflow above this.
    { ttl: 6_553_500, octets: "04070450494e47028f" },
  ])("gets PING from us when we were told to, time-to-live $ttl ms", async ({ ttl, octets }) => {
    const { mock, events } = await dial({
      heartbeatInterval: 20,
      heartbeatTimeout: 10_000,
      heartbeatTimeToLive: ttl,
    });
    await greet(mock);
    for (let i = 0; i < 3; i++) {
      await mock.expect(Buffer.from(octets, "hex"));
      mock.send(wire.pong());
    }
    expect(events.types).not.toContain("disconnect");
  });

  it("is given up when it does not answer PING", async () => {
    const { mock, events } = await dial({ heartbeatInterval: 50, heartbeatTimeout: 50 });
    await greet(mock);
    await mock.expect(wire.ping());
    await events.next("disconnect");
  });

  it("is given up when it is silent for longer than the time it gave itself", async () => {
    const { mock, events } = await dial();
    await greet(mock);
    mock.send(wire.ping(1));
    await mock.expect(wire.pong());
    await events.next("disconnect");
    await mock.expectEnd();
  });

  it("may send commands that we do not know, even SUBSCRIBE, which are no messages", async () => {
    const { us, mock, events } = await dial();
    await greet(mock);
    mock.send(
      wire.command("SUBSCRIBE", "topic"),
      wire.command("CANCEL", "topic"),
      wire.command("WHATEVER", "data"),
      wire.message("hello"),
    );
    expect(await text(us)).toEqual(["hello"]);
    expect(events.types).not.toContain("disconnect");
  });
});

it("a 3.0 peer that broke off is served anew when we get through to it again", async () => {
  const { us, events } = ours();
  const listener = await MockListener.open();
  closing.push(() => listener.close());
  us.connect(listener.endpoint);
  const first = await listener.accept();
  await greet(first);
  await events.next("handshake");
  first.reset();
  const second = await listener.accept();
  await greet(second);
  second.send(wire.message("again"));
  expect(await text(us)).toEqual(["again"]);
});

describe("a 3.0 peer that ours cannot serve", () => {
  const strangers: { name: string; says: Buffer; code?: string }[] = [
    {
      name: "a REQ",
      says: Buffer.concat([wire.greeting(), wire.ready({ "Socket-Type": "REQ" })]),
    },
    {
      name: "one with another mechanism",
      says: wire.greeting({ mechanism: "PLAIN" }),
      code: "ERR_ZMTP_MECHANISM_MISMATCH",
    },
    {
      name: "one that sends a message first",
      says: Buffer.concat([wire.greeting(), wire.message("hello")]),
      code: "ERR_ZMTP_INVALID_SEQUENCE",
    },
    {
      name: "one that sends PING first",
      says: Buffer.concat([wire.greeting(), wire.ping()]),
      code: "ERR_ZMTP_UNEXPECTED_COMMAND",
    },
    {
      name: "one of ZMTP 2.0",
      says: Buffer.from("ff00000000000000017f01080000", "hex"),
    },
  ];

  it.each(strangers)("$name is turned away without READY, the next one is served", async (row) => {
    const { us, mock, events } = await binds();
    mock.send(row.says);
    const event = await events.next("handshake:error:protocol");
    if (row.code !== undefined) expect(event.error?.code).toBe(row.code);
    await mock.expect(OUR_GREETING);
    await mock.expectEnd();
    expect(events.types).not.toContain("handshake");

    const good = await MockPeer.connect(us.lastEndpoint as string);
    closing.push(() => good.close());
    await greet(good);
    good.send(wire.message("hello"));
    expect(await text(us)).toEqual(["hello"]);
  });

  it("a PAIR that comes second gets no READY while the first is there", async () => {
    const { us, mock: first } = await binds();
    await greet(first);
    const second = await MockPeer.connect(us.lastEndpoint as string);
    closing.push(() => second.close());
    second.send(wire.greeting(), wire.ready(), wire.message("from the second"));
    await second.expect(OUR_GREETING);

    first.send(wire.message("from the first"));
    expect(await text(us)).toEqual(["from the first"]);
    expect(second.unread).toHaveLength(0);
    first.close();
    await second.expect(OUR_READY);
    expect(await text(us)).toEqual(["from the second"]);
  });

  it("a PAIR that comes second is turned away in time, without READY or ERROR", async () => {
    const { us, mock: first } = await binds();
    await greet(first);
    const second = await MockPeer.connect(us.lastEndpoint as string);
    closing.push(() => second.close());
    second.send(wire.greeting(), wire.ready());
    await second.expect(OUR_GREETING);
    expect(await second.expectEnd()).toBe("end");
    expect(second.unread).toHaveLength(0);
  });
});
