import type { Memory } from "./memory.js";

/**
 * The datagrams of RADIO and DISH: `group-size group body`. RFC 48 has them over TCP only; these are
 * libzmq's.
 *
 * ```
 *   0            1              1 + group-size
 *   | group-size | group        | body          |
 *     one octet    0 to 255
 * ```
 */

/** The octets of a datagram with a message for a group of 0 to 255 octets; the body is not copied. */
export function encodeDatagram(group: Uint8Array, body: Uint8Array): [Uint8Array, Uint8Array] {
  const head = new Uint8Array(1 + group.length);
  head[0] = group.length;
  head.set(group, 1);
  return [head, body];
}

/** The group and the body in a datagram, as parts of their own; undefined when it is none of these. */
export function decodeDatagram(
  datagram: Uint8Array,
  memory: Memory,
): [Uint8Array, Uint8Array] | undefined {
  if (datagram.length === 0) return undefined;
  const bodyAt = 1 + (datagram[0] as number);
  if (bodyAt > datagram.length) return undefined;
  return [memory.copy(datagram, 1, bodyAt), memory.copy(datagram, bodyAt, datagram.length)];
}
