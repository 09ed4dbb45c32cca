/** A ROUTER that echoes, and 100 DEALERs that ask it, each one thing at a time: the time per round trip over all. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runPair } from "../children.js";
import { calibratedContest } from "../contest.js";
import { goals, type Judgement } from "../goals.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { awaiting, npm } from "../rivals.js";
import { quotientsOf, type Spread, spread, spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/dealer-router.mjs", import.meta.url));
const clients = 100;
const size = 100;
/** Untimed round trips of each client at first: connecting and the compiler's warm-up. */
const warmUp = 100;
/** Of each client. */
export const firstRequestCount = 50;
export const requestsTitle = `${clients} DEALERs to a ROUTER tcp, round trips of ${size} B`;

export interface RequestFigures {
  /** Round trips of each client. */
  count: number;
  seconds: number;
  /** The time until all have done theirs, by the number of all their round trips. */
  meanMicros: number;
  dealerCpuPerMillion: number;
  routerCpuPerMillion: number;
}

export async function* dealerRouter(options: Options): AsyncGenerator<Section> {
  const contest = await calibratedContest(
    [awaiting, npm].map(({ name, entry }) => ({
      name,
      run: (count: number) => runRequests(entry, count),
    })),
    { firstCount: firstRequestCount, ...options },
  );
  const divisors = contest.runs.get(names.npm);
  yield sectionOf(requestsTitle, contest, {
    table: [
      [
        "",
        "µs per round trip",
        "round trips/s",
        "CPU s per M round trips (DEALERs + ROUTER)",
        "x npm zeromq",
      ],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(spreadOf(runs, (run) => run.meanMicros).median),
        formatNumber(spreadOf(runs, (run) => 1e6 / run.meanMicros).median),
        `${formatNumber(spreadOf(runs, (run) => run.dealerCpuPerMillion).median)} + ${formatNumber(spreadOf(runs, (run) => run.routerCpuPerMillion).median)}`,
        divisors === undefined ? "" : formatSpread(meanRatios(runs, divisors)),
      ]),
    ],
    judgements: judge(),
  });

  function judge(): Judgement[] {
    const ours = contest.runs.get(names.awaiting);
    if (ours === undefined || divisors === undefined) return [];
    const what = `${requestsTitle}, to npm zeromq`;
    return [{ what, measured: meanRatios(ours, divisors), unit: " x", goal: goals.request }];
  }
}

export async function runRequests(entry: string, count: number): Promise<RequestFigures> {
  const command = (role: string, endpoint: string) =>
    nodeCommand(program, role, endpoint, clients, size, warmUp, count, entry);
  const { binder: router, connector: dealers } = await runPair<
    { cpuSeconds: number },
    { seconds: number; cpuSeconds: number }
  >(command("route", freshEndpoint("tcp")), (endpoint) => command("deal", endpoint));
  const { seconds } = dealers;
  return {
    count,
    seconds,
    meanMicros: (seconds / (clients * count)) * 1e6,
    dealerCpuPerMillion: (dealers.cpuSeconds / (clients * count)) * 1e6,
    routerCpuPerMillion: (router.cpuSeconds / (clients * (warmUp + count))) * 1e6,
  };
}

function meanRatios(runs: RequestFigures[], divisors: RequestFigures[]): Spread {
  return spread(quotientsOf(runs, divisors, (run) => run.meanMicros));
}
