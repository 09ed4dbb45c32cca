/**
 * `npm run bench:compare -- REV`: is this tree faster or slower than another commit? Both are built, and take turns
 * in the child programs of this tree.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killAllChildren } from "./children.js";
import { type Contest, calibratedContest, interleave } from "./contest.js";
import type { LatencyPattern } from "./goals.js";
import { firstCount, type Load, titleOf } from "./load.js";
import { type Options, type RowName, readOptions, type Transport } from "./options.js";
import { removeEndpoints } from "./rendezvous.js";
import { formatSpread } from "./report.js";
import { type Api, libraryLatency, libraryThroughput, publishingBy } from "./rivals.js";
import { firstRequestCount, requestsTitle, runRequests } from "./rows/dealer-router.js";
import { heapAt, peerCounts, runIdle } from "./rows/idle-peers.js";
import { firstLatencyCount, latencyTitle, runLatency } from "./rows/latency.js";
import {
  deliveriesTitle,
  firstDeliveryCount,
  runDeliveries,
  subscriberCounts,
} from "./rows/pubsub.js";
import { manySubscriptions, runMatching } from "./rows/subscriptions.js";
import { curveLoads, pairLoads, pipelineLoad, runThroughput } from "./rows/throughput.js";
import { quotientsOf, spread } from "./statistics.js";

type Trees = Record<"old" | "new", string>;

interface Comparison {
  title: string;
  failures: Map<string, string>;
  /** New to old, round by round; above 1 the new one is faster, or holds less. */
  speedups: number[];
  better: string;
  worse: string;
}

const usage =
  "npm run bench:compare -- REV [--rows thr,lat,pubsub,...] [--sizes 10,100] [--transports tcp,ipc] [--rounds N] [--quick]";

const apis: Api[] = ["await", "try"];
const root = join(import.meta.dirname, "..");

/** With one dissenting round among nine, chance alone would seem a difference in one comparison of 25. */
const leastRounds = 9;
const roundsPerDissent = 8;
/** Less than this is no difference, however steady. */
const tellingDifference = 0.03;

/** What two trees can be compared by; the rows that are missing say nothing about speed, or hang on wall clocks. */
const duels: Partial<
  Record<RowName, (trees: Trees, options: Options) => AsyncGenerator<Comparison>>
> = {
  async *thr(trees, options) {
    for (const load of pairLoads(options))
      for (const api of apis) yield await compareThroughput(load, trees, api, options);
  },

  async *curve(trees, options) {
    for (const load of curveLoads) yield await compareThroughput(load, trees, "await", options);
  },

  async *lat(trees, options) {
    for (const transport of options.transports)
      yield await compareLatency("pair", trees, transport, options);
  },

  async *pushpull(trees, options) {
    for (const transport of options.transports)
      for (const api of apis)
        yield await compareThroughput({ ...pipelineLoad, transport }, trees, api, options);
  },

  async *pubsub(trees, options) {
    for (const subscribers of subscriberCounts)
      for (const api of apis)
        yield await race(
          `${deliveriesTitle(subscribers)}, ${api}`,
          trees,
          (entry, count) =>
            runDeliveries(publishingBy({ name: "", entry, api }), subscribers, count),
          (figures) => figures.deliveriesPerSecond,
          { firstCount: firstDeliveryCount(subscribers), ...options },
        );
  },

  async *"dealer-router"(trees, options) {
    yield await race(requestsTitle, trees, runRequests, (figures) => 1 / figures.meanMicros, {
      firstCount: firstRequestCount,
      ...options,
    });
  },

  async *reqrep(trees, options) {
    for (const transport of options.transports)
      yield await compareLatency("request", trees, transport, options);
  },

  async *subscriptions(trees, options) {
    const contest = await duel(trees, options, (entry) =>
      runMatching(entry, manySubscriptions, options),
    );
    const title = `PUB, ${manySubscriptions} topics`;
    yield comparisonOf(`${title}, no match`, contest, (figures) => 1 / figures.missNanos);
    yield comparisonOf(`${title}, CPU of a match`, contest, (figures) => 1 / figures.hitCpuNanos);
    const memory = comparisonOf(`${title}, heap`, contest, (figures) => 1 / figures.heapBytes);
    yield { ...memory, ...ofMemory };
  },

  async *"idle-peers"(trees, options) {
    const contest = await duel(trees, options, runIdle);
    for (const count of peerCounts) {
      const memory = comparisonOf(
        `${count} idle peers, heap`,
        contest,
        (figures) => 1 / heapAt(figures, count),
      );
      yield { ...memory, ...ofMemory };
    }
  },
};

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

const ofMemory = { better: "lighter", worse: "heavier" };

async function* comparisons(trees: Trees, options: Options): AsyncGenerator<Comparison> {
  for (const row of options.rows) yield* duels[row]?.(trees, options) ?? [];
}

async function compareThroughput(
  load: Load,
  trees: Trees,
  api: Api,
  options: Options,
): Promise<Comparison> {
  return race(
    `${titleOf(load)}, ${api}`,
    trees,
    (entry, count) => {
      const side = libraryThroughput(entry, api);
      return runThroughput({ send: side, receive: side }, load, count);
    },
    (figures) => figures.messagesPerSecond,
    { firstCount: firstCount(load), ...options },
  );
}

async function compareLatency(
  pattern: LatencyPattern,
  trees: Trees,
  transport: Transport,
  options: Options,
): Promise<Comparison> {
  return race(
    latencyTitle(pattern, transport),
    trees,
    (entry, count) => {
      const side = libraryLatency(entry, pattern);
      return runLatency({ ping: side, echo: side }, transport, count);
    },
    (figures) => 1 / figures.meanMicros,
    { firstCount: firstLatencyCount, ...options },
  );
}

/** Both trees do as much as they can in the time of a run. */
async function race<Run extends { seconds: number }>(
  title: string,
  trees: Trees,
  run: (entry: string, count: number) => Promise<Run>,
  speed: (run: Run) => number,
  options: Parameters<typeof calibratedContest>[1],
): Promise<Comparison> {
  const contest = await calibratedContest(
    Object.entries(trees).map(([name, tree]) => ({
      name,
      run: (count: number) => run(entryOf(tree), count),
    })),
    options,
  );
  return comparisonOf(title, contest, speed);
}

/** Both trees do the same. */
async function duel<Run>(
  trees: Trees,
  { rounds }: Options,
  run: (entry: string) => Promise<Run>,
): Promise<Contest<Run>> {
  return interleave(
    Object.entries(trees).map(([name, tree]) => ({ name, run: () => run(entryOf(tree)) })),
    rounds,
  );
}

function comparisonOf<Run>(
  title: string,
  { runs, failures }: Contest<Run>,
  speed: (run: Run) => number,
): Comparison {
  const [olds, news] = [runs.get("old") ?? [], runs.get("new") ?? []];
  const speedups = quotientsOf(news, olds, speed);
  return { title, failures, speedups, better: "faster", worse: "slower" };
}

function describe({ title, failures, speedups, better, worse }: Comparison): string {
  const name = `  ${title.padEnd(46)}`;
  if (failures.size > 0)
    return [...failures].map(([side, reason]) => `${name} FAILED ${side}: ${reason}`).join("\n");
  const verdict = { better, worse, same: "no difference" }[verdictOn(speedups)];
  return `${name} ${verdict.padEnd(14)} ${formatSpread(spread(speedups))} x`;
}

/** A difference must be telling, and nearly all rounds must agree on its direction. */
function verdictOn(speedups: number[]): "better" | "worse" | "same" {
  const { median } = spread(speedups);
  const dissent = Math.floor(speedups.length / roundsPerDissent);
  const above = speedups.filter((speedup) => speedup > 1).length;
  if (median > 1 + tellingDifference && above >= speedups.length - dissent) return "better";
  if (median < 1 / (1 + tellingDifference) && above <= dissent) return "worse";
  return "same";
}

function entryOf(tree: string): string {
  // Older trees have the other one.
  const entries = ["module/index", "index"].map((name) => join(tree, `dist/esm/${name}.js`));
  return entries.find((entry) => existsSync(entry)) as string;
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
