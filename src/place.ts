import { isIP, isIPv4, isIPv6 } from "node:net";

/** Where on the network: an IP address without brackets, and a port. */
export interface Place {
  ip: string;
  port: number;
}

const MAPPED = "::ffff:";

/** `127.0.0.1:5555`, or `[::1]:5555`. */
export function placeText({ ip, port }: Place): string {
  return `${isIPv6(ip) ? `[${ip}]` : ip}:${port}`;
}

/** Reads what {@link placeText} writes; undefined for anything else, the names of hosts and port 0 included. */
export function placeOf(text: string): Place | undefined {
  const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const ip = v6 ?? v4 ?? "";
  if (isIP(ip) !== (v6 === undefined ? 4 : 6) || port === 0 || port > 65_535) return undefined;
  return { ip, port };
}

/** An IPv4 address that is written as an IPv6 address (`::ffff:1.2.3.4`), as what it is; any other as it is. */
export function withoutMapping(ip: string): string {
  const rest = ip.slice(MAPPED.length);
  return ip.toLowerCase().startsWith(MAPPED) && isIPv4(rest) ? rest : ip;
}

/** An IPv4 address as an IPv6 address; any other as it is. */
export function withMapping(ip: string): string {
  return isIPv4(ip) ? MAPPED + ip : ip;
}
