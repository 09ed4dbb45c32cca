import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../src/zmtp/limits.js";
import { NullMechanism } from "../../src/zmtp/null.js";
import * as wire from "../support/wire.js";

const PROPERTIES = [["Socket-Type", wire.bytes("PAIR")]] as const;
const READY = wire.commandBody("READY", wire.metadata({ "Socket-Type": "PAIR" }));

describe("NULL", () => {
  it("lets a client say READY first", () => {
    const client = new NullMechanism("client", PROPERTIES, DEFAULT_LIMITS);
    expect(client.start()).toEqual(READY);
    expect(client.admit()).toBeUndefined();
  });

  it("lets a server say READY last", () => {
    const server = new NullMechanism("server", PROPERTIES, DEFAULT_LIMITS);
    expect(server.start()).toBeUndefined();
    expect(server.admit()).toEqual(READY);
  });

  it("is done with the peer's READY", () => {
    const data = wire.metadata({ "X-a": "1" });
    const step = new NullMechanism("client", [], DEFAULT_LIMITS).receive({ name: "READY", data });
    expect(step.reply).toBeUndefined();
    expect([...(step.properties ?? [])]).toEqual([["x-a", wire.bytes("1")]]);
  });

  it("lets a server ask first whether the peer is good, and knows no credentials", () => {
    const server = new NullMechanism("server", [], DEFAULT_LIMITS);
    const data = wire.metadata({ "X-a": "1" });
    expect(server.receive({ name: "READY", data })).toEqual({ credentials: [] });
    expect([...(server.accept().properties ?? [])]).toEqual([["x-a", wire.bytes("1")]]);
    expect(() => server.accept()).toThrow("accept without credentials");
  });

  it.each(["HELLO", "PING", "ready", "READYY"])("does not know %s", (name) => {
    const mechanism = new NullMechanism("server", [], DEFAULT_LIMITS);
    expect(() => mechanism.receive({ name, data: new Uint8Array(0) })).toThrow(
      expect.objectContaining({ code: "ERR_ZMTP_UNEXPECTED_COMMAND" }),
    );
  });
});
