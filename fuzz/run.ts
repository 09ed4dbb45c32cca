// npm run fuzz -- [--seconds N] [--target NAME] [--seed S] [--executions N] [--input HEX] [--feed FOLDER] [--collect]
//
// Fuzzes each target for N seconds (10). A seed is printed and leads to the same inputs again; a finding is
// printed as hexadecimal digits, which --input runs alone. --collect adds to the corpus what led further.
// --feed begins with the files of a folder, such as those of libzmq's corpora: octets as a peer sends them.
import { Buffer } from "node:buffer";
import { createHash, randomInt } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { corpusFolder, Finding, Fuzzer } from "./fuzzer.js";
import type { Target } from "./target.js";
import { TARGETS } from "./targets/index.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    target: { type: "string" },
    seed: { type: "string" },
    executions: { type: "string", default: "Infinity" },
    input: { type: "string" },
    feed: { type: "string" },
    collect: { type: "boolean", default: false },
  },
});

const seed = values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed);
const targets = TARGETS.filter(({ name }) => (values.target ?? name) === name);
if (targets.length === 0) throw new Error(`targets are ${TARGETS.map(({ name }) => name)}`);
const { feed: folder } = values;
const fed = (folder === undefined ? [] : readdirSync(folder))
  .map((file) => join(folder as string, file))
  .filter((file) => statSync(file).isFile())
  .map((file) => new Uint8Array(readFileSync(file)));
console.log(`seed ${seed}`);
for (const target of targets) await fuzz(target);

async function fuzz(target: Target): Promise<void> {
  if (values.input !== undefined) {
    target.execute(Buffer.from(values.input, "hex"), (state) => console.log(state));
    return;
  }
  const { stackTraceLimit } = Error;
  try {
    // Most inputs end in an error, and to note where costs more than all the rest.
    Error.stackTraceLimit = 0;
    await run(target);
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    Error.stackTraceLimit = stackTraceLimit;
    console.log(`${error.message}\nfound by seed ${seed}; shrunk, and with a stack, by`);
    console.log(`  --target ${target.name} --input ${Buffer.from(error.shrunk()).toString("hex")}`);
    process.exitCode = 1;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function run(target: Target): Promise<void> {
  const fuzzer = new Fuzzer(target, seed);
  const known = fuzzer.pool.length;
  const start = performance.now();
  for (const octets of fed) fuzzer.feed(octets);
  const end = start + 1000 * Number(values.seconds);
  const most = Number(values.executions);
  while (fuzzer.executions < most && performance.now() < end) {
    for (let i = 0; i < 256 && fuzzer.executions < most; i++) fuzzer.step();
    // What a FinalizationRegistry holds of sockets that are gone, it lets go of in a turn of its own.
    await setImmediate();
  }
  const rate = fuzzer.executions / ((performance.now() - start) / 1000);
  console.log(`${target.name}: ${fuzzer.executions} executions, ${Math.round(rate)} a second`);
  console.log(`  reached ${target.states.filter((state) => fuzzer.reached.has(state)).join(", ")}`);
  console.log(`  not reached: ${fuzzer.missing.join(", ") || "nothing"}`);
  const strange = [...fuzzer.reached].filter((state) => !target.states.includes(state));
  if (strange.length > 0) throw new Error(`${target.name} does not list ${strange}`);
  if (values.collect) collect(target, fuzzer.pool.slice(known));
}

function collect(target: Target, inputs: readonly Uint8Array[]): void {
  const folder = corpusFolder(target);
  mkdirSync(folder, { recursive: true });
  for (const input of inputs) {
    const name = createHash("sha256").update(input).digest("hex").slice(0, 12);
    writeFileSync(join(folder, name), input);
  }
}
