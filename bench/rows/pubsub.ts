/** One PUB, 1 to 100 SUBs: deliveries a second, on the subscribers' clock. */
import { fileURLToPath } from "node:url";
import { nodeCommand, runPair } from "../children.js";
import { calibratedContest } from "../contest.js";
import { goals, type Judgement } from "../goals.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { awaiting, draining, type Library, names, npm } from "../rivals.js";
import { quotientsOf, type Spread, spread, spreadOf } from "../statistics.js";

const program = fileURLToPath(new URL("../peers/pubsub.mjs", import.meta.url));
export const subscriberCounts = [1, 10, 100];
const size = 100;
/** More bodies than a queue holds messages: one that is lost or comes twice is noticed. */
const ring = 1_009;
const firstDeliveries = 20_000;

export interface DeliveryFigures {
  /** Messages published; each goes to every subscriber. */
  count: number;
  /** From the first message that any subscriber receives to the last of all. */
  seconds: number;
  deliveriesPerSecond: number;
  publisherCpuPerMillion: number;
  subscriberCpuPerMillion: number;
}

export async function* publishSubscribe(options: Options): AsyncGenerator<Section> {
  for (const subscribers of subscriberCounts) yield await deliveriesTo(subscribers, options);
}

async function deliveriesTo(subscribers: number, options: Options): Promise<Section> {
  const contest = await calibratedContest(
    [awaiting, draining, npm].map((library) => ({
      name: library.name,
      run: (count: number) => runDeliveries(library, subscribers, count),
    })),
    { firstCount: firstDeliveryCount(subscribers), ...options },
  );
  const title = deliveriesTitle(subscribers);
  const divisors = contest.runs.get(names.npm);
  return sectionOf(title, contest, {
    table: [
      ["", "deliveries/s", "CPU s per M deliveries (PUB + SUBs)", "x npm zeromq"],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(median(runs, "deliveriesPerSecond")),
        `${formatNumber(median(runs, "publisherCpuPerMillion"))} + ${formatNumber(median(runs, "subscriberCpuPerMillion"))}`,
        divisors === undefined ? "" : formatSpread(rateRatios(runs, divisors)),
      ]),
    ],
    judgements: [awaiting, draining].flatMap(judge),
  });

  /** The goal speaks of awaiting; draining is told beside it. */
  function judge({ name, api }: Library): Judgement[] {
    const ours = contest.runs.get(name);
    if (ours === undefined || divisors === undefined) return [];
    const goal = api === "await" ? goals.deliveries : undefined;
    const what = `${title}, ${name}, to npm zeromq`;
    return [{ what, measured: rateRatios(ours, divisors), unit: " x", goal }];
  }
}

export function deliveriesTitle(subscribers: number): string {
  return `PUB to ${subscribers} ${subscribers === 1 ? "SUB" : "SUBs"} tcp, ${size} B`;
}

export function firstDeliveryCount(subscribers: number): number {
  return firstDeliveries / subscribers;
}

export async function runDeliveries(
  { entry, api }: Pick<Library, "entry" | "api">,
  subscribers: number,
  count: number,
): Promise<DeliveryFigures> {
  const command = (role: string, endpoint: string) =>
    nodeCommand(program, role, endpoint, subscribers, size, count, ring, entry, api);
  const { binder: publisher, connector: subscriber } = await runPair<
    { cpuSeconds: number },
    { seconds: number; cpuSeconds: number }
  >(command("publish", freshEndpoint("tcp")), (endpoint) => command("subscribe", endpoint));
  const { seconds } = subscriber;
  const deliveries = count * subscribers;
  return {
    count,
    seconds,
    deliveriesPerSecond: (deliveries - 1) / seconds,
    publisherCpuPerMillion: (publisher.cpuSeconds / deliveries) * 1e6,
    subscriberCpuPerMillion: (subscriber.cpuSeconds / deliveries) * 1e6,
  };
}

function rateRatios(runs: DeliveryFigures[], divisors: DeliveryFigures[]): Spread {
  return spread(quotientsOf(runs, divisors, (run) => run.deliveriesPerSecond));
}

function median(runs: DeliveryFigures[], figure: keyof DeliveryFigures): number {
  return spreadOf(runs, (run) => run[figure]).median;
}
