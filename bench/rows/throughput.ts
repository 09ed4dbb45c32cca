/** Throughput: rate, CPU per message, and ratios to the rivals. */
import { runPair } from "../children.js";
import { calibratedContest } from "../contest.js";
import { type Judgement, rateGoal } from "../goals.js";
import { firstCount, type Load, titleOf } from "../load.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { type ThroughputRival, throughputRivals } from "../rivals.js";
import { quotientsOf, type Spread, spread, spreadOf } from "../statistics.js";

export interface ThroughputFigures {
  count: number;
  /** From the first message to the last, on the receiver's clock. */
  seconds: number;
  messagesPerSecond: number;
  megabytesPerSecond: number;
  senderCpuPerMillion: number;
  receiverCpuPerMillion: number;
}

const PAIR: Load = { pattern: "pair", transport: "tcp", mechanism: "null", size: 100, frames: 1 };
const frameCounts = [4, 16, 64, 256];

export const curveLoads: Load[] = [100, 1_024, 65_536, 1_048_576].map((size) => ({
  ...PAIR,
  mechanism: "curve",
  size,
}));

/** What is new in PUSH to PULL is the same for every message: one size tells it. */
export const pipelineLoad: Load = { ...PAIR, pattern: "pipeline" };

export function pairLoads({ transports, sizes }: Pick<Options, "transports" | "sizes">): Load[] {
  return transports.flatMap((transport) => sizes.map((size) => ({ ...PAIR, transport, size })));
}

export async function* throughput(options: Options): AsyncGenerator<Section> {
  for (const load of pairLoads(options)) yield await throughputOf(load, options);
}

export async function* pipeline(options: Options): AsyncGenerator<Section> {
  for (const transport of options.transports)
    yield await throughputOf({ ...pipelineLoad, transport }, options);
}

export async function* curve(options: Options): AsyncGenerator<Section> {
  for (const load of curveLoads) yield await throughputOf(load, options);
}

export async function* frames(options: Options): AsyncGenerator<Section> {
  for (const frames of frameCounts) yield await throughputOf({ ...PAIR, frames }, options);
}

async function throughputOf(load: Load, options: Options): Promise<Section> {
  const contest = await calibratedContest(
    throughputRivals(load).map((rival) => ({
      name: rival.name,
      run: (count) => runThroughput(rival, load, count),
    })),
    { firstCount: firstCount(load), ...options },
  );
  const title = titleOf(load);
  const yardsticks = [names.npm, names.libzmq, names.bare].filter((name) => contest.runs.has(name));
  return sectionOf(title, contest, {
    table: [
      [
        "",
        "msg/s",
        "MB/s",
        "CPU s per M msg (send + receive)",
        ...yardsticks.map((name) => `x ${name}`),
      ],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(median(runs, "messagesPerSecond")),
        formatNumber(median(runs, "megabytesPerSecond")),
        `${formatNumber(median(runs, "senderCpuPerMillion"))} + ${formatNumber(median(runs, "receiverCpuPerMillion"))}`,
        ...yardsticks.map((rival) => ratioTo(rival, runs)),
      ]),
    ],
    subject: load,
    judgements: [names.awaiting, names.draining].flatMap((ours) =>
      yardsticks.flatMap((rival) => judge(ours, rival)),
    ),
  });

  function ratioTo(rival: string, runs: ThroughputFigures[]): string {
    const divisors = contest.runs.get(rival) ?? [];
    return isQuotable(load, rival) ? formatSpread(rateRatios(runs, divisors)) : "*";
  }

  function judge(name: string, rival: string): Judgement[] {
    const ours = contest.runs.get(name);
    const theirs = contest.runs.get(rival);
    if (ours === undefined || theirs === undefined || !isQuotable(load, rival)) return [];
    const what = `${title}, ${name}, to ${rival}`;
    const goal = rateGoal(load, name, rival);
    return [{ what, measured: rateRatios(ours, theirs), unit: " x", goal }];
  }
}

export async function runThroughput(
  rival: Pick<ThroughputRival, "send" | "receive">,
  load: Load,
  count: number,
): Promise<ThroughputFigures> {
  const run = { load, count };
  const { binder: receiver, connector: sender } = await runPair<
    { seconds: number; cpuSeconds: number },
    { cpuSeconds: number }
  >(rival.receive("receive", freshEndpoint(load.transport), run), (endpoint) =>
    rival.send("send", endpoint, run),
  );
  const { seconds } = receiver;
  const messagesPerSecond = (count - 1) / seconds;
  return {
    count,
    seconds,
    messagesPerSecond,
    megabytesPerSecond: (messagesPerSecond * load.size * load.frames) / 1e6,
    senderCpuPerMillion: (sender.cpuSeconds / count) * 1e6,
    receiverCpuPerMillion: (receiver.cpuSeconds / count) * 1e6,
  };
}

/** libzmq's ipc collapses at the smallest messages when its four threads share few cores: to quote that would be no honest claim. */
function isQuotable({ transport, size }: Load, rival: string): boolean {
  return rival !== names.libzmq || transport === "tcp" || size >= 100;
}

function rateRatios(runs: ThroughputFigures[], divisors: ThroughputFigures[]): Spread {
  return spread(quotientsOf(runs, divisors, (run) => run.messagesPerSecond));
}

function median(runs: ThroughputFigures[], figure: keyof ThroughputFigures): number {
  return spreadOf(runs, (run) => run[figure]).median;
}
