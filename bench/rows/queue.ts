/** What it costs that messages wait in a queue without a high-water mark, up to a million of them. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runPair } from "../children.js";
import { interleave } from "../contest.js";
import { goals, type Judgement } from "../goals.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { npmEntry, ourEntry } from "../rivals.js";
import { type Spread, spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/queue.mjs", import.meta.url));
const size = 100;
const depths = [1_000, 10_000, 100_000, 1_000_000];
const deepestWhenQuick = 100_000;
const maxRounds = 3;

interface QueueFigures {
  count: number;
  /** Resident memory, and that of the heap and what hangs on it, of one message that waits. */
  rssBytes: number;
  heapBytes: number;
  /** To receive it. */
  receiveNanos: number;
}

const libraries = [
  { name: "purezmq", entry: ourEntry },
  { name: names.npm, entry: npmEntry },
];

export async function* queue({ rounds, quick }: Options): AsyncGenerator<Section> {
  const deepest = quick ? deepestWhenQuick : Number.POSITIVE_INFINITY;
  const entrants = libraries.flatMap(({ name, entry }) =>
    depths
      .filter((depth) => depth <= deepest)
      .map((depth) => ({
        name: `${name}, ${depth.toLocaleString("en-US")} messages`,
        isOurs: entry === ourEntry,
        entry,
        depth,
      })),
  );
  const contest = await interleave(
    entrants.map(({ name, entry, depth }) => ({ name, run: () => runQueue(entry, depth) })),
    Math.min(rounds, maxRounds),
  );
  yield sectionOf(`Messages of ${size} B that wait, tcp`, contest, {
    table: [
      ["", "RSS B a message", "heap and external B", "ns to receive one"],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(spreadOf(runs, (run) => run.rssBytes).median),
        formatSpread(spreadOf(runs, (run) => run.heapBytes)),
        formatNumber(spreadOf(runs, (run) => run.receiveNanos).median),
      ]),
    ],
    judgements: entrants.filter(({ isOurs }) => isOurs).flatMap(judge),
  });

  /** A few thousand messages weigh less than what else a process does meanwhile. */
  function judge({ name, depth }: (typeof entrants)[number]): Judgement[] {
    const runs = contest.runs.get(name);
    if (runs === undefined || depth < 100_000) return [];
    const goal = depth === 1_000_000 ? goals.queuedMessage : undefined;
    return [{ what: `${name}: bytes beside its own`, measured: overhead(runs), unit: " B", goal }];
  }
}

function overhead(runs: QueueFigures[]): Spread {
  return spreadOf(runs, (run) => run.heapBytes - size);
}

async function runQueue(entry: string, count: number): Promise<QueueFigures> {
  const { binder } = await runPair<QueueFigures, object>(
    nodeCommand(program, "hold", freshEndpoint("tcp"), size, count, entry),
    (endpoint) => nodeCommand(program, "fill", endpoint, size, count, entry),
  );
  return binder;
}
