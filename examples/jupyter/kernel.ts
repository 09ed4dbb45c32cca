/** A kernel in a process of its own, and what it has to be told to be talked to. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHANNELS = ["shell", "iopub", "stdin", "control", "hb"] as const;

export type Channel = (typeof CHANNELS)[number];

/** An IPython kernel, listening on Unix sockets in a folder of its own. */
export class Kernel {
  readonly key: string = randomUUID();
  readonly #folder = mkdtempSync(join(tmpdir(), "kernel-"));
  readonly #process: ChildProcess;

  /** @param python A Python that has the package ipykernel. */
  constructor(python: string) {
    const file = join(this.#folder, "connection.json");
    // Over ipc a kernel's ports are what its sockets' names end with.
    const ports = CHANNELS.map((channel, i) => [`${channel}_port`, i + 1]);
    const connection = {
      ...Object.fromEntries(ports),
      transport: "ipc",
      ip: join(this.#folder, "kernel"),
      key: this.key,
      signature_scheme: "hmac-sha256",
    };
    writeFileSync(file, JSON.stringify(connection));
    const options = ["-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", file];
    this.#process = spawn(python, options, {
      stdio: "ignore",
      // It ends when we do, however that is.
      env: { ...process.env, JPY_PARENT_PID: String(process.pid) },
    });
    this.#process.once("exit", () => rmSync(this.#folder, { recursive: true, force: true }));
  }

  endpoint(channel: Channel): string {
    return `ipc://${join(this.#folder, "kernel")}-${CHANNELS.indexOf(channel) + 1}`;
  }

  /** Resolves once the process has ended. */
  async ended(): Promise<void> {
    if (this.#process.exitCode === null) await once(this.#process, "exit");
  }
}
