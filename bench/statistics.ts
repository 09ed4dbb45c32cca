/** Medians with their spread. */

export interface Spread {
  median: number;
  low: number;
  high: number;
}

export function spread(values: number[]): Spread {
  if (values.length === 0) throw new Error("no values");
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] as number;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] as number;
  return { median: (lower + upper) / 2, low: sorted[0] as number, high: sorted.at(-1) as number };
}

export function spreadOf<Run>(runs: Run[], figure: (run: Run) => number): Spread {
  return spread(runs.map(figure));
}

/** Round by round: neighbours in time share the machine's mood, medians of all rounds do not. */
export function quotientsOf<Run>(
  dividends: Run[],
  divisors: Run[],
  figure: (run: Run) => number,
): number[] {
  const rounds = Math.min(dividends.length, divisors.length);
  return dividends
    .slice(0, rounds)
    .map((run, round) => figure(run) / figure(divisors[round] as Run));
}
