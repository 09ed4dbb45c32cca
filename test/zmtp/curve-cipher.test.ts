import fc from "fast-check";
import { expect, it } from "vitest";
import { isEqual } from "../../src/zmtp/curve-cipher.js";

it("octets are equal when all are, and as many", () => {
  const octets = fc.uint8Array({ maxLength: 8 });
  fc.assert(
    fc.property(octets, octets, fc.nat(63), (one, other, bit) => {
      expect(isEqual(one, one.slice())).toBe(true);
      expect(isEqual(one, other)).toBe(Buffer.compare(one, other) === 0);
      const changed = one.slice();
      const at = bit >> 3;
      if (at >= changed.length) return;
      changed[at] = (changed[at] as number) ^ (1 << (bit & 7));
      expect(isEqual(one, changed)).toBe(false);
    }),
  );
});
