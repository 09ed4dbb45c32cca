/** Who runs when: all rivals take turns, so that a disturbance of the machine hits them alike. */

export interface Contestant<Run> {
  name: string;
  run: () => Promise<Run>;
}

export interface Contest<Run> {
  /** The runs of each contestant that came through, round by round. */
  runs: Map<string, Run[]>;
  /** Contestants that broke down, with the reason; they have no figures. */
  failures: Map<string, string>;
}

/** A B C A B C ...: one run of each in every round. */
export async function interleave<Run>(
  contestants: Contestant<Run>[],
  rounds: number,
): Promise<Contest<Run>> {
  const runs = new Map<string, Run[]>(contestants.map(({ name }) => [name, []]));
  const failures = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contestants) {
      if (failures.has(name)) continue;
      try {
        runs.get(name)?.push(await run());
      } catch (error) {
        failures.set(name, messageOf(error));
        runs.delete(name);
      }
    }
  }
  return { runs, failures };
}

/** A contest in which each rival is given as much work as it does in `runSeconds`, found by runs that do not count. */
export async function calibratedContest<Run extends { seconds: number }>(
  rivals: { name: string; run: (count: number) => Promise<Run> }[],
  { firstCount, runSeconds, rounds }: { firstCount: number; runSeconds: number; rounds: number },
): Promise<Contest<Run>> {
  const counts = new Map<string, number>();
  const calibrated = rivals.map(({ name, run }) => ({
    name,
    run: async () => {
      const count = counts.get(name) ?? (await calibrate(run, firstCount, runSeconds));
      counts.set(name, count);
      return run(count);
    },
  }));
  return interleave(calibrated, rounds);
}

/** Shorter runs than this share of the wanted time say little about the rate. */
const tellingShare = 0.2;
/** The most that a count may grow at once: the first run may have been mostly start-up. */
const largestStep = 20;

async function calibrate(
  run: (count: number) => Promise<{ seconds: number }>,
  firstCount: number,
  runSeconds: number,
): Promise<number> {
  let count = firstCount;
  for (;;) {
    const { seconds } = await run(count);
    const step = Math.min(largestStep, runSeconds / Math.max(seconds, 1e-6));
    count = Math.max(2, Math.round(count * step));
    if (seconds >= runSeconds * tellingShare) return count;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
