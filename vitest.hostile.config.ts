import { defineConfig } from "vitest/config";

/** The table of hostile inputs, whole; and what 1,000 of each leave behind. Both take their time. */
export default defineConfig({
  test: {
    include: ["test/hostile-memory/**/*.test.ts", "test/hostile/mechanisms.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    execArgv: ["--expose-gc"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
