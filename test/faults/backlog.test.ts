/** What had not been written when a wire broke: who keeps it, and who sends it again. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FIRST } from "../support/matrix-flows.js";
import type { EnvelopePattern } from "../support/matrix-operations.mjs";
import type { OurParty, TypeName } from "../support/matrix-party.js";
import { type Batch, buildMessage, expected, type Summary } from "../support/payload.mjs";
import type { Cut } from "../support/relay.js";
import { type Transport, turns } from "../support/sockets.js";
import { type Case, type Meeting, OURS, Scene, type Sides, TRAFFIC_CASES } from "./scene.js";

const scene = new Scene();
beforeAll(() => scene.start());
afterEach(() => scene.close());
afterAll(() => scene.end());

/** So large that the system keeps few of them. */
const SHAPE = [8, 50_000, 50_000];

/** What a queue holds. */
const MARK = 100;

const casesOf = (bound: 0 | 1, ...types: TypeName[]): Case[] =>
  TRAFFIC_CASES.filter(({ flow, ...one }) => types.includes(flow.types[0]) && one.bound === bound);

const [PAIR] = casesOf(0, "PAIR") as [Case];

/** A connector that sends. */
const CONNECTORS: Case[] = [
  ...casesOf(1, "PUSH", "DEALER"),
  { ...PAIR, name: `PAIR sends, ${PAIR.name}`, bound: 1 },
];

/** A binder that sends. */
const BINDERS: Case[] = [...casesOf(0, "PUSH", "DEALER"), PAIR];

function envelope({ flow }: Case): EnvelopePattern {
  return flow.types[1] === "ROUTER" ? [null] : [];
}

/** Two that are connected, on a wire that takes nothing from now on. */
async function stalled(one: Case, sides: Sides, transport: Transport): Promise<Meeting> {
  const meeting = await scene.meet(one, sides, transport);
  for (const party of meeting.parties) await party.events.next("handshake");
  (await meeting.relay.connection(0)).policy = { hole: "stall" };
  return meeting;
}

/** Sends until nobody takes any more. @returns The number of the last, and how many are in the queue. */
async function fill({ socket }: OurParty): Promise<{ last: number; kept: number }> {
  socket.sendHighWaterMark = MARK;
  let next = FIRST;
  for (let idle = 0; idle < 20; idle++) {
    for (; socket.trySend(buildMessage(next, SHAPE)); next++) idle = 0;
    await turns(1);
  }
  const kept = socket.stats().send.messages;
  // Room is told of in runs of half the mark.
  expect(kept).toBeGreaterThanOrEqual(MARK / 2);
  return { last: next - 1, kept };
}

/** Whole messages: these runs of numbers, in this order. */
function expectRuns(summary: Summary, ...runs: [from: number, to: number][]): void {
  const batches = runs.map(
    ([from, to]): Batch => ({ from, count: to - from + 1, shapes: [SHAPE] }),
  );
  expect(summary).toEqual(expected(...batches));
}

/** The numbers of the last message before a gap and of the first one behind it. */
function gapIn({ sequence }: Summary): [before: number, behind: number] {
  const at = sequence.findIndex((n, i) => n !== FIRST + i);
  return [FIRST + at - 1, sequence[at] as number];
}

describe.each(CONNECTORS)("a connector: $name", (one) => {
  // What is sealed is sent again from another place, however the wire ends: one way will do there.
  const isClear = one.mechanism.name === "NULL";
  const ways: [Transport, Cut][] = [
    ["tcp", "rst"],
    ["tcp", "fin"],
    ["ipc", "rst"],
  ];

  it.each(isClear ? ways : ways.slice(0, 1))(
    "keeps what a stalled wire did not take, and sends it on the next one, once: %s, %s",
    async (transport, by) => {
      const { parties, relay } = await stalled(one, OURS, transport);
      const [sender, receiver] = parties as unknown as [OurParty, OurParty];
      const { last, kept } = await fill(sender);
      relay.connections[0]?.cut(by);
      const summary = await receiver.receiveThrough(last, { before: envelope(one) });
      const [before, behind] = gapIn(summary);
      // Lost is what the system and the relay had taken, and the one write under way.
      expect(behind).toBeLessThanOrEqual(last - kept + 1);
      expectRuns(summary, [FIRST, before], [behind, last]);
    },
  );

  // A PAIR of libzmq's that is bound may never take another peer, if that one comes early.
  const takesAnother = one.flow.types[0] === "PAIR" ? [] : ["ours, to libzmq's"];

  it.each(takesAnother)("of %s: the same", async () => {
    const sides: Sides = { binder: "libzmq's", connector: "ours" };
    const { parties, relay } = await stalled(one, sides, "tcp");
    const [sender, receiver] = parties;
    const { last, kept } = await fill(sender as OurParty);
    relay.connections[0]?.cut("rst");
    const summary = await receiver.receiveThrough(last, { before: envelope(one) });
    const [before, behind] = gapIn(summary);
    expect(behind).toBeLessThanOrEqual(last - kept + 1);
    expectRuns(summary, [FIRST, before], [behind, last]);
  });

  it.each(isClear ? ["libzmq's"] : [])("of %s, to ours: the same", async () => {
    const sides: Sides = { binder: "ours", connector: "libzmq's" };
    const { parties, relay } = await stalled(one, sides, "tcp");
    const [sender, receiver] = parties;
    const batch = { from: FIRST, count: 5000, shapes: [SHAPE] };
    const { sent, full } = await sender.sendUntilFull(batch, 50);
    expect(full).toBe(true);
    const last = FIRST + sent - 1;
    relay.connections[0]?.cut("rst");
    const summary = await receiver.receiveThrough(last, { before: envelope(one) });
    const [before, behind] = gapIn(summary);
    expectRuns(summary, [FIRST, before], [behind, last]);
  });
});

describe.each(BINDERS)("a binder: $name", (one) => {
  it.each<[Transport, Cut]>([
    ["tcp", "rst"],
    ["ipc", "fin"],
  ])("forgets what it queued for a peer that is gone: %s, %s", async (transport, by) => {
    const { parties, relay } = await stalled(one, OURS, transport);
    const [sender, receiver] = parties as unknown as [OurParty, OurParty];
    const { last } = await fill(sender);
    relay.connections[0]?.cut(by);
    await sender.events.next("disconnect");
    expect(sender.socket.stats().send.messages).toBe(0);
    await sender.events.next("handshake");
    await sender.send({ from: last + 1, count: 3, shapes: [SHAPE] });
    const summary = await receiver.receiveThrough(last + 3, { before: envelope(one) });
    const [before] = gapIn(summary);
    expectRuns(summary, [FIRST, before], [last + 1, last + 3]);
  });
});
