import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LibzmqPeer } from "../support/libzmq-peer.js";
import { FIRST, PAIRINGS, type Pairing, SHAPES, travel } from "../support/matrix-flows.js";
import type { SocketParty, TypeName } from "../support/matrix-party.js";
import { Stage } from "../support/matrix-stage.js";
import { MockPeer, wire } from "../support/mock-peer.js";
import { type Batch, expected } from "../support/payload.mjs";
import { type Transport, until } from "../support/sockets.js";

const stage = new Stage();
beforeAll(() => stage.start());
let mocks: MockPeer[] = [];
afterEach(async () => {
  for (const mock of mocks) mock.close();
  mocks = [];
  await stage.close();
});
afterAll(() => stage.end());

const TRANSPORTS: Transport[] = ["tcp", "ipc"];

const MOVES = (["libzmq's", "ours"] as const).flatMap((whose) =>
  (["bound", "connecting"] as const).flatMap((side) =>
    TRANSPORTS.map((transport) => ({ whose, side, transport })),
  ),
);

const { shapes } = SHAPES[1] as (typeof SHAPES)[number];

/** Types that send to whoever has room, and wait while there is nobody. */
const WAITING: TypeName[] = ["PAIR", "DEALER", "PUSH", "REQ"];

/** A ROUTER of libzmq's ignores a peer of a name that it knows, and may take its time to forget. */
function theirsOf(pairing: Pairing, libzmq?: LibzmqPeer): Promise<SocketParty> {
  const options = pairing.theirs === "ROUTER" ? { handover: true } : {};
  return stage.theirsOf(pairing, options, libzmq);
}

/** Closes a socket; what it had bound can be bound again then. */
async function leave(party: SocketParty, bound?: string): Promise<void> {
  if (bound !== undefined) {
    await party.unbind(bound);
    await party.events.next("close");
  }
  await party.close();
}

describe.each(PAIRINGS)("$name", (pairing) => {
  it.each(MOVES)("go on when $whose, which is $side, is another, $transport", async (move) => {
    let us: SocketParty = await stage.oursOf(pairing);
    let them = await theirsOf(pairing);
    const ourMove = move.whose === "ours";
    const binds = move.side === "bound";
    const [leaver, survivor] = ourMove ? [us, them] : [them, us];
    const [bound, connecting] = binds ? [leaver, survivor] : [survivor, leaver];
    const endpoint = await bound.bind(stage.endpoint(move.transport));
    await connecting.connect(endpoint);
    await travel(pairing, us, them, shapes, "any");

    await leave(leaver, binds ? endpoint : undefined);
    await survivor.events.next("disconnect");
    // That the event is there does not mean that a socket of libzmq's has taken note.
    const type = ourMove ? pairing.theirs : pairing.ours;
    if (!binds && WAITING.includes(type)) await survivor.writable(false);

    if (ourMove) us = await stage.oursOf(pairing);
    else them = await theirsOf(pairing);
    const successor = ourMove ? us : them;
    if (binds) await successor.bind(endpoint);
    else await successor.connect(endpoint);
    await travel(pairing, us, them, shapes, "any");
  });
});

describe.each(TRANSPORTS)("what a connector queued while there was nobody, %s", (transport) => {
  interface Row {
    from: TypeName;
    to: TypeName;
    /** What stands in front of each message, as it is sent. */
    sent?: string[];
    /** As it is received. */
    received?: string[];
  }

  const rows: Row[] = [
    { from: "PAIR", to: "PAIR" },
    { from: "PUSH", to: "PULL" },
    { from: "DEALER", to: "DEALER" },
    { from: "DEALER", to: "ROUTER", received: ["one"] },
    { from: "DEALER", to: "REP", sent: [""] },
    { from: "ROUTER", to: "DEALER", sent: ["one"] },
    { from: "PUB", to: "SUB" },
    { from: "PUB", to: "XSUB" },
    { from: "XPUB", to: "SUB" },
    { from: "XPUB", to: "XSUB" },
  ];
  const queued: Batch = { from: FIRST, count: 200, shapes };

  it.each(rows)("arrives at the next, in order: our $from, libzmq's $to", async (row) => {
    const pairing = pairingOf(row.from, row.to);
    const us = await stage.oursOf(pairing);
    const first = await theirsOf(pairing);
    const endpoint = await first.bind(stage.endpoint(transport));
    await us.connect(endpoint);
    await travel(pairing, us, first, shapes, "any");
    await leave(first, endpoint);
    await us.events.next("disconnect");

    await us.send(queued, row.sent);
    const second = await theirsOf(pairing);
    await second.bind(endpoint);
    await arrives(second, us, row);
  });

  it.each(rows)("arrives at the next, in order: libzmq's $from, our $to", async (row) => {
    const pairing = pairingOf(row.to, row.from);
    const them = await theirsOf(pairing);
    const first = await stage.oursOf(pairing);
    const endpoint = await first.bind(stage.endpoint(transport));
    await them.connect(endpoint);
    await travel(pairing, first, them, shapes, "any");
    await leave(first, endpoint);
    await them.events.next("disconnect");

    await them.send(queued, row.sent);
    const second = await stage.oursOf(pairing);
    await second.bind(endpoint);
    await arrives(second, them, row);
  });

  async function arrives(to: SocketParty, from: SocketParty, row: Row): Promise<void> {
    const { received = [], sent = [] } = row;
    if (row.to === "REP") {
      const [questions, answers] = await Promise.all([
        to.echo(queued.count),
        from.receive(queued.count, { before: sent }),
      ]);
      expect([questions, answers]).toEqual([expected(queued), expected(queued)]);
    } else {
      expect(await to.receive(queued.count, { before: received })).toEqual(expected(queued));
    }
  }
});

function pairingOf(ours: TypeName, theirs: TypeName): Pairing {
  return PAIRINGS.find((it) => it.ours === ours && it.theirs === theirs) as Pairing;
}

describe("a process that is killed", () => {
  it.each(
    PAIRINGS.filter(({ ours, theirs }) =>
      ["DEALER ROUTER", "ROUTER DEALER", "PUB SUB", "SUB PUB", "REP REQ", "PULL PUSH"].includes(
        `${ours} ${theirs}`,
      ),
    ),
  )("costs nothing but its connection: $name", async (pairing) => {
    const us = await stage.oursOf(pairing);
    const endpoint = await us.bind(stage.endpoint("tcp"));
    const mortal = await LibzmqPeer.start();
    const first = await theirsOf(pairing, mortal);
    await first.connect(endpoint);
    await travel(pairing, us, first, shapes, "any");
    await mortal.kill();
    await us.events.next("disconnect");

    const second = await theirsOf(pairing);
    await second.connect(endpoint);
    await travel(pairing, us, second, shapes, "any");
  });
});

describe.each(["SUB", "XSUB"] as const)("subscriptions of our %s", (type) => {
  const topic = (text: string): Buffer => Buffer.from(text);

  async function notices(xpub: SocketParty, count: number): Promise<string[]> {
    const list: string[] = [];
    while (list.length < count) list.push(String(await xpub.receiveParts()));
    return list.sort();
  }

  it.each(TRANSPORTS)("that changed meanwhile are told as they are then, %s", async (transport) => {
    const us = stage.ours(type);
    const first = await stage.theirs("XPUB");
    const endpoint = await first.bind(stage.endpoint(transport));
    await us.subscribe(topic("kept"));
    await us.subscribe(topic("cancelled"));
    await us.connect(endpoint);
    expect(await notices(first, 2)).toEqual(["\x01cancelled", "\x01kept"]);
    await leave(first, endpoint);
    await us.events.next("disconnect");

    await us.unsubscribe(topic("cancelled"));
    await us.subscribe(topic("new"));
    const second = await stage.theirs("XPUB");
    await second.bind(endpoint);
    expect(await notices(second, 2)).toEqual(["\x01kept", "\x01new"]);
    await us.subscribe(topic("later"));
    expect(await notices(second, 1)).toEqual(["\x01later"]);
  });
});

describe.each(["SUB", "XSUB"] as const)("our XPUB hears of libzmq's %s", (type) => {
  it.each(TRANSPORTS)("when it comes, goes and comes again, %s", async (transport) => {
    const us = stage.ours("XPUB");
    const endpoint = await us.bind(stage.endpoint(transport));
    for (let i = 0; i < 3; i++) {
      const them = await stage.theirs(type);
      await them.subscribe(Buffer.from("topic"));
      await them.connect(endpoint);
      expect(String(await us.receiveParts())).toBe("\x01topic");
      await them.close();
      expect(String(await us.receiveParts())).toBe("\x00topic");
    }
    expect(us.socket.stats().subscriptions).toBe(0);
  });
});

describe("questions", () => {
  it.each(TRANSPORTS)("asked while there is nobody are answered later, %s", async (transport) => {
    const us = stage.ours("REQ");
    const first = await stage.theirs("REP");
    const endpoint = await first.bind(stage.endpoint(transport));
    await us.connect(endpoint);
    const one = { count: 1, shapes };
    await Promise.all([us.ask(one), first.echo(1)]);
    await leave(first, endpoint);
    await us.events.next("disconnect");

    const answer = us.ask(one);
    const second = await stage.theirs("REP");
    await second.bind(endpoint);
    expect(await second.echo(1)).toEqual(expected(one));
    expect(await answer).toEqual(expected(one));
  });

  it.each(["binds", "connects"] as const)(
    "of a peer that left with one are asked anew by a relaxed REQ, which %s",
    async (role) => {
      const us = stage.ours("REQ", { relaxed: true, correlate: true });
      const first = await stage.theirs("REP");
      const here = role === "binds";
      const endpoint = here
        ? await us.bind(stage.endpoint("tcp"))
        : await first.bind(stage.endpoint("tcp"));
      if (here) await first.connect(endpoint);
      else await us.connect(endpoint);
      await us.sendParts("lost");
      expect(String(await first.receiveParts())).toBe("lost");
      await leave(first, here ? undefined : endpoint);
      await us.events.next("disconnect");

      const second = await stage.theirs("REP");
      if (here) await second.connect(endpoint);
      else await second.bind(endpoint);
      const batch = { count: 20, shapes };
      const [answers, questions] = await Promise.all([us.ask(batch), second.echo(20)]);
      expect([answers, questions]).toEqual([expected(batch), expected(batch)]);
    },
  );

  it("that was asked is not asked again of itself", async () => {
    const us = stage.ours("REQ");
    const first = await stage.theirs("ROUTER");
    const endpoint = await first.bind(stage.endpoint("tcp"));
    await us.connect(endpoint);
    await us.sendParts("once");
    await first.receiveParts();
    await leave(first, endpoint);
    await us.events.next("disconnect");
    const second = await stage.theirs("ROUTER");
    await second.bind(endpoint);
    await us.events.next("handshake");

    expect(() => us.socket.trySend("too early")).toThrow(expect.objectContaining({ code: "EFSM" }));
    expect(us.socket.tryReceive()).toBeUndefined();
    expect(us.socket.stats().send.messages).toBe(0);
  });

  it("whose asker is gone: the answer is dropped, the next one is served", async () => {
    const us = stage.ours("REP");
    const endpoint = await us.bind(stage.endpoint("tcp"));
    const first = await stage.theirs("REQ");
    await first.connect(endpoint);
    await first.sendParts("question");
    expect(String(await us.receiveParts())).toBe("question");
    await first.close();
    await us.events.next("disconnect");
    await us.sendParts("answer to nobody");
    expect(us.socket.stats().total.messagesDropped).toBe(1);

    const second = await stage.theirs("REQ");
    await second.connect(endpoint);
    const batch = { count: 20, shapes };
    const [answers] = await Promise.all([second.ask(batch), us.echo(20)]);
    expect(answers).toEqual(expected(batch));
  });
});

describe("our ROUTER", () => {
  it.each(TRANSPORTS)(
    "misses a peer, if mandatory, until it comes again, %s",
    async (transport) => {
      const us = stage.ours("ROUTER", { mandatory: true });
      const endpoint = await us.bind(stage.endpoint(transport));
      const other = await stage.theirs("DEALER", { routingId: "stays" });
      const first = await stage.theirs("DEALER", { routingId: "name" });
      for (const peer of [other, first]) {
        await peer.connect(endpoint);
        await peer.sendParts("here I am");
        await us.receiveParts();
      }
      await first.close();
      await until(() => us.socket.stats().peers.length === 1);
      const missing = expect.objectContaining({ code: "EHOSTUNREACH" });
      await expect(us.sendParts("name", "lost")).rejects.toEqual(missing);

      const second = await stage.theirs("DEALER", { routingId: "name" });
      await second.connect(endpoint);
      await second.sendParts("here I am again");
      expect((await us.receiveParts()).map(String)).toEqual(["name", "here I am again"]);
      await us.sendParts("name", "welcome");
      expect(String(await second.receiveParts())).toBe("welcome");
    },
  );

  it("drops and counts what is for a peer that is gone", async () => {
    const us = stage.ours("ROUTER");
    const endpoint = await us.bind(stage.endpoint("tcp"));
    const them = await stage.theirs("DEALER", { routingId: "name" });
    await them.connect(endpoint);
    await them.sendParts("here I am");
    await us.receiveParts();
    await them.close();
    await us.events.next("disconnect");
    for (let i = 0; i < 3; i++) await us.sendParts("name", "lost");
    expect(us.socket.stats().total.messagesDropped).toBe(3);
  });
});

/** A DEALER made of octets; its handshake with our ROUTER is done. */
async function namesake(endpoint: string): Promise<MockPeer> {
  const mock = await MockPeer.connect(endpoint);
  mocks.push(mock);
  mock.send(wire.greeting(), wire.ready({ "Socket-Type": "DEALER", Identity: "name" }));
  await mock.read(64);
  await mock.expect(wire.ready({ "Socket-Type": "ROUTER", Identity: "" }));
  return mock;
}

describe.each([
  { name: "waits until it is free", options: {} },
  { name: "takes it over, if it may", options: { handover: true } },
])("at our ROUTER a peer with the name of another", ({ name, options }) => {
  it(name, async () => {
    const us = stage.ours("ROUTER", options);
    const endpoint = await us.bind(stage.endpoint("tcp"));
    const first = await namesake(endpoint);
    first.send(wire.message("first"));
    expect((await us.receiveParts()).map(String)).toEqual(["name", "first"]);
    const second = await namesake(endpoint);
    second.send(wire.message("second"));
    await us.sendParts("name", "which one is it?");

    const [holder, other] = "handover" in options ? [second, first] : [first, second];
    await holder.expect(wire.message("which one is it?"));
    if (holder === first) first.close();
    expect((await us.receiveParts()).map(String)).toEqual(["name", "second"]);
    if (holder === second) expect(await other.gone()).toBe("end");
    await us.sendParts("name", "now it is the second");
    await second.expect(wire.message("now it is the second"));
  });
});

describe("a connector that queues for those who are there only", () => {
  it.each(["PUSH", "DEALER", "REQ"] as const)(
    "waits while there is nobody, and takes nothing along: our %s",
    async (type) => {
      const peer = type === "REQ" ? "ROUTER" : type === "PUSH" ? "PULL" : "DEALER";
      const us = stage.ours(type, { immediate: true });
      const first = await stage.theirs(peer);
      const endpoint = await first.bind(stage.endpoint("tcp"));
      await us.connect(endpoint);
      await us.writable(true);
      await leave(first, endpoint);
      await us.events.next("disconnect");
      expect(us.socket.trySend("nobody is there")).toBe(false);

      const sent = us.sendParts("somebody is there");
      const second = await stage.theirs(peer);
      await second.bind(endpoint);
      await sent;
      expect(String((await second.receiveParts()).at(-1))).toBe("somebody is there");
    },
  );
});
