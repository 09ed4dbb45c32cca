import { isIP, isIPv4, isIPv6 } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { errnoError } from "../errors.js";
import type { UdpAddress, Use } from "./address.js";
import { familyAllowed } from "./tcp.js";

/** What the system is told of a udp endpoint. */
export interface UdpRoute {
  /** As the caller named it, for errors. */
  endpoint: string;
  use: Use;
  /** What to bind, or where to send. */
  ip: string;
  port: number;
  /** Whether that is a multicast group: to be joined when it is bound. */
  isGroup: boolean;
  /** The interface for the group, as Node.js takes it; undefined: whichever the system chooses. */
  via: string | undefined;
}

/**
 * @param ip The address that the endpoint's host stands for.
 * @throws ENODEV for an interface that is not there, EINVAL for one without a group, or of another family
 *   than the group; ENODEV (when binding) or EINVAL for an address that needs `ipv6`.
 */
export function routeOf(
  { via, port }: UdpAddress,
  ip: string,
  use: Use,
  ipv6: boolean,
  endpoint: string,
): UdpRoute {
  const known = via === undefined ? undefined : interfaceOf(via, ipv6);
  if (known === null) throw errnoError("ENODEV", endpoint);
  if (!familyAllowed(ip, ipv6)) throw errnoError(use === "bind" ? "ENODEV" : "EINVAL", endpoint);
  const isGroup = isMulticast(ip);
  if (known !== undefined) {
    const isOneFamily = isIPv6(ip) === ipv6;
    if (!isGroup || !isOneFamily || isMulticast(known.ip)) throw errnoError("EINVAL", endpoint);
    // The system is told of it by its number, which an address does not say.
    if (ipv6 && known.name === undefined) throw errnoError("ENODEV", endpoint);
  }
  return { endpoint, use, ip, port, isGroup, via: isGroup ? interfaceFor(ip, known) : undefined };
}

/** Whether an IP address is that of a multicast group. */
export function isMulticast(ip: string): boolean {
  if (isIPv4(ip)) return /^(?:22[4-9]|23\d)\./.test(ip);
  return /^ff[0-9a-f]{2}:/i.test(ip);
}

/** An interface of this machine, or all of them (`*`). */
interface Interface {
  name: string | undefined;
  ip: string;
}

/** The interface of this name or address; null when there is none of the family. */
function interfaceOf(via: string, ipv6: boolean): Interface | null {
  if (via === "*") return { name: via, ip: ipv6 ? "::" : "0.0.0.0" };
  const found = interfacesOf(via).find(({ family }) => family === (ipv6 ? "IPv6" : "IPv4"));
  if (found !== undefined) return { name: via, ip: found.address };
  const ip = via.replace(/^\[(.*)\]$/, "$1");
  return isIP(ip) !== 0 && familyAllowed(ip, ipv6) ? { name: undefined, ip } : null;
}

function interfacesOf(name: string): NetworkInterfaceInfo[] {
  const all = networkInterfaces();
  return (Object.hasOwn(all, name) && all[name]) || [];
}

/** In Node.js an IPv4 interface is its address, an IPv6 one the zone of any address. */
function interfaceFor(group: string, known: Interface | undefined): string | undefined {
  if (isIPv4(group)) return known?.name === "*" ? undefined : known?.ip;
  const zone = group.split("%")[1];
  if (zone !== undefined) return `::%${zone}`;
  if (known?.name === undefined || known.name === "*") return undefined;
  return `::%${process.platform === "win32" ? indexOf(known.name) : known.name}`;
}

/** Windows knows zones by number. */
function indexOf(name: string): number {
  const scopes = interfacesOf(name).map((it) => ("scopeid" in it && it.scopeid) || 0);
  return Math.max(0, ...scopes);
}
