/** Round trips of one byte: PAIR, beside a bare echo and libzmq in C; REQ to REP, beside npm zeromq. */
import { runPair } from "../children.js";
import { calibratedContest } from "../contest.js";
import { type Goal, goals, type Judgement, type LatencyPattern } from "../goals.js";
import { names } from "../names.js";
import type { Options, Transport } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { type LatencyRival, latencyRivals } from "../rivals.js";
import { quotientsOf, type Spread, spread, spreadOf } from "../statistics.js";

interface PingFigures {
  seconds: number;
  meanMicros: number;
  medianMicros: number;
  p99Micros: number;
  p999Micros: number;
  cpuSeconds: number;
}

/** As the ping tells, but with the CPU time of both processes. */
export interface LatencyFigures extends PingFigures {
  count: number;
}

/** Untimed round trips at first: the compiler's warm-up is no part of a network. */
const warmUp = 10_000;
export const firstLatencyCount = 1_000;

const titles: Record<LatencyPattern, string> = { pair: "PAIR", request: "REQ/REP" };
/** Whom ours is measured by. */
const yardsticks: Record<LatencyPattern, { rival: string; goal: Goal }[]> = {
  pair: [
    { rival: names.bare, goal: goals.roundTrip },
    { rival: names.libzmq, goal: goals.roundTripToLibzmq },
  ],
  request: [{ rival: names.npm, goal: goals.request }],
};

export async function* latency(options: Options): AsyncGenerator<Section> {
  for (const transport of options.transports) yield await latencyOf("pair", transport, options);
}

export async function* request(options: Options): AsyncGenerator<Section> {
  for (const transport of options.transports) yield await latencyOf("request", transport, options);
}

async function latencyOf(
  pattern: LatencyPattern,
  transport: Transport,
  options: Options,
): Promise<Section> {
  const contest = await calibratedContest(
    latencyRivals(pattern).map((rival) => ({
      name: rival.name,
      run: (count) => runLatency(rival, transport, count),
    })),
    { firstCount: firstLatencyCount, ...options },
  );
  const title = latencyTitle(pattern, transport);
  return sectionOf(title, contest, {
    table: [
      [
        "",
        "mean µs",
        "median µs",
        "p99 µs",
        "p99.9 µs",
        "CPU s per M (both)",
        "x npm zeromq",
        "x libzmq in C",
        "x bare",
      ],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(spreadOf(runs, (run) => run.meanMicros).median),
        formatNumber(spreadOf(runs, (run) => run.medianMicros).median),
        formatNumber(spreadOf(runs, (run) => run.p99Micros).median),
        formatNumber(spreadOf(runs, (run) => run.p999Micros).median),
        formatNumber(spreadOf(runs, (run) => (run.cpuSeconds / run.count) * 1e6).median),
        ratioTo(names.npm, runs),
        ratioTo(names.libzmq, runs),
        ratioTo(names.bare, runs),
      ]),
    ],
    subject: { pattern, transport },
    judgements: yardsticks[pattern].flatMap(judge),
  });

  function ratioTo(rival: string, runs: LatencyFigures[]): string {
    const divisors = contest.runs.get(rival);
    return divisors === undefined ? "" : formatSpread(meanRatios(runs, divisors));
  }

  function judge({ rival, goal }: { rival: string; goal: Goal }): Judgement[] {
    const ours = contest.runs.get(names.awaiting);
    const divisors = contest.runs.get(rival);
    if (ours === undefined || divisors === undefined) return [];
    const what = `${title}, to ${rival}`;
    return [{ what, measured: meanRatios(ours, divisors), unit: " x", goal }];
  }
}

export function latencyTitle(pattern: LatencyPattern, transport: Transport): string {
  return `${titles[pattern]} ${transport}, round trip of 1 B`;
}

export async function runLatency(
  rival: Pick<LatencyRival, "ping" | "echo">,
  transport: Transport,
  count: number,
): Promise<LatencyFigures> {
  const run = { warmUp, count };
  const { binder: echo, connector: ping } = await runPair<{ cpuSeconds: number }, PingFigures>(
    rival.echo("echo", freshEndpoint(transport), run),
    (endpoint) => rival.ping("ping", endpoint, run),
  );
  return {
    ...ping,
    count,
    cpuSeconds: ping.cpuSeconds + echo.cpuSeconds,
  };
}

/** Means, not medians, of the round trips: a mean hides no pause. */
function meanRatios(runs: LatencyFigures[], divisors: LatencyFigures[]): Spread {
  return spread(quotientsOf(runs, divisors, (run) => run.meanMicros));
}
