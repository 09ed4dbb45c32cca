/** Lateness of a 10 ms ticker beside loops of `await receive()` and `await send()` that hardly ever wait. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runOne, runPair } from "../children.js";
import { interleave } from "../contest.js";
import { goals, type Judgement } from "../goals.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { npmEntry, ourEntry } from "../rivals.js";
import { spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/fairness.mjs", import.meta.url));
const socketCounts = [1, 16];
const libraries = [
  { name: names.awaiting, entry: ourEntry },
  { name: names.npm, entry: npmEntry },
];

/** What peers/ticker.mjs tells. */
export interface TickerFigures {
  ticks: number;
  dueTicks: number;
  aliveShare: number;
  p99LateMs: number;
  maxLateMs: number;
}

interface LoopFigures extends TickerFigures {
  messages: number;
}

interface FairnessRun {
  /** The process that receives, or that does both. */
  receiver: LoopFigures;
  sender?: LoopFigures;
}

export async function* fairness(options: Options): AsyncGenerator<Section> {
  for (const sockets of socketCounts) {
    yield await fairnessOf("tcp", sockets, options);
    yield await fairnessOf("inproc", sockets, options);
  }
}

async function fairnessOf(
  transport: "tcp" | "inproc",
  sockets: number,
  { rounds, quick }: Options,
): Promise<Section> {
  const run = transport === "tcp" ? runTcp : runInproc;
  const contest = await interleave(
    libraries.map(({ name, entry }) => ({
      name,
      run: () => run(entry, sockets, quick ? 500 : 2_000),
    })),
    rounds,
  );
  const title = `Timers beside ${sockets} looping ${sockets === 1 ? "socket" : "sockets"}, ${transport}`;
  return sectionOf(title, contest, {
    table: [
      ["", "messages", "alive, %", "p99 late, ms", "latest, ms"],
      ...[...contest.runs].flatMap(([name, runs]) =>
        sidesOf(runs).map(({ side, figures }) => [
          `${name}, ${side}`,
          formatNumber(spreadOf(figures, (run) => run.messages).median),
          formatNumber(spreadOf(figures, (run) => run.aliveShare).median * 100),
          formatNumber(spreadOf(figures, (run) => run.p99LateMs).median),
          formatSpread(spreadOf(figures, (run) => run.maxLateMs)),
        ]),
      ),
    ],
    judgements: judge(contest.runs.get(names.awaiting) ?? []),
  });

  /** The median of the runs' latest ticks: a wall clock on a shared machine has accidents of its own. */
  function judge(runs: FairnessRun[]): Judgement[] {
    return sidesOf(runs).map(({ side, figures }) => ({
      what: `${title}, ${side}: latest`,
      measured: spreadOf(figures, (run) => run.maxLateMs),
      unit: " ms",
      goal: goals.fairnessLatenessMs,
    }));
  }
}

async function runTcp(entry: string, sockets: number, durationMs: number): Promise<FairnessRun> {
  const command = (role: string, endpoint: string) =>
    nodeCommand(program, role, endpoint, sockets, durationMs, entry);
  const { binder, connector } = await runPair<LoopFigures, LoopFigures>(
    command("receive", "tcp://127.0.0.1:*"),
    (endpoint) => command("send", endpoint),
  );
  return { receiver: busy(binder), sender: busy(connector) };
}

async function runInproc(entry: string, sockets: number, durationMs: number): Promise<FairnessRun> {
  const command = nodeCommand(program, "inproc", "inproc", sockets, durationMs, entry);
  return { receiver: busy(await runOne<LoopFigures>(command)) };
}

/** Timers beside sockets that pass nothing are on time, and prove nothing. */
function busy(figures: LoopFigures): LoopFigures {
  if (figures.messages === 0) throw new Error("no message passed");
  return figures;
}

function sidesOf(runs: FairnessRun[]): { side: string; figures: LoopFigures[] }[] {
  if (runs.length === 0) return [];
  const receivers = runs.map(({ receiver }) => receiver);
  const senders = runs.flatMap(({ sender }) => (sender === undefined ? [] : [sender]));
  if (senders.length === 0) return [{ side: "both ends", figures: receivers }];
  return [
    { side: "receiving", figures: receivers },
    { side: "sending", figures: senders },
  ];
}
