import { expect, it } from "vitest";
import { toPeer } from "../../src/zmtp/peer.js";
import * as wire from "../support/wire.js";

const greeting = { major: 3, minor: 0 };

/** Who says that of itself to a PAIR. */
function peer(properties: Record<string, string>) {
  const entries = Object.entries(properties).map(([name, value]) => [name, wire.bytes(value)]);
  return toPeer(greeting, new Map(entries as [string, Uint8Array][]), "PAIR");
}

it("is what its metadata say, and all of them", () => {
  const it = peer({ "socket-type": "PAIR", identity: "me", "x-app": "v1" });
  expect(it).toMatchObject({ greeting, socketType: "PAIR", identity: wire.bytes("me") });
  expect(it.properties.get("x-app")).toEqual(wire.bytes("v1"));
});

it("may keep its type and name to itself, as libzmq allows", () => {
  expect(peer({})).toMatchObject({ socketType: undefined, identity: new Uint8Array(0) });
});

it.each(["SUB", "pair", "PAIRS", "", "\xff"])("of type %j is refused", (type) => {
  const wrong = expect.objectContaining({ code: "ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE" });
  expect(() => peer({ "socket-type": type })).toThrow(wrong);
});
