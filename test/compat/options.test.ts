/** What sockets say to each option, read and set, beside npm zeromq's. */
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as zmq from "../../src/v5-compat.js";

const npm = createRequire(import.meta.url)("zeromq/v5-compat") as typeof zmq;

const TYPES: zmq.SocketType[] = [
  ...(["pair", "req", "rep", "pub", "sub", "dealer", "xreq"] as const),
  ...(["router", "xrep", "pull", "push", "xpub", "xsub", "stream"] as const),
];

/** Every number that an option of theirs could have. */
const NUMBERS = Array.from({ length: 100 }, (_, i) => i);

const VALUES = [
  0,
  1,
  -1,
  7,
  250.9,
  2 ** 32 + 1,
  true,
  false,
  "text",
  "",
  null,
  Buffer.from("octets"),
];

/** Security, which is not built yet: setting it fails with ENOTSUP. */
const UNBUILT = new Set([
  zmq.ZMQ_TCP_ACCEPT_FILTER,
  ...[zmq.ZMQ_PLAIN_SERVER, zmq.ZMQ_PLAIN_USERNAME, zmq.ZMQ_PLAIN_PASSWORD],
  ...[zmq.ZMQ_CURVE_SERVER, zmq.ZMQ_CURVE_PUBLICKEY, zmq.ZMQ_CURVE_SECRETKEY],
  ...[zmq.ZMQ_CURVE_SERVERKEY, zmq.ZMQ_ZAP_DOMAIN],
]);

/** Of theirs these cannot be read, though they can be set: reading them fails. */
const UNREADABLE = new Set([
  zmq.ZMQ_CURVE_PUBLICKEY,
  zmq.ZMQ_CURVE_SECRETKEY,
  zmq.ZMQ_CURVE_SERVERKEY,
]);

/** Ours alone: correlate and relaxed. */
const OURS = new Set([52, 53]);

/** What cannot be told apart from outside, for it only goes to a `sub`. */
const NO_VALUES = new Set([zmq.ZMQ_SUBSCRIBE, zmq.ZMQ_UNSUBSCRIBE]);

let open: zmq.Socket[] = [];

function socketOf(layer: typeof zmq, type: zmq.SocketType): zmq.Socket {
  const socket = layer.socket(type);
  open.push(socket);
  return socket;
}

afterEach(() => {
  for (const socket of open) socket.close();
  open = [];
});

function outcome(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  }
}

describe.each(TYPES)("%s", (type) => {
  it("reads every option as npm zeromq's layer does", () => {
    const [ours, theirs] = [socketOf(zmq, type), socketOf(npm, type)];
    for (const number of NUMBERS) {
      if (UNREADABLE.has(number)) continue;
      const [one, other] = [ours, theirs].map((it) => outcome(() => it.getsockopt(number)));
      expect([number, one]).toEqual([number, other]);
    }
  });

  it("takes or refuses every value as npm zeromq's layer does", () => {
    for (const number of NUMBERS) {
      if (UNBUILT.has(number) || OURS.has(number) || NO_VALUES.has(number)) continue;
      for (const value of VALUES) {
        const [ours, theirs] = [socketOf(zmq, type), socketOf(npm, type)];
        const [one, other] = [ours, theirs].map((it) => {
          const set = outcome(() => it.setsockopt(number, value) === it);
          return [set, outcome(() => it.getsockopt(number))];
        });
        expect([number, value, one]).toEqual([number, value, other]);
        for (const it of [ours, theirs]) it.close();
      }
    }
  });

  it("has one value by number, by ZMQ_ name, by short name and as a property", () => {
    const socket = socketOf(zmq, type);
    for (const [short, number] of Object.entries(zmq.options)) {
      const by = (name: number | string) => outcome(() => socket.getsockopt(name as number));
      const expected = by(number);
      expect([short, by(short)]).toEqual([short, expected]);
      expect([short, outcome(() => socket[short])]).toEqual([short, expected]);
      const long = Object.entries(zmq).find(([name, it]) => /^ZMQ_/.test(name) && it === number);
      expect([short, by((long as [string, number])[0])]).toEqual([short, expected]);
    }
  });
});

describe("relaxed and correlate", () => {
  it("let a req send again before the answer has come, which npm zeromq's layer ignores", () => {
    const [req, strict] = [socketOf(zmq, "req"), socketOf(zmq, "req")];
    req["relaxed"] = true;
    req["correlate"] = true;
    const router = socketOf(zmq, "router");
    router.bindSync("inproc://relaxed");
    for (const it of [req, strict]) {
      it.connect("inproc://relaxed");
      it.send("first");
    }
    const writable = (it: zmq.Socket) => (it.getsockopt("_ioevents") as number) & zmq.ZMQ_POLLOUT;
    expect([writable(req), writable(strict)]).toEqual([zmq.ZMQ_POLLOUT, 0]);
  });

  it("can be given to any type, and are not read", () => {
    for (const type of TYPES) {
      const socket = zmq.socket(type, { relaxed: true, correlate: true });
      open.push(socket);
      expect([socket["relaxed"], socket["correlate"]]).toEqual([undefined, undefined]);
    }
  });
});

describe("socket", () => {
  it("sets properties that are no options, too", () => {
    const socket = zmq.socket("dealer", { backlog: 30, mine: "yes" });
    open.push(socket);
    expect([socket["backlog"], socket["mine"]]).toEqual([30, "yes"]);
  });

  it("is closed when an option is refused: it would count as one of those there may be", () => {
    const limit = zmq.Context.getMaxSockets();
    zmq.Context.setMaxSockets(1);
    try {
      for (let i = 0; i < 2; i++) {
        expect(() => zmq.socket("req", { backlog: -2 })).toThrow("Invalid argument");
      }
    } finally {
      zmq.Context.setMaxSockets(limit);
    }
  });

  it("has a type that a program may change", () => {
    class Named extends zmq.Socket {
      override type = "pull" as const;
    }
    const socket = new Named("xpub");
    open.push(socket);
    expect([socket.type, socket.getsockopt(zmq.ZMQ_TYPE)]).toEqual(["pull", zmq.ZMQ_XPUB]);
  });
});

it("monitor warns of arguments that do nothing any more", () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    socketOf(zmq, "pair").monitor(500, 0);
    socketOf(zmq, "pair").monitor();
    expect(warned).toHaveBeenCalledTimes(1);
    const [[text]] = warned.mock.calls as unknown as [[string]];
    socketOf(npm, "pair").monitor(500, 0);
    expect(warned).toHaveBeenLastCalledWith(text);
  } finally {
    warned.mockRestore();
  }
});
