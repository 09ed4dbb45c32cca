import { describe, expect, it } from "vitest";
import { slabs } from "../../src/transport/slabs.js";
import { SLAB_SIZE } from "../../src/zmtp/index.js";

describe("slabs", () => {
  it.each([
    { wanted: SLAB_SIZE, size: SLAB_SIZE, kept: 8 },
    { wanted: 16_385, size: SLAB_SIZE, kept: 8 },
    { wanted: 2049, size: 16_384, kept: 32 },
    { wanted: 2048, size: 2048, kept: 256 },
    { wanted: 1, size: 2048, kept: 256 },
  ])(
    "for $wanted octets have $size, and come back, up to $kept of them",
    ({ wanted, size, kept }) => {
      const taken = Array.from({ length: kept + 2 }, () => slabs.take(wanted));
      for (const slab of taken) slabs.give(slab);
      const again = Array.from({ length: kept + 2 }, () => slabs.take(wanted));
      for (const slab of again) expect(slab).toHaveLength(size);
      expect(new Set(again).size).toBe(kept + 2);
      expect(again.filter((slab) => taken.includes(slab))).toHaveLength(kept);
    },
  );

  it("are no others", () => {
    const foreign = new Uint8Array(4096);
    slabs.give(foreign);
    expect([slabs.take(1), slabs.take(SLAB_SIZE)]).not.toContain(foreign);
  });
});
