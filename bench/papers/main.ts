/**
 * `npm run bench:papers -- FILE...`: docs/performance.md and its pictures, from results of the bench. Where two files
 * tell of the same, the later one counts.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { plotsOf } from "./plots.js";
import { type Result, type Results, readResults } from "./results.js";
import { textOf } from "./text.js";

const docs = join(import.meta.dirname, "../../docs");

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error("npm run bench:papers -- bench/results/FILE.json ...");
  process.exit(2);
}
await write(files.map((file) => [file, readResults(file)]));

async function write(sources: [file: string, Results][]): Promise<void> {
  const results = latest(sources.flatMap(([, { sections }]) => sections));
  const plots = plotsOf(results);
  mkdirSync(join(docs, "performance"), { recursive: true });
  for (const { name, spec } of plots)
    writeFileSync(join(docs, "performance", `${name}.svg`), await drawn(spec));
  writeFileSync(join(docs, "performance.md"), textOf(sources, results, plots));
}

/** By title, in the order in which they came first. */
function latest(results: Result[]): Result[] {
  return [...new Map(results.map((result) => [result.title, result])).values()];
}

async function drawn(spec: TopLevelSpec): Promise<string> {
  return `${await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG()}\n`;
}
