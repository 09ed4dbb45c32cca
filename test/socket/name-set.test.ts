import fc from "fast-check";
import { expect, it } from "vitest";
import { NameSet } from "../../src/socket/name-set.js";

it("is a set that knows how many octets its names have", () => {
  const step = fc.record({ add: fc.boolean(), name: fc.constantFrom("", "a", "bc", "def", "bcd") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const names = new NameSet();
      const model = new Set<string>();
      for (const { add, name } of steps) {
        expect(names.has(name)).toBe(model.has(name));
        if (add) expect(names.add(name)).toBe(!model.has(name));
        else expect(names.delete(name)).toBe(model.has(name));
        if (add) model.add(name);
        else model.delete(name);
        expect([...names]).toEqual([...model]);
        expect([names.size, names.octets]).toEqual([model.size, [...model].join("").length]);
      }
    }),
  );
});
