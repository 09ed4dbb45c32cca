import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Shapes } from "../support/matrix-flows.js";
import type { Policy } from "../support/relay.js";
import type { Transport } from "../support/sockets.js";
import { CASES, type Case, MIXED, OURS, Scene, type Sides } from "./scene.js";

const scene = new Scene();
beforeAll(() => scene.start());
afterEach(() => scene.close());
afterAll(() => scene.end());

/** Small, so that a boundary comes to stand within each part of each message. */
const SMALL: Shapes = [[4], [8, 0], [4, 1, 2]];
const LARGE: Shapes = [[8, 300_000], [255], [256, 20], [70_000]];

/** More octets than NULL's handshake has: each boundary within it, and within many messages, comes up. */
const EVERY = Array.from({ length: 130 }, (_, i) => i + 1);

/** Around those where something ends in CURVE's: its commands, and what they hold. */
const SOME = [1, 2, 3, 7, 31, 32, 33, 64, 65, 112, 113, 168, 169, 201, 202, 203, 255, 256, 287];

/** Sizes around those where something ends: headers, the greeting, a slab, what is read at a time. */
const TELLING = [1, 2, 9, 63, 65];
const TELLING_LARGE = [255, 8193, 65_537];

/** A whole conversation, both ways, over a wire that does this to both directions. */
async function converse(
  one: Case,
  sides: Sides,
  transport: Transport,
  shapes: Shapes,
  policy: Policy,
): Promise<void> {
  const { parties, relay } = await scene.meet(one, sides, transport, { out: policy, back: policy });
  await one.flow.exchange(...parties, shapes);
  expect(relay.connections).toHaveLength(1);
}

describe.each(CASES)("$name", (one) => {
  it.each<[Transport, readonly number[]]>([
    ["tcp", one.mechanism.name === "CURVE" ? SOME : EVERY],
    ["ipc", TELLING],
  ])("pieces of any size change nothing, %s", async (transport, sizes) => {
    await Promise.all(sizes.map((split) => converse(one, OURS, transport, SMALL, { split })));
  });

  it("large messages in pieces around every size where something ends arrive", async () => {
    for (const split of TELLING_LARGE) await converse(one, OURS, "tcp", LARGE, { split });
  });

  it.each(MIXED)("in pieces, $connector to $binder", async (sides) => {
    for (const split of TELLING) await converse(one, sides, "tcp", SMALL, { split });
    await converse(one, sides, "ipc", LARGE, { split: 8193 });
  });

  it.each([OURS, ...MIXED])(
    "what leaves in one piece with what came after it changes nothing, $connector to $binder",
    async (sides) => {
      await converse(one, sides, "tcp", SMALL, { gatherTurns: 2 });
      await converse(one, sides, "ipc", LARGE, { gatherTurns: 1 });
      await converse(one, sides, "tcp", SMALL, { gatherTurns: 3, split: 65 });
    },
  );
});
