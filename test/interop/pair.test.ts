import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { EventLog } from "../support/event-log.js";
import { LibzmqPeer } from "../support/libzmq-peer.js";
import { Pair } from "../support/ours.js";
import { type Batch, expected } from "../support/payload.mjs";
import type { PeerSocket } from "../support/peer-process.js";
import { until } from "../support/sockets.js";
import { Tap } from "../support/tap.js";
import { receive, send, sendUntilFull } from "../support/traffic.js";

const KB = 1024;
const MB = 1024 * KB;

type Transport = "tcp" | "ipc";
type Role = "binds" | "connects";

const COMBINATIONS: { role: Role; transport: Transport }[] = [
  { role: "binds", transport: "tcp" },
  { role: "binds", transport: "ipc" },
  { role: "connects", transport: "tcp" },
  { role: "connects", transport: "ipc" },
];

const TRANSPORTS: Transport[] = ["tcp", "ipc"];

let folder: string;
let paths = 0;
/** A peer that serves all tests which do not end it. */
let peer: LibzmqPeer;
let closing: (() => unknown)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "purezmq-"));
  peer = await LibzmqPeer.start();
});

afterAll(async () => {
  await peer.kill();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

function wildcard(transport: Transport): string {
  return transport === "tcp" ? "tcp://127.0.0.1:*" : `ipc://${join(folder, String(paths++))}`;
}

function ours(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
  const pair = new Pair({ linger: 0, ...options });
  closing.push(() => pair.close());
  return pair;
}

async function theirs(options: Record<string, number | boolean> = {}): Promise<PeerSocket> {
  const socket = await peer.open("Pair", { linger: 0, ...options });
  closing.push(() => socket.close());
  return socket;
}

/** A peer that a test may end, in whatever manner. */
async function mortal(): Promise<LibzmqPeer> {
  const process = await LibzmqPeer.start();
  closing.push(() => process.kill());
  return process;
}

/** Binds one of them and connects the other to it; their handshakes may still be on. */
async function join2(us: Pair, them: PeerSocket, role: Role, transport: Transport): Promise<void> {
  if (role === "binds") {
    await us.bind(wildcard(transport));
    await them.connect(us.lastEndpoint as string);
  } else {
    us.connect(await them.bind(wildcard(transport)));
  }
}

const BATCHES: { name: string; batch: Batch }[] = [
  { name: "0 B", batch: { count: 500, shapes: [[0]] } },
  { name: "1 B", batch: { count: 500, shapes: [[1]] } },
  { name: "255 B", batch: { count: 500, shapes: [[255]] } },
  { name: "256 B", batch: { count: 500, shapes: [[256]] } },
  { name: "8 KB", batch: { count: 500, shapes: [[8 * KB]] } },
  { name: "64 KB", batch: { count: 100, shapes: [[64 * KB]] } },
  { name: "1 MB", batch: { count: 20, shapes: [[MB]] } },
  { name: "64 MB", batch: { count: 1, shapes: [[64 * MB]] } },
  { name: "2 parts", batch: { count: 200, shapes: [[100, 1]] } },
  { name: "10 parts", batch: { count: 200, shapes: [Array(10).fill(50)] } },
  { name: "1000 parts", batch: { count: 20, shapes: [Array(1000).fill(9)] } },
  { name: "empty parts", batch: { count: 200, shapes: [[0, 0, 0], [0, 5], [5, 0], [0]] } },
  {
    name: "all sorts",
    batch: { count: 200, shapes: [[1], [300, 0, 255], [64 * KB], [0], [8 * KB, 256, 8 * KB]] },
  },
];

describe.each(COMBINATIONS)("ours $role, $transport", ({ role, transport }) => {
  it.each(BATCHES)("exchanges messages of $name", async ({ batch }) => {
    const us = ours();
    const them = await theirs();
    await join2(us, them, role, transport);

    const [there, , here] = await Promise.all([
      them.receive(batch.count),
      send(us, batch),
      receive(us, batch.count),
      them.send(batch),
    ]);
    expect(there).toEqual(expected(batch));
    expect(here).toEqual(expected(batch));
  });

  it("keeps the order of more messages than the high-water marks let wait", async () => {
    const us = ours({ sendHighWaterMark: 3, receiveHighWaterMark: 3 });
    const them = await theirs({ sendHighWaterMark: 3, receiveHighWaterMark: 3 });
    await join2(us, them, role, transport);
    const batch = { count: 2000, shapes: [[20], [2000, 3], [0, 4]] };

    const [there, , here] = await Promise.all([
      them.receive(batch.count),
      send(us, batch),
      receive(us, batch.count),
      them.send(batch),
    ]);
    expect(there).toEqual(expected(batch));
    expect(here).toEqual(expected(batch));
  });

  describe("a slow reader", () => {
    const batch: Batch = { count: 64, shapes: [[MB]] };
    // Marks of 2 and 2, a message half sent and one half received, and what the system keeps.
    const MOST = 40;
    const options = { sendHighWaterMark: 2, receiveHighWaterMark: 2 };

    it("of libzmq stops us, and then gets everything", async () => {
      const us = ours(options);
      const them = await theirs(options);
      await join2(us, them, role, transport);

      const { sent, full } = await sendUntilFull(us, batch, 500);
      expect(full).toBe(true);
      expect(sent).toBeGreaterThanOrEqual(2);
      expect(sent).toBeLessThan(MOST);

      const rest = { ...batch, from: sent, count: batch.count - sent };
      const [there] = await Promise.all([them.receive(batch.count), send(us, rest)]);
      expect(there).toEqual(expected(batch));
    });

    it("of ours stops libzmq, and then gets everything", async () => {
      const us = ours(options);
      const them = await theirs(options);
      await join2(us, them, role, transport);

      const { sent, full } = await them.sendUntilFull(batch, 500);
      expect(full).toBe(true);
      expect(sent).toBeGreaterThanOrEqual(2);
      expect(sent).toBeLessThan(MOST);

      const rest = { ...batch, from: sent, count: batch.count - sent };
      const [here] = await Promise.all([receive(us, batch.count), them.send(rest)]);
      expect(here).toEqual(expected(batch));
    });
  });
});

describe.each(TRANSPORTS)("reconnect, %s", (transport) => {
  const before: Batch = { count: 10, shapes: [[100]] };
  const queued: Batch = { from: 1000, count: 200, shapes: [[100], [3000, 4]] };
  const after: Batch = { from: 2000, count: 10, shapes: [[100]] };

  it("of ours to a libzmq that was killed; what we queued meanwhile arrives", async () => {
    const us = ours();
    const events = EventLog.of(us);
    const first = await mortal();
    const them = await first.open();
    const endpoint = await them.bind(wildcard(transport));
    us.connect(endpoint);
    await send(us, before);
    expect(await them.receive(before.count)).toEqual(expected(before));

    await first.kill();
    await events.next("disconnect");
    await send(us, queued);

    const second = await (await mortal()).open();
    await second.bind(endpoint);
    expect(await second.receive(queued.count)).toEqual(expected(queued));
    await second.send(after);
    expect(await receive(us, after.count)).toEqual(expected(after));
  });

  it("of ours, started before its libzmq", async () => {
    const them = await theirs();
    const endpoint = await them.bind(wildcard(transport));
    await them.unbind(endpoint);
    const us = ours();
    const events = EventLog.of(us);
    us.connect(endpoint);
    await send(us, queued);
    await events.next("connect:retry");

    await them.bind(endpoint);
    expect(await them.receive(queued.count)).toEqual(expected(queued));
  });

  it("of libzmq to ours that was restarted; what libzmq queued meanwhile arrives", async () => {
    const first = ours();
    const them = await theirs();
    await first.bind(wildcard(transport));
    const endpoint = first.lastEndpoint as string;
    await them.connect(endpoint);
    await them.send(before);
    expect(await receive(first, before.count)).toEqual(expected(before));

    first.close();
    await them.events.next("disconnect");
    await them.send(queued);

    const second = ours();
    await second.bind(endpoint);
    expect(await receive(second, queued.count)).toEqual(expected(queued));
    await send(second, after);
    expect(await them.receive(after.count)).toEqual(expected(after));
  });

  it("of ours, restarted, to the same libzmq", async () => {
    const first = ours();
    const them = await theirs();
    const endpoint = await them.bind(wildcard(transport));
    first.connect(endpoint);
    await send(first, before);
    expect(await them.receive(before.count)).toEqual(expected(before));

    first.close();
    await them.writable(false);

    const second = ours();
    second.connect(endpoint);
    await send(second, queued);
    expect(await them.receive(queued.count)).toEqual(expected(queued));
    await them.send(after);
    expect(await receive(second, after.count)).toEqual(expected(after));
  });

  it("of libzmq, restarted, to the same ours, which then reads what both have sent", async () => {
    const us = ours();
    const events = EventLog.of(us);
    await us.bind(wildcard(transport));
    const endpoint = us.lastEndpoint as string;
    const first = await mortal();
    const them = await first.open();
    await them.connect(endpoint);
    await them.send(before);
    // A libzmq that is closed before its handshake is done sends none of them.
    await until(() => us.readable);
    await first.end();
    await events.next("disconnect");

    const second = await (await mortal()).open();
    await second.connect(endpoint);
    await events.next("handshake");
    await second.send(queued);
    expect(await receive(us, before.count)).toEqual(expected(before));
    expect(await receive(us, queued.count)).toEqual(expected(queued));
    await send(us, after);
    expect(await second.receive(after.count)).toEqual(expected(after));
  });
});

describe("a wire that is cut", () => {
  const batch: Batch = { count: 200, shapes: [[64 * KB]] };

  it("costs a connecting socket of ours what was under way, and nothing twice", async () => {
    const us = ours();
    const them = await theirs();
    const tap = await Tap.to(await them.bind("tcp://127.0.0.1:*"));
    closing.push(() => tap.close());
    us.connect(tap.endpoint);
    await send(us, { count: 1, shapes: [[64 * KB]] });
    await them.receive(1);

    tap.hold();
    await send(us, { ...batch, from: 1 });
    tap.cut();
    // The slot of libzmq's PAIR is free once it has been looked at.
    await them.writable(false);
    const { sequence } = await them.receiveThrough(batch.count);

    const gaps = sequence.filter((n, i) => n !== (i === 0 ? 1 : (sequence[i - 1] as number) + 1));
    expect(gaps.length, `the messages ${sequence.join(" ")}`).toBeLessThanOrEqual(1);
    expect(sequence).toEqual([...new Set(sequence)].sort((a, b) => Number(a) - Number(b)));
    // The system's buffers hold a few MB, ours no more than one write.
    expect(sequence.length).toBeGreaterThan(50);
  });
});

describe("heartbeats", () => {
  it("of ours are answered by libzmq, and the connection lives", async () => {
    const us = ours({ heartbeatInterval: 50 });
    const events = EventLog.of(us);
    const them = await theirs();
    const tap = await Tap.to(await them.bind("tcp://127.0.0.1:*"));
    closing.push(() => tap.close());
    us.connect(tap.endpoint);

    await tap.seen("out", "\x04PING", 5);
    await tap.seen("back", "\x04PONG", 5);
    expect(events.types).not.toContain("disconnect");
    const batch = { count: 10, shapes: [[10]] };
    await send(us, batch);
    expect(await them.receive(batch.count)).toEqual(expected(batch));
  });

  it("of libzmq are answered by ours, and the connection lives", async () => {
    const us = ours();
    const events = EventLog.of(us);
    const them = await theirs({ heartbeatInterval: 50, heartbeatTimeToLive: 1000 });
    await us.bind("tcp://127.0.0.1:*");
    const tap = await Tap.to(us.lastEndpoint as string);
    closing.push(() => tap.close());
    await them.connect(tap.endpoint);

    await tap.seen("out", "\x04PING", 5);
    await tap.seen("back", "\x04PONG", 5);
    expect(events.types).not.toContain("disconnect");
    expect(tap.times("back", "\x04PING")).toBe(0);
    const batch = { count: 10, shapes: [[10]] };
    await them.send(batch);
    expect(await receive(us, batch.count)).toEqual(expected(batch));
  });

  it("of libzmq are answered by ours while nobody reads its messages", async () => {
    const us = ours();
    const them = await theirs({ heartbeatInterval: 50 });
    await us.bind("tcp://127.0.0.1:*");
    const tap = await Tap.to(us.lastEndpoint as string);
    closing.push(() => tap.close());
    await them.connect(tap.endpoint);
    const batch = { count: 100, shapes: [[10]] };
    await them.send(batch);

    await tap.seen("back", "\x04PONG", 5);
    expect(them.events.types).not.toContain("disconnect");
    expect(await receive(us, batch.count)).toEqual(expected(batch));
  });

  it.each(COMBINATIONS)(
    "that a stopped libzmq does not answer end the connection ($transport, ours $role), until it goes on",
    async ({ role, transport }) => {
      const process = await mortal();
      const them = await process.open();
      const us = ours({ heartbeatInterval: 100, heartbeatTimeout: 300 });
      const events = EventLog.of(us);
      await join2(us, them, role, transport);
      await events.next("handshake");

      process.suspend();
      await events.next("disconnect");
      process.resume();
      await events.next("handshake");
      // A PAIR of libzmq that is bound may not have noticed the end of the first connection when
      // the second comes, and never serves that one then. It does when it connects itself.
      if (role === "connects") return;
      const batch = { count: 10, shapes: [[10]] };
      await them.send(batch);
      expect(await receive(us, batch.count)).toEqual(expected(batch));
    },
  );
});

describe("a second peer of a PAIR of ours", () => {
  interface Client {
    connect(endpoint: string): Promise<void>;
    send(batch: Batch): Promise<void>;
    receive(count: number): Promise<unknown>;
    close(): Promise<void>;
    events: EventLog;
  }

  async function client(kind: "ours" | "libzmq"): Promise<Client> {
    if (kind === "libzmq") return theirs();
    const pair = ours();
    return {
      connect: async (endpoint) => pair.connect(endpoint),
      send: (batch) => send(pair, batch),
      receive: (count) => receive(pair, count),
      close: async () => pair.close(),
      events: EventLog.of(pair),
    };
  }

  const holding: Batch = { from: 5000, count: 10, shapes: [[10]] };
  const waiting = (count: number): Batch => ({ count, shapes: [[10], [3000, 5]] });

  async function occupied(holder: Client, transport: Transport): Promise<[Pair, string]> {
    const us = ours();
    await us.bind(wildcard(transport));
    const endpoint = us.lastEndpoint as string;
    await holder.connect(endpoint);
    await holder.send(holding);
    expect(await receive(us, holding.count)).toEqual(expected(holding));
    return [us, endpoint];
  }

  describe.each([
    { holder: "libzmq", waiter: "libzmq" },
    { holder: "libzmq", waiter: "ours" },
    { holder: "ours", waiter: "libzmq" },
  ] as const)("($waiter after $holder)", ({ holder: first, waiter: second }) => {
    it.each(
      TRANSPORTS.flatMap((transport) => [
        { transport, count: 20, when: "before it is turned away" },
        { transport, count: 200, when: "before it is turned away" },
        { transport, count: 200, when: "after it was turned away" },
      ]),
    )("gets the slot $when, its $count messages are whole, $transport", async (row) => {
      const [holder, waiter] = [await client(first), await client(second)];
      const [us, endpoint] = await occupied(holder, row.transport);
      await waiter.connect(endpoint);
      await waiter.send(waiting(row.count));
      await waiter.events.next("connect");
      if (row.when.startsWith("after")) await waiter.events.next("disconnect");
      await holder.send(holding);

      await holder.close();
      expect(await receive(us, holding.count)).toEqual(expected(holding));
      expect(await receive(us, row.count)).toEqual(expected(waiting(row.count)));
      await send(us, holding);
      expect(await waiter.receive(holding.count)).toEqual(expected(holding));
    });

    it.each(TRANSPORTS)(
      "is not heard while there is a first, nor when it leaves, %s",
      async (transport) => {
        const [holder, waiter] = [await client(first), await client(second)];
        const [us, endpoint] = await occupied(holder, transport);
        await waiter.connect(endpoint);
        await waiter.send(waiting(20));
        await waiter.events.next("connect");
        await waiter.close();

        await holder.send(holding);
        expect(await receive(us, holding.count)).toEqual(expected(holding));
        await send(us, holding);
        expect(await holder.receive(holding.count)).toEqual(expected(holding));
        expect(waiter.events.types).not.toContain("handshake");
      },
    );
  });
});
