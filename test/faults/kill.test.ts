/** `kill -9` while a message of several parts is under way. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LibzmqPeer } from "../support/libzmq-peer.js";
import { FIRST, optionsOf, prepare, untilHeard } from "../support/matrix-flows.js";
import {
  classOf,
  type OurParty,
  type SocketParty,
  type TypeName,
} from "../support/matrix-party.js";
import { OurPeer } from "../support/our-peer.js";
import { type Batch, expected } from "../support/payload.mjs";
import type { PeerProcess, PeerSocket } from "../support/peer-process.js";
import { until } from "../support/sockets.js";
import { type Case, Scene, TRAFFIC_CASES } from "./scene.js";

const scene = new Scene();
beforeAll(() => scene.start());
afterEach(async () => {
  for (const peer of peers.splice(0)) await peer.kill();
  await scene.close();
});
afterAll(() => scene.end());

const peers: PeerProcess[] = [];

const MB = 2 ** 20;

/** Too large for what systems keep, so that it is never under way as a whole. */
const LARGE: Batch = { from: FIRST, count: 1, shapes: [[8, 16 * MB, 16 * MB]] };
const SMALL: Batch = { from: FIRST + 1, count: 3, shapes: [[8, 0, 20]] };

const WHOSE = {
  ours: () => OurPeer.start(),
  "libzmq's": () => LibzmqPeer.start(),
} as const;

type Whose = keyof typeof WHOSE;

/** A socket of a case in a process that is to be killed. */
async function mortal(whose: Whose, { flow, mechanism, bound }: Case, place: 0 | 1) {
  const peer: PeerProcess = await WHOSE[whose]();
  peers.push(peer);
  const type = flow.types[place];
  const party: PeerSocket = await peer.open(classOf(type), {
    linger: 0,
    reconnectInterval: 10,
    ...optionsOf(flow, place),
    ...mechanism[place === bound ? "server" : "client"],
  });
  await prepare(type, party);
  return { peer, party };
}

const casesOf = (...types: TypeName[]) =>
  TRAFFIC_CASES.filter(({ flow }) => types.includes(flow.types[0]));

/** What either sends in clear looks the same when it is sealed: there one of them will do. */
const kinds = (cases: Case[]) =>
  cases.flatMap((one) => {
    const whose =
      one.mechanism.name === "NULL" ? (["ours", "libzmq's"] as const) : ["libzmq's" as const];
    return whose.map((whose) => ({ whose, one }));
  });

describe("a sender is killed in the middle of a message", () => {
  /** Sends the large message, and does not wait for it to be sent. */
  async function begin(one: Case, them: SocketParty, us: OurParty): Promise<void> {
    if (one.flow.types[0] === "PUB") await untilHeard(them, us);
    // It never ends, for the process does.
    them.send(LARGE).catch(() => {});
    await until(() => us.socket.stats().assemblyBytes > MB);
  }

  it.each(kinds(casesOf("PUSH", "DEALER", "PAIR", "PUB", "REQ")))(
    "$whose: no part of it is delivered or kept, the next sender is heard: $one.name",
    async ({ whose, one }) => {
      const us = (await scene.party(one, "ours", 1)) as OurParty;
      const binds = one.bound === 1;
      const first = await mortal(whose, one, 0);
      const endpoint = scene.stage.endpoint("tcp");
      let where: string;
      if (binds) {
        where = await us.bind(endpoint);
        await first.party.connect(where);
      } else {
        where = await first.party.bind(endpoint);
        await us.connect(where);
      }
      await begin(one, first.party, us);
      await first.peer.kill();
      await us.events.next("disconnect");
      expect(us.socket.stats().assemblyBytes).toBe(0);
      expect(us.socket.tryReceive()).toBeUndefined();

      const second = await scene.party(one, "libzmq's", 0);
      if (binds) await second.connect(where);
      else await second.bind(where);
      if (one.flow.types[0] === "PUB") await untilHeard(second, us);
      await second.send({ ...SMALL, count: 1 });
      const before = one.flow.types[1] === "ROUTER" ? [null] : [];
      const summary = await us.receive(1, { before, except: [FIRST + 200] });
      expect(summary).toEqual(expected({ ...SMALL, count: 1 }));
    },
  );
});

describe("a receiver is killed in the middle of a message", () => {
  async function meet(whose: Whose, one: Case) {
    const us = (await scene.party(one, "ours", 0)) as OurParty;
    const { peer, party } = await mortal(whose, one, 1);
    const binds = one.bound === 0;
    const [binder, connector] = binds ? [us, party] : [party, us];
    const relay = await scene.relay(await binder.bind(scene.stage.endpoint("tcp")));
    await connector.connect(relay.endpoint);
    await us.events.next("handshake");
    const connection = await relay.connection(0);
    return { us, peer, relay, lane: binds ? connection.back : connection.out };
  }

  const senders = casesOf("PUSH", "DEALER", "PAIR");
  /** Of a PAIR, too, of which either may bind. */
  const bindAt = (place: 0 | 1) =>
    senders
      .filter(({ flow, bound }) => bound === place || flow.types[0] === flow.types[1])
      .map((one): Case => ({ ...one, bound: place }));

  it.each(kinds(bindAt(1)))(
    "$whose: a connector loses that message, and sends those behind it to the next: $one.name",
    async ({ whose, one }) => {
      const { us, peer, relay, lane } = await meet(whose, one);
      await us.send(LARGE);
      await us.send(SMALL);
      await until(() => lane.passed > MB);
      lane.policy = { hole: "stall" };
      await peer.kill();
      const next = await scene.party(one, "libzmq's", 1);
      relay.target = await next.bind(scene.stage.endpoint("tcp"));
      lane.policy = {};
      const before = one.flow.types[1] === "ROUTER" ? [null] : [];
      expect(await next.receive(SMALL.count, { before })).toEqual(expected(SMALL));
    },
  );

  it.each(kinds(bindAt(0)))(
    "$whose: a binder forgets all that it had for it, and serves the next: $one.name",
    async ({ whose, one }) => {
      const { us, peer, lane } = await meet(whose, one);
      await us.send(LARGE);
      await us.send(SMALL);
      await until(() => lane.passed > MB);
      lane.policy = { hole: "stall" };
      await peer.kill();
      lane.policy = {};
      await us.events.next("disconnect");
      expect(us.socket.stats().send.messages).toBe(0);
      const next = await scene.party(one, "libzmq's", 1);
      await next.connect(us.socket.lastEndpoint as string);
      const batch = { ...SMALL, from: FIRST + 10 };
      await us.send(batch);
      const before = one.flow.types[1] === "ROUTER" ? [null] : [];
      expect(await next.receive(batch.count, { before })).toEqual(expected(batch));
    },
  );
});
