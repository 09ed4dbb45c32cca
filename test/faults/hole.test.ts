import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FIRST, type Shapes, untilHeard } from "../support/matrix-flows.js";
import type { OurParty, PartyOptions, SocketParty, TypeName } from "../support/matrix-party.js";
import { failure } from "../support/patterns.js";
import { type Batch, expected } from "../support/payload.mjs";
import type { PeerOptions } from "../support/peer-process.js";
import type { Connection, Policies } from "../support/relay.js";
import { turns, until } from "../support/sockets.js";
import { CASES, type Case, MIXED, OURS, Scene, type Sides, TRAFFIC_CASES } from "./scene.js";

const scene = new Scene();
beforeAll(() => scene.start());
afterEach(() => scene.close());
afterAll(() => scene.end());

const SHAPES: Shapes = [[8], [4, 300, 0]];
const HEARTBEATS = { heartbeatInterval: 10, heartbeatTimeout: 30 };

interface Met {
  binder: SocketParty;
  connector: SocketParty;
  /** In the order of the flow's types. */
  parties: readonly [SocketParty, SocketParty];
  connection: Connection;
}

/** Two whose handshake is done. */
async function meet(
  one: Case,
  sides: Sides,
  ofBinder: PartyOptions,
  ofConnector: PartyOptions,
): Promise<Met> {
  const other = one.bound === 0 ? 1 : 0;
  const binder = await scene.party(one, sides.binder, one.bound, ofBinder as PeerOptions);
  const connector = await scene.party(one, sides.connector, other, ofConnector as PeerOptions);
  const relay = await scene.relay(await binder.bind(scene.stage.endpoint("tcp")));
  await connector.connect(relay.endpoint);
  await connector.events.next("handshake");
  await binder.events.next("handshake");
  const parties = one.bound === 0 ? ([binder, connector] as const) : ([connector, binder] as const);
  return { binder, connector, parties, connection: await relay.connection(0) };
}

describe.each(TRAFFIC_CASES)("a black hole, with heartbeats: $name", (one) => {
  it.each(["swallow", "stall"] as const)(
    "both sides give up, the connector finds another way: %s",
    async (hole) => {
      const { binder, connector, parties, connection } = await meet(
        one,
        OURS,
        HEARTBEATS,
        HEARTBEATS,
      );
      connection.policy = { hole };
      // The next connection must not be given up because this machine is slow.
      for (const { socket } of [binder, connector] as OurParty[]) socket.heartbeatInterval = 0;
      await Promise.all([binder, connector].map(({ events }) => events.next("disconnect")));
      await Promise.all([binder, connector].map(({ events }) => events.next("handshake")));
      await (one.flow.resume ?? one.flow.exchange)(...parties, SHAPES);
    },
  );

  // A PAIR of libzmq's that is bound has its only peer still.
  const sides = MIXED.filter(({ binder }) => binder === "ours" || one.flow.types[0] !== "PAIR");

  it.each(sides)("ours gives up libzmq's: $connector to $binder", async (sides) => {
    const binds = sides.binder === "ours";
    const [ours, theirs] = [HEARTBEATS, {}];
    const [first, second] = binds ? [ours, theirs] : [theirs, ours];
    const { binder, connector, connection } = await meet(one, sides, first, second);
    connection.policy = { hole: "swallow" };
    await (binds ? binder : connector).events.next("disconnect");
  });

  it.each(sides)("libzmq's gives up ours: $connector to $binder", async (sides) => {
    const binds = sides.binder === "ours";
    const [ours, theirs] = [{}, HEARTBEATS];
    const [first, second] = binds ? [ours, theirs] : [theirs, ours];
    const { binder, connector, connection } = await meet(one, sides, first, second);
    connection.policy = { hole: "swallow" };
    await (binds ? connector : binder).events.next("disconnect");
  });
});

const MARK = 10;
const LARGE: Shapes = [[100_000]];
const NARROW = { sendHighWaterMark: MARK };

/** The case in which the first of its types, which sends, is bound or connects. */
const caseOf = (type: TypeName, place: "binds" | "connects", mechanism = "NULL"): Case =>
  CASES.find(
    (one) =>
      one.mechanism.name === mechanism &&
      one.flow.types[0] === type &&
      (one.bound === 0) === (place === "binds"),
  ) as Case;

const PAIR = caseOf("PAIR", "binds");

describe("a wire that takes nothing, without heartbeats", () => {
  it.each([
    caseOf("PUSH", "binds"),
    caseOf("PUSH", "connects"),
    caseOf("PUSH", "binds", "CURVE"),
    caseOf("PUSH", "connects", "CURVE"),
    caseOf("DEALER", "binds"),
    caseOf("DEALER", "connects"),
    PAIR,
  ])(
    "send waits at the mark, nothing is lost, and it goes on with the wire: $name",
    async (one) => {
      const binds = one.bound === 0;
      const { parties, connection } = await meet(
        one,
        OURS,
        binds ? NARROW : {},
        binds ? {} : NARROW,
      );
      const [sender, receiver] = parties as unknown as [OurParty, OurParty];
      connection.policy = { hole: "stall" };
      const batch: Batch = { from: FIRST, count: 1000, shapes: LARGE };
      const { sent, full } = await sender.sendUntilFull(batch, 20);
      expect(full).toBe(true);
      const { send } = sender.socket.stats();
      expect(send.messages).toBeLessThanOrEqual(MARK);
      expect(send.bytes).toBe(send.messages * 100_000);
      await turns(100);
      expect(sender.socket.trySend("one more")).toBe(false);
      expect(sender.events.count("disconnect")).toBe(0);
      connection.policy = {};
      const before = one.flow.types[1] === "ROUTER" ? [null] : [];
      expect(await receiver.receive(sent, { before })).toEqual(expected({ ...batch, count: sent }));
    },
  );

  it.each([
    ["binds", "NULL"],
    ["connects", "NULL"],
    ["binds", "CURVE"],
  ] as const)(
    "a PUB that %s passes its subscriber by, and says so: %s",
    async (place, mechanism) => {
      const one = caseOf("PUB", place, mechanism);
      const binds = place === "binds";
      const options = [binds ? NARROW : {}, binds ? {} : NARROW] as const;
      const { parties, connection } = await meet(one, OURS, ...options);
      const [pub, sub] = parties as unknown as [OurParty, OurParty];
      await untilHeard(pub, sub);
      connection.policy = { hole: "stall" };
      await pub.send({ from: FIRST, count: 100, shapes: [[1_000_000]] });
      const { send, total } = pub.socket.stats();
      expect(send.messages).toBeLessThanOrEqual(MARK);
      expect(total.messagesDropped).toBeGreaterThan(100 - MARK - 50);
      expect(pub.events.count("drop")).toBe(1);
    },
  );

  it.each([
    ["drops", {}],
    ["waits, if mandatory", { mandatory: true }],
  ])("a ROUTER %s", async (what, options) => {
    const all = { ...NARROW, ...options };
    const one = caseOf("DEALER", "connects");
    const { parties, connection } = await meet(one, OURS, all, {});
    const [dealer, router] = parties as unknown as [OurParty, OurParty];
    await dealer.sendParts("here I am");
    const [name = ""] = await router.receiveParts();
    connection.policy = { hole: "stall" };
    const progress = await router.sendUntilFull({ count: 100, shapes: [[1_000_000]] }, 20, [name]);
    const { send, total } = router.socket.stats();
    expect(send.messages).toBeLessThanOrEqual(MARK);
    expect(progress.full).toBe(what !== "drops");
    expect(total.messagesDropped > 0).toBe(what === "drops");
  });
});

describe("a wire that swallows everything, without heartbeats", () => {
  it("nobody notices: what is sent is taken, and lost, as with TCP itself", async () => {
    const one = caseOf("PUSH", "connects");
    const { parties, connection } = await meet(one, OURS, {}, NARROW);
    const [push, pull] = parties as unknown as [OurParty, OurParty];
    connection.policy = { hole: "swallow" };
    await push.send({ from: FIRST, count: 200, shapes: LARGE });
    await until(() => push.socket.stats().send.messages === 0);
    expect(pull.socket.tryReceive()).toBeUndefined();
    expect(push.events.count("disconnect") + pull.events.count("disconnect")).toBe(0);
  });

  it.each(["binds", "connects"] as const)(
    "a question is never answered: receiveTimeout ends the wait of a REQ that %s, and no more",
    async (place) => {
      const one = caseOf("REQ", place);
      const { parties, connection } = await meet(one, OURS, {}, {});
      const [{ socket: req }] = parties as unknown as [OurParty, OurParty];
      connection.policy = { hole: "swallow" };
      await req.send("question");
      req.receiveTimeout = 20;
      await expect(req.receive()).rejects.toEqual(failure("EAGAIN"));
      expect(() => req.trySend("another")).toThrow(failure("EFSM") as Error);
    },
  );
});

/** Two of ours that have begun to shake hands, and have no patience; the next time they have. */
async function begin(
  one: Case,
  policies: Policies,
): Promise<{ binder: OurParty; connector: OurParty }> {
  const options = { handshakeInterval: 30 };
  const binder = (await scene.party(one, "ours", one.bound, options)) as OurParty;
  const connector = (await scene.party(one, "ours", one.bound === 0 ? 1 : 0, options)) as OurParty;
  const relay = await scene.relay(await binder.bind(scene.stage.endpoint("tcp")), policies);
  await connector.connect(relay.endpoint);
  await binder.events.next("accept");
  for (const { socket } of [binder, connector]) socket.handshakeInterval = 30_000;
  return { binder, connector };
}

describe.each(CASES)("a black hole before the handshake: $name", (one) => {
  it.each(["swallow", "stall"] as const)(
    "ends after handshakeInterval, and the next attempt succeeds: %s",
    async (hole) => {
      const { binder, connector } = await begin(one, { out: { hole }, back: { hole } });
      const { error } = await connector.events.next("handshake:error:other");
      expect(error?.code).toBe("EAGAIN");
      await one.flow.exchange(
        ...(one.bound === 0 ? ([binder, connector] as const) : ([connector, binder] as const)),
        SHAPES,
      );
    },
  );
});

/** Octets that get through, each way, of a handshake that has more. */
const GET_THROUGH = {
  NULL: { out: [], back: [] },
  PLAIN: { out: [70, 115], back: [70, 101] },
  CURVE: { out: [100, 300, 550], back: [150, 284] },
};

const HALVES = CASES.flatMap((one) =>
  (["out", "back"] as const).flatMap((direction) =>
    GET_THROUGH[one.mechanism.name][direction].map((after) => ({ ...one, direction, after })),
  ),
);

// Under NULL either side may be done with its handshake before the other.
describe.each(HALVES)("a black hole in the handshake: $name, $direction after $after", (one) => {
  it.each(["swallow", "stall"] as const)(
    "the connection is given up, the next attempt succeeds: %s",
    async (hole) => {
      const { direction, after, bound } = one;
      const policies = { [direction]: { hole, holeAfter: after } };
      const { binder, connector } = await begin(one, policies);
      await Promise.all([binder, connector].map(({ events }) => events.next("disconnect")));
      // Whoever lost patience first has told of that, the other perhaps of an end.
      const told = [binder, connector].flatMap(({ events }) => events.types);
      expect(told).toContain("handshake:error:other");
      await connector.events.next("handshake");
      await until(() => binder.socket.stats().peers.some(({ connected }) => connected));
      const parties = bound === 0 ? ([binder, connector] as const) : ([connector, binder] as const);
      await one.flow.exchange(...parties, SHAPES);
    },
  );
});
