import { errnoError } from "../errors.js";
import { defineAccessors, type OptionSpec, OptionStore } from "../options.js";
import { shared } from "../shared.js";
import type { Census } from "../transport/census.js";
import { Meeting } from "../transport/inproc.js";
import type { Threads } from "../transport/threads.js";
import { Budget } from "../zmtp/index.js";
import { Abroad } from "./abroad.js";
import type { Core } from "./core.js";
import type { InprocBinding, InprocConnection } from "./inproc.js";
import type { Zap } from "./zap.js";

/** What may be reserved for large messages whose octets have not come yet, by a whole context. */
const RESERVE_LIMIT = 64 * 2 ** 20;

const MAX_SOCKETS_LIMIT = 65_535;

function option(
  id: number,
  name: string,
  type: "Int32" | "Bool",
  initial: number | boolean | undefined,
  access: "r" | "w" | "rw" = "rw",
  valid?: (value: number) => boolean,
): OptionSpec {
  const spec: OptionSpec = { id, name, type, initial, access, scope: "all" };
  if (valid !== undefined) spec.valid = valid;
  return spec;
}

const notNegative = (value: number): boolean => value >= 0;

/** Reading and writing a context's option by number are different options, here and there. */
const READ = [option(3, "maxSocketsLimit", "Int32", MAX_SOCKETS_LIMIT, "r")];
const WRITE = [
  option(3, "threadPriority", "Int32", undefined, "w", notNegative),
  option(4, "threadSchedulingPolicy", "Int32", undefined, "w", notNegative),
];
const BOTH = [
  option(1, "ioThreads", "Int32", 1, "rw", notNegative),
  option(2, "maxSockets", "Int32", 1023, "rw", (value) => value >= 1),
  option(5, "maxMessageSize", "Int32", 2_147_483_647, "rw", notNegative),
  option(42, "ipv6", "Bool", false),
  option(70, "blocky", "Bool", true),
];

const byId = (specs: OptionSpec[]): Map<number, OptionSpec> =>
  new Map(specs.map((spec) => [spec.id, spec]));

/** The inside of a context: its options, its sockets, its inproc names. */
export class ContextCore {
  readonly readable = new OptionStore(byId([...BOTH, ...READ]));
  readonly writable = new OptionStore(byId([...BOTH, ...WRITE]));
  readonly names = new Meeting<InprocBinding, InprocConnection>();
  readonly reserve = new Budget(RESERVE_LIMIT);
  readonly zap: Zap;
  readonly #sockets = new Set<Core>();
  /** The sockets of all threads, where they share a context. */
  #census: Census | undefined;
  #cells: Int32Array | undefined;
  /** What other threads have bound; undefined where there is no way to them. */
  abroad: Abroad | undefined = undefined;

  constructor(zap: (context: ContextCore) => Zap) {
    this.zap = zap(this);
  }

  /** From now on options, inproc names and the bound on sockets are those of all threads. */
  share(threads: Threads): void {
    if (threads.first) this.#tell(threads.cells);
    this.#cells = threads.cells;
    this.#census = threads.census;
    this.abroad = new Abroad(threads, this.names);
  }

  get(id: number, type: "Int32" | "Bool"): number | boolean {
    this.#ask();
    return this.readable.get(id, type) as number | boolean;
  }

  set(id: number, type: "Int32" | "Bool", value: unknown): void {
    const { name } = this.writable.set(id, type, value);
    this.readable.put(name, this.writable.value(name) ?? null);
    if (this.#cells !== undefined) this.#tell(this.#cells);
  }

  /** @throws EMFILE when there are `maxSockets` already. */
  add(core: Core): void {
    const most = this.get(2, "Int32") as number;
    if (!(this.#census?.add(most) ?? this.#sockets.size < most)) throw errnoError("EMFILE");
    this.#sockets.add(core);
  }

  remove(core: Core): void {
    if (this.#sockets.delete(core)) this.#census?.remove();
  }

  /** Another thread may have set an option. */
  #ask(): void {
    const cells = this.#cells;
    if (cells === undefined) return;
    for (const [i, { name, type }] of BOTH.entries()) {
      const value = Atomics.load(cells, i);
      this.readable.put(name, type === "Bool" ? value !== 0 : value);
    }
  }

  #tell(cells: Int32Array): void {
    for (const [i, { name }] of BOTH.entries()) {
      Atomics.store(cells, i, Number(this.readable.value(name)));
    }
  }
}

/** The inside of each context, whichever copy of the library made it. */
const cores: WeakMap<object, ContextCore> = shared("contexts", () => new WeakMap());

/** The inside of a context; undefined for anything else. */
export function contextCore(context: object): ContextCore | undefined {
  return cores.get(context);
}

export function registerContext(context: object, core: ContextCore): void {
  cores.set(context, core);
}

/** Puts the accessors of all context options on a prototype. */
export function defineContextAccessors(prototype: object): void {
  defineAccessors(prototype, [...BOTH, ...READ, ...WRITE]);
}
