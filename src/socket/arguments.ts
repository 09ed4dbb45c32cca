import { errnoError } from "../errors.js";

/** Ours alone: what can end a call that waits. */
export interface CallOptions {
  /** When it is aborted, the call rejects with its reason and has done nothing. */
  signal?: AbortSignal;
}

/** Ours alone: what a message may take along. */
export interface TransferOptions {
  /**
   * ArrayBuffers that the message takes along, as with `postMessage`. At least one part has to lie in each.
   * Once the message is accepted (`trySend` returns true; `send` has found room, which it mostly does
   * at once) the caller has them no more: they are detached, whatever the peer and the endpoint. What
   * is not sent stays the caller's. No message that was sent before, and may not be written yet, may hold the same
   * buffer: it would be lost. Over `inproc://` to another thread, parts of 4 KB and more in them
   * are not copied: the thread gets the whole buffer. Default: none; whatever goes to another thread
   * is copied.
   */
  transfer?: readonly ArrayBuffer[];
}

/** Ours alone: what a `send` may be given beside its message. */
export interface SendCallOptions extends CallOptions, TransferOptions {}

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
  return optionsOf(args, expected, ["signal"])?.signal;
}

/**
 * The options that a call's arguments may end with, of which there must be one at least; what
 * `transfer` is has yet to be seen.
 * @throws TypeError for any other extra argument.
 * @internal
 */
export function optionsOf(
  args: ArrayLike<unknown>,
  expected: number,
  names: readonly (keyof SendCallOptions)[],
): SendCallOptions | undefined {
  if (args.length <= expected) return undefined;
  const options = args[expected] as SendCallOptions;
  const known = isObject(options) && names.some((name) => name in options);
  if (args.length > expected + 1 || !known || !isSignal(options.signal)) checkCount(args, expected);
  return options;
}

function isObject(value: unknown): value is object {
  return value !== null && typeof value === "object";
}

function isSignal(value: unknown): boolean {
  return value === undefined || value instanceof AbortSignal;
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
