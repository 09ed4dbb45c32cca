import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  FIRST,
  PAIRINGS,
  type Pairing,
  PROBE,
  TOPIC,
  UPSTREAM,
  untilHeard,
} from "../support/matrix-flows.js";
import type { OurParty, SocketParty, TypeName } from "../support/matrix-party.js";
import { Stage } from "../support/matrix-stage.js";
import { MockPeer, wire } from "../support/mock-peer.js";
import { type Batch, expected, messages } from "../support/payload.mjs";
import { type Transport, turns, until } from "../support/sockets.js";

const KB = 1024;

const stage = new Stage();
let mocks: MockPeer[] = [];
beforeAll(() => stage.start());
afterEach(async () => {
  for (const mock of mocks) mock.close();
  mocks = [];
  await stage.close();
});
afterAll(() => stage.end());

/** More than two queues of two and the system's buffers hold. */
const COUNT = 64;
const shapes = [[256 * KB]];
const BATCH: Batch = { from: FIRST, count: COUNT, shapes };

/** A sender that waits for so long, while nobody reads, is taken to wait for good. */
const STUCK_MS = 100;

const UPSTREAM_PROBE = UPSTREAM + COUNT;
const PROBES = [PROBE, UPSTREAM_PROBE];

const MARK = 2;
const ONE_WAY: Partial<Record<TypeName, "in" | "out">> = {
  PUB: "out",
  PUSH: "out",
  SUB: "in",
  PULL: "in",
};

/** Queues of two messages, in each direction that the type has, and little room before them. */
function narrow(type: TypeName): Record<string, number> {
  const way = ONE_WAY[type];
  return {
    ...(way !== "in" && { sendHighWaterMark: MARK }),
    ...(way !== "out" && { receiveHighWaterMark: MARK, receiveBufferSize: 4 * KB }),
  };
}

function pairingOf(ours: TypeName, theirs: TypeName): Pairing {
  return PAIRINGS.find((it) => it.ours === ours && it.theirs === theirs) as Pairing;
}

interface Side {
  side: string;
  binds: boolean;
  transport: Transport;
}

const SIDES: Side[] = [
  { side: "ours bound, tcp", binds: true, transport: "tcp" },
  { side: "ours connecting, ipc", binds: false, transport: "ipc" },
];

async function join(
  us: SocketParty,
  peers: SocketParty[],
  { binds, transport }: Side,
): Promise<void> {
  if (binds) {
    const endpoint = await us.bind(stage.endpoint(transport));
    for (const peer of peers) await peer.connect(endpoint);
  } else {
    for (const peer of peers) await us.connect(await peer.bind(stage.endpoint(transport)));
  }
}

/** A ROUTER knows its peer once it has heard of it. */
async function introduce(router: SocketParty, peer: SocketParty): Promise<void> {
  await peer.sendParts("here I am");
  await router.receiveParts();
}

describe.each(SIDES)("a sender waits for a slow peer, which gets everything: $side", (side) => {
  interface Row {
    from: TypeName;
    to: TypeName;
    options?: Record<string, boolean>;
    /** What stands in front of each message, as it is sent. */
    sent?: string[];
    /** As it is received. */
    received?: string[];
    /** What has to be before the sender can send. */
    begin?: (sender: SocketParty, receiver: SocketParty) => Promise<unknown>;
  }

  const mandatory = { mandatory: true };
  const rows: Row[] = [
    { from: "PUSH", to: "PULL" },
    { from: "DEALER", to: "DEALER" },
    { from: "DEALER", to: "ROUTER", received: ["one"] },
    { from: "ROUTER", to: "DEALER", options: mandatory, sent: ["one"], begin: introduce },
  ];
  const noDrop = { options: { noDrop: true }, begin: untilHeard };
  const ourRows: Row[] = [
    { from: "REQ", to: "ROUTER", options: { relaxed: true }, received: ["one", ""] },
    { from: "PUB", to: "SUB", ...noDrop },
    { from: "PUB", to: "XSUB", ...noDrop },
    { from: "XPUB", to: "SUB", ...noDrop },
    { from: "XPUB", to: "XSUB", ...noDrop },
  ];

  it.each([...rows, ...ourRows])("our $from, libzmq's $to", async (row) => {
    const pairing = pairingOf(row.from, row.to);
    const us = await stage.oursOf(pairing, { ...narrow(row.from), ...row.options });
    const them = await stage.theirsOf(pairing, narrow(row.to));
    await join(us, [them], side);
    await waits(us, them, row, () => {
      expect(us.socket.stats().send.messages).toBeLessThanOrEqual(MARK);
    });
    expect(dropped(us)).toEqual({ messages: 0, events: 0 });
  });

  it.each(rows)("libzmq's $from, our $to", async (row) => {
    const pairing = pairingOf(row.to, row.from);
    const us = await stage.oursOf(pairing, narrow(row.to));
    const them = await stage.theirsOf(pairing, { ...narrow(row.from), ...row.options });
    await join(us, [them], side);
    await waits(them, us, row, () => {
      expect(us.socket.stats().receive.messages).toBe(MARK);
    });
  });

  async function waits(
    sender: SocketParty,
    receiver: SocketParty,
    { sent, received, begin }: Row,
    stuck: () => void,
  ): Promise<void> {
    await begin?.(sender, receiver);
    const progress = await sender.sendUntilFull(BATCH, STUCK_MS, sent);
    expect(progress.full).toBe(true);
    expect(progress.sent).toBeGreaterThanOrEqual(MARK);
    stuck();
    const rest = { ...BATCH, from: FIRST + progress.sent, count: COUNT - progress.sent };
    const [summary] = await Promise.all([
      receiver.receive(COUNT, { before: received, except: PROBES }),
      sender.send(rest, sent),
    ]);
    expect(summary).toEqual(expected(BATCH));
  }
});

/** What is known of messages that slow peers missed. */
function dropped(us: OurParty): { messages: number; events: number } {
  const { messagesDropped } = us.socket.stats().total;
  return { messages: messagesDropped, events: us.events.count("drop") };
}

/** Sends a batch to `fast`, which reads each message before the next is sent. */
async function keepUp(
  us: SocketParty,
  fast: SocketParty,
  batch: Batch,
  before: string[] = [],
): Promise<void> {
  for (let i = 0; i < batch.count; i++) {
    const one = { ...batch, from: (batch.from ?? 0) + i, count: 1 };
    await us.send(one, before);
    expect(await fast.receive(1, { except: PROBES })).toEqual(expected(one));
  }
}

/**
 * Lets `slow` miss some of a batch while `fast` gets all of it, twice. Each time the slow one has all
 * up to the first that it missed, and once it reads, it gets what is new.
 */
async function missesTwice(
  us: OurParty,
  slow: SocketParty,
  batch: Batch,
  send: () => Promise<void>,
  untilRoom: () => Promise<unknown>,
): Promise<void> {
  for (let run = 1; run <= 2; run++) {
    const before = dropped(us);
    await send();
    const after = dropped(us);
    const missed = after.messages - before.messages;
    expect(missed).toBeGreaterThan(0);
    expect(after.events - before.events).toBe(1);
    const got = { ...batch, count: batch.count - missed };
    expect(await slow.receive(got.count, { except: PROBES })).toEqual(expected(got));
    await untilRoom();
  }
}

describe.each(SIDES)("a slow peer misses messages, others do not: $side", (side) => {
  it.each([
    { ours: "PUB" as const, theirs: "SUB" as const },
    { ours: "PUB" as const, theirs: "XSUB" as const },
    { ours: "XPUB" as const, theirs: "SUB" as const },
    { ours: "XPUB" as const, theirs: "XSUB" as const },
  ])("our $ours, libzmq's $theirs", async ({ ours, theirs }) => {
    const pairing = pairingOf(ours, theirs);
    const us = await stage.oursOf(pairing, narrow(ours));
    const slow = await stage.theirsOf(pairing, narrow(theirs));
    const fast = await stage.theirsOf(pairing, narrow(theirs));
    await join(us, [slow, fast], side);
    for (const them of [slow, fast]) await untilHeard(us, them);

    const send = (): Promise<void> => keepUp(us, fast, BATCH);
    await missesTwice(us, slow, BATCH, send, () => untilHeard(us, slow));
  });

  it("our ROUTER, libzmq's DEALER", async () => {
    const us = stage.ours("ROUTER", narrow("ROUTER"));
    const slow = await stage.theirs("DEALER", { ...narrow("DEALER"), routingId: "slow" });
    const fast = await stage.theirs("DEALER", { ...narrow("DEALER"), routingId: "fast" });
    await join(us, [slow, fast], side);
    for (const them of [slow, fast]) await introduce(us, them);

    const send = async (): Promise<void> => {
      for (let n = FIRST; n < FIRST + COUNT; n++) {
        const one = { from: n, count: 1, shapes };
        await us.send(one, ["slow"]);
        await keepUp(us, fast, one, ["fast"]);
      }
    };
    await missesTwice(us, slow, BATCH, send, () => untilHeard(us, slow, ["slow"]));
  });

  it("our XSUB, libzmq's XPUB", async () => {
    const us = stage.ours("XSUB", narrow("XSUB"));
    const slow = await stage.theirs("XPUB", narrow("XPUB"));
    const fast = await stage.theirs("XPUB", narrow("XPUB"));
    await us.subscribe(TOPIC);
    await join(us, [slow, fast], side);
    for (const them of [slow, fast]) await them.receiveParts();

    const batch = { ...BATCH, from: UPSTREAM };
    const send = (): Promise<void> => keepUp(us, fast, batch);
    await missesTwice(us, slow, batch, send, () => untilHeard(us, slow, [], [], UPSTREAM_PROBE));
  });
});

describe.each(SIDES)("what we do not read of libzmq's, which misses it: $side", (side) => {
  /** Ours read nothing while the batch was sent; reads on from there, up to what is new. */
  async function missed(us: OurParty, them: SocketParty, from: number): Promise<void> {
    expect(us.socket.stats().receive.messages).toBeLessThanOrEqual(MARK);
    const { sequence } = await untilHeard(them, us, [], [], from + COUNT);
    // Between some the wire was still taking what it could: where the gaps are is libzmq's affair.
    const got = sequence.filter((n): n is number => n !== PROBE && n !== from + COUNT);
    expect(got.slice(0, MARK)).toEqual([from, from + 1]);
    expect(got).toEqual([...new Set(got)].sort((one, other) => one - other));
    expect(got.length).toBeLessThan(COUNT);
  }

  it.each([
    { ours: "SUB" as const, theirs: "PUB" as const },
    { ours: "SUB" as const, theirs: "XPUB" as const },
    { ours: "XSUB" as const, theirs: "PUB" as const },
    { ours: "XSUB" as const, theirs: "XPUB" as const },
  ])("our $ours, libzmq's $theirs", async ({ ours, theirs }) => {
    const pairing = pairingOf(ours, theirs);
    const us = await stage.oursOf(pairing, narrow(ours));
    const them = await stage.theirsOf(pairing, narrow(theirs));
    await join(us, [them], side);
    await untilHeard(them, us);
    await them.send(BATCH);
    await missed(us, them, FIRST);
  });

  it("our XPUB, libzmq's XSUB: it goes on publishing", async () => {
    const us = stage.ours("XPUB", narrow("XPUB"));
    const them = await stage.theirs("XSUB", narrow("XSUB"));
    await them.subscribe(TOPIC);
    await join(us, [them], side);
    await untilHeard(us, them);
    expect(await us.receiveParts()).toEqual([Buffer.of(1, ...TOPIC)]);
    await them.send({ ...BATCH, from: UPSTREAM });
    await keepUp(us, them, { ...BATCH, count: 5 });
    await missed(us, them, UPSTREAM);
  });
});

/** A peer made of octets, which reads nothing after the handshake until it is told to. */
async function deaf(us: OurParty, type: TypeName): Promise<MockPeer> {
  const mock = await MockPeer.connect(await us.bind(stage.endpoint("ipc")));
  mocks.push(mock);
  mock.send(wire.greeting({ minor: 1 }), wire.ready({ "Socket-Type": type, Identity: "deaf" }));
  await us.events.next("handshake");
  mock.pause();
  return mock;
}

/** Reads the handshake of ours, and then messages, compared octet by octet. */
async function hears(mock: MockPeer, handshake: number, expected: Buffer[]): Promise<void> {
  mock.resume();
  await mock.read(handshake);
  for (const octets of expected) await mock.expect(octets);
}

const GREETING_SIZE = 64;

function handshakeSize(ours: TypeName): number {
  const named = ours === "DEALER" || ours === "ROUTER";
  const properties = { "Socket-Type": ours, ...(named && { Identity: "" }) };
  return GREETING_SIZE + wire.ready(properties).length;
}

function framed(batch: Batch, before: string[] = []): Buffer[] {
  return [...messages(batch)].map((parts) => wire.message(...before, ...parts));
}

describe("a peer that reads nothing at all", () => {
  it.each(["PUB", "XPUB"] as const)("costs our %s one queue", async (type) => {
    const us = stage.ours(type, narrow(type));
    const mock = await deaf(us, "SUB");
    mock.send(wire.command("SUBSCRIBE", TOPIC));
    await until(() => us.socket.stats().subscriptions === 1);
    await us.send(BATCH);

    const { send, total } = us.socket.stats();
    expect(send.messages).toBe(MARK);
    expect(us.events.count("drop")).toBe(1);
    const got = { ...BATCH, count: COUNT - total.messagesDropped };
    expect(got.count).toBeLessThan(COUNT);
    await hears(mock, handshakeSize(type), framed(got));
    await us.sendParts(TOPIC, "new");
    await mock.expect(wire.message(TOPIC, "new"));
    expect(us.events.count("drop")).toBe(1);
  });

  it("costs our ROUTER one queue", async () => {
    const us = stage.ours("ROUTER", narrow("ROUTER"));
    const mock = await deaf(us, "DEALER");
    await us.send(BATCH, ["deaf"]);
    const { send, total } = us.socket.stats();
    expect(send.messages).toBe(MARK);
    expect(us.events.count("drop")).toBe(1);
    const got = { ...BATCH, count: COUNT - total.messagesDropped };
    expect(got.count).toBeLessThan(COUNT);
    await hears(mock, handshakeSize("ROUTER"), framed(got));
  });

  it("misses answers of our REP, which serves others", async () => {
    const us = stage.ours("REP", narrow("REP"));
    const mock = await deaf(us, "DEALER");
    const other = await stage.theirs("REQ");
    await other.connect(us.socket.lastEndpoint as string);
    mock.send(...framed(BATCH, [""]));
    const few = { from: 5000, count: 20, shapes: [[10]] };
    const [, answers] = await Promise.all([us.echo(COUNT + few.count), other.ask(few)]);
    expect(answers).toEqual(expected(few));

    const { send, total } = us.socket.stats();
    expect(send.messages).toBe(MARK);
    const got = { ...BATCH, count: COUNT - total.messagesDropped };
    expect(got.count).toBeLessThan(COUNT);
    await hears(mock, handshakeSize("REP"), framed(got, [""]));
  });

  it("and that our REP has no room for is told of once", async () => {
    const us = stage.ours("REP", narrow("REP"));
    const mock = await deaf(us, "DEALER");
    mock.send(...framed(BATCH, [""]));
    await us.echo(COUNT);
    expect(us.socket.stats().total.messagesDropped).toBeGreaterThan(0);
    expect(us.events.count("drop")).toBe(1);
  });

  it.each([
    { ours: "PUSH" as const, theirs: "PULL" as const },
    { ours: "DEALER" as const, theirs: "DEALER" as const },
    { ours: "PAIR" as const, theirs: "PAIR" as const },
  ])("stops our $ours, and then gets everything", async ({ ours, theirs }) => {
    const us = stage.ours(ours, narrow(ours));
    const mock = await deaf(us, theirs);
    const { sent, full } = await us.sendUntilFull(BATCH, STUCK_MS);
    expect(full).toBe(true);
    expect(us.socket.stats().send.messages).toBe(MARK);
    const rest = us.send({ ...BATCH, from: FIRST + sent, count: COUNT - sent });
    await hears(mock, handshakeSize(ours), framed(BATCH));
    await rest;
  });

  it("stops our REQ, if relaxed, and then gets everything", async () => {
    const us = stage.ours("REQ", { ...narrow("REQ"), relaxed: true });
    const mock = await deaf(us, "ROUTER");
    const { sent, full } = await us.sendUntilFull(BATCH, STUCK_MS);
    expect(full).toBe(true);
    const rest = us.send({ ...BATCH, from: FIRST + sent, count: COUNT - sent });
    const named = wire.ready({ "Socket-Type": "REQ", Identity: "" }).length;
    await hears(mock, GREETING_SIZE + named, framed(BATCH, [""]));
    await rest;
    mock.send(wire.message("", "answer"));
    expect(String(await us.receiveParts())).toBe("answer");
  });
});

describe("our STREAM", () => {
  async function raw(us: OurParty): Promise<{ mock: MockPeer; id: Buffer }> {
    const mock = await MockPeer.connect(await us.bind(stage.endpoint("ipc")));
    mocks.push(mock);
    const [id] = await us.receiveParts();
    return { mock, id: id as Buffer };
  }

  // Much more than a Unix socket holds.
  const batch = { ...BATCH, count: 16 };
  const octets = Buffer.concat([...messages(batch)].flat());

  it("waits for a peer that does not read, which gets everything", async () => {
    const us = stage.ours("STREAM", narrow("STREAM"));
    const { mock, id } = await raw(us);
    mock.pause();
    const { sent, full } = await us.sendUntilFull(batch, STUCK_MS, [id]);
    expect(full).toBe(true);
    expect(us.socket.stats().send.messages).toBe(MARK);
    const rest = us.send({ ...batch, from: FIRST + sent, count: batch.count - sent }, [id]);
    mock.resume();
    for (const [part] of messages(batch)) await mock.expect(part as Buffer);
    await rest;
  });

  it("that does not read makes its peer wait, and then gets everything", async () => {
    const us = stage.ours("STREAM", narrow("STREAM"));
    const { mock, id } = await raw(us);
    mock.send(octets);
    await until(() => us.socket.stats().receive.messages === MARK);
    await turns(50);
    expect(us.socket.stats().receive.messages).toBe(MARK);
    expect(mock.unsent).toBeGreaterThan(0);
    const received = await us.receiveOctets(id, octets.length);
    expect(received.equals(octets)).toBe(true);
  });
});
