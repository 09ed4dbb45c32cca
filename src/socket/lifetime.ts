import { shared } from "../shared.js";
import type { Core } from "./core.js";
import { hold } from "./hold.js";

/** After this long at the end of the process, say what it waits for. npm zeromq's figure. */
const WARNING_MS = 500;

/**
 * The sockets of this thread that are open or have messages on their way, and what the end of the
 * process means to them: messages that are queued hold it up for as long as their socket lingers.
 */
export class Lifetime {
  readonly #cores = new Set<Core>();
  #listening = false;
  #ending = false;
  #warning: NodeJS.Timeout | undefined;

  add(core: Core): void {
    this.#cores.add(core);
    if (this.#listening) return;
    this.#listening = true;
    process.on("beforeExit", () => this.#beforeExit());
  }

  remove(core: Core): void {
    this.#cores.delete(core);
    if (this.#ending) this.#settle();
  }

  #beforeExit(): void {
    if (this.#ending) return;
    const waiting = [...this.#cores].filter((core) => core.hasOutput);
    if (waiting.length === 0) return;
    this.#ending = true;
    hold.take();
    this.#warning = setTimeout(() => warn(waiting), WARNING_MS);
    this.#warning.unref();
    for (const core of waiting) {
      core.close();
      void core.settled().then(() => this.#settle());
    }
  }

  #settle(): void {
    if (!this.#ending) return;
    for (const core of this.#cores) if (core.hasOutput) return;
    this.#ending = false;
    clearTimeout(this.#warning);
    hold.release();
  }
}

function warn(waiting: readonly Core[]): void {
  const blocky = waiting.some((core) => core.context.readable.boolean("blocky"));
  const advice = blocky ? " Set 'context.blocky = false' to change this behaviour." : "";
  process.stderr.write(
    `(node:${process.pid}) WARNING: Waiting for queued ZeroMQ messages to be delivered.${advice}\n`,
  );
}

/** The one of this thread. */
export const lifetime: Lifetime = shared("lifetime", () => new Lifetime());
