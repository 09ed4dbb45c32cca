import { createRequire } from "node:module";
import { expect, it } from "vitest";
import * as draft from "../src/draft.js";
import * as root from "../src/index.js";
import zmq, * as names from "../src/module/index.js";

const npm = createRequire(import.meta.url)("zeromq") as Record<string, unknown>;

it("the root has npm zeromq's names, and for `import` all of them as default", () => {
  expect(Object.keys(root).sort()).toEqual(Object.keys(npm).sort());
  expect(Object.keys(names).sort()).toEqual([...Object.keys(npm), "default"].sort());
  expect(zmq.Pair).toBe(root.Pair);
});

it("draft has npm zeromq's names, and Peer and Channel", () => {
  const theirs = ["Server", "Client", "Radio", "Dish", "Gather", "Scatter", "Datagram"];
  expect(Object.keys(draft).sort()).toEqual([...theirs, "Peer", "Channel"].sort());
});
