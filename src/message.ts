import { Buffer } from "node:buffer";

/** A part of a received message. */
export type Message = Buffer;

/**
 * A message of one part with what else there is to know of it, as npm zeromq hands out those of its
 * draft types: `[message, { group }]`. To TypeScript it is a list of parts, too, since that is what a
 * socket receives.
 */
export type MessageWith<O extends object> = [Message, O] & Message[];

/**
 * What can be sent as a part; `null` is an empty one, a number is sent as its decimal text. As in
 * npm zeromq a SharedArrayBuffer is sent as its text, and a DataView throws "Invalid argument".
 */
export type MessageLike =
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | string
  | number
  | null;

/** A message inside: its parts in order, at least one. @internal */
export type Parts = Buffer[];

/**
 * Parts of at most this many bytes are copied when they are sent, so that the caller may reuse
 * them at once; larger ones are kept by reference until they have been written. It is npm zeromq's
 * border.
 * @internal
 */
export const COPY_MAX = 128;

const EMPTY = Buffer.alloc(0);

/**
 * Turns what the caller sends into parts, which may still share its memory: see {@link own}.
 * @throws TypeError for a symbol.
 * @throws Error "Invalid argument" for a DataView.
 * @internal
 */
export function toParts(message: MessageLike | readonly MessageLike[]): Parts {
  if (Array.isArray(message)) {
    const parts: Parts = new Array(message.length);
    for (let i = 0; i < message.length; i++) parts[i] = toPart(message[i]);
    return parts;
  }
  return [toPart(message)];
}

/**
 * Makes small parts independent of the caller's memory, for a message that has to wait.
 * @internal
 */
export function own(parts: Parts): void {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Buffer;
    if (part.length <= COPY_MAX && part.length > 0) parts[i] = copyOf(part);
  }
}

/** Gives each part an ArrayBuffer to itself, unless it has one. @internal */
export function ownBuffers(parts: Parts): void {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Buffer;
    if (part.buffer.byteLength === part.length) continue;
    const copy = Buffer.allocUnsafeSlow(part.length);
    copy.set(part);
    parts[i] = copy;
  }
}

/** The bytes of all parts together. @internal */
export function sizeOf(parts: readonly Uint8Array[]): number {
  let size = 0;
  for (let i = 0; i < parts.length; i++) size += (parts[i] as Uint8Array).length;
  return size;
}

function toPart(value: unknown): Buffer {
  if (value instanceof Uint8Array) {
    // One without octets may have been given away: to look at its memory then throws, as it does for the others.
    return Buffer.isBuffer(value) && value.length > 0
      ? value
      : Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
  }
  if (value === null) return EMPTY;
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) {
    // npm zeromq's answer, too.
    if (value instanceof DataView) throw new Error("Invalid argument");
    return Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
  }
  // Anything else is sent as its text, as in npm zeromq. A template would do, but for symbols.
  if (typeof value === "symbol") throw new TypeError("Cannot convert a Symbol value to a string");
  return Buffer.from(String(value));
}

function copyOf(part: Buffer): Buffer {
  const copy = Buffer.allocUnsafe(part.length);
  copy.set(part);
  return copy;
}
