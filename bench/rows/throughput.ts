/** Throughput of PAIR, and of PUSH to PULL: rate, CPU per message, and ratios to the rivals. */
import { runPair } from "../children.js";
import { calibratedContest } from "../contest.js";
import { type Judgement, rateGoals, type ThroughputPattern } from "../goals.js";
import type { Options, Transport } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSize, formatSpread, type Section, sectionOf } from "../report.js";
import { names, type ThroughputRival, throughputRivals } from "../rivals.js";
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

const titles: Record<ThroughputPattern, string> = { pair: "PAIR", pipeline: "PUSH/PULL" };
/** What is new in PUSH to PULL is the same for every message: one size tells it. */
export const pipelineSize = 100;

export async function* throughput(options: Options): AsyncGenerator<Section> {
  for (const transport of options.transports) {
    for (const size of options.sizes) yield await throughputOf("pair", transport, size, options);
  }
}

export async function* pipeline(options: Options): AsyncGenerator<Section> {
  for (const transport of options.transports)
    yield await throughputOf("pipeline", transport, pipelineSize, options);
}

async function throughputOf(
  pattern: ThroughputPattern,
  transport: Transport,
  size: number,
  options: Options,
): Promise<Section> {
  const rivals = throughputRivals(pattern).filter(({ smallestSize = 0 }) => size >= smallestSize);
  const contest = await calibratedContest(
    rivals.map((rival) => ({
      name: rival.name,
      run: (count) => runThroughput(rival, transport, size, count),
    })),
    { firstCount: firstCount(size), ...options },
  );
  const title = throughputTitle(pattern, transport, size);
  return sectionOf(title, contest, {
    table: [
      [
        "",
        "msg/s",
        "MB/s",
        "CPU s per M msg (send + receive)",
        "x npm zeromq",
        "x libzmq C",
        "x bare",
      ],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(median(runs, "messagesPerSecond")),
        formatNumber(median(runs, "megabytesPerSecond")),
        `${formatNumber(median(runs, "senderCpuPerMillion"))} + ${formatNumber(median(runs, "receiverCpuPerMillion"))}`,
        ratioTo(names.npm, runs),
        isQuotable(transport, size) ? ratioTo(names.libzmq, runs) : "*",
        ratioTo(names.bare, runs),
      ]),
    ],
    judgements: [...judge("awaiting"), ...judge("draining")],
  });

  function ratioTo(rival: string, runs: ThroughputFigures[]): string {
    const divisors = contest.runs.get(rival);
    return divisors === undefined ? "" : formatSpread(rateRatios(runs, divisors));
  }

  function judge(api: "awaiting" | "draining"): Judgement[] {
    const ours = contest.runs.get(names[api]);
    const npm = contest.runs.get(names.npm);
    if (ours === undefined || npm === undefined) return [];
    const what = `${title}, ${names[api]}, to npm zeromq`;
    return [
      { what, measured: rateRatios(ours, npm), unit: " x", goal: rateGoals[pattern][api][size] },
    ];
  }
}

export function throughputTitle(
  pattern: ThroughputPattern,
  transport: Transport,
  size: number,
): string {
  return `${titles[pattern]} ${transport}, ${formatSize(size)}`;
}

export async function runThroughput(
  rival: Pick<ThroughputRival, "send" | "receive">,
  transport: Transport,
  size: number,
  count: number,
): Promise<ThroughputFigures> {
  const run = { size, count, ring: ringFor(size) };
  const { binder: receiver, connector: sender } = await runPair<
    { seconds: number; cpuSeconds: number },
    { cpuSeconds: number }
  >(rival.receive("receive", freshEndpoint(transport), run), (endpoint) =>
    rival.send("send", endpoint, run),
  );
  const { seconds } = receiver;
  const messagesPerSecond = (count - 1) / seconds;
  return {
    count,
    seconds,
    messagesPerSecond,
    megabytesPerSecond: (messagesPerSecond * size) / 1e6,
    senderCpuPerMillion: (sender.cpuSeconds / count) * 1e6,
    receiverCpuPerMillion: (receiver.cpuSeconds / count) * 1e6,
  };
}

/** A first guess, from which calibration starts. */
export function firstCount(size: number): number {
  if (size <= 4_096) return 20_000;
  return size <= 131_072 ? 1_000 : 100;
}

/**
 * How many different bodies take turns. Primes, so that no batch of a round number can be lost or doubled unnoticed;
 * more than the high-water mark of 1,000 where that costs a megabyte at most.
 */
function ringFor(size: number): number {
  if (size <= 1_024) return 1_009;
  return size <= 131_072 ? 31 : 3;
}

/** libzmq's ipc collapses below 1 KB when its four threads share few cores: to quote that would be no honest claim. */
function isQuotable(transport: Transport, size: number): boolean {
  return transport === "tcp" || size >= 1_024;
}

function rateRatios(runs: ThroughputFigures[], divisors: ThroughputFigures[]): Spread {
  return spread(quotientsOf(runs, divisors, (run) => run.messagesPerSecond));
}

function median(runs: ThroughputFigures[], figure: keyof ThroughputFigures): number {
  return spreadOf(runs, (run) => run[figure]).median;
}
