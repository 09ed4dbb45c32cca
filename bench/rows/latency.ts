/** PAIR round trips of one byte, against a bare echo. */
import { runPair } from "../children.js";
import { calibratedContest } from "../contest.js";
import { goals, type Judgement } from "../goals.js";
import type { Options, Transport } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { type LatencyRival, latencyRivals, names } from "../rivals.js";
import { quotientsOf, type Spread, spread, spreadOf } from "../statistics.js";

interface PingFigures {
  seconds: number;
  meanMicros: number;
  medianMicros: number;
  p99Micros: number;
  cpuSeconds: number;
}

/** As the ping tells, but with the CPU time of both processes. */
export interface LatencyFigures extends PingFigures {
  count: number;
}

/** Untimed round trips at first: the compiler's warm-up is no part of a network. */
const warmUp = 500;
export const firstLatencyCount = 1_000;

export async function* latency(options: Options): AsyncGenerator<Section> {
  for (const transport of options.transports) yield await latencyOf(transport, options);
}

async function latencyOf(transport: Transport, options: Options): Promise<Section> {
  const contest = await calibratedContest(
    latencyRivals().map((rival) => ({
      name: rival.name,
      run: (count) => runLatency(rival, transport, count),
    })),
    { firstCount: firstLatencyCount, ...options },
  );
  const title = `PAIR ${transport}, round trip of 1 B`;
  const bare = contest.runs.get(names.bare);
  return sectionOf(title, contest, {
    table: [
      ["", "mean µs", "median µs", "p99 µs", "CPU s per M (both)", "x bare"],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(spreadOf(runs, (run) => run.meanMicros).median),
        formatNumber(spreadOf(runs, (run) => run.medianMicros).median),
        formatNumber(spreadOf(runs, (run) => run.p99Micros).median),
        formatNumber(spreadOf(runs, (run) => (run.cpuSeconds / run.count) * 1e6).median),
        bare === undefined ? "" : formatSpread(meanRatios(runs, bare)),
      ]),
    ],
    judgements: judge(),
  });

  function judge(): Judgement[] {
    const ours = contest.runs.get(names.awaiting);
    if (ours === undefined || bare === undefined) return [];
    return [
      {
        what: `${title}, to bare net.Socket`,
        measured: meanRatios(ours, bare),
        unit: " x",
        goal: goals.roundTrip,
      },
    ];
  }
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
