/** What is sent in a run of throughput, and which way. */
import type { Transport } from "./options.js";
import { formatSize } from "./report.js";

export type ThroughputPattern = "pair" | "pipeline";
export type Mechanism = "null" | "curve";

export interface Load {
  pattern: ThroughputPattern;
  transport: Transport;
  mechanism: Mechanism;
  /** Of each frame, in bytes. */
  size: number;
  frames: number;
}

const titles: Record<ThroughputPattern, string> = { pair: "PAIR", pipeline: "PUSH/PULL" };

export function titleOf({ pattern, transport, mechanism, size, frames }: Load): string {
  const secured = mechanism === "curve" ? " CURVE" : "";
  const times = frames === 1 ? "" : `${frames} x `;
  return `${titles[pattern]} ${transport}${secured}, ${times}${formatSize(size)}`;
}

/** A first guess of how many messages make a run, from which calibration starts. */
export function firstCount({ size, frames }: Load): number {
  const bytes = size * frames;
  if (bytes <= 4_096) return 20_000;
  return bytes <= 131_072 ? 1_000 : 100;
}

/**
 * How many different bodies take turns. Primes, so that no batch of a round number can be lost or doubled unnoticed;
 * more than the high-water mark of 1,000 where that costs a megabyte at most.
 */
export function ringFor({ size, frames }: Pick<Load, "size" | "frames">): number {
  const bytes = size * frames;
  if (bytes <= 1_024) return 1_009;
  return bytes <= 131_072 ? 31 : 3;
}
