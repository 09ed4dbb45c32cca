import { describe, expect, it } from "vitest";
import {
  Connection,
  type ConnectionHandler,
  type ConnectionOptions,
} from "../../src/zmtp/connection.js";
import { Budget, DEFAULT_LIMITS } from "../../src/zmtp/limits.js";
import type { Mechanism } from "../../src/zmtp/mechanism.js";
import type { Phase } from "../../src/zmtp/phase.js";
import { PROTOCOL_ERRORS, ProtocolError } from "../../src/zmtp/protocol-error.js";
import { VirtualClock } from "../support/clock.js";
import { connectionOptions, Side } from "../support/connection-pair.js";
import * as wire from "../support/wire.js";

const NEVER = Number.POSITIVE_INFINITY;

/** A side without a peer, and the octets that one would send. */
function alone(options: Partial<ConnectionOptions> = {}, role: "client" | "server" = "server") {
  const clock = new VirtualClock();
  const side = new Side(connectionOptions(role, options), clock);
  return { side, connection: side.connection, clock };
}

/** Who talks to whom. */
const PEERS: Record<string, string> = { PUB: "SUB", RADIO: "DISH" };

/** The same, with a peer that has done its handshake. */
function established(options: Partial<ConnectionOptions> = {}, greeting = wire.greeting()) {
  const all = alone(options);
  const type = PEERS[options.socketType ?? ""] ?? "PAIR";
  all.side.feed(wire.concat(greeting, wire.ready({ "Socket-Type": type })));
  all.side.output();
  return all;
}

const texts = (messages: Uint8Array[][]) =>
  messages.map((parts) => parts.map((part) => String.fromCharCode(...part)));

describe("what we say first", () => {
  it("a client: greeting, and READY once it has the server's greeting", () => {
    const { side, connection } = alone({}, "client");
    expect(connection.hasOutput).toBe(true);
    expect(connection.outputSize).toBe(64);
    expect(side.output()).toEqual(wire.greeting());
    expect(connection.hasOutput).toBe(false);
    side.feed(wire.greeting());
    expect(side.output()).toEqual(wire.ready());
  });

  it("a server: greeting, and READY once it has let the client in", () => {
    const { side, connection } = alone();
    side.feed(wire.greeting());
    expect(side.output()).toEqual(wire.greeting());
    side.feed(wire.ready());
    expect(connection.phase).toBe("traffic");
    expect(side.output()).toEqual(wire.ready());
  });

  it("as-server is for mechanisms that know servers", () => {
    const mechanism = (name: string): Mechanism => ({
      name,
      start: () => undefined,
      receive: () => ({}),
      accept: () => ({}),
      admit: () => undefined,
    });
    const greeting = (role: "client" | "server", name: string) =>
      alone({ mechanism: mechanism(name) }, role).side.output()[32];
    expect(greeting("server", "CURVE")).toBe(1);
    expect(greeting("client", "CURVE")).toBe(0);
    expect(greeting("server", "NULL")).toBe(0);
  });
});

describe("the peer", () => {
  it("is told to the handler", () => {
    const { side } = alone();
    side.feed(wire.greeting({ minor: 0 }));
    side.feed(wire.ready({ "socket-TYPE": "PAIR", Identity: "me", "X-App": "v1" }));
    expect(side.peer).toMatchObject({
      greeting: { major: 3, minor: 0 },
      socketType: "PAIR",
      identity: wire.bytes("me"),
    });
    expect(side.peer?.properties.get("x-app")).toEqual(wire.bytes("v1"));
  });

  it("may keep its type and name to itself, as libzmq allows", () => {
    const { side } = alone();
    side.feed(wire.concat(wire.greeting(), wire.ready({})));
    expect(side.connection.phase).toBe("traffic");
    expect(side.peer?.socketType).toBeUndefined();
    expect(side.peer?.identity).toHaveLength(0);
  });

  it("of a type that may not talk to ours is refused", () => {
    const { side } = alone();
    side.feed(wire.concat(wire.greeting(), wire.ready({ "Socket-Type": "SUB" })));
    expect(side.error?.code).toBe("ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE");
    expect(side.peer).toBeUndefined();
  });
});

describe("commands of the traffic", () => {
  it.each([
    ["an unknown one", wire.command("MYSTERY", "data")],
    ["a late READY", wire.ready()],
    ["a late ERROR", wire.error("400")],
    ["a late ERROR that is malformed", wire.command("ERROR")],
    ["an unsolicited PONG", wire.pong("ctx")],
    ["lower-case ping", wire.command("ping")],
    ["a SUBSCRIBE to one that does not publish", wire.subscribe("topic")],
    ["a JOIN to one that has no groups", wire.command("JOIN", "group")],
  ])("%s does nothing", (_, octets) => {
    const handler: ConnectionHandler = { handshake: () => true, message: () => true };
    const connection = new Connection(connectionOptions("server"), handler, 0);
    const start = wire.concat(wire.greeting(), wire.ready(), octets);
    expect(connection.receive(start, 0, start.length, 0)).toBe(start.length);
    connection.take();
    expect(connection.phase).toBe("traffic");
    expect(connection.hasOutput).toBe(false);
  });

  it("subscriptions reach the handler", () => {
    const { side } = established({ socketType: "PUB" });
    side.feed(wire.concat(wire.subscribe("a"), wire.subscribe(""), wire.cancel("a\xff\0")));
    expect(side.subscriptions).toEqual(["+a", "+", "-a\xff\0"]);
  });

  it.each([
    ["a RADIO hears of groups, and of no topics", "RADIO", ["+a", "+", "-a\xff\0"]],
    ["a PUB hears of topics, and of no groups", "PUB", ["+topic", "-topic"]],
  ] as const)("%s", (_, socketType, heard) => {
    const { side } = established({ socketType });
    const join = [
      wire.command("JOIN", "a"),
      wire.command("JOIN"),
      wire.command("LEAVE", "a\xff\0"),
    ];
    side.feed(wire.concat(wire.subscribe("topic"), ...join, wire.cancel("topic")));
    expect(side.subscriptions).toEqual(heard);
  });

  it("a PING is answered with its context", () => {
    const { side, connection } = established();
    side.feed(wire.ping(0, "context"));
    expect(connection.hasOutput).toBe(true);
    expect(side.output()).toEqual(wire.pong("context"));
    expect(connection.hasOutput).toBe(false);
  });

  it("a flood of PINGs is answered once, with the last context", () => {
    const { side } = established();
    const flood = Array.from({ length: 1000 }, (_, i) => wire.ping(0, `c${i}`));
    side.feed(wire.concat(...flood));
    expect(side.output()).toEqual(wire.pong("c999"));
  });
});

describe("subscribing", () => {
  it.each([
    ["3.1", {}, wire.subscribe("topic"), wire.cancel("topic")],
    ["3.0", { minor: 0 }, wire.message("\x01topic"), wire.message("\0topic")],
  ])("at a %s peer", (_, greeting, subscribe, cancel) => {
    const { side, connection } = alone({ socketType: "SUB" });
    side.feed(wire.concat(wire.greeting(greeting), wire.ready({ "Socket-Type": "PUB" })));
    side.output();
    connection.subscribe(wire.bytes("topic"), true);
    connection.subscribe(wire.bytes("topic"), false);
    expect(side.output()).toEqual(wire.concat(subscribe, cancel));
  });
});

/** A side that writes down what it hears, subscriptions and messages in their order. */
class Hearing implements ConnectionHandler {
  readonly heard: string[] = [];
  /** How many more subscriptions and messages there is room for. */
  room = Number.POSITIVE_INFINITY;
  readonly connection: Connection;
  #input: Uint8Array = new Uint8Array(0);

  constructor(options: Partial<ConnectionOptions>, greeting = wire.greeting()) {
    this.connection = new Connection(connectionOptions("server", options), this, 0);
    this.feed(wire.concat(greeting, wire.ready({ "Socket-Type": peerOf(options.socketType) })));
  }

  handshake(): boolean {
    return true;
  }

  subscription(topic: Uint8Array, subscribe: boolean): boolean {
    return this.#hear(`${subscribe ? "+" : "-"}${String.fromCharCode(...topic)}`);
  }

  message(parts: Uint8Array[]): boolean {
    return this.#hear(parts.map((part) => String.fromCharCode(...part)).join("|"));
  }

  /** As much as it takes, after what it has not taken yet. */
  feed(octets: Uint8Array = new Uint8Array(0)): void {
    const input = wire.concat(this.#input, octets);
    this.#input = input.slice(this.connection.receive(input, 0, input.length, 0));
  }

  get rest(): Uint8Array {
    return this.#input;
  }

  onHeard = (_text: string): void => {};

  #hear(text: string): boolean {
    this.heard.push(text);
    this.onHeard(text);
    return --this.room > 0;
  }
}

/** A type that may talk to ours. */
function peerOf(type: ConnectionOptions["socketType"] = "PAIR"): string {
  const peers = {
    PUB: "SUB",
    XPUB: "SUB",
    SUB: "PUB",
    XSUB: "PUB",
    PULL: "PUSH",
    ROUTER: "DEALER",
  };
  return peers[type as keyof typeof peers] ?? "PAIR";
}

const VERSIONS = [
  ["3.0", wire.greeting({ minor: 0 })],
  ["3.1", wire.greeting()],
  ["3.2", wire.greeting({ minor: 2 })],
  ["4.0", wire.greeting({ major: 4, minor: 0 })],
] as const;

describe.each(VERSIONS)("subscriptions of a %s peer", (_, greeting) => {
  describe.each(["PUB", "XPUB"] as const)("to a %s", (socketType) => {
    it("may be messages, or commands", () => {
      const side = new Hearing({ socketType }, greeting);
      side.feed(
        wire.concat(
          wire.message("\x01topic"),
          wire.subscribe("\x01"),
          wire.message("\0topic"),
          wire.cancel(""),
          wire.message("\x01"),
          wire.message("\0"),
          wire.message(`\x01${"t".repeat(300)}`),
          wire.message("\x01\0\xff"),
        ),
      );
      const long = `+${"t".repeat(300)}`;
      expect(side.heard).toEqual(["+topic", "+\x01", "-topic", "-", "+", "-", long, "+\0\xff"]);
    });

    it("other messages are messages", () => {
      const side = new Hearing({ socketType }, greeting);
      const bodies = [[""], ["", "\x01"], ["\x02t"], ["t\x01"], ["user", "data"]];
      side.feed(wire.concat(...bodies.map((parts) => wire.message(...parts))));
      expect(side.heard).toEqual(["", "|\x01", "\x02t", "t\x01", "user|data"]);
    });

    it("may be some parts of a message; the others are one", () => {
      const side = new Hearing({ socketType }, greeting);
      side.feed(wire.message("\x01a", "one", "\0b", "", "\x01"));
      side.feed(wire.message("\0a", "\x01b"));
      expect(side.heard).toEqual(["+a", "-b", "+", "one|", "-a", "+b"]);
    });
  });

  const others = ["PAIR", "PULL", "SUB", "ROUTER"] as const;
  it.each(others)("messages to a %s are messages", (socketType) => {
    const side = new Hearing({ socketType }, greeting);
    side.feed(wire.concat(wire.message("\x01topic"), wire.message("\0", "a")));
    expect(side.heard).toEqual(["\x01topic", "\0|a"]);
  });
});

describe("room for subscriptions", () => {
  it.each(["commands", "messages"])(
    "is over where the handler has had too many of a peer: %s",
    (form) => {
      const topics: string[] = [];
      const handler: ConnectionHandler = {
        handshake: () => true,
        message: () => true,
        subscription: (topic) => topics.push(String.fromCharCode(...topic)) < 3 || "too many",
      };
      const connection = new Connection(
        connectionOptions("server", { socketType: "PUB" }),
        handler,
        0,
      );
      const one = (topic: string): Uint8Array =>
        form === "commands" ? wire.subscribe(topic) : wire.message(`\x01${topic}`);
      const all = wire.concat(...["a", "b", "c", "d"].map(one));
      const octets = wire.concat(wire.greeting(), wire.ready({ "Socket-Type": "SUB" }), all);
      expect(() => connection.receive(octets, 0, octets.length, 0)).toThrow(
        expect.objectContaining({ code: "ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS" }),
      );
      expect([topics, connection.phase]).toEqual([["a", "b", "c"], "closed"]);
    },
  );

  const forms = [
    ["commands", wire.subscribe("a"), wire.cancel("b"), wire.subscribe("c")],
    ["messages", wire.message("\x01a"), wire.message("\0b"), wire.message("\x01c")],
  ] as const;

  it.each(forms)("ends behind the one for which there was none: %s", (_, first, second, third) => {
    const side = new Hearing({ socketType: "XPUB" });
    side.room = 2;
    side.feed(wire.concat(first, second, third, wire.ping()));
    expect([side.heard, side.connection.full]).toEqual([["+a", "-b"], true]);
    expect(side.rest).toEqual(wire.concat(third, wire.ping()));
    side.room = 2;
    side.feed();
    expect([side.heard, side.connection.full]).toEqual([["+a", "-b", "+c"], false]);
    expect(side.rest).toHaveLength(0);
  });

  it.each(forms)("ends at the end of a chunk, too: %s", (_, first) => {
    const side = new Hearing({ socketType: "XPUB" });
    side.room = 1;
    side.feed(first);
    expect([side.connection.full, side.rest.length]).toEqual([true, 0]);
    side.room = 1;
    side.feed();
    expect(side.connection.full).toBe(false);
  });

  it("of a message of several is asked for each, and it comes whole", () => {
    const side = new Hearing({ socketType: "XPUB" });
    side.room = 1;
    side.feed(wire.concat(wire.message("\x01a", "rest", "\x01b"), wire.message("\x01c")));
    expect([side.heard, side.connection.full]).toEqual([["+a", "+b", "rest"], true]);
    expect(side.rest).toEqual(wire.message("\x01c"));
  });

  it("that a message takes ends there", () => {
    const side = new Hearing({ socketType: "XPUB" });
    side.room = 2;
    side.feed(wire.concat(wire.message("\x01a", "rest"), wire.message("\x01b")));
    expect([side.heard, side.connection.full]).toEqual([["+a", "rest"], true]);
    expect(side.rest).toEqual(wire.message("\x01b"));
  });

  it("is not asked of one that does not want to hear of them", () => {
    const messages: number[] = [];
    const handler: ConnectionHandler = {
      handshake: () => true,
      message: (parts) => messages.push(parts.length) > 0,
    };
    const connection = new Connection(
      connectionOptions("server", { socketType: "PUB" }),
      handler,
      0,
    );
    const octets = wire.concat(
      wire.greeting(),
      wire.ready({ "Socket-Type": "SUB" }),
      wire.subscribe("t"),
      wire.message("\x01t", "rest"),
    );
    expect(connection.receive(octets, 0, octets.length, 0)).toBe(octets.length);
    expect([connection.full, messages]).toEqual([false, [1]]);
  });

  it.each([
    ["+a", ["+a"]],
    ["+b", ["+a", "+b"]],
    ["rest", ["+a", "+b", "rest"]],
  ])("a handler that closes at %s of a message hears no more", (last, heard) => {
    const side = new Hearing({ socketType: "XPUB" });
    side.onHeard = (text) => {
      if (text === last) side.connection.close();
    };
    side.feed(wire.concat(wire.message("\x01a", "rest", "\x01b"), wire.message("\x01c")));
    expect([side.heard, side.connection.phase]).toEqual([heard, "closed"]);
    expect(side.rest).toEqual(wire.message("\x01c"));
  });
});

describe("what may be a message", () => {
  const accepts = (parts: readonly Uint8Array[]) => parts[0]?.length === 0;

  it("is asked of each, whole", () => {
    const asked: number[] = [];
    const { side } = established({ accepts: (parts) => asked.push(parts.length) > 0 });
    side.feed(wire.concat(wire.message("a", "b", "c"), wire.ping(), wire.message("d")));
    expect(asked).toEqual([3, 1]);
    expect(texts(side.messages)).toEqual([["a", "b", "c"], ["d"]]);
  });

  it("one that may not be ends the connection, and is not delivered; those before it are", () => {
    const { side, connection } = established({ accepts });
    connection.send([wire.bytes("unwritten")]);
    side.feed(wire.concat(wire.message("", "good"), wire.message("bad"), wire.message("", "late")));
    expect(side.error).toBeInstanceOf(ProtocolError);
    expect(side.error?.code).toBe("ERR_ZMTP_MALFORMED_MESSAGE");
    expect(side.error?.message).toContain("not one for PAIR");
    expect(texts(side.messages)).toEqual([["", "good"]]);
    expect(connection.phase).toBe("closed");
    expect(texts(connection.close())).toEqual([["unwritten"]]);
  });

  it("is asked of one that was read straight into its place, too", () => {
    const { side, connection, clock } = established({ accepts });
    side.feed(wire.frame("x", { size: 10_000 }));
    expect(connection.room(5000)).toBeDefined();
    const wrong = expect.objectContaining({ code: "ERR_ZMTP_MALFORMED_MESSAGE" });
    expect(() => connection.filled(9999, clock.now)).toThrow(wrong);
    expect([connection.phase, side.messages]).toEqual(["closed", []]);
  });

  it("is not asked of subscriptions", () => {
    const asked: string[] = [];
    const side = new Hearing({
      socketType: "XPUB",
      accepts: (parts) => asked.push(String.fromCharCode(...(parts[0] as Uint8Array))) > 0,
    });
    side.feed(wire.concat(wire.message("\x01t"), wire.subscribe("u"), wire.message("user")));
    expect(asked).toEqual(["user"]);
    expect(side.heard).toEqual(["+t", "+u", "user"]);
  });
});

describe("output at the wrong time is the caller's mistake", () => {
  it("before the handshake, while waiting, and after the end", () => {
    const { side, connection } = alone();
    const mistakes = (phase: Phase) => {
      expect(() => connection.send([wire.bytes("a")])).toThrow(`output while in ${phase}`);
      expect(() => connection.subscribe(wire.bytes("a"), true)).toThrow("output while");
    };
    mistakes("greeting");
    side.feed(wire.greeting());
    mistakes("handshake");
    side.letsIn = false;
    side.feed(wire.ready());
    mistakes("admission");
    connection.close();
    mistakes("closed");
    expect(side.output()).toHaveLength(0);
  });
});

describe("admission", () => {
  function waiting(after: wire.Octets = "") {
    const all = alone({ heartbeat: { intervalMs: 100, timeoutMs: 100, ttlMs: 0 } });
    all.side.letsIn = false;
    all.side.feed(wire.concat(wire.greeting(), wire.ready(), after));
    expect(all.connection.phase).toBe("admission");
    return all;
  }

  it("leaves what follows READY untouched, and has no deadline", () => {
    const { side, connection, clock } = waiting(wire.message("a"));
    expect(side.input).toEqual(wire.message("a"));
    side.feed(wire.message("b"));
    expect(side.messages).toEqual([]);
    expect(connection.deadline).toBe(NEVER);
    clock.advance(1e9);
    side.tick();
    expect(side.error).toBeUndefined();
    expect(side.output()).toEqual(wire.greeting());
  });

  it("lets in later: our READY goes, the rest is taken", () => {
    const { side, connection, clock } = waiting(wire.message("a"));
    side.output();
    connection.admit(clock.advance(5000));
    expect(side.output()).toEqual(wire.ready());
    expect(connection.deadline).toBe(clock.now + 100);
    side.read();
    expect(texts(side.messages)).toEqual([["a"]]);
  });

  it("that never comes shows the peer no READY", () => {
    const { side, connection } = waiting();
    expect(connection.close()).toEqual([]);
    expect(side.output()).toHaveLength(0);
    expect(connection.hasOutput).toBe(false);
  });
});

describe("a handler", () => {
  /** The calls that let a peer in. */
  const ENTERED = ["authenticate", "handshake", "admitted", "hasRoom"];

  /** A connection whose handler does `act` in one of its calls. */
  function acting(call: keyof ConnectionHandler, act: (connection: Connection) => void) {
    const calls: string[] = [];
    const handler: Required<ConnectionHandler> = {
      authenticate: () => made("authenticate"),
      handshake: () => made("handshake"),
      admitted: () => void made("admitted"),
      hasRoom: () => made("hasRoom"),
      message: () => made("message"),
      subscription: () => made("subscription"),
    };
    const connection = new Connection(connectionOptions("server"), handler, 0);
    function made(name: string): boolean {
      calls.push(name);
      if (name === call) act(connection);
      return true;
    }
    const octets = wire.concat(
      wire.greeting(),
      wire.ready(),
      wire.subscribe("t"),
      wire.message("a"),
      wire.message("b"),
    );
    return { calls, connection, octets, taken: connection.receive(octets, 0, octets.length, 0) };
  }

  it.each([
    ["authenticate", ENTERED.slice(0, 1), wire.ready()],
    ["handshake", ENTERED.slice(0, 2), wire.ready()],
    ["admitted", ENTERED.slice(0, 3), wire.ready()],
    ["hasRoom", ENTERED, wire.ready()],
    ["subscription", [...ENTERED, "subscription"], wire.subscribe("t")],
    ["message", [...ENTERED, "subscription", "message"], wire.message("a")],
  ] as const)("may close in %s: it hears no more", (call, heard, last) => {
    const { calls, connection, octets, taken } = acting(call, (connection) => connection.close());
    expect(calls).toEqual(heard);
    expect(connection.phase).toBe("closed");
    const rest = wire.concat(...[wire.subscribe("t"), wire.message("a"), wire.message("b")]);
    const left: Record<string, Uint8Array> = {
      subscription: rest.subarray(13),
      message: rest.subarray(16),
    };
    expect(octets.subarray(taken)).toEqual(left[call] ?? rest);
    expect(octets.subarray(taken - last.length, taken)).toEqual(last);
  });

  it.each([
    ["admission", false],
    ["closed", true],
  ])("that throws in %s closes the connection, and is heard", (_, closes) => {
    const clock = new VirtualClock();
    const connection = new Connection(
      connectionOptions("server"),
      {
        handshake: () => {
          if (closes) connection.close();
          throw new Error("a bug");
        },
        message: () => true,
      },
      clock.now,
    );
    const octets = wire.concat(wire.greeting(), wire.ready());
    expect(() => connection.receive(octets, 0, octets.length, clock.now)).toThrow("a bug");
    expect(connection.phase).toBe("closed");
  });

  it("may admit in handshake, whatever it says then", () => {
    const { calls, connection } = acting("handshake", (connection) => connection.admit(0));
    expect(connection.phase).toBe("traffic");
    expect(calls).toEqual([...ENTERED, "subscription", "message", "message"]);
  });
});

describe("back-pressure", () => {
  it("stops behind the message that had no room, even at the end of a chunk", () => {
    const { side, connection } = established();
    expect(connection.full).toBe(false);
    side.room = 1;
    side.feed(wire.message("a"));
    expect(connection.full).toBe(true);
    expect(side.input).toHaveLength(0);
  });

  it("stops in the middle of a chunk, and goes on where it stopped", () => {
    const { side, connection } = established();
    side.room = 2;
    side.feed(wire.concat(wire.message("a"), wire.message("b", "c"), wire.message("d", "e")));
    expect(texts(side.messages)).toEqual([["a"], ["b", "c"]]);
    expect(side.input).toEqual(wire.message("d", "e"));
    side.read(1);
    expect(texts(side.messages).at(-1)).toEqual(["d", "e"]);
    expect(connection.full).toBe(true);
    side.read();
    side.feed(wire.message("f"));
    expect(connection.full).toBe(false);
  });

  it("sees commands as long as there is room", () => {
    const { side } = established();
    side.feed(wire.concat(wire.message("a"), wire.ping(0, "x"), wire.message("b")));
    expect(side.output()).toEqual(wire.pong("x"));
  });
});

describe("reading straight into a body", () => {
  const large = wire.frame("x", { size: 10_000 });

  it("is possible in the traffic only", () => {
    const { side, connection } = alone();
    side.feed(wire.concat(wire.greeting(), wire.frame("x", { size: 1000, command: true })));
    expect(connection.room(1)).toBeUndefined();
  });

  it("delivers the message, and says when there is no room for more", () => {
    const { side, connection, clock } = established();
    side.room = 1;
    side.feed(large);
    const room = connection.room(5000) as Uint8Array;
    room.fill(0x79, 0, 9999);
    connection.filled(4999, clock.now);
    expect(connection.full).toBe(false);
    connection.filled(5000, clock.now);
    expect(connection.full).toBe(true);
    expect(texts(side.messages)).toEqual([[`x${"y".repeat(9999)}`]]);
  });

  it("is a sign of life", () => {
    const heartbeat = { intervalMs: 100, timeoutMs: 100, ttlMs: 0 };
    const { side, connection, clock } = established({ heartbeat });
    side.feed(large);
    for (let i = 0; i < 50; i++) {
      connection.filled(1, clock.advance(50));
      side.tick();
    }
    expect(side.error).toBeUndefined();
  });

  it("ends with what may be held", () => {
    const held = new Budget(4096);
    const { side, connection, clock } = established({ held, reserve: new Budget(0) });
    side.feed(large);
    connection.filled(4095, clock.now);
    const limit = expect.objectContaining({ code: "ERR_ZMTP_ASSEMBLY_LIMIT" });
    expect(() => connection.room(1)).toThrow(limit);
    expect(connection.phase).toBe("closed");
    expect(held.used).toBe(0);
  });

  it("ends when the frame turns out to be wrong", () => {
    const held = new Budget(1100);
    const { side, connection, clock } = established({ held });
    side.feed(wire.frame("x", { size: 1000, more: true }));
    const limit = expect.objectContaining({ code: "ERR_ZMTP_ASSEMBLY_LIMIT" });
    expect(() => connection.filled(999, clock.now)).toThrow(limit);
    expect(connection.phase).toBe("closed");
    expect(held.used).toBe(0);
  });

  it("comes to nothing after the end", () => {
    const { side, connection, clock } = established();
    side.feed(large);
    connection.close();
    connection.filled(9999, clock.now);
    expect(connection.room(1)).toBeUndefined();
    expect(side.messages).toEqual([]);
  });
});

describe("signs of life", () => {
  const heartbeat = { intervalMs: 100, timeoutMs: 100, ttlMs: 0 };

  it("frames of a message that is not whole yet, even if each comes in a chunk of its own", () => {
    const { side, clock } = established({ heartbeat });
    for (let i = 0; i < 20; i++) {
      clock.advance(50);
      side.feed(wire.frame("x", { more: true }));
      side.tick();
    }
    expect(side.error).toBeUndefined();
  });

  it("no octets are none", () => {
    const { side, clock } = established({ heartbeat });
    side.feed(wire.frame("half", { more: true }).subarray(0, 3));
    for (let i = 0; i < 20; i++) {
      clock.advance(50);
      side.feed();
      side.tick();
    }
    expect(side.error).toMatchObject({ code: "ERR_ZMTP_HEARTBEAT_TIMEOUT" });
  });
});

describe("a handler without room when the peer is let in", () => {
  it("gets no message before it has some", () => {
    const { side, connection } = alone();
    side.hasRoom = () => false;
    side.feed(wire.concat(wire.greeting(), wire.ready(), wire.message("a"), wire.message("b")));
    expect([connection.phase, connection.full]).toEqual(["traffic", true]);
    expect(side.messages).toEqual([]);
    side.read();
    expect(texts(side.messages)).toEqual([["a"], ["b"]]);
  });

  it("and had made it wait, neither", () => {
    const { side, connection, clock } = alone();
    side.letsIn = false;
    side.hasRoom = () => false;
    side.feed(wire.concat(wire.greeting(), wire.ready(), wire.message("a")));
    connection.admit(clock.now);
    expect([connection.phase, connection.full, side.messages]).toEqual(["traffic", true, []]);
  });
});

describe("the end", () => {
  it("gives back what was not taken, once", () => {
    const { side, connection } = established();
    connection.send([wire.bytes("a"), wire.bytes("b")]);
    side.output();
    connection.send([wire.bytes("c"), wire.bytes("d")]);
    side.feed(wire.ping());
    expect(texts(connection.close())).toEqual([["c", "d"]]);
    expect(connection.hasOutput).toBe(false);
    expect(connection.close()).toEqual([]);
    expect(connection.phase).toBe("closed");
    expect(connection.deadline).toBe(NEVER);
  });

  it.each(["SUB", "XSUB"] as const)(
    "of a %s gives back no subscriptions: the next connection is told anew",
    (socketType) => {
      const side = new Hearing({ socketType }, wire.greeting({ minor: 0 }));
      const { connection } = side;
      connection.release(connection.take());
      connection.subscribe(wire.bytes("t"), true);
      connection.send([wire.bytes(""), wire.bytes("\x01")]);
      connection.subscribe(wire.bytes(""), false);
      connection.send([wire.bytes("user")]);
      expect(texts(connection.close())).toEqual([["", "\x01"], ["user"]]);
    },
  );

  it("of any other gives back what begins as a subscription, too", () => {
    const { connection } = established();
    for (const text of ["\x01t", "\0t"]) connection.send([wire.bytes(text)]);
    expect(texts(connection.close())).toEqual([["\x01t"], ["\0t"]]);
  });

  it("after a failure gives back what was not taken", () => {
    const { side, connection } = established();
    connection.send([wire.bytes("c")]);
    side.feed(wire.concat(wire.ping(), wire.frame("", { flags: 8 })));
    expect(connection.phase).toBe("closed");
    expect(texts(connection.close())).toEqual([["c"]]);
    expect(connection.hasOutput).toBe(false);
  });

  it("leaves nothing in the budgets, whatever was unfinished", () => {
    const part = wire.frame("part", { more: true });
    const cut = wire.frame("x", { size: 1000 });
    for (const end of ["close", "failure", "timeout"]) {
      const held = new Budget(1e6);
      const reserve = new Budget(1e6);
      const heartbeat = { intervalMs: 10, timeoutMs: 10, ttlMs: 0 };
      const { side, connection, clock } = established({ held, reserve, heartbeat });
      side.feed(wire.concat(part, end === "failure" ? part : cut));
      expect(connection.held).toBe(held.used);
      expect(held.used).toBeGreaterThan(0);
      if (end === "close") connection.close();
      if (end === "failure") side.feed(wire.frame("", { flags: 8 }));
      if (end === "timeout") while (side.error === undefined) clock.advance(5) && side.tick();
      expect(connection.phase).toBe("closed");
      expect([held.used, reserve.used, connection.held]).toEqual([0, 0, 0]);
    }
  });

  it("after it, time and octets mean nothing", () => {
    const { side, connection, clock } = alone();
    connection.close();
    side.feed(wire.bytes("GET /"));
    clock.advance(1e9);
    side.tick();
    expect(side.error).toBeUndefined();
    expect(side.input).toHaveLength(5);
  });
});

describe("every error code is reached:", () => {
  const limits = {
    ...DEFAULT_LIMITS,
    maxMessageSize: 20,
    maxMultipartSize: 30,
    maxFrames: 3,
    maxHandshakeCommandSize: 200,
    maxCommandSize: 100,
    maxProperties: 2,
  };
  const hello = wire.greeting();
  const start = wire.concat(hello, wire.ready());
  const part = (size: number) => wire.frame("x".repeat(size), { more: true });

  /** What a peer says before it is silent, for each code. */
  const REASONS: [keyof typeof PROTOCOL_ERRORS, string, Uint8Array][] = [
    ["ERR_ZMTP_UNSUPPORTED_VERSION", "an HTTP request", wire.bytes("GET / HTTP/1.1\r\n")],
    ["ERR_ZMTP_MECHANISM_MISMATCH", "PLAIN", wire.greeting({ mechanism: "PLAIN" })],
    [
      "ERR_ZMTP_MALFORMED_GREETING",
      "no 7F",
      wire.greeting({ signature: "\xff\0\0\0\0\0\0\0\0\x01" }),
    ],
    [
      "ERR_ZMTP_MALFORMED_FRAME",
      "reserved flags",
      wire.concat(start, wire.frame("", { flags: 8 })),
    ],
    [
      "ERR_ZMTP_MALFORMED_FRAME",
      "reserved flags in the handshake",
      wire.concat(hello, wire.frame("", { flags: 8 })),
    ],
    [
      "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
      "an empty command",
      wire.concat(start, wire.frame("", { command: true })),
    ],
    [
      "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
      "one in the handshake",
      wire.concat(hello, wire.frame("\x06READY", { command: true })),
    ],
    [
      "ERR_ZMTP_MALFORMED_COMMAND_READY",
      "a trailing octet",
      wire.concat(hello, wire.command("READY", "\x01")),
    ],
    ["ERR_ZMTP_MALFORMED_COMMAND_ERROR", "no reason", wire.concat(hello, wire.command("ERROR"))],
    [
      "ERR_ZMTP_MALFORMED_COMMAND_PING",
      "no time-to-live",
      wire.concat(start, wire.command("PING", "\0")),
    ],
    [
      "ERR_ZMTP_MALFORMED_COMMAND_PONG",
      "a long context",
      wire.concat(start, wire.pong("x".repeat(17))),
    ],
    ["ERR_ZMTP_UNEXPECTED_COMMAND", "PING before READY", wire.concat(hello, wire.ping())],
    ["ERR_ZMTP_INVALID_SEQUENCE", "a message before READY", wire.concat(hello, wire.message("m"))],
    [
      "ERR_ZMTP_INVALID_SEQUENCE",
      "READY as a message",
      wire.concat(hello, wire.message(wire.commandBody("READY"))),
    ],
    [
      "ERR_ZMTP_INVALID_METADATA",
      "a property twice",
      wire.concat(hello, wire.command("READY", "\x01a\0\0\0\0\x01A\0\0\0\0")),
    ],
    [
      "ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE",
      "PUB",
      wire.concat(hello, wire.ready({ "Socket-Type": "PUB" })),
    ],
    ["ERR_ZMTP_PEER_ERROR", "ERROR 400", wire.concat(hello, wire.error("400"))],
    ["ERR_ZMTP_MESSAGE_TOO_LARGE", "21 octets", wire.concat(start, wire.frame("", { size: 21 }))],
    ["ERR_ZMTP_MULTIPART_TOO_LARGE", "31 octets", wire.concat(start, part(20), part(11))],
    [
      "ERR_ZMTP_TOO_MANY_FRAMES",
      "4 frames",
      wire.concat(start, part(0), part(0), part(0), part(0)),
    ],
    [
      "ERR_ZMTP_COMMAND_TOO_LARGE",
      "101 octets",
      wire.concat(start, wire.frame("", { size: 101, command: true })),
    ],
    [
      "ERR_ZMTP_COMMAND_TOO_LARGE",
      "201 octets in the handshake",
      wire.concat(hello, wire.frame("", { size: 201, command: true })),
    ],
    [
      "ERR_ZMTP_TOO_MANY_PROPERTIES",
      "3 properties",
      wire.concat(hello, wire.ready({ a: "", b: "", c: "" })),
    ],
    ["ERR_ZMTP_ASSEMBLY_LIMIT", "two parts", wire.concat(start, part(10), part(10))],
    [
      "ERR_ZMTP_MALFORMED_MESSAGE",
      "a message of three parts",
      wire.concat(start, wire.message("a", "b", "c")),
    ],
    ["ERR_ZMTP_HANDSHAKE_TIMEOUT", "silence", new Uint8Array(0)],
    ["ERR_ZMTP_HANDSHAKE_TIMEOUT", "FF", wire.bytes("\xff")],
    ["ERR_ZMTP_HANDSHAKE_TIMEOUT", "a greeting", hello],
    ["ERR_ZMTP_HEARTBEAT_TIMEOUT", "a handshake", start],
  ];

  /** Reached in other tests: of PLAIN and CURVE, and of subscriptions. */
  const ELSEWHERE = [
    "ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS",
    "ERR_ZMTP_MALFORMED_COMMAND_HELLO",
    "ERR_ZMTP_MALFORMED_COMMAND_WELCOME",
    "ERR_ZMTP_MALFORMED_COMMAND_INITIATE",
    "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE",
    "ERR_ZMTP_CRYPTOGRAPHIC",
    "ERR_ZMTP_UNPROVEN_ERROR",
  ];

  it.each(REASONS)("%s by %s", (code, _, octets) => {
    const held = new Budget(code === "ERR_ZMTP_ASSEMBLY_LIMIT" ? 150 : 1000);
    const heartbeat = { intervalMs: 1000, timeoutMs: 1000, ttlMs: 0 };
    const accepts = (parts: readonly Uint8Array[]) => parts.length < 3;
    const { side, clock } = alone({ limits, held, heartbeat, accepts, ...nullWith(limits) });
    side.feed(octets);
    for (let i = 0; i < 100 && side.error === undefined; i++) {
      clock.advance(500);
      side.tick();
    }
    expect(side.error).toBeInstanceOf(ProtocolError);
    expect(side.error?.code).toBe(code);
    expect(side.connection.phase).toBe("closed");
    expect(held.used).toBe(0);
  });

  it("the list is whole", () => {
    const reached = new Set(REASONS.map(([code]) => code));
    for (const code of ELSEWHERE) expect(reached).not.toContain(code);
    expect([...reached, ...ELSEWHERE].sort()).toEqual(Object.keys(PROTOCOL_ERRORS).sort());
  });

  function nullWith(limits: typeof DEFAULT_LIMITS) {
    return { mechanism: connectionOptions("server", { limits }).mechanism };
  }
});

describe("a peer that is to be judged", () => {
  const started = wire.concat(wire.greeting(), wire.ready());

  it("is told to the handler of a server, before it is met", () => {
    const { side, connection } = alone();
    side.judges = false;
    side.feed(wire.concat(started, wire.message("early")));
    expect([side.credentials, side.peer, connection.phase]).toEqual([
      [],
      undefined,
      "authentication",
    ]);
    expect(side.input).toEqual(wire.message("early"));
    expect(side.output()).toEqual(wire.greeting());
  });

  it("is known to both sides with NULL", () => {
    for (const role of ["client", "server"] as const) {
      const { side } = alone({}, role);
      side.judges = false;
      side.feed(started);
      expect([side.credentials, side.connection.phase]).toEqual([[], "authentication"]);
    }
  });

  it("is good where nobody judges", () => {
    const handler: ConnectionHandler = { handshake: () => true, message: () => true };
    const connection = new Connection(connectionOptions("server"), handler, 0);
    connection.receive(started, 0, started.length, 0);
    expect(connection.phase).toBe("traffic");
  });

  it("goes on once it is found good", () => {
    const { side, connection, clock } = alone();
    side.judges = false;
    side.feed(wire.concat(started, wire.message("early")));
    connection.authenticated(clock.now);
    side.read();
    expect([connection.phase, texts(side.messages)]).toEqual(["traffic", [["early"]]]);
  });

  it("may be found wrong in what it said before", () => {
    const { side, connection, clock } = alone();
    side.judges = false;
    side.feed(wire.concat(wire.greeting(), wire.ready({ "Socket-Type": "SUB" })));
    const wrong = expect.objectContaining({ code: "ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE" });
    expect(() => connection.authenticated(clock.now)).toThrow(wrong);
    expect(connection.phase).toBe("closed");
  });

  it.each([
    ["300", new Uint8Array(0)],
    ["400", wire.error("400")],
    ["500", wire.error("500")],
  ] as const)("refused with %s is told, or not, and no more is read", (status, said) => {
    const { side, connection, clock } = alone();
    side.judges = false;
    side.feed(started);
    connection.refuse(status, clock.now);
    side.feed(wire.message("more"));
    expect(side.output()).toEqual(wire.concat(wire.greeting(), said));
    expect([connection.phase, side.input.length]).toEqual(["refused", 6]);
  });

  it("may be refused, or found good, by the handler while it asks", () => {
    for (const phase of ["refused", "traffic", "closed"]) {
      const clock = new VirtualClock();
      const connection: Connection = new Connection(
        connectionOptions("server"),
        {
          authenticate: () => {
            if (phase === "refused") connection.refuse("400", clock.now);
            else if (phase === "traffic") connection.authenticated(clock.now);
            else connection.close();
            return phase === "closed";
          },
          handshake: () => true,
          message: () => true,
        },
        clock.now,
      );
      connection.receive(started, 0, started.length, clock.now);
      expect(connection.phase).toBe(phase);
    }
  });

  it.each(["judged", "refused"])("is given up in its handshake's time, %s or not", (which) => {
    const { side, connection, clock } = alone({ handshakeTimeoutMs: 1000 });
    side.judges = false;
    side.feed(started);
    if (which === "refused") connection.refuse("500", clock.now);
    expect(connection.deadline).toBe(clock.now + 1000);
    clock.advance(999);
    side.tick();
    expect(side.error).toBeUndefined();
    clock.advance(1);
    side.tick();
    expect(side.error?.code).toBe("ERR_ZMTP_HANDSHAKE_TIMEOUT");
  });
});

describe("a mechanism", () => {
  const mechanism = (name: string, more: Partial<Mechanism> = {}): Mechanism => ({
    name,
    start: () => undefined,
    receive: () => ({}),
    accept: () => ({}),
    admit: () => undefined,
    ...more,
  });

  it("that protects makes an ERROR in clear one that proves nothing", () => {
    for (const role of ["client", "server"] as const) {
      const { side } = alone({ mechanism: mechanism("SAFE", { protects: true }) }, role);
      side.feed(wire.concat(wire.greeting({ mechanism: "SAFE" }), wire.error("400")));
      expect(side.error?.code).toBe("ERR_ZMTP_UNPROVEN_ERROR");
      expect(side.error?.message).toContain("400");
    }
  });

  it("may know how peers misspell", () => {
    const respell = () => wire.commandBody("ERROR", "\x03400");
    const { side } = alone({ mechanism: mechanism("ODD", { respell }) });
    side.feed(wire.concat(wire.greeting({ mechanism: "ODD" }), wire.command("RORRE")));
    expect(side.error?.code).toBe("ERR_ZMTP_PEER_ERROR");
  });

  it("is told of the end, however it comes", () => {
    const ends: Record<string, (side: Side) => void> = {
      close: ({ connection }) => void connection.close(),
      failure: (side) => side.feed(wire.bytes("GET /")),
      deadline: (side) => side.tick(),
    };
    for (const [name, end] of Object.entries(ends)) {
      let closed = 0;
      const close = () => void closed++;
      const { side, clock } = alone({ mechanism: mechanism("M", { close }) });
      clock.advance(name === "deadline" ? 30_000 : 0);
      end(side);
      expect([name, side.connection.phase, closed > 0]).toEqual([name, "closed", true]);
    }
  });
});

describe("the handshake's time", () => {
  it("runs from the start, whatever trickles in", () => {
    const { side, connection, clock } = alone({ handshakeTimeoutMs: 1000 });
    const end = clock.now + 1000;
    for (const octet of wire.concat(wire.greeting(), wire.ready()).subarray(0, 90)) {
      side.feed(Uint8Array.of(octet));
      clock.advance(11);
      expect(connection.deadline).toBe(end);
      side.tick();
    }
    expect(side.error).toBeUndefined();
    clock.to(end - 1);
    side.tick();
    expect(side.error).toBeUndefined();
    clock.to(end);
    side.tick();
    expect(side.error?.code).toBe("ERR_ZMTP_HANDSHAKE_TIMEOUT");
    expect(connection.deadline).toBe(NEVER);
  });

  it("is over once the peer is in", () => {
    const { side, connection, clock } = established({ handshakeTimeoutMs: 1000 });
    clock.advance(5000);
    side.tick();
    expect(side.error).toBeUndefined();
    expect(connection.deadline).toBe(NEVER);
  });

  it("of 0 is without end", () => {
    const { side, connection, clock } = alone({ handshakeTimeoutMs: 0 });
    expect(connection.deadline).toBe(NEVER);
    clock.advance(1e9);
    side.tick();
    expect(side.error).toBeUndefined();
  });
});
