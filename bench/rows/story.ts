/** The story: a libzmq sender floods, the receiver works; memory must stay flat and timers alive. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runPair } from "../children.js";
import { interleave } from "../contest.js";
import { goals, type Judgement, worst } from "../goals.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, type Section, sectionOf } from "../report.js";
import { npmEntry, ourEntry } from "../rivals.js";
import { type Spread, spreadOf } from "../statistics.js";
import type { TickerFigures } from "./fairness.js";

const program = fileURLToPath(new URL("../peers/story.mjs", import.meta.url));
const messageSize = 1_000_000;
const ring = 3;
const maxRounds = 3;

interface StoryRun extends TickerFigures {
  seconds: number;
  restBytes: number;
  peakBytes: number;
  /** Memory over rest, and how often the ticker has ticked, as time went on. */
  course: { seconds: number; megabytes: number; ticks: number }[];
  /** Of the rate that the work per message allows. */
  rateShare: number;
}

export async function* story({ rounds, quick }: Options): AsyncGenerator<Section> {
  const count = quick ? 300 : 2_000;
  const contest = await interleave(
    [
      { name: names.awaiting, run: () => runStory(ourEntry, count) },
      { name: names.npm, run: () => runStory(npmEntry, count) },
    ],
    Math.min(rounds, maxRounds),
  );
  const title = `The story: ${count} x 1 MB, PAIR ipc, HWM 1, libzmq sends, 2 ms of work per message`;
  yield sectionOf(title, contest, {
    table: [
      [
        "",
        "RSS over rest, MB",
        "ticks of those due",
        "latest tick, ms",
        "rate of what 2 ms allow, %",
      ],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(growth(runs).high),
        `${runs[0]?.ticks} of ${runs[0]?.dueTicks}`,
        formatNumber(spreadOf(runs, (run) => run.maxLateMs).high),
        formatNumber(spreadOf(runs, (run) => run.rateShare).median * 100),
      ]),
    ],
    judgements: judge(contest.runs.get(names.awaiting) ?? []),
  });
}

async function runStory(receiver: string, count: number): Promise<StoryRun> {
  const { connector } = await runPair<unknown, StoryRun>(
    nodeCommand(program, "send", freshEndpoint("ipc"), messageSize, count, ring, npmEntry),
    (endpoint) => nodeCommand(program, "receive", endpoint, messageSize, count, ring, receiver),
  );
  return connector;
}

/** "Less than", "never": the worst run counts. */
function judge(runs: StoryRun[]): Judgement[] {
  if (runs.length === 0) return [];
  const { storyMemory, storyTicker, storyLatenessMs } = goals;
  const alive = spreadOf(runs, (run) => run.aliveShare * 100);
  const latest = spreadOf(runs, (run) => run.maxLateMs);
  return [
    {
      what: "story, RSS over rest",
      measured: worst(growth(runs), storyMemory),
      unit: " MB",
      goal: storyMemory,
    },
    {
      what: "story, ticker alive",
      measured: worst(alive, storyTicker),
      unit: " %",
      goal: storyTicker,
    },
    {
      what: "story, latest tick",
      measured: worst(latest, storyLatenessMs),
      unit: " ms",
      goal: storyLatenessMs,
    },
  ];
}

function growth(runs: StoryRun[]): Spread {
  return spreadOf(runs, (run) => (run.peakBytes - run.restBytes) / 1e6);
}
