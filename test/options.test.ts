import { afterEach, describe, expect, it, vi } from "vitest";
import * as npm from "zeromq";
import * as zmq from "../src/index.js";
import { Context } from "../src/socket/context.js";
import { Pair } from "../src/socket/pair.js";
import { Socket } from "../src/socket/socket.js";

type Settable = Record<string, unknown>;

const INT32_MAX = 2 ** 31 - 1;
let sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets) socket.close();
  sockets = [];
});

function pair(options: object = {}): Pair & Settable {
  const socket = new Pair(options);
  sockets.push(socket);
  return socket as Pair & Settable;
}

const EINVAL = expect.objectContaining({ code: "EINVAL", message: "Invalid argument" });

/** The error with which `call` fails. */
function failure(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

/** Sets `name` to `value` and says what it is then, or with what that fails. */
function outcome(name: string, value: unknown): unknown {
  const socket = pair();
  const before = socket[name];
  try {
    socket[name] = value;
  } catch (error) {
    // A value that is refused is not stored.
    expect(socket[name]).toBe(before);
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
  return socket[name];
}

/** Name, default, smallest and largest value. */
const INTEGERS: [string, number, number, number][] = [
  ["sendHighWaterMark", 1000, 0, INT32_MAX],
  ["receiveHighWaterMark", 1000, 0, INT32_MAX],
  ["sendTimeout", -1, -1, INT32_MAX],
  ["receiveTimeout", -1, -1, INT32_MAX],
  ["sendBufferSize", -1, -1, INT32_MAX],
  ["receiveBufferSize", -1, -1, INT32_MAX],
  ["multicastHops", 1, 1, INT32_MAX],
  ["rate", 100, 1, INT32_MAX],
  ["recoveryInterval", 10_000, 0, INT32_MAX],
  ["linger", -1, -1, INT32_MAX],
  ["reconnectInterval", 100, -1, INT32_MAX],
  ["reconnectMaxInterval", 0, 0, INT32_MAX],
  ["backlog", 100, 0, INT32_MAX],
  ["tcpKeepalive", -1, -1, 1],
  ["tcpKeepaliveCount", -1, -1, INT32_MAX],
  ["tcpKeepaliveIdle", -1, -1, INT32_MAX],
  ["tcpKeepaliveInterval", -1, -1, INT32_MAX],
  ["handshakeInterval", 30_000, 0, INT32_MAX],
  ["heartbeatInterval", 0, 0, INT32_MAX],
  ["heartbeatTimeout", -1, 0, INT32_MAX],
  ["connectTimeout", 0, 0, INT32_MAX],
  ["tcpMaxRetransmitTimeout", 0, 0, INT32_MAX],
  ["multicastMaxTransportDataUnit", 1500, 1, INT32_MAX],
  ["typeOfService", 0, 0, INT32_MAX],
  ["maxConnections", 16_384, 0, INT32_MAX],
  ["maxHandshakes", 1024, 0, INT32_MAX],
];

/** Ours alone: 0 is no mark. */
const BYTE_MARKS = [
  ...["sendHighWaterMarkBytes", "receiveHighWaterMarkBytes"],
  ...["sendHighWaterMarkTotalBytes", "receiveHighWaterMarkTotalBytes"],
];

const BOOLEANS = ["immediate", "ipv6", "loopbackFastPath", "exclusiveBuffers"];

const ABSENT = ["vmciBufferSize", "vmciBufferMinSize", "vmciBufferMaxSize", "vmciConnectTimeout"];

const READ_ONLY: [string, unknown][] = [
  ["type", 0],
  ["threadSafe", false],
  ["securityMechanism", null],
  ["lastEndpoint", null],
];

const NOT_NUMBERS: [string, unknown][] = [
  ["a string", "1"],
  ["true", true],
  ["null", null],
  ["undefined", undefined],
  ["a bigint", 5n],
  ["an object", {}],
  ["a Buffer", Buffer.from("1")],
];

describe("what would take another way than it says", () => {
  it.each([
    ["socksProxy", "127.0.0.1:1080", ["connect"]],
    ["interface", "lo", ["bind", "connect"]],
  ] as const)(
    "%s is kept, and refused over tcp where it would be used",
    async (name, value, uses) => {
      expect([outcome(name, value), outcome(name, "")]).toEqual([value, "EINVAL"]);
      for (const use of ["bind", "connect"] as const) {
        const socket = pair() as Pair;
        socket[name] = value;
        const refused = (uses as readonly string[]).includes(use);
        const done = async (endpoint: string): Promise<unknown> => {
          try {
            await socket[use](endpoint);
          } catch (error) {
            return (error as { code: string }).code;
          }
          return "done";
        };
        expect([use, await done(`tcp://127.0.0.1:${use === "bind" ? "*" : "1"}`)]).toEqual([
          use,
          refused ? "ENOTSUP" : "done",
        ]);
        expect(await done(`inproc://${name}`)).toBe("done");
        socket.close();
      }
    },
  );
});

describe.each(INTEGERS)("%s", (name, initial, min, max) => {
  it(`is ${initial} at first`, () => {
    expect(pair()[name]).toBe(initial);
  });

  it(`takes ${min} to ${max}`, () => {
    expect([outcome(name, min), outcome(name, max)]).toEqual([min, max]);
  });

  it("refuses what is less or more with EINVAL", () => {
    expect(outcome(name, min - 1)).toBe("EINVAL");
    if (max < INT32_MAX) expect(outcome(name, max + 1)).toBe("EINVAL");
  });

  it("takes numbers as npm zeromq does: as 32 bits, without fraction", () => {
    expect(outcome(name, 1.9)).toBe(1);
    expect(outcome(name, 2 ** 32 + 1)).toBe(1);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -0.9]) {
      expect(outcome(name, value)).toBe(min <= 0 ? 0 : "EINVAL");
    }
    expect(outcome(name, -1.5)).toBe(min === -1 ? -1 : "EINVAL");
  });

  it.each(NOT_NUMBERS)("refuses %s with a TypeError", (_, value) => {
    expect(outcome(name, value)).toBe("Option value must be a number");
  });

  it("can be given to the constructor", () => {
    expect(pair({ [name]: min })[name]).toBe(min);
    expect(failure(() => new Pair({ [name]: min - 1 }))).toEqual(EINVAL);
  });
});

describe("heartbeatTimeToLive", () => {
  it.each([
    [0, 0],
    [99, 0],
    [100, 100],
    [199, 100],
    [6_553_599, 6_553_500],
    [-1, 0],
    [-99, 0],
    [-100, "EINVAL"],
    [6_553_600, "EINVAL"],
  ])("%i: %s, for it travels in tenths of a second", (value, expected) => {
    expect(outcome("heartbeatTimeToLive", value)).toBe(expected);
  });
});

describe("maxMessageSize", () => {
  it.each([-1, 0, 1, 2 ** 31, 2 ** 32, 2 ** 53 - 2, -2, -(2 ** 53)])("takes %i", (value) => {
    expect(outcome("maxMessageSize", value)).toBe(value);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("takes %d for 0", (value) => {
    expect(outcome("maxMessageSize", value)).toBe(0);
  });

  it("loses its fraction", () => {
    expect([outcome("maxMessageSize", 1.9), outcome("maxMessageSize", -1.9)]).toEqual([1, -1]);
  });
});

describe("affinity", () => {
  it("is 0 at first, and stored", () => {
    expect([pair()["affinity"], outcome("affinity", 5), outcome("affinity", 2 ** 32)]).toEqual([
      0,
      5,
      2 ** 32,
    ]);
  });

  it("takes less than 0 for 0", () => {
    expect(outcome("affinity", -1)).toBe(0);
  });

  it("warns of values that a number cannot hold", async () => {
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    outcome("affinity", 2 ** 54);
    expect((await warned).message).toBe(
      "Value is larger than Number.MAX_SAFE_INTEGER and may have been rounded inaccurately.",
    );
  });
});

describe.each(BYTE_MARKS)("%s", (name) => {
  it("is off at first", () => {
    expect(pair()[name]).toBe(0);
  });

  it.each([0, 1, 2 ** 31, 2 ** 40])("takes %i", (value) => {
    expect(outcome(name, value)).toBe(value);
  });

  it("refuses less than 0, and what is no number", () => {
    expect(outcome(name, -1)).toBe("EINVAL");
    expect(outcome(name, "1")).toBe("Option value must be a number");
  });
});

describe("ipcMode", () => {
  it("is null at first, and can be null again", () => {
    const socket = pair({ ipcMode: 0o600 });
    expect([pair()["ipcMode"], socket["ipcMode"]]).toEqual([null, 0o600]);
    socket["ipcMode"] = null;
    expect(socket["ipcMode"]).toBeNull();
  });

  it.each([0, 0o600, 0o777])("takes %i", (mode) => {
    expect(outcome("ipcMode", mode)).toBe(mode);
  });

  it.each([-1, 0o1000, 600, 777, 2 ** 32 + 0o600])("refuses %i with EINVAL", (mode) => {
    expect(outcome("ipcMode", mode)).toBe("EINVAL");
  });

  it.each([["600"], ["rw-------"], [true], [undefined], [{}], [[]]])("refuses %j", (mode) => {
    expect(outcome("ipcMode", mode)).toBe("Option value must be a number");
  });
});

describe("tcpAcceptFilter", () => {
  function setting(filter: unknown, socket: Settable = pair()): unknown {
    try {
      socket["tcpAcceptFilter"] = filter;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    }
    return "done";
  }

  it("cannot be read, as in npm zeromq", () => {
    expect(failure(() => pair()["tcpAcceptFilter"])).toEqual(EINVAL);
    expect(failure(() => pair({ tcpAcceptFilter: "::1" })["tcpAcceptFilter"])).toEqual(EINVAL);
  });

  it.each([
    ...["127.0.0.1", "127.0.0.1/8", "10.0.0.0/0", "10.0.0.1/08", Buffer.from("127.0.0.1/32"), null],
    ...["", "a", "localhost", "*", "lo", "127.0.0.1:80", " 127.0.0.1", "10.0.0.0/33", undefined],
    ...[{}, 5, true],
  ])("npm zeromq's values: %j is taken, or refused, as there", (filter) => {
    const other = new npm.Pair();
    try {
      expect(setting(filter)).toBe(setting(filter, other as unknown as Settable));
    } finally {
      other.close();
    }
  });

  it("takes lists of texts and buffers, and nothing else in them", () => {
    expect(setting(["::1/128", Buffer.from("10.0.0.0/8")])).toBe("done");
    expect(setting(["10.0.0.0/8", "10"])).toBe("EINVAL");
    for (const strange of [[null], [undefined], [1], [["::1"]], new Array(1)]) {
      expect(setting(strange)).toBe("Option value must be a string or buffer");
    }
  });

  it("a wrong one keeps a socket from being made", () => {
    const text = expect.objectContaining({ message: expect.stringContaining('"10.0.0.0/33"') });
    expect(failure(() => new Pair({ tcpAcceptFilter: ["10.0.0.0/33"] }))).toEqual(text);
  });

  it("of a closed socket: ENOTSOCK", () => {
    const socket = pair();
    socket.close();
    for (const filter of [null, [], "::1"]) expect(setting(filter, socket)).toBe("ENOTSOCK");
  });
});

describe.each(BOOLEANS)("%s", (name) => {
  it("is false at first, and can be set", () => {
    const socket = pair();
    expect(socket[name]).toBe(false);
    socket[name] = true;
    expect(socket[name]).toBe(true);
    socket[name] = false;
    expect(socket[name]).toBe(false);
  });

  it.each([[1], [0], ["true"], [null], [undefined]])("refuses %s with a TypeError", (value) => {
    expect(outcome(name, value)).toBe("Option value must be a boolean");
  });
});

describe.each(ABSENT)("%s", (name) => {
  it("is refused with EINVAL, as in npm zeromq", () => {
    const socket = pair();
    expect(failure(() => socket[name])).toEqual(EINVAL);
    expect(
      failure(() => {
        socket[name] = 1;
      }),
    ).toEqual(EINVAL);
    expect(
      failure(() => {
        socket[name] = "1";
      }),
    ).toEqual(new TypeError("Option value must be a number"));
  });
});

describe.each(READ_ONLY)("%s", (name, value) => {
  it(`is ${value} and cannot be set`, () => {
    const socket = pair();
    expect(socket[name]).toBe(value);
    const text = `Cannot set property ${name} of #<Socket> which has only a getter`;
    expect(
      failure(() => {
        socket[name] = 1;
      }),
    ).toEqual(new TypeError(text));
    expect(failure(() => new Pair({ [name]: 1 }))).toEqual(new TypeError(text));
  });
});

describe("an option that does not exist", () => {
  it.each(["foo", "subscribe", "routingId", "conflate"])("%s: TypeError, sealed", (name) => {
    const error = new TypeError(`Cannot add property ${name}, object is not extensible`);
    const socket = pair();
    expect(
      failure(() => {
        socket[name] = 1;
      }),
    ).toEqual(error);
    expect(failure(() => new Pair({ [name]: 1 }))).toEqual(error);
  });

  it("a wrong option leaves no socket behind", () => {
    const context = new Context({ maxSockets: 1 });
    expect(failure(() => new Pair({ context, linger: "x" as never }))).toBeInstanceOf(TypeError);
    expect(failure(() => new Pair({ context, foo: 1 } as never))).toBeInstanceOf(TypeError);
    sockets.push(new Pair({ context }));
  });
});

describe("accessors", () => {
  it("stand where npm zeromq's stand: on Pair, or on Socket", () => {
    const own = (prototype: object): string[] =>
      Object.entries(Object.getOwnPropertyDescriptors(prototype))
        .filter(([, { get, set }]) => get !== undefined || set !== undefined)
        .map(([name]) => name);
    const npm = [
      "sendBufferSize",
      "sendHighWaterMark",
      "sendTimeout",
      "multicastHops",
      "receiveBufferSize",
      "receiveHighWaterMark",
      "receiveTimeout",
    ];
    const ours = [...BYTE_MARKS, "exclusiveBuffers"];
    expect(own(Pair.prototype).sort()).toEqual([...npm, ...ours].sort());
    expect(own(Socket.prototype).filter((name) => npm.includes(name))).toEqual([]);
  });

  it("are not enumerable", () => {
    expect(Object.keys(Pair.prototype)).toEqual([]);
    expect(Object.keys(Socket.prototype)).toEqual([]);
    const names: string[] = [];
    for (const name in pair()) names.push(name);
    expect(names).toEqual([]);
  });

  it("do not work on the prototype", () => {
    expect(() => (Pair.prototype as unknown as Settable)["linger"]).toThrow(TypeError);
  });
});

describe("options by number", () => {
  /** The accessors are protected: a subclass reaches them. */
  class Open extends Pair {
    call(name: string, ...args: unknown[]): unknown {
      return (this as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args);
    }
  }

  function open(): Open {
    const socket = new Open();
    sockets.push(socket);
    return socket;
  }

  it("reads and writes libzmq's numbers", () => {
    const socket = open();
    socket.call("setInt32Option", 17, 5);
    expect([socket.linger, socket.call("getInt32Option", 17)]).toEqual([5, 5]);
    socket.call("setBoolOption", 39, true);
    expect([socket.immediate, socket.call("getBoolOption", 39)]).toEqual([true, true]);
    socket.call("setInt64Option", 22, 2 ** 40);
    expect(socket.call("getInt64Option", 22)).toBe(2 ** 40);
    socket.call("setUint64Option", 4, -1);
    expect(socket.call("getUint64Option", 4)).toBe(0);
    socket.call("setUint32Option", 57, 8);
    expect(socket.call("getUint32Option", 57)).toBe(8);
    expect(socket.call("getStringOption", 32)).toBeNull();
    expect(socket.call("getInt32Option", 16)).toBe(0);
  });

  it.each([
    ["getInt32Option", [9999]],
    ["getInt32Option", [-1]],
    ["setInt32Option", [9999, 1]],
    ["setInt32Option", [16, 1]],
    ["setStringOption", [32, "x"]],
    ["getStringOption", [17]],
    ["getInt32Option", [5]],
    // ZMQ_IPC_FILTER_PID, _UID and _GID: Node.js does not say who a peer is. Nobody is to think that
    // they hold.
    ["setInt32Option", [58, 1]],
    ["setInt32Option", [59, 1]],
    ["setInt32Option", [60, 1]],
  ])("%s%j: EINVAL", (name, args) => {
    expect(failure(() => open().call(name, ...args))).toEqual(EINVAL);
  });

  it.each([
    ["getInt32Option", [], "Identifier must be a number"],
    ["getInt32Option", ["x"], "Identifier must be a number"],
    ["setInt32Option", [], "Identifier must be a number"],
    ["setInt32Option", [17], "Option value must be a number"],
    ["setInt32Option", [17, "x"], "Option value must be a number"],
    ["setBoolOption", [39, 1], "Option value must be a boolean"],
    ["setStringOption", [46, 1], "Option value must be a string or buffer"],
    ["setInt32Option", [17, 1, 2], "Expected 2 arguments but received 3"],
    ["getInt32Option", [17, 1], "Expected 1 argument but received 2"],
  ])("%s%j: TypeError, %s", (name, args, message) => {
    expect(failure(() => open().call(name, ...args))).toEqual(new TypeError(message));
  });

  it("reads numbers as other types, as libzmq does", () => {
    const socket = open();
    expect(socket.call("getBoolOption", 17)).toBe(true);
    expect(socket.call("getUint32Option", 17)).toBe(2 ** 32 - 1);
    socket.call("setUint32Option", 17, 5);
    expect(socket.linger).toBe(5);
    expect(socket.call("getInt32Option", 39)).toBe(0);
  });

  it("writes numbers as other types, and keeps each option's own", () => {
    const socket = open();
    socket.call("setBoolOption", 17, true);
    expect(socket.linger).toBe(1);
    socket.call("setInt32Option", 39, 7);
    expect(socket.immediate).toBe(true);
    socket.call("setInt32Option", 39, 0);
    expect(socket.immediate).toBe(false);
    expect(failure(() => socket.call("setBoolOption", 84, false))).toEqual(EINVAL);
  });

  it("keeps no number that is too wide for the option", () => {
    const socket = open();
    socket.call("setInt64Option", 17, 2 ** 32 + 5);
    expect(socket.linger).toBe(5);
    socket.call("setUint32Option", 17, 2 ** 32 - 1);
    expect(socket.linger).toBe(-1);
    expect(failure(() => socket.call("setUint32Option", 23, 2 ** 31))).toEqual(EINVAL);
    socket.call("setInt32Option", 4, -1);
    expect(socket.affinity).toBe(0);
    socket.call("setInt64Option", 22, 2 ** 40 + 3);
    expect(socket.call("getInt32Option", 22)).toBe(3);
  });
});

describe("on a closed socket", () => {
  it.each(["linger", "type", "lastEndpoint", "securityMechanism", "sendHighWaterMark"])(
    "reading %s: ENOTSOCK",
    (name) => {
      const socket = pair();
      socket.close();
      expect(failure(() => socket[name])).toMatchObject({
        code: "ENOTSOCK",
        message: "Socket operation on non-socket",
      });
    },
  );

  it("writing: the TypeError first, then ENOTSOCK, then EINVAL", () => {
    const socket = pair();
    socket.close();
    const set = (value: unknown) => () => {
      (socket as Settable)["linger"] = value;
    };
    expect(failure(set("x"))).toEqual(new TypeError("Option value must be a number"));
    expect(failure(set(-2))).toMatchObject({ code: "ENOTSOCK" });
    expect(failure(set(1))).toMatchObject({ code: "ENOTSOCK" });
  });
});

describe("the warning that an option comes too late", () => {
  const LATE = "Socket option will not take effect until next connect/bind.";
  const QUIET = [
    "sendHighWaterMark",
    "receiveHighWaterMark",
    "sendHighWaterMarkBytes",
    "receiveHighWaterMarkBytes",
    "sendTimeout",
    "receiveTimeout",
    "linger",
    "maxConnections",
    "maxHandshakes",
  ];
  const LOUD = [
    ...INTEGERS.map(([name]) => name).filter((name) => !QUIET.includes(name)),
    "maxMessageSize",
    "affinity",
    "heartbeatTimeToLive",
    "ipcMode",
    ...BOOLEANS,
  ];

  function warnings(set: () => void): unknown[] {
    const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      set();
      return emit.mock.calls.map(([warning]) => warning);
    } finally {
      emit.mockRestore();
    }
  }

  function set(socket: Settable, name: string): () => void {
    return () => {
      socket[name] = typeof socket[name] === "boolean" ? true : 1;
    };
  }

  it.each(LOUD)("%s: warns while the socket is bound, not before", async (name) => {
    const socket = pair();
    expect(warnings(set(socket, name))).toEqual([]);
    await socket.bind("inproc://options");
    expect(warnings(set(socket, name))).toEqual([LATE]);
    await socket.unbind("inproc://options");
    expect(warnings(set(socket, name))).toEqual([]);
  });

  it.each(QUIET)("%s: takes effect at once and does not warn", (name) => {
    const socket = pair();
    socket.connect("inproc://options");
    expect(warnings(set(socket, name))).toEqual([]);
  });

  it("comes while the socket is connected, and each time", () => {
    const socket = pair();
    socket.connect("inproc://options");
    expect(warnings(set(socket, "backlog"))).toEqual([LATE]);
    expect(warnings(set(socket, "backlog"))).toEqual([LATE]);
    socket.disconnect("inproc://options");
    expect(warnings(set(socket, "backlog"))).toEqual([]);
  });

  it("comes during a bind", async () => {
    const socket = pair();
    const bound = socket.bind("tcp://127.0.0.1:*");
    expect(warnings(set(socket, "backlog"))).toEqual([LATE]);
    await bound;
  });

  it("does not come for a value that is refused", async () => {
    const socket = pair();
    await socket.bind("inproc://options");
    expect(
      warnings(() => {
        expect(() => {
          socket["backlog"] = -1;
        }).toThrow();
      }),
    ).toEqual([]);
  });
});

/** Our classes with libzmq's numbers of their types. */
const TYPES = {
  Pair: 0,
  Publisher: 1,
  Subscriber: 2,
  Request: 3,
  Reply: 4,
  Dealer: 5,
  Router: 6,
  Pull: 7,
  Push: 8,
  XPublisher: 9,
  XSubscriber: 10,
  Stream: 11,
};

type TypeName = keyof typeof TYPES;

const classes = { ...zmq };

function open(type: TypeName, options: object = {}): Socket & Settable {
  const socket = new (classes[type] as new (options: object) => Socket)(options);
  sockets.push(socket);
  return socket as Socket & Settable;
}

/** Sets `name` to `value` in a socket of `type`: undefined, or with what that fails. */
function setting(type: TypeName, name: string, value: unknown): unknown {
  const socket = open(type);
  try {
    socket[name] = value;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
  return undefined;
}

const SENDING = [
  ...["sendBufferSize", "sendHighWaterMark", "sendTimeout", "multicastHops"],
  ...["sendHighWaterMarkBytes", "sendHighWaterMarkTotalBytes"],
];

const RECEIVING = [
  ...["receiveBufferSize", "receiveHighWaterMark", "receiveTimeout", "exclusiveBuffers"],
  ...["receiveHighWaterMarkBytes", "receiveHighWaterMarkTotalBytes"],
];

const BOTH = [...SENDING, ...RECEIVING];

/** Where others subscribe. */
const LIMITS = ["maxSubscriptions", "maxSubscriptionBytes"];

/** What stands on each class, beside what all sockets have. */
const ACCESSORS: [TypeName, string[]][] = [
  ["Pair", BOTH],
  ["Publisher", [...SENDING, ...LIMITS, "noDrop", "conflate", "invertMatching"]],
  ["Subscriber", [...RECEIVING, "conflate", "invertMatching"]],
  ["Request", [...BOTH, "routingId", "probeRouter", "correlate", "relaxed"]],
  ["Reply", [...BOTH, "routingId"]],
  ["Dealer", [...BOTH, "routingId", "probeRouter", "conflate"]],
  ["Router", [...BOTH, "routingId", "probeRouter", "mandatory", "handover"]],
  ["Pull", [...RECEIVING, "conflate"]],
  ["Push", [...SENDING, "conflate"]],
  [
    "XPublisher",
    [...BOTH, ...LIMITS, "noDrop", "manual", "welcomeMessage", "invertMatching", "verbosity"],
  ],
  ["XSubscriber", BOTH],
  ["Stream", [...BOTH, "notify"]],
];

describe.each(ACCESSORS)("%s", (type, names) => {
  it("has the options of its type, and is one of that type", () => {
    const { prototype } = classes[type];
    const own = Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([, { get, set }]) => get !== undefined || set !== undefined)
      .map(([name]) => name);
    expect(own.sort()).toEqual([...names].sort());
    expect(Object.keys(prototype)).toEqual([]);
    expect([open(type).type, open(type).threadSafe]).toEqual([TYPES[type], false]);
    expect(new Socket(TYPES[type]).type).toBe(TYPES[type]);
  });

  it("lingers for ever, but for those that subscribe", () => {
    const subscribes = type === "Subscriber" || type === "XSubscriber";
    expect(open(type).linger).toBe(subscribes ? 0 : -1);
    expect(open(type, { context: new Context({ blocky: false }) }).linger).toBe(0);
    expect(open(type, { linger: 5 }).linger).toBe(5);
  });

  it("has the defaults and ranges that a Pair has", () => {
    const socket = open(type);
    const shared = INTEGERS.filter(([name]) => !BOTH.includes(name) || names.includes(name));
    for (const [name, initial, min, max] of shared) {
      if (name !== "linger") expect([name, socket[name]]).toEqual([name, initial]);
      for (const value of [max, min]) {
        socket[name] = value;
        expect([name, socket[name]]).toEqual([name, value]);
      }
      expect([name, setting(type, name, min - 1)]).toEqual([name, "EINVAL"]);
    }
    for (const name of BYTE_MARKS.filter((it) => names.includes(it))) {
      expect([socket[name], setting(type, name, -1)]).toEqual([0, "EINVAL"]);
    }
  });
});

/** Options of some types that are true or false, and what reading them says at first. */
const SWITCHES: [string, readonly TypeName[], false | undefined][] = [
  ["probeRouter", ["Request", "Dealer", "Router"], undefined],
  ["correlate", ["Request"], undefined],
  ["relaxed", ["Request"], undefined],
  ["conflate", ["Publisher", "Subscriber", "Dealer", "Pull", "Push"], undefined],
  ["handover", ["Router"], undefined],
  ["noDrop", ["Publisher", "XPublisher"], undefined],
  ["manual", ["XPublisher"], undefined],
  ["notify", ["Stream"], undefined],
  ["invertMatching", ["Publisher", "Subscriber", "XPublisher"], false],
];

describe.each(SWITCHES)("%s", (name, types, initial) => {
  it(`reads as ${initial} at first${initial === undefined ? ", and ever" : ""}`, () => {
    for (const type of types) {
      const socket = open(type);
      const seen = [socket[name]];
      for (const value of [true, false]) {
        socket[name] = value;
        seen.push(socket[name]);
      }
      const never = [undefined, undefined, undefined];
      expect([type, ...seen]).toEqual([
        type,
        ...(initial === false ? [false, true, false] : never),
      ]);
    }
  });

  it.each([[1], [0], ["true"], [null], [undefined]])("refuses %s with a TypeError", (value) => {
    for (const type of types) {
      expect(setting(type, name, value)).toBe("Option value must be a boolean");
      expect(failure(() => open(type, { [name]: value }))).toEqual(
        new TypeError("Option value must be a boolean"),
      );
    }
  });

  it("can be given to the constructor", () => {
    for (const type of types) open(type, { [name]: true });
  });
});

describe("mandatory", () => {
  it("is set, but not read: EINVAL, as in npm zeromq", () => {
    const socket = open("Router", { mandatory: true });
    expect(failure(() => socket["mandatory"])).toEqual(EINVAL);
    expect(setting("Router", "mandatory", 1)).toBe("Option value must be a boolean");
    expect(setting("Router", "mandatory", false)).toBeUndefined();
  });
});

describe.each<TypeName>(["Request", "Reply", "Dealer", "Router"])("routingId of %s", (type) => {
  it("is null at first, and takes 1 to 255 octets, the first not zero", () => {
    const socket = open(type);
    expect(socket["routingId"]).toBeNull();
    for (const value of ["a", "a".repeat(255), "é".repeat(127)]) {
      socket["routingId"] = value;
      expect(socket["routingId"]).toBe(value);
    }
    for (const value of ["", null, "a".repeat(256), "é".repeat(128), "\0", Buffer.alloc(2)]) {
      expect(setting(type, "routingId", value)).toBe("EINVAL");
    }
  });

  it.each([[1], [true], [undefined], [{}]])("refuses %s with a TypeError", (value) => {
    expect(setting(type, "routingId", value)).toBe("Option value must be a string or buffer");
  });
});

describe("welcomeMessage", () => {
  it.each([["hello"], [""], [null], [Buffer.from("\0\xff", "latin1")]])("takes %j", (value) => {
    expect(open("XPublisher", { welcomeMessage: value })["welcomeMessage"]).toBeUndefined();
  });

  it.each([[1], [true], [undefined]])("refuses %s with a TypeError", (value) => {
    const text = "Option value must be a string or buffer";
    expect(setting("XPublisher", "welcomeMessage", value)).toBe(text);
  });
});

describe("verbosity", () => {
  it.each([[null], ["allSubs"], ["allSubsUnsubs"], ["else"], [1], [undefined]])(
    "takes %j, or ignores it, and reads as undefined",
    (value) => {
      expect(open("XPublisher", { verbosity: value })["verbosity"]).toBeUndefined();
    },
  );
});
