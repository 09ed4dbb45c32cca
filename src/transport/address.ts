import { isIPv6 } from "node:net";
import { errnoError } from "../errors.js";

/** An endpoint, taken apart (RFC 37 leaves its form to the transports; this is libzmq's). */
export type Address = TcpAddress | IpcAddress | InprocAddress;

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

/** Whether the endpoint is to be bound or connected: the rules differ a little. */
export type Use = "bind" | "connect";

const PORT_MAX = 65_535;
/** Of hosts and of interfaces alike; whether there is such a one is another question. */
const NAME = /^[A-Za-z0-9._-]+$/;

/**
 * Takes an endpoint apart, strictly: what libzmq would misread is refused.
 * @throws EINVAL for a bad form, EPROTONOSUPPORT for an unknown protocol, ENOCOMPATPROTO for one
 *   that this kind of socket cannot use.
 */
export function parseAddress(endpoint: string, use: Use): Address {
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
      throw errnoError("ENOCOMPATPROTO", endpoint);
    default:
      throw errnoError("EPROTONOSUPPORT", endpoint);
  }
}

/** The endpoint of a bound or connected TCP address. */
export function tcpEndpoint(host: string, port: number): string {
  return `tcp://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function parseTcp(text: string, use: Use, endpoint: string): TcpAddress {
  if (use === "bind") {
    const { host, port } = parseHostPort(text, endpoint);
    return { transport: "tcp", host, port: parsePort(port, true, endpoint) };
  }
  const semicolon = text.indexOf(";");
  const { host, port } = parseHostPort(text.slice(semicolon + 1), endpoint);
  if (host === "*") throw errnoError("EINVAL", endpoint);
  const address: TcpAddress = {
    transport: "tcp",
    host,
    port: parsePort(port, false, endpoint),
  };
  if (semicolon >= 0) address.source = parseSource(text.slice(0, semicolon), endpoint);
  return address;
}

function parseSource(text: string, endpoint: string): { host: string; port: number } {
  const { host, port } = parseHostPort(text, endpoint);
  return { host, port: parsePort(port, true, endpoint) };
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
