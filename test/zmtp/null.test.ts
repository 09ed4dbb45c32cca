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

  it.each(["client", "server"] as const)(
    "lets a %s ask first whether the peer is good, knows no credentials, and then is done",
    (role) => {
      const mechanism = new NullMechanism(role, [], DEFAULT_LIMITS);
      const data = wire.metadata({ "X-a": "1" });
      expect(mechanism.receive({ name: "READY", data })).toEqual({ credentials: [] });
      const step = mechanism.accept();
      expect(step.reply).toBeUndefined();
      expect([...(step.properties ?? [])]).toEqual([["x-a", wire.bytes("1")]]);
      expect(() => mechanism.accept()).toThrow("accept without credentials");
    },
  );

  it.each(["HELLO", "PING", "ready", "READYY"])("does not know %s", (name) => {
    const mechanism = new NullMechanism("server", [], DEFAULT_LIMITS);
    expect(() => mechanism.receive({ name, data: new Uint8Array(0) })).toThrow(
      expect.objectContaining({ code: "ERR_ZMTP_UNEXPECTED_COMMAND" }),
    );
  });
});
