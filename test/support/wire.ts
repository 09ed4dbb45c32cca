/**
 * Builders of what stands on the wire, octet by octet as RFC 37 has it. Nothing here comes from
 * `src`, and everything can be built wrong.
 */

/** Octets, or a text of which every character is one. */
export type Octets = Uint8Array | string;

export function bytes(octets: Octets): Uint8Array {
  return typeof octets === "string" ? Uint8Array.from(Buffer.from(octets, "latin1")) : octets;
}

export function concat(...pieces: Octets[]): Uint8Array {
  const all = pieces.map(bytes);
  const whole = new Uint8Array(all.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of all) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** An unsigned number in `size` octets, most significant first. */
export function number(value: number | bigint, size: number): Uint8Array {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, BigInt(value));
  return octets.subarray(8 - size);
}

export interface GreetingFields {
  signature?: Octets;
  major?: number;
  minor?: number;
  mechanism?: string;
  asServer?: number;
  filler?: number;
}

export function greeting(fields: GreetingFields = {}): Uint8Array {
  const { major = 3, minor = 1, mechanism = "NULL", asServer = 0, filler = 0 } = fields;
  const signature = bytes(fields.signature ?? "\xff\0\0\0\0\0\0\0\0\x7f");
  const name = new Uint8Array(20);
  name.set(bytes(mechanism));
  return concat(
    signature,
    Uint8Array.of(major, minor),
    name,
    Uint8Array.of(asServer),
    new Uint8Array(31).fill(filler),
  );
}

export interface FrameFields {
  more?: boolean;
  command?: boolean;
  /** The eight-octet form even where one octet would do. */
  long?: boolean;
  /** More flags, reserved ones say. */
  flags?: number;
  /** Announces another size than the body's. */
  size?: number | bigint;
}

export function frame(body: Octets, fields: FrameFields = {}): Uint8Array {
  const { more = false, command = false, flags = 0 } = fields;
  const size = fields.size ?? bytes(body).length;
  const long = (fields.long ?? false) || size > 255;
  const first = flags | (more ? 1 : 0) | (long ? 2 : 0) | (command ? 4 : 0);
  return concat(Uint8Array.of(first), number(size, long ? 8 : 1), body);
}

/** The frames that `octets` are, which must be whole ones. */
export function framesIn(octets: Uint8Array): { flags: number; body: Uint8Array }[] {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  const frames = [];
  for (let at = 0; at < octets.length; ) {
    const flags = view.getUint8(at);
    const isLong = (flags & 2) !== 0;
    const start = at + (isLong ? 9 : 2);
    const size = isLong ? Number(view.getBigUint64(at + 1)) : view.getUint8(at + 1);
    at = start + size;
    if (at > octets.length) throw new Error("a frame is cut short");
    frames.push({ flags, body: octets.subarray(start, at) });
  }
  return frames;
}

export function message(...parts: Octets[]): Uint8Array {
  return concat(...parts.map((part, i) => frame(part, { more: i < parts.length - 1 })));
}

export function command(name: string, data: Octets = ""): Uint8Array {
  return frame(commandBody(name, data), { command: true });
}

export function commandBody(name: string, data: Octets = ""): Uint8Array {
  return concat(Uint8Array.of(name.length), name, data);
}

export function property(name: string, value: Octets): Uint8Array {
  return concat(Uint8Array.of(name.length), name, number(bytes(value).length, 4), value);
}

export function metadata(properties: Readonly<Record<string, Octets>>): Uint8Array {
  return concat(...Object.entries(properties).map(([name, value]) => property(name, value)));
}

export function ready(properties: Readonly<Record<string, Octets>> = PAIR): Uint8Array {
  return command("READY", metadata(properties));
}

const PAIR = { "Socket-Type": "PAIR" };

export function error(reason: string): Uint8Array {
  return command("ERROR", concat(Uint8Array.of(reason.length), reason));
}

/** @param ttl In tenths of a second. */
export function ping(ttl = 0, context: Octets = ""): Uint8Array {
  return command("PING", concat(number(ttl, 2), context));
}

export function pong(context: Octets = ""): Uint8Array {
  return command("PONG", context);
}

export function subscribe(topic: Octets): Uint8Array {
  return command("SUBSCRIBE", topic);
}

export function cancel(topic: Octets): Uint8Array {
  return command("CANCEL", topic);
}
