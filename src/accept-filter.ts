import { isIPv4, isIPv6 } from "node:net";
import { errnoError } from "./errors.js";

/** The first 12 octets of an IPv4 address that is written as an IPv6 address: `::ffff:1.2.3.4`. */
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);
const MAPPED_BITS = 8 * MAPPED.length;

/** An IP network: the addresses of one family that begin with the same bits. */
interface Network {
  /** 4 octets, or 16. */
  octets: Uint8Array;
  /** How many bits count. */
  bits: number;
}

/** From which IP addresses connections are taken (`ZMQ_TCP_ACCEPT_FILTER`). */
export class AcceptFilter {
  /** Takes all. */
  static readonly EVERYONE = new AcceptFilter([]);

  readonly #networks: readonly Network[];

  private constructor(networks: readonly Network[]) {
    this.#networks = networks;
  }

  /**
   * The filter once the option was set to `value`: a text adds a network, as with libzmq; a list takes
   * the place of all that there were; null and an empty list let everyone in.
   * @throws EINVAL for a text that is no network.
   */
  with(value: string | readonly string[] | null): AcceptFilter {
    if (value === null) return AcceptFilter.EVERYONE;
    if (typeof value !== "string") return new AcceptFilter(value.map(parseNetwork));
    return new AcceptFilter([...this.#networks, parseNetwork(value)]);
  }

  /** @param address The peer's IP address; a peer without one is let in only where everyone is. */
  admits(address: string | undefined): boolean {
    if (this.#networks.length === 0) return true;
    const octets = address === undefined ? undefined : parseAddress(withoutZone(address));
    return octets !== undefined && this.#networks.some((network) => includes(network, octets));
  }
}

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32`, or an address alone, which is a network of one. IPv4 networks
 * may be written as IPv6: `::ffff:10.0.0.0/104`.
 */
function parseNetwork(text: string): Network {
  const [, host = "", size] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = /^\[.*\]$/.test(host) ? host.slice(1, -1) : host;
  const octets = parseAddress(address);
  if (octets === undefined) {
    throw malformed(text, "it takes an IP address or a network such as 10.0.0.0/8 or ::1/128");
  }
  const length = 8 * octets.length;
  const writtenLength = isIPv4(address) ? 32 : 128;
  const bits = size === undefined ? length : Number(size) - (writtenLength - length);
  if (bits > length)
    throw malformed(text, `at most ${writtenLength} bits of the address can count`);
  if (bits < 0) {
    throw malformed(text, `a network of IPv4 addresses needs ${MAPPED_BITS} bits or more`);
  }
  return { octets, bits };
}

function malformed(text: string, why: string): Error {
  const what = JSON.stringify(text.slice(0, 60));
  return errnoError("EINVAL", undefined, `Invalid argument: tcpAcceptFilter ${what}: ${why}`);
}

/** The octets of an address, 4 or 16; undefined when it is none. One with a zone is none. */
function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split("."), Number);
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const octets = parseIPv6(text);
  const isMapped = MAPPED.every((octet, i) => octets[i] === octet);
  return isMapped ? octets.subarray(MAPPED.length) : octets;
}

/** The octets of what is known to be an IPv6 address. */
function parseIPv6(text: string): Uint8Array {
  const [head = [], tail = []] = text.split("::").map(groupOctets);
  return Uint8Array.of(...head, ...new Array(16 - head.length - tail.length).fill(0), ...tail);
}

/** `1:2:1.2.3.4`, or nothing. */
function groupOctets(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The system says of a link-local peer which interface it came by: `fe80::1%eth0`. */
function withoutZone(address: string): string {
  const percent = address.indexOf("%");
  return percent < 0 ? address : address.slice(0, percent);
}

function includes({ octets, bits }: Network, address: Uint8Array): boolean {
  if (address.length !== octets.length) return false;
  for (let i = 0; 8 * i < bits; i++) {
    const beyond = Math.max(0, 8 * (i + 1) - bits);
    if (((address[i] as number) ^ (octets[i] as number)) >> beyond !== 0) return false;
  }
  return true;
}
