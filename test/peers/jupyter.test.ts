/** `examples/jupyter`: a real IPython kernel, driven over our DEALER, SUB and REQ. */
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { Program } from "../support/program.js";

const EXAMPLE = new URL("../../examples/jupyter/", import.meta.url);

async function run(...parameters: string[]): Promise<string[]> {
  const program = new Program(new URL("client.ts", EXAMPLE), parameters, ["--import", "tsx"]);
  const { code, stdout, stderr } = await program.ended();
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trimEnd().split("\n");
}

const around = (...lines: string[]): string[] => [
  "the heart answers: ping",
  "it speaks python",
  ...lines,
  "the kernel has ended",
];

it("runs a cell, with what it prints and what it gives", async () => {
  expect(await run("/usr/bin/python3")).toEqual(
    around("printed: hello from Python", "gave: 42", "status: ok"),
  );
});

it("hears what a cell raises", async () => {
  expect(await run("/usr/bin/python3", "1/0")).toEqual(
    around("raised: ZeroDivisionError: division by zero", "status: error"),
  );
});

it("receives a megabyte in one message", async () => {
  const lines = await run("/usr/bin/python3", "'x' * 1_000_000");
  expect(lines).toEqual(around(`gave: '${"x".repeat(1_000_000)}'`, "status: ok"));
});

it("without a Python it says what it needs", async () => {
  const program = new Program(new URL("client.ts", EXAMPLE), [], ["--import", "tsx"]);
  const { code, stderr } = await program.ended();
  expect(code).toBe(1);
  expect(stderr).toContain("usage: client.ts ");
  expect(readdirSync(EXAMPLE).sort()).toEqual(["client.ts", "kernel.ts", "message.ts"]);
});
