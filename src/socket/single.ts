import { Buffer } from "node:buffer";
import type { MessageLike, Parts } from "../message.js";
import { checkCount, checkOptions } from "./arguments.js";
import { type Refusal, RoutedPattern } from "./pattern.js";

/** A message has one part where sockets are meant for several threads (RFCs 41, 48, 49, 51, 52). */
export const MULTIPART: Refusal = { code: "EINVAL", waits: false };

/** Whether a message of a peer's has one part: see `SocketKind.accepts`. */
export function isSingle(parts: readonly Uint8Array[]): boolean {
  return parts.length === 1;
}

/** A pattern of two halves, of messages of one part. */
export class SinglePattern extends RoutedPattern {
  #multipart = false;

  override get sendRefusal(): Refusal {
    return this.#multipart ? MULTIPART : super.sendRefusal;
  }

  override takes(parts: Parts): boolean {
    return this.#accepts(parts) && super.takes(parts);
  }

  override send(parts: Parts): boolean {
    return this.#accepts(parts) && super.send(parts);
  }

  #accepts(parts: Parts): boolean {
    this.#multipart = !isSingle(parts);
    return !this.#multipart;
  }
}

/**
 * Checks the arguments of a `send` whose options say whom the message is for.
 * @throws TypeError, in npm zeromq's words, when there is no message or there are no options, or for a
 *   third argument.
 */
export function checkAddressed(args: ArrayLike<unknown>): void {
  if (args[0] === undefined) throw new TypeError("Message must be present");
  checkOptions(args[1]);
  checkCount(args, 2);
}

/** A message behind the part that says whom it is for: what a pattern sends. One of no parts is none. */
export function addressed(address: Buffer, message: MessageLike | MessageLike[]): MessageLike[] {
  if (!Array.isArray(message)) return [address, message];
  return message.length === 0 ? [] : [address, ...message];
}

/**
 * The octets of a name, without those from a zero on: to libzmq it is a string of C.
 * @throws TypeError, in npm zeromq's words, unless it is text or octets.
 */
export function nameOctets(value: unknown): Buffer {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw new TypeError("Value must be a string or buffer");
  }
  const octets = Buffer.from(value as string);
  const end = octets.indexOf(0);
  return end < 0 ? octets : octets.subarray(0, end);
}
