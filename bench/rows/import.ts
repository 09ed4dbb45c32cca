/** How long loading the package takes, in fresh processes, beside `node:net`. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runOne } from "../children.js";
import { type Contest, interleave } from "../contest.js";
import { importGoal, type Judgement } from "../goals.js";
import type { Options } from "../options.js";
import { formatSpread, type Section, sectionOf } from "../report.js";
import { ourCommonJsEntry, ourEntry } from "../rivals.js";
import { spread } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/import-time.mjs", import.meta.url));
/** Loading takes milliseconds: many short runs tell more than few. */
const runsPerRound = 5;

const loads = [
  { how: "import", ours: ourEntry },
  { how: "require", ours: ourCommonJsEntry },
];

interface ImportRun {
  millis: number;
}

export async function* importTime({ rounds }: Options): AsyncGenerator<Section> {
  const contest = await interleave(
    loads.flatMap(({ how, ours }) => [
      { name: `${how} node:net`, run: () => load(how, "node:net") },
      { name: `${how} purezmq`, run: () => load(how, ours) },
    ]),
    rounds * runsPerRound,
  );
  yield sectionOf("Loading the package", contest, {
    table: [
      ["", "ms, median (min–max)"],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatSpread(spread(runs.map(({ millis }) => millis))),
      ]),
    ],
    judgements: loads.flatMap(({ how }) => judge(how, contest)),
  });
}

async function load(how: string, specifier: string): Promise<ImportRun> {
  return runOne<ImportRun>(nodeCommand(program, how, specifier));
}

function judge(how: string, { runs }: Contest<ImportRun>): Judgement[] {
  const net = runs.get(`${how} node:net`);
  const ours = runs.get(`${how} purezmq`);
  if (net === undefined || ours === undefined) return [];
  const goal = importGoal(spread(net.map(({ millis }) => millis)).median);
  return [
    {
      what: `${how} of the package`,
      measured: spread(ours.map(({ millis }) => millis)),
      unit: " ms",
      goal,
    },
  ];
}
