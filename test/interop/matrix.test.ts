import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { isCompatible } from "../../src/zmtp/socket-type.js";
import { batchOf, PAIRINGS, SHAPES, travel } from "../support/matrix-flows.js";
import { type SocketParty, TYPES } from "../support/matrix-party.js";
import { Stage } from "../support/matrix-stage.js";
import { expected, messages } from "../support/payload.mjs";
import type { Transport } from "../support/sockets.js";

const ROLES = ["binds", "connects"] as const;
const TRANSPORTS: Transport[] = ["tcp", "ipc"];

const WAYS = ROLES.flatMap((role) =>
  TRANSPORTS.flatMap((transport) =>
    SHAPES.map(({ name, shapes }) => ({ role, transport, name, shapes })),
  ),
);

const stage = new Stage();
beforeAll(() => stage.start());
afterEach(() => stage.close());
afterAll(() => stage.end());

it("has every pair of types that may talk to each other", () => {
  const zmtp = TYPES.filter((type) => type !== "STREAM");
  const legal = zmtp.flatMap((one) =>
    zmtp.filter((other) => isCompatible(one, other)).map((other) => [one, other]),
  );
  const there = PAIRINGS.map(({ ours, theirs }) => [ours, theirs]);
  expect(there.sort()).toEqual(legal.sort());
});

describe.each(PAIRINGS)("$name", (pairing) => {
  it.each(WAYS)("exchange $name messages, ours $role, $transport", async (way) => {
    const us = await stage.oursOf(pairing);
    const them = await stage.theirsOf(pairing);
    if (way.role === "binds") await stage.join(way.transport, us, them);
    else await stage.join(way.transport, them, us);
    await travel(pairing, us, them, way.shapes);
  });
});

describe.each(ROLES)("two peers take turns, ours %s", (role) => {
  it.each([
    { type: "PUSH" as const, peer: "PULL" as const },
    { type: "DEALER" as const, peer: "DEALER" as const },
    { type: "REQ" as const, peer: "REP" as const },
  ])("our $type, libzmq's $peer", async ({ type, peer }) => {
    const us = stage.ours(type);
    const peers = [await stage.theirs(peer), await stage.theirs(peer)];
    const endpoint = role === "binds" ? await us.bind(stage.endpoint("tcp")) : "";
    for (const them of peers) {
      if (role === "binds") await them.connect(endpoint);
      else await us.connect(await them.bind(stage.endpoint("tcp")));
      await us.events.next("handshake");
    }
    const batch = { count: 20, shapes: [[8]] };
    const [sequences] = await Promise.all([
      Promise.all(peers.map((them) => (type === "REQ" ? them.echo(10) : them.receive(10)))),
      type === "REQ" ? us.ask(batch) : us.send(batch),
    ]);
    const numbers = sequences.map(({ sequence }) => sequence);
    const even = Array.from({ length: 10 }, (_, i) => 2 * i);
    expect(numbers.sort((one, other) => Number(one[0]) - Number(other[0]))).toEqual([
      even,
      even.map((n) => n + 1),
    ]);
  });
});

describe.each(ROLES)("peers without a name, ours %s", (role) => {
  const { shapes } = SHAPES[1] as (typeof SHAPES)[number];

  async function join(us: SocketParty, them: SocketParty): Promise<void> {
    if (role === "binds") await stage.join("tcp", us, them);
    else await stage.join("tcp", them, us);
  }

  it.each([
    { type: "DEALER" as const, before: [] },
    { type: "REQ" as const, before: [""] },
  ])("get one from our ROUTER: a $type", async ({ type, before }) => {
    const us = stage.ours("ROUTER");
    const them = await stage.theirs(type);
    await join(us, them);
    await them.sendParts("what am I called?");
    const [id, ...rest] = await us.receiveParts();
    expect(id).toEqual(madeUp);
    expect(rest.map(String)).toEqual([...before, "what am I called?"]);
    await us.sendParts(id as Buffer, ...before, "that");
    expect((await them.receiveParts()).map(String)).toEqual(["that"]);
    const [echoed, answers] = await Promise.all([
      us.echo(20, [id as Buffer, ...before]),
      them.ask(batchOf(shapes)),
    ]);
    expect([echoed, answers]).toEqual([expected(batchOf(shapes)), expected(batchOf(shapes))]);
  });

  it.each(["DEALER", "REQ"] as const)("get one from libzmq's ROUTER: our %s", async (type) => {
    const us = stage.ours(type);
    const them = await stage.theirs("ROUTER");
    await join(us, them);
    const before = type === "REQ" ? [null, ""] : [null];
    const [echoed, answers] = await Promise.all([them.echo(20, before), us.ask(batchOf(shapes))]);
    expect([echoed, answers]).toEqual([expected(batchOf(shapes)), expected(batchOf(shapes))]);
  });
});

const madeUp = expect.toSatisfy((id: Buffer) => id.length === 5 && id[0] === 0);

describe("a name that the ROUTER gives as it connects", () => {
  it("is ours for a DEALER of libzmq's", async () => {
    const us = stage.ours("ROUTER", { mandatory: true });
    const them = await stage.theirs("DEALER", { routingId: "itself" });
    await us.connect(await them.bind("tcp://127.0.0.1:*"), { routingId: "as we say" });
    await us.sendParts("as we say", "hello");
    expect((await them.receiveParts()).map(String)).toEqual(["hello"]);
    await them.sendParts("hello back");
    expect((await us.receiveParts()).map(String)).toEqual(["as we say", "hello back"]);
  });

  it("is libzmq's for a DEALER of ours", async () => {
    const us = stage.ours("DEALER", { routingId: "itself" });
    const them = await stage.theirs("ROUTER", { mandatory: true });
    await them.connect(await us.bind("tcp://127.0.0.1:*"), { routingId: "as it says" });
    await them.sendParts("as it says", "hello");
    expect((await us.receiveParts()).map(String)).toEqual(["hello"]);
    await us.sendParts("hello back");
    expect((await them.receiveParts()).map(String)).toEqual(["as it says", "hello back"]);
  });
});

describe.each(ROLES)("our STREAM and libzmq's STREAM, ours %s", (role) => {
  /** Both are connected, and have been told so. */
  async function joined(): Promise<{ us: Named; them: Named }> {
    const us = stage.ours("STREAM");
    const them = await stage.theirs("STREAM");
    if (role === "binds") await stage.join("tcp", us, them);
    else await stage.join("tcp", them, us);
    return { us: await greeted(us), them: await greeted(them) };
  }

  interface Named {
    party: SocketParty;
    /** Of the other one. */
    id: Buffer;
  }

  async function greeted(party: SocketParty): Promise<Named> {
    const [id, octets] = await party.receiveParts();
    expect(id).toEqual(madeUp);
    expect(octets).toHaveLength(0);
    return { party, id: id as Buffer };
  }

  async function stream(one: Named, other: Named): Promise<void> {
    const batch = batchOf(SHAPES[0]?.shapes ?? []);
    const octets = Buffer.concat([...messages(batch)].flat());
    const [received] = await Promise.all([
      other.party.receiveOctets(other.id, octets.length),
      one.party.send(batch, [one.id]),
    ]);
    expect(received.equals(octets)).toBe(true);
  }

  it("exchange octets", async () => {
    const { us, them } = await joined();
    await Promise.all([stream(us, them), stream(them, us)]);
  });

  it("the connection that we close ends, after all that was sent", async () => {
    const { us, them } = await joined();
    await us.party.sendParts(us.id, "bye");
    await us.party.sendParts(us.id, "");
    expect(String(await them.party.receiveOctets(them.id, 3))).toBe("bye");
    expect(await them.party.receiveParts()).toEqual([them.id, Buffer.alloc(0)]);
  });

  it(`the connection that libzmq closes ends${role === "binds" ? "" : ", and is made anew"}`, async () => {
    const { us, them } = await joined();
    await them.party.sendParts(them.id, "");
    // Somebody has to look at a socket of libzmq's for it to go on.
    const next = them.party.receiveParts();
    expect(await us.party.receiveParts()).toEqual([us.id, Buffer.alloc(0)]);
    if (role === "binds") {
      next.catch(() => {});
      await expect(us.party.sendParts(us.id, "lost")).rejects.toThrow("Host unreachable");
    } else {
      const [id] = await next;
      await us.party.sendParts(us.id, "again");
      expect(String(await them.party.receiveOctets(id as Buffer, 5))).toBe("again");
    }
  });
});
