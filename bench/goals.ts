/** What the rows must reach. */
import type { Load, Mechanism, ThroughputPattern } from "./load.js";
import { type Name, names } from "./names.js";
import type { Spread } from "./statistics.js";

export type Goal = { atLeast: number } | { atMost: number };

export type LatencyPattern = "pair" | "request";

/** What our rate has to be, in rates of a rival in the same run. */
interface RateGoal {
  pattern: ThroughputPattern;
  mechanism: Mechanism;
  size: number;
  ours: Name;
  rival: Name;
  atLeast: number;
}

type Rates = Record<number, [awaiting: number, draining?: number]>;

const rateGoals: RateGoal[] = [
  ...rates("pair", "null", names.npm, {
    10: [8, 14],
    100: [7, 10],
    1024: [4, 5],
    65536: [1, 1],
    1048576: [1, 1],
  }),
  ...rates("pair", "null", names.libzmq, {
    10: [0.7, 1.3],
    100: [1, 1.4],
    1024: [1.5, 2.2],
    65536: [1, 1],
    1048576: [1, 1],
  }),
  ...rates("pair", "null", names.bare, { 65536: [0.75, 0.75], 1048576: [0.75, 0.75] }),
  ...rates("pipeline", "null", names.npm, { 100: [7] }),
  ...rates("pair", "curve", names.npm, {
    100: [1.3],
    1024: [1.2],
    65536: [0.8],
    1048576: [0.6],
  }),
];

function rates(
  pattern: ThroughputPattern,
  mechanism: Mechanism,
  rival: Name,
  bySize: Rates,
): RateGoal[] {
  return Object.entries(bySize).flatMap(([size, [awaiting, draining]]) =>
    [
      { ours: names.awaiting, atLeast: awaiting },
      { ours: names.draining, atLeast: draining },
    ].flatMap(({ ours, atLeast }) =>
      atLeast === undefined
        ? []
        : [{ pattern, mechanism, size: Number(size), ours, rival, atLeast }],
    ),
  );
}

/** The goal of what `ours` does with a load beside `rival`, if there is one. */
export function rateGoal(load: Load, ours: string, rival: string): Goal | undefined {
  if (load.frames !== 1) return undefined;
  return rateGoals.find(
    (goal) =>
      goal.pattern === load.pattern &&
      goal.mechanism === load.mechanism &&
      goal.size === load.size &&
      goal.ours === ours &&
      goal.rival === rival,
  );
}

export const goals = {
  /** Times the round trip of a bare echo, and of libzmq in C. */
  roundTrip: { atMost: 1.15 },
  roundTripToLibzmq: { atMost: 0.7 },
  /** Times what a round trip takes npm zeromq: REQ to REP, and many DEALERs to one ROUTER. */
  request: { atMost: 0.6 },
  /** Times what npm zeromq, and libzmq in C, deliver in a second: PUB to SUBs. */
  deliveries: { atLeast: 6 },
  deliveriesToLibzmq: { atLeast: 1 },
  /** Messages a second from socket to socket in one thread, drained. */
  inproc: { atLeast: 5e6 },
  /** Kilobytes of memory for each peer that says nothing. */
  idlePeer: { atMost: 16 },
  /** Bytes beside its own that a message of 100 costs while it waits. */
  queuedMessage: { atMost: 200 },
  /** MB over the receiver at rest. */
  storyMemory: { atMost: 48 },
  /** Per cent of the ticks that were due. */
  storyTicker: { atLeast: 90 },
  storyLatenessMs: { atMost: 12 },
  /** What the library promises to any timer of the process. */
  fairnessLatenessMs: { atMost: 10 },
  packedKilobytes: { atMost: 425 },
} satisfies Record<string, Goal>;

/** Milliseconds that importing the package may take, given what importing node:net takes. */
export function importGoal(nodeNetMs: number): Goal {
  return { atMost: 1.5 * nodeNetMs + 15 };
}

/** One figure beside its goal; without a goal it is only told. */
export interface Judgement {
  what: string;
  measured: Spread;
  unit: string;
  goal?: Goal | undefined;
}

export function reached({ measured, goal }: Judgement): boolean | undefined {
  if (goal === undefined) return undefined;
  return "atLeast" in goal ? measured.median >= goal.atLeast : measured.median <= goal.atMost;
}

/** The judgement of something that must hold in every run: its worst value stands for all. */
export function worst(measured: Spread, goal: Goal): Spread {
  return { ...measured, median: "atLeast" in goal ? measured.low : measured.high };
}
