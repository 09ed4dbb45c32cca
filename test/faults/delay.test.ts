import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Shapes } from "../support/matrix-flows.js";
import type { Relay } from "../support/relay.js";
import { turns } from "../support/sockets.js";
import { CASES, MIXED, OURS, Scene } from "./scene.js";

const scene = new Scene();
beforeAll(() => scene.start());
afterEach(() => scene.close());
afterAll(() => scene.end());

const SHAPES: Shapes = [[8], [4, 300, 0, 9], [9, 70_000, 4], [255]];

/** Milliseconds of the relay's clock; one delay comes after the other, shorter ones after longer. */
const DELAYS = [200, 3, 50, 0, 90];

/** Lets the relay's time pass, while delays change, until what is under way is done. */
async function passTime(relay: Relay, done: Promise<unknown>): Promise<void> {
  let isDone = false;
  const finished = done.finally(() => {
    isDone = true;
  });
  for (let i = 0; !isDone; i++) {
    relay.advance(1);
    for (const { out, back } of relay.connections) {
      out.policy = { delayMs: DELAYS[i % DELAYS.length] as number };
      back.policy = { delayMs: DELAYS[(i >> 3) % DELAYS.length] as number };
    }
    await turns(1);
  }
  await finished;
}

describe.each(CASES)("$name", (one) => {
  it.each([OURS, ...MIXED])(
    "delays that grow and shrink keep the order and lose nothing: $connector to $binder",
    async (sides) => {
      const policy = { delayMs: 200 };
      const policies = { out: policy, back: policy };
      const { parties, relay } = await scene.meet(one, sides, "tcp", policies);
      await passTime(relay, one.flow.exchange(...parties, SHAPES));
      expect(relay.connections).toHaveLength(1);
    },
  );
});
