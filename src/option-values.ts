import { Buffer } from "node:buffer";
import { errnoError } from "./errors.js";
import type { OptionType, OptionValue } from "./options.js";
import { decode } from "./z85.js";

/** Which octets an option takes, and how they are read: see {@link toOctets}. */
export type OctetsKind = "any" | "routing id" | "login" | "domain" | "key";

/**
 * Checks and converts a value as npm zeromq does: numbers lose their fraction, a Buffer becomes
 * text.
 * @throws TypeError for a wrong type.
 */
export function convert(type: OptionType, value: unknown): OptionValue {
  switch (type) {
    case "Bool":
      if (typeof value !== "boolean") throw new TypeError("Option value must be a boolean");
      return value;
    case "String":
      return toText(value);
    default:
      if (typeof value !== "number") throw new TypeError("Option value must be a number");
      return toInteger(type, value);
  }
}

export function toText(value: unknown): string | null {
  if (value === null || typeof value === "string") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  throw new TypeError("Option value must be a string or buffer");
}

/**
 * The octets of a text or a buffer, null where there are none.
 *
 * - `routing id`: 1 to 255, the first of them not zero.
 * - `login`: 1 to 255, or null.
 * - `domain`: 1 to 255.
 * - `key`: 32, or the 40 characters of Z85 that stand for them.
 *
 * @throws EINVAL when they are not of the kind.
 */
export function toOctets(value: unknown, kind: OctetsKind): Buffer | null {
  const octets = Buffer.from((value ?? "") as string);
  if (kind === "any") return octets;
  if (kind === "key") return toKey(octets);
  if (kind === "login" && value === null) return null;
  const isGood = kind !== "routing id" || octets[0] !== 0;
  if (octets.length === 0 || octets.length > 255 || !isGood) throw errnoError("EINVAL");
  return octets;
}

const KEY_SIZE = 32;
const KEY_TEXT_SIZE = 40;

function toKey(octets: Buffer): Buffer {
  if (octets.length === KEY_SIZE) return octets;
  const key = octets.length === KEY_TEXT_SIZE ? decode(octets.toString("latin1")) : undefined;
  if (key === undefined) {
    const wanted = "A key is 32 octets, or 40 characters of Z85";
    throw errnoError("EINVAL", undefined, `Invalid argument: ${wanted}`);
  }
  return Buffer.from(key);
}

/** Octets read as text, up to a zero: libzmq hands out a string of C. */
export function cString(octets: Buffer): string {
  const end = octets.indexOf(0);
  return octets.toString("utf8", 0, end < 0 ? octets.length : end);
}

function toInteger(type: OptionType, value: number): number {
  if (type === "Int32") return value | 0;
  if (type === "Uint32") return value >>> 0;
  if (!Number.isFinite(value)) return 0;
  if (value > Number.MAX_SAFE_INTEGER) {
    process.emitWarning(
      "Value is larger than Number.MAX_SAFE_INTEGER and may have been rounded inaccurately.",
    );
  }
  return type === "Uint64" ? Math.max(0, Math.trunc(value)) : Math.trunc(value);
}

/** A whole number or boolean as one of another type; what is too wide for it loses its upper bits. */
export function as(type: OptionType, value: number | boolean): number | boolean {
  if (type === "Bool") return Boolean(value);
  if (type === "Int32") return Number(value) | 0;
  if (type === "Uint32") return Number(value) >>> 0;
  return type === "Uint64" ? Math.max(0, Number(value)) : Number(value);
}
