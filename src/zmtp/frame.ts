/**
 * Frames (RFC 37, "Framing"): `flags size body`, the size in one octet, or in eight, most
 * significant first, when LONG is set.
 */
export const MORE = 0b001;
export const LONG = 0b010;
export const COMMAND = 0b100;

/** Any of these is reserved: RFC 37 wants zero. */
export const RESERVED = 0b1111_1000;

/** A body of more octets than this goes by reference: copying it would cost more than a vector. */
export const COPY_MAX = 8 * 1024;

/** A body of up to so many octets is its sender's again at once, though it has to wait: npm zeromq's border. */
export const REUSE_MAX = 128;

/** Octets in the longest frame header. */
export const MAX_HEADER_SIZE = 9;

/** The largest body that a one-octet size can say. */
export const SHORT_MAX = 255;

const TWO_32 = 2 ** 32;

/** A frame's MORE and COMMAND flags, and its body. */
export interface Frame {
  /** 1: more parts of the message follow (MORE); 4: a command (COMMAND); 0: neither. */
  flags: number;
  /** The octets after the header. */
  body: Uint8Array;
}

/** The size of the header before a body of `size` octets. */
export function headerSize(size: number): number {
  return size > SHORT_MAX ? MAX_HEADER_SIZE : 2;
}

/**
 * Writes the header of a body of `size` octets to `target` at `at`. `flags` is MORE, COMMAND or 0.
 * @returns The index after the header.
 */
export function writeHeader(target: Uint8Array, at: number, flags: number, size: number): number {
  if (size <= SHORT_MAX) {
    target[at] = flags;
    target[at + 1] = size;
    return at + 2;
  }
  target[at] = flags | LONG;
  writeUint32(target, at + 1, Math.floor(size / TWO_32));
  writeUint32(target, at + 5, size >>> 0);
  return at + MAX_HEADER_SIZE;
}

/**
 * Reads an eight-octet size. What a double cannot hold exactly (2^53 and more) comes back as
 * Infinity: no limit lets that through, and no sum of it can wrap around (CVE-2019-6250).
 */
export function readUint64(source: Uint8Array, at: number): number {
  const high = readUint32(source, at);
  // Nearly all sizes are small integers, and stay so only if no larger sum is formed.
  if (high === 0 && (source[at + 4] as number) < 0x40) return readInt32(source, at + 4);
  return high > 0x1f_ffff ? Number.POSITIVE_INFINITY : high * TWO_32 + readUint32(source, at + 4);
}

/** Reads four octets, most significant first. */
export function readUint32(source: Uint8Array, at: number): number {
  return readInt32(source, at) >>> 0;
}

function readInt32(source: Uint8Array, at: number): number {
  return (
    ((source[at] as number) << 24) |
    ((source[at + 1] as number) << 16) |
    ((source[at + 2] as number) << 8) |
    (source[at + 3] as number)
  );
}

/** Writes four octets, most significant first. */
export function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}
