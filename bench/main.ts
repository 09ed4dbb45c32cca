/**
 * `npm run bench`: purezmq against npm zeromq, libzmq in C and bare sockets. How it measures: README.md beside this.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { killAllChildren } from "./children.js";
import { type Judgement, reached } from "./goals.js";
import { describeMachine, type Machine } from "./machine.js";
import { type Options, type RowName, readOptions, usage } from "./options.js";
import { removeEndpoints } from "./rendezvous.js";
import { printSection, printVerdict, type Section } from "./report.js";
import { hasLibzmq } from "./rivals.js";
import { dealerRouter } from "./rows/dealer-router.js";
import { fairness } from "./rows/fairness.js";
import { idlePeers } from "./rows/idle-peers.js";
import { importTime } from "./rows/import.js";
import { inproc } from "./rows/inproc.js";
import { latency, request } from "./rows/latency.js";
import { micro } from "./rows/micro.js";
import { path } from "./rows/path.js";
import { publishSubscribe } from "./rows/pubsub.js";
import { queue } from "./rows/queue.js";
import { packedSize } from "./rows/size.js";
import { story } from "./rows/story.js";
import { subscriptions } from "./rows/subscriptions.js";
import { curve, frames, pipeline, throughput } from "./rows/throughput.js";

const rows: Record<RowName, (options: Options) => AsyncGenerator<Section>> = {
  thr: throughput,
  lat: latency,
  pushpull: pipeline,
  curve,
  frames,
  inproc,
  pubsub: publishSubscribe,
  "dealer-router": dealerRouter,
  reqrep: request,
  subscriptions,
  "idle-peers": idlePeers,
  queue,
  micro,
  path,
  story,
  fair: fairness,
  import: importTime,
  size: packedSize,
};

cleanUpAtExit();
process.exitCode = await main(process.argv.slice(2));

/** Exit status 1 means that a run broke down, not that a goal was missed: machines differ. */
async function main(argv: string[]): Promise<number> {
  const options = optionsOrUsage(argv);
  if (options === undefined) return 2;
  const machine = describeMachine();
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, commit ${machine.commit}`,
  );
  compileLibzmqRivals();

  const sections: (Section & { row: RowName })[] = [];
  for (const row of options.rows) {
    for await (const section of rows[row](options)) {
      printSection(section);
      sections.push({ row, ...section });
    }
  }
  printVerdict(sections);
  if (options.quick)
    console.log("\n  Quick runs: they show that the bench works; do not quote them.");
  if (options.json !== undefined) writeResults(options, machine, sections);
  return sections.some(({ failures }) => failures.size > 0) ? 1 : 0;
}

function optionsOrUsage(argv: string[]): Options | undefined {
  try {
    const options = readOptions(argv);
    if (options.positionals.length === 0) return options;
    console.error(`What is ${options.positionals.join(" ")}?`);
  } catch (error) {
    console.error((error as Error).message);
  }
  console.error(`npm run bench -- [options]\n${usage}`);
  return undefined;
}

/** Compiles what can be compiled without installing anything. */
function compileLibzmqRivals(): void {
  try {
    execFileSync("bash", [join(import.meta.dirname, "setup.sh"), "--compile-only"], {
      stdio: "pipe",
    });
  } catch {
    // Told below, whatever the reason was.
  }
  if (!hasLibzmq()) console.log("No rivals in C: `npm run bench:setup` installs what they need.");
}

/** Where the file stands is no part of it. */
function writeResults({ json, ...options }: Options, machine: Machine, sections: Section[]): void {
  const ownName = `${machine.date.slice(0, 19).replaceAll(":", "")}-${machine.commit}.json`;
  const file = json || join(import.meta.dirname, "results", ownName);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ machine, options, sections: sections.map(plain) }, undefined, 1)}\n`,
  );
  console.log(`\n  All figures: ${file}`);
}

function plain({ failures, runs, judgements, ...told }: Section): object {
  return {
    ...told,
    judgements: judgements.map((judgement: Judgement) => ({
      ...judgement,
      reached: reached(judgement),
    })),
    failures: Object.fromEntries(failures),
    runs: Object.fromEntries(runs),
  };
}

function cleanUpAtExit(): void {
  process.on("exit", () => {
    killAllChildren();
    removeEndpoints();
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => process.exit(1));
}
