import { describe, expect, it } from "vitest";
import type { Side } from "../support/connection-pair.js";
import { greeted, sodium } from "../support/curve-sides.js";
import { SeededCipher } from "../support/nacl-cipher.js";
import { bytes } from "../support/wire.js";

/** Octets before a body that is no longer than a short frame's; INITIATE's is. */
const headerOf = (frame: Uint8Array) => (((frame[0] as number) & 2) !== 0 ? 9 : 2);

/**
 * A side that is always the same, as nothing in it is left to chance, and what its peer, neither,
 * says to it frame by frame.
 */
function fresh(role: "client" | "server") {
  const cipher = new SeededCipher(sodium, role === "client" ? 1 : 2);
  return greeted(role, { cipher, handshakeTimeoutMs: 1000 });
}

/** The frames that go to each side in a handshake, and two messages after it. */
function conversation(): Record<"client" | "server", Uint8Array[]> {
  const client = fresh("client").side;
  const server = fresh("server").side;
  const frames: Record<"client" | "server", Uint8Array[]> = { client: [], server: [] };
  const carry = (from: Side, to: "client" | "server") => {
    const frame = from.output();
    frames[to].push(frame);
    (to === "client" ? client : server).feed(frame);
  };
  carry(client, "server");
  carry(server, "client");
  carry(client, "server");
  carry(server, "client");
  for (const text of ["first", "second"]) {
    for (const side of [client, server]) side.connection.send([bytes(text)]);
    carry(client, "server");
    carry(server, "client");
  }
  return frames;
}

const frames = conversation();

function flipped(frame: Uint8Array, bit: number): Uint8Array {
  const changed = frame.slice();
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
  return changed;
}

const texts = (side: Side) =>
  side.messages.map((parts) => parts.map((part) => String.fromCharCode(...part)).join());

describe("a bit that flips", () => {
  it("can be seen: without one, all goes well", () => {
    for (const role of ["client", "server"] as const) {
      const { side } = fresh(role);
      for (const frame of frames[role]) side.feed(frame);
      expect([side.error, texts(side)]).toEqual([undefined, ["first", "second"]]);
    }
  });

  it.each([
    ["HELLO", "server", 0],
    ["WELCOME", "client", 0],
    ["INITIATE", "server", 1],
    ["READY", "client", 1],
  ] as const)("in %s, wherever, ends the connection before there is traffic", (_, role, index) => {
    const frame = frames[role][index] as Uint8Array;
    const header = 8 * headerOf(frame);
    for (let bit = 0; bit < 8 * frame.length; bit++) {
      const { side, clock } = fresh(role);
      for (const before of frames[role].slice(0, index)) side.feed(before);
      side.feed(flipped(frame, bit));
      // One in the frame's size may make it wait for octets that do not come.
      if (bit >= header && side.error === undefined) throw new Error(`bit ${bit} went unseen`);
      clock.advance(1000);
      side.tick();
      expect([side.connection.phase, side.peer]).toEqual(["closed", undefined]);
    }
  });

  it.each(["client", "server"] as const)(
    "in a MESSAGE to the %s, wherever, ends the connection, and nothing that was changed arrives",
    (role) => {
      const frame = frames[role][2] as Uint8Array;
      const last = frames[role][3] as Uint8Array;
      for (let bit = 0; bit < 8 * frame.length; bit++) {
        const { side } = fresh(role);
        for (const before of frames[role].slice(0, 2)) side.feed(before);
        side.feed(flipped(frame, bit));
        // A MESSAGE may as well be a command.
        if (bit === 2) {
          expect(texts(side)).toEqual(["first"]);
          continue;
        }
        // One in the frame's size may make it wait for a few more octets.
        for (let i = 0; i < 8; i++) side.feed(last);
        expect([side.connection.phase, texts(side)]).toEqual(["closed", []]);
      }
    },
  );
});
