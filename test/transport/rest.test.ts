import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rest } from "../../src/transport/rest.js";
import { slabs } from "../../src/transport/slabs.js";
import { SLAB_SIZE } from "../../src/zmtp/index.js";

const operation = fc.oneof(
  fc.record({ keep: fc.oneof(fc.nat(40), fc.nat(2 * SLAB_SIZE)) }),
  fc.record({ take: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.constant("drop" as const),
);

describe("Rest", () => {
  it("gives back what it was given, in order, as an array of octets would", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
        const rest = new Rest();
        let model = Buffer.alloc(0);
        let next = 0;
        for (const it of operations) {
          if (it === "drop") {
            rest.drop();
            model = Buffer.alloc(0);
          } else if ("keep" in it) {
            const octets = Uint8Array.from({ length: it.keep }, () => next++ & 0xff);
            model = Buffer.concat([model, octets]);
            rest.keep(octets);
            octets.fill(0);
          } else {
            const count = Math.floor(it.take * model.length);
            rest.offer((octets, at, end) => {
              expect(Buffer.from(octets.subarray(at, end)).equals(model)).toBe(true);
              return at + count;
            });
            model = model.subarray(count);
          }
          expect(rest.size).toBe(model.length);
        }
        rest.drop();
      }),
      { numRuns: 60 },
    );
  });

  it("borrows a slab while it holds something, and gives it back once", () => {
    const slab = slabs.take(SLAB_SIZE);
    slabs.give(slab);
    const rest = new Rest();
    rest.keep(new Uint8Array(SLAB_SIZE));
    expect(slabs.take(SLAB_SIZE)).not.toBe(slab);
    rest.drop();
    rest.drop();
    expect(slabs.take(SLAB_SIZE)).toBe(slab);
    expect(slabs.take(SLAB_SIZE)).not.toBe(slab);
  });
});
