import { describe, expect, it } from "vitest";
import { parseAddress, tcpEndpoint } from "../../src/transport/address.js";

const tcp = (host: string, port: number, source?: { host: string; port: number }) => ({
  transport: "tcp",
  host,
  port,
  ...(source && { source }),
});
const ipc = (path: string) => ({ transport: "ipc", path });
const inproc = (name: string) => ({ transport: "inproc", name });

/** What an endpoint is when it is bound, and when it is connected: an address or an error's code. */
const TABLE: [endpoint: string, bound: object | string, connected: object | string][] = [
  ["tcp://127.0.0.1:5555", tcp("127.0.0.1", 5555), tcp("127.0.0.1", 5555)],
  ["tcp://127.0.0.1:*", tcp("127.0.0.1", 0), "EINVAL"],
  ["tcp://127.0.0.1:0", tcp("127.0.0.1", 0), "EINVAL"],
  ["tcp://*:*", tcp("*", 0), "EINVAL"],
  ["tcp://*:0", tcp("*", 0), "EINVAL"],
  ["tcp://*:5555", tcp("*", 5555), "EINVAL"],
  ["tcp://localhost:*", tcp("localhost", 0), "EINVAL"],
  ["tcp://localhost:1", tcp("localhost", 1), tcp("localhost", 1)],
  ["tcp://lo:65535", tcp("lo", 65_535), tcp("lo", 65_535)],
  ["tcp://eth0.100:80", tcp("eth0.100", 80), tcp("eth0.100", 80)],
  [
    "tcp://no_such-host.invalid:80",
    tcp("no_such-host.invalid", 80),
    tcp("no_such-host.invalid", 80),
  ],
  ["tcp://constructor:80", tcp("constructor", 80), tcp("constructor", 80)],
  ["tcp://127.0.0.1:05778", tcp("127.0.0.1", 5778), tcp("127.0.0.1", 5778)],
  ["tcp://127.1:5782", tcp("127.1", 5782), tcp("127.1", 5782)],
  ["tcp://[::1]:5555", tcp("::1", 5555), tcp("::1", 5555)],
  ["tcp://[::]:*", tcp("::", 0), "EINVAL"],
  ["tcp://::1:5555", tcp("::1", 5555), tcp("::1", 5555)],
  ["tcp://[fe80::1%eth0]:5555", tcp("fe80::1%eth0", 5555), tcp("fe80::1%eth0", 5555)],
  ["tcp://[::ffff:127.0.0.1]:80", tcp("::ffff:127.0.0.1", 80), tcp("::ffff:127.0.0.1", 80)],
  // A source to connect from.
  ["tcp://lo:0;127.0.0.1:80", "EINVAL", tcp("127.0.0.1", 80, { host: "lo", port: 0 })],
  ["tcp://*:*;127.0.0.1:80", "EINVAL", tcp("127.0.0.1", 80, { host: "*", port: 0 })],
  ["tcp://10.0.0.1:99;[::1]:80", "EINVAL", tcp("::1", 80, { host: "10.0.0.1", port: 99 })],
  ["tcp://[::1]:99;host:80", "EINVAL", tcp("host", 80, { host: "::1", port: 99 })],
  ["tcp://127.0.0.1:*;127.0.0.1:*", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:5784;", "EINVAL", "EINVAL"],
  ["tcp://;127.0.0.1:80", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1;127.0.0.1:80", "EINVAL", "EINVAL"],
  ["tcp://1.1.1.1:1;2.2.2.2:2;3.3.3.3:3", "EINVAL", "EINVAL"],
  // What libzmq takes in one of both uses, and misreads.
  ["tcp://127.0.0.1:65536", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:99999", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:000080", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:-1", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:+5779", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1: 5777", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:12ab", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:0x15", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:1e3", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:٣", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:5781/", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:5781/path", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:5555\0", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:5555\n", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1\0.example:5555", "EINVAL", "EINVAL"],
  ["tcp://:5555", "EINVAL", "EINVAL"],
  ["tcp://:*", "EINVAL", "EINVAL"],
  ["tcp:// 127.0.0.1:5780", "EINVAL", "EINVAL"],
  ["tcp://user@host:80", "EINVAL", "EINVAL"],
  ["tcp://host:80:5555", "EINVAL", "EINVAL"],
  ["tcp://::5555", "EINVAL", "EINVAL"],
  ["tcp://[::1]", "EINVAL", "EINVAL"],
  ["tcp://[::1:5555", "EINVAL", "EINVAL"],
  ["tcp://::1]:5555", "EINVAL", "EINVAL"],
  ["tcp://[]:5555", "EINVAL", "EINVAL"],
  ["tcp://[*]:5555", "EINVAL", "EINVAL"],
  ["tcp://[127.0.0.1]:5555", "EINVAL", "EINVAL"],
  ["tcp://[::g]:5555", "EINVAL", "EINVAL"],
  ["tcp://fe80%eth0:5555", "EINVAL", "EINVAL"],
  ["tcp://**:5555", "EINVAL", "EINVAL"],
  // No address at all.
  ["tcp://127.0.0.1", "EINVAL", "EINVAL"],
  ["tcp://127.0.0.1:", "EINVAL", "EINVAL"],
  ["tcp://*", "EINVAL", "EINVAL"],
  ["tcp://", "EINVAL", "EINVAL"],
  ["tcp:/127.0.0.1:5555", "EINVAL", "EINVAL"],
  ["tcp:127.0.0.1:5555", "EINVAL", "EINVAL"],
  ["127.0.0.1:5555", "EINVAL", "EINVAL"],
  ["", "EINVAL", "EINVAL"],
  ["x", "EINVAL", "EINVAL"],
  ["://x", "EINVAL", "EINVAL"],
  ["foo://", "EINVAL", "EINVAL"],
  ["foo://x", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["constructor://x", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["__proto__://x", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["TCP://127.0.0.1:5555", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  [" tcp://127.0.0.1:5555", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["ws://127.0.0.1:80", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["tipc://{1,2,3}", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["vmci://1:2", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["pgm://eth0;239.0.0.1:1", "EPROTONOSUPPORT", "EPROTONOSUPPORT"],
  ["udp://127.0.0.1:5785", "ENOCOMPATPROTO", "ENOCOMPATPROTO"],
  // Paths and names.
  ["ipc://rel.sock", ipc("rel.sock"), ipc("rel.sock")],
  ["ipc:///tmp/a b/é", ipc("/tmp/a b/é"), ipc("/tmp/a b/é")],
  ["ipc://*", ipc("*"), "EINVAL"],
  ["ipc://@name", ipc("@name"), ipc("@name")],
  ["ipc://@", "EINVAL", "EINVAL"],
  ["ipc://", "EINVAL", "EINVAL"],
  ["ipc:///tmp/a\0b", "EINVAL", "EINVAL"],
  ["inproc://a", inproc("a"), inproc("a")],
  ["inproc://*", inproc("*"), inproc("*")],
  ["inproc://a://b", inproc("a://b"), inproc("a://b")],
  [`inproc://${"a".repeat(1000)}`, inproc("a".repeat(1000)), inproc("a".repeat(1000))],
  ["inproc://", "EINVAL", "EINVAL"],
];

describe("parseAddress", () => {
  for (const use of ["bind", "connect"] as const) {
    it.each(TABLE)(`${use} %j`, (endpoint, bound, connected) => {
      const expected = use === "bind" ? bound : connected;
      if (typeof expected === "object") {
        expect(parseAddress(endpoint, use)).toEqual(expected);
      } else {
        expect(() => parseAddress(endpoint, use)).toThrow(
          expect.objectContaining({ code: expected, address: endpoint }),
        );
      }
    });
  }
});

it.each([
  ["127.0.0.1", "tcp://127.0.0.1:80"],
  ["::1", "tcp://[::1]:80"],
])("tcpEndpoint of %s", (host, endpoint) => {
  expect(tcpEndpoint(host, 80)).toBe(endpoint);
});
