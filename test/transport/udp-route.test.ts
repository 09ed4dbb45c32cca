import { afterEach, describe, expect, it, vi } from "vitest";
import { parseAddress, type UdpAddress, type Use } from "../../src/transport/address.js";
import { isMulticast, routeOf } from "../../src/transport/udp-route.js";

vi.mock("node:os", async (original) => ({
  ...(await original<typeof import("node:os")>()),
  networkInterfaces: () => ({
    lo: [address("127.0.0.1", "IPv4"), address("::1", "IPv6")],
    eth0: [
      address("10.0.0.1", "IPv4"),
      address("10.0.0.2", "IPv4"),
      address("fd00::1", "IPv6"),
      address("fe80::1", "IPv6", 4),
    ],
    four: [address("10.1.0.1", "IPv4")],
  }),
}));

const address = (ip: string, family: "IPv4" | "IPv6", scopeid = 0) => ({
  address: ip,
  family,
  ...(family === "IPv6" && { scopeid }),
});

const { platform } = process;

afterEach(() => {
  Object.defineProperty(process, "platform", { value: platform });
});

/** Of the route to an endpoint: what is bound or sent to, whether it is a group, and by which interface. */
function route(text: string, use: Use, ipv6: boolean): unknown {
  const endpoint = `udp://${text}`;
  const parsed = parseAddress(endpoint, use, true) as UdpAddress;
  try {
    const { ip, port, isGroup, via } = routeOf(parsed, parsed.host, use, ipv6, endpoint);
    expect(port).toBe(5555);
    return isGroup ? [ip, "group", via] : [ip];
  } catch (error) {
    expect(error).toMatchObject({ address: endpoint });
    return (error as { code?: string }).code;
  }
}

describe.each([
  ["IPv4", false],
  ["IPv6", true],
])("%s", (family, ipv6) => {
  /** Outcomes: bound and connected alike, unless they differ. */
  const TABLE: [text: string, four: unknown, six: unknown, differs?: { connect: unknown }][] = [
    ["127.0.0.1:5555", ["127.0.0.1"], ["127.0.0.1"]],
    ["[::1]:5555", "ENODEV", ["::1"], { connect: "EINVAL" }],
    ["239.0.0.1:5555", ["239.0.0.1", "group", undefined], ["239.0.0.1", "group", undefined]],
    ["[ff00::1]:5555", "ENODEV", ["ff00::1", "group", undefined], { connect: "EINVAL" }],
    ["[ff02::1%eth0]:5555", "ENODEV", ["ff02::1%eth0", "group", "::%eth0"], { connect: "EINVAL" }],
    // At an interface.
    ["127.0.0.1;230.2.8.12:5555", ["230.2.8.12", "group", "127.0.0.1"], "EINVAL"],
    ["8.9.10.11;230.2.8.12:5555", ["230.2.8.12", "group", "8.9.10.11"], "EINVAL"],
    ["eth0;230.2.8.12:5555", ["230.2.8.12", "group", "10.0.0.1"], "EINVAL"],
    ["*;230.2.8.12:5555", ["230.2.8.12", "group", undefined], "EINVAL"],
    ["eth0;[ff02::1]:5555", "ENODEV", ["ff02::1", "group", "::%eth0"], { connect: "EINVAL" }],
    ["*;[ff10::1]:5555", "ENODEV", ["ff10::1", "group", undefined], { connect: "EINVAL" }],
    ["four;[ff02::1]:5555", "ENODEV", "ENODEV", { connect: "EINVAL" }],
    // By its address an IPv6 one is not known, says libzmq, and the system.
    ["[::1];[ffab::4]:5555", "ENODEV", "ENODEV"],
    ["[1:2:3::4];[ff01::1]:5555", "ENODEV", "ENODEV"],
    // No such interface.
    ["nosuch;239.0.0.1:5555", "ENODEV", "ENODEV"],
    ["nosuch;1.2.3.4:5555", "ENODEV", "ENODEV"],
    ["constructor;239.0.0.1:5555", "ENODEV", "ENODEV"],
    ["localhost;239.0.0.1:5555", "ENODEV", "ENODEV"],
    [";239.0.0.1:5555", "ENODEV", "ENODEV"],
    ["lo;eth0;239.0.0.1:5555", "ENODEV", "ENODEV"],
    ["127.0.0.1:5;239.0.0.1:5555", "ENODEV", "ENODEV"],
    // No group, or one for an interface.
    ["127.0.0.1;1.2.3.4:5555", "EINVAL", "EINVAL"],
    ["[::1];[fe00::1]:5555", "ENODEV", "EINVAL"],
    ["*;127.0.0.1:5555", "EINVAL", "EINVAL"],
    ["239.0.0.2;239.0.0.1:5555", "EINVAL", "EINVAL"],
    ["[ff02::2];[ff02::1]:5555", "ENODEV", "EINVAL"],
  ];

  it.each(TABLE)("udp_address: %j", (text, four, six, differs) => {
    const expected = ipv6 ? six : four;
    expect(route(text, "bind", ipv6)).toEqual(expected);
    const connected = differs !== undefined && family === "IPv4" ? differs.connect : expected;
    expect(route(text, "connect", ipv6)).toEqual(connected);
  });
});

it("on Windows the zone of an interface is its number", () => {
  Object.defineProperty(process, "platform", { value: "win32" });
  expect(route("eth0;[ff02::1]:5555", "bind", true)).toEqual(["ff02::1", "group", "::%4"]);
  expect(route("eth0;230.2.8.12:5555", "bind", false)).toEqual(["230.2.8.12", "group", "10.0.0.1"]);
});

it.each([
  ["224.0.0.0", true],
  ["239.255.255.255", true],
  ["223.255.255.255", false],
  ["240.0.0.0", false],
  ["22.4.0.1", false],
  ["ff00::", true],
  ["FF02::1%eth0", true],
  ["ff::1", false],
  ["fe80::1", false],
  ["::ffff:239.0.0.1", false],
])("%s is a group: %s", (ip, is) => {
  expect(isMulticast(ip)).toBe(is);
});
