/** What connected peers that say nothing cost a bound ROUTER: memory, and time of others' messages. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runPair } from "../children.js";
import { interleave } from "../contest.js";
import { goals, type Judgement } from "../goals.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { npmEntry, ourEntry } from "../rivals.js";
import { quotientsOf, spread, spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/idle-peers.mjs", import.meta.url));
export const peerCounts = [1, 1_000, 5_000, 10_000];
/** A single one weighs less than what else a process does meanwhile. */
const fewestToWeigh = 1_000;

/** With so many peers; bytes are those of each. */
interface Level {
  count: number;
  /** Resident: what is left to the process's allocator to use again included. */
  rssBytes: number;
  /** Of the heap, and of what hangs on it outside: garbage is collected before. */
  heapBytes: number;
  /** What a message to the ROUTER and back takes one more peer beside these. */
  roundTripMicros: number;
}

export interface IdleFigures {
  levels: Level[];
}

const libraries = [
  { name: "purezmq", entry: ourEntry },
  { name: names.npm, entry: npmEntry },
  { name: names.bare, entry: "bare" },
];

export async function* idlePeers({ rounds }: Options): AsyncGenerator<Section> {
  const contest = await interleave(
    libraries.map(({ name, entry }) => ({ name, run: () => runIdle(entry) })),
    rounds,
  );
  const divisors = contest.runs.get(names.npm);
  yield sectionOf("Idle peers of one ROUTER, tcp", contest, {
    table: [
      [
        "",
        "RSS KB a peer",
        "heap and external KB a peer",
        "µs a round trip beside them",
        "RSS x npm zeromq",
      ],
      ...[...contest.runs].flatMap(([name, runs]) =>
        peerCounts.map((count) => [
          `${name}, ${count.toLocaleString("en-US")} ${count === 1 ? "peer" : "peers"}`,
          ...weights(runs, count),
          formatNumber(spreadOf(runs, (run) => levelOf(run, count).roundTripMicros).median),
          divisors === undefined || count < fewestToWeigh
            ? ""
            : formatSpread(spread(quotientsOf(runs, divisors, (run) => rssAt(run, count)))),
        ]),
      ),
    ],
    judgements: peerCounts.filter((count) => count >= fewestToWeigh).flatMap(judge),
  });

  function judge(count: number): Judgement[] {
    const ours = contest.runs.get("purezmq");
    if (ours === undefined) return [];
    const measured = spreadOf(ours, (run) => rssAt(run, count) / 1024);
    const goal = count === 5_000 ? goals.idlePeer : undefined;
    const what = `${count.toLocaleString("en-US")} idle peers, RSS of each`;
    return [{ what, measured, unit: " KB", goal }];
  }
}

function weights(runs: IdleFigures[], count: number): [rss: string, heap: string] {
  if (count < fewestToWeigh) return ["", ""];
  return [
    formatSpread(spreadOf(runs, (run) => rssAt(run, count) / 1024)),
    formatNumber(spreadOf(runs, (run) => heapAt(run, count) / 1024).median),
  ];
}

export async function runIdle(entry: string): Promise<IdleFigures> {
  const counts = peerCounts.join(",");
  const { binder, connector } = await runPair<
    { levels: Omit<Level, "roundTripMicros">[] },
    { levels: Pick<Level, "roundTripMicros">[] }
  >(nodeCommand(program, "hold", freshEndpoint("tcp"), counts, entry), (endpoint) =>
    nodeCommand(program, "dial", endpoint, counts, entry),
  );
  return {
    levels: binder.levels.map((level, i) => ({ ...level, ...(connector.levels[i] as Level) })),
  };
}

export function rssAt(run: IdleFigures, count: number): number {
  return levelOf(run, count).rssBytes;
}

export function heapAt(run: IdleFigures, count: number): number {
  return levelOf(run, count).heapBytes;
}

function levelOf({ levels }: IdleFigures, count: number): Level {
  const level = levels.find((level) => level.count === count);
  if (level === undefined) throw new Error(`nobody weighed ${count} peers`);
  return level;
}
