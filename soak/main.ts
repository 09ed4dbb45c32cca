// npm run soak -- [--minutes N | --seconds N] [--seed S] [--json]
//
// Many clients of mixed types and mechanisms, ours and libzmq's, connect, talk, stall, reset and vanish at random against one process,
// for N minutes (1), some of them over wires that are cut, some with a login that must never let them in. Numbered messages prove that
// nothing was lost beyond what patterns.ts allows, nor came twice; what the process holds returns to the start line. A seed leads to the
// same decisions, though not to the same timing.
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { report } from "./report.js";
import { Storm } from "./storm.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seconds: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const seconds = Number(values.seconds ?? 60 * Number(values.minutes));
const seed = values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(seed)) throw new Error("a length, or a seed, is no number");
if (!values.json) console.log(`seed ${seed}, ${seconds} s`);

const folder = mkdtempSync(join(tmpdir(), "purezmq-soak-"));
const storm = new Storm(seed, folder);
try {
  const result = await storm.run(1000 * seconds);
  console.log(values.json ? JSON.stringify({ seed, seconds, ...result }) : report(result));
  process.exitCode = result.violations.length > 0 ? 1 : 0;
} finally {
  storm.end();
  rmSync(folder, { recursive: true, force: true });
}
