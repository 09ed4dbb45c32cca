/** The command line of `npm run bench` and `npm run bench:compare`. */
import { parseArgs } from "node:util";

export type Transport = "tcp" | "ipc";

export const rowNames = [
  "thr",
  "lat",
  "pushpull",
  "curve",
  "frames",
  "inproc",
  "pubsub",
  "dealer-router",
  "reqrep",
  "subscriptions",
  "idle-peers",
  "queue",
  "micro",
  "path",
  "story",
  "fair",
  "import",
  "size",
] as const;
export type RowName = (typeof rowNames)[number];

export interface Options {
  rows: RowName[];
  /** Message sizes of PAIR's throughput, in bytes. */
  sizes: number[];
  transports: Transport[];
  rounds: number;
  /** How long one run of throughput or round trips should take. */
  runSeconds: number;
  quick: boolean;
  /** Where the figures go as JSON; an empty string means a name of its own under bench/results. */
  json: string | undefined;
  positionals: string[];
}

export const usage = `
  --rows thr,lat,...                      which rows (all): PAIR: thr, lat, curve, frames, inproc; patterns: pushpull,
                                          pubsub, dealer-router, reqrep; how cost grows: subscriptions, idle-peers,
                                          queue; micro, path; story, fair, import, size
  --sizes 10,100,1024,65536,1048576       message sizes of the row thr in bytes, at least 4 (these)
  --transports tcp,ipc                    of the rows thr, lat, pushpull and reqrep (both)
  --rounds N                              how often each rival runs (5; quick: 3)
  --seconds N                             how long one run of throughput or round trips takes (3)
  --quick                                 runs of a quarter of a second: to see that all works, not to be quoted
  --json [FILE]                           write all figures (bench/results/DATE-COMMIT.json)
`;

/** A stamp of four bytes, by which order is verified, must fit. */
const smallestSize = 4;

export function readOptions(argv: string[]): Options {
  const { values, positionals } = parseArgs({
    args: withJsonValue(argv),
    allowPositionals: true,
    options: {
      rows: { type: "string", default: rowNames.join(",") },
      sizes: { type: "string", default: "10,100,1024,65536,1048576" },
      transports: { type: "string", default: "tcp,ipc" },
      rounds: { type: "string" },
      seconds: { type: "string", default: "3" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const quick = values.quick;
  return {
    rows: listOf("rows", values.rows, rowNames),
    sizes: values.sizes.split(",").map((size) => wholeNumber("sizes", size, smallestSize)),
    transports: listOf("transports", values.transports, ["tcp", "ipc"] as const),
    rounds: wholeNumber("rounds", values.rounds ?? (quick ? "3" : "5"), 1),
    runSeconds: quick ? 0.25 : wholeNumber("seconds", values.seconds, 1),
    quick,
    json: values.json,
    positionals,
  };
}

/** `parseArgs` knows no option whose value may be left out. */
function withJsonValue(argv: string[]): string[] {
  return argv.flatMap((argument, index) => {
    const next = argv[index + 1];
    const alone = argument === "--json" && (next === undefined || next.startsWith("--"));
    return alone ? ["--json="] : [argument];
  });
}

function listOf<T extends string>(option: string, text: string, known: readonly T[]): T[] {
  return text.split(",").map((name) => {
    const found = known.find((candidate) => candidate === name);
    if (found === undefined) throw new Error(`--${option}: ${name} is none of ${known.join(", ")}`);
    return found;
  });
}

function wholeNumber(option: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least)
    throw new Error(`--${option}: ${text} is no whole number >= ${least}`);
  return number;
}
