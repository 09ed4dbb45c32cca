import { expect } from "vitest";
import type { Dish } from "../../src/socket/dish.js";
import type { Peer } from "../../src/socket/peer.js";
import type { Radio } from "../../src/socket/radio.js";
import type { Server } from "../../src/socket/server.js";
import type { Socket } from "../../src/socket/socket.js";
import { MockPeer, wire } from "./mock-peer.js";
import { until } from "./sockets.js";

/** A peer made of octets, which has come to a bound socket of ours and is let in. */
export async function mockOf(socket: Socket, ours: string, theirs: string): Promise<MockPeer> {
  const mock = await MockPeer.connect(socket.lastEndpoint as string);
  await shakeHands(mock, ours, theirs);
  return mock;
}

/** Does a peer's part of the handshake, and sees that ours says its type and nothing else. */
export async function shakeHands(mock: MockPeer, ours: string, theirs: string): Promise<void> {
  mock.send(wire.greeting({ minor: 1 }), wire.ready({ "Socket-Type": theirs }));
  await mock.expect(wire.greeting({ minor: 1, padding: 0 }));
  await mock.expect(wire.ready({ "Socket-Type": ours }));
}

/** Resolves once `count` groups are joined, by us or at us. */
export function joined(socket: Radio | Dish, count: number): Promise<void> {
  return until(() => socket.stats().subscriptions === count);
}

/** The next `count` messages of a Dish: each as its group, a colon, and its text. */
export async function heard(dish: Dish, count: number): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) {
    const [message, { group }] = await dish.receive();
    all.push(`${group}: ${message}`);
  }
  return all;
}

/** The next message, and whom it is from. */
export async function routed(socket: Server | Peer): Promise<[string, number]> {
  const [message, { routingId }] = await socket.receive();
  expect(routingId).toBeGreaterThan(0);
  return [String(message), routingId];
}

/** A system that lets its peer wait to hear from it waits no longer than this, as a rule. */
const QUIET_MS = 50;

/**
 * Sends until there has been no room for a while: then what the system holds is full, too. Says how
 * often it sent.
 */
export async function untilStuck(
  socket: { sendTimeout: number },
  send: () => Promise<void>,
): Promise<number> {
  socket.sendTimeout = QUIET_MS;
  for (let count = 0; count < 1000; count++) {
    try {
      await send();
    } catch (error) {
      expect((error as { code?: string }).code).toBe("EAGAIN");
      socket.sendTimeout = -1;
      return count;
    }
  }
  throw new Error("it is never full");
}
