/** How large the package is that npm would publish. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { goals } from "../goals.js";
import { formatNumber, type Section } from "../report.js";
import { spread } from "../statistics.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Packed {
  size: number;
  unpackedSize: number;
  entryCount: number;
}

export async function* packedSize(): AsyncGenerator<Section> {
  const { size, unpackedSize, entryCount } = pack();
  yield {
    title: "The packed package",
    table: [
      ["", "KB packed", "KB unpacked", "files"],
      ["purezmq", formatNumber(size / 1e3), formatNumber(unpackedSize / 1e3), String(entryCount)],
    ],
    judgements: [
      {
        what: "packed size",
        measured: spread([size / 1e3]),
        unit: " KB",
        goal: goals.packedKilobytes,
      },
    ],
    failures: new Map(),
    runs: new Map([["purezmq", [{ size, unpackedSize, entryCount }]]]),
  };
}

/** The bench has built already: scripts would only build again, and print between the JSON. */
function pack(): Packed {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [packed] = JSON.parse(output) as Packed[];
  if (packed === undefined) throw new Error("npm pack told nothing");
  return packed;
}
