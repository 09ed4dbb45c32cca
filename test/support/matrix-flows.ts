import { expect } from "vitest";
import type { EnvelopePattern } from "./matrix-operations.mjs";
import type { SocketParty, TypeName } from "./matrix-party.js";
import { type Batch, expected, type Summary } from "./payload.mjs";

/** Sizes of the parts of messages, each first part large enough for its number. */
export type Shapes = Batch["shapes"];

export const SHAPES: { name: string; shapes: Shapes }[] = [
  { name: "single", shapes: [[8], [300], [4], [70_000], [255]] },
  {
    name: "multipart",
    shapes: [
      [8, 0],
      [4, 300, 0, 9],
      [256, 20, 20],
      [9, 70_000, 4],
    ],
  },
];

type Exchange = (one: SocketParty, other: SocketParty, shapes: Shapes) => Promise<void>;

/** How messages travel between sockets of two types. */
export interface Flow {
  types: readonly [TypeName, TypeName];
  /** A batch, each way where there are two ways, compared; on the first connection of both. */
  exchange: Exchange;
  /** The same on any connection, which may be still to come. Absent where it is no different. */
  resume?: Exchange;
}

const COUNT = 20;

/** What subscribers want: the first octets of the numbers from 256 to 511. */
export const TOPIC = Buffer.of(0, 0, 1);
export const FIRST = 256;

/** What is sent, however often, until it is heard. */
export const PROBE = FIRST + 200;
/** What is sent last. */
const MARK = FIRST + 201;

/** Messages whose first octet makes them no subscription. */
export const UPSTREAM = 0x0200_0000;

const SUBSCRIBED = Buffer.of(1, ...TOPIC);
const CANCELLED = Buffer.of(0, ...TOPIC);

/** The numbers that these carry, for they are as long as one. */
const NOTICES = [SUBSCRIBED.readUInt32BE(0), CANCELLED.readUInt32BE(0)];

/** What a socket calls itself, by its place in a flow. */
const NAMES = ["one", "other"] as const;
const [ONE, OTHER] = NAMES;

/**
 * What the socket at a place in a flow is made with: a name, where the other one is a ROUTER. Not
 * elsewhere: a REP of libzmq's ignores a peer whose name it still knows of another.
 */
export function optionsOf({ types }: Flow, place: 0 | 1): Record<string, string> {
  return types[1 - place] === "ROUTER" ? { routingId: NAMES[place] } : {};
}

/** What has to be done to a socket of a type before it is bound or connected. */
export async function prepare(type: TypeName, party: SocketParty): Promise<void> {
  if (type === "SUB" || type === "XSUB") await party.subscribe(TOPIC);
}

export function batchOf(shapes: Shapes): Batch {
  return { from: FIRST, count: COUNT, shapes };
}

function single(number: number): Batch {
  return { from: number, count: 1, shapes: [[4]] };
}

/** A pair of types, ours and the peer's, and the flow between them. */
export interface Pairing {
  name: string;
  flow: Flow;
  ours: TypeName;
  theirs: TypeName;
  /** Which of the flow's two is ours. */
  place: 0 | 1;
}

export const FLOWS: Flow[] = [
  { types: ["PAIR", "PAIR"], exchange: bothWays },
  { types: ["DEALER", "DEALER"], exchange: bothWays },
  { types: ["PUSH", "PULL"], exchange: oneWay },
  {
    types: ["REQ", "REP"],
    exchange: async (req, rep, shapes) => {
      await answered(req.ask(batchOf(shapes)), rep.echo(COUNT), shapes);
    },
  },
  {
    types: ["REQ", "ROUTER"],
    exchange: async (req, router, shapes) => {
      await answered(req.ask(batchOf(shapes)), router.echo(COUNT, [ONE, ""]), shapes);
    },
  },
  {
    types: ["DEALER", "REP"],
    exchange: async (dealer, rep, shapes) => {
      const answers = dealer.receive(COUNT, { before: [""] });
      const sent = dealer.send(batchOf(shapes), [""]);
      await Promise.all([sent, answered(answers, rep.echo(COUNT), shapes)]);
    },
  },
  {
    types: ["DEALER", "ROUTER"],
    exchange: async (dealer, router, shapes) => {
      await oneWay(dealer, router, shapes, [], [ONE]);
      await oneWay(router, dealer, shapes, [ONE], []);
    },
  },
  {
    types: ["ROUTER", "ROUTER"],
    exchange: async (one, other, shapes) => {
      // What is sent to a name that is not known yet is dropped.
      await untilHeard(one, other, [OTHER], [ONE]);
      await untilHeard(other, one, [ONE], [OTHER]);
      await Promise.all([
        oneWay(one, other, shapes, [OTHER], [ONE]),
        oneWay(other, one, shapes, [ONE], [OTHER]),
      ]);
    },
  },
  { types: ["PUB", "SUB"], exchange: publishBlindly },
  {
    types: ["PUB", "XSUB"],
    exchange: async (pub, xsub, shapes) => {
      // A PUB takes no notice.
      await xsub.send({ from: UPSTREAM, count: 3, shapes });
      await publishBlindly(pub, xsub, shapes);
    },
  },
  {
    types: ["XPUB", "SUB"],
    exchange: publishWhenTold,
    resume: publishBlindly,
  },
  {
    types: ["XPUB", "XSUB"],
    exchange: async (xpub, xsub, shapes) => {
      await publishWhenTold(xpub, xsub, shapes);
      await upstream(xpub, xsub, shapes);
    },
    resume: async (xpub, xsub, shapes) => {
      await publishBlindly(xpub, xsub, shapes);
      await upstream(xpub, xsub, shapes);
    },
  },
];

/** Every pair of types, in either order. */
export const PAIRINGS: Pairing[] = FLOWS.flatMap((flow) => {
  const [one, other] = flow.types;
  return one === other ? [pairing(flow, 0)] : [pairing(flow, 0), pairing(flow, 1)];
});

function pairing(flow: Flow, place: 0 | 1): Pairing {
  const [ours, theirs] = place === 0 ? flow.types : ([flow.types[1], flow.types[0]] as const);
  return { name: `our ${ours} and libzmq's ${theirs}`, flow, ours, theirs, place };
}

/** Lets messages travel, on the first connection of both or on any. */
export async function travel(
  { flow, place }: Pairing,
  us: SocketParty,
  them: SocketParty,
  shapes: Shapes,
  connection: "first" | "any" = "first",
): Promise<void> {
  const exchange = (connection === "any" ? flow.resume : undefined) ?? flow.exchange;
  if (place === 0) await exchange(us, them, shapes);
  else await exchange(them, us, shapes);
}

async function oneWay(
  one: SocketParty,
  other: SocketParty,
  shapes: Shapes,
  there: string[] = [],
  here: EnvelopePattern = [],
): Promise<void> {
  const batch = batchOf(shapes);
  const received = other.receive(COUNT, { before: here, except: [PROBE] });
  const [summary] = await Promise.all([received, one.send(batch, there)]);
  expect(summary).toEqual(expected(batch));
}

async function bothWays(one: SocketParty, other: SocketParty, shapes: Shapes): Promise<void> {
  await Promise.all([oneWay(one, other, shapes), oneWay(other, one, shapes)]);
}

/** What was asked, and what came back, are both the batch. */
async function answered(
  answers: Promise<unknown>,
  questions: Promise<unknown>,
  shapes: Shapes,
): Promise<void> {
  const batch = expected(batchOf(shapes));
  expect(await Promise.all([answers, questions])).toEqual([batch, batch]);
}

/**
 * Sends the same message until one of them comes through.
 * @returns What came up to then.
 */
export async function untilHeard(
  one: SocketParty,
  other: SocketParty,
  there: string[] = [],
  here: EnvelopePattern = [],
  number: number = PROBE,
): Promise<Summary> {
  let waiting = true;
  const heard = other.receiveThrough(number, { before: here }).finally(() => {
    waiting = false;
  });
  // If sending fails, that is what failed.
  heard.catch(() => {});
  while (waiting) {
    await one.send(single(number), there);
    // Not so often that they fill a queue.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return heard;
}

/** The publisher cannot know when the subscription has arrived. */
async function publishBlindly(pub: SocketParty, sub: SocketParty, shapes: Shapes): Promise<void> {
  await untilHeard(pub, sub);
  await publish(pub, sub, shapes);
}

/** The publisher is told, of the subscription and of its end. */
async function publishWhenTold(xpub: SocketParty, sub: SocketParty, shapes: Shapes): Promise<void> {
  await publish(xpub, sub, shapes, xpub.receiveParts());
  await sub.unsubscribe(TOPIC);
  expect(await xpub.receiveParts()).toEqual([CANCELLED]);
  await xpub.send(single(FIRST));
  await sub.subscribe(TOPIC);
  expect(await xpub.receiveParts()).toEqual([SUBSCRIBED]);
  await xpub.send(single(MARK));
  expect(await sub.receive(1)).toEqual(expected(single(MARK)));
}

/** What was subscribed to comes, what was not does not. */
async function publish(
  pub: SocketParty,
  sub: SocketParty,
  shapes: Shapes,
  told?: Promise<Buffer[]>,
): Promise<void> {
  const batch = batchOf(shapes);
  // First: a SUB of libzmq's tells its subscriptions when somebody looks at it.
  const received = sub.receiveThrough(MARK, { except: [PROBE] });
  if (told !== undefined) expect(await told).toEqual([SUBSCRIBED]);
  await pub.send({ from: 0, count: 3, shapes });
  await pub.send(batch);
  await pub.send({ from: 2 * FIRST, count: 3, shapes });
  await pub.send(single(MARK));
  expect(await received).toEqual(expected(batch, single(MARK)));
}

/** What an XSUB sends to XPUBs. */
async function upstream(xpub: SocketParty, xsub: SocketParty, shapes: Shapes): Promise<void> {
  const batch = { from: UPSTREAM, count: COUNT, shapes };
  const received = xpub.receive(COUNT, { except: NOTICES });
  const [summary] = await Promise.all([received, xsub.send(batch)]);
  expect(summary).toEqual(expected(batch));
}
