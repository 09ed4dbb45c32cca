// Options set and read in any order, by name and by number, on a socket of any type: what is kept is what the table
// allows, what is refused changes nothing, and a socket whose options ask for PLAIN or CURVE never talks in clear.
import { Buffer } from "node:buffer";
import * as drafts from "../../src/draft.js";
import type { ErrnoError } from "../../src/errors.js";
import * as zmq from "../../src/index.js";
import { OPTIONS, type OptionSpec, type OptionType } from "../../src/options.js";
import { shared } from "../../src/shared.js";
import type { Core } from "../../src/socket/core.js";
import type { Random } from "../random.js";
import { check, open, same, seal, type Target } from "../target.js";

/** Every type of socket, and how it is made. */
const CLASSES: Record<string, new (options: object) => zmq.Socket> = {
  ...{ Pair: zmq.Pair, Publisher: zmq.Publisher, Subscriber: zmq.Subscriber },
  ...{ Request: zmq.Request, Reply: zmq.Reply, Dealer: zmq.Dealer, Router: zmq.Router },
  ...{ Pull: zmq.Pull, Push: zmq.Push, XPublisher: zmq.XPublisher, Stream: zmq.Stream },
  ...{ XSubscriber: zmq.XSubscriber, Server: drafts.Server, Client: drafts.Client },
  ...{ Radio: drafts.Radio, Dish: drafts.Dish, Scatter: drafts.Scatter, Gather: drafts.Gather },
  ...{ Peer: drafts.Peer, Channel: drafts.Channel, Datagram: drafts.Datagram },
};
const TYPES = Object.keys(CLASSES);

/** A bit of an input's mode: the first options are set by the constructor. */
const CONSTRUCTED = 128;

/** What else may be set, and what is no option, by numbers that no option has. */
const EXTRAS = new Map([
  [1, "authenticate"],
  [2, "constructor"],
  [3, "nothing"],
]);
const NOT_A_NUMBER = 0xffff;
const SPECS = new Map(OPTIONS.map((spec) => [spec.id, spec]));
const NUMBERS = [...SPECS.keys(), ...EXTRAS.keys(), 0, 1000, 10_500, NOT_A_NUMBER];
const WIDTHS: readonly OptionType[] = ["Bool", "Int32", "Uint32", "Int64", "Uint64", "String"];

/** Options that ask for a mechanism. */
const ASKS = [
  ...["plainServer", "plainUsername", "plainPassword"],
  ...["curveServer", "curvePublicKey", "curveSecretKey", "curveServerKey"],
];

const KEY_TEXT = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
const KEY = Buffer.alloc(32, 7);

const VALUES: readonly unknown[] = [
  ...[true, false, true, false, null, null, KEY, KEY_TEXT, KEY, KEY_TEXT, "text"],
  ...[undefined, 5n, {}, [], Symbol("s"), () => true, new Date(0), new Number(3)],
  ...[0, 1, -1, 2, 100, -100, 0o600, 0o777, 0o1000, 6_553_599, 6_553_600, 250.9, -0, 0.5],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 32 + 5, 2 ** 53, 2 ** 53 + 2, -(2 ** 53)],
  ...[1e308, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MIN_VALUE],
  ...[
    "",
    "\0",
    "a\0b",
    "\0text",
    "é".repeat(128),
    "x".repeat(255),
    "x".repeat(256),
    "a".repeat(40),
  ],
  ...["#".repeat(40), "x".repeat(16), "x".repeat(17), "127.0.0.1", "10.0.0.0/8", "10.0.0.0/99"],
  ...[["::1", "10.0.0.0/8"], ["nowhere"], [null], [5], ["127.0.0.1", undefined]],
  ...[Buffer.alloc(0), Buffer.from("text"), Buffer.from([0]), Buffer.alloc(31), new Uint8Array(32)],
  ...[Buffer.from("::1"), Buffer.alloc(255, 1), Buffer.alloc(256, 1), new ArrayBuffer(3)],
  ...[new DataView(new ArrayBuffer(32)), new Uint16Array(16)],
];

const WARNINGS = ["rounded inaccurately", "curveServer without curveSecretKey"];

const SETTABLE = OPTIONS.filter(({ access, absent }) => access !== "r" && absent !== true);

export const options: Target = {
  name: "options",
  states: [
    ...TYPES,
    ...SETTABLE.map(({ name }) => `set: ${name}`),
    ...["by name", "by number", "by the constructor", "read by name", "read by number"],
    ...["TypeError", "EINVAL", "ENOTSOCK", "warned", "authenticate"],
    ...["clear text", "clear text again", "plain, server", "plain, client", "curve, server"],
    ...["curve, client", "curve, keys missing", "mechanism changed"],
  ],

  generate(random) {
    if (random.once(100)) return seal(random, TYPES.indexOf("Dish"), JOIN_AND_LEAVE);
    const type = random.below(TYPES.length);
    const steps = Array.from({ length: random.below(20) }, () => step(random));
    return seal(random, random.once(4) ? type | CONSTRUCTED : type, steps);
  },

  execute(input, reach) {
    const { mode, octets } = open(input);
    const steps = Array.from({ length: Math.ceil(octets.length / STEP) }, (_, i): Step => {
      const [high = 0, low = 0, way = 0, value = 0] = octets.subarray(STEP * i, STEP * (i + 1));
      return { number: 256 * high + low, way, value: VALUES[value % VALUES.length] };
    });
    const { emitWarning } = process;
    process.emitWarning = (warning: string | Error) => {
      check(
        `${warning} is told of`,
        WARNINGS.some((it) => String(warning).includes(it)),
      );
      reach("warned");
    };
    const life = new Life(TYPES[(mode & 127) % TYPES.length] as string, reach);
    try {
      if (mode & CONSTRUCTED) life.construct(steps.splice(0, 3));
      for (const it of steps) life.step(it);
    } finally {
      life.close();
      process.emitWarning = emitWarning;
    }
  },
};

/** Octets of a step: the option's number, which stays whatever options are added, the way and the value. */
const STEP = 4;

/** What is done: `way` says whether by name or by number, and as what. */
interface Step {
  number: number;
  way: number;
  value: unknown;
}

function step(random: Random): Uint8Array {
  const number = random.once(2) ? numberOf(random.pick(ASKS)) : random.pick(NUMBERS);
  const way = random.once(200) ? 255 : random.below(250);
  // The first values are those that make sense to most.
  const value = random.once(3) ? random.below(11) : random.below(VALUES.length);
  return Uint8Array.of(number >> 8, number & 0xff, way, value);
}

/** By number, the same group: chance seldom leaves one that it has joined. */
const JOIN_AND_LEAVE = ["join", "leave"].map((name) => {
  const number = numberOf(name);
  return Uint8Array.of(number >> 8, number & 0xff, 3, VALUES.indexOf("text"));
});

const context = new zmq.Context({ maxSockets: 1_000_000 });
const insides = shared<WeakMap<object, { core: Core }>>("insides", () => new WeakMap());

type Settable = zmq.Socket & Record<string, unknown>;
type Methods = Record<string, (...args: unknown[]) => unknown>;

class Life {
  readonly #reach: (state: string) => void;
  readonly #type: string;
  #socket: Settable;
  #core: Core;
  #specs: readonly OptionSpec[];
  /** What the store holds, in the order of the options. */
  #kept: readonly unknown[];
  /** As it was at first: the type has a say in it. */
  #initial: readonly unknown[];
  /** The model: options that ask for a mechanism, as far as others have not taken their place. */
  readonly #asked = new Set<string>();
  /** What the last of them to be set wants; of those that are left, once none does. */
  #wanted: string | undefined;
  #mechanism: unknown = null;

  constructor(type: string, reach: (state: string) => void) {
    this.#type = type;
    this.#reach = reach;
    this.#socket = this.#make({});
    this.#core = (insides.get(this.#socket) as { core: Core }).core;
    this.#specs = [...this.#core.kind.options.values()];
    this.#kept = this.#initial = this.#look();
    reach(type);
  }

  /** Another socket of the type, to which the constructor does what the steps say. */
  construct(steps: readonly Step[]): void {
    const settings = new Map(steps.map(({ number, value }) => [nameOf(number), value]));
    settings.delete("constructor");
    const bare = this.#socket;
    const made = this.#outcome(() => this.#make(Object.fromEntries(settings)));
    if (!(made instanceof zmq.Socket)) return;
    this.#reach("by the constructor");
    bare.close();
    this.#socket = made as Settable;
    this.#core = (insides.get(made) as { core: Core }).core;
    const kept = this.#look();
    const changed = this.#changes(kept);
    const names = [...settings.keys()];
    const isMeant = (name: string) =>
      names.includes(name) || (isOfSecurity(name) && names.some(isAsk));
    check("only what is set changes", changed.every(isMeant));
    // In the order in which they stand.
    for (const name of names) {
      if (isAsk(name)) this.#ask(name, settings.get(name) === null || settings.get(name) === false);
    }
    this.#judge(kept);
  }

  step(it: Step): void {
    if (it.way === 255) this.#socket.close();
    else if (it.way % 8 < 3) this.#setByName(nameOf(it.number), it.value);
    else if (it.way % 8 < 6) this.#setByNumber(it);
    else if (it.way % 8 === 6) this.#readByName(nameOf(it.number));
    else this.#readByNumber(it);
  }

  close(): void {
    this.#socket.close();
  }

  #make(settings: object): Settable {
    const Class = CLASSES[this.#type] as (typeof CLASSES)[string];
    return new Class({ ...settings, context }) as Settable;
  }

  #setByName(name: string, value: unknown): void {
    const spec = this.#specs.find((it) => it.name === name);
    const failed = this.#outcome(() => {
      this.#socket[name] = value;
    });
    if (failed === undefined) {
      this.#reach(name === "authenticate" ? name : "by name");
      check(`${name} can be set`, name === "authenticate" || spec !== undefined);
    }
    this.#wasSet(spec, value, failed);
    if (failed === undefined && spec !== undefined && isKeptAsIs(spec, value)) {
      same(`${name} reads as it was set`, this.#socket[name], value);
    }
  }

  #setByNumber({ number, way, value }: Step): void {
    const id = number === NOT_A_NUMBER ? Number.NaN : number;
    const width = widthOf(number, way);
    const spec = this.#specs.find((it) => it.id === id);
    const failed = this.#outcome(() => {
      (this.#socket as unknown as Methods)[`set${width}Option`]?.(id, value);
    });
    if (failed === undefined) this.#reach("by number");
    this.#wasSet(spec, value, failed);
  }

  #readByName(name: string): void {
    const value = this.#outcome(() => {
      const read = this.#socket[name];
      if (name !== "constructor" && name !== "authenticate" && typeof read !== "function") {
        const spec = this.#specs.find((it) => it.name === name);
        if (read !== undefined)
          check(`${name} reads as its type says`, isOf(spec?.type, read, spec));
      }
      return "read";
    });
    if (value === "read") this.#reach("read by name");
    same("reading changes nothing", this.#changes(this.#look()), []);
  }

  #readByNumber({ number, way }: Step): void {
    const id = number === NOT_A_NUMBER ? Number.NaN : number;
    const width = widthOf(number, way);
    const value = this.#outcome(() => {
      const read = (this.#socket as unknown as Methods)[`get${width}Option`]?.(id);
      const spec = this.#specs.find((it) => it.id === id);
      check(`${id} reads as ${width}: ${String(read)}`, isOf(width, read, spec));
      return "read";
    });
    if (value === "read") this.#reach("read by number");
    same("reading changes nothing", this.#changes(this.#look()), []);
  }

  /** What a call gives; undefined, or the name of the error, which has to be one that the docs name. */
  #outcome<T>(call: () => T): T | string {
    try {
      return call();
    } catch (thrown) {
      const { code, message } = thrown as ErrnoError;
      if (thrown instanceof TypeError && code === undefined) {
        this.#reach("TypeError");
        return "TypeError";
      }
      const codes = this.#socket.closed ? ["ENOTSOCK", "EINVAL"] : ["EINVAL"];
      if (!codes.includes(code)) throw new Error(`${code}: ${message}`, { cause: thrown });
      this.#reach(code);
      return code;
    }
  }

  #wasSet(spec: OptionSpec | undefined, value: unknown, failed: unknown): void {
    const kept = this.#look();
    const changed = this.#changes(kept);
    if (failed !== undefined) {
      // An order may be refused by the pattern; what is kept of it means nothing.
      const isOrder = spec?.order === true && changed.every((name) => name === spec.name);
      check(`what is refused changes nothing: ${changed}`, changed.length === 0 || isOrder);
    } else if (spec !== undefined) {
      this.#reach(`set: ${spec.name}`);
      const isMeant = (it: string) => it === spec.name || (isOfSecurity(it) && isAsk(spec.name));
      check(`${spec.name} changes only itself: ${changed}`, changed.every(isMeant));
      if (isAsk(spec.name)) this.#ask(spec.name, !isSet(this.#value(spec.name)));
      if (value === true && spec.type === "Bool")
        check("on is on", this.#value(spec.name) === true);
    }
    this.#judge(kept);
  }

  /** In the model: an option asks for its mechanism, or does so no longer. */
  #ask(name: string, isOff: boolean): void {
    const asked = this.#asked;
    if (isOff) {
      asked.delete(name);
      // Half a login is none.
      if (name === "plainUsername" || name === "plainPassword") {
        asked.delete("plainUsername");
        asked.delete("plainPassword");
      }
      const left = [...asked].map(mechanismOf);
      if (!left.some((it) => it === this.#wanted)) this.#wanted = left[0];
      return;
    }
    // Who is told to be one thing is no other.
    const isPart = name !== "curvePublicKey" && name !== "curveSecretKey";
    if (isPart || name.startsWith("curve")) asked.delete("plainServer");
    if (isPart) asked.delete("curveServer");
    asked.add(name);
    this.#wanted = mechanismOf(name);
  }

  /** Whether what is kept is right. */
  #judge(kept: readonly unknown[]): void {
    for (const [i, value] of kept.entries()) {
      if (value === this.#kept[i] || value === this.#initial[i]) continue;
      const spec = this.#specs[i] as OptionSpec;
      check(`${spec.name} is never ${String(value)}`, mayBeKept(spec, value));
    }
    const asked = [...this.#asked].sort();
    same("what is asked for", ASKS.filter((name) => isSet(this.#value(name))).sort(), asked);
    this.#judgePolicy(asked);
    this.#kept = kept;
  }

  #judgePolicy(asked: readonly string[]): void {
    const mechanism = this.#value("securityMechanism");
    same("the mechanism", mechanism, this.#wanted ?? null);
    if (mechanism !== null && this.#mechanism !== null && mechanism !== this.#mechanism) {
      this.#reach("mechanism changed");
    }
    const was = this.#mechanism;
    this.#mechanism = mechanism;
    const isServer = asked.includes(`${mechanism}Server`);
    const hasKeys = asked.includes("curveSecretKey") && asked.includes("curveServerKey");
    const isMissing = mechanism === "curve" && !isServer && !hasKeys;
    const policy = this.#outcomeOfPolicy();
    same("keys are missing", policy === "EINVAL", isMissing);
    if (policy === "EINVAL") {
      this.#reach("curve, keys missing");
      return;
    }
    same(
      "the policy",
      policy.mechanism,
      mechanism === null ? "NULL" : String(mechanism).toUpperCase(),
    );
    if (mechanism === null) {
      this.#reach(was === null ? "clear text" : "clear text again");
      return;
    }
    // Whoever binds may be the client.
    const part = isServer ? "server" : "client";
    same("the part", [policy.part("client"), policy.part("server")], [part, part]);
    this.#reach(`${mechanism}, ${part}`);
  }

  #outcomeOfPolicy(): ReturnType<Core["security"]["policy"]> | "EINVAL" {
    try {
      return this.#core.security.policy("tcp://127.0.0.1:1");
    } catch (thrown) {
      check(`${thrown}`, (thrown as ErrnoError).code === "EINVAL");
      return "EINVAL";
    }
  }

  #look(): readonly unknown[] {
    return this.#specs.map(({ name }) => this.#value(name));
  }

  #value(name: string): unknown {
    return this.#core.options.value(name);
  }

  /** Options that have another value than they had after the last step. */
  #changes(kept: readonly unknown[]): string[] {
    const names: string[] = [];
    for (const [i, value] of kept.entries()) {
      if (!Object.is(value, this.#kept[i])) names.push((this.#specs[i] as OptionSpec).name);
    }
    return names;
  }
}

function nameOf(number: number): string {
  return SPECS.get(number)?.name ?? EXTRAS.get(number) ?? "nothing";
}

function numberOf(name: string): number {
  return OPTIONS.find((spec) => spec.name === name)?.id ?? 0;
}

/** Half of the time the option's own type. */
function widthOf(number: number, way: number): OptionType {
  const own = SPECS.get(number)?.type;
  const any = WIDTHS[(way >> 4) % WIDTHS.length] as OptionType;
  return (way & 8) === 0 && own !== undefined ? own : any;
}

function mechanismOf(name: string): string {
  return name.startsWith("plain") ? "plain" : "curve";
}

function isAsk(name: string): boolean {
  return ASKS.includes(name);
}

function isOfSecurity(name: string): boolean {
  return isAsk(name) || name === "securityMechanism";
}

function isSet(value: unknown): boolean {
  return value === true || (value instanceof Uint8Array && value.length > 0);
}

/** Whether this is a value that reads as it was set. */
function isKeptAsIs({ access, octets, store, unreadable }: OptionSpec, value: unknown): boolean {
  if (access !== "rw" || octets !== undefined || store !== undefined || unreadable) return false;
  return typeof value === "boolean" || value === ((value as number) & 0x7fffffff);
}

/** Whether the table allows an option to have this value. */
function mayBeKept(spec: OptionSpec, value: unknown): boolean {
  const { type, octets, valid, store, octetsMax, unusable, nullable, order } = spec;
  if (spec.networks || spec.absent) return value === undefined;
  if (spec.name === "securityMechanism") return [null, "plain", "curve"].includes(value as null);
  if (spec.access === "r") return false;
  if (type === "Bool") return typeof value === "boolean";
  if (octets !== undefined) {
    if (value === null) return order !== true;
    if (!(value instanceof Uint8Array)) return false;
    if (octets === "any") return true;
    if (octets === "key") return value.length === 32;
    return value.length > 0 && value.length < 256 && (octets !== "routing id" || value[0] !== 0);
  }
  if (type === "String") {
    if (value === null) return true;
    const size = Buffer.byteLength(value as string);
    return (
      unusable !== undefined && size > 0 && size <= (octetsMax ?? size) && !/\0/.test(`${value}`)
    );
  }
  if (value === null) return nullable === true;
  if (!isOf(type, value, spec)) return false;
  const number = value as number;
  return (valid?.(number) ?? true) && (store?.(number) ?? number) === number;
}

/** Whether a value is one that is read or kept as of this type. */
function isOf(type: OptionType | undefined, value: unknown, spec: OptionSpec | undefined): boolean {
  if (spec?.name === "securityMechanism") return [null, "plain", "curve"].includes(value as null);
  if (value === null && (spec?.nullable || type === "String")) return true;
  if (type === "Bool") return typeof value === "boolean";
  if (type === "String") return typeof value === "string";
  if (typeof value !== "number" || !Number.isInteger(value)) return false;
  if (type === "Int32") return value === (value | 0);
  if (type === "Uint32") return value === value >>> 0;
  return type === "Int64" || value >= 0;
}
