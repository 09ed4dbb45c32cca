/** What a row hands back, and how it is printed. */
import type { Contest } from "./contest.js";
import { type Goal, type Judgement, reached } from "./goals.js";
import type { Spread } from "./statistics.js";

export interface Section {
  title: string;
  /** What it is about, for those who draw: a load, a number of subscribers. */
  subject?: object;
  /** The first line holds the headings. */
  table: string[][];
  judgements: Judgement[];
  failures: Map<string, string>;
  /** Every run, by rival: for the JSON. */
  runs: Map<string, unknown[]>;
}

export function sectionOf<Run>(
  title: string,
  contest: Contest<Run>,
  { table, judgements, subject }: Pick<Section, "table" | "judgements" | "subject">,
): Section {
  const { failures, runs } = contest;
  return { title, table, judgements, failures, runs, ...(subject && { subject }) };
}

export function printSection({ title, table, failures }: Section): void {
  console.log(`\n${title}`);
  console.log(layOut(table));
  for (const [name, reason] of failures) console.log(`  FAILED ${name}: ${reason}`);
}

export function printVerdict(sections: Section[]): void {
  const judged = sections.flatMap(({ judgements }) => judgements);
  const failed = sections.flatMap(({ title, failures }) =>
    [...failures.keys()].map((name) => [`${title}, ${name}`, "", "", "FAILED"]),
  );
  const lines = judged.map((judgement) => [
    judgement.what,
    `${formatSpread(judgement.measured)}${judgement.unit}`,
    judgement.goal === undefined ? "" : formatGoal(judgement.goal, judgement.unit),
    { true: "reached", false: "MISSED", undefined: "told only" }[
      String(reached(judgement)) as "true"
    ],
  ]);
  console.log("\nGoals");
  console.log(layOut([["what", "median (min–max)", "goal", ""], ...lines, ...failed]));
}

export function formatSpread({ median, low, high }: Spread): string {
  return `${formatNumber(median)} (${formatNumber(low)}–${formatNumber(high)})`;
}

/** Three telling digits, thousands apart. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function formatSize(bytes: number): string {
  if (bytes >= 1_048_576 && bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MB`;
  return bytes >= 1_024 && bytes % 1_024 === 0 ? `${bytes / 1_024} KB` : `${bytes} B`;
}

export function formatGoal(goal: Goal, unit: string): string {
  return "atLeast" in goal
    ? `>= ${formatNumber(goal.atLeast)}${unit}`
    : `<= ${formatNumber(goal.atMost)}${unit}`;
}

/** Columns as wide as their widest cell; the first holds names, the others figures. */
function layOut(table: string[][]): string {
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((line) => (line[column] ?? "").length)),
  );
  return table
    .map((line) =>
      line.map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      ),
    )
    .map((cells) => `  ${cells.join("   ").trimEnd()}`)
    .join("\n");
}
