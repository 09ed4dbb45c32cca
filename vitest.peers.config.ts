import { defineConfig } from "vitest/config";

/** Tests against peers that have to be installed first: PyZMQ. */
export default defineConfig({
  test: {
    include: ["test/peers/**/*.test.ts"],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
