import { describe, expect, it } from "vitest";
import { Encoder } from "../../src/zmtp/encoder.js";
import type { Greeting } from "../../src/zmtp/greeting.js";
import type { SocketTypeName } from "../../src/zmtp/socket-type.js";
import { isSubscription, subscribes, Wishes } from "../../src/zmtp/wishes.js";
import { CountingSlabs } from "../support/connection-pair.js";
import * as wire from "../support/wire.js";

const VERSION_3_0: Greeting = { major: 3, minor: 0 };
const LATER: Greeting[] = [
  { major: 3, minor: 1 },
  { major: 3, minor: 2 },
  { major: 4, minor: 0 },
];

/** What a peer of that version is told, on the wire. */
function said(type: SocketTypeName, peer: Greeting, topic: string, wanted: boolean): Uint8Array {
  const encoder = new Encoder(new CountingSlabs());
  new Wishes(type).encode(wire.bytes(topic), wanted, peer, encoder);
  return wire.concat(...encoder.take().chunks);
}

describe("a topic is asked for, and cancelled,", () => {
  it.each(LATER)("by commands at a $major.$minor peer", (peer) => {
    expect(said("SUB", peer, "topic", true)).toEqual(wire.subscribe("topic"));
    expect(said("XSUB", peer, "", false)).toEqual(wire.cancel(""));
  });

  it("by messages at a 3.0 peer, however long", () => {
    const long = "t".repeat(255);
    expect(said("SUB", VERSION_3_0, "topic", true)).toEqual(wire.message("\x01topic"));
    expect(said("XSUB", VERSION_3_0, "", false)).toEqual(wire.message("\0"));
    expect(said("SUB", VERSION_3_0, long, true)).toEqual(wire.message(`\x01${long}`));
  });
});

it.each([VERSION_3_0, ...LATER])(
  "a group is joined, and left, by commands, at a $major.$minor peer, too",
  (peer) => {
    expect(said("DISH", peer, "group", true)).toEqual(wire.command("JOIN", "group"));
    expect(said("DISH", peer, "", false)).toEqual(wire.command("LEAVE"));
  },
);

it.each([
  ["PUB", { SUBSCRIBE: true, CANCEL: false }],
  ["XPUB", { SUBSCRIBE: true, CANCEL: false }],
  ["RADIO", { JOIN: true, LEAVE: false }],
] as const)("of a peer of a %s only its own commands ask for anything", (type, meanings) => {
  const names = ["SUBSCRIBE", "CANCEL", "JOIN", "LEAVE", "PING", "subscribe", ""];
  const wishes = new Wishes(type);
  const known = names.filter((name) => wishes.ofCommand(name) !== undefined);
  expect(Object.fromEntries(known.map((name) => [name, wishes.ofCommand(name)]))).toEqual(meanings);
});

it("messages may be subscriptions between publishers and subscribers, and one way only", () => {
  const ways = (["PUB", "XPUB", "SUB", "XSUB", "RADIO", "DISH", "PAIR"] as const).map((type) => {
    const { inMessages, inOurMessages } = new Wishes(type);
    return [type, inMessages, inOurMessages];
  });
  expect(ways).toEqual([
    ["PUB", true, false],
    ["XPUB", true, false],
    ["SUB", false, true],
    ["XSUB", false, true],
    ["RADIO", false, false],
    ["DISH", false, false],
    ["PAIR", false, false],
  ]);
});

it("a part is a subscription by its first octet alone", () => {
  const kinds = ["\x01topic", "\x01", "\0topic", "\0", "\x02", "t\x01", ""].map((text) => {
    const part = wire.bytes(text);
    return isSubscription(part) && (subscribes(part) ? "+" : "-");
  });
  expect(kinds).toEqual(["+", "+", "-", "-", false, false, false]);
});
