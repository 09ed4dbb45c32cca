import { afterEach, describe, expect, it, vi } from "vitest";
import { Context, context as defaultContext } from "../../src/socket/context.js";
import { contextCore } from "../../src/socket/context-core.js";
import { Pair } from "../../src/socket/pair.js";

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid
type Any = any;

let open: Pair[] = [];

afterEach(() => {
  for (const socket of open) socket.close();
  open = [];
});

function pair(context: Context, options: object = {}): Pair {
  const socket = new Pair({ ...options, context });
  open.push(socket);
  return socket;
}

const INT32_MAX = 2 ** 31 - 1;
const EINVAL = expect.objectContaining({ code: "EINVAL", message: "Invalid argument" });
const EMFILE = expect.objectContaining({
  code: "EMFILE",
  message: "Too many open file descriptors",
});

describe("new Context", () => {
  it("has npm zeromq's defaults", () => {
    const { ioThreads, maxSockets, maxSocketsLimit, maxMessageSize, ipv6, blocky } = new Context();
    expect([ioThreads, maxSockets, maxSocketsLimit, maxMessageSize, ipv6, blocky]).toEqual([
      1,
      1023,
      65_535,
      INT32_MAX,
      false,
      true,
    ]);
  });

  it("takes options", () => {
    const context = new Context({ blocky: false, ioThreads: 2, maxSockets: 5, threadPriority: 1 });
    expect([context.blocky, context.ioThreads, context.maxSockets]).toEqual([false, 2, 5]);
  });

  it.each([[1], [null], ["x"]])("refuses %j for options", (options) => {
    expect(() => new Context(options as Any)).toThrow(new TypeError("Options must be an object"));
  });

  it.each([[undefined], [{}], [[]]])("takes %j", (options) => {
    expect(new Context(options as Any).maxSockets).toBe(1023);
  });

  it("refuses a second argument", () => {
    expect(() => new (Context as Any)({}, 2)).toThrow(
      new TypeError("Expected 1 argument but received 2"),
    );
  });

  it.each([
    [{ foo: 1 }, "Cannot add property foo, object is not extensible"],
    [
      { maxSocketsLimit: 2 },
      "Cannot set property maxSocketsLimit of #<Context> which has only a getter",
    ],
    [{ ioThreads: "x" }, "Option value must be a number"],
    [{ blocky: 1 }, "Option value must be a boolean"],
  ])("%j: TypeError, %s", (options, message) => {
    expect(() => new Context(options as Any)).toThrow(new TypeError(message));
  });

  it("is sealed and has no keys", () => {
    const context = new Context();
    expect([Object.isSealed(context), Reflect.ownKeys(context)]).toEqual([true, []]);
    expect(Object.keys(Context.prototype)).toEqual([]);
  });

  it("cannot be called without new", () => {
    expect(() => (Context as Any)()).toThrow("Class constructor");
  });
});

describe("options", () => {
  it.each([
    ["ioThreads", 0, INT32_MAX],
    ["maxSockets", 1, INT32_MAX],
    ["maxMessageSize", 0, INT32_MAX],
  ])("%s: takes %i to %i", (name, min, max) => {
    const context = new Context() as Any;
    for (const value of [min, max]) {
      context[name] = value;
      expect(context[name]).toBe(value);
    }
    context[name] = 1.9;
    expect(context[name]).toBe(1);
    for (const value of [min - 1, -2]) {
      expect(() => {
        context[name] = value;
      }).toThrow(EINVAL);
    }
    for (const value of ["1", true, null, undefined, {}, 5n]) {
      expect(() => {
        context[name] = value;
      }).toThrow(new TypeError("Option value must be a number"));
    }
    expect(context[name]).toBe(1);
  });

  it.each(["threadPriority", "threadSchedulingPolicy"])("%s: is taken, not read", (name) => {
    const context = new Context() as Any;
    context[name] = 1;
    expect(context[name]).toBeUndefined();
    expect(context.maxSocketsLimit).toBe(65_535);
    expect(() => {
      context[name] = -1;
    }).toThrow(EINVAL);
  });

  it.each(["ipv6", "blocky"])("%s: booleans only", (name) => {
    const context = new Context() as Any;
    for (const value of [true, false]) {
      context[name] = value;
      expect(context[name]).toBe(value);
    }
    for (const value of [0, 1, "true", null, undefined]) {
      expect(() => {
        context[name] = value;
      }).toThrow(new TypeError("Option value must be a boolean"));
    }
  });

  it("can be reached by libzmq's numbers", () => {
    const context = new Context() as Any;
    expect([context.getInt32Option(1), context.getBoolOption(1)]).toEqual([1, true]);
    context.setInt32Option(1, 3);
    expect(context.ioThreads).toBe(3);
    expect(context.getInt32Option(3)).toBe(65_535);
    context.setBoolOption(70, false);
    expect(context.blocky).toBe(false);
    expect(() => context.getInt32Option(99)).toThrow(EINVAL);
    expect(() => context.setInt32Option(99, 3)).toThrow(EINVAL);
    expect(() => context.setBoolOption(70, 1)).toThrow(
      new TypeError("Option value must be a boolean"),
    );
    expect(() => context.getInt32Option()).toThrow(new TypeError("Identifier must be a number"));
  });
});

describe("what sockets take from their context", () => {
  it("ipv6: the default of new ones", () => {
    const context = new Context({ ipv6: true });
    expect([pair(context).ipv6, pair(context, { ipv6: false }).ipv6]).toEqual([true, false]);
  });

  it("blocky = false: new ones do not linger", () => {
    const context = new Context();
    const before = pair(context);
    context.blocky = false;
    expect([before.linger, pair(context).linger, pair(context, { linger: 5 }).linger]).toEqual([
      -1, 0, 5,
    ]);
    context.blocky = true;
    expect(pair(context).linger).toBe(-1);
  });

  it("maxSockets: EMFILE for one more, until one is closed", () => {
    const context = new Context({ maxSockets: 2 });
    const first = pair(context);
    pair(context);
    expect(() => new Pair({ context })).toThrow(EMFILE);
    first.close();
    pair(context);
    expect(() => new Pair({ context })).toThrow(EMFILE);
  });

  it("maxSockets is its own: others are not counted", () => {
    const context = new Context({ maxSockets: 1 });
    pair(context);
    pair(new Context());
    pair(defaultContext);
  });

  it("names of inproc endpoints", async () => {
    const [one, other] = [new Context(), new Context()];
    await pair(one).bind("inproc://same");
    await pair(other).bind("inproc://same");
    await expect(pair(one).bind("inproc://same")).rejects.toMatchObject({ code: "EADDRINUSE" });
    const stranger = pair(new Context(), { sendTimeout: 0 });
    stranger.connect("inproc://same");
    await stranger.send("x");
    expect(open.some((socket) => socket.readable)).toBe(false);
  });
});

describe("contextCore", () => {
  it("is undefined for what is no context", () => {
    expect(contextCore({})).toBeUndefined();
    expect(contextCore(new Context())).toBeDefined();
  });

  it("is found whichever copy of the library made the context", async () => {
    vi.resetModules();
    const copy = await import("../../src/socket/context.js");
    expect(copy.Context).not.toBe(Context);
    expect(copy.context).toBe(defaultContext);
    const context = new copy.Context({ maxSockets: 1 });
    pair(context as unknown as Context);
    expect(() => new Pair({ context: context as unknown as Context })).toThrow(EMFILE);
  });
});
