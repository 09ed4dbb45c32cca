import { isMainThread } from "node:worker_threads";
import { shared } from "../shared.js";
import { type Requests, requests } from "../transport/requests.js";
import type { Core } from "./core.js";
import { type Hold, hold } from "./hold.js";

/** After this long at the end of the process, say what it waits for. npm zeromq's figure. */
const WARNING_MS = 500;

/** How often to look whether nothing but our own requests keeps the process alive. */
const WATCH_MS = 100;

/** For so many looks nothing may have moved before a write is given up. */
const STALLED_LOOKS = 5;

/** For so many looks something else must have been alive before the end is called off. */
const LIVE_LOOKS = 3;

/** How long to wait between looks whether all has been written, at the end of the process. */
const DRAIN_MIN_MS = 5;
const DRAIN_MAX_MS = 100;

/** What of a socket the end of the process concerns. */
export type Resident = Pick<Core, "hasOutput"> & {
  readonly closed: boolean;
  readonly options: { number(name: "linger"): number };
  readonly writer: { readonly messages: number };
  readonly context: { get(id: 70, type: "Bool"): boolean | number };
};

/** When the messages of a socket that is still open need not be waited for any longer. */
interface Deadline {
  at: number;
  /** Messages sent by then: if there are more, they have a time of their own. */
  messages: number;
}

/**
 * The sockets of this thread that are open or have messages on their way, and what the end of the
 * process means to them: messages that are queued hold it up for as long as their socket lingers,
 * nothing else does.
 *
 * ```
 *            beforeExit, or only our own requests are left
 *   living ---------------------------------------------------> ending
 *     ^  ^              something else is alive again             |
 *     |  +--------------------------------------------------------+
 *     |                                                           | all is written, or linger over
 *     +-- our requests are given up: the event loop runs out <----+
 * ```
 *
 * The event loop runs out by itself, and `beforeExit` tells, unless requests of ours keep it
 * running: connections that nobody answers, writes that nobody reads, queues that leave. Therefore an
 * unref'd timer looks from time to time while there are any. Work on the thread pool is invisible to it; so what
 * it gives up must be something that can be done again, or have stood still for long. Sockets are
 * not closed: if the process lives on after all, they still work.
 */
export class Lifetime {
  readonly #requests: Requests;
  readonly #hold: Hold;
  readonly #residents = new Set<Resident>();
  readonly #deadlines = new Map<Resident, Deadline>();
  #listening = false;
  #watching: NodeJS.Timeout | undefined;
  #settled = 0;
  #looks = 0;
  #cpu = process.cpuUsage();

  #ending = false;
  #warning: NodeJS.Timeout | undefined;

  constructor(requests: Requests, hold: Hold) {
    this.#requests = requests;
    this.#hold = hold;
  }

  /** Sockets that are open or have messages on their way. */
  get size(): number {
    return this.#residents.size;
  }

  add(resident: Resident): void {
    this.#residents.add(resident);
    if (this.#listening) return;
    this.#listening = true;
    process.on("beforeExit", () => {
      if (this.#isAwaited()) this.#end();
    });
    if (this.#requests.observable) this.#requests.watch(() => this.#watch());
  }

  remove(resident: Resident): void {
    this.#residents.delete(resident);
    this.#deadlines.delete(resident);
  }

  #watch(): void {
    if (this.#watching !== undefined) return;
    this.#looks = 0;
    this.#watching = setInterval(() => this.#look(), WATCH_MS);
    this.#watching.unref();
  }

  #look(): void {
    const { size, settled, suspended, writing } = this.#requests;
    const moved = settled !== this.#settled;
    this.#settled = settled;
    if (this.#ending) return;
    if (size === 0 && !suspended) {
      clearInterval(this.#watching);
      this.#watching = undefined;
    } else if (this.#hold.count > 0 || this.#requests.others(0) > 0) {
      this.#requests.suspended = false;
      this.#looks = 0;
    } else if (this.#isAwaited()) {
      this.#end();
    } else if (!writing || suspended || this.#stoodStill(moved)) {
      this.#giveUp();
    }
  }

  /** Whether nothing has moved for long, as far as can be seen. */
  #stoodStill(moved: boolean): boolean {
    const before = this.#cpu;
    this.#cpu = process.cpuUsage();
    const used = this.#cpu.user + this.#cpu.system - before.user - before.system;
    // The event loop does not tell of threads at work; in a worker they may be anybody's.
    const isBusy = isMainThread && used > (WATCH_MS * 1000) / 2;
    this.#looks = moved || isBusy ? 0 : this.#looks + 1;
    return this.#looks > STALLED_LOOKS;
  }

  /** The process has nothing more to do, and messages are on their way. */
  #end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#requests.suspended = false;
    this.#looks = 0;
    this.#hold.take();
    this.#warning = setTimeout(() => this.#warn(), WARNING_MS);
    this.#warning.unref();
    this.#drain(DRAIN_MIN_MS);
  }

  #drain(delayMs: number): void {
    const othersLive = this.#requests.observable && this.#requests.others(1) > 0;
    this.#looks = othersLive ? this.#looks + 1 : 0;
    const livesOn = this.#hold.count > 1 || this.#looks > LIVE_LOOKS;
    if (!livesOn && this.#isAwaited()) {
      const next = Math.min(2 * delayMs, DRAIN_MAX_MS);
      setTimeout(() => this.#drain(next), delayMs).unref();
      return;
    }
    this.#ending = false;
    clearTimeout(this.#warning);
    this.#hold.release();
    if (livesOn) this.#deadlines.clear();
    else this.#giveUp();
  }

  /** Whether messages are on their way whose time is not over. */
  #isAwaited(): boolean {
    const now = performance.now();
    let awaited = false;
    for (const resident of this.#residents) {
      if (resident.hasOutput && now < this.#deadline(resident, now)) awaited = true;
    }
    return awaited;
  }

  /** Closed sockets see to their linger themselves. */
  #deadline(resident: Resident, now: number): number {
    if (resident.closed) return Number.POSITIVE_INFINITY;
    const { messages } = resident.writer;
    const known = this.#deadlines.get(resident);
    if (known?.messages === messages) return known.at;
    const linger = resident.options.number("linger");
    const at = linger < 0 ? Number.POSITIVE_INFINITY : now + linger;
    this.#deadlines.set(resident, { at, messages });
    return at;
  }

  /** Lets the event loop run out: what goes on is of no use to anybody. */
  #giveUp(): void {
    this.#looks = 0;
    if (this.#requests.size === 0) return;
    this.#requests.suspended = true;
    this.#requests.abandon();
  }

  #warn(): void {
    const waiting = [...this.#residents].filter(({ hasOutput }) => hasOutput);
    if (waiting.length === 0) return;
    const blocky = waiting.some(({ context }) => context.get(70, "Bool"));
    const advice = blocky ? " Set 'context.blocky = false' to change this behaviour." : "";
    process.stderr.write(
      `(node:${process.pid}) WARNING: Waiting for queued ZeroMQ messages to be delivered.${advice}\n`,
    );
  }
}

/** The one of this thread. */
export const lifetime: Lifetime = shared("lifetime", () => new Lifetime(requests, hold));
