/** What a connected peer that says nothing costs a bound ROUTER in memory. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runPair } from "../children.js";
import { interleave } from "../contest.js";
import type { Judgement } from "../goals.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { names, npmEntry, ourEntry } from "../rivals.js";
import { quotientsOf, spread, spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/idle-peers.mjs", import.meta.url));
export const peerCounts = [1_000, 5_000];

/** Bytes per peer. */
interface Weight {
  count: number;
  /** Resident: what is left to the process's allocator to use again included. */
  rssBytes: number;
  /** Of the heap, and of what hangs on it outside: garbage is collected before. */
  heapBytes: number;
}

export interface IdleFigures {
  levels: Weight[];
}

const libraries = [
  { name: "purezmq", entry: ourEntry },
  { name: names.npm, entry: npmEntry },
];

export async function* idlePeers({ rounds }: Options): AsyncGenerator<Section> {
  const contest = await interleave(
    libraries.map(({ name, entry }) => ({ name, run: () => runIdle(entry) })),
    rounds,
  );
  const divisors = contest.runs.get(names.npm);
  yield sectionOf("Idle peers of one ROUTER, tcp", contest, {
    table: [
      ["", "RSS KB a peer", "heap and external KB a peer", "RSS x npm zeromq"],
      ...[...contest.runs].flatMap(([name, runs]) =>
        peerCounts.map((count) => [
          `${name}, ${count.toLocaleString("en-US")} peers`,
          formatSpread(spreadOf(runs, (run) => rssAt(run, count) / 1024)),
          formatNumber(spreadOf(runs, (run) => heapAt(run, count) / 1024).median),
          divisors === undefined
            ? ""
            : formatSpread(spread(quotientsOf(runs, divisors, (run) => rssAt(run, count)))),
        ]),
      ),
    ],
    judgements: peerCounts.flatMap(judge),
  });

  /** No goal is set. */
  function judge(count: number): Judgement[] {
    const ours = contest.runs.get("purezmq");
    if (ours === undefined) return [];
    const measured = spreadOf(ours, (run) => rssAt(run, count) / 1024);
    const what = `${count.toLocaleString("en-US")} idle peers, RSS of each`;
    return [{ what, measured, unit: " KB" }];
  }
}

export async function runIdle(entry: string): Promise<IdleFigures> {
  const { binder } = await runPair<IdleFigures, object>(
    nodeCommand(program, "hold", freshEndpoint("tcp"), peerCounts.join(","), entry),
    (endpoint) => nodeCommand(program, "dial", endpoint, peerCounts.join(",")),
  );
  return binder;
}

export function rssAt(run: IdleFigures, count: number): number {
  return weightAt(run, count).rssBytes;
}

export function heapAt(run: IdleFigures, count: number): number {
  return weightAt(run, count).heapBytes;
}

function weightAt({ levels }: IdleFigures, count: number): Weight {
  const weight = levels.find((level) => level.count === count);
  if (weight === undefined) throw new Error(`nobody weighed ${count} peers`);
  return weight;
}
