/** The programs in `examples`, run as their comments say, against the built package. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Program } from "../support/program.js";

const EXAMPLES = new URL("../../examples/", import.meta.url);

interface Run {
  /** The program, and its parameters; `@name` stands for an endpoint. */
  command: string[];
  /** What it prints. */
  lines: string[];
}

/** Programs that are run together, each until it ends by itself. */
const RUNS: Record<string, Run[]> = {
  "request-reply": [
    { command: ["client.ts", "@a"], lines: ["hello: HELLO", "world: WORLD", "bye: BYE"] },
    { command: ["server.ts", "@a"], lines: ["asked: hello", "asked: world", "asked: bye"] },
  ],
  "publish-subscribe": [
    { command: ["publisher.ts", "@b"], lines: ["wanted: oslo, rome"] },
    {
      command: ["subscriber.ts", "@b", "oslo"],
      lines: ["oslo 6:00: -4 degrees", "oslo 12:00: 2 degrees", "oslo 18:00: 8 degrees"],
    },
    {
      command: ["subscriber.ts", "@b", "rome"],
      lines: ["rome 6:00: 16 degrees", "rome 12:00: 22 degrees", "rome 18:00: 28 degrees"],
    },
  ],
  pipeline: [
    {
      command: ["main.ts", "@c", "@d"],
      lines: ["the squares of 1 to 100, summed up by 2 workers: 338350"],
    },
    { command: ["worker.ts", "@c", "@d"], lines: ["did 50 tasks"] },
    { command: ["worker.ts", "@c", "@d"], lines: ["did 50 tasks"] },
  ],
  broker: [
    {
      command: ["broker.ts"],
      lines: [
        "one is 3 letters long",
        "two is 3 letters long",
        "three is 5 letters long",
        "four is 4 letters long",
        "eleven is 6 letters long",
        "answered by two workers: 3 and 2",
      ],
    },
  ],
  forwarder: [
    {
      command: ["forwarder.ts"],
      lines: [
        "gold: 5600",
        "gold: 6000",
        "gold: 6400",
        'captured "\\u0001gold"',
        'captured "gold: 5600"',
        'captured "gold: 6000"',
        'captured "gold: 6400"',
        'captured "\\u0000gold"',
      ],
    },
  ],
  "raw-tcp": [
    {
      command: ["server.ts"],
      lines: [
        "200 You asked for /",
        "200 You asked for /index.html",
        "200 You asked for /favicon.ico",
      ],
    },
  ],
};

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "purezmq-"));
});

afterAll(() => rmSync(folder, { recursive: true }));

function start(example: string, [name = "", ...parameters]: string[]): Program {
  const endpoints = parameters.map((it) => it.replace(/^@/, `ipc://${folder}/`));
  return new Program(new URL(`${example}/${name}`, EXAMPLES), endpoints, ["--import", "tsx"]);
}

describe("an example prints what it should, and ends", () => {
  it.each(Object.entries(RUNS))("%s", async (example, runs) => {
    const programs = runs.map(({ command }) => start(example, command));
    const outcomes = await Promise.all(programs.map((program) => program.ended()));
    expect(outcomes.map(({ code, stdout, stderr }) => ({ code, stdout, stderr }))).toEqual(
      runs.map(({ lines }) => ({ code: 0, stdout: `${lines.join("\n")}\n`, stderr: "" })),
    );
  });

  it("story: its receiver ends, its sender goes on for ever", async () => {
    const sender = start("story", ["sender.ts", "@story"]);
    const outcome = await start("story", ["receiver.ts", "@story", "20"]).ended();
    sender.kill();
    expect(outcome.stdout).toMatch(/^20 messages, \d+ MB, \d+ of \d+ ticks\n$/);
    expect([outcome.code, outcome.stderr]).toEqual([0, ""]);
  });

  it.each(Object.entries(RUNS).filter(([, runs]) => runs.some(({ command }) => command[1])))(
    "%s: without an endpoint it says what it needs",
    async (example, runs) => {
      for (const name of new Set(runs.map(({ command }) => command[0] as string))) {
        const { code, stderr } = await start(example, [name]).ended();
        expect(code).toBe(1);
        expect(stderr).toContain(`usage: ${name} `);
      }
    },
  );

  it("none is left out", () => {
    // `jupyter` needs a kernel: it is run by test/peers/jupyter.test.ts.
    const names = [...Object.keys(RUNS), "story", "jupyter"];
    expect(readdirSync(EXAMPLES).sort()).toEqual(names.sort());
    for (const [example, runs] of Object.entries(RUNS)) {
      const names = new Set(runs.map(({ command }) => command[0]));
      expect(readdirSync(new URL(example, EXAMPLES)).sort()).toEqual([...names].sort());
    }
  });
});
