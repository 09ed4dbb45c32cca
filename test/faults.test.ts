import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const table = readFileSync(join(root, "docs/faults.md"), "utf8");
const rows = [...table.matchAll(/^\| (.+) \| (.+) \| (`.+) \|$/gm)].map(
  ([, fault = "", , cell = ""]) => ({ fault, cell }),
);

describe("docs/faults.md", () => {
  it.each(rows)("$fault: the tests exist", ({ cell }) => {
    for (const line of cell.split("<br>")) {
      const [, file = "", title = ""] = /^`(test\/[\w./-]+\.test\.ts)`: (.+)$/.exec(line) ?? [];
      expect(readFileSync(join(root, file), "utf8")).toContain(title);
    }
  });

  it("names every file of the folder, but for the relay's own", () => {
    const files = readdirSync(join(root, "test/faults")).filter((it) => it.endsWith(".test.ts"));
    const missing = files.filter((file) => !table.includes(`test/faults/${file}`));
    expect(missing).toEqual(["relay.test.ts"]);
  });
});
