import { defineConfig } from "vitest/config";

/** What hostile peers leave behind: 1,000 of each, which takes its time. */
export default defineConfig({
  test: {
    include: ["test/hostile-memory/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
