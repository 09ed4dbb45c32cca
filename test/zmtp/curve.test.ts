import nacl from "tweetnacl";
import { describe, expect, it } from "vitest";
import { exclusiveMemory, SegmentMemory } from "../../src/transport/memory.js";
import type { ConnectionOptions, CurveCipher, Traffic } from "../../src/zmtp/index.js";
import { DEFAULT_LIMITS } from "../../src/zmtp/limits.js";
import { ConnectionPair } from "../support/connection-pair.js";
import {
  CurveClientPeer,
  CurveServerPeer,
  type HelloFields,
  type InitiateFields,
} from "../support/curve-peer.js";
import {
  bodyOf,
  CLIENT,
  curveClient,
  curvePair,
  curveServer,
  GREETING,
  greeted,
  SERVER,
  sodium,
} from "../support/curve-sides.js";
import * as wire from "../support/wire.js";

const MORE = 1;
const COMMAND = 2;
const METADATA = wire.metadata({ "Socket-Type": "PAIR" });

const code = (code: string) => expect.objectContaining({ code: `ERR_ZMTP_${code}` });
const command = (body: Uint8Array) => wire.frame(body, { command: true });
/** The same key to X25519. */
const nicknamed = (key: Uint8Array) => key.map((octet, i) => (i === 31 ? octet | 0x80 : octet));
const texts = (messages: Uint8Array[][]) =>
  messages.map((parts) => parts.map((part) => String.fromCharCode(...part)));

/** A server of ours, and an independent client that has come as far as `until` says. */
function serverWith(
  until: "HELLO" | "INITIATE" | "READY",
  options: Partial<ConnectionOptions> = {},
) {
  const { side, clock, mechanism } = greeted("server", options);
  const peer = new CurveClientPeer(SERVER.publicKey, CLIENT);
  if (until !== "HELLO") {
    side.feed(command(peer.hello()));
    peer.welcomed(bodyOf(side.output()));
  }
  if (until === "READY") {
    side.feed(command(peer.initiate()));
    expect(peer.readied(bodyOf(side.output()))).toEqual(METADATA);
  }
  return { side, peer, clock, mechanism };
}

/** A client of ours, and an independent server that has come as far. */
function clientWith(until: "WELCOME" | "READY" | "end", options: Partial<ConnectionOptions> = {}) {
  const { side, clock, mechanism } = greeted("client", options);
  const peer = new CurveServerPeer(SERVER);
  peer.greeted(bodyOf(side.output()));
  if (until !== "WELCOME") {
    side.feed(command(peer.welcome()));
    peer.initiated(bodyOf(side.output()));
  }
  if (until === "end") side.feed(command(peer.ready()));
  return { side, peer, clock, mechanism };
}

describe("a handshake over CURVE", () => {
  it("between two of ours leads to traffic, both ways", () => {
    const pair = curvePair().drive();
    const { client, server } = pair;
    expect([client.connection.phase, server.connection.phase]).toEqual(["traffic", "traffic"]);
    expect(server.credentials).toEqual([CLIENT.publicKey]);
    expect([client.peer?.socketType, server.peer?.socketType]).toEqual(["PAIR", "PAIR"]);
    const sent = [["a"], ["b", "", "c".repeat(300)], [""], ["d".repeat(9000)]];
    for (const parts of sent) {
      client.connection.send(parts.map(wire.bytes));
      server.connection.send(parts.map(wire.bytes));
    }
    pair.drive();
    expect([texts(server.messages), texts(client.messages)]).toEqual([sent, sent]);
  });

  it("says in the greeting who is the server", () => {
    const { client, server } = curvePair();
    expect(client.output()).toEqual(GREETING);
    expect(server.output()).toEqual(wire.greeting({ mechanism: "CURVE", asServer: 1 }));
  });

  it("has commands of the sizes that RFC 26 gives", () => {
    const { client, server } = curvePair();
    client.output();
    client.feed(server.output());
    server.feed(GREETING);
    const sizes: number[] = [];
    for (const [from, to] of [
      [client, server],
      [server, client],
      [client, server],
      [server, client],
    ] as const) {
      const octets = from.output();
      sizes.push(bodyOf(octets).length);
      to.feed(octets);
    }
    const size = METADATA.length;
    expect(sizes).toEqual([200, 168, 257 + size, 30 + size]);
  });

  it("suits an independent client", () => {
    const { side, peer } = serverWith("READY");
    expect(side.credentials).toEqual([CLIENT.publicKey]);
    expect(side.peer?.socketType).toBe("PAIR");
    side.feed(wire.frame(peer.message(MORE, "a")));
    side.feed(wire.frame(peer.message(0, "b".repeat(1000))));
    expect(texts(side.messages)).toEqual([["a", "b".repeat(1000)]]);
    side.connection.send([wire.bytes("x"), wire.bytes("y")]);
    const octets = side.output();
    expect(octets[0]).toBe(0);
    const size = 2 + 33 + 1;
    expect(peer.read(bodyOf(octets.subarray(0, size)))).toEqual(wire.bytes("\x01x"));
    expect(peer.read(bodyOf(octets.subarray(size)))).toEqual(wire.bytes("\0y"));
  });

  it("suits an independent server", () => {
    const { side, peer } = clientWith("end");
    expect(peer.clientKey).toEqual(CLIENT.publicKey);
    expect(peer.clientMetadata).toEqual(METADATA);
    expect(side.connection.phase).toBe("traffic");
    side.feed(wire.frame(peer.message(0, "a")));
    expect(texts(side.messages)).toEqual([["a"]]);
    side.connection.send([wire.bytes("x".repeat(9000))]);
    expect(peer.read(bodyOf(side.output()))).toEqual(wire.bytes(`\0${"x".repeat(9000)}`));
  });

  it("counts the nonces of each direction from 1, over all commands", () => {
    const { side, peer } = clientWith("end");
    expect(peer.count).toBe(1);
    side.connection.send([wire.bytes("x"), wire.bytes("y")]);
    const octets = side.output();
    // HELLO had 1, INITIATE 2.
    expect(octets.subarray(2 + 8, 2 + 16)).toEqual(wire.number(3, 8));
    expect(octets.subarray(36 + 2 + 8, 36 + 2 + 16)).toEqual(wire.number(4, 8));
    const other = serverWith("READY");
    other.side.connection.send([wire.bytes("x")]);
    expect(other.side.output().subarray(2 + 8, 2 + 16)).toEqual(wire.number(2, 8));
  });

  it("waits for the judge and for admission before READY", () => {
    const pair = curvePair();
    const { client, server, clock } = pair;
    server.judges = false;
    server.letsIn = false;
    pair.drive();
    expect([server.connection.phase, server.peer]).toEqual(["authentication", undefined]);
    server.connection.authenticated(clock.now);
    server.read();
    pair.drive();
    expect([server.connection.phase, client.connection.phase]).toEqual(["admission", "handshake"]);
    server.connection.admit(clock.now);
    pair.drive();
    expect([server.connection.phase, client.connection.phase]).toEqual(["traffic", "traffic"]);
  });

  it("ends with an ERROR that a client need not believe", () => {
    for (const until of ["WELCOME", "READY"] as const) {
      const { side } = clientWith(until);
      side.feed(wire.error("400"));
      expect(side.error).toEqual(code("UNPROVEN_ERROR"));
      expect(side.error?.message).toContain("400");
    }
    const pair = curvePair();
    pair.server.judges = false;
    pair.drive();
    pair.server.connection.refuse("400", pair.clock.now);
    pair.drive();
    expect(pair.client.error).toEqual(code("UNPROVEN_ERROR"));
  });

  it("takes metadata within the limits only, and no other", () => {
    const limits = { ...DEFAULT_LIMITS, maxProperties: 1, maxHandshakeCommandSize: 400 };
    const two = wire.metadata({ "Socket-Type": "PAIR", "X-a": "" });
    for (const [metadata, expected] of [
      [two, "TOO_MANY_PROPERTIES"],
      [wire.metadata({ "X-a": "x".repeat(200) }), "COMMAND_TOO_LARGE"],
      [wire.bytes("\x01X\0\0\0\x02x"), "MALFORMED_COMMAND_INITIATE"],
      [wire.metadata({ "Socket-Type": "SUB" }), "INCOMPATIBLE_SOCKET_TYPE"],
    ] as const) {
      const { side, peer } = serverWith("INITIATE", { limits });
      side.feed(command(peer.initiate({ metadata })));
      expect(side.error).toEqual(code(expected));
    }
    const { side, peer } = clientWith("READY", { limits });
    side.feed(command(peer.ready(two)));
    expect(side.error).toEqual(code("TOO_MANY_PROPERTIES"));
    const other = clientWith("READY");
    other.side.feed(command(other.peer.ready(wire.bytes("\x01X"))));
    expect(other.side.error).toEqual(code("MALFORMED_COMMAND_READY"));
  });
});

describe("each command in each state", () => {
  const NAMES = ["HELLO", "WELCOME", "INITIATE", "READY", "MESSAGE", "MYSTERY", "accept"];
  type Puts = (name: string) => unknown;

  /** Commands that are right where they are due, and out of order otherwise. */
  function server(path: string[]): Puts {
    const mechanism = curveServer();
    const peer = new CurveClientPeer(SERVER.publicKey, CLIENT);
    peer.serverShort = SERVER.publicKey;
    peer.cookie = new Uint8Array(96);
    const put: Puts = (name) => {
      if (name === "accept") return mechanism.accept();
      let data = new Uint8Array(0);
      if (name === "HELLO") data = peer.hello().slice(6);
      if (name === "INITIATE") data = peer.initiate().slice(9);
      const { reply } = mechanism.receive({ name, data });
      if (reply !== undefined) peer.welcomed(reply);
      return reply;
    };
    for (const name of path) put(name);
    return put;
  }

  function client(path: string[]): Puts {
    const mechanism = curveClient();
    const peer = new CurveServerPeer(SERVER);
    peer.greeted(mechanism.start());
    const put: Puts = (name) => {
      if (name === "accept") return mechanism.accept();
      let data = new Uint8Array(0);
      if (name === "WELCOME") data = peer.welcome().slice(8);
      if (name === "READY") data = peer.ready().slice(6);
      const { reply } = mechanism.receive({ name, data });
      if (reply !== undefined) peer.initiated(reply);
      return reply;
    };
    for (const name of path) put(name);
    return put;
  }

  const STATES: [string, (path: string[]) => Puts, string[], string | undefined][] = [
    ["a client after HELLO", client, [], "WELCOME"],
    ["a client after INITIATE", client, ["WELCOME"], "READY"],
    ["a client at the end", client, ["WELCOME", "READY"], undefined],
    ["a server at the start", server, [], "HELLO"],
    ["a server after WELCOME", server, ["HELLO"], "INITIATE"],
    ["a server in judgement", server, ["HELLO", "INITIATE"], "accept"],
    ["a server at the end", server, ["HELLO", "INITIATE", "accept"], undefined],
  ];

  it.each(
    STATES.flatMap(([state, make, path, right]) =>
      NAMES.map((name) => ({ state, make, path, right, name })),
    ),
  )("$state: $name", ({ make, path, right, name }) => {
    const put = make(path);
    if (name === right) expect(() => put(name)).not.toThrow();
    else if (name === "accept") expect(() => put(name)).toThrow("accept without credentials");
    else expect(() => put(name)).toThrow(code("UNEXPECTED_COMMAND"));
  });

  it("a MESSAGE before READY is none", () => {
    for (const until of ["HELLO", "INITIATE"] as const) {
      const { side, peer } = serverWith(until);
      peer.serverShort = SERVER.publicKey;
      side.feed(wire.frame(peer.message(0, "early")));
      expect(side.error).toEqual(code("INVALID_SEQUENCE"));
    }
  });
});

describe("a server does not believe", () => {
  it.each([
    ["one octet more", (peer: CurveClientPeer) => wire.concat(peer.hello(), "\0")],
    ["one octet less", (peer: CurveClientPeer) => peer.hello().subarray(0, -1)],
    ["version 2.0", (peer: CurveClientPeer) => peer.hello({ version: "\x02\0" })],
    ["version 1.1", (peer: CurveClientPeer) => peer.hello({ version: "\x01\x01" })],
    [
      "padding that is not zero",
      (peer: CurveClientPeer) => peer.hello({ padding: wire.bytes(`${"\0".repeat(71)}\x01`) }),
    ],
  ])("a HELLO with %s", (_, hello) => {
    const { side, peer } = serverWith("HELLO");
    side.feed(command(hello(peer)));
    expect(side.error).toEqual(code("MALFORMED_COMMAND_HELLO"));
  });

  it.each<[string, Uint8Array, HelloFields]>([
    ["for another server", nacl.box.keyPair().publicKey, {}],
    ["of another key than it says", SERVER.publicKey, { shortKey: nacl.box.keyPair().publicKey }],
    ["of a key that is none", SERVER.publicKey, { shortKey: new Uint8Array(32) }],
    [
      "with a signature that is not zero",
      SERVER.publicKey,
      { signature: new Uint8Array(64).fill(1) },
    ],
  ])("a HELLO %s", (_, serverKey, fields) => {
    const { side } = serverWith("HELLO");
    side.feed(command(new CurveClientPeer(serverKey).hello(fields)));
    expect(side.error).toEqual(code("CRYPTOGRAPHIC"));
  });

  const stranger = nacl.box.keyPair();

  it.each<[string, InitiateFields]>([
    ["with another cookie", { cookie: new Uint8Array(96) }],
    ["with the key of somebody else", { key: stranger.publicKey }],
    ["with a key that is none", { key: new Uint8Array(32) }],
    ["with its key by another name", { key: nicknamed(CLIENT.publicKey) }],
    ["with a vouch by somebody else", { vouchSecret: stranger.secretKey }],
    ["with a vouch for another short-term key", { vouchedKey: stranger.publicKey }],
    ["with a vouch for another server", { vouchedServer: stranger.publicKey }],
  ])("an INITIATE %s: whatever it is, the error is the same", (_, fields) => {
    const { side, peer } = serverWith("INITIATE");
    side.feed(command(peer.initiate(fields)));
    expect(side.error).toEqual(code("CRYPTOGRAPHIC"));
    expect(side.error?.message).toBe("A key or a box is not what it should be");
    expect([side.credentials, side.output().length]).toEqual([undefined, 0]);
  });

  it("an INITIATE that is too short", () => {
    const { side, peer } = serverWith("INITIATE");
    side.feed(command(peer.initiate({ metadata: new Uint8Array(0) }).subarray(0, -1)));
    expect(side.error).toEqual(code("MALFORMED_COMMAND_INITIATE"));
    const other = serverWith("INITIATE");
    other.side.feed(command(other.peer.initiate({ metadata: new Uint8Array(0) })));
    expect(other.side.connection.phase).toBe("traffic");
  });

  it.each([0n, 1n])("an INITIATE whose nonce is %i after 1", (count) => {
    const { side, peer } = serverWith("INITIATE");
    side.feed(command(peer.initiate({ count })));
    expect(side.error).toEqual(code("INVALID_SEQUENCE"));
  });

  it("a HELLO whose nonce is 0", () => {
    const { side, peer } = serverWith("HELLO");
    side.feed(command(peer.hello({ count: 0 })));
    expect(side.error).toEqual(code("INVALID_SEQUENCE"));
  });

  it("a HELLO and an INITIATE that it has heard before, on another connection", () => {
    const { side, peer } = serverWith("HELLO");
    const hello = peer.hello();
    side.feed(command(hello));
    peer.welcomed(bodyOf(side.output()));
    const initiate = peer.initiate();
    side.feed(command(initiate));
    expect(side.connection.phase).toBe("traffic");
    const again = serverWith("HELLO").side;
    again.feed(command(hello));
    expect(again.connection.phase).toBe("handshake");
    again.feed(command(initiate));
    expect(again.error).toEqual(code("CRYPTOGRAPHIC"));
    // And on the same one.
    side.feed(command(initiate));
    expect(side.error).toEqual(code("UNEXPECTED_COMMAND"));
  });
});

describe("a client does not believe", () => {
  it.each([
    ["longer", (welcome: Uint8Array) => wire.concat(welcome, "\0")],
    ["shorter", (welcome: Uint8Array) => welcome.subarray(0, -1)],
  ])("a WELCOME that is %s", (_, change) => {
    const { side, peer } = clientWith("WELCOME");
    side.feed(command(change(peer.welcome())));
    expect(side.error).toEqual(code("MALFORMED_COMMAND_WELCOME"));
  });

  it("a WELCOME of another server, and one with a key that is none", () => {
    const { side, peer } = clientWith("WELCOME");
    const other = new CurveServerPeer();
    other.clientShort = peer.clientShort;
    side.feed(command(other.welcome()));
    expect(side.error).toEqual(code("CRYPTOGRAPHIC"));
    const second = clientWith("WELCOME");
    second.side.feed(command(second.peer.welcome(new Uint8Array(32))));
    expect(second.side.error).toEqual(code("CRYPTOGRAPHIC"));
  });

  it("a READY that is too short, or has the nonce 0, or another key", () => {
    const short = clientWith("READY");
    short.side.feed(command(short.peer.ready(new Uint8Array(0)).subarray(0, -1)));
    expect(short.side.error).toEqual(code("MALFORMED_COMMAND_READY"));
    const zero = clientWith("READY");
    zero.side.feed(command(zero.peer.ready(METADATA, 0)));
    expect(zero.side.error).toEqual(code("INVALID_SEQUENCE"));
    const { side, peer } = clientWith("READY");
    const other = new CurveServerPeer(SERVER);
    other.clientShort = peer.clientShort;
    side.feed(command(other.ready()));
    expect(side.error).toEqual(code("CRYPTOGRAPHIC"));
  });

  it("that its server's key is one, if it is none", () => {
    const { side } = greeted("client", { serverKey: new Uint8Array(32) });
    expect(side.error).toEqual(code("CRYPTOGRAPHIC"));
    expect(side.output()).toHaveLength(0);
  });
});

describe("the traffic over CURVE", () => {
  it("takes a MESSAGE in the frame of a command as well, of any size", () => {
    const limits = { ...DEFAULT_LIMITS, maxCommandSize: 50 };
    const { side, peer } = serverWith("READY", { limits });
    side.feed(command(peer.message(MORE, "a")));
    side.feed(wire.frame(peer.message(0, "b".repeat(1000)), { command: true }));
    expect(texts(side.messages)).toEqual([["a", "b".repeat(1000)]]);
    side.feed(wire.frame(peer.message(COMMAND, `\x01X${"x".repeat(49)}`)));
    expect(side.error).toEqual(code("COMMAND_TOO_LARGE"));
  });

  it("carries PING, PONG and SUBSCRIBE", () => {
    const { side, peer } = serverWith("READY", { socketType: "PAIR" });
    side.feed(wire.frame(peer.message(COMMAND, wire.commandBody("PING", "\0\0ctx"))));
    const pong = peer.read(bodyOf(side.output()));
    expect(pong).toEqual(wire.concat("\x02", wire.commandBody("PONG", "ctx")));
    const pair = curvePair({ socketType: "SUB" }, { socketType: "PUB" }).drive();
    pair.client.connection.subscribe(wire.bytes("t"), true);
    pair.drive();
    expect(pair.server.subscriptions).toEqual(["+t"]);
  });

  it.each<[string, string, (peer: CurveClientPeer) => Uint8Array]>([
    ["a message in clear", "UNEXPECTED_COMMAND", () => wire.message("hello")],
    ["an empty frame", "UNEXPECTED_COMMAND", () => wire.message("")],
    ["a PING in clear", "UNEXPECTED_COMMAND", () => wire.ping()],
    ["an ERROR in clear", "UNEXPECTED_COMMAND", () => wire.error("400")],
    ["a READY in clear", "UNEXPECTED_COMMAND", () => wire.ready()],
    ["MORE outside", "MALFORMED_FRAME", (peer) => wire.frame(peer.message(0, "x"), { more: true })],
    [
      "MORE and COMMAND outside",
      "MALFORMED_FRAME",
      (peer) => wire.frame(peer.message(0, "x"), { more: true, command: true }),
    ],
    [
      "a reserved flag outside",
      "MALFORMED_FRAME",
      (peer) => wire.frame(peer.message(0, "x"), { flags: 8 }),
    ],
    [
      "32 octets",
      "MALFORMED_COMMAND_MESSAGE",
      (peer) => wire.frame(peer.message(0, "").subarray(0, 32)),
    ],
    [
      "all flags inside",
      "MALFORMED_COMMAND_MESSAGE",
      (peer) => wire.frame(peer.message(0xff, "x")),
    ],
    [
      "a reserved flag inside",
      "MALFORMED_COMMAND_MESSAGE",
      (peer) => wire.frame(peer.message(4, "x")),
    ],
    [
      "a command with MORE inside",
      "MALFORMED_FRAME",
      (peer) => wire.frame(peer.message(MORE | COMMAND, "\x01X")),
    ],
    [
      "a message of the other direction",
      "CRYPTOGRAPHIC",
      (peer) => {
        const echo = new CurveServerPeer(SERVER, peer.short);
        echo.clientShort = peer.serverShort;
        echo.count = 100;
        return wire.frame(echo.message(0, "x"));
      },
    ],
  ])("ends with %s", (_, expected, frame) => {
    const { side, peer } = serverWith("READY");
    side.feed(frame(peer));
    expect(side.error).toEqual(code(expected));
    expect(side.messages).toEqual([]);
  });

  it("ends with a nonce that is not greater, and takes gaps", () => {
    for (const count of [-3, -1]) {
      const { side, peer } = serverWith("READY");
      peer.count += 10;
      side.feed(wire.frame(peer.message(0, "a")));
      peer.count += count;
      side.feed(wire.frame(peer.message(0, "b")));
      expect(texts(side.messages)).toEqual([["a"]]);
      expect(side.error).toEqual(code("INVALID_SEQUENCE"));
    }
  });

  it("ends with a message that was there before", () => {
    const { side, peer } = serverWith("READY");
    const frame = wire.frame(peer.message(0, "a"));
    side.feed(frame);
    side.feed(frame);
    expect(texts(side.messages)).toEqual([["a"]]);
    expect(side.error).toEqual(code("INVALID_SEQUENCE"));
  });

  it.each([
    ["whole", (frame: Uint8Array) => [frame]],
    ["cut", (frame: Uint8Array) => [frame.subarray(0, 20), frame.subarray(20)]],
  ])(
    "puts bodies that come %s where the connection's memory has them: aligned, and none with what it came in",
    (_, pieces) => {
      for (const memory of [new SegmentMemory(), exclusiveMemory]) {
        const { side, peer } = serverWith("READY", { memory });
        const sizes = [0, 1, 7, 65, 100, 4095, 5000, 100_000];
        for (const size of sizes) {
          for (const piece of pieces(wire.frame(peer.message(0, "x".repeat(size)))))
            side.feed(piece);
        }
        const parts = side.messages.map(([part]) => part as Buffer);
        expect(parts.map((part) => part.toString())).toEqual(sizes.map((size) => "x".repeat(size)));
        for (const part of parts) {
          expect(part).toBeInstanceOf(Buffer);
          expect(part.byteOffset % 8).toBe(0);
          expect(part.buffer.byteLength).toBeLessThanOrEqual(Math.max(part.length, 8192));
        }
      }
    },
  );

  it("may be read straight to its place, if it is large", () => {
    const { side, peer, clock } = serverWith("READY");
    const frame = wire.frame(peer.message(0, "x".repeat(9000)));
    side.feed(frame.subarray(0, 100));
    const room = side.connection.room(1000) as Uint8Array;
    room.set(frame.subarray(100));
    side.connection.filled(frame.length - 100, clock.now);
    expect(texts(side.messages)).toEqual([["x".repeat(9000)]]);
  });

  it("gives back what was not written, as it was", () => {
    const pair = curvePair().drive();
    pair.client.connection.send([wire.bytes("a"), wire.bytes("b")]);
    expect(texts(pair.client.connection.close())).toEqual([["a", "b"]]);
  });
});

describe("the end", () => {
  it("leaves no key behind, and nothing can be said after it", () => {
    for (const role of ["client", "server"] as const) {
      const shared: Uint8Array[] = [];
      const pair = nacl.box.keyPair();
      const secret = pair.secretKey.slice();
      const spy: CurveCipher = {
        random: (size) => sodium.random(size),
        publicKey: (secretKey) => sodium.publicKey(secretKey),
        box: sodium.box,
        keyPair: () => pair,
        share: (one: Uint8Array, other: Uint8Array) => {
          const key = sodium.share(one, other);
          if (key !== undefined) shared.push(key);
          return key;
        },
      };
      const choice = { cipher: spy };
      const two = role === "client" ? curvePair(choice) : curvePair({}, choice);
      const { connection } = two.drive()[role];
      expect(connection.phase).toBe("traffic");
      expect(shared.some((key) => key.some((octet) => octet !== 0))).toBe(true);
      connection.close();
      for (const key of [...shared, pair.secretKey]) expect(key).toEqual(new Uint8Array(32));
      expect(secret).not.toEqual(pair.secretKey);
    }
    const [client, server] = [curveClient(), curveServer()];
    new ConnectionPair({ mechanism: client }, { mechanism: server }).drive();
    const [to, from] = [client.traffic as Traffic, server.traffic as Traffic];
    const { body } = to.wrap(0, wire.bytes("a"));
    const head = body.slice();
    for (const mechanism of [client, server, client, server]) mechanism.close();
    expect(() => to.wrap(0, wire.bytes("a"))).toThrow("the connection has ended");
    const rest = head.subarray(to.overhead);
    expect(() => from.unwrap(0, head, 0, rest, rest)).toThrow("the connection has ended");
  });

  it("leaves the keys alone that are the socket's", () => {
    const keys = nacl.box.keyPair();
    const secret = keys.secretKey.slice();
    const pair = curvePair({ keys, serverKey: keys.publicKey }, { keys }).drive();
    expect(pair.client.connection.phase).toBe("traffic");
    pair.client.connection.close();
    pair.server.connection.close();
    expect(keys.secretKey).toEqual(secret);
  });
});
