import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { announce, type Role } from "../../src/zmtp/index.js";
import { DEFAULT_LIMITS } from "../../src/zmtp/limits.js";
import { PlainMechanism } from "../../src/zmtp/plain.js";
import { ConnectionPair, type Side } from "../support/connection-pair.js";
import * as wire from "../support/wire.js";

const LOGIN = { username: wire.bytes("admin"), password: wire.bytes("s3cret") };
const METADATA = wire.metadata({ "Socket-Type": "PAIR" });
const HELLO = wire.bytes("\x05admin\x06s3cret");
/** What libzmq's servers send in place of ERROR. */
const MISSPELT = wire.frame("^RROR\x03400", { command: true });

function plain(role: Role, login = role === "client" ? LOGIN : undefined): PlainMechanism {
  return new PlainMechanism(role, login, announce("PAIR", undefined), DEFAULT_LIMITS);
}

function plainPair(): ConnectionPair {
  return new ConnectionPair({ mechanism: plain("client") }, { mechanism: plain("server") });
}

/** A side of PLAIN that has its peer's greeting. */
function greeted(role: Role) {
  const side = plainPair()[role];
  side.feed(wire.greeting({ mechanism: "PLAIN" }));
  side.output();
  return side;
}

const code = (code: string) => expect.objectContaining({ code: `ERR_ZMTP_${code}` });

describe("a handshake over PLAIN", () => {
  it("goes HELLO, WELCOME, INITIATE, READY", () => {
    const { client, server } = plainPair();
    const said: Uint8Array[] = [];
    const carry = (from: Side, to: Side) => {
      said.push(from.output());
      to.feed(said.at(-1));
    };
    client.feed(server.output());
    carry(client, server);
    carry(server, client);
    carry(client, server);
    carry(server, client);
    const greeting = wire.greeting({ mechanism: "PLAIN" });
    expect(said).toEqual([
      wire.concat(greeting, wire.command("HELLO", HELLO)),
      wire.command("WELCOME"),
      wire.command("INITIATE", METADATA),
      wire.command("READY", METADATA),
    ]);
    expect(client.connection.phase).toBe("traffic");
    expect(server.connection.phase).toBe("traffic");
    expect(server.credentials).toEqual([LOGIN.username, LOGIN.password]);
  });

  it("says in the greeting who is the server", () => {
    const { client, server } = plainPair();
    expect(client.output()).toEqual(wire.greeting({ mechanism: "PLAIN" }));
    expect(server.output()).toEqual(wire.greeting({ mechanism: "PLAIN", asServer: 1 }));
  });

  it("carries any user name and password of up to 255 octets", () => {
    const octets = fc.uint8Array({ maxLength: 255 });
    fc.assert(
      fc.property(octets, octets, (username, password) => {
        const pair = new ConnectionPair(
          { mechanism: plain("client", { username, password }) },
          { mechanism: plain("server") },
        ).drive();
        expect(pair.server.credentials).toEqual([username, password]);
        expect(pair.client.connection.phase).toBe("traffic");
      }),
    );
    for (const login of [
      { username: new Uint8Array(256), password: new Uint8Array(0) },
      { username: new Uint8Array(0), password: new Uint8Array(256) },
    ]) {
      expect(() => plain("client", login)).toThrow(RangeError);
    }
  });

  it("of a client without a login says empty ones", () => {
    const client = new PlainMechanism("client", undefined, [], DEFAULT_LIMITS);
    expect(client.start()).toEqual(wire.commandBody("HELLO", "\0\0"));
  });

  it("waits for the judge before WELCOME, and for admission before READY", () => {
    const pair = plainPair();
    const { client, server, clock } = pair;
    server.judges = false;
    server.letsIn = false;
    pair.drive();
    expect([server.connection.phase, client.connection.phase]).toEqual([
      "authentication",
      "handshake",
    ]);
    server.connection.authenticated(clock.now);
    server.read();
    pair.drive();
    expect([server.connection.phase, client.connection.phase]).toEqual(["admission", "handshake"]);
    expect(client.peer).toBeUndefined();
    server.connection.admit(clock.now);
    pair.drive();
    expect([server.connection.phase, client.connection.phase]).toEqual(["traffic", "traffic"]);
  });

  it("ends with ERROR when the judge says no", () => {
    const pair = plainPair();
    pair.server.judges = false;
    pair.drive();
    pair.server.connection.refuse("400", pair.clock.now);
    pair.drive();
    expect(pair.client.error).toMatchObject({ code: "ERR_ZMTP_PEER_ERROR" });
    expect(pair.client.error?.message).toContain("400");
  });

  it("ends with libzmq's misspelt ERROR as with a right one, at a client only", () => {
    const client = greeted("client");
    client.feed(MISSPELT);
    expect(client.error).toMatchObject({ code: "ERR_ZMTP_PEER_ERROR" });
    expect(client.error?.message).toContain("400");
    const server = greeted("server");
    server.feed(MISSPELT);
    expect(server.error).toMatchObject({ code: "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED" });
  });

  it("comes to nothing between two of the same role", () => {
    for (const role of ["client", "server"] as const) {
      const pair = new ConnectionPair(
        { mechanism: plain(role), role, handshakeTimeoutMs: 1000 },
        { mechanism: plain(role), role, handshakeTimeoutMs: 1000 },
      ).drive();
      pair.advance(1000);
      const unexpected = role === "client" ? "UNEXPECTED_COMMAND" : "HANDSHAKE_TIMEOUT";
      expect(pair.client.error).toMatchObject({ code: `ERR_ZMTP_${unexpected}` });
    }
  });
});

describe("each command in each state", () => {
  const COMMANDS: Record<string, Uint8Array> = {
    HELLO,
    WELCOME: new Uint8Array(0),
    INITIATE: METADATA,
    READY: METADATA,
    MYSTERY: new Uint8Array(0),
  };

  /** How to come to each state, and the one command that is right there. */
  const STATES: Record<Role, Record<string, [path: string[], right: string | undefined]>> = {
    client: {
      "after HELLO": [[], "WELCOME"],
      "after INITIATE": [["WELCOME"], "READY"],
      "at the end": [["WELCOME", "READY"], undefined],
    },
    server: {
      "at the start": [[], "HELLO"],
      "in judgement": [["HELLO"], undefined],
      "after WELCOME": [["HELLO", "accept"], "INITIATE"],
      "at the end": [["HELLO", "accept", "INITIATE"], undefined],
    },
  };

  const rows = Object.entries(STATES).flatMap(([role, states]) =>
    Object.entries(states).flatMap(([state, [path, right]]) =>
      [...Object.keys(COMMANDS), "accept"].map((name) => ({ role, state, path, right, name })),
    ),
  );

  it.each(rows)("$role $state: $name", ({ role, state, path, right, name }) => {
    const mechanism = plain(role as Role);
    const put = (name: string) =>
      name === "accept"
        ? mechanism.accept()
        : mechanism.receive({ name, data: COMMANDS[name] as Uint8Array });
    for (const step of path) put(step);
    if (name === "accept") {
      if (state === "in judgement") expect(put(name).reply).toEqual(wire.commandBody("WELCOME"));
      else expect(() => put(name)).toThrow("accept without credentials");
    } else if (name === right) {
      expect(() => put(name)).not.toThrow();
    } else {
      expect(() => put(name)).toThrow(code("UNEXPECTED_COMMAND"));
    }
  });
});

describe("a malformed command", () => {
  it.each([
    "",
    "\0",
    "\x05admin",
    "\x06admin",
    "\xff",
    "\x05admin\x07s3cret",
    "\x05admin\x05s3cret",
  ])("HELLO %j", (data) => {
    const server = greeted("server");
    server.feed(wire.command("HELLO", data));
    expect(server.error).toEqual(code("MALFORMED_COMMAND_HELLO"));
    expect(server.credentials).toBeUndefined();
  });

  it("WELCOME with data", () => {
    const client = greeted("client");
    client.feed(wire.command("WELCOME", "x"));
    expect(client.error).toEqual(code("MALFORMED_COMMAND_WELCOME"));
  });

  it.each([
    ["INITIATE", "server"],
    ["READY", "client"],
  ] as const)(
    "%s with a property that is cut short, and any other wrong metadata",
    (name, role) => {
      const before = role === "server" ? wire.command("HELLO", HELLO) : wire.command("WELCOME");
      for (const [data, expected] of [
        ["\x01X", `MALFORMED_COMMAND_${name}`],
        ["\x01X\0\0\0\x02x", `MALFORMED_COMMAND_${name}`],
        ["\0", "INVALID_METADATA"],
      ] as const) {
        const side = greeted(role);
        side.feed(wire.concat(before, wire.command(name, data)));
        expect(side.error).toEqual(code(expected));
      }
    },
  );
});
