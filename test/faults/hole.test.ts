import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FIRST, type Shapes, untilHeard } from "../support/matrix-flows.js";
import type { OurParty, PartyOptions, SocketParty, TypeName } from "../support/matrix-party.js";
import { failure } from "../support/patterns.js";
import { type Batch, expected } from "../support/payload.mjs";
import type { PeerOptions } from "../support/peer-process.js";
import type { Connection } from "../support/relay.js";
import { turns, until } from "../support/sockets.js";
import { CASES, type Case, MIXED, OURS, Scene, type Sides } from "./scene.js";

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

describe.each(CASES)("a black hole, with heartbeats: $name", (one) => {
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
const caseOf = (type: TypeName, place: "binds" | "connects"): Case =>
  CASES.find(
    (one) => one.flow.types[0] === type && (one.bound === 0) === (place === "binds"),
  ) as Case;

const PAIR = caseOf("PAIR", "binds");

describe("a wire that takes nothing, without heartbeats", () => {
  it.each([
    caseOf("PUSH", "binds"),
    caseOf("PUSH", "connects"),
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

  it.each(["binds", "connects"] as const)(
    "a PUB that %s passes its subscriber by, and says so",
    async (place) => {
      const one = caseOf("PUB", place);
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

describe.each(CASES)("a black hole before the handshake: $name", (one) => {
  it.each(["swallow", "stall"] as const)(
    "ends after handshakeInterval, and the next attempt succeeds: %s",
    async (hole) => {
      const other = one.bound === 0 ? 1 : 0;
      const options = { handshakeInterval: 30 };
      const binder = await scene.party(one, "ours", one.bound, options);
      const connector = await scene.party(one, "ours", other, options);
      const target = await binder.bind(scene.stage.endpoint("tcp"));
      const relay = await scene.relay(target, { out: { hole }, back: { hole } });
      await connector.connect(relay.endpoint);
      const { error } = await connector.events.next("handshake:error:other");
      expect(error?.code).toBe("EAGAIN");
      await one.flow.exchange(
        ...(one.bound === 0 ? ([binder, connector] as const) : ([connector, binder] as const)),
        SHAPES,
      );
    },
  );
});
