import { isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { builtin } from "../builtin.js";
import { errnoError } from "../errors.js";
import { requests } from "./requests.js";

/** An IP address for binding, or the name that must be looked up for it. */
export type BindHost = { ip: string } | { name: string };

/**
 * What to bind for `host`: `*` is every interface, an interface's name its first address (tried
 * before DNS, as libzmq does).
 */
export function bindHost(host: string, ipv6: boolean): BindHost {
  if (host === "*") return { ip: ipv6 ? "::" : "0.0.0.0" };
  if (isIPv4(host) || hasIPv6Form(host)) return { ip: host };
  const interfaces = new Map(Object.entries(networkInterfaces()));
  const addresses = interfaces.get(host) ?? [];
  const wanted =
    (ipv6 && addresses.find((it) => it.family === "IPv6")) ||
    addresses.find((it) => it.family === "IPv4");
  if (wanted) return { ip: wanted.address };
  if (host === "localhost") return { ip: "127.0.0.1" };
  return { name: host };
}

/** Gives the addresses of a name, at least one, or an error. */
export type Lookup = (
  name: string,
  ipv6: boolean,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly string[]) => void,
) => void;

type LookupCallback = Parameters<Lookup>[2];

/** Who waits for which name. */
const lookups = new Map<string, LookupCallback[]>();

/**
 * Looks a host name up: IPv4 only, unless `ipv6` is set.
 *
 * A look-up occupies a thread of the pool until it is answered, and cannot be given up. So of each
 * name there is one at a time, however often it is asked for meanwhile.
 */
export const lookupName: Lookup = (name, ipv6, callback) => {
  const key = `${ipv6} ${name}`;
  const waiting = lookups.get(key);
  if (waiting !== undefined) {
    waiting.push(callback);
    return;
  }
  const { lookup } = builtin<typeof import("node:dns")>("node:dns");
  const callbacks = [callback];
  lookups.set(key, callbacks);
  requests.beginLookup();
  lookup(name, { family: ipv6 ? 0 : 4, all: true }, (error, found) => {
    requests.endLookup();
    lookups.delete(key);
    const addresses = error === null ? found.map(({ address }) => address) : [];
    for (const answer of callbacks) answer(error, addresses);
  });
};

/**
 * The address to bind for a host name.
 * @throws ENODEV when no address can be found, as libzmq does when binding.
 */
export function resolve(name: string, ipv6: boolean, endpoint: string): Promise<string> {
  return new Promise((done, fail) => {
    lookupName(name, ipv6, (_, [address]) => {
      if (address !== undefined) done(address);
      else fail(errnoError("ENODEV", endpoint));
    });
  });
}

/** Whether an IP address can be used with this setting of `ipv6`. */
export function familyAllowed(ip: string, ipv6: boolean): boolean {
  return ipv6 || isIPv4(ip);
}

/** Node's first look at what may be an IPv6 address takes 4 ms, so most never get one. */
function hasIPv6Form(host: string): boolean {
  return host.includes(":") && isIPv6(host);
}
