// Any text is an endpoint, as a grammar in one piece says, or an error with a code; and what is one prints back, is the
// same when it is read again, and prints back alike.
import { Buffer } from "node:buffer";
import { isIPv6 } from "node:net";
import { constants } from "node:os";
import type { ErrnoError } from "../../src/errors.js";
import { type Address, parseAddress, tcpEndpoint, type Use } from "../../src/transport/address.js";
import { systemPath } from "../../src/transport/ipc.js";
import type { Random } from "../random.js";
import { check, open, same, seal, type Target } from "../target.js";

const CONNECT = 1;
/** The socket's type speaks udp. */
const UDP = 2;

const CODES = ["EINVAL", "EPROTONOSUPPORT", "ENOCOMPATPROTO", "ENAMETOOLONG"];

/** A host, as it may stand in an endpoint, and a port. */
const HOST = String.raw`(?<host>\*|[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%[^\]]+)?\]|[^;[\]]*:[^;[\]]*)`;
const PORT = String.raw`(?<port>\d{1,5}|\*)`;
const TCP = new RegExp(`^${HOST}:${PORT}$`);

const PROTOCOLS = [
  ...[
    "tcp",
    "tcp",
    "tcp",
    "tcp",
    "ipc",
    "ipc",
    "inproc",
    "udp",
    "udp",
    "udp",
    "ws",
    "TCP",
    "",
    "t",
  ],
];
const SEPARATORS = ["://", "://", "://", "://", "://", "://", "://", ":/", "//", "", ":///"];
const HOSTS = [
  ...["127.0.0.1", "localhost", "*", "eth0", "a-b_c.d", "::1", "[::1]", "[::]", "::", "fe80::1%e"],
  ...["[fe80::1%e]", "[fe80::1%e:f]", "[*]", "[x]", "[::1", "::1]", "[[::1]]", "", " ", "a b", "é"],
  ...["::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "a;b", "a/b", "\0"],
  ...["239.0.0.1", "[ff02::1]", "[ff02::1%e]"],
];
const PORTS = [
  ...["5555", "5555", "5555", "0", "*", "1", "65535", "65536", "99999", "100000", "00080", ""],
  ...["-1", "+1", "1e3", "0x1", " 80", "80 ", "80\n", "1.5", "**", "٣", "80/path"],
];
const PATHS = [
  ...["/tmp/socket", "*", "@", "@name", "@@", "@\0", "a\0b", "relative", "a://b", "x".repeat(107)],
  ...["x".repeat(108), "é".repeat(54), "name;with:all[of]*them", "é", "\n", " "],
];

export const address: Target = {
  name: "address",
  states: [
    ...["tcp, bind", "tcp, connect", "tcp from a source", "tcp with a wildcard", "tcp, IPv6"],
    ...["ipc, bind", "ipc, connect", "ipc, abstract", "ipc, wildcard"],
    ...["inproc, bind", "inproc, connect"],
    ...["udp, bind", "udp, connect", "udp by an interface", "udp with a wildcard", "udp, IPv6"],
    ...CODES,
  ],

  generate(random) {
    const mode = random.below(4);
    return seal(random, mode, [Buffer.from(text(random))]);
  },

  execute(input, reach) {
    const { mode, octets } = open(input);
    const endpoint = Buffer.from(octets).toString();
    const use: Use = mode & CONNECT ? "connect" : "bind";
    const udp = (mode & UDP) !== 0;
    const parse = (text: string): Address => parseAddress(text, use, udp);
    const parsed = outcome(endpoint, () => parse(endpoint));
    same("the grammar", parsed.code ?? parsed.value, naive(endpoint, use, udp));
    if (parsed.value === undefined) {
      reach(parsed.code as string);
      return;
    }
    const printed = print(parsed.value);
    same("what is printed is read", parse(printed), parsed.value);
    same("and prints back", print(parse(printed)), printed);
    for (const state of statesOf(parsed.value, use)) reach(state);
    if (parsed.value.transport !== "ipc" || parsed.value.path === "*") return;
    // What the system is told of, once it is to be used.
    const { path } = parsed.value;
    const linux = { name: "linux", uv: "1.48.0" } as const;
    const system = outcome(endpoint, () => systemPath(path, endpoint, linux));
    const size = Buffer.byteLength(path);
    same("too long for the system", system.code, size > 107 ? "ENAMETOOLONG" : undefined);
    if (system.code !== undefined) reach(system.code);
    else check("the system's own form", system.value === path.replace(/^@/, "\0"));
  },
};

/** Endpoints; most are nearly right. */
function text(random: Random): string {
  const protocol = random.pick(PROTOCOLS);
  const start = protocol + random.pick(SEPARATORS);
  if (protocol === "ipc" || protocol === "inproc") return start + random.pick(PATHS);
  const place = () => `${random.pick(HOSTS)}${random.once(20) ? "" : ":"}${random.pick(PORTS)}`;
  if (!random.once(3)) return start + place();
  // An interface has no port.
  return `${start}${random.once(2) ? place() : random.pick(HOSTS)};${place()}`;
}

/** What a call gives, or the code of its error. */
function outcome<T>(endpoint: string, call: () => T): { value?: T; code?: string } {
  try {
    return { value: call() };
  } catch (thrown) {
    const { code, errno, address: named } = thrown as ErrnoError;
    check(`${thrown} has a code that is known`, CODES.includes(code));
    same("the error names the endpoint", named, endpoint);
    const known = (constants.errno as Record<string, number>)[code];
    same("the error's number", errno, known ?? 156_384_764);
    return { code };
  }
}

/** An address as an endpoint again. */
function print(it: Address): string {
  if (it.transport === "inproc") return `inproc://${it.name}`;
  if (it.transport === "ipc") return `ipc://${it.path}`;
  const place = (where: { host: string; port: number }) =>
    tcpEndpoint(where.host, where.port).slice("tcp://".length);
  if (it.transport === "udp") {
    return `udp://${it.via === undefined ? "" : `${it.via};`}${place(it)}`;
  }
  return `tcp://${it.source ? `${place(it.source)};` : ""}${place(it)}`;
}

/** What an endpoint is by its grammar: an address, or the code of the error. */
function naive(endpoint: string, use: Use, udp: boolean): Address | string {
  const [protocol, ...behind] = endpoint.split("://");
  const rest = behind.join("://");
  if (protocol === "" || rest === "") return "EINVAL";
  if (protocol === "udp") return udp ? naiveUdp(rest, use) : "ENOCOMPATPROTO";
  if (protocol === "inproc") return { transport: "inproc", name: rest };
  if (protocol === "ipc") {
    const isNone = rest === "@" || (rest === "*" && use === "connect") || /\0/.test(rest);
    return isNone ? "EINVAL" : { transport: "ipc", path: rest };
  }
  if (protocol !== "tcp") return "EPROTONOSUPPORT";
  const [first = "", ...more] = use === "connect" ? rest.split(";") : [rest];
  const to = place(more.length === 0 ? first : more.join(";"), use === "bind");
  const source = more.length === 0 ? undefined : place(first, true);
  if (to === undefined || (more.length > 0 && source === undefined)) return "EINVAL";
  if (use === "connect" && to.host === "*") return "EINVAL";
  return { transport: "tcp", ...to, ...(source && { source }) };
}

function naiveUdp(rest: string, use: Use): Address | string {
  const [last = "", ...before] = rest.split(";").reverse();
  const to = place(last, use === "bind");
  if (to === undefined || (use === "connect" && to.host === "*")) return "EINVAL";
  const via = before.reverse().join(";");
  return { transport: "udp", ...to, ...(before.length > 0 && { via }) };
}

function place(part: string, free: boolean): { host: string; port: number } | undefined {
  const { host, port } = TCP.exec(part)?.groups ?? {};
  if (host === undefined || port === undefined) return undefined;
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  if (/[:[]/.test(host) && !isIPv6(bare)) return undefined;
  const number = port === "*" ? 0 : Number(port);
  if ((number === 0 && !free) || number > 65_535) return undefined;
  return { host: bare, port: number };
}

function statesOf(it: Address, use: Use): string[] {
  const states = [`${it.transport}, ${use}`];
  if (it.transport === "ipc") {
    if (it.path === "*") states.push("ipc, wildcard");
    if (it.path.startsWith("@")) states.push("ipc, abstract");
  }
  if (it.transport === "tcp" || it.transport === "udp") {
    if ("source" in it) states.push("tcp from a source");
    if ("via" in it) states.push("udp by an interface");
    if (it.host === "*" || it.port === 0) states.push(`${it.transport} with a wildcard`);
    if (it.host.includes(":")) states.push(`${it.transport}, IPv6`);
  }
  return states;
}
