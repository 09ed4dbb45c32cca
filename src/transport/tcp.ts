import { lookup } from "node:dns";
import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { errnoError, fromSystem } from "../errors.js";

/** An IP address for binding, or the name that must be looked up for it. */
export type BindHost = { ip: string } | { name: string };

/**
 * What to bind for `host`: `*` is every interface, an interface's name its first address (tried
 * before DNS, as libzmq does).
 */
export function bindHost(host: string, ipv6: boolean): BindHost {
  if (host === "*") return { ip: ipv6 ? "::" : "0.0.0.0" };
  if (isIP(host) !== 0) return { ip: host };
  const addresses = networkInterfaces()[host];
  if (addresses !== undefined) {
    const wanted =
      (ipv6 && addresses.find((it) => it.family === "IPv6")) ||
      addresses.find((it) => it.family === "IPv4");
    if (wanted) return { ip: wanted.address };
  }
  if (host === "localhost") return { ip: "127.0.0.1" };
  return { name: host };
}

/**
 * Looks a host name up: IPv4 only, unless `ipv6` is set.
 * @throws ENODEV when there is no such name, as libzmq does when binding.
 */
export function resolve(name: string, ipv6: boolean, endpoint: string): Promise<string> {
  return new Promise((done, fail) => {
    lookup(name, { family: ipv6 ? 0 : 4 }, (error, address) => {
      if (error === null) done(address);
      else if (error.code === "ENOTFOUND") fail(errnoError("ENODEV", endpoint));
      else fail(fromSystem(error, endpoint));
    });
  });
}

/** Whether an IP address can be used with this setting of `ipv6`. */
export function familyAllowed(ip: string, ipv6: boolean): boolean {
  return ipv6 || !isIPv6(ip);
}
