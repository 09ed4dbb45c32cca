/** A message of 100 B from send to receive: where its time goes, on either side. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runPair } from "../children.js";
import { ringFor } from "../load.js";
import { measureSteps, type Steps } from "../micro/steps.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, type Section } from "../report.js";
import { type Api, ourEntry } from "../rivals.js";
import { spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/path.mjs", import.meta.url));
const size = 100;
const messagesPerSecond = 2_000_000;

/** CPU of one side, in seconds. */
interface Account {
  user: number;
  system: number;
  collections: number;
}

interface PathRun {
  api: Api;
  count: number;
  send: Account;
  receive: Account;
  steps: Steps;
}

type Step = [what: string, nanos: (run: PathRun) => number];

const ours: Record<"send" | "receive", Step[]> = {
  send: [
    ["the loop awaits what has settled", awaited("awaitSettled")],
    ["header and octets into the slab", ({ steps }) => steps.encode],
  ],
  receive: [
    ["out of what was read: judged, and copied to a part of its own", ({ steps }) => steps.decode],
    ["into the pipe by its marks, and out", ({ steps }) => steps.pipe],
    ["the loop awaits a promise of it", awaited("awaitMessage")],
  ],
};

export async function* path({ rounds, runSeconds }: Options): AsyncGenerator<Section> {
  const count = Math.round(messagesPerSecond * runSeconds);
  const runs = { await: [] as PathRun[], try: [] as PathRun[] };
  for (let round = 0; round < rounds; round++)
    for (const api of ["await", "try"] as const) runs[api].push(await runPath(api, count));
  for (const side of ["send", "receive"] as const) {
    yield {
      title: `A message of ${size} B, PAIR tcp: nanoseconds to ${side} it`,
      table: [
        ["", names.awaiting, names.draining],
        ...linesOf(side).map(([what, nanos]) => [
          what,
          ...[runs.await, runs.try].map((of) => formatNumber(spreadOf(of, nanos).median)),
        ]),
      ],
      judgements: [],
      failures: new Map(),
      runs: new Map([
        [names.awaiting, runs.await],
        [names.draining, runs.try],
      ]),
    };
  }
}

function linesOf(side: "send" | "receive"): Step[] {
  const perMessage = (run: PathRun, seconds: number): number => (seconds / run.count) * 1e9;
  const steps = ours[side];
  return [
    ...steps,
    ["collections of garbage", (run) => perMessage(run, run[side].collections)],
    [
      "the rest of our code: socket, turn, session, connection, streams",
      (run) =>
        perMessage(run, run[side].user - run[side].collections) -
        steps.reduce((sum, [, nanos]) => sum + nanos(run), 0),
    ],
    ["the operating system", (run) => perMessage(run, run[side].system)],
    ["**all**", (run) => perMessage(run, run[side].user + run[side].system)],
  ];
}

async function runPath(api: Api, count: number): Promise<PathRun> {
  const steps = await measureSteps(size);
  const words = [size, count, ringFor({ size, frames: 1 }), ourEntry, api];
  const { binder: receive, connector: send } = await runPair<Account, Account>(
    nodeCommand(program, "receive", freshEndpoint("tcp"), ...words),
    (endpoint) => nodeCommand(program, "send", endpoint, ...words),
  );
  return { api, count, send, receive, steps };
}

/** Who drains awaits nothing. */
function awaited(step: "awaitSettled" | "awaitMessage"): (run: PathRun) => number {
  return ({ api, steps }) => (api === "await" ? steps[step] : 0);
}
