import { Buffer } from "node:buffer";
import { AcceptFilter } from "./accept-filter.js";
import { errnoError } from "./errors.js";
import { as, convert, cString, type OctetsKind, toOctets, toText } from "./option-values.js";
import { encode } from "./z85.js";

/** How an option's value is checked and converted; the names are those of npm zeromq's getters. */
export type OptionType = "Bool" | "Int32" | "Uint32" | "Int64" | "Uint64" | "String";

export type OptionValue = boolean | number | string | null;

/**
 * Which sockets have an option: all, or those that can receive, or those that can send, or those that
 * peers subscribe at, or the types that name it.
 */
export type OptionScope = "all" | "readable" | "writable" | "subscribed" | "some";

export interface OptionSpec {
  name: string;
  /** libzmq's number. Options that are ours alone count from {@link OURS}. */
  id: number;
  type: OptionType;
  /** Read, write or both; an option that cannot be read has no default. */
  access: "r" | "w" | "rw";
  scope: OptionScope;
  /** The default; undefined: reading fails with EINVAL, as in npm zeromq. */
  initial: OptionValue | undefined;
  /** Which numbers are allowed. */
  valid?: (value: number) => boolean;
  /** What is stored for a number. */
  store?: (value: number) => number;
  /** Takes effect at once, not only for endpoints that are bound or connected later. */
  immediate?: true;
  /** Though it takes effect at once, no message that waits, and no peer, can go on for it. */
  makesNoRoom?: true;
  /** A number that may be null, too. */
  nullable?: true;
  /** Takes lists of texts as well, and keeps an {@link AcceptFilter}. */
  networks?: true;
  /** Octets, kept as they are; which of them are allowed: see {@link toOctets}. */
  octets?: OctetsKind;
  /** Has no property: there is a method for it, or another property. */
  hidden?: true;
  /** An order to the socket's pattern, told each time it is set; what value is kept means nothing. */
  order?: true;
  /** What the option does is not built yet; a value is kept, and refused when it would be used, over tcp. */
  unusable?: "to connect" | "at all";
  /** Of a text that is kept: octets at the most. */
  octetsMax?: number;
  /** Has a property that throws EINVAL when read, as in npm zeromq. */
  unreadable?: true;
  /** Nothing of the kind exists: reading and writing fail. */
  absent?: true;
}

/** Numbers of options that libzmq does not have. */
const OURS = 10_000;

const any = (): boolean => true;
const notNegative = (value: number): boolean => value >= 0;
const minusOneUp = (value: number): boolean => value >= -1;
const positive = (value: number): boolean => value > 0;
const keepalive = (value: number): boolean => value >= -1 && value <= 1;
/** 65,535 tenths of a second, and what is cut off. */
const heartbeatTtl = (value: number): boolean => value > -100 && value <= 6_553_599;
const fileMode = (value: number): boolean => value >= 0 && value <= 0o777;
/** It travels in tenths of a second. */
const wholeTenths = (value: number): number => Math.max(0, value - (value % 100));

type Extra = Partial<Omit<OptionSpec, "id" | "name" | "type" | "initial" | "scope">>;

function option(
  id: number,
  name: string,
  type: OptionType,
  initial: OptionValue | undefined,
  extra: Extra = {},
  scope: OptionScope = "all",
): OptionSpec {
  return { id, name, type, initial, access: "rw", scope, ...extra };
}

/** An option of some types of sockets that can be set and not read. */
function writeOnly(
  id: number,
  name: string,
  type: OptionType,
  initial: OptionValue,
  extra: Extra = {},
): OptionSpec {
  return option(id, name, type, initial, { access: "w", immediate: true, ...extra }, "some");
}

/** What later calls, and later peers, go by, and nothing that waits. */
const fromNowOn = { immediate: true, makesNoRoom: true } as const;

/** Every socket option (`zmq_setsockopt`). */
export const OPTIONS: readonly OptionSpec[] = [
  option(11, "sendBufferSize", "Int32", -1, { valid: minusOneUp }, "writable"),
  option(
    23,
    "sendHighWaterMark",
    "Int32",
    1000,
    { valid: notNegative, immediate: true },
    "writable",
  ),
  option(28, "sendTimeout", "Int32", -1, { ...fromNowOn, valid: minusOneUp }, "writable"),
  option(25, "multicastHops", "Int32", 1, { valid: positive }, "writable"),
  option(
    OURS,
    "sendHighWaterMarkBytes",
    "Int64",
    0,
    { valid: notNegative, immediate: true },
    "writable",
  ),

  option(12, "receiveBufferSize", "Int32", -1, { valid: minusOneUp }, "readable"),
  option(
    24,
    "receiveHighWaterMark",
    "Int32",
    1000,
    { valid: notNegative, immediate: true },
    "readable",
  ),
  option(27, "receiveTimeout", "Int32", -1, { ...fromNowOn, valid: minusOneUp }, "readable"),
  option(
    OURS + 1,
    "receiveHighWaterMarkBytes",
    "Int64",
    0,
    { valid: notNegative, immediate: true },
    "readable",
  ),
  option(
    OURS + 3,
    "receiveHighWaterMarkTotalBytes",
    "Int64",
    0,
    { valid: notNegative },
    "readable",
  ),
  option(OURS + 4, "sendHighWaterMarkTotalBytes", "Int64", 0, { valid: notNegative }, "writable"),
  option(OURS + 2, "exclusiveBuffers", "Bool", false, {}, "readable"),

  option(5, "routingId", "String", null, { octets: "routing id" }, "some"),
  option(96, "multicastLoop", "Bool", true, {}, "some"),
  writeOnly(OURS + 20, "join", "String", null, { octets: "any", hidden: true, order: true }),
  writeOnly(OURS + 21, "leave", "String", null, { octets: "any", hidden: true, order: true }),
  writeOnly(6, "subscribe", "String", null, { octets: "any", hidden: true, order: true }),
  writeOnly(7, "unsubscribe", "String", null, { octets: "any", hidden: true, order: true }),
  writeOnly(33, "mandatory", "Bool", false, { access: "rw", unreadable: true }),
  writeOnly(40, "verbose", "Bool", false, { hidden: true, order: true }),
  writeOnly(51, "probeRouter", "Bool", false),
  writeOnly(52, "correlate", "Bool", false),
  writeOnly(53, "relaxed", "Bool", false),
  option(54, "conflate", "Bool", false, { access: "w" }, "some"),
  writeOnly(56, "handover", "Bool", false),
  writeOnly(61, "connectRoutingId", "String", null, {
    ...fromNowOn,
    octets: "routing id",
    hidden: true,
  }),
  writeOnly(69, "noDrop", "Bool", false),
  writeOnly(71, "manual", "Bool", false),
  writeOnly(72, "welcomeMessage", "String", null, { octets: "any" }),
  writeOnly(73, "notify", "Bool", true),
  writeOnly(74, "invertMatching", "Bool", false, { access: "rw" }),
  writeOnly(78, "verboser", "Bool", false, { hidden: true, order: true }),

  option(
    OURS + 40,
    "maxSubscriptions",
    "Int32",
    100_000,
    { ...fromNowOn, valid: notNegative },
    "subscribed",
  ),
  option(
    OURS + 41,
    "maxSubscriptionBytes",
    "Int64",
    16 * 2 ** 20,
    { ...fromNowOn, valid: notNegative },
    "subscribed",
  ),

  option(4, "affinity", "Uint64", 0),
  option(8, "rate", "Int32", 100, { valid: positive }),
  option(9, "recoveryInterval", "Int32", 10_000, { valid: notNegative }),
  option(16, "type", "Int32", undefined, { access: "r" }),
  option(17, "linger", "Int32", -1, { ...fromNowOn, valid: minusOneUp }),
  option(18, "reconnectInterval", "Int32", 100, { valid: minusOneUp }),
  option(19, "backlog", "Int32", 100, { valid: notNegative }),
  option(21, "reconnectMaxInterval", "Int32", 0, { valid: notNegative }),
  option(22, "maxMessageSize", "Int64", -1, { valid: any }),
  option(32, "lastEndpoint", "String", null, { access: "r" }),
  option(34, "tcpKeepalive", "Int32", -1, { valid: keepalive }),
  option(35, "tcpKeepaliveCount", "Int32", -1, { valid: minusOneUp }),
  option(36, "tcpKeepaliveIdle", "Int32", -1, { valid: minusOneUp }),
  option(37, "tcpKeepaliveInterval", "Int32", -1, { valid: minusOneUp }),
  option(38, "tcpAcceptFilter", "String", undefined, {
    networks: true,
    immediate: true,
  }),
  option(39, "immediate", "Bool", false),
  option(42, "ipv6", "Bool", false),
  option(43, "securityMechanism", "Int32", null, { access: "r" }),
  option(44, "plainServer", "Bool", false),
  option(45, "plainUsername", "String", null, { octets: "login" }),
  option(46, "plainPassword", "String", null, { octets: "login" }),
  option(47, "curveServer", "Bool", false),
  option(48, "curvePublicKey", "String", null, { octets: "key" }),
  option(49, "curveSecretKey", "String", null, { octets: "key" }),
  option(50, "curveServerKey", "String", null, { octets: "key" }),
  option(55, "zapDomain", "String", null, { octets: "domain" }),
  option(57, "typeOfService", "Int32", 0, { valid: notNegative }),
  option(66, "handshakeInterval", "Int32", 30_000, { valid: notNegative }),
  option(68, "socksProxy", "String", null, { unusable: "to connect" }),
  option(75, "heartbeatInterval", "Int32", 0, { valid: notNegative }),
  option(76, "heartbeatTimeToLive", "Int32", 0, { valid: heartbeatTtl, store: wholeTenths }),
  option(77, "heartbeatTimeout", "Int32", -1, { valid: notNegative }),
  option(79, "connectTimeout", "Int32", 0, { valid: notNegative }),
  option(80, "tcpMaxRetransmitTimeout", "Int32", 0, { valid: notNegative }),
  option(81, "threadSafe", "Bool", false, { access: "r" }),
  option(84, "multicastMaxTransportDataUnit", "Int32", 1500, { valid: positive }),
  option(85, "vmciBufferSize", "Uint64", undefined, { absent: true }),
  option(86, "vmciBufferMinSize", "Uint64", undefined, { absent: true }),
  option(87, "vmciBufferMaxSize", "Uint64", undefined, { absent: true }),
  option(88, "vmciConnectTimeout", "Int32", undefined, { absent: true }),
  option(92, "interface", "String", null, { unusable: "at all", octetsMax: 16 }),
  option(93, "zapEnforceDomain", "Bool", false),
  option(94, "loopbackFastPath", "Bool", false),
  option(OURS + 30, "ipcMode", "Int64", null, { valid: fileMode, nullable: true }),
  option(OURS + 31, "maxConnections", "Int32", 16_384, { ...fromNowOn, valid: notNegative }),
  option(OURS + 32, "maxHandshakes", "Int32", 1024, { ...fromNowOn, valid: notNegative }),
];

function notBuilt(name: string, endpoint?: string): Error {
  return errnoError("ENOTSUP", endpoint, `Operation not supported: ${name} is not built yet`);
}

/** The options of one socket or context: a value for each entry of its table. */
export class OptionStore {
  readonly #specs: ReadonlyMap<number, OptionSpec>;
  readonly #values: Record<string, OptionValue | Buffer | undefined> = {};
  #acceptFilter = AcceptFilter.EVERYONE;

  constructor(specs: ReadonlyMap<number, OptionSpec>) {
    this.#specs = specs;
    for (const { name, initial } of specs.values()) this.#values[name] = initial;
  }

  /** The value of an option by name, for use inside: unchecked. */
  value(name: string): OptionValue | Buffer | undefined {
    return this.#values[name];
  }

  /** A number; 0 when there is no such option here. */
  number(name: string): number {
    return (this.#values[name] as number | undefined) ?? 0;
  }

  boolean(name: string): boolean {
    return this.#values[name] === true;
  }

  /** Octets; undefined when there are none. */
  octets(name: string): Buffer | undefined {
    const value = this.#values[name];
    return value instanceof Buffer && value.length > 0 ? value : undefined;
  }

  /** From where connections are taken over tcp. */
  get acceptFilter(): AcceptFilter {
    return this.#acceptFilter;
  }

  /** Sets a value from inside: unchecked. */
  put(name: string, value: OptionValue | Buffer): void {
    this.#values[name] = value;
  }

  /** @throws EINVAL for an option that does not exist, is of another type or cannot be read. */
  get(id: number, type: OptionType): OptionValue {
    const { name, access, octets, unreadable } = this.#find(id, type);
    const value = this.#values[name];
    if (value === undefined || access === "w" || unreadable) throw errnoError("EINVAL");
    if (typeof value === "object" && value !== null) {
      return octets === "key" ? encode(value) : cString(value);
    }
    return value === null || typeof value === "string" ? value : as(type, value);
  }

  /**
   * A value as the option takes it, by its type alone.
   * @throws TypeError for a wrong type.
   */
  convert(id: number, type: OptionType, value: unknown): OptionValue | string[] {
    const spec = this.#specs.get(id);
    if (spec?.nullable === true && spec.type === type && value === null) return null;
    if (spec?.networks === true && spec.type === type && Array.isArray(value)) {
      return Array.from(value, (each: unknown) => toText(each ?? undefined) as string);
    }
    return convert(type, value);
  }

  /**
   * @returns The option that was set.
   * @throws TypeError for a wrong type; EINVAL for a wrong value.
   */
  set(id: number, type: OptionType, value: unknown): OptionSpec {
    const given = this.convert(id, type, value);
    const spec = this.#find(id, type);
    if (spec.networks === true) {
      this.#acceptFilter = this.#acceptFilter.with(given as string | string[] | null);
      return spec;
    }
    let converted = given as OptionValue | Buffer;
    if (spec.octets !== undefined) converted = toOctets(value, spec.octets);
    if (type !== "String" && converted !== null) {
      converted = as(spec.type, converted as number | boolean);
    }
    if (spec.access === "r" || spec.absent === true) throw errnoError("EINVAL");
    if (typeof converted === "number" && spec.valid !== undefined && !spec.valid(converted)) {
      throw errnoError("EINVAL");
    }
    if (spec.unusable !== undefined && typeof converted === "string") {
      converted = cString(Buffer.from(converted));
      const size = Buffer.byteLength(converted);
      if (size === 0 || size > (spec.octetsMax ?? size)) throw errnoError("EINVAL");
    }
    const stored = typeof converted === "number" && spec.store ? spec.store(converted) : converted;
    this.#values[spec.name] = stored;
    return spec;
  }

  /** @throws ENOTSUP when an option has a value that this version can do nothing with. */
  checkUsable(use: "bind" | "connect", endpoint: string): void {
    for (const { name, unusable } of this.#specs.values()) {
      if (unusable === undefined || (unusable === "to connect" && use === "bind")) continue;
      if (this.#values[name] !== null) throw notBuilt(name, endpoint);
    }
  }

  /** Numbers of any width and booleans read each other's options, as `zmq_getsockopt` lets them. */
  #find(id: number, type: OptionType): OptionSpec {
    const spec = this.#specs.get(id);
    if (spec === undefined || (spec.type === "String") !== (type === "String")) {
      throw errnoError("EINVAL");
    }
    return spec;
  }
}

/** Puts an accessor for each option on a prototype, built on `getInt32Option(id)` and its like. */
export function defineAccessors(prototype: object, specs: Iterable<OptionSpec>): void {
  for (const { name, id, type, access, hidden } of specs) {
    if (hidden === true) continue;
    const descriptor: PropertyDescriptor = { configurable: true };
    if (access !== "w") {
      descriptor.get = function get(this: Record<string, (id: number) => unknown>) {
        return this[`get${type}Option`]?.(id);
      };
    }
    if (access !== "r") {
      descriptor.set = function set(
        this: Record<string, (id: number, value: unknown) => void>,
        value: unknown,
      ) {
        this[`set${type}Option`]?.(id, value);
      };
    }
    Object.defineProperty(prototype, name, descriptor);
  }
}
