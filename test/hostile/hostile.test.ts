import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EventLog } from "../support/event-log.js";
import { LibzmqPeer } from "../support/libzmq-peer.js";
import { MockListener, MockPeer } from "../support/mock-peer.js";
import { Pair } from "../support/ours.js";
import { expected } from "../support/payload.mjs";
import type { PeerSocket } from "../support/peer-process.js";
import { receive, send } from "../support/traffic.js";
import { concat, greeting, message, ready } from "../support/wire.js";
import { INPUTS, type Input } from "./inputs.js";
import { expectEnd } from "./outcome.js";

const MB = 1024 * 1024;
const BATCH = { count: 3, shapes: [[10], [3, 300, 0]] };

/** The good peer: a libzmq in another process. */
let libzmq: LibzmqPeer;
let closing: (() => unknown)[] = [];

beforeAll(async () => {
  libzmq = await LibzmqPeer.start();
});

afterAll(() => libzmq.kill());

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

function ours(input: Input): { pair: Pair; events: EventLog } {
  const pair = new Pair({
    linger: 0,
    maxMessageSize: MB,
    reconnectInterval: 1,
    receiveTimeout: 10_000,
    handshakeInterval: input.outcome === "stays in the handshake" ? 100 : 10_000,
    ...input.options,
  });
  closing.push(() => pair.close());
  return { pair, events: EventLog.of(pair) };
}

/** Our socket, bound. */
async function bound(input: Input): Promise<ReturnType<typeof ours>> {
  const us = ours(input);
  await us.pair.bind("tcp://127.0.0.1:*");
  return us;
}

async function mock(peer: MockPeer | Promise<MockPeer>): Promise<MockPeer> {
  const it = await peer;
  closing.push(() => it.close());
  return it;
}

async function connectGood(pair: Pair): Promise<PeerSocket> {
  const good = await libzmq.open("Pair", { linger: 0 });
  await good.connect(pair.lastEndpoint as string);
  return good;
}

/** Messages go both ways between the good peer and us. */
async function exchange(pair: Pair, good: PeerSocket): Promise<void> {
  const [theirs] = await Promise.all([receive(pair, BATCH.count), good.send(BATCH)]);
  expect(theirs).toEqual(expected(BATCH));
  const [mine] = await Promise.all([good.receive(BATCH.count), send(pair, BATCH)]);
  expect(mine).toEqual(expected(BATCH));
}

async function attack(peer: MockPeer, input: Input): Promise<void> {
  const { octets, isSlow = false, isDeaf = false } = input;
  if (isDeaf) peer.pause();
  if (isSlow) await peer.sendSlowly(octets);
  else peer.send(octets);
}

async function receiveTexts(pair: Pair, count: number): Promise<string[][]> {
  const texts: string[][] = [];
  while (texts.length < count) texts.push((await pair.receive()).map(String));
  return texts;
}

/** Waits until what the input should do has happened, and the peer is gone. */
async function expectOutcome(
  input: Input,
  { pair, events }: ReturnType<typeof ours>,
  peer: MockPeer,
): Promise<void> {
  const { messages = [] } = input;
  const isAlive = async (): Promise<void> => {
    expect(await receiveTexts(pair, messages.length)).toEqual(messages);
    peer.send(message("still here"));
    expect(await receiveTexts(pair, 1)).toEqual([["still here"]]);
  };
  await expectEnd(input, events, peer, isAlive, () => peer.close());
  expect(pair.readable).toBe(false);
  expect(pair.stats().assemblyBytes).toBe(0);
}

describe("a hostile peer that comes alone", () => {
  it.each(INPUTS)("$name", async (input) => {
    const us = await bound(input);
    const peer = await mock(MockPeer.connect(us.pair.lastEndpoint as string));
    await attack(peer, input);
    await expectOutcome(input, us, peer);
    expect(us.pair.stats().peers).toEqual([]);
    const good = await connectGood(us.pair);
    await exchange(us.pair, good);
    await good.close();
  });
});

describe("a hostile peer that comes second", () => {
  // Once its handshake is done, nothing is read, whatever comes; it waits a second. So few will do.
  const isWrong = (input: Input) => input.outcome !== "is a peer" && input.isLate !== true;
  const isRight = (input: Input) => !isWrong(input);
  const inputs = [
    ...INPUTS.filter(isWrong),
    ...INPUTS.filter(isRight).slice(0, 2),
    ...INPUTS.filter(({ isDeaf }) => isDeaf),
    ...INPUTS.slice(-1),
  ];
  it.each(inputs)("$name", async (input) => {
    const { outcome, isLate = false } = input;
    const us = await bound(input);
    const good = await connectGood(us.pair);
    await us.events.next("handshake");
    const peer = await mock(MockPeer.connect(us.pair.lastEndpoint as string));
    await us.events.next("accept");
    await attack(peer, input);
    if (outcome === "is a peer" || isLate) {
      await exchange(us.pair, good);
      peer.resume();
      await peer.gone();
      expect(us.pair.readable).toBe(false);
    } else {
      await expectOutcome(input, us, peer);
    }
    expect(us.pair.stats()).toMatchObject({ assemblyBytes: 0, peers: [{ connected: true }] });
    await exchange(us.pair, good);
    await good.close();
  });
});

describe("a hostile peer that we connect to", () => {
  it.each(INPUTS)("$name", async (input) => {
    const listener = await MockListener.open();
    closing.push(() => listener.close());
    const us = ours(input);
    us.pair.connect(listener.endpoint);
    const peer = await mock(listener.accept());
    await attack(peer, input);
    await expectOutcome(input, us, peer);
    if (typeof input.outcome === "object" && input.outcome.isFinal) return;
    const better = await mock(listener.accept());
    better.send(concat(greeting(), ready(), message("sorry")));
    expect(await receiveTexts(us.pair, 1)).toEqual([["sorry"]]);
  });
});
