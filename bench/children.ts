/** Runs the two processes of a measurement, and leaves none of them behind. */
import { type ChildProcess, spawn } from "node:child_process";

export interface Command {
  file: string;
  args: string[];
}

/** Kills a run that hangs; one takes some seconds at most. */
const timeLimitMs = 60_000;

const running = new Set<ChildProcess>();

/** What the two children print in their last lines; the caller knows its programs. */
export interface PairFigures<Binder, Connector> {
  binder: Binder;
  connector: Connector;
}

/** Starts the binding side, then the connecting side with the address that the former tells. */
export async function runPair<Binder, Connector>(
  binder: Command,
  connector: (endpoint: string) => Command,
): Promise<PairFigures<Binder, Connector>> {
  const first = start<Binder>(binder);
  try {
    const endpoint = await Promise.race([
      first.endpoint,
      first.figures.then(() => neverReady(binder)),
    ]);
    const second = start<Connector>(connector(endpoint));
    try {
      const [binderFigures, connectorFigures] = await Promise.all([first.figures, second.figures]);
      return { binder: binderFigures, connector: connectorFigures };
    } finally {
      second.kill();
    }
  } finally {
    first.kill();
  }
}

export async function runOne<Figures>(command: Command): Promise<Figures> {
  return start<Figures>(command).figures;
}

/** A child on this Node, without the loader that the bench itself runs under. */
export function nodeCommand(file: string, ...args: (string | number)[]): Command {
  return { file: process.execPath, args: [file, ...args.map(String)] };
}

export function killAllChildren(): void {
  for (const child of running) child.kill("SIGKILL");
}

interface Started<Figures> {
  endpoint: Promise<string>;
  figures: Promise<Figures>;
  kill: () => void;
}

function start<Figures>(command: Command): Started<Figures> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(command.file, command.args, { env, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeLimitMs);

  let output = "";
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const endpoint = new Promise<string>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const told = output.match(/^ready (\S+)\n/);
      if (told?.[1] !== undefined) resolve(told[1]);
    });
  });
  const figures = new Promise<Figures>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      running.delete(child);
      if (code === 0) resolve(JSON.parse(lastLine(output)) as Figures);
      else if (timedOut)
        reject(new Error(`${nameOf(command)}: no end within ${timeLimitMs / 1e3} s`));
      else
        reject(
          new Error(`${nameOf(command)}: ${reasonIn(errors) ?? `ended with ${code ?? signal}`}`),
        );
    });
  });
  // Whoever awaits sees the rejection; when the other side failed first, nobody does.
  figures.catch(() => {});
  return { endpoint, figures, kill: () => child.kill("SIGKILL") };
}

function lastLine(output: string): string {
  return output.trimEnd().split("\n").at(-1) ?? "";
}

function neverReady(command: Command): never {
  throw new Error(`${nameOf(command)}: ended before it was bound`);
}

/** The telling line: an uncaught error stands between the source line and the stack. */
function reasonIn(errors: string): string | undefined {
  const lines = errors.trim().split("\n");
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? (lines.at(-1) || undefined);
}

/** Program and role: the first words of the command that are no path of this machine. */
function nameOf(command: Command): string {
  const words = [command.file, ...command.args].filter((word) => word !== process.execPath);
  return words
    .slice(0, 2)
    .map((word) => word.split("/").at(-1))
    .join(" ");
}
