import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { Pair } from "../../src/socket/pair.js";
import { EventLog } from "../support/event-log.js";
import { RawPeer, RawServer } from "../support/raw-peer.js";
import { Sockets, until } from "../support/sockets.js";
import { concat, frame, greeting, message, ping, ready } from "../support/wire.js";

// Unfinished messages may hold 2 GiB a socket, and only gigabytes would fill that: here it is less.
const LIMIT = vi.hoisted(() => 100_000);

vi.mock("../../src/zmtp/limits.js", async (importOriginal) => {
  const limits = await importOriginal<typeof import("../../src/zmtp/limits.js")>();
  class Budget extends limits.Budget {
    constructor(limit: number) {
      super(limit === 2 ** 31 ? LIMIT : limit);
    }
  }
  return { ...limits, Budget };
});

const sockets = new Sockets();
let closing: (() => void)[] = [];

afterEach(async () => {
  for (const close of closing) close();
  closing = [];
  await sockets.close();
});
afterAll(() => sockets.end());

const HELLO = concat(greeting(), ready());

/** The start of a handshake that is about to hold `size` octets. */
const halfway = (size: number) => concat(greeting(), frame("x", { command: true, size }));
/** A part that holds `size` octets, and as much as a part costs. */
const part = (size: number) => frame("x".repeat(size), { more: true });

async function bound(): Promise<{ pair: Pair; endpoint: string; events: EventLog }> {
  const pair = sockets.pair({ receiveTimeout: 10_000 });
  await pair.bind("tcp://127.0.0.1:*");
  return { pair, endpoint: pair.lastEndpoint as string, events: EventLog.of(pair) };
}

/** A peer that comes and says `octets`. */
async function comes(endpoint: string, ...octets: Uint8Array[]): Promise<RawPeer> {
  const peer = await RawPeer.connect(endpoint);
  closing.push(() => peer.socket.destroy());
  peer.socket.write(concat(...octets));
  return peer;
}

/** A peer that we connect to. */
async function called(pair: Pair): Promise<RawPeer> {
  const server = await RawServer.open();
  closing.push(() => server.close());
  pair.connect(server.endpoint);
  await until(() => server.peers.length === 1);
  return server.peers[0] as RawPeer;
}

const holds = (pair: Pair, size: number) => until(() => pair.stats().assemblyBytes === size);

async function refused(peer: RawPeer, events: EventLog): Promise<void> {
  const { error } = await events.next("handshake:error:protocol");
  expect(error?.code).toBe("ERR_ZMTP_ASSEMBLY_LIMIT");
  await until(() => peer.ended);
}

describe("what unfinished messages hold is bounded for all peers of a socket together", () => {
  it("to the octet; what one gives back, another may have", async () => {
    const { pair, endpoint, events } = await bound();
    const peers: RawPeer[] = [];
    for (let i = 1; i <= 10; i++) {
      peers.push(await comes(endpoint, halfway(LIMIT / 10)));
      await holds(pair, (i * LIMIT) / 10);
    }
    await refused(await comes(endpoint, halfway(2)), events);
    peers[0]?.socket.destroy();
    await holds(pair, (9 * LIMIT) / 10);
    await comes(endpoint, halfway(2));
    await holds(pair, (9 * LIMIT) / 10 + 2);
    expect(peers.slice(1).filter(({ ended }) => ended)).toEqual([]);
  });

  it.each([
    ["came", ({ endpoint }: { endpoint: string }) => comes(endpoint, HELLO)],
    ["we connected to", ({ pair }: { pair: Pair }) => called(pair)],
  ])("one that %s goes on where another is refused", async (_, meet) => {
    const { pair, endpoint, events } = await bound();
    const peer = await meet({ pair, endpoint });
    peer.socket.write(part(60_000));
    await holds(pair, 60_128);
    await refused(await comes(endpoint, halfway(50_000)), events);
    expect(pair.stats()).toMatchObject({ assemblyBytes: 60_128, peers: [{ connected: true }] });
    peer.socket.write(message("end"));
    expect((await pair.receive()).map(({ length }) => length)).toEqual([60_000, 3]);
    await comes(endpoint, halfway(50_000));
    await holds(pair, 50_000);
  });

  it("the one that asks for too much is refused, and be it the one with the place", async () => {
    const { pair, endpoint, events } = await bound();
    const peer = await comes(endpoint, HELLO);
    await events.next("handshake");
    const others: RawPeer[] = [];
    for (const size of [45_000, 45_000]) others.push(await comes(endpoint, halfway(size)));
    await holds(pair, 90_000);
    peer.socket.write(part(20_000));
    await refused(peer, events);
    expect(pair.stats().assemblyBytes).toBe(90_000);
    expect(others.filter(({ ended }) => ended)).toEqual([]);
    await comes(endpoint, HELLO, message("next"));
    expect(String(await pair.receive())).toBe("next");
  });

  it("another socket has its own", async () => {
    for (const { pair, endpoint } of [await bound(), await bound()]) {
      const peer = await comes(endpoint, HELLO, part(60_000), ping());
      // Who hears a PONG has not been refused.
      await until(() => peer.commands.includes("PONG"));
      expect(pair.stats().assemblyBytes).toBe(60_128);
    }
  });
});
