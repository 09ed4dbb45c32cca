/**
 * What 1,000 peers that say a hostile input leave behind, of the table of `test/hostile`: nothing. In
 * turn it is tried on each type. `HOSTILE=all` tries every input, and takes a quarter of an hour; else
 * some of each part and mechanism are tried.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Input } from "../hostile/inputs.js";
import { inputsFor, PARTS } from "../hostile/table.js";
import { DIALECTS, type Dialect, type Part, type Speaker } from "../support/dialects.js";
import { HostileMemory, type Left } from "../support/hostile-memory.js";
import { MockListener, MockPeer } from "../support/mock-peer.js";
import { ALL_TRADES, isExclusive, type Trade } from "../support/trades.js";
import { metadata, ping, pong } from "../support/wire.js";

const KB = 1024;
const FEW = 100;
const TIMES = 1000;
/** How many are there at a time. */
const AT_ONCE = 20;

/** Of a PAIR's peers all but one would have to wait: `test/memory` tells of that. */
const TYPES = ALL_TRADES.filter((trade) => !isExclusive(trade));

let subject: HostileMemory;
let listeners: MockListener[] = [];

beforeAll(async () => {
  subject = await HostileMemory.start("Pull");
});

afterEach(async () => {
  // Before the ports are free: who gets them next must not be dialled by us.
  await subject.hangUp();
  for (const listener of listeners) listener.close();
  listeners = [];
});

afterAll(() => subject.kill());

let pings = 0;

/** Says what the input is, and goes once it has been understood. */
async function say(peer: MockPeer, dialect: Dialect, part: Part, type: string, input: Input) {
  const { octets, act, rest, isLate = false, outcome } = input;
  let speaker: Speaker | undefined;
  try {
    if (isLate && act === undefined) {
      speaker = await dialect.introduce(peer, part, metadata({ "Socket-Type": type }));
      peer.send(speaker.say(octets));
      if (rest !== undefined) peer.send(rest);
    } else {
      peer.send(octets);
      speaker = await act?.(peer);
    }
    if (outcome === "is a peer") await answered(peer, speaker);
    else if (typeof outcome === "object") await peer.gone();
    // Our greeting: it is there, whatever has become of it. Who speaks CURVE has read it.
    else if (act === undefined && !(isLate && dialect.name === "CURVE")) {
      await peer.saw(dialect.greeting.subarray(10, 32));
    }
  } catch {
    // It may have been thrown out while it spoke.
  }
  // Who has been hung up on has nothing to reset any more.
  if (typeof outcome === "object") peer.close();
  else peer.reset();
}

async function answered(peer: MockPeer, speaker: Speaker | undefined): Promise<void> {
  const context = `${pings++}`;
  peer.send(speaker?.say(ping(0, context)) ?? ping(0, context));
  await (speaker?.hears(context) ?? peer.saw(pong(context)));
}

type Meet = (talk: (peer: MockPeer) => Promise<void>, times: number) => Promise<void>;

const come: Meet = async (talk, times) => {
  for (let i = 0; i < times; i += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, () => MockPeer.connect(subject.endpoint));
    await Promise.all(some.map(async (peer) => talk(await peer)));
  }
};

/** Peers that are connected to. */
const areCalled =
  ({ client }: Dialect): Meet =>
  async (talk, times) => {
    let count = 0;
    listeners = await Promise.all(Array.from({ length: AT_ONCE }, () => MockListener.open()));
    await subject.dial(
      listeners.map(({ endpoint }) => endpoint),
      client,
    );
    await Promise.all(
      listeners.map(async (listener) => {
        while (count++ < times) await talk(await listener.accept());
      }),
    );
    await subject.hangUp();
    for (const listener of listeners) listener.close();
    listeners = [];
  };

async function leavesNothing(
  dialect: Dialect,
  part: Part,
  { ours }: Trade,
  type: string,
  input: Input,
): Promise<void> {
  const meet = part === "client" ? come : areCalled(dialect);
  await subject.renew(ours, { ...dialect.server, maxMessageSize: KB * KB, reconnectInterval: 1 });
  const talk = (peer: MockPeer) => say(peer, dialect, part, type, input);
  const after = async (times: number): Promise<Left> => {
    await meet(talk, times);
    return subject.left();
  };
  const few = await after(FEW);
  await after(TIMES);
  // What the last ones have had may not have been given up yet: it is as much as of the first ones.
  const many = await after(FEW);
  expect(many).toMatchObject({ peers: 0, handles: few.handles });
  // 500 octets of each would be seen, though code that was compiled meanwhile is on the heap, too.
  expect(many.heapUsed - few.heapUsed).toBeLessThan(500 * KB);
  // So would 600 of these; eight slabs of 64 KB may have come to the thread's pool.
  expect(many.external - few.external).toBeLessThan(600 * KB);
}

const isAll = process.env["HOSTILE"] === "all";

/**
 * One of how many is tried: of the inputs of all mechanisms, and of a mechanism's own. No divisor of
 * the number of types, so that all have their turn. CURVE takes the tests' own peer its time.
 */
const ONE_OF: Record<Dialect["name"], [number, number]> = {
  NULL: [21, 1],
  PLAIN: [31, 11],
  CURVE: [60, 19],
};

const SCENES = DIALECTS.flatMap((dialect) =>
  PARTS.map(([where, part]) => [dialect.name, where, dialect, part] as const),
).map((scene, i) => [...scene, i] as const);

describe.each(SCENES)("under %s, %s", (_name, _where, dialect, part, scene) => {
  const cells = TYPES.map((trade) => [trade, ...inputsFor(dialect, part, trade)] as const);
  const count = cells[0]?.[2].length as number;
  const tried = Array.from({ length: count }, (_, i) => {
    // Each scene begins with other types: those that have their turn in one are few.
    const [trade, type, inputs] = cells[(i + 3 * scene) % cells.length] as (typeof cells)[number];
    return { trade, type, input: inputs[i] as Input, i };
  }).filter(({ input, i }) => {
    const isLong =
      input.isFlood === true || input.isSlow === true || input.octets.length > 100 * KB;
    const isOwn = input.name.startsWith("32") || input.name.startsWith("33");
    return !isLong && (isAll || i % ONE_OF[dialect.name][isOwn ? 1 : 0] === 0);
  });

  it.each(tried.map((it) => [it.input.name, it.trade.name, it] as const))(
    "%s, to our %s",
    async (_name, _type, { trade, type, input }) => {
      await leavesNothing(dialect, part, trade, type, input);
    },
  );
});
