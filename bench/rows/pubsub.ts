/** One PUB, 1 to 1,000 SUBs: deliveries a second, on the subscribers' clock. */
import { runPair } from "../children.js";
import { calibratedContest } from "../contest.js";
import { type Goal, goals, type Judgement } from "../goals.js";
import { names } from "../names.js";
import type { Options } from "../options.js";
import { freshEndpoint } from "../rendezvous.js";
import { formatNumber, formatSpread, type Section, sectionOf } from "../report.js";
import { type PublishingRival, publishingRivals } from "../rivals.js";
import { quotientsOf, type Spread, spread, spreadOf } from "../statistics.js";

export const subscriberCounts = [1, 10, 100, 1_000];
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
    publishingRivals().map((rival) => ({
      name: rival.name,
      run: (count: number) => runDeliveries(rival, subscribers, count),
    })),
    { firstCount: firstDeliveryCount(subscribers), ...options },
  );
  const title = deliveriesTitle(subscribers);
  const rivals = [
    { rival: names.npm, goal: goals.deliveries },
    { rival: names.libzmq, goal: goals.deliveriesToLibzmq },
  ].filter(({ rival }) => contest.runs.has(rival));
  return sectionOf(title, contest, {
    table: [
      [
        "",
        "deliveries/s",
        "CPU s per M deliveries (PUB + SUBs)",
        ...rivals.map(({ rival }) => `x ${rival}`),
      ],
      ...[...contest.runs].map(([name, runs]) => [
        name,
        formatNumber(median(runs, "deliveriesPerSecond")),
        `${formatNumber(median(runs, "publisherCpuPerMillion"))} + ${formatNumber(median(runs, "subscriberCpuPerMillion"))}`,
        ...rivals.map(({ rival }) =>
          formatSpread(rateRatios(runs, contest.runs.get(rival) as DeliveryFigures[])),
        ),
      ]),
    ],
    subject: { subscribers },
    judgements: [names.awaiting, names.draining].flatMap((name) =>
      rivals.flatMap(({ rival, goal }) => judge(name, rival, goal)),
    ),
  });

  /** The goals speak of awaiting, and of 1 to 100; the rest is told beside it. */
  function judge(name: string, rival: string, goal: Goal): Judgement[] {
    const ours = contest.runs.get(name);
    const theirs = contest.runs.get(rival);
    if (ours === undefined || theirs === undefined) return [];
    const isMeant = name === names.awaiting && subscribers <= 100;
    const what = `${title}, ${name}, to ${rival}`;
    return [
      { what, measured: rateRatios(ours, theirs), unit: " x", goal: isMeant ? goal : undefined },
    ];
  }
}

export function deliveriesTitle(subscribers: number): string {
  return `PUB to ${subscribers} ${subscribers === 1 ? "SUB" : "SUBs"} tcp, ${size} B`;
}

export function firstDeliveryCount(subscribers: number): number {
  return firstDeliveries / subscribers;
}

export async function runDeliveries(
  { command }: Pick<PublishingRival, "command">,
  subscribers: number,
  count: number,
): Promise<DeliveryFigures> {
  const run = { subscribers, size, count, ring };
  const { binder: publisher, connector: subscriber } = await runPair<
    { cpuSeconds: number },
    { seconds: number; cpuSeconds: number }
  >(command("publish", freshEndpoint("tcp"), run), (endpoint) =>
    command("subscribe", endpoint, run),
  );
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
