/**
 * Draws two runs as an SVG: the memory of both receivers, and the ticks of both tickers.
 *
 * The same runs give the same picture. It brings its own ground, in a light and a dark dress, so that
 * it is legible wherever it is shown.
 */
import { cpus } from "node:os";
import { decimals, megabytes } from "./figures.js";
import type { Run, Sample } from "./run.js";
import { workload } from "./settings.js";

const width = 960;
const height = 430;
const plot = { top: 122, height: 236, width: 288 };
const bottom = plot.top + plot.height;
const margin = 32;

const light = {
  ground: "#ffffff",
  edge: "#d1d9e0",
  text: "#1f2328",
  soft: "#59636e",
  grid: "#e8ecf0",
  due: "#d1d9e0",
  ours: "#0969da",
  theirs: "#bc4c00",
};
const dark: typeof light = {
  ground: "#0d1117",
  edge: "#30363d",
  text: "#e6edf3",
  soft: "#9198a1",
  grid: "#21262d",
  due: "#3d444d",
  ours: "#58a6ff",
  theirs: "#f0883e",
};

type Who = "ours" | "theirs";

interface Curve {
  who: Who;
  name: string;
  /** What the label at the end of the curve says. */
  told: string;
  points: [seconds: number, value: number][];
}

interface Diagram {
  left: number;
  heading: string;
  unit: string;
  curves: Curve[];
  /** Where a perfect receiver would end; drawn as a pale line from the origin. */
  due?: number;
}

interface Scale {
  steps: number[];
  top: number;
}

export function chart(ours: Run, theirs: Run): string {
  const seconds = Math.max(ours.last.elapsedMs, theirs.last.elapsedMs) / 1e3;
  const memory = ({ last }: Run): string =>
    `peak ${megabytes(last.peakBytes)}${last.end === "memory" ? ", stopped" : ""}`;
  const ticks = ({ last }: Run): string => `${decimals(last.ticks)} of ${decimals(last.dueTicks)}`;
  const title = `${megabytes(workload.messageBytes)} messages flood in, each takes ${workload.workMs} ms of work`;

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title told">
<title id="title">${title}</title>
<desc id="told">After ${decimals(seconds, 1)} s, ${[ours, theirs]
    .map((run) => `${run.name}: memory ${memory(run)}, ticks ${ticks(run)}`)
    .join("; ")}.</desc>
<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif }
.title { font-size: 20px; font-weight: 600 }
.strong { font-weight: 600 }
.curve { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round }
.due { stroke-width: 8; stroke-linecap: round }
${dress(light)}
@media (prefers-color-scheme: dark) {
${dress(dark)}
}
</style>
<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
${text(margin, 42, title, "title")}
${text(margin, 66, "A libzmq sender over ipc, PAIR, high-water mark 1 on both sides; the same receiver program on either library.", "soft")}
${draw(
  {
    left: 88,
    heading: "Memory of the receiver",
    unit: "MB",
    curves: both(ours, theirs, memory, (sample) => sample.rssBytes / 1e6),
  },
  seconds,
)}
${draw(
  {
    left: 544,
    heading: `Ticks of its ${workload.tickMs} ms ticker`,
    unit: "",
    curves: both(ours, theirs, ticks, (sample) => sample.ticks),
    due: (seconds * 1e3) / workload.tickMs,
  },
  seconds,
)}
${text(margin, height - 18, `npm run demo: Node ${process.version}, ${cpus().length} cores, libzmq ${ours.libzmq}`, "soft")}
</svg>
`;
}

function dress(color: typeof light): string {
  return `.ground { fill: ${color.ground}; stroke: ${color.edge} }
text { fill: ${color.text} } text.soft { fill: ${color.soft} }
.grid { stroke: ${color.grid} } .due { stroke: ${color.due} }
.curve.ours { stroke: ${color.ours} } circle.ours, text.ours { fill: ${color.ours} }
.curve.theirs { stroke: ${color.theirs} } circle.theirs, text.theirs { fill: ${color.theirs} }`;
}

/** Ours last, so that it is drawn above. */
function both(
  ours: Run,
  theirs: Run,
  told: (run: Run) => string,
  value: (sample: Sample) => number,
): Curve[] {
  const curve = (who: Who, run: Run): Curve => ({
    who,
    name: run.name,
    told: told(run),
    points: run.samples.map((sample) => [sample.elapsedMs / 1e3, value(sample)]),
  });
  return [curve("theirs", theirs), curve("ours", ours)];
}

function draw({ left, heading, unit, curves, due = 0 }: Diagram, seconds: number): string {
  const values = curves.flatMap(({ points }) => points.map(([, value]) => value));
  const vertical = scale(Math.max(due, ...values));
  const x = (second: number): number => left + (second / seconds) * plot.width;
  const y = (value: number): number => bottom - (value / vertical.top) * plot.height;
  const lines: string[] = [text(left, plot.top - 24, heading, "strong")];

  for (const step of vertical.steps) {
    const label =
      step === vertical.steps.at(-1) && unit !== "" ? `${step} ${unit}` : decimals(step);
    lines.push(line("grid", left, y(step), left + plot.width, y(step)));
    lines.push(text(left - 10, y(step) + 4.5, label, "soft", "end"));
  }
  const wholeSeconds = scale(seconds).steps.filter((step) => step <= seconds);
  for (const step of wholeSeconds) {
    const label = step === wholeSeconds.at(-1) ? `${step} s` : `${step}`;
    lines.push(text(x(step), bottom + 22, label, "soft", "middle"));
  }
  if (due > 0) {
    lines.push(line("due", x(0), y(0), x(seconds), y(due)));
    lines.push(text(x(seconds * 0.55) - 12, y(due * 0.55) - 8, "ticks due", "soft", "end"));
  }
  for (const { who, points } of curves) {
    const path = points.map(([second, value]) => `${round(x(second))},${round(y(value))}`);
    lines.push(`<polyline class="curve ${who}" points="${path.join(" ")}"/>`);
  }
  lines.push(...endLabels(curves, x, y));
  return lines.join("\n");
}

/** Name and figure beside the end of each curve, moved apart where the ends are close. */
function endLabels(
  curves: Curve[],
  x: (second: number) => number,
  y: (value: number) => number,
): string[] {
  const lineHeight = 17;
  const labels = curves
    .map(({ who, name, told, points }) => {
      const [second, value] = points.at(-1)!;
      return { who, name, told, x: x(second), end: y(value), y: y(value) };
    })
    .sort((a, b) => a.y - b.y);
  const [upper, lower] = labels;
  upper!.y = Math.min(upper!.y, lower!.y - 2.4 * lineHeight);
  return labels.flatMap((label) => [
    `<circle class="${label.who}" cx="${round(label.x)}" cy="${round(label.end)}" r="4"/>`,
    text(label.x + 12, label.y - 3, label.name, `strong ${label.who}`),
    text(label.x + 12, label.y - 3 + lineHeight, label.told),
  ]);
}

/** Four to eight steps of 1, 2 or 5 times a power of ten, the last at or above the value. */
function scale(value: number): Scale {
  const rough = Math.max(value, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([5, 2, 1].find((factor) => factor * power <= rough) ?? 1);
  const count = Math.ceil(value / step);
  const steps = Array.from({ length: count + 1 }, (_, index) => index * step);
  return { steps, top: count * step };
}

function text(x: number, y: number, content: string, style = "", anchor = "start"): string {
  const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  const styled = style === "" ? "" : ` class="${style}"`;
  return `<text x="${round(x)}" y="${round(y)}"${styled}${anchored}>${content}</text>`;
}

function line(style: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${style}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

/** A tenth of a pixel is enough, and keeps the file small. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
