import { configDefaults, defineConfig } from "vitest/config";

const everything = { statements: 100, branches: 100, functions: 100, lines: 100 };
const nearly = { statements: 95, branches: 95, functions: 95, lines: 95 };

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [
      ...configDefaults.exclude,
      "test/peers/**",
      "test/package/**",
      // A run of their own, for they take as long as all the others: vitest.hostile.config.ts.
      "test/faults/**",
      "test/hostile/**",
      "test/hostile-memory/**",
      "test/memory/**",
    ],
    pool: "forks",
    // On two cores the default is one; most of the time goes by in waiting for sockets.
    maxWorkers: 2,
    execArgv: ["--expose-gc"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      reporter: ["text", "html", "json-summary"],
      thresholds: {
        "src/zmtp/**": everything,
        "src/transport/**": nearly,
        "src/socket/**": nearly,
        "src/*.ts": nearly,
      },
    },
  },
});
