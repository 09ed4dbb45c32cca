/**
 * What a run looks like while it runs: a block of lines that is drawn over and over on a terminal,
 * one plain line each second anywhere else.
 */
import { decimals, megabytes, percent } from "./figures.js";
import { growthOf, type Sample } from "./run.js";
import { goals, workload } from "./settings.js";

export interface Panel {
  show(sample: Sample): void;
  /** Leaves the last figures on the screen. */
  end(): void;
}

export function openPanel(out: NodeJS.WriteStream, name: string, seconds: number): Panel {
  return out.isTTY ? new Live(out, name, seconds) : new Plain(out, name);
}

/** Rates are taken over this long, so that they are readable while they change. */
const rateWindowMs = 1_000;

class Recent {
  #samples: Sample[] = [];

  /** Messages a second at this sample. */
  rate(sample: Sample): number {
    this.#samples.push(sample);
    while (sample.elapsedMs - this.#samples[0]!.elapsedMs > rateWindowMs) this.#samples.shift();
    const first = this.#samples[0]!;
    const elapsed = sample.elapsedMs - first.elapsedMs;
    return elapsed === 0 ? 0 : ((sample.messages - first.messages) / elapsed) * 1e3;
  }
}

class Plain implements Panel {
  readonly #recent = new Recent();
  #nextMs = 1_000;

  readonly #out: NodeJS.WriteStream;
  readonly #name: string;

  constructor(out: NodeJS.WriteStream, name: string) {
    this.#out = out;
    this.#name = name;
  }

  show(sample: Sample): void {
    const rate = this.#recent.rate(sample);
    if (sample.elapsedMs < this.#nextMs && sample.end === undefined) return;
    this.#nextMs += 1_000;
    const fields = [
      this.#name.padEnd(12),
      `${decimals(sample.elapsedMs / 1e3, 1)} s`.padStart(6),
      `${decimals(rate)} msg/s`.padStart(10),
      `${megabytes(sample.rssBytes)} (+${decimals((sample.rssBytes - sample.restBytes) / 1e6)})`,
      `queue ${queueText(sample)}`,
      `ticks ${sample.ticks} of ${sample.dueTicks}, worst ${decimals(sample.worstLateMs, 1)} ms late`,
    ];
    this.#out.write(`${fields.join("   ")}\n`);
  }

  end(): void {}
}

const csi = "\x1b[";
const hideCursor = `${csi}?25l`;
const showCursor = `${csi}?25h`;
const drawEveryMs = 200;
const barCells = 30;

const colors = { good: 32, bad: 31, dim: 2, bold: 1 };
type Color = keyof typeof colors;

class Live implements Panel {
  readonly #recent = new Recent();
  readonly #plain = process.env["NO_COLOR"] !== undefined;
  readonly #restoreCursor = (): void => void this.#out.write(showCursor);
  #drawnLines = 0;
  #nextMs = 0;

  readonly #out: NodeJS.WriteStream;
  readonly #name: string;
  readonly #seconds: number;

  constructor(out: NodeJS.WriteStream, name: string, seconds: number) {
    this.#out = out;
    this.#name = name;
    this.#seconds = seconds;
    process.once("exit", this.#restoreCursor);
    out.write(hideCursor);
  }

  show(sample: Sample): void {
    const rate = this.#recent.rate(sample);
    if (sample.elapsedMs < this.#nextMs && sample.end === undefined) return;
    this.#nextMs = sample.elapsedMs + drawEveryMs;
    const lines = this.#lines(sample, rate);
    const up = this.#drawnLines === 0 ? "" : `${csi}${this.#drawnLines}A`;
    this.#out.write(`${up}${lines.map((line) => `\r${line}${csi}K\n`).join("")}`);
    this.#drawnLines = lines.length;
  }

  end(): void {
    process.off("exit", this.#restoreCursor);
    this.#restoreCursor();
  }

  #lines(sample: Sample, rate: number): string[] {
    const allowed = 1e3 / workload.workMs;
    const growth = growthOf(sample);
    const tickShare = sample.dueTicks === 0 ? 1 : sample.ticks / sample.dueTicks;
    const flat = growth < goals.growthBytes;
    const alive = tickShare >= goals.tickShare;
    const inTime = sample.worstLateMs < goals.lateMs;
    const late =
      `now ${decimals(sample.lateMs, 1)} ms late, ` + `worst ${decimals(sample.worstLateMs, 1)} ms`;
    return [
      `  ${this.#paint("bold", this.#name.padEnd(12))}${this.#paint("dim", this.#clock(sample))}`,
      this.#row("rate", rate / allowed, "good", `${decimals(rate)} msg/s`),
      this.#row(
        "memory",
        sample.rssBytes / fullMemoryBytes,
        flat ? "good" : "bad",
        `${megabytes(sample.rssBytes)}, at most +${decimals(growth / 1e6)} over rest`,
      ),
      this.#row("queue", undefined, "good", queueText(sample)),
      this.#row(
        "ticker",
        tickShare,
        alive && inTime ? "good" : "bad",
        `${percent(tickShare)} of the ticks, ${late}`,
      ),
      "",
    ];
  }

  #clock({ elapsedMs }: Sample): string {
    return `receives, ${decimals(elapsedMs / 1e3, 1)} s of ${decimals(this.#seconds, 1)} s`;
  }

  /** A label, a bar, a text, cut to the width of the terminal: a wrapped line cannot be redrawn. */
  #row(label: string, share: number | undefined, color: Color, text: string): string {
    const room = Math.max(0, this.#out.columns - barCells - 13);
    const bar = share === undefined ? " ".repeat(barCells) : this.#bar(share, color);
    return `  ${label.padEnd(8)}${bar}  ${text.slice(0, room)}`;
  }

  #bar(share: number, color: Color): string {
    const filled = Math.round(Math.min(1, Math.max(0, share)) * barCells);
    return (
      this.#paint(color, "█".repeat(filled)) + this.#paint("dim", "░".repeat(barCells - filled))
    );
  }

  #paint(color: Color, text: string): string {
    return this.#plain ? text : `${csi}${colors[color]}m${text}${csi}0m`;
  }
}

/** A full bar of memory; what npm zeromq is known to reach. */
const fullMemoryBytes = 500_000_000;

function queueText({ queue }: Sample): string {
  if (queue === undefined) return "not told";
  const plural = queue.messages === 1 ? "" : "s";
  return `${decimals(queue.messages)} message${plural}, ${megabytes(queue.bytes, 1)}`;
}
