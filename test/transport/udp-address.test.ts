import { describe, expect, it } from "vitest";
import { parseAddress } from "../../src/transport/address.js";

const udp = (host: string, port: number, via?: string) => ({
  transport: "udp",
  host,
  port,
  ...(via !== undefined && { via }),
});

const both = (address: object): [object, object] => [address, address];

/** What an endpoint is when it is bound, and when it is connected: an address or an error's code. */
const TABLE: [endpoint: string, bound: object | string, connected: object | string][] = [
  ["udp://127.0.0.1:5555", ...both(udp("127.0.0.1", 5555))],
  ["udp://localhost:5555", ...both(udp("localhost", 5555))],
  ["udp://lo:5555", ...both(udp("lo", 5555))],
  ["udp://[::1]:123", ...both(udp("::1", 123))],
  ["udp://::1:123", ...both(udp("::1", 123))],
  ["udp://[abcd::1234:1]:5555", ...both(udp("abcd::1234:1", 5555))],
  ["udp://[fe80::1%eth0]:5555", ...both(udp("fe80::1%eth0", 5555))],
  ["udp://[::ffff:127.0.0.1]:5555", ...both(udp("::ffff:127.0.0.1", 5555))],
  ["udp://127.1:5555", ...both(udp("127.1", 5555))],
  // Wildcards are bound.
  ["udp://*:5555", udp("*", 5555), "EINVAL"],
  ["udp://*:*", udp("*", 0), "EINVAL"],
  ["udp://*:0", udp("*", 0), "EINVAL"],
  ["udp://127.0.0.1:*", udp("127.0.0.1", 0), "EINVAL"],
  ["udp://127.0.0.1:0", udp("127.0.0.1", 0), "EINVAL"],
  ["udp://[1:2:3:4::5]:*", udp("1:2:3:4::5", 0), "EINVAL"],
  // Groups, by themselves and at an interface.
  ["udp://239.0.0.1:1234", ...both(udp("239.0.0.1", 1234))],
  ["udp://[ff00::1]:1234", ...both(udp("ff00::1", 1234))],
  ["udp://239.0.0.1:*", udp("239.0.0.1", 0), "EINVAL"],
  ["udp://127.0.0.1;230.2.8.12:5555", ...both(udp("230.2.8.12", 5555, "127.0.0.1"))],
  ["udp://*;230.2.8.12:5555", ...both(udp("230.2.8.12", 5555, "*"))],
  ["udp://eth0;[ff02::1]:5555", ...both(udp("ff02::1", 5555, "eth0"))],
  ["udp://[::1];[ffab::4]:5555", ...both(udp("ffab::4", 5555, "[::1]"))],
  ["udp://eth0;*:5555", udp("*", 5555, "eth0"), "EINVAL"],
  // Whether there is such an interface is asked later, and whether that is a group.
  ["udp://;239.0.0.1:5555", ...both(udp("239.0.0.1", 5555, ""))],
  ["udp://lo;eth0;239.0.0.1:5555", ...both(udp("239.0.0.1", 5555, "lo;eth0"))],
  ["udp://127.0.0.1:5;239.0.0.1:5555", ...both(udp("239.0.0.1", 5555, "127.0.0.1:5"))],
  ["udp://127.0.0.1;1.2.3.4:5555", ...both(udp("1.2.3.4", 5555, "127.0.0.1"))],
  // What libzmq misreads.
  ["udp://127.0.0.1:99999", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:-1", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:+5", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1: 57", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:12ab", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:5555/", "EINVAL", "EINVAL"],
  ["udp://[127.0.0.1]:5555", "EINVAL", "EINVAL"],
  // What it refuses, too.
  ["udp://127.0.0.1:65536", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1:", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1;", "EINVAL", "EINVAL"],
  ["udp://127.0.0.1;239.0.0.1", "EINVAL", "EINVAL"],
  ["udp://:5555", "EINVAL", "EINVAL"],
  ["udp://x", "EINVAL", "EINVAL"],
  ["udp://", "EINVAL", "EINVAL"],
  ["UDP://127.0.0.1:5555", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
];

describe.each(["bind", "connect"] as const)("udp_address: %s", (use) => {
  it.each(TABLE)("%j", (endpoint, bound, connected) => {
    const expected = use === "bind" ? bound : connected;
    const parse = () => parseAddress(endpoint, use, true);
    if (typeof expected === "object") expect(parse()).toEqual(expected);
    else {
      expect(parse).toThrow(expect.objectContaining({ code: expected, address: endpoint }));
    }
  });

  it("is not for those who do not speak udp, however wrong it is", () => {
    for (const endpoint of ["udp://127.0.0.1:5555", "udp://x"]) {
      expect(() => parseAddress(endpoint, use)).toThrow(
        expect.objectContaining({ code: "ENOCOMPATPROTO", address: endpoint }),
      );
    }
  });
});
