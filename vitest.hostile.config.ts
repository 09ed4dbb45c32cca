import { defineConfig } from "vitest/config";

/**
 * A world that means no good: peers, wires, and what both leave in memory. It takes as long as all the other tests.
 * First the wires, by themselves: dialers that try again and again find what listens meanwhile on a port that was theirs.
 */
const GROUPS = [["faults"], ["hostile", "hostile-memory", "memory"]];

export default defineConfig({
  test: {
    projects: GROUPS.map((folders, groupOrder) => ({
      test: {
        name: folders[0]!,
        include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
        pool: "forks",
        maxWorkers: 2,
        execArgv: ["--expose-gc"],
        testTimeout: 60_000,
        hookTimeout: 60_000,
        sequence: { groupOrder },
      },
    })),
  },
});
