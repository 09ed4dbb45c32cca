import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Starts one of the programs of this folder. */
export function start(program: string, ...parameters: (string | number)[]): ChildProcess {
  return fork(fileURLToPath(new URL(program, import.meta.url)), parameters.map(String), {
    execArgv: ["--expose-gc", "--import", "tsx"],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

interface Reply {
  id?: number;
  value?: unknown;
  error?: { message: string };
}

/** The process under test, which does one thing after the other. */
export class SubjectProcess {
  readonly #child: ChildProcess;
  #ready: Promise<unknown>;
  #id = 0;

  constructor(folder: string) {
    this.#child = start("./subject.child.ts", folder);
    this.#ready = once(this.#child, "message");
  }

  /** Fails when the process has ended, or there is no answer for `limitMs`. */
  async request<T>(op: string, limitMs = 30_000): Promise<T> {
    await this.#ready;
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`the process under test: ${op}: ${why}`));
      const gone = (code: number | null, signal: string | null) =>
        fail(`ended with ${code ?? signal}`);
      const timer = setTimeout(() => fail(`no answer in ${limitMs} ms`), limitMs);
      const look = (reply: Reply) => {
        if (reply.id !== id) return;
        clearTimeout(timer);
        this.#child.off("message", look).off("exit", gone);
        if (reply.error === undefined) resolve(reply.value as T);
        else fail(reply.error.message);
      };
      this.#child.on("message", look).on("exit", gone);
      this.#child.send({ id, op });
    });
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
