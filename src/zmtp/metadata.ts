import { readUint32, writeUint32 } from "./frame.js";
import type { Limits } from "./limits.js";
import { copyOf } from "./memory.js";
import { ProtocolError } from "./protocol-error.js";
import type { SocketTypeName } from "./socket-type.js";
import { ascii, toAscii } from "./text.js";

/**
 * A peer's properties by name, in lower case (RFC 37: names are case-insensitive). A Map, so that
 * no name (`__proto__`) can mean anything to the language.
 */
export type Metadata = ReadonlyMap<string, Uint8Array>;

const MAX_IDENTITY_SIZE = 255;
const NAME = /^[A-Za-z0-9\-_.+]+$/;

/** The properties that a socket announces: its type, its routing id, the application's own. */
export function announce(
  socketType: SocketTypeName,
  identity: Uint8Array | undefined,
  extra: Iterable<readonly [string, Uint8Array]> = [],
): (readonly [string, Uint8Array])[] {
  const properties: (readonly [string, Uint8Array])[] = [["Socket-Type", ascii(socketType)]];
  if (identity !== undefined) properties.push(["Identity", identity]);
  properties.push(...extra);
  return properties;
}

/** Encodes properties as `*( name-size name value-size value )`. */
export function encodeMetadata(properties: Iterable<readonly [string, Uint8Array]>): Uint8Array {
  const list = [...properties];
  let size = 0;
  for (const [name, value] of list) size += 1 + name.length + 4 + value.length;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const [name, value] of list) {
    bytes[at++] = name.length;
    bytes.set(ascii(name), at);
    at += name.length;
    writeUint32(bytes, at, value.length);
    bytes.set(value, at + 4);
    at += 4 + value.length;
  }
  return bytes;
}

/** The commands that carry metadata. */
type Carrier = "READY" | "INITIATE";

/**
 * Decodes `body` from `at` to its end; values are copies.
 * @param carrier The command that it came in, for the error.
 * @throws ProtocolError when it is cut short, names a property twice, or breaks a limit.
 */
export function decodeMetadata(
  body: Uint8Array,
  at: number,
  limits: Limits,
  carrier: Carrier = "READY",
): Metadata {
  const properties = new Map<string, Uint8Array>();
  while (at < body.length) {
    const nameSize = body[at++] as number;
    if (nameSize === 0) throw invalid("a property without a name");
    // Compared with what is left, never added to it: sizes are the peer's choice.
    if (nameSize > body.length - at - 4) throw malformed(carrier);
    const name = toAscii(body, at, at + nameSize).toLowerCase();
    if (!NAME.test(name)) throw invalid("a property's name has a character that is not allowed");
    at += nameSize;
    const valueSize = readUint32(body, at);
    at += 4;
    if (valueSize > body.length - at) throw malformed(carrier);
    if (properties.has(name)) throw invalid(`${name} is there twice`);
    if (properties.size === limits.maxProperties) {
      throw new ProtocolError("ERR_ZMTP_TOO_MANY_PROPERTIES", `more than ${limits.maxProperties}`);
    }
    properties.set(name, copyOf(body, at, at + valueSize));
    at += valueSize;
  }
  checkIdentity(properties.get("identity"));
  return properties;
}

function checkIdentity(identity: Uint8Array | undefined): void {
  if (identity === undefined || identity.length === 0) return;
  if (identity.length > MAX_IDENTITY_SIZE) throw invalid("an Identity of more than 255 octets");
  if (identity[0] === 0) throw invalid("an Identity that starts with a zero octet");
}

function malformed(carrier: Carrier): ProtocolError {
  return new ProtocolError(`ERR_ZMTP_MALFORMED_COMMAND_${carrier}`, "a property is cut short");
}

function invalid(detail: string): ProtocolError {
  return new ProtocolError("ERR_ZMTP_INVALID_METADATA", detail);
}
