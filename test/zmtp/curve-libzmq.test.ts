import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import type { Role } from "../../src/zmtp/index.js";
import { ConnectionPair, connectionOptions, Side } from "../support/connection-pair.js";
import { CLIENT, curveClient, curveServer, SERVER, sodium } from "../support/curve-sides.js";
import { feedBytes, feedCut, feedWhole } from "../support/feed.js";
import { NaclCipher, SeededCipher } from "../support/nacl-cipher.js";
import { concat } from "../support/wire.js";
import recording from "./curve-libzmq.json" with { type: "json" };

const octets = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

/** A side that answers each message with the same. */
class Echo extends Side {
  override message(parts: Uint8Array[]): boolean {
    this.connection.send(parts);
    return super.message(parts);
  }
}

function replay(role: Role, base: typeof sodium, feed: typeof feedWhole) {
  const cipher = new SeededCipher(base, recording.seed);
  const mechanism = role === "client" ? curveClient({ cipher }) : curveServer({ cipher });
  const side = new Echo(connectionOptions(role, { mechanism }), new ConnectionPair().clock);
  const { came, went } = role === "client" ? recording.asClient : recording.asServer;
  const said: Uint8Array[] = [side.output()];
  feed(octets(came), (chunk, at, end) => {
    side.feed(chunk.slice(at, end));
    said.push(side.output());
    return end;
  });
  const texts = side.messages.map((parts) => parts.map((part) => Buffer.from(part).toString()));
  expect([side.error, texts]).toEqual([undefined, recording.messages]);
  expect(Buffer.from(concat(...said)).toString("hex")).toBe(went);
}

describe("a conversation that was recorded with libzmq", () => {
  it("was one with these keys", () => {
    expect([octets(recording.server), octets(recording.client)]).toEqual([
      SERVER.secretKey,
      CLIENT.secretKey,
    ]);
  });

  describe.each(["client", "server"] as const)("is the same again, ours being the %s,", (role) => {
    it("in one piece", () => replay(role, sodium, feedWhole));

    it("octet by octet", () => replay(role, sodium, feedBytes));

    it("cut anywhere", () => {
      const cuts = Array.from({ length: 60 }, (_, i) => i * 17);
      replay(role, sodium, (octets, take) => feedCut(octets, cuts, take));
    });

    it("with the ciphers of tweetnacl", () => replay(role, new NaclCipher(), feedWhole));
  });
});
