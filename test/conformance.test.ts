import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

interface Row {
  /** A test file of libzmq's. */
  theirs: string;
  /** A file and a title each; none where the row says why. */
  ours: { file: string; title: string }[];
  reason: string;
}

const rows: Row[] = [
  ...readFileSync(join(root, "docs/conformance.md"), "utf8").matchAll(/^\| `(\w+)` \| (.*) \|$/gm),
].map(([, theirs = "", cell = ""]) => {
  const ours = cell
    .split("<br>")
    .map((line) => /^`(test\/[\w./-]+\.test\.ts)`: (.+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, file = "", title = ""]) => ({ file, title: title.replaceAll("\\|", "|") }));
  return { theirs, ours, reason: ours.length > 0 ? "" : cell };
});

describe("docs/conformance.md", () => {
  it("has a row for each of libzmq's test files that we know of, and each once", () => {
    expect(rows.length).toBe(111);
    expect(new Set(rows.map(({ theirs }) => theirs)).size).toBe(rows.length);
  });

  it.each(rows.filter(({ ours }) => ours.length > 0))("$theirs: the tests exist", ({ ours }) => {
    for (const { file, title } of ours) {
      expect(readFileSync(join(root, file), "utf8")).toContain(title);
    }
  });

  it.each(rows.filter(({ ours }) => ours.length === 0))("$theirs: says why not", ({ reason }) => {
    expect(reason).toMatch(/^(does not apply|not yet)/);
  });
});
