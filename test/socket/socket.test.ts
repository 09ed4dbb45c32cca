import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { Message } from "../../src/message.js";
import { Context, context as defaultContext } from "../../src/socket/context.js";
import { Observer } from "../../src/socket/observer.js";
import { Pair } from "../../src/socket/pair.js";
import { Socket } from "../../src/socket/socket.js";
import { Writer } from "../../src/socket/writer.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const pair = sockets.pair.bind(sockets);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid
type Any = any;

/** How `call` fails: synchronously or by its promise. */
async function failure(call: () => unknown): Promise<{ how: string; error: Error }> {
  let promise: unknown;
  try {
    promise = call();
  } catch (error) {
    return { how: "throws", error: error as Error };
  }
  try {
    await promise;
  } catch (error) {
    return { how: "rejects", error: error as Error };
  }
  throw new Error("it did not fail");
}

const CLOSED = { code: "EBADF", message: "Socket is closed" };
const BLOCKED = { code: "EBUSY", message: "Socket is blocked by a bind or unbind operation" };
const EAGAIN = { code: "EAGAIN", message: "Operation was not possible or timed out" };

describe("the constructor", () => {
  it.each([[1], ["x"], [null]])("of Pair refuses %j for options", (options) => {
    expect(() => new Pair(options as Any)).toThrow(new TypeError("Options must be an object"));
    expect(() => new Socket(0, options as Any)).toThrow(new TypeError("Options must be an object"));
  });

  it.each([[undefined], [{}], [[]], [Object.freeze({ linger: 1 })]])("takes %j", (options) => {
    const socket = new Pair(options as Any);
    expect(socket.linger).toBe((options as Any)?.linger ?? -1);
    socket.close();
  });

  it("takes own properties only", () => {
    expect(pair(Object.create({ linger: 5 })).linger).toBe(0);
    const socket = new Pair(Object.create({ linger: 5 }));
    expect(socket.linger).toBe(-1);
    socket.close();
  });

  it("takes a function with properties, as npm zeromq does", () => {
    const socket = new Pair(Object.assign(() => 1, { linger: 3 }) as Any);
    expect(socket.linger).toBe(3);
    socket.close();
  });

  it("leaves the options object as it is", () => {
    const options = { context: new Context(), linger: 0 };
    const before = { ...options };
    pair(options);
    expect(options).toEqual(before);
  });

  it.each([[1], [null], [{}], ["x"]])("refuses %j for a context", (context) => {
    expect(() => new Pair({ context } as Any)).toThrow("Invalid argument");
  });

  it.each(["send", "receive", "close"])("refuses to replace %s", (name) => {
    expect(() => new Pair({ [name]: 1 } as Any)).toThrow(TypeError);
  });

  it.each([[undefined], ["x"], [null]])("of Socket refuses the type %j", (type) => {
    expect(() => new Socket(type as Any)).toThrow(new TypeError("Socket type must be a number"));
  });

  it.each([99, -1, 0.5])("of Socket: the type %d does not exist, EINVAL", (type) => {
    expect(() => new Socket(type)).toThrow(
      expect.objectContaining({ code: "EINVAL", message: "Invalid argument" }),
    );
  });

  it("cannot be called without new", () => {
    expect(() => (Pair as Any)()).toThrow("Class constructor");
    expect(() => (Socket as Any)()).toThrow("Class constructor");
  });
});

describe("new Socket(0)", () => {
  it("is a PAIR", async () => {
    const name = sockets.endpoint("inproc");
    const socket = new Socket(0, { linger: 0 });
    const other = pair();
    expect([socket.type, socket.constructor, socket instanceof Pair]).toEqual([0, Socket, false]);
    await socket.bind(name);
    other.connect(name);
    await socket.send("x");
    expect(String(await other.receive())).toBe("x");
    socket.close();
  });
});

it("a class with a receive of its own is looped over by that", async () => {
  class Loud extends Pair {
    override async receive(): Promise<Message[]> {
      const parts = await super.receive();
      return parts.map((part) => Buffer.from(`${part}!`));
    }
  }
  const [name, socket, other] = [sockets.endpoint("inproc"), new Loud({ linger: 0 }), pair()];
  await socket.bind(name);
  other.connect(name);
  for (const text of ["a", "b"]) await other.send(text);
  const seen: string[] = [];
  for await (const [part] of socket) {
    seen.push(String(part));
    if (seen.length === 2) socket.close();
  }
  expect(seen).toEqual(["a!", "b!"]);
});

it("a receive that is put in the place of ours, later too, is looped over", async () => {
  const [name, socket, other] = [sockets.endpoint("inproc"), pair(), pair()];
  await socket.bind(name);
  other.connect(name);
  for (const text of ["a", "b"]) await other.send(text);
  const loop = socket[Symbol.asyncIterator]();
  await loop.next();
  const spy = vi.spyOn(Socket.prototype, "receive");
  expect(String((await loop.next()).value)).toBe("b");
  expect(spy).toHaveBeenCalledOnce();
  spy.mockRestore();
});

describe("an instance", () => {
  it("is sealed and has no keys", () => {
    const socket = pair();
    expect(Object.isSealed(socket)).toBe(true);
    expect(Reflect.ownKeys(socket)).toEqual([]);
    expect(JSON.stringify(socket)).toBe("{}");
  });

  it("takes no further properties", () => {
    const socket = pair() as Any;
    expect(() => {
      socket.foo = 1;
    }).toThrow(new TypeError("Cannot add property foo, object is not extensible"));
    expect(() => {
      socket.send = 1;
    }).toThrow(TypeError);
  });

  it.each(["closed", "events", "context", "readable", "writable"])("%s cannot be set", (name) => {
    expect(() => {
      (pair() as Any)[name] = 1;
    }).toThrow(new TypeError(`Cannot set property ${name} of #<Socket> which has only a getter`));
  });

  it("of a subclass: methods, but no fields", () => {
    class Methods extends Pair {
      hello(): number {
        return 1;
      }
    }
    class Fields extends Pair {
      x = 1;
    }
    const socket = new Methods();
    expect(socket.hello()).toBe(1);
    socket.close();
    expect(() => new Fields()).toThrow(
      new TypeError("Cannot define property x, object is not extensible"),
    );
  });

  it("is needed by methods", () => {
    expect(() => Pair.prototype.send.call({} as Any, "x")).toThrow(TypeError);
    expect(() => Pair.prototype.closed).toThrow();
  });

  it("has its context", () => {
    const context = new Context();
    expect(pair().context).toBe(defaultContext);
    expect(pair({ context }).context).toBe(context);
  });
});

describe("arguments", () => {
  const NAMES = ["bind", "bindSync", "unbind", "unbindSync", "connect", "disconnect"] as const;

  describe.each(NAMES)("%s", (name) => {
    const call =
      (...args: unknown[]) =>
      () =>
        (pair() as Any)[name](...args);

    it.each([[undefined], [1], [null], [{}], [Symbol("x")], [["tcp://x"]], [new String("x")]])(
      "%s: TypeError, at once",
      async (address) => {
        const { how, error } = await failure(call(address));
        expect([how, error]).toEqual(["throws", new TypeError("Address must be a string")]);
      },
    );

    it.each([[2], [undefined], [null], [{}]])(
      "one too many (%j): TypeError, at once",
      async (it) => {
        const { how, error } = await failure(call("tcp://127.0.0.1:1", it));
        const message = "Expected 1 argument but received 2";
        expect([how, error]).toEqual(["throws", new TypeError(message)]);
      },
    );

    it("an empty address: EINVAL", async () => {
      const { how, error } = await failure(call(""));
      expect(error).toMatchObject({ code: "EINVAL", message: "Invalid argument", address: "" });
      expect(how).toBe(name === "bind" || name === "unbind" ? "rejects" : "throws");
    });

    it("an unknown transport: EPROTONOSUPPORT", async () => {
      const { error } = await failure(call("foo://x"));
      expect(error).toMatchObject({
        code: "EPROTONOSUPPORT",
        message: "Protocol not supported",
        address: "foo://x",
      });
    });

    it("two addresses too many: TypeError", async () => {
      const { error } = await failure(call("a", "b", "c"));
      expect(error).toEqual(new TypeError("Expected 1 argument but received 3"));
    });
  });

  it.each(["unbind", "unbindSync", "disconnect"] as const)(
    "%s of what is not there: ENOENT",
    async (name) => {
      const socket = pair();
      for (const address of ["tcp://127.0.0.1:1", "ipc://none", "inproc://none"]) {
        const { error } = await failure(() => socket[name](address));
        expect(error).toMatchObject({ code: "ENOENT", message: "No such endpoint", address });
      }
    },
  );

  it("only bind takes a signal", async () => {
    const { signal } = new AbortController();
    for (const name of NAMES) {
      if (name === "bind") continue;
      const { error } = await failure(() => (pair() as Any)[name]("inproc://x", { signal }));
      expect(error).toEqual(new TypeError("Expected 1 argument but received 2"));
    }
  });

  describe("send", () => {
    const send =
      (...args: unknown[]) =>
      () =>
        (pair({ sendTimeout: 0 }) as Any).send(...args);

    it.each([
      [[], "Message must be present"],
      [[undefined], "Message must be present"],
      [[undefined, 2], "Message must be present"],
      [[1, 2], "Expected 1 argument but received 2"],
      [[1, undefined], "Expected 1 argument but received 2"],
      [[1, {}], "Expected 1 argument but received 2"],
      [[1, { signal: 1 }], "Expected 1 argument but received 2"],
      [[Symbol("x")], "Cannot convert a Symbol value to a string"],
      [[[Symbol("x")]], "Cannot convert a Symbol value to a string"],
      [[Object.create(null)], "Cannot convert object to primitive value"],
    ])("%o: TypeError, at once: %s", async (args, message) => {
      const { how, error } = await failure(send(...args));
      expect([how, error]).toEqual(["throws", new TypeError(message)]);
    });

    it("a DataView: Error, at once", async () => {
      const { how, error } = await failure(send(new DataView(new ArrayBuffer(2))));
      expect([how, error]).toEqual(["throws", new Error("Invalid argument")]);
    });

    it("[]: sends nothing and resolves, even without a peer", async () => {
      await expect(pair().send([])).resolves.toBeUndefined();
      expect(pair().trySend([])).toBe(true);
    });

    it("resolves to undefined", async () => {
      const socket = pair();
      socket.connect(sockets.endpoint("inproc"));
      expect(await socket.send("x")).toBeUndefined();
    });
  });

  it.each([
    [[], "Message must be present"],
    [[undefined], "Message must be present"],
    [[1, 2], "Expected 1 argument but received 2"],
    [[1, { signal: undefined }], "Expected 1 argument but received 2"],
  ])("trySend%j: TypeError, %s", (args, message) => {
    expect(() => (pair() as Any).trySend(...args)).toThrow(new TypeError(message));
  });

  it.each([[1], [undefined], [null], [{}]])("receive(%j): TypeError, at once", async (value) => {
    const { how, error } = await failure(() => (pair() as Any).receive(value));
    const message = "Expected 0 arguments but received 1";
    expect([how, error]).toEqual(["throws", new TypeError(message)]);
  });

  it.each([[1], [{ signal: undefined }]])("tryReceive(%j): TypeError", (value) => {
    expect(() => (pair() as Any).tryReceive(value)).toThrow(
      new TypeError("Expected 0 arguments but received 1"),
    );
  });

  it("close(1): TypeError, and it stays open", () => {
    const socket = pair();
    expect(() => (socket as Any).close(1)).toThrow(
      new TypeError("Expected 0 arguments but received 1"),
    );
    expect(socket.closed).toBe(false);
  });

  it("come before the state of the socket", async () => {
    const socket = pair() as Any;
    socket.close();
    for (const [call, message] of [
      [() => socket.send(), "Message must be present"],
      [() => socket.receive(1), "Expected 0 arguments but received 1"],
      [() => socket.bind(), "Address must be a string"],
      [() => socket.connect(1), "Address must be a string"],
    ] as [() => unknown, string][]) {
      expect((await failure(call)).error).toEqual(new TypeError(message));
    }
  });
});

describe("a closed socket", () => {
  it.each([
    ["bind", "inproc://x"],
    ["bindSync", "inproc://x"],
    ["unbind", "inproc://x"],
    ["unbindSync", "inproc://x"],
    ["connect", "inproc://x"],
    ["disconnect", "inproc://x"],
    ["send", "x"],
    ["trySend", "x"],
    ["receive"],
    ["tryReceive"],
  ])("%s: EBADF, at once", async (name, ...args) => {
    const socket = pair() as Any;
    socket.close();
    const { how, error } = await failure(() => socket[name](...args));
    expect(how).toBe("throws");
    expect(error).toMatchObject(CLOSED);
  });

  it("says so, and has neither context nor events", () => {
    const socket = pair();
    socket.close();
    expect([socket.closed, socket.readable, socket.writable, socket.context]).toEqual([
      true,
      false,
      false,
      undefined,
    ]);
    expect(() => socket.events).toThrow(
      expect.objectContaining({ code: "ENOTSOCK", message: "Socket operation on non-socket" }),
    );
  });

  it("can be closed again", () => {
    const socket = pair();
    socket.close();
    expect(socket.close()).toBeUndefined();
  });

  it("gives its names back", async () => {
    const name = sockets.endpoint("inproc");
    const first = pair();
    await first.bind(name);
    first.close();
    await expect(pair().bind(name)).resolves.toBeUndefined();
  });

  it("rejects what waits with EAGAIN", async () => {
    const socket = pair();
    const received = socket.receive();
    const sent = socket.send("x");
    socket.close();
    await expect(received).rejects.toMatchObject(EAGAIN);
    await expect(sent).rejects.toMatchObject(EAGAIN);
  });

  it("forgets messages that nobody has received", async () => {
    const [one, other] = await sockets.connected("inproc");
    await other.send("x");
    one.close();
    expect(() => one.tryReceive()).toThrow(expect.objectContaining(CLOSED));
  });
});

describe("one call at a time", () => {
  const READING = {
    code: "EBUSY",
    message: "Socket is busy reading; only one receive operation may be in progress at any time",
  };
  const WRITING = {
    code: "EBUSY",
    message: "Socket is busy writing; only one send operation may be in progress at any time",
  };

  it("receive: EBUSY, at once; the first goes on", async () => {
    const [one, other] = await sockets.connected("inproc");
    const first = one.receive();
    const second = await failure(() => one.receive());
    expect([second.how, second.error]).toMatchObject(["throws", READING]);
    expect(() => one.tryReceive()).toThrow(expect.objectContaining(READING));
    await other.send("x");
    expect(String(await first)).toBe("x");
  });

  it("send: EBUSY, at once; the first goes on", async () => {
    const [one, other] = [pair(), pair()];
    const name = sockets.endpoint("inproc");
    await one.bind(name);
    const first = one.send("first");
    const second = await failure(() => one.send("second"));
    expect([second.how, second.error]).toMatchObject(["throws", WRITING]);
    expect(() => one.trySend("third")).toThrow(expect.objectContaining(WRITING));
    other.connect(name);
    await first;
    expect(String(await other.receive())).toBe("first");
    expect(other.tryReceive()).toBeUndefined();
  });

  it("a receive and a send at once are fine", async () => {
    const [one, other] = await sockets.connected("inproc");
    const received = one.receive();
    await one.send("x");
    await other.send("y");
    expect(String(await received)).toBe("y");
  });

  it("argument errors come first, closed comes before busy", async () => {
    const socket = pair();
    const pending = socket.receive().catch(() => {});
    expect(() => (socket as Any).receive(1)).toThrow(TypeError);
    socket.close();
    expect(() => socket.receive()).toThrow(expect.objectContaining(CLOSED));
    await pending;
  });
});

describe("during a bind", () => {
  it.each([
    ["bind", "tcp://127.0.0.1:*"],
    ["bindSync", "tcp://127.0.0.1:*"],
    ["unbind", "tcp://127.0.0.1:1"],
    ["unbindSync", "inproc://x"],
    ["connect", "tcp://127.0.0.1:1"],
    ["disconnect", "tcp://127.0.0.1:1"],
    ["send", "x"],
    ["trySend", "x"],
    ["receive"],
    ["tryReceive"],
  ])("%s: EBUSY, at once", async (name, ...args) => {
    const socket = pair() as Any;
    const bound = socket.bind("tcp://127.0.0.1:*");
    const { how, error } = await failure(() => socket[name](...args));
    expect([how, error]).toMatchObject(["throws", BLOCKED]);
    await bound;
  });

  it("an unbind blocks as well", async () => {
    const socket = pair();
    await socket.bind("tcp://127.0.0.1:*");
    const unbound = socket.unbind(socket.lastEndpoint as string);
    expect(() => socket.connect("inproc://x")).toThrow(expect.objectContaining(BLOCKED));
    await unbound;
    expect(() => socket.connect("inproc://x")).not.toThrow();
  });

  it("arguments are checked first", async () => {
    const socket = pair() as Any;
    const bound = socket.bind("tcp://127.0.0.1:*");
    expect(() => socket.send()).toThrow(new TypeError("Message must be present"));
    expect(() => socket.bind(1)).toThrow(new TypeError("Address must be a string"));
    await bound;
  });

  it("the rest works", async () => {
    const socket = pair();
    const bound = socket.bind("tcp://127.0.0.1:*");
    expect([socket.readable, socket.writable, socket.closed]).toEqual([false, false, false]);
    expect([socket.events.closed, socket.context, socket.linger]).toEqual([
      false,
      defaultContext,
      0,
    ]);
    socket.linger = 5;
    expect(socket.linger).toBe(5);
    await bound;
  });

  it("a receive that waits goes on", async () => {
    const [one, other] = [pair(), pair()];
    const received = one.receive();
    await one.bind("tcp://127.0.0.1:*");
    other.connect(one.lastEndpoint as string);
    await other.send("x");
    expect(String(await received)).toBe("x");
  });

  it("a close takes effect afterwards", async () => {
    const socket = pair();
    const bound = socket.bind("tcp://127.0.0.1:*");
    socket.close();
    expect(socket.closed).toBe(false);
    expect(() => socket.send("x")).toThrow(expect.objectContaining(BLOCKED));
    await expect(bound).resolves.toBeUndefined();
    expect(socket.closed).toBe(true);
    expect(() => socket.send("x")).toThrow(expect.objectContaining(CLOSED));
  });

  it("a close takes effect after a failing bind, too", async () => {
    const socket = pair();
    const bound = socket.bind("foo://x");
    socket.close();
    await expect(bound).rejects.toMatchObject({ code: "EPROTONOSUPPORT" });
    expect(socket.closed).toBe(true);
  });

  it("a close leaves nothing bound", async () => {
    const first = pair();
    await first.bind("tcp://127.0.0.1:*");
    const endpoint = first.lastEndpoint as string;
    await first.unbind(endpoint);
    const bound = first.bind(endpoint);
    first.close();
    await bound;
    await first[Symbol.asyncDispose]();
    await expect(pair().bind(endpoint)).resolves.toBeUndefined();
  });

  it("asyncDispose waits for it", async () => {
    const socket = pair();
    const bound = socket.bind("tcp://127.0.0.1:*");
    await socket[Symbol.asyncDispose]();
    expect(socket.closed).toBe(true);
    await bound;
  });

  it("a signal ends it, and nothing is bound", async () => {
    const socket = pair();
    const abort = new AbortController();
    const bound = socket.bind("tcp://127.0.0.1:*", { signal: abort.signal });
    const reason = new Error("own");
    abort.abort(reason);
    await expect(bound).rejects.toBe(reason);
    expect(socket.lastEndpoint).toBeNull();
    await socket.bind("tcp://127.0.0.1:*");
  });

  it("a signal that is aborted already: nothing is tried", async () => {
    const socket = pair();
    const reason = new Error("own");
    const name = sockets.endpoint("inproc");
    await expect(socket.bind(name, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await pair().bind(name);
  });
});

describe("lastEndpoint", () => {
  it("is null at first", () => {
    expect(pair().lastEndpoint).toBeNull();
  });

  it.each([
    ["tcp://127.0.0.1:*", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://127.0.0.1:0", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://*:*", /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
    ["tcp://localhost:*", /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["ipc://*", /^ipc:\/\/.+/],
    ["inproc://last", /^inproc:\/\/last$/],
  ])("%s: has the real port or path", async (endpoint, expected) => {
    const asynchronous = pair();
    await asynchronous.bind(endpoint);
    expect(asynchronous.lastEndpoint).toMatch(expected);
    asynchronous.close();
    const synchronous = pair();
    synchronous.bindSync(endpoint);
    expect(synchronous.lastEndpoint).toMatch(expected);
  });

  it("is as given after connect", () => {
    const socket = pair();
    for (const endpoint of ["tcp://localhost:4444", "ipc://x", "inproc://x"]) {
      socket.connect(endpoint);
      expect(socket.lastEndpoint).toBe(endpoint);
    }
  });

  it("stays when a bind fails, and at unbind", async () => {
    const socket = pair();
    await socket.bind("tcp://127.0.0.1:*");
    const first = socket.lastEndpoint as string;
    await expect(socket.bind(first)).rejects.toMatchObject({ code: "EADDRINUSE", address: first });
    expect(socket.lastEndpoint).toBe(first);
    await socket.unbind(first);
    expect(socket.lastEndpoint).toBe(first);
  });

  it("is the second of two", async () => {
    const socket = pair();
    await socket.bind("tcp://127.0.0.1:*");
    const first = socket.lastEndpoint;
    await socket.bind("tcp://127.0.0.1:*");
    expect(socket.lastEndpoint).not.toBe(first);
  });
});

describe("endpoints", () => {
  it("unbindSync unbinds", async () => {
    const socket = pair();
    socket.bindSync("tcp://127.0.0.1:*");
    const endpoint = socket.lastEndpoint as string;
    socket.unbindSync(endpoint);
    await until(() => {
      const other = pair();
      try {
        other.bindSync(endpoint);
        return true;
      } catch {
        return false;
      } finally {
        other.close();
      }
    });
  });

  it("unbind knows the real endpoint only, and only once", async () => {
    const socket = pair();
    await socket.bind("tcp://127.0.0.1:*");
    const endpoint = socket.lastEndpoint as string;
    await expect(socket.unbind("tcp://127.0.0.1:*")).rejects.toMatchObject({ code: "ENOENT" });
    await socket.unbind(endpoint);
    await expect(socket.unbind(endpoint)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("unbind after localhost: as given, and as resolved", async () => {
    const socket = pair();
    await socket.bind("tcp://localhost:*");
    await socket.unbind((socket.lastEndpoint as string).replace("127.0.0.1", "localhost"));
    await socket.bind("tcp://localhost:*");
    await socket.unbind(socket.lastEndpoint as string);
  });

  it("disconnect knows what was given, once", () => {
    const socket = pair();
    socket.connect("tcp://localhost:4444");
    expect(() => socket.disconnect("tcp://127.0.0.1:4444")).toThrow("No such endpoint");
    socket.disconnect("tcp://localhost:4444");
    expect(() => socket.disconnect("tcp://localhost:4444")).toThrow("No such endpoint");
  });

  it.each(["tcp://127.0.0.1:*", "inproc://twice"])("%s twice: EADDRINUSE", async (wildcard) => {
    const [one, other] = [pair(), pair()];
    await one.bind(wildcard);
    const address = one.lastEndpoint as string;
    const error = { code: "EADDRINUSE", message: "Address already in use", address };
    await expect(other.bind(address)).rejects.toMatchObject(error);
    expect(() => other.bindSync(address)).toThrow(expect.objectContaining(error));
    expect(other.lastEndpoint).toBeNull();
  });
});

describe("readable and writable", () => {
  it("a fresh socket is neither", () => {
    const socket = pair();
    expect([socket.readable, socket.writable]).toEqual([false, false]);
  });

  it("a bound one without a peer is neither", async () => {
    const socket = pair();
    await socket.bind(sockets.endpoint("inproc"));
    expect([socket.readable, socket.writable]).toEqual([false, false]);
  });

  it.each(TRANSPORTS)("%s: a connector is writable right after connect", (transport) => {
    const socket = pair();
    socket.connect(transport === "tcp" ? "tcp://127.0.0.1:4444" : sockets.endpoint(transport));
    expect([socket.readable, socket.writable]).toEqual([false, true]);
  });

  it.each(TRANSPORTS)("%s: a binder with a peer is writable", async (transport) => {
    const [one] = await sockets.connected(transport);
    await until(() => one.writable);
    expect(one.readable).toBe(false);
  });

  it.each(TRANSPORTS)("%s: readable while a message waits", async (transport) => {
    const [one, other] = await sockets.connected(transport);
    await other.send("x");
    await until(() => one.readable);
    await one.receive();
    expect(one.readable).toBe(false);
  });

  it("a binder whose peer is gone is not writable", async () => {
    const [one, other] = await sockets.connected("tcp");
    await until(() => one.writable);
    other.close();
    await until(() => !one.writable);
  });

  it("not writable at the high-water mark, nor while a send waits", async () => {
    const socket = pair({ sendHighWaterMark: 2, sendTimeout: 20 });
    socket.connect("tcp://127.0.0.1:4444");
    await socket.send("1");
    expect(socket.writable).toBe(true);
    await socket.send("2");
    expect(socket.writable).toBe(false);
    const third = socket.send("3");
    expect(socket.writable).toBe(false);
    await expect(third).rejects.toMatchObject(EAGAIN);
    expect(socket.writable).toBe(false);
  });

  it("not readable while a receive waits on nothing", async () => {
    const socket = pair();
    const received = socket.receive().catch(() => {});
    expect(socket.readable).toBe(false);
    socket.close();
    await received;
  });
});

describe("tryReceive and trySend", () => {
  it.each(TRANSPORTS)("%s: take and give what there is", async (transport) => {
    const [one, other] = await sockets.connected(transport);
    expect(one.tryReceive()).toBeUndefined();
    expect(other.trySend(["a", Buffer.from("b"), null])).toBe(true);
    await until(() => one.readable);
    const parts = one.tryReceive();
    expect(parts?.map(String)).toEqual(["a", "b", ""]);
    expect(one.tryReceive()).toBeUndefined();
  });

  it("trySend: false without a peer, and at the high-water mark", () => {
    const socket = pair({ sendHighWaterMark: 1 });
    expect(socket.trySend("x")).toBe(false);
    socket.connect("tcp://127.0.0.1:4444");
    expect([socket.trySend("x"), socket.trySend("y")]).toEqual([true, false]);
    expect(socket.stats().send.messages).toBe(1);
  });
});

describe("timeouts", () => {
  it("receiveTimeout 0: EAGAIN without waiting", async () => {
    const { how, error } = await failure(() => pair({ receiveTimeout: 0 }).receive());
    expect([how, error]).toMatchObject(["rejects", EAGAIN]);
  });

  it("sendTimeout 0: EAGAIN without waiting, again and again", async () => {
    const socket = pair({ sendTimeout: 0 });
    for (let i = 0; i < 3; i++) await expect(socket.send("x")).rejects.toMatchObject(EAGAIN);
  });

  it("apply from the next call on", async () => {
    const socket = pair();
    let over = false;
    const first = socket.receive().catch(() => {
      over = true;
    });
    socket.receiveTimeout = 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(over).toBe(false);
    socket.close();
    await first;
  });

  it("a connector takes as much as the high-water mark, then EAGAIN", async () => {
    const socket = pair({ sendTimeout: 0 });
    socket.connect("tcp://127.0.0.1:4444");
    let sent = 0;
    const error = await (async () => {
      for (;;) {
        await socket.send("x");
        sent++;
      }
    })().catch((it) => it);
    expect([sent, error.code]).toEqual([1000, "EAGAIN"]);
  });
});

it.each([
  ["linger", 0],
  ["sendTimeout", 0],
  ["receiveTimeout", 0],
  ["sendHighWaterMark", 1],
] as const)(
  "setting %s asks a call that waits %i times whether it can go on",
  async (name, times) => {
    const pair = sockets.pair();
    const call = pair.send("x");
    const asked = vi.spyOn(Writer.prototype, "activated");
    pair[name] = 5000;
    expect(asked).toHaveBeenCalledTimes(times);
    asked.mockRestore();
    pair.close();
    await expect(call).rejects.toMatchObject({ code: "EAGAIN" });
  },
);

describe("signals", () => {
  it("an aborted receive consumes nothing", async () => {
    const [one, other] = await sockets.connected("tcp");
    const abort = new AbortController();
    const received = one.receive({ signal: abort.signal });
    const reason = new Error("own");
    abort.abort(reason);
    await expect(received).rejects.toBe(reason);
    await other.send("x");
    expect(String(await one.receive())).toBe("x");
  });

  it("an aborted send has sent nothing", async () => {
    const socket = pair();
    const name = sockets.endpoint("inproc");
    await socket.bind(name);
    const abort = new AbortController();
    const sent = socket.send("first", { signal: abort.signal });
    abort.abort();
    await expect(sent).rejects.toMatchObject({ name: "AbortError" });
    const other = pair();
    other.connect(name);
    await socket.send("second");
    expect(String(await other.receive())).toBe("second");
    expect(other.tryReceive()).toBeUndefined();
  });

  it("aborted already: rejects, and nothing happens", async () => {
    const [one, other] = await sockets.connected("inproc");
    await other.send("x");
    const reason = new Error("own");
    const signal = AbortSignal.abort(reason);
    await expect(one.receive({ signal })).rejects.toBe(reason);
    await expect(one.send("y", { signal })).rejects.toBe(reason);
    expect([one.readable, other.readable]).toEqual([true, false]);
  });

  it("{signal: undefined} is none", async () => {
    const [one, other] = await sockets.connected("inproc");
    await other.send("x", { signal: undefined } as Any);
    expect(String(await one.receive({ signal: undefined } as Any))).toBe("x");
  });

  it("AbortSignal.timeout ends a call", async () => {
    await expect(pair().receive({ signal: AbortSignal.timeout(1) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
  });
});

describe("iteration", () => {
  it("gives messages until the socket is closed", async () => {
    const [one, other] = await sockets.connected("tcp");
    for (const text of ["a", "b", "c"]) await other.send([text, text]);
    const seen: string[] = [];
    for await (const [first, second] of one) {
      seen.push(`${first}${second}`);
      if (seen.length === 3) one.close();
    }
    expect(seen).toEqual(["aa", "bb", "cc"]);
  });

  it("break leaves the socket open", async () => {
    const [one, other] = await sockets.connected("inproc");
    await other.send("a");
    await other.send("b");
    for await (const _ of one) break;
    expect(one.closed).toBe(false);
    for await (const [part] of one) {
      expect(String(part)).toBe("b");
      break;
    }
  });

  it("is over when the socket is closed while it waits, and stays over", async () => {
    const socket = pair();
    const iterator = socket[Symbol.asyncIterator]();
    const next = iterator.next();
    socket.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("is over at once on a closed socket", async () => {
    const socket = pair();
    socket.close();
    expect(await socket[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  it("throws EAGAIN when receiveTimeout is over; the socket stays open", async () => {
    const socket = pair({ receiveTimeout: 1 });
    const loop = (async () => {
      for await (const _ of socket);
    })();
    await expect(loop).rejects.toMatchObject(EAGAIN);
    expect(socket.closed).toBe(false);
  });

  it("two steps at once: the second rejects with EBUSY", async () => {
    const [one, other] = await sockets.connected("inproc");
    const iterator = one[Symbol.asyncIterator]();
    const first = iterator.next();
    await expect(iterator.next()).rejects.toMatchObject({ code: "EBUSY" });
    await other.send("x");
    expect(String((await first).value)).toBe("x");
  });

  it("several loops in turn lose nothing", async () => {
    const [one, other] = await sockets.connected("inproc");
    for (let i = 0; i < 10; i++) await other.send(String(i));
    const seen: string[] = [];
    while (seen.length < 10) {
      for await (const [part] of one) {
        seen.push(String(part));
        if (seen.length % 3 === 0 || seen.length === 10) break;
      }
    }
    expect(seen).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
  });
});

describe("events", () => {
  it("is the same observer each time", () => {
    const socket = pair();
    expect(socket.events).toBeInstanceOf(Observer);
    expect(socket.events).toBe(socket.events);
  });
});

describe("asyncDispose", () => {
  it("closes, and resolves once all is over", async () => {
    const socket = pair();
    await socket[Symbol.asyncDispose]();
    expect(socket.closed).toBe(true);
    await socket[Symbol.asyncDispose]();
  });

  it("ends calls that wait", async () => {
    const socket = pair();
    const received = socket.receive();
    const disposed = socket[Symbol.asyncDispose]();
    await expect(received).rejects.toMatchObject(EAGAIN);
    await disposed;
  });
});

describe("an error of the caller's own code", () => {
  it("in toString changes nothing", async () => {
    const [one, other] = await sockets.connected("inproc");
    const error = new RangeError("own");
    const message = {
      toString() {
        throw error;
      },
    };
    expect(() => one.send(["a", message as Any])).toThrow(error);
    await one.send("b");
    expect(String(await other.receive())).toBe("b");
  });

  it("that closes the socket in toString: EBADF", () => {
    const socket = pair();
    const message = {
      toString() {
        socket.close();
        return "x";
      },
    };
    expect(() => socket.send(message as Any)).toThrow(expect.objectContaining(CLOSED));
  });
});

it("a call that fails leaves no unhandled rejection", async () => {
  const seen: unknown[] = [];
  const note = (error: unknown): void => {
    seen.push(error);
  };
  process.on("unhandledRejection", note);
  const socket = pair();
  const bound = socket.bind("foo://x").catch(() => {});
  socket.close();
  await bound;
  await turns(3);
  process.off("unhandledRejection", note);
  expect(seen).toEqual([]);
});
