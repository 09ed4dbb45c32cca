/** Judges our run, and says it beside the other one. */
import { decimals, megabytes, percent } from "./figures.js";
import { allowedRateOf, growthOf, type Run, rateOf } from "./run.js";
import { goals } from "./settings.js";

export interface Judgement {
  what: string;
  ours: string;
  theirs: string;
  goal: string;
  reached: boolean;
}

/**
 * @param yardstick The bare socket; without it, in the short form, memory and completion are judged.
 */
export function judge(ours: Run, theirs: Run, yardstick: Run | undefined): Judgement[] {
  const memory: Judgement = {
    what: "memory over rest",
    ours: `+${megabytes(growthOf(ours.last))}`,
    theirs: `+${megabytes(growthOf(theirs.last))}`,
    goal: `below ${megabytes(goals.growthBytes)}`,
    reached: growthOf(ours.last) < goals.growthBytes && ours.last.end === "time",
  };
  const completion: Judgement = {
    what: "messages received",
    ours: decimals(ours.last.messages),
    theirs: decimals(theirs.last.messages),
    goal: "some",
    reached: ours.last.messages > 0,
  };
  if (yardstick === undefined) return [memory, completion];

  const alone = allowedRateOf(ours.last);
  const bare = rateOf(yardstick.last);
  const allowed = Math.min(alone, bare);
  const wanted = goals.rateShare * allowed;
  return [
    memory,
    {
      what: "ticks of those due",
      ours: `${ours.last.ticks} of ${ours.last.dueTicks}`,
      theirs: `${theirs.last.ticks} of ${theirs.last.dueTicks}`,
      goal: `at least ${percent(goals.tickShare)}`,
      reached: ours.last.ticks >= goals.tickShare * ours.last.dueTicks,
    },
    {
      what: "latest tick",
      ours: `${decimals(ours.last.worstLateMs, 1)} ms`,
      theirs: `${decimals(theirs.last.worstLateMs, 1)} ms`,
      goal: `below ${goals.lateMs} ms`,
      reached: ours.last.worstLateMs < goals.lateMs,
    },
    {
      what: "messages a second",
      ours: decimals(rateOf(ours.last)),
      theirs: decimals(rateOf(theirs.last)),
      goal:
        `at least ${decimals(wanted)}: ${percent(goals.rateShare)} of ${decimals(allowed)}, what ` +
        `${bare < alone ? "a bare net.Socket receives" : "the work allows"} ` +
        `(${decimals(alone)} without any reading)`,
      reached: rateOf(ours.last) >= wanted,
    },
  ];
}

/** The table, a line for each judgement, and a last line that says it in words. */
export function verdict(ours: Run, theirs: Run, judgements: Judgement[]): string {
  const head = { what: "", ours: ours.name, theirs: theirs.name, goal: `${ours.name} must be` };
  const widthOf = (column: "what" | "ours" | "theirs"): number =>
    Math.max(...[head, ...judgements].map((row) => row[column].length));
  const widths = { what: widthOf("what"), ours: widthOf("ours"), theirs: widthOf("theirs") };
  const line = (row: typeof head, mark: string): string =>
    `  ${mark.padEnd(6)}  ${row.what.padEnd(widths.what)}  ${row.ours.padStart(widths.ours)}  ` +
    `${row.theirs.padStart(widths.theirs)}  ${row.goal}`;
  const missed = judgements.filter(({ reached }) => !reached).map(({ what }) => what);
  return [
    line(head, ""),
    ...judgements.map((judgement) => line(judgement, judgement.reached ? "ok" : "MISSED")),
    "",
    missed.length === 0
      ? `  ${ours.name} did all of it.`
      : `  ${ours.name} fell short: ${missed.join(", ")}.`,
  ].join("\n");
}
