import fc from "fast-check";
import { expect, it } from "vitest";
import { Groups } from "../../src/socket/groups.js";
import { NameSet } from "../../src/socket/name-set.js";

it("any sequence of joining and leaving: who is in which group is what both sides say", () => {
  const step = fc.record({
    do: fc.constantFrom("join", "leave", "delete"),
    who: fc.nat(2),
    group: fc.constantFrom("", "a", "b"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const groups = new Groups<{ groups: NameSet }>();
      const members = [0, 1, 2].map(() => ({ groups: new NameSet() }));
      const pairs = new Set<string>();
      for (const it of steps) {
        const member = members[it.who] as (typeof members)[number];
        const pair = `${it.who} ${it.group}`;
        if (it.do === "join") groups.join(it.group, member);
        else if (it.do === "leave") groups.leave(it.group, member);
        else groups.delete(member);
        if (it.do === "join") pairs.add(pair);
        else if (it.do === "leave") pairs.delete(pair);
        else for (const other of ["", "a", "b"]) pairs.delete(`${it.who} ${other}`);
        const found = ["", "a", "b"].flatMap((group) =>
          [...groups.membersOf(group)].map((it) => `${members.indexOf(it)} ${group}`),
        );
        const said = members.flatMap((it, who) => [...it.groups].map((group) => `${who} ${group}`));
        expect(found.sort()).toEqual([...pairs].sort());
        expect(said.sort()).toEqual([...pairs].sort());
        expect(groups.size).toBe(new Set([...pairs].map((it) => it.slice(2))).size);
      }
    }),
    { numRuns: 200 },
  );
});
