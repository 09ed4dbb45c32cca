/** Throughput of PAIR over inproc, from socket to socket in one thread. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runOne } from "../children.js";
import { calibratedContest } from "../contest.js";
import { goals, type Judgement } from "../goals.js";
import { ringFor } from "../load.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { formatNumber, formatSize, formatSpread, type Section, sectionOf } from "../report.js";
import { awaiting, draining, type Library, npm } from "../rivals.js";
import { quotientsOf, spread, spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/inproc.mjs", import.meta.url));
/** Messages of up to 128 bytes are copied when they have to wait: see invariant 9. */
const sizes = [10, 100, 1_024, 65_536];
const smallestUncopied = 129;
const firstCount = 100_000;

interface InprocFigures {
  seconds: number;
  messagesPerSecond: number;
  cpuPerMillion: number;
}

export async function* inproc(options: Options): AsyncGenerator<Section> {
  for (const size of sizes) yield await inprocOf(size, options);
}

async function inprocOf(size: number, options: Options): Promise<Section> {
  const contest = await calibratedContest(
    [awaiting, draining, npm].map((library) => ({
      name: library.name,
      run: (count: number) => runInproc(library, size, count),
    })),
    { firstCount, ...options },
  );
  const title = `PAIR inproc, one thread, ${formatSize(size)}`;
  const divisors = contest.runs.get(names.npm) ?? [];
  return sectionOf(title, contest, {
    table: [
      ["", "msg/s", "CPU s per M msg", `x ${names.npm}`],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(spreadOf(runs, (run) => run.messagesPerSecond).median),
        formatNumber(spreadOf(runs, (run) => run.cpuPerMillion).median),
        divisors.length === 0
          ? ""
          : formatSpread(spread(quotientsOf(runs, divisors, (run) => run.messagesPerSecond))),
      ]),
    ],
    subject: { size },
    judgements: judge(),
  });

  function judge(): Judgement[] {
    const runs = contest.runs.get(names.draining);
    if (runs === undefined) return [];
    const what = `${title}, ${names.draining}`;
    const measured = spreadOf(runs, (run) => run.messagesPerSecond);
    const goal = size >= smallestUncopied ? goals.inproc : undefined;
    return [{ what, measured, unit: " msg/s", goal }];
  }
}

async function runInproc(
  { entry, api }: Library,
  size: number,
  count: number,
): Promise<InprocFigures> {
  const ring = ringFor({ size, frames: 1 });
  const { seconds, cpuSeconds } = await runOne<{ seconds: number; cpuSeconds: number }>(
    nodeCommand(program, size, count, ring, entry, api),
  );
  return {
    seconds,
    messagesPerSecond: (count - 1) / seconds,
    cpuPerMillion: (cpuSeconds / count) * 1e6,
  };
}
