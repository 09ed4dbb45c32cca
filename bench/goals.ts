/** What the rows must reach. */
import type { Spread } from "./statistics.js";

export type Goal = { atLeast: number } | { atMost: number };

export type Pattern = "pair" | "pipeline" | "request";
export type ThroughputPattern = Exclude<Pattern, "request">;
export type LatencyPattern = Exclude<Pattern, "pipeline">;

/** Times the rate of npm zeromq in the same run, by message size in bytes. */
export const rateGoals: Record<
  ThroughputPattern,
  Record<"awaiting" | "draining", Record<number, Goal>>
> = {
  pair: {
    awaiting: {
      10: { atLeast: 8 },
      100: { atLeast: 7 },
      1024: { atLeast: 4 },
      65536: { atLeast: 1 },
      1048576: { atLeast: 1 },
    },
    draining: {
      10: { atLeast: 14 },
      100: { atLeast: 10 },
      1024: { atLeast: 5 },
      65536: { atLeast: 1 },
      1048576: { atLeast: 1 },
    },
  },
  pipeline: { awaiting: { 100: { atLeast: 7 } }, draining: {} },
};

export const goals = {
  /** Times the round trip of a bare echo. */
  roundTrip: { atMost: 1.3 },
  /** Times what a round trip takes npm zeromq: REQ to REP, and many DEALERs to one ROUTER. */
  request: { atMost: 0.6 },
  /** Times what npm zeromq delivers in a second: PUB to 1, 10 and 100 SUBs. */
  deliveries: { atLeast: 6 },
  /** MB over the receiver at rest. */
  storyMemory: { atMost: 64 },
  /** Per cent of the ticks that were due. */
  storyTicker: { atLeast: 90 },
  storyLatenessMs: { atMost: 15 },
  /** What the library promises to any timer of the process. */
  fairnessLatenessMs: { atMost: 10 },
  packedKilobytes: { atMost: 300 },
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
