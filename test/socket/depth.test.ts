import { describe, expect, it } from "vitest";
import { depthOf, isBelow, outDepthOf } from "../../src/socket/depth.js";
import type { Marks } from "../../src/socket/lane.js";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";

const UNBOUND: Marks = { messages: 0, bytes: 0 };

const silent: PipeSink = { readActivated() {}, writeActivated() {}, pipeEnded() {} };

function open(): [Pipe, Pipe] {
  const pair = Pipe.pair(UNBOUND, UNBOUND);
  for (const end of pair) end.attach(silent);
  return pair;
}

describe("the depth of many pipes", () => {
  it("is what waits in all of them, here and at their other ends", () => {
    const pairs = [1, 2, 3].map((count) => {
      const pair = open();
      for (let i = 0; i < count; i++) pair[0].write([Buffer.alloc(10), Buffer.alloc(1)]);
      pair[1].write([Buffer.alloc(5)]);
      return pair;
    });
    const near = pairs.map(([one]) => one);
    expect(depthOf(near)).toEqual({ messages: 3, bytes: 15 });
    expect(outDepthOf(near)).toEqual({ messages: 6, bytes: 66 });
    expect(depthOf(new Set(pairs.map(([, other]) => other)))).toEqual(outDepthOf(near));
    near[0]?.close();
    expect(depthOf(near)).toEqual({ messages: 2, bytes: 10 });
  });

  it("is nothing where there are none", () => {
    expect([depthOf([]), outDepthOf([])]).toEqual([
      { messages: 0, bytes: 0 },
      { messages: 0, bytes: 0 },
    ]);
  });
});

it("is below bounds that it reaches neither of; 0 is none", () => {
  const depth = { messages: 3, bytes: 30 };
  const bounds: [number, number][] = [
    ...([
      [0, 0],
      [4, 31],
      [4, 0],
      [0, 31],
    ] as [number, number][]),
    ...([
      [3, 31],
      [4, 30],
      [3, 0],
      [0, 30],
    ] as [number, number][]),
  ];
  const below = bounds.map(([messages, bytes]) => isBelow(depth, { messages, bytes }));
  expect(below).toEqual([true, true, true, true, false, false, false, false]);
});
