import { afterAll, afterEach, describe, it } from "vitest";
import { FLOWS, optionsOf, prepare, SHAPES } from "../support/matrix-flows.js";
import { Stage } from "../support/matrix-stage.js";

const FLOWS_BY_NAME = FLOWS.map((flow) => ({ name: flow.types.join(" and "), flow }));

const WAYS = (["first", "second"] as const).flatMap((binder) =>
  (["before", "after"] as const).flatMap((when) =>
    SHAPES.map(({ name, shapes }) => ({ binder, when, name, shapes })),
  ),
);

const stage = new Stage();
afterEach(() => stage.close());
afterAll(() => stage.end());

describe.each(FLOWS_BY_NAME)("$name over inproc", ({ flow }) => {
  it.each(WAYS)(
    "exchange $name messages, the $binder binds $when the other connects",
    async (way) => {
      const [one, other] = flow.types;
      const first = stage.ours(one, optionsOf(flow, 0));
      const second = stage.ours(other, optionsOf(flow, 1));
      await prepare(one, first);
      await prepare(other, second);

      const [binder, connector] = way.binder === "first" ? [first, second] : [second, first];
      const endpoint = stage.endpoint("inproc");
      if (way.when === "before") await binder.bind(endpoint);
      await connector.connect(endpoint);
      if (way.when === "after") await binder.bind(endpoint);
      await flow.exchange(first, second, way.shapes);
    },
  );
});
