/** What sockets of every type refuse, and in which words: the same as npm zeromq's, which is asked, too. */
import { createRequire } from "node:module";
import { constants } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as zmq from "../../src/index.js";
import { isCompatible } from "../../src/zmtp/socket-type.js";
import { type GoodSocket, goodOptions, Target } from "../support/hostile.js";
import { MockListener, MockPeer } from "../support/mock-peer.js";
import { turns, until } from "../support/sockets.js";
import {
  CLASS_NAMES,
  type ClassName,
  open,
  partners,
  RECEIVERS,
  SENDERS,
  TRADES,
  TYPE_NAMES,
} from "../support/trades.js";
import { concat, greeting, ready } from "../support/wire.js";

const npm = createRequire(import.meta.url)("zeromq") as typeof zmq;

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid
type Any = any;
type Library = "ours" | "npm zeromq";

const CLASSES = { ours: { ...zmq } as Any, "npm zeromq": npm as Any };

let closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

function socketOf(library: Library, type: ClassName, options: object = {}): Any {
  const socket = new CLASSES[library][type]({ linger: 0, ...options });
  closing.push(() => socket.close());
  return socket;
}

/** What becomes of a call, in words. */
async function outcome(call: () => unknown): Promise<string> {
  let how = "throws";
  try {
    const result = call();
    how = "rejects";
    return show(await result);
  } catch (error) {
    return `${how} ${describeError(error)}`;
  }
}

function now(call: () => unknown): string {
  try {
    return show(call());
  } catch (error) {
    return `throws ${describeError(error)}`;
  }
}

function show(value: unknown): string {
  return value === undefined ? "done" : JSON.stringify(value);
}

function describeError(error: unknown): string {
  const { name, code, errno, message } = error as NodeJS.ErrnoException;
  return code === undefined ? `${name}: ${message}` : `${code} ${errno}: ${message}`;
}

function code(name: string, message: string, errno?: number): string {
  return `${name} ${errno ?? (constants.errno as Record<string, number>)[name]}: ${message}`;
}

const EAGAIN = code("EAGAIN", "Operation was not possible or timed out");
const EFSM = code("EFSM", "Operation cannot be accomplished in current state", 156_384_763);
const ENOTSUP = code("ENOTSUP", "Operation not supported");
const EHOSTUNREACH = code("EHOSTUNREACH", "Host unreachable");
const EINVAL = code("EINVAL", "Invalid argument");
const EBADF = code("EBADF", "Socket is closed");
const ENOTSOCK = code("ENOTSOCK", "Socket operation on non-socket");
const BUSY_READING = code(
  "EBUSY",
  "Socket is busy reading; only one receive operation may be in progress at any time",
);
const BUSY_WRITING = code(
  "EBUSY",
  "Socket is busy writing; only one send operation may be in progress at any time",
);
const NOT_TEXT = "TypeError: Option value must be a string or buffer";

interface Call {
  name: string;
  call: (socket: Any) => unknown;
  /** What becomes of it, by type; those that are not named have the last entry's, or are not asked. */
  outcomes: [types: readonly ClassName[], outcome: string][];
  /** What npm zeromq does otherwise. */
  npm?: Partial<Record<ClassName, string>>;
}

const without = (types: readonly ClassName[], ...others: ClassName[]): ClassName[] =>
  types.filter((type) => !others.includes(type));

/** Types that wait while nobody has room for a message. */
const WAITING: ClassName[] = ["Pair", "Dealer", "Push"];
/** Types that never do. */
const DROPPING: ClassName[] = ["Publisher", "XPublisher", "XSubscriber", "Router"];
/** An inproc name that nobody binds: what is sent there waits. */
const NOWHERE = "inproc://nowhere";

/** `call`, when it must wait no longer than a moment. */
const soon =
  (call: (socket: Any) => unknown) =>
  (socket: Any): unknown => {
    if ("sendTimeout" in socket) socket.sendTimeout = 5;
    if ("receiveTimeout" in socket) socket.receiveTimeout = 5;
    return call(socket);
  };

const atOnce =
  (call: (socket: Any) => unknown) =>
  (socket: Any): unknown => {
    if ("sendTimeout" in socket) socket.sendTimeout = 0;
    if ("receiveTimeout" in socket) socket.receiveTimeout = 0;
    return call(socket);
  };

/** The last of two calls, while the first one waits. */
const twice =
  (call: (socket: Any) => Promise<unknown>) =>
  (socket: Any): unknown => {
    call(socket).catch(() => {});
    return call(socket);
  };

/** A call that waits, on a socket that is closed meanwhile. */
const closedMeanwhile =
  (call: (socket: Any) => Promise<unknown>) =>
  (socket: Any): unknown => {
    const result = call(socket);
    socket.close();
    return result;
  };

const closed =
  (call: (socket: Any) => unknown) =>
  (socket: Any): unknown => {
    socket.close();
    return call(socket);
  };

const NOBODY: [readonly ClassName[], string][] = [
  [[...WAITING, "Request"], `rejects ${EAGAIN}`],
  [["Reply"], `rejects ${EFSM}`],
  [DROPPING, "done"],
  [["Stream"], `rejects ${EHOSTUNREACH}`],
];

const CALLS: Call[] = [
  {
    name: "send with nobody there, for a moment",
    call: soon((it) => it.send(["x", "y"])),
    outcomes: NOBODY,
  },
  {
    name: "send with nobody there, at once",
    call: atOnce((it) => it.send(["x", "y"])),
    outcomes: NOBODY,
  },
  {
    name: "send with nobody there, bound",
    call: soon(async (it) => {
      await it.bind("tcp://127.0.0.1:*");
      await it.send(["x", "y"]);
    }),
    outcomes: NOBODY,
  },
  {
    name: "receive with nothing there, for a moment",
    call: soon((it) => it.receive()),
    outcomes: [
      [["Request"], `rejects ${EFSM}`],
      [without(RECEIVERS, "Request"), `rejects ${EAGAIN}`],
    ],
  },
  {
    name: "receive with nothing there, at once",
    call: atOnce((it) => it.receive()),
    outcomes: [
      [["Request"], `rejects ${EFSM}`],
      [without(RECEIVERS, "Request"), `rejects ${EAGAIN}`],
    ],
  },
  {
    name: "send more than there is room for",
    call: soon(async (it) => {
      it.sendHighWaterMark = 2;
      it.connect(NOWHERE);
      for (let i = 0; i < 3; i++) await it.send(["x", "y"]);
    }),
    outcomes: [
      [WAITING, `rejects ${EAGAIN}`],
      [DROPPING, "done"],
    ],
  },
  {
    name: "send twice",
    call: soon(async (it) => {
      it.connect(NOWHERE);
      await it.send("x");
      await it.send("y");
    }),
    outcomes: [[["Request"], `rejects ${EFSM}`]],
  },
  {
    name: "send twice, relaxed",
    call: soon(async (it) => {
      it.relaxed = true;
      it.connect(NOWHERE);
      await it.send("x");
      await it.send("y");
    }),
    outcomes: [[["Request"], "done"]],
  },
  {
    name: "send, and receive what does not come",
    call: soon(async (it) => {
      it.connect(NOWHERE);
      await it.send("x");
      await it.receive();
    }),
    outcomes: [[["Request"], `rejects ${EAGAIN}`]],
  },
  {
    name: "send to nobody, mandatory, bound",
    call: soon(async (it) => {
      it.mandatory = true;
      await it.bind("tcp://127.0.0.1:*");
      await it.send(["x", "y"]);
    }),
    outcomes: [[["Router"], `rejects ${EHOSTUNREACH}`]],
  },
  {
    name: "send, by a type that cannot",
    call: closedMeanwhile((it) => it.send("x")),
    outcomes: [[["Subscriber", "Pull"], `rejects ${ENOTSUP}`]],
  },
  {
    name: "receive, by a type that cannot",
    call: closedMeanwhile((it) => it.receive()),
    outcomes: [[["Publisher", "Push"], `rejects ${ENOTSUP}`]],
  },
  {
    name: "close while a send waits",
    call: closedMeanwhile((it) => it.send("x")),
    outcomes: [
      [[...WAITING, "Request"], `rejects ${EAGAIN}`],
      [["Reply"], `rejects ${EFSM}`],
    ],
  },
  {
    name: "close while a receive waits",
    call: closedMeanwhile((it) => it.receive()),
    outcomes: [
      [without(RECEIVERS, "Request"), `rejects ${EAGAIN}`],
      [["Request"], `rejects ${EFSM}`],
    ],
  },
  {
    name: "receive twice",
    call: twice((it) => it.receive()),
    outcomes: [[RECEIVERS, `throws ${BUSY_READING}`]],
  },
  {
    name: "send twice at a time",
    call: twice((it) => it.send("x")),
    outcomes: [[[...WAITING, "Request", "Reply"], `throws ${BUSY_WRITING}`]],
  },
  {
    name: "send nothing",
    call: (it) => it.send(),
    outcomes: [[CLASS_NAMES, "throws TypeError: Message must be present"]],
  },
  {
    name: "send a symbol",
    call: (it) => it.send(Symbol("x")),
    outcomes: [[CLASS_NAMES, "throws TypeError: Cannot convert a Symbol value to a string"]],
  },
  {
    name: "send a DataView among others",
    call: (it) => it.send(["x", new DataView(new ArrayBuffer(1))]),
    outcomes: [[CLASS_NAMES, "throws Error: Invalid argument"]],
  },
  {
    name: "send with an argument too many",
    call: (it) => it.send("x", "y"),
    outcomes: [[CLASS_NAMES, "throws TypeError: Expected 1 argument but received 2"]],
  },
  {
    name: "receive with an argument too many",
    call: (it) => it.receive(1),
    outcomes: [[CLASS_NAMES, "throws TypeError: Expected 0 arguments but received 1"]],
  },
  ...[1, undefined, {}, true].flatMap((topic): Call[] => [
    {
      name: `subscribe to ${topic}`,
      call: (it) => it.subscribe("fine", topic),
      outcomes: [[["Subscriber"], `throws ${NOT_TEXT}`]],
    },
    {
      name: `unsubscribe from ${topic}`,
      call: (it) => it.unsubscribe("fine", topic),
      outcomes: [[["Subscriber"], `throws ${NOT_TEXT}`]],
    },
  ]),
  {
    name: "unsubscribe from what was not subscribed to",
    call: (it) => it.unsubscribe("x"),
    outcomes: [[["Subscriber"], "done"]],
  },
  {
    name: "subscribe, by a type that does not",
    call: (it) => typeof it.subscribe,
    outcomes: [[without(CLASS_NAMES, "Subscriber"), '"undefined"']],
  },
  {
    name: "connect with a routing id, by a type that does not name its peers",
    call: (it) => it.connect(NOWHERE, { routingId: "x" }),
    outcomes: [
      [
        without(CLASS_NAMES, "Router", "Stream"),
        "throws TypeError: Expected 1 argument but received 2",
      ],
    ],
  },
  {
    name: "connect with a routing id that is no text",
    call: (it) => it.connect("tcp://127.0.0.1:9", { routingId: 1 }),
    outcomes: [[["Router", "Stream"], `throws ${NOT_TEXT}`]],
  },
  ...["x".repeat(256), "\0x", Buffer.of(0)].map(
    (routingId): Call => ({
      name: `connect with a routing id of ${routingId.length} octets, the first ${routingId[0] === "x" ? "x" : 0}`,
      call: (it) => it.connect("tcp://127.0.0.1:9", { routingId }),
      outcomes: [[["Router", "Stream"], `throws ${EINVAL}`]],
      // It takes these, and ends the process when two of them are the same.
      npm: { Router: "done", Stream: "done" },
    }),
  ),
  {
    name: "connect with a routing id of 255 octets, or none",
    call: (it) => {
      it.connect("tcp://127.0.0.1:9", { routingId: "x".repeat(255) });
      it.connect("tcp://127.0.0.1:9", { routingId: "" });
    },
    outcomes: [[["Router", "Stream"], "done"]],
  },
  ...["udp://127.0.0.1:9", "foo://x"].map(
    (address): Call => ({
      name: `connect to ${address}`,
      call: (it) => it.connect(address),
      outcomes: [
        [
          CLASS_NAMES,
          address.startsWith("udp")
            ? `throws ${code("ENOCOMPATPROTO", "The protocol is not compatible with the socket type", 156_384_764)}`
            : `throws ${code("EPROTONOSUPPORT", "Protocol not supported")}`,
        ],
      ],
    }),
  ),
  ...(["send", "bind", "unbind", "connect", "disconnect"] as const).map(
    (method): Call => ({
      name: `${method}, closed`,
      call: closed((it) => it[method]("tcp://127.0.0.1:9")),
      outcomes: [[CLASS_NAMES, `throws ${EBADF}`]],
    }),
  ),
  {
    name: "receive, closed",
    call: closed((it) => it.receive()),
    outcomes: [[CLASS_NAMES, `throws ${EBADF}`]],
  },
  {
    name: "send nothing, closed",
    call: closed((it) => it.send()),
    outcomes: [[CLASS_NAMES, "throws TypeError: Message must be present"]],
  },
  {
    name: "events, closed",
    call: closed((it) => it.events),
    outcomes: [[CLASS_NAMES, `throws ${ENOTSOCK}`]],
  },
  {
    name: "readable, writable and context, closed",
    call: closed((it) => [it.readable, it.writable, it.context === undefined]),
    outcomes: [[CLASS_NAMES, "[false,false,true]"]],
  },
  {
    name: "linger, closed",
    call: closed((it) => it.linger),
    outcomes: [[CLASS_NAMES, `throws ${ENOTSOCK}`]],
  },
  ...(
    [
      ["mandatory", true, ["Router"]],
      ["routingId", "x", ["Request", "Reply", "Dealer", "Router"]],
      ["probeRouter", true, ["Request", "Dealer", "Router"]],
      ["verbosity", "allSubs", ["XPublisher"]],
      ["welcomeMessage", "x", ["XPublisher"]],
      ["conflate", true, ["Publisher", "Subscriber", "Dealer", "Push", "Pull"]],
      ["notify", true, ["Stream"]],
      ["correlate", true, ["Request"]],
    ] satisfies [string, unknown, ClassName[]][]
  ).map(
    ([option, value, types]): Call => ({
      name: `set ${option}, closed`,
      call: closed((it) => {
        it[option] = value;
      }),
      outcomes: [[types, `throws ${ENOTSOCK}`]],
    }),
  ),
  {
    name: "subscribe, closed",
    call: closed((it) => it.subscribe("x")),
    outcomes: [[["Subscriber"], `throws ${ENOTSOCK}`]],
  },
  {
    name: "unsubscribe, closed",
    call: closed((it) => it.unsubscribe("x")),
    outcomes: [[["Subscriber"], `throws ${ENOTSOCK}`]],
  },
  {
    name: "connect with a routing id, closed",
    call: closed((it) => it.connect("tcp://127.0.0.1:9", { routingId: "x" })),
    outcomes: [[["Router", "Stream"], `throws ${ENOTSOCK}`]],
  },
  {
    name: "iterate, closed",
    call: closed(async (it) => {
      for await (const _ of it) throw new Error("a message");
    }),
    outcomes: [[CLASS_NAMES, "done"]],
  },
];

/** Two sockets of a library that are connected within the process. */
type Join = (
  one: ClassName,
  other: ClassName,
  options?: object,
  otherOptions?: object,
) => Promise<[Any, Any]>;

let names = 0;

function joining(library: Library): Join {
  return async (one, other, options, otherOptions) => {
    const pair: [Any, Any] = [
      socketOf(library, one, options),
      socketOf(library, other, otherOptions),
    ];
    const name = `inproc://refusals-${names++}`;
    await pair[0].bind(name);
    pair[1].connect(name);
    return pair;
  };
}

/** Sends until that fails. @returns How many were sent, and what it failed with. */
async function sendAll(socket: Any, message: string[]): Promise<[number, string]> {
  for (let sent = 0; sent < 100; sent++) {
    const text = await outcome(() => socket.send(message));
    if (text !== "done") return [sent, text];
  }
  throw new Error("there is room for everything");
}

const ONE = { sendHighWaterMark: 1, sendTimeout: 5 };
const LITTLE = { receiveHighWaterMark: 1 };

/** What happens, and what comes of it; of npm zeromq, if that differs. Queues hold two messages: the marks of both sides. */
const SCENARIOS: [
  name: string,
  run: (join: Join, library: Library) => Promise<unknown>,
  result: unknown,
  npm?: unknown,
][] = [
  [
    "a mandatory Router waits for a peer that is full",
    async (join) => {
      const [router] = await join(
        "Router",
        "Dealer",
        { mandatory: true, ...ONE },
        { routingId: "d", ...LITTLE },
      );
      return sendAll(router, ["d", "x"]);
    },
    [2, `rejects ${EAGAIN}`],
  ],
  [
    "a mandatory Router does not wait for a peer that is not there, if others are",
    async (join) => {
      const [router] = await join("Router", "Dealer", { mandatory: true }, { routingId: "d" });
      return outcome(() => router.send(["e", "x"]));
    },
    `rejects ${EHOSTUNREACH}`,
  ],
  [
    "a mandatory Router waits for the first peer",
    async (_, library) => {
      const router = socketOf(library, "Router", { mandatory: true });
      const dealer = socketOf(library, "Dealer", { routingId: "d" });
      await router.bind("inproc://refusals-first");
      const sent = router.send(["d", "x"]);
      dealer.connect("inproc://refusals-first");
      await sent;
      return String(await dealer.receive());
    },
    "x",
  ],
  [
    "a mandatory Router that waits for the first peer fails if it is another",
    async (_, library) => {
      const router = socketOf(library, "Router", { mandatory: true });
      const dealer = socketOf(library, "Dealer", { routingId: "e" });
      await router.bind("inproc://refusals-other");
      const sent = outcome(() => router.send(["d", "x"]));
      dealer.connect("inproc://refusals-other");
      return sent;
    },
    `rejects ${EHOSTUNREACH}`,
  ],
  [
    "a mandatory Router that waits for a peer which goes fails",
    async (join, library) => {
      const [router, dealer] = await join(
        "Router",
        "Dealer",
        { mandatory: true, ...ONE },
        { routingId: "d", ...LITTLE },
      );
      const other = socketOf(library, "Dealer", { routingId: "e" });
      other.connect(router.lastEndpoint);
      await sendAll(router, ["d", "x"]);
      router.sendTimeout = -1;
      const sent = outcome(() => router.send(["d", "x"]));
      dealer.close();
      return sent;
    },
    `rejects ${EHOSTUNREACH}`,
    `rejects ${EAGAIN}`,
  ],
  [
    "a Router drops what is for a peer that is full, or is not there",
    async (join) => {
      const [router, dealer] = await join("Router", "Dealer", ONE, { routingId: "d", ...LITTLE });
      await dealer.send("here");
      await router.receive();
      for (const to of ["d", "d", "d", "e"]) await router.send([to, "x"]);
      const got = [];
      for (
        dealer.receiveTimeout = 0;
        (await outcome(() => dealer.receive())) !== `rejects ${EAGAIN}`;
      ) {
        got.push("x");
      }
      return got.length;
    },
    2,
  ],
  [
    "an XPublisher with noDrop waits for a subscriber that is full",
    async (join) => {
      const [publisher, subscriber] = await join(
        "XPublisher",
        "Subscriber",
        { noDrop: true, ...ONE },
        LITTLE,
      );
      subscriber.subscribe("x");
      await publisher.receive();
      return [await sendAll(publisher, ["x"]), await outcome(() => publisher.send("not for it"))];
    },
    [[2, `rejects ${EAGAIN}`], "done"],
  ],
  [
    "a Reply drops its answer to one who has no room",
    async (join) => {
      const [reply, dealer] = await join("Reply", "Dealer", ONE, LITTLE);
      for (let i = 0; i < 4; i++) {
        await dealer.send(["", "question"]);
        await reply.receive();
        await reply.send("answer");
      }
      return "done";
    },
    "done",
  ],
  [
    "a Request that receives too early waits for its turn",
    async (join) => {
      const [reply, request] = await join("Reply", "Request");
      const received = request.receive();
      await request.send("question");
      await reply.receive();
      await reply.send("answer");
      return String(await received);
    },
    "answer",
  ],
  [
    "a Request that sends too early waits for its turn",
    async (join) => {
      const [reply, request] = await join("Reply", "Request");
      await request.send("one");
      const sent = request.send("two");
      await reply.receive();
      await reply.send("answer");
      const answer = String(await request.receive());
      await sent;
      return [answer, String(await reply.receive())];
    },
    ["answer", "two"],
  ],
  [
    "a Reply that sends too early waits for its turn",
    async (join) => {
      const [reply, request] = await join("Reply", "Request");
      const sent = reply.send("answer");
      await request.send("question");
      await reply.receive();
      await sent;
      return String(await request.receive());
    },
    "answer",
  ],
  [
    "a Reply that receives too early fails with EFSM",
    async (join) => {
      const [reply, request] = await join("Reply", "Request");
      await request.send("question");
      await reply.receive();
      reply.receiveTimeout = 5;
      return outcome(() => reply.receive());
    },
    `rejects ${EFSM}`,
  ],
];

describe.each<Library>(["ours", "npm zeromq"])("%s", (library) => {
  it.each(CALLS)("$name", async ({ call, outcomes, npm = {} }) => {
    const others = library === "npm zeromq" ? npm : {};
    const all = outcomes.flatMap(([types, text]) => types.map((type) => [type, text] as const));
    const seen: Record<string, string> = {};
    for (const [type] of all) {
      const socket = socketOf(library, type);
      seen[type] = await outcome(() => call(socket));
    }
    expect(seen).toEqual({ ...Object.fromEntries(all), ...others });
  });

  it.each(SCENARIOS)("%s", async (_, run, result, npm = result) => {
    const expected = library === "ours" ? result : npm;
    expect(await run(joining(library), library)).toEqual(expected);
  });
});

describe("calls that do not wait", () => {
  it.each<[readonly ClassName[], string]>([
    [[...WAITING, "Request"], "false"],
    [["Reply"], `throws ${EFSM}`],
    [DROPPING, "true"],
    [["Subscriber", "Pull"], `throws ${ENOTSUP}`],
    [["Stream"], `throws ${EHOSTUNREACH}`],
  ])("%j: trySend to nobody: %s", (types, expected) => {
    for (const type of types) {
      const socket = socketOf("ours", type);
      expect([type, now(() => socket.trySend(["x", "y"]))]).toEqual([type, expected]);
      expect(socket.stats().total.messagesSent).toBe(expected === "true" ? 1 : 0);
    }
  });

  it.each<[readonly ClassName[], string]>([
    [without(RECEIVERS, "Request"), "done"],
    [["Request"], `throws ${EFSM}`],
    [["Publisher", "Push"], `throws ${ENOTSUP}`],
  ])("%j: tryReceive of nothing: %s", (types, expected) => {
    for (const type of types) {
      expect([type, now(() => socketOf("ours", type).tryReceive())]).toEqual([type, expected]);
    }
  });

  it.each<[ClassName, ClassName, object, string[]]>([
    ["Router", "Dealer", { mandatory: true }, ["d", "x"]],
    ["XPublisher", "Subscriber", { noDrop: true }, ["x"]],
    ["Publisher", "Subscriber", { noDrop: true }, ["x"]],
    ["Dealer", "Dealer", {}, ["x"]],
    ["Push", "Pull", {}, ["x"]],
    ["Pair", "Pair", {}, ["x"]],
  ])(
    "%s: trySend to a full %s: false, and true again once there is room",
    async (type, peer, options, message) => {
      const name = peer === "Dealer" ? { routingId: "d" } : {};
      const [one, other] = await joining("ours")(
        type,
        peer,
        { ...ONE, ...options },
        { ...LITTLE, ...name },
      );
      if (peer === "Subscriber") other.subscribe();
      let sent = 0;
      while (one.trySend(message)) sent++;
      expect(sent).toBe(2);
      expect([one.trySend(message), one.stats().send.messages]).toEqual([false, 2]);
      while (other.tryReceive() !== undefined);
      expect(one.trySend(message)).toBe(true);
    },
  );

  it("what a Router cannot deliver is accepted, dropped, and counted", async () => {
    const [router] = await joining("ours")("Router", "Dealer", ONE, { routingId: "d", ...LITTLE });
    for (const to of ["e", "d", "d", "d", "d"]) expect(router.trySend([to, "x"])).toBe(true);
    expect(router.stats().total).toMatchObject({ messagesSent: 5, messagesDropped: 3 });
    // A name, and nothing behind it.
    expect([router.trySend("e"), router.stats().total.messagesDropped]).toEqual([true, 3]);
  });

  it("are refused as those that wait: closed, busy, and arguments", () => {
    const socket = socketOf("ours", "Dealer");
    expect(now(() => socket.trySend())).toBe("throws TypeError: Message must be present");
    expect(now(() => socket.trySend("x", 1))).toBe(
      "throws TypeError: Expected 1 argument but received 2",
    );
    expect(now(() => socket.tryReceive(1))).toBe(
      "throws TypeError: Expected 0 arguments but received 1",
    );
    for (const waiting of [socket.send("x"), socket.receive()]) waiting.catch(() => {});
    expect(now(() => socket.trySend("x"))).toBe(`throws ${BUSY_WRITING}`);
    expect(now(() => socket.tryReceive())).toBe(`throws ${BUSY_READING}`);
    socket.close();
    expect(now(() => socket.trySend("x"))).toBe(`throws ${EBADF}`);
    expect(now(() => socket.tryReceive())).toBe(`throws ${EBADF}`);
  });

  it("a type that cannot is not able to, whoever is there", async () => {
    const [push, pull] = await joining("ours")("Push", "Pull");
    const [publisher, subscriber] = await joining("ours")("Publisher", "Subscriber");
    for (const it of [push, publisher]) {
      expect(await outcome(() => it.receive())).toBe(`rejects ${ENOTSUP}`);
      expect([it.readable, now(() => it.tryReceive())]).toEqual([false, `throws ${ENOTSUP}`]);
    }
    for (const it of [pull, subscriber]) {
      expect(await outcome(() => it.send("x"))).toBe(`rejects ${ENOTSUP}`);
      expect([it.writable, now(() => it.trySend("x"))]).toEqual([false, `throws ${ENOTSUP}`]);
    }
  });
});

/** Which types have which options, beside those that all have. */
const OWN: Record<string, readonly ClassName[]> = {
  ...Object.fromEntries(
    ["sendBufferSize", "sendHighWaterMark", "sendTimeout", "multicastHops"].map((it) => [
      it,
      SENDERS,
    ]),
  ),
  ...Object.fromEntries(
    ["receiveBufferSize", "receiveHighWaterMark", "receiveTimeout"].map((it) => [it, RECEIVERS]),
  ),
  routingId: ["Request", "Reply", "Dealer", "Router"],
  mandatory: ["Router"],
  handover: ["Router"],
  probeRouter: ["Request", "Dealer", "Router"],
  correlate: ["Request"],
  relaxed: ["Request"],
  conflate: ["Publisher", "Subscriber", "Dealer", "Pull", "Push"],
  noDrop: ["Publisher", "XPublisher"],
  manual: ["XPublisher"],
  welcomeMessage: ["XPublisher"],
  verbosity: ["XPublisher"],
  invertMatching: ["Publisher", "Subscriber", "XPublisher"],
  notify: ["Stream"],
};

const OWN_OURS: Record<string, readonly ClassName[]> = {
  sendHighWaterMarkBytes: SENDERS,
  sendHighWaterMarkTotalBytes: SENDERS,
  receiveHighWaterMarkBytes: RECEIVERS,
  receiveHighWaterMarkTotalBytes: RECEIVERS,
  exclusiveBuffers: RECEIVERS,
};

/** Not options, though they look alike. */
const NO_OPTIONS = ["events", "context", "closed", "readable", "writable"];

/** Ours refuses them, for now. */
const UNBUILT = [
  ...["plainServer", "plainUsername", "plainPassword", "curveServer"],
  ...["curvePublicKey", "curveSecretKey", "curveServerKey", "zapDomain", "zapEnforceDomain"],
];

/** Ours takes lists, too, and says more: see the options' own test. */
const FILTER = "tcpAcceptFilter";

/** Every option of npm zeromq's, of any type. */
const OPTIONS: string[] = [
  ...new Set(
    [npm.Socket, ...CLASS_NAMES.map((name) => npm[name])].flatMap(({ prototype }) =>
      Object.entries(Object.getOwnPropertyDescriptors(prototype))
        .filter(([, { get, set }]) => get !== undefined || set !== undefined)
        .map(([name]) => name),
    ),
  ),
].filter((name) => !NO_OPTIONS.includes(name));

const VALUES = [
  ...[0, 1, -1, 2, 1.5, -1.5, 256, 2 ** 31 - 1, true, false, null, undefined],
  ...["", "a", "a\0b", "a".repeat(255), "a".repeat(256), "é".repeat(127), "é".repeat(128)],
  ...[Buffer.from("a"), Buffer.alloc(255, 1), Buffer.alloc(256, 1), new Uint8Array([65])],
  ...["allSubs", "allSubsUnsubs", {}, [], Symbol("x"), 5n],
];

describe.each(CLASS_NAMES)("options of %s", (type) => {
  it("read, and take or refuse what is set, as npm zeromq's do", () => {
    const [one, other] = [socketOf("ours", type), socketOf("npm zeromq", type)];
    for (const option of OPTIONS.filter((it) => !UNBUILT.includes(it) && it !== FILTER)) {
      const at = (socket: Any) => [
        now(() => socket[option]),
        ...VALUES.map((value) => {
          const set = now(() => {
            socket[option] = value;
          });
          return `${String(value).slice(0, 20)}: ${set}, ${now(() => socket[option])}`;
        }),
      ];
      expect([option, ...at(one)]).toEqual([option, ...at(other)]);
    }
    for (const socket of [one, other]) socket.linger = 0;
  });

  it("are those of the type", () => {
    const has = (option: string, types: readonly ClassName[]) => {
      const text = `TypeError: Cannot add property ${option}, object is not extensible`;
      const expected = types.includes(type) ? "done" : `throws ${text}`;
      const value = ["routingId", "welcomeMessage", "verbosity"].includes(option) ? "x" : 1;
      const fits = (text: string) =>
        text.startsWith("throws TypeError: Option value") ? "done" : text;
      const libraries: Library[] = option in OWN ? ["ours", "npm zeromq"] : ["ours"];
      for (const library of libraries) {
        const socket = socketOf(library, type);
        const set = now(() => {
          socket[option] = value;
        });
        const made = now(() => {
          socketOf(library, type, { [option]: value });
        });
        expect([option, library, fits(set), fits(made)]).toEqual([
          option,
          library,
          expected,
          expected,
        ]);
        if (expected !== "done") expect([option, socket[option]]).toEqual([option, undefined]);
      }
    };
    for (const [option, types] of Object.entries({ ...OWN, ...OWN_OURS })) has(option, types);
    for (const option of ["subscribe_", "foo", "connectRoutingId", "verbose", "verboser"])
      has(option, []);
  });

  it("by number: those of other types are EINVAL", () => {
    const numbers: [number, "Bool" | "String", readonly ClassName[]][] = [
      [5, "String", OWN["routingId"] as ClassName[]],
      // XPublisher: only if it is manual.
      [6, "String", ["Subscriber"]],
      [7, "String", ["Subscriber"]],
      [33, "Bool", ["Router"]],
      [40, "Bool", ["XPublisher"]],
      [51, "Bool", OWN["probeRouter"] as ClassName[]],
      [52, "Bool", ["Request"]],
      [53, "Bool", ["Request"]],
      [56, "Bool", ["Router"]],
      [61, "String", ["Router", "Stream"]],
      [69, "Bool", OWN["noDrop"] as ClassName[]],
      [71, "Bool", ["XPublisher"]],
      [72, "String", ["XPublisher"]],
      [73, "Bool", ["Stream"]],
      [78, "Bool", ["XPublisher"]],
    ];
    for (const [id, kind, types] of numbers) {
      const value = kind === "Bool" ? true : "x";
      const set = (library: Library) =>
        now(() => socketOf(library, type)[`set${kind}Option`](id, value));
      const has = types.includes(type);
      expect([id, set("ours")]).toEqual([id, has ? "done" : `throws ${EINVAL}`]);
      // Of some types libzmq takes more than it has a use for.
      if (has) expect([id, set("npm zeromq")]).toEqual([id, "done"]);
    }
  });
});

describe("options that are only set", () => {
  it.each<[string, number, "Bool" | "String", unknown, readonly ClassName[]]>([
    ["probeRouter", 51, "Bool", true, ["Request", "Dealer", "Router"]],
    ["correlate", 52, "Bool", true, ["Request"]],
    ["relaxed", 53, "Bool", true, ["Request"]],
    ["conflate", 54, "Bool", true, ["Publisher", "Subscriber", "Dealer", "Pull", "Push"]],
    ["handover", 56, "Bool", true, ["Router"]],
    ["noDrop", 69, "Bool", true, ["Publisher", "XPublisher"]],
    ["manual", 71, "Bool", true, ["XPublisher"]],
    ["welcomeMessage", 72, "String", "x", ["XPublisher"]],
    ["notify", 73, "Bool", false, ["Stream"]],
    ["verbosity", 40, "Bool", "allSubs", ["XPublisher"]],
    ["verbosity", 78, "Bool", "allSubsUnsubs", ["XPublisher"]],
  ])("%s (%i): reads as undefined, by number it is EINVAL", (option, id, kind, value, types) => {
    for (const type of types) {
      for (const library of ["ours", "npm zeromq"] as const) {
        // libzmq tells it, though its manual does not say so.
        if (library === "npm zeromq" && option === "conflate") continue;
        const socket = socketOf(library, type);
        const seen = [socket[option]];
        socket[option] = value;
        seen.push(
          socket[option],
          now(() => socket[`get${kind}Option`](id)),
        );
        expect([library, type, ...seen]).toEqual([
          library,
          type,
          undefined,
          undefined,
          `throws ${EINVAL}`,
        ]);
      }
    }
  });

  it("mandatory: its getter throws EINVAL", () => {
    for (const library of ["ours", "npm zeromq"] as const) {
      const socket = socketOf(library, "Router", { mandatory: true });
      expect(now(() => socket.mandatory)).toBe(`throws ${EINVAL}`);
      expect(now(() => socket.getBoolOption(33))).toBe(`throws ${EINVAL}`);
    }
  });
});

describe("routingId", () => {
  it.each<[string, unknown, string | null]>([
    ["one octet", "a", "a"],
    ["255 octets", "a".repeat(255), "a".repeat(255)],
    ["a Buffer", Buffer.from("name"), "name"],
    ["a Uint8Array", new Uint8Array([65]), "A"],
    ["text up to a zero, as in C", Buffer.from("a\0b"), "a"],
  ])("takes %s", (_, value, text) => {
    for (const type of OWN["routingId"] as ClassName[]) {
      expect(socketOf("ours", type, { routingId: value }).routingId).toBe(text);
    }
  });

  it.each<[string, unknown]>([
    ["nothing", ""],
    ["null", null],
    ["256 octets", "a".repeat(256)],
    ["128 letters of two octets", "é".repeat(128)],
    ["a zero at first", "\0a"],
    ["a zero octet", Buffer.of(0)],
  ])("refuses %s with EINVAL, and keeps what it was", (_, value) => {
    for (const type of OWN["routingId"] as ClassName[]) {
      const socket = socketOf("ours", type, { routingId: "name" });
      const set = now(() => {
        socket.routingId = value;
      });
      expect([type, set, socket.routingId]).toEqual([type, `throws ${EINVAL}`, "name"]);
    }
  });
});

describe("verbosity", () => {
  it.each([null, "allSubs", "allSubsUnsubs", undefined, "all", 1, true, {}])(
    "takes, or ignores, %s",
    (value) => {
      const socket = socketOf("ours", "XPublisher");
      socket.verbosity = value;
      expect(socketOf("ours", "XPublisher", { verbosity: value }).verbosity).toBeUndefined();
    },
  );
});

describe("a routing id that is taken", () => {
  it.each<[ClassName, ClassName]>([
    ["Router", "Dealer"],
    ["Router", "Router"],
    ["Stream", "Stream"],
  ])("%s: EINVAL, that says so; free again after a disconnect", async (type, peer) => {
    const [one, other] = [socketOf("ours", peer), socketOf("ours", peer)];
    for (const it of [one, other]) await it.bind("tcp://127.0.0.1:*");
    const socket = socketOf("ours", type);
    const connect = (to: Any) => now(() => socket.connect(to.lastEndpoint, { routingId: "name" }));
    const taken = `throws ${EINVAL}: the routing id is in use`;
    expect([connect(one), connect(other), connect(one)]).toEqual(["done", taken, taken]);
    // The next one is called as it likes.
    socket.connect(other.lastEndpoint);
    expect(socket.stats().peers).toHaveLength(2);
    socket.disconnect(one.lastEndpoint);
    expect(connect(one)).toBe("done");
  });
});

describe("the warning that an option comes too late", () => {
  const LATE = "Socket option will not take effect until next connect/bind.";

  function warnings(act: () => void): unknown[] {
    const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      act();
      return emit.mock.calls.map(([warning]) => warning);
    } finally {
      emit.mockRestore();
    }
  }

  /** They take effect while the socket is in use. */
  const QUIET: [string, unknown][] = [
    ...["sendHighWaterMark", "sendTimeout", "receiveHighWaterMark", "receiveTimeout", "linger"].map(
      (it): [string, unknown] => [it, 1],
    ),
    ...["mandatory", "handover", "probeRouter", "correlate", "relaxed"].map(
      (it): [string, unknown] => [it, true],
    ),
    ["verbosity", "allSubs"],
  ];

  /** Of these npm zeromq warns in vain. */
  const QUIET_OURS: [string, unknown][] = [
    ...["noDrop", "manual", "notify", "invertMatching"].map((it): [string, unknown] => [it, true]),
    ["welcomeMessage", "x"],
  ];

  const LOUD: [string, unknown][] = [
    ["routingId", "x"],
    ["conflate", true],
    ["sendBufferSize", 1],
    ["receiveBufferSize", 1],
    ["multicastHops", 1],
    ["backlog", 1],
    ["maxMessageSize", 1],
  ];

  it.each(CLASS_NAMES)("%s: comes of those options that do, and no others", async (type) => {
    for (const library of ["ours", "npm zeromq"] as const) {
      const socket = socketOf(library, type);
      await socket.bind("tcp://127.0.0.1:*");
      const told = (options: [string, unknown][]) =>
        options
          .filter(([option]) => (OWN[option] ?? CLASS_NAMES).includes(type))
          .filter(([option, value]) => {
            const seen = warnings(() => {
              socket[option] = value;
            });
            expect(seen.filter((text) => text !== LATE)).toEqual([]);
            return seen.length > 0;
          })
          .map(([option]) => option);
      const own = (options: [string, unknown][]) =>
        options.map(([it]) => it).filter((it) => (OWN[it] ?? CLASS_NAMES).includes(type));
      expect([library, told(QUIET)]).toEqual([library, []]);
      expect([library, told(LOUD)]).toEqual([library, own(LOUD)]);
      expect([library, told(QUIET_OURS)]).toEqual([
        library,
        library === "ours" ? [] : own(QUIET_OURS),
      ]);
    }
  });

  it("does not come of topics", async () => {
    for (const library of ["ours", "npm zeromq"] as const) {
      const socket = socketOf(library, "Subscriber");
      await socket.bind("tcp://127.0.0.1:*");
      expect(warnings(() => socket.subscribe("x"))).toEqual([]);
      expect(warnings(() => socket.unsubscribe("x"))).toEqual([]);
    }
  });

  it.each<ClassName>(["Router", "Stream"])(
    "%s: does not come of the name of a peer",
    async (type) => {
      const socket = socketOf("ours", type);
      await socket.bind("tcp://127.0.0.1:*");
      expect(warnings(() => socket.connect("tcp://127.0.0.1:9", { routingId: "x" }))).toEqual([]);
    },
  );
});

describe("a peer of a type that ours does not talk to", () => {
  function good(trade: (typeof TRADES)[number]): GoodSocket & zmq.Socket {
    const socket = open(trade.good, goodOptions(trade));
    closing.push(() => socket.close());
    return socket as GoodSocket & zmq.Socket;
  }

  const hello = (type: string) => concat(greeting(), ready({ "Socket-Type": type }));
  const code = "ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE";

  it.each(TRADES)(
    "is turned away by our $name, by name; the good peer beside it is not",
    async (trade) => {
      const socket = open(trade.ours);
      const target = new Target(trade, socket, good(trade));
      closing.push(() => socket.close());
      await socket.bind("tcp://127.0.0.1:*");
      await target.good.connect(target.endpoint);
      await target.meet();
      for (const type of [...TYPE_NAMES, "STREAM", "FOO"]) {
        if (isCompatible(trade.name, type)) continue;
        const peer = await MockPeer.connect(target.endpoint);
        peer.send(hello(type));
        const { error } = await target.events.next("handshake:error:protocol");
        expect([type, error?.code, error?.message]).toEqual([type, code, "ZMTP protocol error"]);
        await target.events.next("disconnect");
        await peer.gone();
        expect(socket.stats().peers).toMatchObject([{ connected: true }]);
        await target.exchange();
      }
    },
  );

  it.each(TRADES)("is left by our $name that connects, which goes on trying", async (trade) => {
    const socket = open(trade.ours, { reconnectInterval: 1 });
    closing.push(() => socket.close());
    const listener = await MockListener.open();
    closing.push(() => listener.close());
    const target = new Target(trade, socket, good(trade));
    socket.connect(listener.endpoint);
    const type = TYPE_NAMES.find((it) => !isCompatible(trade.name, it)) as string;
    for (const wrong of [type, "FOO"]) {
      const peer = await listener.accept();
      peer.send(hello(wrong));
      const { error } = await target.events.next("handshake:error:protocol");
      expect(error?.code).toBe(code);
      await peer.gone();
      peer.close();
    }
    const better = await listener.accept();
    closing.push(() => better.close());
    better.send(hello(partners(trade.name)[0] as string));
    await target.events.next("handshake");
    await until(() => socket.stats().peers.some(({ connected }) => connected));
  });

  it("over inproc has no connection", async () => {
    const [push, push2] = [socketOf("ours", "Push"), socketOf("ours", "Push")];
    await push.bind("inproc://refusals-wrong");
    push2.connect("inproc://refusals-wrong");
    await turns(3);
    expect([push.writable, push2.stats().peers]).toEqual([
      false,
      [expect.objectContaining({ connected: false })],
    ]);
  });
});
