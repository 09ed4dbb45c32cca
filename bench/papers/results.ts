/** Results of the bench, as `--json` has written them. */
import { readFileSync } from "node:fs";
import type { Goal } from "../goals.js";
import type { Machine } from "../machine.js";
import type { Options, RowName } from "../options.js";
import type { Spread } from "../statistics.js";

export interface Result {
  row: RowName;
  title: string;
  subject?: Record<string, unknown>;
  table: string[][];
  judgements: {
    what: string;
    measured: Spread;
    unit: string;
    goal?: Goal;
    reached?: boolean;
  }[];
  failures: Record<string, string>;
  runs: Record<string, Record<string, number>[]>;
}

export interface Results {
  machine: Machine;
  options: Options;
  sections: Result[];
}

export function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, "utf8")) as Results;
}
