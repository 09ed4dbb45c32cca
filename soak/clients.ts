import type { ChildProcess } from "node:child_process";
import { start } from "./child.js";
import type { End, Life, Route } from "./protocol.js";

interface Told {
  begin?: Life;
  end?: End;
  ready?: true;
  stopped?: true;
}

/** Clients' numbers are told apart by the process that they live in. */
const LIVES_MAX = 100_000;

/** A process full of clients, which may be killed; another takes its place. */
export class Clients {
  readonly library: string;
  ends: End[] = [];
  /** Lives that ended with their process. */
  killed: Life[] = [];
  /** What went wrong by itself. */
  readonly failures: string[] = [];
  #child: ChildProcess | undefined;
  #living = new Map<number, Life>();
  #ready: Promise<void> = Promise.resolve();
  #stopped: () => void = () => {};

  constructor(library: string) {
    this.library = library;
  }

  /** Starts a process, the `nth` of all. */
  start(seed: number, nth: number): void {
    const child = start("./client.child.ts", this.library, seed, 1 + nth * LIVES_MAX);
    this.#child = child;
    this.#ready = new Promise((resolve) => {
      child.on("message", ({ begin, end, ready, stopped }: Told) => {
        // What was on its way from one that has been killed: its lives have been counted.
        if (child.killed) return;
        if (ready) resolve();
        if (begin !== undefined) this.#living.set(begin.client, begin);
        if (end !== undefined) {
          this.#living.delete(end.client);
          this.ends.push(end);
        }
        if (stopped) this.#stopped();
      });
    });
    child.on("exit", (code, signal) => {
      if (signal !== "SIGKILL")
        this.failures.push(`${this.library}'s clients ended with ${code ?? signal}`);
    });
  }

  async live(routes: readonly Route[]): Promise<void> {
    await this.#ready;
    this.#child?.send({ routes });
  }

  /** Resolves to false if lives go on for `limitMs`. */
  stop(limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limitMs);
      this.#stopped = () => {
        clearTimeout(timer);
        resolve(true);
      };
      // Not ahead of what a process that has yet to start was told before.
      void this.#ready.then(() => this.#child?.send({ stop: true }));
    });
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
    this.killed.push(...this.#living.values());
    this.#living.clear();
  }

  /** Who lives still. */
  get living(): Life[] {
    return [...this.#living.values()];
  }
}
