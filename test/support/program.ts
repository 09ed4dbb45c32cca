import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const LIMIT_MS = 15_000;

const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

export interface Outcome {
  /** The exit status; undefined: it had to be killed. */
  code: number | undefined;
  pid: number;
  stdout: string;
  stderr: string;
}

/** A program of the tests, run until it ends by itself. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Outcome>;
  #stdout = "";
  #stderr = "";
  #look: () => void = () => {};

  /** @param url Of the program; it is run by Node with the given options. */
  constructor(url: URL, parameters: readonly (string | number)[] = [], node: string[] = []) {
    const child = spawn(
      process.execPath,
      [...node, fileURLToPath(url), ...parameters.map((it) => String(it))],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    alive.add(child);
    let isKilled = false;
    const timer = setTimeout(() => {
      isKilled = true;
      child.kill("SIGKILL");
    }, LIMIT_MS);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      this.#stdout += text;
      this.#look();
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#stderr += text;
      this.#look();
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        clearTimeout(timer);
        alive.delete(child);
        resolve({
          code: isKilled ? undefined : (code ?? undefined),
          pid: child.pid as number,
          stdout: this.#stdout,
          stderr: this.#stderr,
        });
      });
    });
  }

  /** Resolves when the program has said `text`, on either of its standard streams. */
  async says(text: string): Promise<void> {
    const said = new Promise<void>((resolve) => {
      this.#look = () => {
        if (this.#stdout.includes(text) || this.#stderr.includes(text)) resolve();
      };
      this.#look();
    });
    const outcome = await Promise.race([said, this.#ended]);
    if (outcome !== undefined && !`${outcome.stdout}${outcome.stderr}`.includes(text)) {
      throw new Error(`it ended, and did not say ${text}: ${JSON.stringify(outcome)}`);
    }
  }

  ended(): Promise<Outcome> {
    return this.#ended;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
