import { errnoError } from "../errors.js";

/** Ours alone: what can end a call that waits. */
export interface CallOptions {
  /** When it is aborted, the call rejects with its reason and has done nothing. */
  signal?: AbortSignal;
}

/** @throws TypeError unless the address is a string. @internal */
export function checkAddress(address: unknown): asserts address is string {
  if (typeof address !== "string") throw new TypeError("Address must be a string");
}

/**
 * @throws TypeError unless the options are an object, or a function with properties.
 * @internal
 */
export function checkOptions(options: unknown): asserts options is object {
  if (options === null || (typeof options !== "object" && typeof options !== "function")) {
    throw new TypeError("Options must be an object");
  }
}

/**
 * The number of an option, the first of `expected` arguments.
 * @throws TypeError unless it is a number, or when there are more arguments.
 * @internal
 */
export function optionId(args: ArrayLike<unknown>, expected: number): number {
  const id = args[0];
  if (typeof id !== "number") throw new TypeError("Identifier must be a number");
  checkCount(args, expected);
  return id;
}

/**
 * @throws TypeError, in npm zeromq's words, when there are more arguments than `expected`.
 * @internal
 */
export function checkCount(args: ArrayLike<unknown>, expected: number): void {
  if (args.length <= expected) return;
  const plural = expected === 1 ? "argument" : "arguments";
  throw new TypeError(`Expected ${expected} ${plural} but received ${args.length}`);
}

/**
 * The signal of a call whose arguments may end with {@link CallOptions}; it may be aborted already.
 * @throws TypeError for any other extra argument.
 * @internal
 */
export function signalOf(args: ArrayLike<unknown>, expected: number): AbortSignal | undefined {
  if (args.length <= expected) return undefined;
  const options = args[expected];
  if (args.length > expected + 1 || !isCallOptions(options)) checkCount(args, expected);
  return (options as CallOptions).signal;
}

function isCallOptions(value: unknown): value is CallOptions {
  if (value === null || typeof value !== "object" || !("signal" in value)) return false;
  const { signal } = value;
  return signal === undefined || signal instanceof AbortSignal;
}

/** EBUSY, with what the socket is busy with. @internal */
export function busy(what: "reading" | "writing"): Error {
  const call = what === "reading" ? "receive" : "send";
  return errnoError(
    "EBUSY",
    undefined,
    `Socket is busy ${what}; only one ${call} operation may be in progress at any time`,
  );
}

/** EBUSY while a bind or unbind is under way. @internal */
export function blocked(): Error {
  return errnoError("EBUSY", undefined, "Socket is blocked by a bind or unbind operation");
}
