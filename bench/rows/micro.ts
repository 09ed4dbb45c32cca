/** Parts of the hot path, each against its naive version. */
import { deepStrictEqual } from "node:assert/strict";
import { Bench } from "tinybench";
import type { Judgement } from "../goals.js";
import { type Duel, duels } from "../micro/duels.js";
import type { Options } from "../options.js";
import { formatNumber, formatSpread, type Section } from "../report.js";
import { type Spread, spread } from "../statistics.js";

const timeMs = 300;
const quickMs = 50;

interface MicroRun {
  /** Of one operation, in nanoseconds. */
  ours: number;
  naive: number;
}

export async function* micro({ rounds, quick }: Options): AsyncGenerator<Section> {
  const runs = new Map<string, MicroRun[]>();
  for (const duel of duels()) {
    const [ours, naive] = duel.results();
    deepStrictEqual(ours, naive, duel.title);
    runs.set(duel.title, []);
    for (let round = 0; round < rounds; round++) {
      runs.get(duel.title)?.push(await fight(duel, quick ? quickMs : timeMs));
    }
  }
  yield {
    title: "Parts, each against its naive version",
    table: [
      ["", "ns", "naive, ns", "times as fast"],
      ...[...runs].map(([title, runs]) => [
        title,
        formatNumber(spread(runs.map(({ ours }) => ours)).median),
        formatNumber(spread(runs.map(({ naive }) => naive)).median),
        formatSpread(ratios(runs)),
      ]),
    ],
    judgements: [...runs].map(judge),
    failures: new Map(),
    runs,
  };
}

async function fight({ ours, naive, operations }: Duel, time: number): Promise<MicroRun> {
  const bench = new Bench({ time, warmupTime: time / 3 });
  bench.add("ours", ours).add("naive", naive);
  await bench.run();
  const nanos = (name: string): number => {
    const result = bench.getTask(name)?.result;
    if (result === undefined || !("latency" in result)) throw new Error(`${name} has no result`);
    return (result.latency.p50 * 1e6) / operations;
  };
  return { ours: nanos("ours"), naive: nanos("naive") };
}

/** No goal is set: what is not faster than its naive version should not be there. */
function judge([title, runs]: [string, MicroRun[]]): Judgement {
  return { what: `${title}, to the naive version`, measured: ratios(runs), unit: " x" };
}

function ratios(runs: MicroRun[]): Spread {
  return spread(runs.map(({ ours, naive }) => naive / ours));
}
