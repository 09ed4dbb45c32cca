import { rowOf } from "./patterns.js";
import type { Resources } from "./protocol.js";
import type { Result } from "./storm.js";
import type { Line } from "./verdict.js";

const COLUMNS: [string, (line: Line) => string][] = [
  ["row", ({ row }) => row],
  ["messages", ({ messages }) => String(messages)],
  ["connections", ({ connections }) => String(connections)],
  ["cuts", ({ cuts }) => String(cuts)],
  ["losses allowed", ({ allowed }) => (Number.isFinite(allowed) ? String(allowed) : "any")],
  ["found", ({ found }) => String(found)],
  ["messages missed", ({ missed }) => String(missed)],
];

/** What a person reads. */
export function report({ lines, intrusions, raw, killed, resources, violations }: Result): string {
  const cells = [
    COLUMNS.map(([name]) => name),
    ...lines.map((line) => COLUMNS.map(([, of]) => of(line))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...cells.map((row) => (row[i] as string).length)));
  const table = cells.map((row) =>
    row
      .map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number),
      )
      .join("  "),
  );
  return [
    ...table,
    "",
    ...new Set(
      lines.map(({ row }) => `${rowOf(row).pattern.name}: may lose ${rowOf(row).pattern.allowed}`),
    ),
    "",
    ...intrusions.map(({ mechanism, tried, refused }) => {
      const kinds = Object.entries(tried).map(([wrong, count]) => `${count} with ${wrong}`);
      return `${mechanism}: clients that must not get in: ${kinds.join(", ")}; ${refused} refused by judges`;
    }),
    `${raw} raw peers, ${killed} client processes killed`,
    ...Object.entries(resources).map(([when, it]) => `${when.padEnd(7)} ${show(it)}`),
    "",
    ...(violations.length === 0 ? ["no violations"] : violations.map((it) => `VIOLATION ${it}`)),
  ].join("\n");
}

function show({ rss, heapUsed, external, handles, timers, descriptors }: Resources): string {
  const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  return (
    `RSS ${mb(rss)}, heap ${mb(heapUsed)}, external ${mb(external)}, ` +
    `${handles} handles, ${timers} timers, ${descriptors} descriptors`
  );
}
