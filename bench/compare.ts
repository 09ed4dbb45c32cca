/**
 * `npm run bench:compare -- REV`: is this tree faster or slower than another commit? Both are built, and take turns
 * in the child programs of this tree.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killAllChildren } from "./children.js";
import { type Contest, calibratedContest } from "./contest.js";
import { type Options, readOptions, type Transport } from "./options.js";
import { removeEndpoints } from "./rendezvous.js";
import { formatSize, formatSpread } from "./report.js";
import { libraryLatency, libraryThroughput } from "./rivals.js";
import { firstLatencyCount, runLatency } from "./rows/latency.js";
import { firstCount, runThroughput } from "./rows/throughput.js";
import { quotientsOf, spread } from "./statistics.js";

type Trees = Record<"old" | "new", string>;

interface Comparison {
  title: string;
  failures: Map<string, string>;
  /** New to old, round by round; above 1 the new one is faster. */
  speedups: number[];
}

const usage =
  "npm run bench:compare -- REV [--rows thr,lat] [--sizes 10,100] [--transports tcp,ipc] [--rounds N] [--quick]";

const apis = ["await", "try"] as const;
const root = join(import.meta.dirname, "..");

/** With one dissenting round among nine, chance alone would seem a difference in one comparison of 25. */
const leastRounds = 9;
const roundsPerDissent = 8;
/** Less than this is no difference, however steady. */
const tellingDifference = 0.03;

const temporary = mkdtempSync(join(tmpdir(), "purezmq-compare-"));
const oldTree = join(temporary, "old");
cleanUpAtExit();
process.exitCode = await main(process.argv.slice(2));

/** Exit status 1 means that a run broke down; slower is an answer, not a failure. */
async function main(argv: string[]): Promise<number> {
  const task = taskOrUsage(argv);
  if (task === undefined) return 2;
  const { commit, options } = task;
  checkOut(commit);
  for (const tree of [oldTree, root]) run(tree, "npm", "run", "-s", "build");

  console.log(`This tree against ${commit}, ${options.rounds} rounds; above 1 this tree is faster`);
  let failed = false;
  for await (const comparison of comparisons({ old: oldTree, new: root }, options)) {
    console.log(describe(comparison));
    failed ||= comparison.failures.size > 0;
  }
  return failed ? 1 : 0;
}

function taskOrUsage(argv: string[]): { commit: string; options: Options } | undefined {
  try {
    const options = readOptions(argv);
    const [revision, ...surplus] = options.positionals;
    if (revision === undefined || surplus.length > 0) throw new Error("Which commit?");
    const commit = git("rev-parse", "--verify", "--short=12", `${revision}^{commit}`);
    return { commit, options: { ...options, rounds: Math.max(options.rounds, leastRounds) } };
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    return undefined;
  }
}

async function* comparisons(trees: Trees, options: Options): AsyncGenerator<Comparison> {
  for (const transport of options.transports) {
    if (options.rows.includes("thr")) {
      for (const size of options.sizes) {
        for (const api of apis) yield await compareThroughput(trees, api, transport, size, options);
      }
    }
    if (options.rows.includes("lat")) yield await compareLatency(trees, transport, options);
  }
}

async function compareThroughput(
  trees: Trees,
  api: (typeof apis)[number],
  transport: Transport,
  size: number,
  options: Options,
): Promise<Comparison> {
  const contest = await calibratedContest(
    Object.entries(trees).map(([name, tree]) => {
      const side = libraryThroughput(entryOf(tree), api, "pair");
      return {
        name,
        run: (count: number) =>
          runThroughput({ send: side, receive: side }, transport, size, count),
      };
    }),
    { firstCount: firstCount(size), ...options },
  );
  return comparisonOf(
    `PAIR ${transport}, ${formatSize(size)}, ${api}`,
    contest,
    (figures) => figures.messagesPerSecond,
  );
}

async function compareLatency(
  trees: Trees,
  transport: Transport,
  options: Options,
): Promise<Comparison> {
  const contest = await calibratedContest(
    Object.entries(trees).map(([name, tree]) => {
      const side = libraryLatency(entryOf(tree), "pair");
      return {
        name,
        run: (count: number) => runLatency({ ping: side, echo: side }, transport, count),
      };
    }),
    { firstCount: firstLatencyCount, ...options },
  );
  return comparisonOf(
    `PAIR ${transport}, round trip of 1 B`,
    contest,
    (figures) => 1 / figures.meanMicros,
  );
}

function comparisonOf<Run>(
  title: string,
  { runs, failures }: Contest<Run>,
  speed: (run: Run) => number,
): Comparison {
  const [olds, news] = [runs.get("old") ?? [], runs.get("new") ?? []];
  return { title, failures, speedups: quotientsOf(news, olds, speed) };
}

function describe({ title, failures, speedups }: Comparison): string {
  const name = `  ${title.padEnd(30)}`;
  if (failures.size > 0)
    return [...failures].map(([side, reason]) => `${name} FAILED ${side}: ${reason}`).join("\n");
  return `${name} ${verdictOn(speedups).padEnd(14)} ${formatSpread(spread(speedups))} x`;
}

/** A difference must be telling, and nearly all rounds must agree on its direction. */
function verdictOn(speedups: number[]): "faster" | "slower" | "no difference" {
  const { median } = spread(speedups);
  const dissent = Math.floor(speedups.length / roundsPerDissent);
  const above = speedups.filter((speedup) => speedup > 1).length;
  if (median > 1 + tellingDifference && above >= speedups.length - dissent) return "faster";
  if (median < 1 / (1 + tellingDifference) && above <= dissent) return "slower";
  return "no difference";
}

function entryOf(tree: string): string {
  return join(tree, "dist/esm/index.js");
}

/** Another commit in a folder of its own; it shares our node_modules if it locks the same versions. */
function checkOut(commit: string): void {
  git("worktree", "add", "--detach", oldTree, commit);
  if (lockOf(oldTree) === lockOf(root))
    symlinkSync(join(root, "node_modules"), join(oldTree, "node_modules"));
  else run(oldTree, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
}

function lockOf(tree: string): string {
  return readFileSync(join(tree, "package-lock.json"), "utf8");
}

function git(...args: string[]): string {
  return execFileSync("git", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

function run(cwd: string, file: string, ...args: string[]): void {
  execFileSync(file, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
}

function cleanUpAtExit(): void {
  process.on("exit", () => {
    killAllChildren();
    removeEndpoints();
    if (existsSync(oldTree)) git("worktree", "remove", "--force", oldTree);
    rmSync(temporary, { recursive: true, force: true });
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => process.exit(1));
}
