import { ProtocolError } from "./protocol-error.js";
import { ascii, isAscii, toAscii } from "./text.js";

/** Commands (RFC 37, "Commands"): a frame whose body is `name-size name data`. */
export interface Command {
  /** 1 to 255 ASCII characters, such as `READY`. */
  name: string;
  /** What follows the name; of a decoded command a view of its body. */
  data: Uint8Array;
}

/** A PING asks for a PONG with the same context, and may say how long silence is fine. */
export interface Ping {
  /** How long the sender may be silent from now on, in milliseconds; 0: for ever. */
  ttlMs: number;
  /** 0 to 16 octets that come back in the PONG. */
  context: Uint8Array;
}

const MAX_CONTEXT_SIZE = 16;

/**
 * The largest time-to-live that we announce, in tenths of a second. RFC 37 allows 65,535, but
 * libzmq multiplies what it reads by 100 in 16 bits and hangs up too early from 656 on (its issue
 * 4226).
 */
const MAX_TTL_DS = 655;

/** The body of command `name`, of at most 255 ASCII characters, with `data`. */
export function encodeCommand(name: string, data: Uint8Array): Uint8Array {
  const body = new Uint8Array(1 + name.length + data.length);
  body[0] = name.length;
  body.set(ascii(name), 1);
  body.set(data, 1 + name.length);
  return body;
}

/**
 * Splits a command's body into its name and a view of its data.
 * @throws ProtocolError when the name does not fit.
 */
export function decodeCommand(body: Uint8Array): Command {
  const nameSize = body.length === 0 ? 0 : (body[0] as number);
  if (nameSize === 0) throw malformed("UNSPECIFIED", "no name");
  if (nameSize > body.length - 1) throw malformed("UNSPECIFIED", "the name is cut short");
  return { name: toAscii(body, 1, 1 + nameSize), data: body.subarray(1 + nameSize) };
}

/**
 * The body of a PING with 0 to 16 octets of context; a time-to-live is cut to whole tenths of a
 * second, 65.5 s at most.
 */
export function encodePing(ttlMs: number, context: Uint8Array): Uint8Array {
  const ttl = Math.min(Math.floor(ttlMs / 100), MAX_TTL_DS);
  const data = new Uint8Array(2 + context.length);
  data[0] = ttl >>> 8;
  data[1] = ttl;
  data.set(context, 2);
  return encodeCommand("PING", data);
}

/** Reads the data of a PING; the context is a view of it. */
export function decodePing(data: Uint8Array): Ping {
  if (data.length < 2) throw malformed("PING", "no time-to-live");
  if (data.length > 2 + MAX_CONTEXT_SIZE) throw malformed("PING", "context too long");
  const ttl = ((data[0] as number) << 8) | (data[1] as number);
  return { ttlMs: ttl * 100, context: data.subarray(2) };
}

/** Checks the data of a PONG: the context that our PING carried. */
export function checkPong(data: Uint8Array): void {
  if (data.length > MAX_CONTEXT_SIZE) throw malformed("PONG", "context too long");
}

/** The body of an ERROR; `reason` is ASCII of at most 255 characters. */
export function encodeError(reason: string): Uint8Array {
  const data = new Uint8Array(1 + reason.length);
  data[0] = reason.length;
  data.set(ascii(reason), 1);
  return encodeCommand("ERROR", data);
}

/** Reads the reason in the data of an ERROR; what is not printable stays out of our logs. */
export function decodeError(data: Uint8Array): string {
  if (data.length === 0 || (data[0] as number) !== data.length - 1) {
    throw malformed("ERROR", "the reason does not fit");
  }
  return isAscii(data, 1, data.length) ? toAscii(data, 1, data.length) : "(not printable)";
}

function malformed(what: "UNSPECIFIED" | "PING" | "PONG" | "ERROR", detail: string): ProtocolError {
  return new ProtocolError(`ERR_ZMTP_MALFORMED_COMMAND_${what}`, detail);
}
