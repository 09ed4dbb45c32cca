import { Random } from "../fuzz/random.js";
import { SubjectProcess } from "./child.js";
import { Clients } from "./clients.js";
import { MECHANISMS } from "./mechanisms.js";
import { ROWS, rowOf } from "./patterns.js";
import type { Endpoint, Life, Resources, Route, SubjectReport } from "./protocol.js";
import { RawPeers } from "./raw.js";
import { type History, type Intrusions, judge, judgeIntruders, type Line } from "./verdict.js";
import { Wires } from "./wires.js";

/** How long all may take to come to rest once nothing goes wrong any more. */
const REST_MS = 30_000;

const MB = 2 ** 20;

/** How much more the process may hold at the end than after the warm-up. */
const BOUNDS: Resources = {
  rss: 48 * MB,
  heapUsed: 4 * MB,
  external: 4 * MB,
  handles: 0,
  timers: 0,
  descriptors: 0,
};

export interface Result {
  lines: Line[];
  intrusions: Intrusions[];
  raw: number;
  killed: number;
  /** Before anything was bound; after the warm-up; after the storm; after all was closed. */
  resources: Record<"empty" | "start" | "end" | "closed", Resources>;
  violations: string[];
}

/** Everything that happens to the process under test. */
export class Storm {
  readonly #random: Random;
  readonly #subject: SubjectProcess;
  readonly #wires: Wires;
  readonly #raw: RawPeers;
  readonly #clients = ["purezmq", "purezmq", "zeromq"].map((library) => new Clients(library));
  readonly #violations: string[] = [];
  readonly #reports: SubjectReport[] = [];
  #processes = 0;
  #killed = 0;
  #endpoints: Endpoint[] = [];
  #routes: Route[] = [];

  constructor(seed: number, folder: string) {
    this.#random = new Random(seed);
    this.#subject = new SubjectProcess(folder);
    this.#wires = new Wires(this.#random);
    this.#raw = new RawPeers(this.#random);
  }

  async run(ms: number): Promise<Result> {
    const subject = this.#subject;
    const empty = await subject.request<Resources>("measure");
    this.#endpoints = await subject.request<Endpoint[]>("bind");
    await this.#wires.open(this.#endpoints);
    const direct = this.#endpoints.map((it): Route => ({ ...it, relayed: false }));
    // Two of three go over wires that are cut.
    this.#routes = [...direct, ...this.#wires.routes, ...this.#wires.routes];
    for (const clients of this.#clients) this.#start(clients);

    const warmUp = Math.min(Math.max(0.2 * ms, 3000), 20_000);
    await this.#blow(warmUp);
    const start = await subject.request<Resources>("measure");
    await this.#blow(ms - warmUp);
    const end = await subject.request<Resources>("measure");
    this.#compare("after the storm", start, end);

    const violations = this.#violations;
    const lines = ROWS.map(({ key }) => judge(key, this.#history(key), violations));
    const intrusions = MECHANISMS.map((it) =>
      judgeIntruders(it, this.#historyOf(it.name), violations),
    );
    await subject
      .request("close", 30_000)
      .catch((error: Error) => this.#violations.push(error.message));
    const closed = await subject.request<Resources>("measure");
    const { handles, timers, descriptors } = empty;
    this.#compare("once all is closed", { ...start, handles, timers, descriptors }, closed);
    const resources = { empty, start, end, closed };
    const [raw, killed] = [this.#raw.connections, this.#killed];
    return { lines, intrusions, raw, killed, resources, violations };
  }

  end(): void {
    for (const clients of this.#clients) clients.kill();
    this.#raw.close();
    this.#wires.close();
    this.#subject.kill();
  }

  #start(clients: Clients): void {
    clients.start(this.#random.next(), this.#processes++);
  }

  /** Lets clients live for so long, and then come to rest. */
  async #blow(ms: number): Promise<void> {
    for (const clients of this.#clients) void clients.live(this.#routes);
    const random = this.#random;
    for (const end = Date.now() + ms; Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      this.#wires.blow();
      if (random.once(3)) this.#raw.come(this.#endpoints);
      if (random.once(500)) {
        const clients = random.pick(this.#clients);
        clients.kill();
        this.#killed++;
        this.#start(clients);
        void clients.live(this.#routes);
      }
    }
    await this.#rest();
  }

  async #rest(): Promise<void> {
    this.#wires.calm();
    const end = Date.now() + REST_MS;
    const stopped = await Promise.all(this.#clients.map((clients) => clients.stop(REST_MS)));
    for (const [i, isStopped] of stopped.entries()) {
      const living = this.#clients[i]?.living;
      if (!isStopped) this.#violations.push(`clients do not end: ${JSON.stringify(living)}`);
    }
    this.#raw.close();
    let busy: string[];
    do {
      busy = await this.#subject.request<string[]>("busy");
      await new Promise((resolve) => setTimeout(resolve, 50));
    } while (busy.length > 0 && Date.now() < end);
    if (busy.length > 0) this.#violations.push(`peers or messages are left: ${busy.join("; ")}`);
    this.#reports.push(...(await this.#subject.request<SubjectReport[]>("report")));
    for (const { failures } of this.#clients) this.#violations.push(...failures.splice(0));
  }

  /** Of a row, but for clients that were not to get in. */
  #history(key: string): History {
    const { reports, ends, killed } = this.#historyWhere((row) => row === key);
    const isGood = ({ wrong }: Life) => wrong === undefined;
    const cuts = this.#wires.cuts(key);
    return { reports, ends: ends.filter(isGood), killed: killed.filter(isGood), cuts };
  }

  #historyOf(mechanism: string): Omit<History, "cuts"> {
    return this.#historyWhere((row) => rowOf(row).mechanism.name === mechanism);
  }

  #historyWhere(isOne: (row: string) => boolean): Omit<History, "cuts"> {
    const some = <T extends { row: string }>(list: T[]) => list.filter(({ row }) => isOne(row));
    return {
      reports: some(this.#reports),
      ends: some(this.#clients.flatMap(({ ends }) => ends)),
      killed: some(this.#clients.flatMap(({ killed }) => killed)),
    };
  }

  #compare(when: string, before: Resources, after: Resources): void {
    for (const key of Object.keys(BOUNDS) as (keyof Resources)[]) {
      if (after[key] - before[key] <= BOUNDS[key]) continue;
      this.#violations.push(`${key} ${when}: ${after[key]}, before ${before[key]}`);
    }
  }
}
