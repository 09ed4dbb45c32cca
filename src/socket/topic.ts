import { Buffer } from "node:buffer";

/** The first octet of a message that subscribes to a topic, and of one that cancels that (RFC 23). */
const SUBSCRIBE = 1;
const CANCEL = 0;

/** A topic, or the name of a group, as a string with a character for each octet: see `Trie`. */
export function nameOf(topic: Uint8Array): string {
  const { buffer, byteOffset, length } = topic;
  const octets = Buffer.isBuffer(topic) ? topic : Buffer.from(buffer, byteOffset, length);
  return octets.toString("latin1");
}

/** The octets of what {@link nameOf} returned. */
export function octetsOf(name: string): Buffer {
  return Buffer.from(name, "latin1");
}

/** Whether a part subscribes to the topic behind its first octet, or cancels it. */
export function isSubscription(part: Uint8Array): boolean {
  return part[0] === SUBSCRIBE || part[0] === CANCEL;
}

/** Whether such a part subscribes. */
export function subscribes(part: Uint8Array): boolean {
  return part[0] === SUBSCRIBE;
}

/** The part that subscribes to a topic, or cancels that. */
export function subscriptionTo(name: string, subscribe: boolean): Buffer {
  const octets = Buffer.allocUnsafe(1 + name.length);
  octets[0] = subscribe ? SUBSCRIBE : CANCEL;
  octets.write(name, 1, "latin1");
  return octets;
}
