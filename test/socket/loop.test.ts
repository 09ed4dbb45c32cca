import { expect, it } from "vitest";
import { Loop } from "../../src/socket/loop.js";

/** Does `jobs`, the last first; each may add to them, and wants the loop to run. */
function worker(jobs: (() => void)[]): { loop: Loop; depths: number[] } {
  const depths: number[] = [];
  let depth = 0;
  const loop = new Loop(() => {
    depths.push(++depth);
    for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) job();
    depth--;
  });
  return { loop, depths };
}

it("runs as often as it is asked to", () => {
  const seen: string[] = [];
  const loop = new Loop((what: string) => seen.push(what));
  loop.run("a");
  loop.run("b");
  expect(seen).toEqual(["a", "b"]);
});

it("is not entered from within: it goes on, and what is asked for there is done once it has returned", () => {
  const done: string[] = [];
  const jobs = [
    () => {
      jobs.push(() => done.push("what came up"));
      loop.run();
      done.push("the first");
    },
  ];
  const { loop, depths } = worker(jobs);
  loop.run();
  expect(done).toEqual(["the first", "what came up"]);
  expect(depths).toEqual([1]);
});

it("any number of steps that ask for the next need no deeper stack", () => {
  let left = 100_000;
  const step = (): void => {
    if (--left > 0) jobs.push(step);
    loop.run();
  };
  const jobs = [step];
  const { loop } = worker(jobs);
  loop.run();
  expect(left).toBe(0);
});

it("lets through what its body throws, from a call inside too, and can be run again", () => {
  const done: string[] = [];
  const jobs = [
    () => done.push("the rest"),
    () => {
      loop.run();
      throw new Error("broken off");
    },
  ];
  const loop = new Loop(() => {
    for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) job();
  });
  expect(() => loop.run()).toThrow("broken off");
  expect(done).toEqual([]);
  loop.run();
  expect(done).toEqual(["the rest"]);
});

it("each is on by itself", () => {
  const seen: string[] = [];
  const inner = new Loop(() => seen.push("inner"));
  new Loop(() => {
    seen.push("outer");
    inner.run();
  }).run();
  expect(seen).toEqual(["outer", "inner"]);
});
