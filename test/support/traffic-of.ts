import type { Traffic } from "../../src/zmtp/index.js";

/** What a mechanism does to frames: what the test says; for the rest they go as they are. */
export function trafficOf(some: Partial<Traffic>): Traffic {
  return {
    overhead: 0,
    wrap: (flags, body) => ({ flags, body }),
    unwrap: (flags, _head, _at, body, target) => {
      target.set(body);
      return flags;
    },
    ...some,
  };
}
