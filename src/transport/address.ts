import { isIPv6 } from "node:net";
import { errnoError } from "../errors.js";
import { placeText } from "../place.js";

/** An endpoint, taken apart (RFC 37 leaves its form to the transports; this is libzmq's). */
export type Address = TcpAddress | IpcAddress | InprocAddress | UdpAddress;

export interface TcpAddress {
  transport: "tcp";
  /** A host name, an IP address without brackets, an interface's name, or `*` when binding. */
  host: string;
  /** 0 when binding: any free port. */
  port: number;
  /** Where to connect from; its port is 0 for any. */
  source?: { host: string; port: number };
}

export interface IpcAddress {
  transport: "ipc";
  /** A path, `*` for one of our choice, or `@` and an abstract name. */
  path: string;
}

export interface InprocAddress {
  transport: "inproc";
  name: string;
}

export interface UdpAddress {
  transport: "udp";
  /** As of tcp. The address of a multicast group stands for all who have joined it. */
  host: string;
  /** 0 when binding: any free port. */
  port: number;
  /** The interface at which to join the group, or by which to send to it: a name, an address, or `*`. */
  via?: string;
}

/** Whether the endpoint is to be bound or connected: the rules differ a little. */
export type Use = "bind" | "connect";

const PORT_MAX = 65_535;
/** Of hosts and of interfaces alike; whether there is such a one is another question. */
const NAME = /^[A-Za-z0-9._-]+$/;

/**
 * Takes an endpoint apart, strictly: what libzmq would misread is refused.
 * @param udp Whether this kind of socket can use udp so.
 * @throws EINVAL for a bad form, EPROTONOSUPPORT for an unknown protocol, ENOCOMPATPROTO for one
 *   that this kind of socket cannot use.
 */
export function parseAddress(endpoint: string, use: Use, udp = false): Address {
  const colon = endpoint.indexOf("://");
  if (colon <= 0 || colon + 3 === endpoint.length) throw errnoError("EINVAL", endpoint);
  const rest = endpoint.slice(colon + 3);
  const protocol = endpoint.slice(0, colon);
  switch (protocol) {
    case "tcp":
      return parseTcp(rest, use, endpoint);
    case "ipc":
      if (rest === "@" || (rest === "*" && use === "connect")) throw errnoError("EINVAL", endpoint);
      if (rest.includes("\0")) throw errnoError("EINVAL", endpoint);
      return { transport: "ipc", path: rest };
    case "inproc":
      return { transport: "inproc", name: rest };
    case "udp":
      if (!udp) throw errnoError("ENOCOMPATPROTO", endpoint);
      return parseUdp(rest, use, endpoint);
    default:
      throw errnoError("EPROTONOSUPPORT", endpoint);
  }
}

/** The endpoint of a bound or connected TCP address. */
export function tcpEndpoint(host: string, port: number): string {
  return `tcp://${placeText({ ip: host, port })}`;
}

function parseTcp(text: string, use: Use, endpoint: string): TcpAddress {
  if (use === "bind") return { transport: "tcp", ...parsePlace(text, use, endpoint) };
  const semicolon = text.indexOf(";");
  const address: TcpAddress = {
    transport: "tcp",
    ...parsePlace(text.slice(semicolon + 1), use, endpoint),
  };
  // Where one connects from is bound.
  if (semicolon >= 0) address.source = parsePlace(text.slice(0, semicolon), "bind", endpoint);
  return address;
}

/** Whether there is such an interface is another question; its text is no endpoint's, and has no rules. */
function parseUdp(text: string, use: Use, endpoint: string): UdpAddress {
  const semicolon = text.lastIndexOf(";");
  const address: UdpAddress = {
    transport: "udp",
    ...parsePlace(text.slice(semicolon + 1), use, endpoint),
  };
  if (semicolon >= 0) address.via = text.slice(0, semicolon);
  return address;
}

/** What is bound may be any host, at any port. */
function parsePlace(text: string, use: Use, endpoint: string): { host: string; port: number } {
  const { host, port } = parseHostPort(text, endpoint);
  if (host === "*" && use === "connect") throw errnoError("EINVAL", endpoint);
  return { host, port: parsePort(port, use === "bind", endpoint) };
}

function parseHostPort(text: string, endpoint: string): { host: string; port: string } {
  const colon = text.lastIndexOf(":");
  if (colon <= 0) throw errnoError("EINVAL", endpoint);
  const port = text.slice(colon + 1);
  let host = text.slice(0, colon);
  if (host.startsWith("[") && host.endsWith("]")) {
    host = host.slice(1, -1);
    if (!isIPv6(host)) throw errnoError("EINVAL", endpoint);
  }
  if (host !== "*" && !NAME.test(host) && !isIPv6(host)) throw errnoError("EINVAL", endpoint);
  return { host, port };
}

function parsePort(text: string, wildcard: boolean, endpoint: string): number {
  if (wildcard && text === "*") return 0;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : PORT_MAX + 1;
  if (port > PORT_MAX || (port === 0 && !wildcard)) throw errnoError("EINVAL", endpoint);
  return port;
}
