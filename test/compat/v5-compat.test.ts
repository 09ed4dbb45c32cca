/** The callback API, beside npm zeromq's. */
import { EventEmitter, once } from "node:events";
import { createRequire } from "node:module";
import { inherits } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import * as zmq from "../../src/v5-compat.js";
import { until } from "../support/sockets.js";

/** npm zeromq's, whose types TypeScript does not find. */
const npm = createRequire(import.meta.url)("zeromq/v5-compat") as typeof zmq;

const TYPES: zmq.SocketType[] = [
  ...(["pair", "req", "rep", "pub", "sub", "dealer", "xreq"] as const),
  ...(["router", "xrep", "pull", "push", "xpub", "xsub", "stream"] as const),
];

const open: zmq.Socket[] = [];
let names = 0;

function socket(type: zmq.SocketType, options?: Record<string, unknown>): zmq.Socket {
  const made = zmq.socket(type, options);
  if (!("linger" in (options ?? {}))) made["linger"] = 0;
  open.push(made);
  return made;
}

afterEach(() => {
  for (const it of open.splice(0)) it.close();
});

function endpoint(): string {
  return `inproc://compat-${names++}`;
}

/** Two sockets, the first of them bound. */
function connected(one: zmq.SocketType, other: zmq.SocketType): [zmq.Socket, zmq.Socket] {
  const sockets = [socket(one), socket(other)] as [zmq.Socket, zmq.Socket];
  const name = endpoint();
  sockets[0].bindSync(name);
  sockets[1].connect(name);
  return sockets;
}

function collect(from: zmq.Socket): string[] {
  const texts: string[] = [];
  from.on("message", (...frames) => texts.push(frames.map(String).join("|")));
  return texts;
}

describe("what is exported", () => {
  it("are npm zeromq's names, of the same types, numbers of the same value", () => {
    const ours = zmq as Record<string, unknown>;
    expect(Object.keys(ours).sort()).toEqual(Object.keys(npm).sort());
    for (const [name, theirs] of Object.entries(npm)) {
      expect([name, typeof ours[name]]).toEqual([name, typeof theirs]);
      if (typeof theirs !== "function") expect([name, ours[name]]).toEqual([name, theirs]);
    }
    expect(zmq.socket).toBe(zmq.createSocket);
  });

  it("curveKeypair makes two keys; Context has statics only", () => {
    expect(Object.values(zmq.curveKeypair()).map((key) => key.length)).toEqual([40, 40]);
    expect(() => new zmq.Context()).toThrow("Context cannot be instantiated in compatibility mode");
    const sockets = zmq.Context.getMaxSockets();
    zmq.Context.setMaxSockets(sockets + 1);
    expect(zmq.Context.getMaxSockets()).toBe(sockets + 1);
    zmq.Context.setMaxSockets(sockets);
    const threads = zmq.Context.getMaxThreads();
    zmq.Context.setMaxThreads(threads + 1);
    expect(zmq.Context.getMaxThreads()).toBe(threads + 1);
    zmq.Context.setMaxThreads(threads);
  });
});

describe("a socket", () => {
  it("of any type is an emitter with a type", () => {
    for (const type of TYPES) {
      const it = socket(type);
      expect([it instanceof EventEmitter, it instanceof zmq.Socket, it.type]).toEqual([
        true,
        true,
        type,
      ]);
      expect([it.closed, it.close(), it.closed]).toEqual([false, it, true]);
    }
    expect(() => zmq.socket("no such" as zmq.SocketType)).toThrow("Invalid socket type: no such");
  });

  it("can be extended as classes are now, and as they were", async () => {
    class Modern extends zmq.Socket {
      readonly own = 1;
    }
    function Ancient(this: zmq.Socket): void {
      zmq.Socket.call(this, "pull");
      this["own"] = 2;
    }
    inherits(Ancient, zmq.Socket as never);
    const [push, pull] = [
      new Modern("push"),
      new (Ancient as unknown as new () => zmq.Socket)(),
    ] as const;
    open.push(push, pull);
    const name = endpoint();
    push.bindSync(name);
    pull.connect(name);
    push.send(["a", "b"]);
    const frames = await once(pull, "message");
    expect([frames.map(String), push.own, pull["own"]]).toEqual([["a", "b"], 1, 2]);
  });

  it("that its constructor was not called for says so", () => {
    expect(() => Object.create(zmq.Socket.prototype).connect("inproc://x")).toThrow(
      "The socket's constructor has not been called",
    );
  });
});

describe("messages", () => {
  it("are sent in their order, in parts, and callbacks are called in it", async () => {
    const [push, pull] = connected("push", "pull");
    const texts = collect(pull);
    const done: number[] = [];
    for (let i = 0; i < 3000; i++) {
      push.send(`${i}`, zmq.ZMQ_SNDMORE);
      push.send(["b", "c"], null, () => done.push(i));
    }
    await until(() => texts.length === 3000 && done.length === 3000);
    expect(texts).toEqual(Array.from({ length: 3000 }, (_, i) => `${i}|b|c`));
    expect(done).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  });

  it("do not come while paused, nor out of order, nor twice", async () => {
    const [push, pull] = connected("push", "pull");
    const texts: string[] = [];
    pull.on("message", (frame) => {
      texts.push(String(frame));
      if (texts.length % 7 === 0) {
        pull.pause();
        const { length } = texts;
        setImmediate(() => {
          expect(texts.length).toBe(length);
          pull.resume();
        });
      }
    });
    for (let i = 0; i < 100; i++) push.send(`${i}`);
    await until(() => texts.length === 100);
    expect(texts).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  it("wait for a listener, and can be read without one", async () => {
    const [one, other] = connected("pair", "pair");
    other.send("first");
    other.send("second");
    await until(() => one.getsockopt("_ioevents") !== zmq.ZMQ_POLLOUT);
    expect((one.read() ?? []).map(String)).toEqual(["first"]);
    expect(String((await once(one, "message"))[0])).toBe("second");
    expect(one.read()).toBeNull();
  });

  it("that cannot be sent go to the callback, or to error", async () => {
    const router = socket("router");
    router.setsockopt(zmq.ZMQ_ROUTER_MANDATORY, 1);
    router.setsockopt(zmq.ZMQ_SNDTIMEO, 0);
    router.bindSync(endpoint());
    const errors: string[] = [];
    router.send(["nobody", "x"], 0, (error) => errors.push(`told ${error?.message}`));
    router.on("error", (error) => errors.push(`emitted ${error.message}`));
    router.send(["nobody", "x"]);
    await until(() => errors.length === 2);
    expect(errors).toEqual(["told Host unreachable", "emitted Host unreachable"]);
    expect(() => socket("pull").send("x")).toThrow("Cannot send on this socket type.");
  });

  it("of a SUB are those that it has subscribed to", async () => {
    const [pub, sub] = connected("pub", "sub");
    const texts = collect(sub);
    sub.subscribe("a").subscribe("b").unsubscribe("b");
    for (const text of ["a1", "b1", "a2"]) pub.send(text);
    await until(() => texts.length === 2);
    expect(texts).toEqual(["a1", "a2"]);
    expect(() => socket("pull").subscribe("")).toThrow("Subscriber socket required");
  });
});

describe("bind and unbind", () => {
  it("tell the callback and emit; what is wrong goes to the callback, or to error", async () => {
    const one = socket("rep");
    const name = endpoint();
    const told: unknown[] = [];
    one.on("bind", (address) => told.push(["bind", address]));
    one.on("unbind", (address) => told.push(["unbind", address]));
    one.bind(name, (error) => told.push(error));
    await until(() => told.length === 2);
    const other = socket("rep");
    other.bind(name, (error) => told.push((error as NodeJS.ErrnoException).code));
    await until(() => told.length === 3);
    other.on("error", (error) => told.push(error.code));
    other.bind(name);
    await until(() => told.length === 4);
    one.unbind(name);
    await until(() => told.length === 5);
    expect(told).toEqual([["bind", name], undefined, "EADDRINUSE", "EADDRINUSE", ["unbind", name]]);
  });
});

describe("options", () => {
  it("are npm zeromq's by number and by short name, and have its values at first", () => {
    const seen = (it: { getsockopt(name: never): unknown }, name: string | number): unknown => {
      try {
        return it.getsockopt(name as never);
      } catch (error) {
        return (error as Error).message;
      }
    };
    const [ours, theirs] = [zmq.socket("req"), npm.socket("req")];
    for (const name of Object.keys(npm.options)) {
      // Ours are not told of what they are not: no descriptor to poll, no CURVE key to read.
      if (name === "_fd" || name.startsWith("curve_")) continue;
      expect([name, seen(ours, name)]).toEqual([name, seen(theirs, name)]);
    }
    ours.close();
    theirs.close();
  });

  it("are set by number, by ZMQ_ name, by short name and as properties", () => {
    const it = socket("req", { identity: "me", relaxed: true });
    expect(it.getsockopt(zmq.ZMQ_IDENTITY)).toBe("me");
    it.setsockopt(zmq.ZMQ_BACKLOG, 1);
    expect(it["backlog"]).toBe(1);
    it.setsockopt("ZMQ_BACKLOG", 2);
    expect(it.getsockopt("backlog")).toBe(2);
    it["backlog"] = 3;
    expect(it.getsockopt(zmq.ZMQ_BACKLOG)).toBe(3);
    expect(() => it.setsockopt(4711, 1)).toThrow("Unknown option");
  });
});

it("monitor emits what happens to the connections, until unmonitor", async () => {
  const one = socket("pair").monitor();
  const seen: unknown[] = [];
  for (const name of ["listen", "accept", "disconnect"]) {
    one.on(name, (_value, address) => seen.push([name, address]));
  }
  one.bindSync("tcp://127.0.0.1:*");
  const address = one["last_endpoint"];
  const other = socket("pair");
  other.connect(address);
  await until(() => seen.length === 2);
  one.unmonitor();
  other.close();
  expect(seen).toEqual([
    ["listen", address],
    ["accept", address],
  ]);
});

it("proxy hands messages on, both ways, and to the capture socket", async () => {
  const [front, back] = [socket("router"), socket("dealer")];
  const [capture, seen] = connected("pub", "sub");
  seen.subscribe("");
  const captured = collect(seen);
  const [questions, answers] = [endpoint(), endpoint()];
  front.bindSync(questions);
  back.bindSync(answers);
  zmq.proxy(front, back, capture);
  const [req, rep] = [socket("req"), socket("rep")];
  rep.connect(answers);
  rep.on("message", (frame) => rep.send(`answer to ${frame}`));
  req.connect(questions);
  req.send("question");
  expect(String((await once(req, "message"))[0])).toBe("answer to question");
  await until(() => captured.length > 0);
  expect(captured).toEqual(["answer to question"]);
  expect(() => zmq.proxy(back, front)).toThrow(
    "This socket type order is not supported in compatibility mode",
  );
});
