/** The pictures of docs/performance.md, as specifications for Vega-Lite. */
import type { TopLevelSpec } from "vega-lite";
import { names } from "../names.js";
import { spread } from "../statistics.js";
import type { Result } from "./results.js";

export interface Plot {
  /** Of the file, without its ending. */
  name: string;
  alt: string;
  spec: TopLevelSpec;
}

const width = 560;
const height = 300;
/** More points than these are a course of time: the axis tells seconds, not points. */
const ticksMax = 20;

/** The order in which rivals stand, and their colours; what is ours is blue. */
const colors: Record<string, string> = {
  [names.draining]: "#0550ae",
  [names.awaiting]: "#218bff",
  purezmq: "#0969da",
  [names.libzmq]: "#57606a",
  [names.npm]: "#bc4c00",
  [names.pyzmq]: "#bf8700",
  [names.bare]: "#8c959f",
};

interface Point {
  who: string;
  x: number;
  y: number;
}

export function plotsOf(results: Result[]): Plot[] {
  return [
    throughputPlot(results, "tcp"),
    throughputPlot(results, "ipc"),
    latencyPlot(results),
    memoryPlot(results),
    storyPlot(results, "megabytes", "story-memory", "MB of resident memory over rest"),
    storyPlot(results, "ticks", "story-ticker", "ticks of 10 ms that came"),
  ].filter((plot) => plot !== undefined);
}

function throughputPlot(results: Result[], transport: string): Plot | undefined {
  const points = results
    .filter(({ row, subject }) => row === "thr" && subject?.["transport"] === transport)
    .flatMap(({ runs, subject }) =>
      medians(runs, "messagesPerSecond").map(({ who, y }) => ({
        who,
        x: subject?.["size"] as number,
        y,
      })),
    );
  return lines(`throughput-${transport}`, points, {
    alt: `Messages a second by size, PAIR over ${transport}`,
    x: "bytes a message",
    y: "messages a second",
    scale: "log",
  });
}

function memoryPlot(results: Result[]): Plot | undefined {
  const runs = results.find(({ row }) => row === "idle-peers")?.runs as
    | Record<string, { levels: { count: number; rssBytes: number }[] }[]>
    | undefined;
  const points = Object.entries(runs ?? {}).flatMap(([who, runs]) =>
    (runs[0]?.levels ?? [])
      .filter(({ count }) => count > 1)
      .map(({ count }, level) => ({
        who,
        x: count,
        y: spread(
          runs.map(({ levels }) => {
            const some = levels.filter(({ count }) => count > 1);
            return (some[level]?.rssBytes ?? Number.NaN) / 1024;
          }),
        ).median,
      })),
  );
  return lines("memory", points, {
    alt: "Kilobytes of resident memory for each idle peer, by how many there are",
    x: "idle peers",
    y: "KB a peer",
    scale: "linear",
  });
}

/** The course of the first run of each. */
function storyPlot(
  results: Result[],
  figure: "megabytes" | "ticks",
  name: string,
  y: string,
): Plot | undefined {
  const section = results.find(({ row }) => row === "story");
  const runs = section?.runs as unknown as
    | Record<string, { course?: { seconds: number; megabytes: number; ticks: number }[] }[]>
    | undefined;
  const points = Object.entries(runs ?? {}).flatMap(([who, [run]]) =>
    (run?.course ?? []).map((point) => ({ who, x: point.seconds, y: point[figure] })),
  );
  const alt = `The story: a libzmq sender floods 1 MB messages, the receiver works 2 ms on each; ${y}`;
  return lines(name, points, { alt, x: "seconds", y, scale: "linear" });
}

function latencyPlot(results: Result[]): Plot | undefined {
  const shares = { medianMicros: "p50", p99Micros: "p99", p999Micros: "p99.9" };
  const section = results.find(
    ({ row, subject }) => row === "lat" && subject?.["transport"] === "tcp",
  );
  const values = Object.entries(shares).flatMap(([figure, share]) =>
    medians(section?.runs ?? {}, figure).map(({ who, y }) => ({ who, share, y })),
  );
  if (values.length === 0) return undefined;
  const alt = "Round trips of one byte, PAIR over tcp: median, 99th percentile and 99.9th";
  return {
    name: "latency",
    alt,
    spec: {
      ...frame(alt),
      data: { values },
      mark: { type: "bar" },
      encoding: {
        x: { field: "share", type: "nominal", title: null, axis: { labelAngle: 0 } },
        xOffset: { field: "who", sort: orderOf(values) },
        y: { field: "y", type: "quantitative", title: "µs" },
        color: colorOf(values),
      },
    },
  };
}

function lines(
  name: string,
  points: Point[],
  { alt, x, y, scale }: { alt: string; x: string; y: string; scale: "log" | "linear" },
): Plot | undefined {
  if (points.length === 0) return undefined;
  const values = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const isCourse = values.length > ticksMax;
  return {
    name,
    alt,
    spec: {
      ...frame(alt),
      data: { values: points },
      mark: { type: "line", point: !isCourse },
      encoding: {
        x: {
          field: "x",
          type: "quantitative",
          title: x,
          scale: { type: scale },
          axis: {
            ...(!isCourse && { values }),
            grid: false,
            labelExpr: "format(datum.value, ',')",
          },
        },
        y: { field: "y", type: "quantitative", title: y, scale: { type: scale } },
        color: colorOf(points),
      },
    },
  };
}

function frame(title: string) {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    title: { text: title, anchor: "start" as const, fontSize: 14 },
    width,
    height,
    background: "white",
    padding: 16,
    config: {
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis: { domain: false, tickSize: 0, labelPadding: 6 },
    },
  };
}

function colorOf(points: { who: string }[]) {
  const domain = orderOf(points);
  return {
    field: "who",
    type: "nominal" as const,
    title: null,
    scale: { domain, range: domain.map((who) => colors[who] as string) },
  };
}

/** Whoever has no colour is not drawn. */
function orderOf(points: { who: string }[]): string[] {
  return Object.keys(colors).filter((name) => points.some(({ who }) => who === name));
}

function medians(
  runs: Record<string, Record<string, number>[]>,
  figure: string,
): { who: string; y: number }[] {
  return Object.entries(runs)
    .filter(([who]) => who in colors)
    .map(([who, all]) => ({ who, y: spread(all.map((run) => run[figure] as number)).median }));
}
