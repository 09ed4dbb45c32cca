import { describe, expect, it } from "vitest";
import type { HeartbeatOptions } from "../../src/zmtp/heartbeat.js";
import { announce } from "../../src/zmtp/index.js";
import { DEFAULT_LIMITS } from "../../src/zmtp/limits.js";
import { NullMechanism } from "../../src/zmtp/null.js";
import { ConnectionPair } from "../support/connection-pair.js";
import * as wire from "../support/wire.js";

const NEVER = Number.POSITIVE_INFINITY;
const texts = (messages: Uint8Array[][]) =>
  messages.map((parts) => parts.map((part) => String.fromCharCode(...part)));
const heartbeat = (intervalMs: number, timeoutMs = 0, ttlMs = 0): HeartbeatOptions => ({
  intervalMs,
  timeoutMs,
  ttlMs,
});

describe("two connections", () => {
  it("shake hands", () => {
    const { client, server } = new ConnectionPair().drive();
    for (const side of [client, server]) {
      expect(side.connection.phase).toBe("traffic");
      expect(side.peer?.greeting).toEqual({ major: 3, minor: 1 });
      expect(side.peer?.socketType).toBe("PAIR");
    }
  });

  it("tell each other their names and properties", () => {
    const properties = announce("PAIR", wire.bytes("me"), [["X-App", wire.bytes("v1")]]);
    const mechanism = new NullMechanism("client", properties, DEFAULT_LIMITS);
    const { server } = new ConnectionPair({ mechanism }).drive();
    expect(server.peer?.identity).toEqual(wire.bytes("me"));
    expect(server.peer?.properties.get("x-app")).toEqual(wire.bytes("v1"));
  });

  it("of types that do not match part", () => {
    const pair = new ConnectionPair({ socketType: "PUB" }, { socketType: "PUSH" }).drive();
    expect(pair.server.error?.code).toBe("ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE");
    expect(pair.client.connection.phase).toBe("handshake");
  });

  it("exchange messages of every size, both ways, in order", () => {
    const pair = new ConnectionPair().drive();
    const { client, server } = pair;
    const sizes = [0, 1, 255, 256, 8192, 8193, 70_000, 300_000];
    for (const size of sizes) {
      client.connection.send([new Uint8Array(size).fill(1), new Uint8Array(size).fill(2)]);
      server.connection.send([new Uint8Array(size).fill(3)]);
    }
    pair.drive();
    const received = server.messages.map((parts) => parts.map((part) => [part.length, part[0]]));
    expect(received.slice(1)).toEqual(
      sizes.slice(1).map((size) => [
        [size, 1],
        [size, 2],
      ]),
    );
    expect(client.messages.map(([part]) => part?.length)).toEqual(sizes);
  });

  it("subscribe and cancel", () => {
    const pair = new ConnectionPair({ socketType: "SUB" }, { socketType: "PUB" }).drive();
    pair.client.connection.subscribe(wire.bytes("topic"), true);
    pair.client.connection.subscribe(wire.bytes("topic"), false);
    pair.drive();
    expect(pair.server.subscriptions).toEqual(["+topic", "-topic"]);
  });

  it("wait for admission, however long, and lose nothing", () => {
    const pair = new ConnectionPair({ handshakeTimeoutMs: 0 });
    pair.server.letsIn = false;
    pair.drive().advance(1e6);
    expect(pair.client.connection.phase).toBe("handshake");
    expect(pair.server.connection.phase).toBe("admission");
    pair.server.connection.admit(pair.clock.now);
    pair.drive();
    expect(pair.client.connection.phase).toBe("traffic");
    pair.client.connection.send([wire.bytes("a")]);
    pair.drive();
    expect(texts(pair.server.messages)).toEqual([["a"]]);
  });

  it("that wait too long for admission part", () => {
    const pair = new ConnectionPair();
    pair.server.letsIn = false;
    pair.drive().advance(30_000);
    expect(pair.client.error?.code).toBe("ERR_ZMTP_HANDSHAKE_TIMEOUT");
  });
});

describe("a reader that stops", () => {
  it("gets the rest later", () => {
    const pair = new ConnectionPair().drive();
    pair.server.room = 2;
    for (const text of ["a", "b", "c", "d"]) pair.client.connection.send([wire.bytes(text)]);
    pair.drive();
    expect(texts(pair.server.messages)).toEqual([["a"], ["b"]]);
    pair.server.read();
    expect(texts(pair.server.messages)).toEqual([["a"], ["b"], ["c"], ["d"]]);
  });

  it("does not take the peer for dead meanwhile, and answers it afterwards", () => {
    const pair = new ConnectionPair({}, { heartbeat: heartbeat(100, 50) }).drive();
    pair.server.room = 1;
    pair.client.connection.send([wire.bytes("a")]);
    pair.drive().advance(10_000);
    expect(pair.server.error).toBeUndefined();
    expect(pair.server.connection.full).toBe(true);
    pair.server.read();
    pair.drive().advance(10_000);
    expect(pair.server.error).toBeUndefined();
  });

  it("gives the peer its time back when it reads on", () => {
    const pair = new ConnectionPair({}, { heartbeat: heartbeat(100, 50) }).drive();
    pair.server.room = 1;
    pair.client.connection.send([wire.bytes("a")]);
    pair.drive();
    pair.client.severed = true;
    pair.advance(10_000);
    pair.server.read();
    pair.advance(49);
    expect(pair.server.error).toBeUndefined();
    pair.advance(2);
    expect(pair.server.error?.code).toBe("ERR_ZMTP_HEARTBEAT_TIMEOUT");
  });
});

describe("heartbeats", () => {
  it.each([
    ["the client's", heartbeat(100, 100), heartbeat(0)],
    ["the server's", heartbeat(0), heartbeat(100, 100)],
    ["both sides'", heartbeat(100, 100, 300), heartbeat(70, 70, 200)],
  ])("%s keep a quiet connection alive", (_, client, server) => {
    const pair = new ConnectionPair({ heartbeat: client }, { heartbeat: server }).drive();
    pair.advance(10_000);
    expect([pair.client.error, pair.server.error]).toEqual([undefined, undefined]);
  });

  it("find a peer that fell silent, on each side", () => {
    for (const side of ["client", "server"] as const) {
      const pair = new ConnectionPair(
        { heartbeat: heartbeat(100, 30) },
        { heartbeat: heartbeat(100, 30) },
      );
      pair.drive();
      const other = side === "client" ? pair.server : pair.client;
      other.severed = true;
      pair.advance(130);
      expect(pair[side].error).toBeUndefined();
      pair.advance(1);
      expect(pair[side].error?.code).toBe("ERR_ZMTP_HEARTBEAT_TIMEOUT");
      expect(pair[side].connection.deadline).toBe(NEVER);
    }
  });

  it("are counted from the end of the handshake", () => {
    const pair = new ConnectionPair({}, { heartbeat: heartbeat(100, 30) });
    pair.server.letsIn = false;
    pair.drive().advance(5000);
    pair.server.connection.admit(pair.clock.now);
    pair.drive();
    expect(pair.server.connection.deadline).toBe(pair.clock.now + 100);
    expect(pair.server.connection.hasOutput).toBe(false);
  });

  it("tell our TTL, which the peer holds us to", () => {
    const pair = new ConnectionPair({ heartbeat: heartbeat(100, 0, 500) }).drive();
    pair.advance(100);
    pair.client.severed = true;
    pair.advance(500);
    expect(pair.server.error).toBeUndefined();
    pair.advance(1);
    expect(pair.server.error?.code).toBe("ERR_ZMTP_HEARTBEAT_TIMEOUT");
  });

  it("traffic is as good as a PONG", () => {
    const pair = new ConnectionPair({}, { heartbeat: heartbeat(100, 50) }).drive();
    pair.advance(100);
    pair.clock.advance(40);
    pair.server.feed(wire.frame("begins", { size: 300 }).subarray(0, 3));
    pair.advance(55);
    expect(pair.server.error).toBeUndefined();
  });

  it("that nobody reads do not pile up", () => {
    const pair = new ConnectionPair({ heartbeat: heartbeat(10) }).drive();
    const { client } = pair;
    for (let i = 0; i < 1000; i++) {
      pair.clock.advance(10);
      client.tick();
    }
    client.feed(wire.ping(0, "c"));
    expect(client.output()).toEqual(wire.concat(wire.ping(), wire.pong("c")));
  });

  it("a promise ends with the next octet, however octets are cut", () => {
    const promise = wire.ping(5);
    for (const after of [wire.message("m"), wire.pong(), wire.bytes("\0"), wire.bytes("\0\x05x")]) {
      const whole = new ConnectionPair().drive().server;
      whole.feed(wire.concat(promise, after));
      const cut = new ConnectionPair().drive().server;
      cut.feed(promise);
      cut.feed(after);
      expect(whole.connection.deadline).toBe(NEVER);
      expect(cut.connection.deadline).toBe(NEVER);
    }
    const { server, clock } = new ConnectionPair().drive();
    server.feed(wire.concat(wire.message("m"), wire.ping(7), promise));
    expect(server.connection.deadline).toBe(clock.now + 500);
  });

  it("of a thread that was busy: what waits to be read counts", () => {
    const pair = new ConnectionPair({}, { heartbeat: heartbeat(100, 50) }).drive();
    pair.advance(100);
    pair.clock.advance(5000);
    pair.server.tick();
    expect(pair.server.error).toBeUndefined();
    pair.server.feed(wire.pong());
    pair.clock.advance(1);
    pair.server.tick();
    expect(pair.server.error).toBeUndefined();
  });
});
