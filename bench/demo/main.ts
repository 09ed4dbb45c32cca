/**
 * The story, live: libzmq floods large messages, the receiver works on each; memory and a ticker tell
 * how it fares. First ours receives, then npm zeromq, then for a moment a bare net.Socket, the
 * yardstick of the rate; then a verdict and a picture.
 *
 *   npm run demo [-- --short] [--svg FILE]
 *
 * `--short` takes 3 s each, without the yardstick, and judges memory and completion only; it draws no picture unless `--svg`
 * names one. The exit status is 0 only if ours reached every goal.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chart } from "./chart.js";
import { megabytes } from "./figures.js";
import { openPanel } from "./panel.js";
import { type Contender, type Run, run } from "./run.js";
import { seconds, workload } from "./settings.js";
import { judge, verdict } from "./verdict.js";

const pictureOfTheReadme = fileURLToPath(new URL("../../docs/demo.svg", import.meta.url));

const { values: options } = parseArgs({
  options: { short: { type: "boolean", default: false }, svg: { type: "string" } },
});
const fullDuration = options.short ? seconds.short : seconds.full;
const picture = options.svg ?? (options.short ? undefined : pictureOfTheReadme);

process.once("SIGINT", () => process.exit(130));

console.log(`
  libzmq floods ${megabytes(workload.messageBytes)} messages over ipc, PAIR, high-water mark 1 on both sides.
  The receiver works ${workload.workMs} ms on each, and has a ticker of ${workload.tickMs} ms.
`);
const ours = await watch({ name: "purezmq", library: "purezmq" });
const theirs = await watch({ name: "npm zeromq", library: "zeromq" });
const yardstick = options.short
  ? undefined
  : await watch({ name: "net.Socket", library: "./bare.mjs" }, seconds.yardstick);
const judgements = judge(ours, theirs, yardstick);
console.log(`${verdict(ours, theirs, judgements)}\n`);

if (picture !== undefined) {
  mkdirSync(dirname(resolve(picture)), { recursive: true });
  writeFileSync(picture, chart(ours, theirs));
}
process.exitCode = judgements.every(({ reached }) => reached) ? 0 : 1;

async function watch(contender: Contender, duration = fullDuration): Promise<Run> {
  const panel = openPanel(process.stdout, contender.name, duration);
  try {
    return await run(contender, duration, (sample) => panel.show(sample));
  } finally {
    panel.end();
  }
}
