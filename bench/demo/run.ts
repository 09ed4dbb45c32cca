/** Runs one receiver against the flood, each in a process of its own, and collects its samples. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { workload } from "./settings.js";

/** One line of receiver.mjs; counts and the worst are since the start, `lateMs` since the last. */
export interface Sample {
  end?: "time" | "memory";
  elapsedMs: number;
  messages: number;
  restBytes: number;
  rssBytes: number;
  peakBytes: number;
  ticks: number;
  dueTicks: number;
  lateMs: number;
  worstLateMs: number;
  /** From the first message to the last. */
  receivingMs: number;
  meanWorkMs: number;
  queue?: { messages: number; bytes: number };
}

export interface Run {
  name: string;
  libzmq: string;
  samples: Sample[];
  last: Sample;
}

export interface Contender {
  /** As people call it. */
  name: string;
  /** As `import` calls it. */
  library: string;
}

/** How much longer than its own time a receiver may take before it counts as hung. */
const graceMs = 10_000;

export async function run(
  { name, library }: Contender,
  seconds: number,
  onSample: (sample: Sample) => void,
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "purezmq-demo-"));
  const endpoint = `ipc://${join(folder, "flood")}`;
  const children: ChildProcess[] = [];
  const start = (program: string, settings: object): ChildProcess => {
    const child = spawnProgram(program, { ...workload, endpoint, ...settings });
    children.push(child);
    return child;
  };
  const clean = (): void => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", clean);
  try {
    const libzmq = await firstLine(start("sender.mjs", {}));
    const receiver = start("receiver.mjs", { seconds, library });
    const samples = await collect(receiver, seconds * 1e3 + graceMs, onSample);
    const last = samples.at(-1);
    if (last?.end === undefined) throw new Error(`the receiver with ${name} did not finish`);
    return { name, libzmq, samples, last };
  } finally {
    process.off("exit", clean);
    clean();
  }
}

/** Messages per second from the first message to the last. */
export function rateOf({ messages, receivingMs }: Sample): number {
  return receivingMs === 0 ? 0 : ((messages - 1) / receivingMs) * 1e3;
}

/** The rate of a receiver that only worked, and got its messages for nothing. */
export function allowedRateOf({ meanWorkMs }: Sample): number {
  return 1e3 / meanWorkMs;
}

export function growthOf({ peakBytes, restBytes }: Sample): number {
  return peakBytes - restBytes;
}

/** Standard input stays open for as long as this process lives: by its end a child knows. */
function spawnProgram(program: string, settings: object): ChildProcess {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return spawn(process.execPath, ["--expose-gc", file, JSON.stringify(settings)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** Reads samples until the receiver ends, by itself or by the time limit. */
async function collect(
  receiver: ChildProcess,
  limitMs: number,
  onSample: (sample: Sample) => void,
): Promise<Sample[]> {
  const limit = setTimeout(() => receiver.kill("SIGKILL"), limitMs);
  const samples: Sample[] = [];
  for await (const line of createInterface({ input: receiver.stdout! })) {
    const sample = JSON.parse(line) as Sample;
    samples.push(sample);
    onSample(sample);
  }
  clearTimeout(limit);
  return samples;
}

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const ended = once(child, "exit").then(() => {
    throw new Error("the sender ended before it was bound");
  });
  // Once the sender is bound, nobody waits for its end any more.
  ended.catch(() => {});
  const [line] = await Promise.race([once(lines, "line"), ended]);
  return line as string;
}
