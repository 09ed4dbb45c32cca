import { createServer, type Server } from "node:net";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Event } from "../../src/events.js";
import { hold } from "../../src/socket/hold.js";
import { Observer } from "../../src/socket/observer.js";
import type { Pair } from "../../src/socket/pair.js";
import { MockPeer, wire } from "../support/mock-peer.js";
import { handshake, Sockets, turns, until } from "../support/sockets.js";

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid
type Any = any;

const sockets = new Sockets();
const pair = sockets.pair.bind(sockets);
let servers: Server[] = [];

afterEach(async () => {
  await sockets.close();
  for (const server of servers) server.close();
  servers = [];
});
afterAll(() => sockets.end());

/** All events of a socket from now on. */
function follow(socket: Pair): Event[] {
  const seen: Event[] = [];
  const observer = new Observer(socket);
  void (async () => {
    for await (const event of observer) seen.push(event);
  })();
  return seen;
}

const types = (events: Event[]): string[] => events.map(({ type }) => type);

function seen(events: Event[], type: Event["type"], count = 1): Promise<void> {
  return until(() => types(events).filter((it) => it === type).length >= count);
}

/** Where nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `tcp://127.0.0.1:${port}`;
}

describe("the order of events", () => {
  it("tcp: binder and connector, the connector closes", async () => {
    const [one, other] = [pair(), pair()];
    const [bound, connected] = [follow(one), follow(other)];
    await one.bind("tcp://127.0.0.1:*");
    const address = one.lastEndpoint as string;
    other.connect(address);
    await seen(bound, "handshake");
    await seen(connected, "handshake");
    other.close();
    await seen(bound, "disconnect");
    await one.unbind(address);
    one.close();
    await seen(bound, "end");
    expect(types(bound)).toEqual(["bind", "accept", "handshake", "disconnect", "close", "end"]);
    expect(types(connected)).toEqual(["connect:delay", "connect", "handshake", "end"]);
    for (const event of [...bound, ...connected]) {
      if (event.type !== "end") expect((event as Any).address).toBe(address);
    }
  });

  it("ipc: binder and connector", async () => {
    const [one, other] = [pair(), pair()];
    const [bound, connected] = [follow(one), follow(other)];
    await one.bind(sockets.endpoint("ipc"));
    other.connect(one.lastEndpoint as string);
    await seen(bound, "handshake");
    await seen(connected, "handshake");
    other.close();
    await seen(bound, "disconnect");
    one.close();
    await seen(bound, "end");
    expect(types(bound)).toEqual(["bind", "accept", "handshake", "disconnect", "close", "end"]);
    expect(types(connected)).toEqual(["connect", "handshake", "end"]);
  });

  it("the binder closes with a live peer; the connector tries again", async () => {
    const [one, other] = [pair(), pair({ reconnectInterval: 20 })];
    const [bound, connected] = [follow(one), follow(other)];
    await one.bind("tcp://127.0.0.1:*");
    other.connect(one.lastEndpoint as string);
    await seen(connected, "handshake");
    await seen(bound, "handshake");
    one.close();
    await seen(connected, "close", 2);
    expect(types(bound).slice(-2)).toEqual(["close", "end"]);
    expect(types(connected).slice(0, 9)).toEqual([
      "connect:delay",
      "connect",
      "handshake",
      "disconnect",
      "connect:retry",
      "connect:delay",
      "close",
      "connect:retry",
      "connect:delay",
    ]);
  });

  it("nobody listens: delay, close, retry with its interval", async () => {
    const socket = pair({ reconnectInterval: 10 });
    const events = follow(socket);
    const address = await closedPort();
    socket.connect(address);
    await seen(events, "connect:retry", 3);
    const cycle = ["connect:delay", "close", "connect:retry"];
    expect(types(events).slice(0, 6)).toEqual([...cycle, ...cycle]);
    for (const event of events) {
      expect((event as Any).address).toBe(address);
      if (event.type !== "connect:retry") continue;
      expect(event.interval).toBeGreaterThanOrEqual(10);
      expect(event.interval).toBeLessThanOrEqual(20);
    }
  });

  it.each([0, -1])("reconnectInterval %i: one attempt, then silence", async (reconnectInterval) => {
    const socket = pair({ reconnectInterval });
    const events = follow(socket);
    socket.connect(await closedPort());
    await seen(events, "close");
    await turns(20);
    expect(types(events)).toEqual(["connect:delay", "close"]);
  });

  it("ipc, no file: close, retry", async () => {
    const socket = pair({ reconnectInterval: 10 });
    const events = follow(socket);
    socket.connect(sockets.endpoint("ipc"));
    await seen(events, "connect:retry", 2);
    expect(types(events).slice(0, 4)).toEqual(["close", "connect:retry", "close", "connect:retry"]);
  });

  it("inproc: only the end", async () => {
    const [one, other] = [pair(), pair()];
    const events = [follow(one), follow(other)];
    const name = sockets.endpoint("inproc");
    await one.bind(name);
    other.connect(name);
    await other.send("x");
    await one.receive();
    other.close();
    await turns(3);
    one.close();
    await turns(3);
    expect(events.map(types)).toEqual([["end"], ["end"]]);
  });

  it("a bind that fails: close and bind:error, whose address lacks its transport", async () => {
    const first = pair();
    await first.bind("tcp://127.0.0.1:*");
    const endpoint = first.lastEndpoint as string;
    const socket = pair();
    const events = follow(socket);
    await socket.bind(endpoint).catch(() => {});
    await seen(events, "bind:error");
    expect(events.at(-1)).toMatchObject({
      type: "bind:error",
      address: endpoint.slice("tcp://".length),
      error: { code: "EADDRINUSE", message: "Address already in use" },
    });
  });

  it("an address that cannot be read: no event", async () => {
    const socket = pair();
    const events = follow(socket);
    for (const address of ["foo://x", "tcp://x", "inproc://"]) {
      await socket.bind(address).catch(() => {});
    }
    await turns(3);
    expect(events).toEqual([]);
  });

  it("a peer that breaks off in its handshake: handshake:error:other, disconnect", async () => {
    const socket = pair();
    const events = follow(socket);
    await socket.bind("tcp://127.0.0.1:*");
    const peer = await MockPeer.connect(socket.lastEndpoint as string);
    await seen(events, "accept");
    peer.reset();
    await seen(events, "disconnect");
    expect(types(events)).toEqual(["bind", "accept", "handshake:error:other", "disconnect"]);
    expect((events[2] as Any).error).toMatchObject({
      code: "ECONNRESET",
      message: "Connection reset by peer",
    });
    expect((events[2] as Any).address).toBe(socket.lastEndpoint);
  });

  it("a peer that says nothing: EAGAIN after handshakeInterval", async () => {
    const socket = pair({ handshakeInterval: 30 });
    const events = follow(socket);
    await socket.bind("tcp://127.0.0.1:*");
    const peer = await MockPeer.connect(socket.lastEndpoint as string);
    await seen(events, "disconnect");
    expect(types(events)).toEqual(["bind", "accept", "handshake:error:other", "disconnect"]);
    expect((events[2] as Any).error).toMatchObject({
      code: "EAGAIN",
      message: "Operation was not possible or timed out",
    });
    peer.close();
  });

  it("a peer with another mechanism: handshake:error:protocol, disconnect", async () => {
    const socket = pair();
    const events = follow(socket);
    await socket.bind("tcp://127.0.0.1:*");
    const peer = await MockPeer.connect(socket.lastEndpoint as string);
    peer.send(wire.greeting({ minor: 1, mechanism: "PLAIN" }));
    await seen(events, "disconnect");
    expect(types(events)).toEqual(["bind", "accept", "handshake:error:protocol", "disconnect"]);
    expect((events[2] as Any).error).toMatchObject({
      code: "ERR_ZMTP_MECHANISM_MISMATCH",
      message: "ZMTP protocol error",
    });
    peer.close();
  });

  it("tells where the peer is, which npm zeromq does not", async () => {
    const [one, other] = [pair(), pair()];
    const [bound, connected] = [follow(one), follow(other)];
    await one.bind("tcp://127.0.0.1:*");
    other.connect(one.lastEndpoint as string);
    await seen(connected, "handshake");
    await seen(bound, "handshake");
    const theirs = bound.find(({ type }) => type === "accept") as Any;
    expect(theirs.peerAddress).toMatch(/127\.0\.0\.1:\d+$/);
    const ours = connected.find(({ type }) => type === "connect") as Any;
    expect(ours.peerAddress).toContain(new URL(one.lastEndpoint as string).port);
  });

  it("events are plain objects that begin with type and address", async () => {
    const socket = pair();
    const events = follow(socket);
    await socket.bind("tcp://127.0.0.1:*");
    await seen(events, "bind");
    expect(Object.keys(events[0] as Event)).toEqual(["type", "address"]);
    expect(Object.getPrototypeOf(events[0])).toBe(Object.prototype);
  });
});

describe("receive", () => {
  it("gives what has happened since the observer was made", async () => {
    const socket = pair();
    await socket.bind("tcp://127.0.0.1:*");
    const { events } = socket;
    const address = socket.lastEndpoint as string;
    await socket.unbind(address);
    expect(await events.receive()).toEqual({ type: "close", address });
  });

  it("waits for what happens", async () => {
    const socket = pair();
    const received = socket.events.receive();
    await socket.bind("tcp://127.0.0.1:*");
    expect(await received).toEqual({ type: "bind", address: socket.lastEndpoint });
  });

  it("holds the process while it waits, and only then", async () => {
    const before = hold.count;
    const socket = pair();
    const { events } = socket;
    expect(hold.count).toBe(before);
    const received = events.receive();
    expect(hold.count).toBe(before + 1);
    socket.close();
    await received;
    expect(hold.count).toBe(before);
  });

  it("gives the end, then EBADF", async () => {
    const socket = pair();
    const { events } = socket;
    const received = events.receive();
    socket.close();
    expect(await received).toEqual({ type: "end" });
    expect(events.closed).toBe(true);
    expect(() => events.receive()).toThrow(
      expect.objectContaining({ code: "EBADF", message: "Socket is closed" }),
    );
  });

  it("gives what was waiting when the socket was closed, and the end", async () => {
    const socket = pair();
    const { events } = socket;
    await socket.bind("tcp://127.0.0.1:*");
    socket.close();
    expect(events.closed).toBe(true);
    const got = [await events.receive(), await events.receive(), await events.receive()];
    expect(types(got)).toEqual(["bind", "close", "end"]);
    expect(() => events.receive()).toThrow(expect.objectContaining({ code: "EBADF" }));
  });

  it("a second one while one waits: EBUSY, the first goes on", async () => {
    const socket = pair();
    const first = socket.events.receive();
    expect(() => socket.events.receive()).toThrow(
      expect.objectContaining({
        code: "EBUSY",
        message:
          "Observer is busy reading; only one receive operation may be in progress at any time",
      }),
    );
    socket.close();
    expect(await first).toEqual({ type: "end" });
  });

  it.each(["receive", "close"])("%s(1): TypeError", (name) => {
    expect(() => (pair().events as Any)[name](1)).toThrow(
      new TypeError("Expected 0 arguments but received 1"),
    );
  });

  it("keeps 1,000 events that nobody reads, and the end", async () => {
    const socket = pair();
    const { events } = socket;
    for (let i = 0; i < 600; i++) {
      socket.bindSync("tcp://127.0.0.1:*");
      socket.unbindSync(socket.lastEndpoint as string);
    }
    socket.close();
    const got: Event[] = [];
    for await (const event of events) got.push(event);
    expect(got).toHaveLength(1001);
    expect(got.at(-1)).toEqual({ type: "end" });
  });
});

describe("close", () => {
  it("ends the observation, not the socket", async () => {
    const socket = pair();
    const { events } = socket;
    const received = events.receive();
    events.close();
    await expect(received).rejects.toBeInstanceOf(Error);
    expect([events.closed, socket.closed, socket.events]).toEqual([true, false, events]);
    expect(() => events.receive()).toThrow(expect.objectContaining({ code: "EBADF" }));
    await socket.bind("tcp://127.0.0.1:*");
    expect(() => events.receive()).toThrow(expect.objectContaining({ code: "EBADF" }));
  });

  it("can be called again, and after the socket's close", () => {
    const socket = pair();
    const { events } = socket;
    events.close();
    events.close();
    socket.close();
    events.close();
    expect(events.closed).toBe(true);
  });

  it("holds nothing", () => {
    const before = hold.count;
    const { events } = pair();
    events.on("end", () => {});
    expect(hold.count).toBe(before + 1);
    events.close();
    events.close();
    expect(hold.count).toBe(before);
  });
});

describe("iteration", () => {
  it("is over after the end", async () => {
    const socket = pair();
    const { events } = socket;
    await socket.bind("tcp://127.0.0.1:*");
    const got: Event[] = [];
    for await (const event of events) {
      got.push(event);
      if (event.type === "bind") socket.close();
    }
    expect(types(got)).toEqual(["bind", "close", "end"]);
  });

  it("two steps at once: the second rejects with EBUSY", async () => {
    const socket = pair();
    const iterator = socket.events[Symbol.asyncIterator]();
    const first = iterator.next();
    await expect(iterator.next()).rejects.toMatchObject({ code: "EBUSY" });
    socket.close();
    expect(await first).toEqual({ done: false, value: { type: "end" } });
  });

  it("is over at the observer's close", async () => {
    const { events } = pair();
    const iterator = events[Symbol.asyncIterator]();
    const next = iterator.next();
    events.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe("on and off", () => {
  it("call listeners by type, and return the emitter", async () => {
    const socket = pair();
    const { events } = socket;
    const got: Event[] = [];
    const never = (): void => {
      throw new Error("called");
    };
    expect(events.on("bind", (event) => got.push(event))).toBe(events.emitter);
    expect(events.on("bind", never)).toBe(events.emitter);
    expect(events.off("bind", never)).toBe(events.emitter);
    events.on("end", (event) => got.push(event));
    await socket.bind("tcp://127.0.0.1:*");
    const address = socket.lastEndpoint;
    socket.close();
    await turns(2);
    expect(got).toEqual([{ type: "bind", address }, { type: "end" }]);
  });

  it("emit what was waiting", async () => {
    const socket = pair();
    const { events } = socket;
    await socket.bind("tcp://127.0.0.1:*");
    const got: Event[] = [];
    events.on("bind", (event) => got.push(event));
    await turns(2);
    expect(types(got)).toEqual(["bind"]);
  });

  it("emit what was waiting before what happens later", async () => {
    const socket = pair();
    const { events } = socket;
    socket.bindSync("tcp://127.0.0.1:*");
    const got: Event[] = [];
    for (const type of ["bind", "close"] as const) events.on(type, (event) => got.push(event));
    socket.unbindSync(socket.lastEndpoint as string);
    await turns(2);
    expect(types(got)).toEqual(["bind", "close"]);
  });

  it("put the observer into emitter mode", () => {
    const { events } = pair();
    events.on("bind", () => {});
    expect(() => events.receive()).toThrow(
      new Error(
        "Observer is in event emitter mode. After a call to events.on() it is not possible to " +
          "read events with events.receive().",
      ),
    );
  });

  it("take unknown names, as npm zeromq does", () => {
    expect(() => pair().events.on("nonsense" as Any, () => {})).not.toThrow();
  });

  it("hold the process until the socket is closed", () => {
    const before = hold.count;
    const socket = pair();
    socket.events.on("bind", () => {});
    expect(hold.count).toBe(before + 1);
    socket.close();
    expect(hold.count).toBe(before);
  });

  it("a call that waits is not forgotten", async () => {
    const socket = pair();
    const received = socket.events.receive();
    socket.events.on("bind", () => {});
    await socket.bind("tcp://127.0.0.1:*");
    const settled = await Promise.race([
      received.then(
        () => "settled",
        () => "settled",
      ),
      turns(20).then(() => "forgotten"),
    ]);
    expect(settled).toBe("settled");
  });
});

describe("a listener that throws", () => {
  /** What reaches `uncaughtException` while `act` is under way. */
  async function uncaught(act: () => unknown): Promise<unknown[]> {
    const before = process.listeners("uncaughtException");
    const seen: unknown[] = [];
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => seen.push(error));
    try {
      await act();
      await turns(5);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of before) process.on("uncaughtException", listener);
    }
    return seen;
  }

  it.each(["bind", "accept", "handshake", "disconnect", "close", "end"] as const)(
    "%s: harms nobody but itself",
    async (type) => {
      const error = new Error("own");
      const one = pair();
      const errors = await uncaught(async () => {
        one.events.on(type, () => {
          throw error;
        });
        await one.bind("tcp://127.0.0.1:*");
        const other = pair();
        other.connect(one.lastEndpoint as string);
        await handshake(other);
        await other.send("x");
        expect(String(await one.receive())).toBe("x");
        await one.send("y");
        expect(String(await other.receive())).toBe("y");
        other.close();
        await until(() => !one.writable);
        // The place is free again.
        const next = pair();
        next.connect(one.lastEndpoint as string);
        await next.send("z");
        expect(String(await one.receive())).toBe("z");
        await one[Symbol.asyncDispose]();
        expect(one.closed).toBe(true);
      });
      expect(errors.length).toBeGreaterThan(0);
      expect(errors.every((it) => it === error)).toBe(true);
    },
  );
});

describe("a listener that closes the socket", () => {
  it.each(["bind", "accept", "handshake", "disconnect", "close"] as const)(
    "%s of a binder: all is over, no connection is left",
    async (type) => {
      const [one, other] = [pair(), pair({ reconnectInterval: -1 })];
      const got: string[] = [];
      one.events.on(type, () => one.close());
      one.events.on("end", () => got.push("end"));
      await one.bind("tcp://127.0.0.1:*").catch(() => {});
      if (type !== "bind") {
        const endpoint = one.lastEndpoint as string;
        const gone = follow(other);
        other.connect(endpoint);
        if (type === "disconnect") {
          await seen(gone, "handshake");
          other.close();
        } else if (type === "close") {
          await seen(gone, "handshake");
          await one.unbind(endpoint).catch(() => {});
        } else {
          await seen(gone, "disconnect");
        }
      }
      await until(() => one.closed);
      await one[Symbol.asyncDispose]();
      await turns(3);
      expect(got).toEqual(["end"]);
    },
  );

  it.each(["connect:delay", "connect", "handshake", "disconnect", "connect:retry"] as const)(
    "%s of a connector: all is over, no connection is left",
    async (type) => {
      const [one, other] = [pair(), pair({ reconnectInterval: 10 })];
      const events = follow(one);
      other.events.on(type, () => other.close());
      await one.bind("tcp://127.0.0.1:*");
      const endpoint = one.lastEndpoint as string;
      other.connect(endpoint);
      if (type === "disconnect" || type === "connect:retry") {
        await handshake(one);
        one.close();
      }
      await until(() => other.closed);
      await other[Symbol.asyncDispose]();
      if (type === "connect" || type === "handshake") {
        await seen(events, "disconnect");
        // And it does not come back.
        await turns(20);
        expect(types(events).filter((it) => it === "accept")).toHaveLength(1);
      }
    },
  );
});

describe("several observers", () => {
  it("each get all events", async () => {
    const socket = pair();
    const [one, other] = [new Observer(socket), new Observer(socket)];
    await socket.bind("tcp://127.0.0.1:*");
    const event = { type: "bind", address: socket.lastEndpoint };
    expect([await one.receive(), await other.receive()]).toEqual([event, event]);
    one.close();
    socket.close();
    expect(types([await other.receive(), await other.receive()])).toEqual(["close", "end"]);
  });
});

describe("new Observer", () => {
  it.each([[undefined], [1], [null], ["x"]])("refuses %j", (socket) => {
    expect(() => new Observer(socket as Any)).toThrow(
      new TypeError("Socket must be a socket object"),
    );
  });

  it("refuses what is no socket", () => {
    expect(() => new Observer({} as Any)).toThrow();
  });

  it("refuses a closed socket with ENOTSOCK", () => {
    const socket = pair();
    socket.close();
    expect(() => new Observer(socket)).toThrow(expect.objectContaining({ code: "ENOTSOCK" }));
  });

  it("refuses a second argument", () => {
    expect(() => new (Observer as Any)(pair(), 2)).toThrow(
      new TypeError("Expected 1 argument but received 2"),
    );
  });

  it("has no keys of its own", () => {
    expect(Reflect.ownKeys(pair().events)).toEqual([]);
  });
});
