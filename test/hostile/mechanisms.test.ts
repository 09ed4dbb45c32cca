/**
 * The table of hostile inputs, under each mechanism, for each socket type, drafts included, where we
 * bind and where we connect; with a good peer of libzmq's on the same socket.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AuthenticationRequest } from "../../src/index.js";
import { DIALECTS, type Dialect, NULL, type Part, type Speaker } from "../support/dialects.js";
import { goodOptions, type Target } from "../support/hostile.js";
import { MockListener, MockPeer } from "../support/mock-peer.js";
import { until } from "../support/sockets.js";
import { ALL_TRADES, isExclusive, type Trade } from "../support/trades.js";
import { metadata, ping } from "../support/wire.js";
import { type Input, MB } from "./inputs.js";
import { alive, drain, expectOutcome, unharmed } from "./outcome.js";
import { Stage } from "./stage.js";
import { inputsFor, PARTS, whyNot } from "./table.js";

const stage = new Stage();

beforeAll(() => stage.start());
afterEach(({ task }) => stage.clear(task.result?.state === "fail"));
afterAll(() => stage.end());

/** Peers that log in are judged at once, those that have a key a little later. */
function authenticate({ mechanism, username, password }: AuthenticationRequest) {
  if (mechanism === "PLAIN") return username === "admin" && password === "secret";
  return Promise.resolve(true);
}

/** Our socket of a type, bound, and its good peer, which has got in; it may connect to the hostile one. */
function targetOf(dialect: Dialect, part: Part, trade: Trade, options: object): Promise<Target> {
  const key = `${dialect.name} ${part} ${trade.name} ${JSON.stringify(options)}`;
  return stage.target(key, async () => {
    const judge = dialect === NULL ? {} : { authenticate };
    const all = {
      maxMessageSize: MB,
      reconnectInterval: 1,
      ...dialect.server,
      ...judge,
      ...options,
    };
    const target = await stage.libzmq.target(trade, all, dialect.client);
    if (isExclusive(trade)) await target.seeOff();
    // What was bound stays as it was.
    if (part === "server") Object.assign(target.socket, dialect.client);
    return target;
  });
}

/** How a hostile peer and our socket come together. */
interface Meeting {
  peer: MockPeer;
  /** After the outcome: we have come again, or never will; nothing of it is left. */
  end(): Promise<void>;
}

async function meet(target: Target, part: Part, input: Input): Promise<Meeting> {
  if (part === "client") {
    const peer = await MockPeer.connect(target.endpoint);
    stage.closing.push(() => peer.close());
    return { peer, end: async () => {} };
  }
  const listener = await MockListener.open();
  stage.closing.push(() => listener.close());
  const { socket } = target;
  const { endpoint } = listener;
  socket.connect(endpoint);
  const peer = await listener.accept();
  stage.closing.push(() => peer.close());
  const isFinal = typeof input.outcome === "object" && input.outcome.isFinal === true;
  return {
    peer,
    async end() {
      if (!isFinal) (await listener.accept()).close();
      socket.disconnect(endpoint);
      await until(() => socket.stats().peers.length === (target.isAlone ? 0 : 1));
    },
  };
}

const STAYS_MS = 60;

/** All that an input is for one type. */
async function attack(
  dialect: Dialect,
  trade: Trade,
  part: Part,
  type: string,
  input: Input,
): Promise<void> {
  const { octets, act, isLate = false, isSlow = false, isDeaf = false, rest } = input;
  const stays = input.outcome === "stays in the handshake";
  const target = await targetOf(dialect, part, trade, input.options ?? {});
  // Only now: the good peer may take its time.
  target.socket.handshakeInterval = stays ? STAYS_MS : 30_000;
  const { peer, end } = await meet(target, part, input);
  let speaker: Speaker | undefined;
  if (isLate && act === undefined) {
    speaker = await dialect.introduce(peer, part, metadata({ "Socket-Type": type }));
    if (isDeaf) peer.pause();
    const said = speaker.say(octets);
    if (isSlow) await peer.sendSlowly(said);
    else peer.send(said);
    if (rest !== undefined) peer.send(rest);
  } else {
    if (isSlow) await peer.sendSlowly(octets);
    else peer.send(octets);
    try {
      speaker = await act?.(peer);
    } catch (error) {
      // Its time may be over before it has said all.
      if (!stays) throw error;
    }
  }
  await expectOutcome(target, input, peer, () => isAlive(peer, speaker));
  target.socket.handshakeInterval = 30_000;
  await end();
  // An XPUB may hear only now what its peer does not want any more.
  expect(drain(target)).toEqual([]);
  const invited = () =>
    stage.libzmq.socket(trade.good, { ...goodOptions(trade), ...dialect.client });
  await unharmed(target, target.isAlone ? invited : undefined);
}

let pings = 0;

async function isAlive(peer: MockPeer, speaker: Speaker | undefined): Promise<void> {
  if (speaker === undefined) return alive(peer);
  const context = `spoken to ${pings++}`;
  peer.resume();
  peer.send(speaker.say(ping(0, context)));
  return speaker.hears(context);
}

const SCENES = DIALECTS.flatMap((dialect) =>
  PARTS.map(([where, part]) => [dialect.name, where, dialect, part] as const),
);

describe.each(SCENES)("under %s, %s", (_name, _where, dialect, part) => {
  const cells = ALL_TRADES.map((trade) => {
    const [type, inputs] = inputsFor(dialect, part, trade);
    return { trade, type, inputs };
  });
  const names = cells[0]?.inputs.map(({ name }) => name) as string[];

  it.each(names.map((name, i) => [name, i] as const))("%s", async (_, i) => {
    const attacks = cells.flatMap(({ trade, type, inputs }) => {
      const input = inputs[i] as Input;
      if (whyNot(dialect, part, trade, input) !== undefined) return [];
      return async () => {
        try {
          await attack(dialect, trade, part, type, input);
        } catch (error) {
          throw new Error(`our ${trade.name}: ${(error as Error).message}`, { cause: error });
        }
      };
    });
    // Floods keep the thread busy: there all but one would only have to wait.
    const isFlood = cells[0]?.inputs[i]?.isFlood === true;
    if (isFlood) for (const run of attacks) await run();
    else await Promise.all(attacks.map((run) => run()));
  });
});
