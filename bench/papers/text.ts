/** docs/performance.md: all figures of a run of the bench. */
import { basename } from "node:path";
import { formatGoal, formatSpread } from "../report.js";
import type { Plot } from "./plots.js";
import type { Result, Results } from "./results.js";

export function textOf(
  sources: [file: string, Results][],
  results: Result[],
  plots: Plot[],
): string {
  return `${[
    "# Performance",
    "Made by `npm run bench:papers` from results of the bench; not to be edited. How it measures says [bench/README.md](../bench/README.md); where the time goes, [profile.md](profile.md).",
    ...sources.map(([file, { machine, options }]) =>
      [
        `- [${basename(file)}](../bench/results/${basename(file)}): ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGigabytes} GB,`,
        `Node.js ${machine.node.slice(1)}, ${machine.system}, commit ${machine.commit}, ${machine.date.slice(0, 10)};`,
        `${options.rounds} rounds of ${options.runSeconds} s.`,
      ].join(" "),
    ),
    "Ratios are taken within a round; the median over the rounds stands first, then the smallest and the largest.",
    "## Goals",
    goalsTable(results),
    ...plots.map(({ name, alt }) => `![${alt}](performance/${name}.svg)`),
    "## All figures",
    ...results.map(({ title, table, failures }) =>
      [
        `### ${title}`,
        markdownTable(table),
        ...Object.entries(failures).map(([name, reason]) => `${name} failed: ${reason}`),
      ].join("\n\n"),
    ),
  ].join("\n\n")}\n`;
}

function goalsTable(results: Result[]): string {
  const lines = results
    .flatMap(({ judgements }) => judgements)
    .flatMap(({ what, measured, unit, goal, reached }) =>
      goal === undefined
        ? []
        : [
            [
              what,
              `${formatSpread(measured)}${unit}`,
              formatGoal(goal, unit),
              reached ? "reached" : "**missed**",
            ],
          ],
    );
  return markdownTable([["", "measured", "goal", ""], ...lines]);
}

function markdownTable([heading = [], ...lines]: string[][]): string {
  const row = (cells: string[]): string =>
    `| ${cells.map((cell) => (cell === "*" ? "\\*" : cell)).join(" | ")} |`;
  const rule = heading.map((_, column) => (column === 0 ? "---" : "--:"));
  return [row(heading), `|${rule.join("|")}|`, ...lines.map(row)].join("\n");
}
