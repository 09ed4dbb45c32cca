import { describe, expect, it } from "vitest";
import { announce, type ConnectionOptions, type Role } from "../../src/zmtp/index.js";
import { DEFAULT_LIMITS } from "../../src/zmtp/limits.js";
import { ConnectionPair } from "../support/connection-pair.js";
import * as wire from "../support/wire.js";
import { XorMechanism } from "../support/xor-mechanism.js";

const texts = (messages: Uint8Array[][]) =>
  messages.map((parts) => parts.map((part) => String.fromCharCode(...part)));

function xorPair(options: Partial<ConnectionOptions> = {}): ConnectionPair {
  const mechanism = (role: Role) => {
    const type = options.socketType ?? "PAIR";
    return new XorMechanism(role, announce(type, wire.bytes(role)));
  };
  return new ConnectionPair(
    { ...options, mechanism: mechanism("client") },
    { ...options, mechanism: mechanism("server") },
  );
}

describe("a mechanism of several steps that transforms every frame", () => {
  it("shakes hands", () => {
    const { client, server } = xorPair().drive();
    expect(client.connection.phase).toBe("traffic");
    expect(server.connection.phase).toBe("traffic");
    expect(client.peer?.identity).toEqual(wire.bytes("server"));
    expect(server.peer?.identity).toEqual(wire.bytes("client"));
  });

  it("announces its name and its server", () => {
    const pair = xorPair();
    expect(pair.client.output()).toEqual(wire.greeting({ mechanism: "XOR" }));
    expect(pair.server.output()).toEqual(wire.greeting({ mechanism: "XOR", asServer: 1 }));
  });

  it("carries messages, both ways", () => {
    const pair = xorPair().drive();
    const sent = [["a"], ["b", "", "c".repeat(300)], [""], ["d".repeat(9000)]];
    for (const parts of sent) {
      pair.client.connection.send(parts.map(wire.bytes));
      pair.server.connection.send(parts.map(wire.bytes));
    }
    pair.drive();
    expect(texts(pair.server.messages)).toEqual(sent);
    expect(texts(pair.client.messages)).toEqual(sent);
  });

  it("goes no further when it should protect what it carries, and has nothing for that", () => {
    const hollow = (role: Role) =>
      Object.assign(new XorMechanism(role, announce("PAIR", undefined)), {
        ...{ protects: true, traffic: undefined },
      });
    const pair = new ConnectionPair(
      { mechanism: hollow("client") },
      { mechanism: hollow("server") },
    );
    pair.drive();
    const { server } = pair;
    expect(server.error).toEqual(new Error("XOR has nothing to protect traffic with"));
    expect(server.connection.phase).toBe("closed");
  });

  it("lets nothing through in clear, messages, PINGs and PONGs included", () => {
    const pair = xorPair({ heartbeat: { intervalMs: 100, timeoutMs: 50, ttlMs: 0 } }).drive();
    pair.client.connection.send([wire.bytes("secret")]);
    pair.clock.advance(100);
    pair.client.tick();
    pair.server.feed(pair.client.output());
    const answer = pair.server.output();
    const text = String.fromCharCode(...answer);
    expect(text).not.toContain("PONG");
    pair.client.feed(answer);
    pair.drive().advance(1000);
    expect([pair.client.error, pair.server.error]).toEqual([undefined, undefined]);
    expect(texts(pair.server.messages)).toEqual([["secret"]]);
  });

  it("carries subscriptions", () => {
    const mechanism = (role: Role, type: "SUB" | "PUB") =>
      new XorMechanism(role, announce(type, undefined));
    const pair = new ConnectionPair(
      { socketType: "SUB", mechanism: mechanism("client", "SUB") },
      { socketType: "PUB", mechanism: mechanism("server", "PUB") },
    ).drive();
    pair.client.connection.subscribe(wire.bytes("t"), true);
    pair.drive();
    expect(pair.server.subscriptions).toEqual(["+t"]);
  });

  it("gives back what was not written, as it was", () => {
    const pair = xorPair().drive();
    pair.client.connection.send([wire.bytes("sent")]);
    pair.drive();
    pair.client.connection.send([wire.bytes("a"), wire.bytes("b")]);
    pair.client.connection.subscribe(wire.bytes("t"), true);
    pair.client.connection.send([wire.bytes("c")]);
    expect(texts(pair.client.connection.close())).toEqual([["a", "b"], ["c"]]);
    expect(texts(pair.server.messages)).toEqual([["sent"]]);
  });

  it.each([
    ["cleartext", wire.message("hello")],
    ["a cleartext PING", wire.ping()],
    ["an empty frame", wire.message("")],
    ["a counter out of order", wire.message("\x02\0x")],
    ["reserved inner flags", wire.message("\x01\x80x")],
    ["an inner command with MORE", wire.message("\x01\x05x")],
  ])("ends with %s", (_, octets) => {
    const { server } = xorPair().drive();
    server.feed(octets);
    expect(server.error?.code).toBe("ERR_ZMTP_MALFORMED_FRAME");
  });

  it("bounds parts that only it can see", () => {
    const pair = xorPair({ limits: { ...DEFAULT_LIMITS, maxFrames: 3 } }).drive();
    pair.client.connection.send(["", "", ""].map(wire.bytes));
    pair.client.connection.send(["", "", "", ""].map(wire.bytes));
    pair.drive();
    expect(pair.server.messages).toHaveLength(1);
    expect(pair.server.error?.code).toBe("ERR_ZMTP_TOO_MANY_FRAMES");
  });

  it.each([
    ["INITIATE first", [wire.command("INITIATE")]],
    ["HELLO twice", [wire.command("HELLO"), wire.command("HELLO")]],
  ])("knows its order: %s", (_, commands) => {
    const { server } = xorPair();
    server.feed(wire.concat(wire.greeting({ mechanism: "XOR" }), ...commands));
    expect(server.error?.code).toBe("ERR_ZMTP_UNEXPECTED_COMMAND");
  });

  it("meets a peer without it: both part", () => {
    const plain = new ConnectionPair().client;
    const { server } = xorPair();
    server.feed(plain.output());
    plain.feed(server.output());
    expect(server.error?.code).toBe("ERR_ZMTP_MECHANISM_MISMATCH");
    expect(plain.error?.code).toBe("ERR_ZMTP_MECHANISM_MISMATCH");
  });
});
