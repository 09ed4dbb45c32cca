import { createConnection, Socket as Stream } from "node:net";
import { networkInterfaces } from "node:os";
import {
  afterAll,
  afterEach,
  beforeEach,
  describe,
  expect,
  it,
  type MockInstance,
  vi,
} from "vitest";
import * as npm from "zeromq";
import type { Event } from "../../src/events.js";
import { OPTIONS, OptionStore } from "../../src/options.js";
import { Door } from "../../src/socket/door.js";
import { Pull } from "../../src/socket/pull.js";
import { EventLog } from "../support/event-log.js";
import { RawPeer } from "../support/raw-peer.js";
import { Sockets, turns, until } from "../support/sockets.js";
import { message } from "../support/wire.js";

// Who is let in at a bound endpoint, and what becomes of who is not.
const sockets = new Sockets();
let peers: RawPeer[] = [];
let warn: MockInstance<typeof process.emitWarning>;

beforeEach(() => {
  warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const { socket } of peers) socket.destroy();
  peers = [];
  await sockets.close();
});
afterAll(() => sockets.end());

type Options = ConstructorParameters<typeof Pull>[0];

interface Server {
  pull: Pull;
  endpoint: string;
  events: Event[];
}

async function server(options: Options = {}, endpoint = "tcp://127.0.0.1:*"): Promise<Server> {
  const pull = sockets.open(new Pull(options));
  await pull.bind(endpoint);
  const events: Event[] = [];
  const observed = pull.events;
  void (async () => {
    for await (const event of observed) events.push(event);
  })();
  return { pull, endpoint: pull.lastEndpoint as string, events };
}

/** Comes, and says all that it has to say in a handshake, unless it is silent. */
async function come(endpoint: string, silent = false): Promise<RawPeer> {
  const peer = await RawPeer.connect(endpoint);
  peers.push(peer);
  if (!silent) peer.greet("PUSH");
  return peer;
}

/** Comes in, with its handshake done. */
async function comeIn(endpoint: string): Promise<RawPeer> {
  const peer = await come(endpoint);
  await until(() => peer.commands.includes("READY"));
  return peer;
}

/** Comes, is closed and has heard nothing. */
async function isRefused(endpoint: string): Promise<RawPeer> {
  const peer = await come(endpoint);
  await until(() => peer.ended);
  expect(peer.size).toBe(0);
  return peer;
}

async function speaks(peer: RawPeer, pull: Pull): Promise<void> {
  peer.socket.write(message("in"));
  expect(String(await pull.receive())).toBe("in");
}

const count = (events: Event[], type: Event["type"]): number =>
  events.filter((event) => event.type === type).length;

const outside = ["127.0.0.2", "10.0.0.0/8", "::1/128"];

describe("tcpAcceptFilter", () => {
  it("a peer that it does not hold is closed unheard, told of, and counted", async () => {
    const { pull, endpoint, events } = await server({ tcpAcceptFilter: outside });
    const peer = await come(endpoint);
    const { localPort } = peer.socket;
    await until(() => peer.ended);
    expect(peer.size).toBe(0);
    expect(events).toEqual([
      {
        type: "accept:error",
        address: endpoint,
        error: expect.objectContaining({
          code: "EACCES",
          address: endpoint,
          message: "Permission denied: tcpAcceptFilter does not hold 127.0.0.1",
        }),
      },
    ]);
    expect((events[0] as { peerAddress?: string }).peerAddress).toBe(
      `tcp://127.0.0.1:${localPort}`,
    );
    expect(pull.stats()).toMatchObject({ connectionsRefused: 1, peers: [] });
  });

  it.each([
    ["a list", ["10.0.0.0/8", "127.0.0.0/8"]],
    ["a text", "127.0.0.1/32"],
    ["a buffer", Buffer.from("127.0.0.1") as unknown as string],
    ["no list at all", null],
    ["an empty list", []],
  ])("lets in whom it holds: %s", async (_, tcpAcceptFilter) => {
    const { pull, endpoint, events } = await server({ tcpAcceptFilter });
    await speaks(await comeIn(endpoint), pull);
    expect([count(events, "accept"), pull.stats().connectionsRefused]).toEqual([1, 0]);
  });

  it("texts add up, a list takes their place, null lets everyone in", async () => {
    const { pull, endpoint } = await server();
    const filters: [string | string[] | null, boolean][] = [
      ["10.0.0.0/8", false],
      ["127.0.0.1", true],
      [["10.0.0.0/8"], false],
      [null, true],
      ["127.0.0.2", false],
      [[], true],
    ];
    for (const [filter, isIn] of filters) {
      pull.tcpAcceptFilter = filter;
      await (isIn ? comeIn(endpoint) : isRefused(endpoint));
    }
    expect(pull.stats().connectionsRefused).toBe(3);
  });

  it("holds at once for who comes to what is bound, without a warning; who has come stays", async () => {
    const { pull, endpoint } = await server();
    const early = await comeIn(endpoint);
    pull.tcpAcceptFilter = outside;
    await isRefused(endpoint);
    await speaks(early, pull);
    expect(warn).not.toHaveBeenCalled();
  });

  it("is no matter of ipc", async () => {
    const { pull, endpoint } = await server({ tcpAcceptFilter: outside }, sockets.endpoint("ipc"));
    await speaks(await comeIn(endpoint), pull);
  });

  /** Where the machine has no IPv6, no peer comes as an IPv6 address. */
  const hasIPv6 = Object.values(networkInterfaces()).some((addresses = []) =>
    addresses.some(({ address }) => address === "::1"),
  );

  it("judges an IPv4 peer of an IPv6 endpoint as IPv4", async () => {
    if (!hasIPv6) return;
    const { pull, endpoint } = await server({ ipv6: true }, "tcp://*:*");
    for (const [filter, isIn] of [
      ["::/0", false],
      ["10.0.0.0/8", false],
      ["127.0.0.0/8", true],
      ["::ffff:127.0.0.0/104", true],
    ] as const) {
      pull.tcpAcceptFilter = [filter];
      await (isIn ? comeIn(endpoint) : isRefused(endpoint));
    }
  });

  it("refuses over tcp whose address cannot be told, unless everyone is let in", () => {
    const options = new OptionStore(new Map(OPTIONS.map((spec) => [spec.id, spec])));
    const refusal = (endpoint: string) => new Door(options, endpoint).refusal(new Stream(), 0);
    expect(refusal("tcp://127.0.0.1:5555")).toBeUndefined();
    options.set(38, "String", ["0.0.0.0/0", "::/0"]);
    expect(refusal("tcp://127.0.0.1:5555")?.code).toBe("EACCES");
    expect(refusal("ipc://path")).toBeUndefined();
  });

  it.each([
    ["ours", () => sockets.pair({ reconnectInterval: 1 })],
    ["npm zeromq's", () => new npm.Pair({ linger: 0, reconnectInterval: 1 })],
  ])("%s that was refused comes again, and loses nothing", async (_, make) => {
    const one = sockets.pair({ tcpAcceptFilter: outside });
    await one.bind("tcp://127.0.0.1:*");
    const log = EventLog.of(one);
    const other = make();
    other.connect(one.lastEndpoint as string);
    await other.send("patience");
    for (let i = 0; i < 3; i++) await log.next("accept:error");
    one.tcpAcceptFilter = null;
    expect(String(await one.receive())).toBe("patience");
    other.close();
  });

  it("leaves no handle behind, however many are refused", async () => {
    const { pull, endpoint } = await server({ tcpAcceptFilter: outside });
    const handles = () =>
      process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    const before = handles();
    for (let i = 0; i < 200; i++) await isRefused(endpoint);
    for (const { socket } of peers) socket.destroy();
    await until(() => handles() === before);
    expect(pull.stats()).toMatchObject({ connectionsRefused: 200, peers: [] });
  });
});

describe.each(["tcp", "ipc"] as const)("maxConnections over %s", (transport) => {
  it("what comes beyond is closed unheard, told of, and counted, until somebody goes", async () => {
    const { pull, endpoint, events } = await server(
      { maxConnections: 3 },
      sockets.endpoint(transport),
    );
    const [first] = [await comeIn(endpoint), await come(endpoint, true), await comeIn(endpoint)];
    for (let i = 0; i < 2; i++) await isRefused(endpoint);
    const error = expect.objectContaining({
      code: "ECONNREFUSED",
      message: "Too many connections: maxConnections is 3",
    });
    const refusals = events.filter(({ type }) => type === "accept:error");
    expect(refusals).toEqual(Array(2).fill({ type: "accept:error", address: endpoint, error }));
    expect(count(events, "accept")).toBe(3);
    expect(pull.stats()).toMatchObject({ connectionsRefused: 2, peers: { length: 3 } });
    first?.socket.destroy();
    await until(() => pull.stats().peers.length === 2);
    await speaks(await comeIn(endpoint), pull);
    await isRefused(endpoint);
  });

  it("a process warning tells of the first", async () => {
    const { endpoint } = await server({ maxConnections: 1 }, sockets.endpoint(transport));
    await comeIn(endpoint);
    expect(warn).not.toHaveBeenCalled();
    for (let i = 0; i < 3; i++) await isRefused(endpoint);
    expect(warn.mock.calls).toEqual([
      [`${endpoint} has 1 connections and refuses more. See the option maxConnections.`],
    ]);
  });

  it("each endpoint has as many", async () => {
    const { pull, endpoint } = await server({ maxConnections: 1 }, sockets.endpoint(transport));
    await pull.bind(sockets.endpoint(transport));
    for (const each of [endpoint, pull.lastEndpoint as string]) {
      await comeIn(each);
      await isRefused(each);
    }
  });
});

describe("maxConnections", () => {
  it("counts peers that were refused and do not hang up, until they are made to", async () => {
    // They have a second: here they have until the test says so.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { pull, endpoint } = await server({ maxConnections: 1, authenticate: () => false });
      const socket = createConnection({
        port: Number(new URL(endpoint).port),
        allowHalfOpen: true,
      });
      const peer = new RawPeer(socket);
      peers.push(peer);
      peer.greet("PUSH");
      await until(() => peer.ended);
      expect([peer.commands, pull.stats().peers]).toEqual([["ERROR"], []]);
      await isRefused(endpoint);
      vi.advanceTimersByTime(1000);
      await turns(5);
      const next = await come(endpoint);
      await until(() => next.commands.includes("ERROR"));
    } finally {
      vi.useRealTimers();
    }
  });

  it("holds at once, without closing who has come; 0 is no bound", async () => {
    const { pull, endpoint } = await server();
    const early = [await comeIn(endpoint), await comeIn(endpoint)];
    pull.maxConnections = 1;
    await isRefused(endpoint);
    for (const peer of early) await speaks(peer, pull);
    pull.maxConnections = 0;
    await speaks(await comeIn(endpoint), pull);
  });
});

describe("maxHandshakes", () => {
  it("bounds who has not done the handshake: the oldest goes when the next one comes", async () => {
    const { pull, endpoint, events } = await server({ maxHandshakes: 2 });
    for (let i = 0; i < 5; i++) await comeIn(endpoint);
    const [first, second] = [await come(endpoint, true), await come(endpoint, true)];
    await until(() => pull.stats().peers.length === 7);
    expect(events.filter(({ type }) => type === "accept:error")).toEqual([]);
    const { localPort } = first.socket;
    const third = await come(endpoint, true);
    await until(() => first.ended && third.size > 0);
    expect(events.slice(-3)).toMatchObject([
      { type: "disconnect", address: endpoint },
      {
        type: "accept:error",
        address: endpoint,
        peerAddress: `tcp://127.0.0.1:${localPort}`,
        error: {
          code: "ECONNREFUSED",
          message: "Too many connections in handshake: maxHandshakes is 2",
        },
      },
      { type: "accept" },
    ]);
    expect([pull.stats().connectionsRefused, warn.mock.calls]).toEqual([1, []]);
    // Who has done it makes room for the next.
    second.greet("PUSH");
    await until(() => second.commands.includes("READY"));
    await speaks(await comeIn(endpoint), pull);
    expect([third.ended, pull.stats().connectionsRefused]).toEqual([false, 1]);
  });

  it("lets in who does its handshake, however many silent peers keep coming", async () => {
    const { pull, endpoint } = await server({ maxHandshakes: 10, handshakeInterval: 0 });
    let silent: RawPeer[] = [];
    for (let i = 0; i < 30; i++) {
      silent = await Promise.all(Array.from({ length: 5 }, () => come(endpoint, true)));
      await speaks(await comeIn(endpoint), pull);
    }
    await until(() => silent.every(({ size }) => size > 0));
    expect(pull.stats().peers).toHaveLength(30 + 9);
  });

  it("holds for those whom a judge has not judged, and forgets its answer about who had to go", async () => {
    const asked: ((answer: boolean) => void)[] = [];
    const { pull, endpoint } = await server({ maxHandshakes: 1 });
    pull.authenticate = () => new Promise((resolve) => asked.push(resolve));
    const first = await come(endpoint);
    await until(() => asked.length === 1);
    const second = await come(endpoint);
    await until(() => first.ended && asked.length === 2);
    for (const answer of asked) answer(true);
    await until(() => second.commands.includes("READY"));
    await speaks(second, pull);
    expect(pull.stats().peers).toHaveLength(1);
  });

  it("spares those whom a judge has been asked about, while there are silent ones", async () => {
    let answer: (answer: boolean) => void = () => {};
    const { pull, endpoint } = await server({ maxHandshakes: 3 });
    pull.authenticate = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const good = await come(endpoint);
    await until(() => answer.length === 1);
    for (let i = 0; i < 10; i++) await come(endpoint, true);
    await until(() => pull.stats().connectionsRefused === 8);
    answer(true);
    await until(() => good.commands.includes("READY"));
    await speaks(good, pull);
  });

  it("spares those who wait for a place: then the newcomer has to go", async () => {
    const one = sockets.pair({ maxHandshakes: 1 });
    await one.bind("tcp://127.0.0.1:*");
    const endpoint = one.lastEndpoint as string;
    const holder = await come(endpoint, true);
    holder.greet("PAIR");
    await until(() => holder.commands.includes("READY"));
    const waits = await come(endpoint, true);
    waits.greet("PAIR");
    await until(() => waits.size === 64 && one.stats().peers.length === 2);
    await turns(20);
    const late = await isRefused(endpoint);
    expect([holder.ended, waits.ended, late.size]).toEqual([false, false, 0]);
    expect(one.stats().connectionsRefused).toBe(1);
  });

  it("holds at once; 0 is no bound", async () => {
    const { pull, endpoint } = await server({ maxHandshakes: 1 });
    const first = await come(endpoint, true);
    await until(() => pull.stats().peers.length === 1);
    const second = await come(endpoint, true);
    await until(() => first.ended && pull.stats().peers.length === 1);
    pull.maxHandshakes = 0;
    await come(endpoint, true);
    await until(() => pull.stats().peers.length === 2);
    pull.maxHandshakes = 2;
    await come(endpoint, true);
    await until(() => second.ended && pull.stats().connectionsRefused === 2);
    expect(pull.stats().peers).toHaveLength(2);
  });

  it("is free again when a handshake has taken too long", async () => {
    const { pull, endpoint } = await server({ maxHandshakes: 1, handshakeInterval: 50 });
    const silent = await come(endpoint, true);
    await until(() => silent.ended);
    await turns(1);
    await speaks(await comeIn(endpoint), pull);
    expect(pull.stats().connectionsRefused).toBe(0);
  });
});
