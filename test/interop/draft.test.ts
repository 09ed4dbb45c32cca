import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Channel, Client, Dish, Gather, Peer, Radio, Scatter, Server } from "../../src/draft.js";
import type { Socket } from "../../src/socket/socket.js";
import { joined } from "../support/draft.js";
import { DraftPeer, type DraftSocket } from "../support/draft-peer.js";
import { MockListener, MockPeer, wire } from "../support/mock-peer.js";
import { Events } from "../support/patterns.js";
import { until } from "../support/sockets.js";

type Transport = "tcp" | "ipc";
type Role = "binds" | "connects";

const COMBINATIONS: { role: Role; transport: Transport }[] = [
  { role: "binds", transport: "tcp" },
  { role: "binds", transport: "ipc" },
  { role: "connects", transport: "tcp" },
  { role: "connects", transport: "ipc" },
];

const TYPES = { Server, Client, Radio, Dish, Gather, Scatter, Peer, Channel };
type Type = keyof typeof TYPES;

let folder: string;
let paths = 0;
let peer: DraftPeer;
let closing: (() => unknown)[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "purezmq-"));
  peer = await DraftPeer.start();
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

function ours<T extends Type>(type: T, options: object = {}): InstanceType<(typeof TYPES)[T]> {
  const socket = new TYPES[type]({ linger: 0, ...options });
  closing.push(() => socket.close());
  return socket as InstanceType<(typeof TYPES)[T]>;
}

/** Types of libzmq's that npm zeromq has no class for; their sockets work all the same. */
const PEER = 19;
const CHANNEL = 20;

async function theirs(
  type: Type | typeof PEER | typeof CHANNEL,
  options: object = {},
): Promise<DraftSocket> {
  const socket = await peer.draft(type, { linger: 0, ...options });
  closing.push(() => socket.call("close"));
  return socket;
}

/** Binds one of them and connects the other to it; their handshakes may still be on. */
async function link(us: Socket, them: DraftSocket, role: Role, transport: Transport) {
  if (role === "binds") {
    await us.bind(wildcard(transport));
    await them.call("connect", us.lastEndpoint);
  } else {
    us.connect(await them.bind(wildcard(transport)));
  }
}

const SIZES = [0, 1, 127, 128, 129, 255, 256, 8192, 8193, 65_536, 1_000_000];

/** Messages that differ, of all sizes that matter. */
const BODIES = SIZES.map((size, i) => Buffer.alloc(size, `${i} ${size}`));

const isSame = (messages: (readonly [Uint8Array, ...unknown[]])[], bodies: Buffer[] = BODIES) =>
  messages.length === bodies.length &&
  messages.every(([message], i) => Buffer.from(message).equals(bodies[i] as Buffer));

/** Sends to a group until `heard` says that somebody is there. */
async function untilHeard(radio: DraftSocket, group: string, heard: () => boolean): Promise<void> {
  while (!heard()) await radio.call("send", "sync", { group });
}

describe.each(COMBINATIONS)("ours $role, $transport", ({ role, transport }) => {
  it("RADIO to libzmq's DISH: the messages of the groups that it has joined", async () => {
    const [us, them] = [ours("Radio"), await theirs("Dish")];
    await them.call("join", "a", "b", "x".repeat(255));
    await link(us, them, role, transport);
    // A Dish of libzmq's takes note of a peer only when somebody looks at it.
    const received = them.request("receiveAll", { count: BODIES.length });
    await joined(us, 3);
    for (const body of BODIES) {
      await us.send("not", { group: "c" });
      await us.send(body, { group: "b" });
    }
    const messages = (await received) as [Uint8Array, { group: Uint8Array }][];
    expect(isSame(messages)).toBe(true);
    expect(new Set(messages.map(([, { group }]) => String(Buffer.from(group))))).toEqual(
      new Set(["b"]),
    );
    await them.call("leave", "b");
    await joined(us, 2);
    await them.call("join", "c");
    await joined(us, 3);
    for (const group of ["b", "c", "x".repeat(255), "a\0cut"]) await us.send("x", { group });
    const more = (await them.request("receiveAll", { count: 3 })) as typeof messages;
    const groups = more.map(([, { group }]) => String(Buffer.from(group)));
    expect(groups).toEqual(["c", "x".repeat(255), "a"]);
  });

  it("DISH to libzmq's RADIO: the messages of the groups that it has joined", async () => {
    const [us, them] = [ours("Dish"), await theirs("Radio")];
    us.join("a", "b");
    await link(us, them, role, transport);
    await untilHeard(them, "a", () => us.readable);
    const messages = BODIES.flatMap((body) => [
      ["not", { group: "c" }],
      [body, { group: "b" }],
    ]);
    await them.request("sendAll", { messages });
    const got: [Buffer, { group: Buffer }][] = [];
    while (got.length < BODIES.length) {
      const [message, { group }] = await us.receive();
      if (String(group) === "b") got.push([message, { group }]);
      else expect([String(message), String(group)]).toEqual(["sync", "a"]);
    }
    expect(isSame(got)).toBe(true);
    us.join("c");
    us.leave("a");
    await untilHeard(them, "c", () => us.readable);
    const [message, { group }] = await us.receive();
    expect([String(message), String(group)]).toEqual(["sync", "c"]);
  });

  it("CLIENT asks libzmq's SERVER, and is answered", async () => {
    const [us, them] = [ours("Client"), await theirs("Server")];
    await link(us, them, role, transport);
    const echoed = them.request("echo", { count: BODIES.length });
    for (const body of BODIES) await us.send(body);
    const got: [Buffer][] = [];
    while (got.length < BODIES.length) got.push(await us.receive());
    expect(isSame(got)).toBe(true);
    await echoed;
  });

  it("SERVER is asked by two CLIENTs of libzmq's, and answers each", async () => {
    const us = ours("Server");
    const clients = [await theirs("Client"), await theirs("Client")];
    for (const [i, them] of clients.entries()) {
      await link(us, them, role, transport);
      await them.request("sendAll", { messages: BODIES.map((body) => [body]) });
      await them.call("send", `${i}`);
    }
    const ids = new Map<number, Buffer[]>();
    for (let i = 0; i < 2 * (BODIES.length + 1); i++) {
      const [message, { routingId }] = await us.receive();
      ids.set(routingId, [...(ids.get(routingId) ?? []), message]);
    }
    expect(ids.size).toBe(2);
    for (const [routingId, messages] of ids) {
      const who = Number(messages.pop());
      expect(messages.every((it, i) => it.equals(BODIES[i] as Buffer))).toBe(true);
      await us.send(`to ${who}`, { routingId });
      const client = clients[who] as DraftSocket;
      const [[answer]] = (await client.request("receiveAll", { count: 1 })) as [[Uint8Array]];
      expect(String(Buffer.from(answer))).toBe(`to ${who}`);
    }
  });

  it("SCATTER to libzmq's GATHER", async () => {
    const [us, them] = [ours("Scatter"), await theirs("Gather")];
    await link(us, them, role, transport);
    const received = them.request("receiveAll", { count: BODIES.length });
    for (const body of BODIES) await us.send(body);
    expect(isSame((await received) as [Uint8Array][])).toBe(true);
  });

  it("GATHER to libzmq's SCATTER", async () => {
    const [us, them] = [ours("Gather"), await theirs("Scatter")];
    await link(us, them, role, transport);
    await them.request("sendAll", { messages: BODIES.map((body) => [body]) });
    const got: [Buffer][] = [];
    while (got.length < BODIES.length) got.push(await us.receive());
    expect(isSame(got)).toBe(true);
  });
});

describe.each(COMBINATIONS)("ours $role, $transport", ({ role, transport }) => {
  it("CHANNEL and libzmq's, both ways", async () => {
    const [us, them] = [ours("Channel"), await theirs(CHANNEL)];
    await link(us, them, role, transport);
    const received = them.request("receiveAll", { count: BODIES.length });
    for (const body of BODIES) await us.send(body);
    expect(isSame((await received) as [Uint8Array][])).toBe(true);
    await them.request("sendAll", { messages: BODIES.map((body) => [body]) });
    const got: [Buffer][] = [];
    while (got.length < BODIES.length) got.push(await us.receive());
    expect(isSame(got)).toBe(true);
  });

  // The other way npm zeromq cannot: it says of no PEER's message whom it is for.
  it("PEER to libzmq's", async () => {
    const [us, them] = [ours("Peer"), await theirs(PEER)];
    const received = them.request("receiveAll", { count: BODIES.length });
    let routingId: number | undefined;
    if (role === "connects") routingId = us.connectPeer(await them.bind(wildcard(transport)));
    else await link(us, them, role, transport);
    await until(() => us.stats().peers[0]?.connected === true);
    routingId ??= us.stats().peers[0]?.routingId?.readUInt32BE() as number;
    for (const body of BODIES) await us.send(body, { routingId });
    expect(isSame((await received) as [Uint8Array][])).toBe(true);
  });
});

describe.each(["tcp", "ipc"] as const)("reconnect, %s", (transport) => {
  it("our DISH joins its groups again at a libzmq that was restarted", async () => {
    const us = ours("Dish", { reconnectInterval: 5 });
    const first = await peer.draft("Radio", { linger: 0 });
    const endpoint = await first.bind(wildcard(transport));
    us.join("g");
    us.connect(endpoint);
    await untilHeard(first, "g", () => us.readable);
    const events = new Events(us);
    await first.call("close");
    await events.seen("disconnect");
    while (us.tryReceive() !== undefined);
    us.join("h");
    us.leave("g");
    const second = await theirs("Radio");
    await second.bind(endpoint);
    await untilHeard(second, "h", () => us.readable);
    await second.call("send", "not", { group: "g" });
    await second.call("send", "end", { group: "h" });
    const texts = new Set<string>();
    while (!texts.has("end")) texts.add(String((await us.receive())[0]));
    expect([...texts]).toEqual(["sync", "end"]);
  });

  it("libzmq's DISH joins its groups again at a RADIO of ours that was restarted", async () => {
    const first = new Radio({ linger: 0 });
    await first.bind(wildcard(transport));
    const endpoint = first.lastEndpoint as string;
    const them = await theirs("Dish", { reconnectInterval: 5 });
    await them.call("join", "g", "h");
    await them.call("connect", endpoint);
    const received = them.request("receiveAll", { count: 1 });
    await joined(first, 2);
    await first[Symbol.asyncDispose]();
    const second = ours("Radio");
    await second.bind(endpoint);
    await joined(second, 2);
    await second.send("again", { group: "h" });
    const [[message]] = (await received) as [[Uint8Array]];
    expect(String(Buffer.from(message))).toBe("again");
  });
});

describe("octet by octet", () => {
  /** What a socket of ours and one of libzmq's have in common here. */
  interface Party {
    bind(address: string): Promise<string>;
    call(method: string, ...args: unknown[]): Promise<unknown>;
  }

  const PARTIES: Record<string, (type: Type) => Promise<Party>> = {
    ours: async (type) => {
      const socket = ours(type) as Socket;
      return {
        bind: async (address) => {
          await socket.bind(address);
          return socket.lastEndpoint as string;
        },
        call: async (method, ...args) =>
          (Reflect.get(socket, method) as (...args: unknown[]) => unknown).call(socket, ...args),
      };
    },
    libzmq: (type) => theirs(type),
  };

  const READY: Record<string, Buffer> = Object.fromEntries(
    ["SERVER", "CLIENT", "RADIO", "DISH", "GATHER", "SCATTER"].map((type) => [
      type,
      wire.ready({ "Socket-Type": type }),
    ]),
  );

  async function greet(mock: MockPeer, type: string, other: string): Promise<void> {
    closing.push(() => mock.close());
    mock.send(wire.greeting({ minor: 1 }), READY[type] as Buffer);
    await mock.read(64);
    await mock.expect(READY[other] as Buffer);
  }

  describe.each(Object.entries(PARTIES))("%s", (_, open) => {
    it.each([
      ["Server", "CLIENT"],
      ["Client", "SERVER"],
      ["Radio", "DISH"],
      ["Dish", "RADIO"],
      ["Gather", "SCATTER"],
      ["Scatter", "GATHER"],
    ] as const)("%s says its type in its handshake, and nothing else", async (type, other) => {
      const party = await open(type);
      const mock = await MockPeer.connect(await party.bind("tcp://127.0.0.1:*"));
      await greet(mock, other, type.toUpperCase());
      mock.send(wire.ping(0, "all"));
      await mock.expect(wire.pong("all"));
    });

    it("a DISH joins and leaves by commands, a group of 255 octets by a long one", async () => {
      const listener = await MockListener.open();
      closing.push(() => listener.close());
      const party = await open("Dish");
      await party.call("join", "a");
      await party.call("connect", listener.endpoint);
      const mock = await listener.accept();
      await greet(mock, "RADIO", "DISH");
      await mock.expect(wire.frame("\x04JOINa", { command: true }));
      await party.call("leave", "a");
      await party.call("join", "");
      await party.call("join", "x".repeat(255));
      await mock.expect(
        Buffer.concat([
          wire.frame("\x05LEAVEa", { command: true }),
          wire.frame("\x04JOIN", { command: true }),
          wire.frame(`\x04JOIN${"x".repeat(255)}`, { command: true }),
        ]),
      );
    });

    it("a RADIO sends the group in a frame before the message", async () => {
      const party = await open("Radio");
      const mock = await MockPeer.connect(await party.bind("tcp://127.0.0.1:*"));
      await greet(mock, "DISH", "RADIO");
      mock.send(wire.command("JOIN", "g"), wire.command("JOIN", ""), wire.command("JOIN", "last"));
      while (mock.unread.length === 0) await party.call("send", "", { group: "last" });
      await party.call("send", "body", { group: "g" });
      await party.call("send", "", { group: "" });
      await party.call("send", "cut", { group: "g\0h" });
      await party.call("send", Buffer.alloc(300, "l"), { group: "g" });
      const sync = wire.message("last", "");
      while (mock.unread.subarray(0, sync.length).equals(sync)) await mock.read(sync.length);
      await mock.expect(
        Buffer.concat([
          wire.message("g", "body"),
          wire.message("", ""),
          wire.message("g", "cut"),
          wire.message("g", Buffer.alloc(300, "l")),
        ]),
      );
    });
  });
});

describe("messages of several parts, where one is meant", () => {
  /** A peer made of octets, which is let in; one of libzmq's hears nothing from it before it has said READY itself. */
  async function enter(endpoint: string, type: string, other: string): Promise<MockPeer> {
    const mock = await MockPeer.connect(endpoint);
    closing.push(() => mock.close());
    mock.send(wire.greeting({ minor: 1 }), wire.ready({ "Socket-Type": type }));
    await mock.read(64);
    await mock.expect(wire.ready({ "Socket-Type": other }));
    return mock;
  }

  it.each([
    ["Server", "Server", "CLIENT"],
    ["Client", "Client", "SERVER"],
    ["Gather", "Gather", "SCATTER"],
    ["Channel", CHANNEL, "CHANNEL"],
    ["Peer", PEER, "PEER"],
  ] as const)(
    "a %s of libzmq's forgets them, ours hangs up; neither hears half of one",
    async (type, theirType, other) => {
      const said = [wire.message("first"), wire.message("two", "parts"), wire.message("last")];
      const them = await theirs(theirType);
      const received = them.request("receiveAll", { count: 2 });
      const itsPeer = await enter(await them.bind("tcp://127.0.0.1:*"), other, type.toUpperCase());
      itsPeer.send(...said);
      const texts = ((await received) as [Uint8Array][]).map(([it]) => String(Buffer.from(it)));
      expect(texts).toEqual(["first", "last"]);

      const us = ours(type) as Socket & { receive(): Promise<[Buffer]> };
      const events = new Events(us);
      await us.bind("tcp://127.0.0.1:*");
      const ourPeer = await enter(us.lastEndpoint as string, other, type.toUpperCase());
      ourPeer.send(...said);
      await ourPeer.gone();
      await events.seen("disconnect");
      expect(String((await us.receive())[0])).toBe("first");
      expect((us as unknown as { readable: boolean }).readable).toBe(false);
    },
  );

  it.each([
    ["no group", wire.message("g")],
    ["a message of two parts", wire.message("g", "two", "parts")],
    ["a group of 256 octets", wire.message("g".repeat(256), "x")],
  ])("%s: a DISH hangs up, libzmq's and ours", async (_, octets) => {
    const them = await theirs("Dish");
    const us = ours("Dish");
    await us.bind("tcp://127.0.0.1:*");
    for (const endpoint of [await them.bind("tcp://127.0.0.1:*"), us.lastEndpoint as string]) {
      const mock = await enter(endpoint, "RADIO", "DISH");
      mock.send(octets);
      await mock.gone();
    }
  });
});

describe("what npm zeromq says", () => {
  /** What becomes of a call, as the child has it of npm zeromq's. */
  async function outcome(socket: Socket, method: string, args: unknown[]): Promise<unknown> {
    let how = "throws";
    try {
      const call = Reflect.get(socket, method) as (...args: unknown[]) => unknown;
      const result = call.call(socket, ...args);
      how = "rejects";
      await result;
      return "fine";
    } catch (error) {
      const { name, code, message } = error as NodeJS.ErrnoException;
      return { how, name, code, message };
    }
  }

  const CALLS: [Type, string, unknown[][]][] = [
    [
      "Server",
      "send",
      [
        [],
        ["x"],
        ["x", null],
        ["x", 3],
        ["x", {}],
        ["x", { routingId: "a" }],
        ["x", { routingId: 0 }],
        ["x", { routingId: -1 }],
        ["x", { routingId: 1 }],
        [["x", "y"], { routingId: 1 }],
        [[], { routingId: 1 }],
        ["x", { routingId: 1 }, {}],
      ],
    ],
    [
      "Radio",
      "send",
      [
        [],
        ["x"],
        ["x", "g"],
        ["x", {}],
        ["x", { group: 1 }],
        ["x", { group: null }],
        ["x", { group: "" }],
        ["x", { group: "g" }],
        ["x", { group: "x".repeat(255) }],
        [["x"], { group: "g" }],
        [["x", "y"], { group: "g" }],
        ["x", { group: "g" }, 1],
      ],
    ],
    [
      "Dish",
      "join",
      [
        [],
        ["a"],
        ["a"],
        [1],
        [null],
        [["b"]],
        ["x".repeat(255)],
        ["x".repeat(256)],
        [""],
        ["a\0b"],
      ],
    ],
    ["Dish", "leave", [[], ["a"], [1], [""], ["x".repeat(256)]]],
    ["Dish", "send", [["x"]]],
    ["Client", "send", [[], ["x", {}], [["x", "y"]], [[]]]],
    ["Scatter", "send", [[], [["x", "y"]]]],
    ["Scatter", "receive", [[1]]],
  ];

  it.each(CALLS)("of %s's %s", async (type, method, calls) => {
    const options = type === "Client" || type === "Scatter" ? { sendTimeout: 0 } : {};
    const [us, them] = [ours(type, options), await theirs(type, options)];
    for (const args of calls) {
      const expected = await them.request("outcome", { method, args });
      expect({ args, is: await outcome(us, method, args) }).toEqual({ args, is: expected });
    }
  });

  it.each(["Server", "Client", "Radio", "Dish", "Gather", "Scatter"] as const)(
    "of the properties of a %s",
    async (type) => {
      const [us, them] = [ours(type) as Socket, await theirs(type)];
      for (const property of [
        ...["type", "threadSafe", "linger", "readable", "writable", "lastEndpoint"],
        ...["sendHighWaterMark", "receiveHighWaterMark", "sendTimeout", "receiveTimeout"],
      ]) {
        const value: unknown = Reflect.get(us, property);
        expect([property, value]).toEqual([property, await them.get(property)]);
      }
    },
  );

  it.each(["send", "join"])("of a %s on a socket that is closed", async (method) => {
    const type = method === "join" ? "Dish" : "Client";
    const [us, them] = [ours(type), await theirs(type)];
    us.close();
    await them.call("close");
    const is = await outcome(us, method, ["x"]);
    expect(is).toEqual(await them.request("outcome", { method, args: ["x"] }));
  });
});
