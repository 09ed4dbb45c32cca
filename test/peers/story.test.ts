import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { PYTHON } from "../support/pyzmq-peer.js";

/** The story: a flood of 1 MB messages over ipc, PAIR, a mark of one on both sides. */
const COUNT = 1000;
const MESSAGE_BYTES = 1_000_000;

/** What a process may grow by over its rest, while a gigabyte passes through it. */
const FLAT_MEGABYTES = 64;

interface Report {
  messages: number;
  bytes: number;
  residentMegabytes: number;
  restMegabytes: number;
  ticks: number;
  dueTicks: number;
}

let folder: string;
let paths = 0;
const running = new Set<ChildProcess>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "purezmq-"));
});

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a program of the story to its end. */
class Program {
  readonly #lines: string[] = [];
  readonly #ready: Promise<void>;
  readonly #ended: Promise<void>;

  constructor(name: string, ...parameters: (string | number)[]) {
    const path = fileURLToPath(new URL(`./story/${name}`, import.meta.url));
    const child = spawn(
      name.endsWith(".py") ? PYTHON : process.execPath,
      [path, ...parameters.map(String)],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    running.add(child);
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
    });
    const lines = createInterface({ input: child.stdout as Readable });
    this.#ready = new Promise((resolve) => lines.once("line", () => resolve()));
    lines.on("line", (line) => this.#lines.push(line));
    this.#ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        running.delete(child);
        if (code === 0) resolve();
        else reject(new Error(`${name} ended with ${signal ?? code}\n${stderr}`));
      });
    });
    // Whoever waits for it gets the error; a program that nobody waits for is killed.
    this.#ended.catch(() => {});
  }

  /** Resolves with its first line, or when it has failed before. */
  async ready(): Promise<void> {
    await Promise.race([this.#ready, this.#ended]);
  }

  async ended(): Promise<void> {
    await this.#ended;
  }

  get reports(): Report[] {
    return this.#lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }
}

function endpoint(): string {
  return `ipc://${join(folder, String(paths++))}`;
}

function growth(reports: Report[]): number {
  return Math.max(...reports.map((report) => report.residentMegabytes - report.restMegabytes));
}

describe("the story", () => {
  it("PyZMQ floods ours, which takes every message and stays flat", async () => {
    const address = endpoint();
    const sender = new Program("sender.py", address, COUNT);
    await sender.ready();
    const receiver = new Program("receiver.child.mjs", address, COUNT);
    await Promise.all([sender.ended(), receiver.ended()]);

    const { reports } = receiver;
    expect(reports.map(({ messages }) => messages)).toEqual(
      Array.from({ length: COUNT / 100 }, (_, i) => 100 * (i + 1)),
    );
    for (const { bytes } of reports) expect(bytes).toBe(MESSAGE_BYTES);
    expect(growth(reports)).toBeLessThan(FLAT_MEGABYTES);
    // Timers get their turns while the flood goes on: between any two reports, not only after it.
    reports.reduce((before, report) => {
      expect(report.ticks).toBeGreaterThan(before);
      return report.ticks;
    }, 0);
  });

  it("ours floods PyZMQ, which takes every message, and stays flat", async () => {
    const address = endpoint();
    const sender = new Program("sender.child.mjs", address, COUNT);
    await sender.ready();
    const receiver = new Program("receiver.py", address, COUNT);
    await Promise.all([sender.ended(), receiver.ended()]);

    const last = receiver.reports.at(-1);
    expect(last?.messages).toBe(COUNT);
    for (const { bytes } of receiver.reports) expect(bytes).toBe(MESSAGE_BYTES);
    const { reports } = sender;
    expect(reports.at(-1)?.messages).toBe(COUNT);
    expect(growth(reports)).toBeLessThan(FLAT_MEGABYTES);
    reports.reduce((before, report) => {
      expect(report.ticks).toBeGreaterThan(before);
      return report.ticks;
    }, 0);
  });
});
