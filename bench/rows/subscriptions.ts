/** What a PUB pays for many subscriptions: time to match a message, and memory. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runPair } from "../children.js";
import { interleave } from "../contest.js";
import type { Judgement } from "../goals.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, type Section, sectionOf } from "../report.js";
import { npmEntry, ourEntry } from "../rivals.js";
import { quotientsOf, type Spread, spread, spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/subscriptions.mjs", import.meta.url));
export const manySubscriptions = 10_000;
const mostSubscriptions = 1_000_000;
/** Telling a publisher of a million takes seconds. */
const mostWhenQuick = 100_000;
/** How long messages are published that match, and as long those that do not. */
const publishingMs = 1_000;
const quickMs = 250;

export interface MatchFigures {
  subscriptions: number;
  /** Until the publisher knows all of them. */
  subscribeSeconds: number;
  /** What the publisher holds more than before, resident, and on the heap and what hangs on it. */
  rssBytes: number;
  heapBytes: number;
  /** A message that nobody is subscribed to: all there is to do is to find that out. */
  missNanos: number;
  missCpuNanos: number;
  /** A message that goes to the subscriber; that one mostly sets the pace. */
  hitNanos: number;
  hitCpuNanos: number;
  hits: number;
}

const libraries = [
  { name: "purezmq", entry: ourEntry, most: Number.POSITIVE_INFINITY },
  { name: "npm zeromq", entry: npmEntry, most: manySubscriptions },
];

export async function* subscriptions(options: Options): AsyncGenerator<Section> {
  const most = options.quick ? mostWhenQuick : mostSubscriptions;
  const counts = [1, manySubscriptions, most];
  const entrants = libraries.flatMap(({ name, entry, most }) =>
    counts
      .filter((count) => count <= most)
      .map((count) => ({ library: name, count, name: nameOf(name, count), entry })),
  );
  const contest = await interleave(
    entrants.map(({ name, entry, count }) => ({
      name,
      run: () => runMatching(entry, count, options),
    })),
    options.rounds,
  );
  const title = "Subscriptions of one SUB, tcp, 100 B";
  yield sectionOf(title, contest, {
    table: [
      [
        "",
        "miss, ns",
        "more than with 1",
        "hit, ns",
        "hit, CPU ns of the PUB",
        "heap B a topic",
        "RSS B a topic",
        "topics told/s",
      ],
      ...entrants.flatMap(({ library, name, count }) => {
        const runs = contest.runs.get(name);
        if (runs === undefined) return [];
        return [
          [
            name,
            formatNumber(median(runs, "missNanos")),
            count === 1 ? "" : formatNumber(matchingNanos(library, runs)?.median ?? Number.NaN),
            formatNumber(median(runs, "hitNanos")),
            formatNumber(median(runs, "hitCpuNanos")),
            perTopic(runs, "heapBytes"),
            perTopic(runs, "rssBytes"),
            count === 1 ? "" : formatNumber(count / median(runs, "subscribeSeconds")),
          ],
        ];
      }),
    ],
    judgements: entrants.filter(({ count }) => count > 1).flatMap(judge),
  });

  /** No goal is set: a message costs what it costs. */
  function judge({ library, name, count }: (typeof entrants)[number]): Judgement[] {
    const runs = contest.runs.get(name) ?? [];
    const matching = matchingNanos(library, runs);
    const few = contest.runs.get(nameOf(library, 1));
    if (matching === undefined || few === undefined) return [];
    return [
      { what: `${name}: matching a message`, measured: matching, unit: " ns" },
      {
        what: `${name}: rate of messages that nobody wants, to 1`,
        measured: spread(quotientsOf(few, runs, (run) => run.missNanos)),
        unit: " x",
      },
      {
        what: `${name}: rate of messages delivered, to 1`,
        measured: spread(quotientsOf(few, runs, (run) => run.hitNanos)),
        unit: " x",
      },
      ...(count >= manySubscriptions
        ? [
            {
              what: `${name}: memory of the PUB per topic, RSS`,
              measured: spreadOf(runs, (run) => run.rssBytes / run.subscriptions),
              unit: " B",
            },
          ]
        : []),
    ];
  }

  /** A miss among many topics against a miss among one, round by round. */
  function matchingNanos(library: string, runs: MatchFigures[]): Spread | undefined {
    const few = contest.runs.get(nameOf(library, 1));
    if (few === undefined || runs.length === 0) return undefined;
    return spread(runs.map((run, round) => run.missNanos - (few[round]?.missNanos ?? Number.NaN)));
  }
}

export async function runMatching(
  entry: string,
  count: number,
  { quick }: Pick<Options, "quick">,
): Promise<MatchFigures> {
  const millis = quick ? quickMs : publishingMs;
  const command = (role: string, endpoint: string) =>
    nodeCommand(program, role, endpoint, count, millis, entry);
  const { binder } = await runPair<Omit<MatchFigures, "subscriptions">, object>(
    command("publish", freshEndpoint("tcp")),
    (endpoint) => command("subscribe", endpoint),
  );
  return { subscriptions: count, ...binder };
}

function nameOf(library: string, count: number): string {
  return `${library}, ${count.toLocaleString("en-US")} topics`.replace(/^(.*, 1 topic)s$/, "$1");
}

function perTopic(runs: MatchFigures[], figure: "heapBytes" | "rssBytes"): string {
  const { subscriptions = 1 } = runs[0] ?? {};
  return subscriptions === 1 ? "" : formatNumber(median(runs, figure) / subscriptions);
}

function median(runs: MatchFigures[], figure: keyof MatchFigures): number {
  return spreadOf(runs, (run) => run[figure]).median;
}
