// A filter takes what a naive reader takes for networks, stays as it was when it refuses, and lets in whose first bits
// are those of one of them, as whole numbers compare.
import { Buffer } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";
import { AcceptFilter } from "../../src/accept-filter.js";
import type { ErrnoError } from "../../src/errors.js";
import type { Random } from "../random.js";
import { check, open, same, seal, type Target } from "../target.js";

/** A list takes the place of what there was; otherwise each text adds to it. */
const LIST = 1;

const REFUSALS = {
  none: "it takes an IP address or a network",
  many: "bits of the address can count",
  few: "needs 96 bits or more",
};

export const acceptFilter: Target = {
  name: "accept-filter",
  states: [
    ...["everyone", "admitted: IPv4", "admitted: IPv6", "admitted: IPv4 as IPv6"],
    ...["turned away", "turned away: no address", "added", "list"],
    ...Object.values(REFUSALS).map((why) => `EINVAL: ${why}`),
  ],

  /** Lines: the peer's address, then networks. */
  generate(random) {
    const lines = [addressOf(random)];
    for (let i = random.below(5); i > 0; i--) lines.push(networkOf(random));
    return seal(random, random.below(2), [Buffer.from(lines.join("\n"))]);
  },

  execute(input, reach) {
    const { mode, octets } = open(input);
    const [peer = "", ...texts] = Buffer.from(octets).toString().split("\n");
    let filter = AcceptFilter.EVERYONE;
    let networks: Network[] = [];
    const set = (value: string | string[]): void => {
      const given = typeof value === "string" ? [value] : value;
      const read = given.map(naiveNetwork);
      const wrong = read.find((it) => typeof it === "string");
      const why = refusal(() => {
        filter = filter.with(value);
      });
      same(`what is wrong with ${JSON.stringify(value)}`, why, wrong);
      if (why !== undefined) reach(`EINVAL: ${why}`);
      else if (typeof value === "string") networks = [...networks, ...(read as Network[])];
      else networks = read as Network[];
      if (why === undefined) reach(typeof value === "string" ? "added" : "list");
    };
    // What is refused leaves the filter as it was, whatever is asked of it.
    if (mode & LIST) for (let i = 0; i < texts.length; i += 2) set(texts.slice(i, i + 3));
    else for (const text of texts) set(text);
    const value = naiveAddress(peer.split("%", 1)[0] as string);
    const expected = networks.length === 0 || networks.some((it) => includes(it, value));
    const admitted = filter.admits(peer);
    check(`${peer} is ${expected ? "let in" : "turned away"}`, admitted === expected);
    check("nobody is let in without an address", filter.admits(undefined) === !networks.length);
    if (networks.length === 0) reach("everyone");
    else if (value === undefined) reach("turned away: no address");
    else if (!admitted) reach("turned away");
    else if (value.width === 128) reach("admitted: IPv6");
    else reach(`admitted: IPv4${peer.includes(":") ? " as IPv6" : ""}`);
  },
};

const ADDRESSES = [
  ...["127.0.0.1", "10.1.2.3", "10.1.2.4", "255.255.255.255", "0.0.0.0", "::1", "::", "fe80::1%e"],
  ...["2001:db8::1", "2001:DB8:0:0::2", "::ffff:10.1.2.3", "::ffff:a01:203", "::10.1.2.3", "name"],
  ...["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", "1::8", "010.0.0.1", "1.2.3", "", "::ffff:0:0"],
];
const SIZES = ["", "/8", "/9", "/24", "/31", "/32", "/33", "/64", "/95", "/96", "/104", "/127"];
const MORE_SIZES = ["/0", "/1", "/128", "/129", "/1000", "/", "/-1", "/+8", "/8 ", "/08", "/8/8"];

function addressOf(random: Random): string {
  if (random.once(2)) return random.pick(ADDRESSES);
  const parts = (count: number, most: number) =>
    Array.from({ length: count }, () => random.pick([0, 1, 0xff, random.below(most)]));
  if (random.once(2)) return parts(4, 256).join(".");
  const groups = parts(8, 2 ** 16).map((it) => it.toString(16));
  return random.once(2) ? groups.join(":") : `${groups[0]}::${groups[7]}`;
}

function networkOf(random: Random): string {
  const host = addressOf(random);
  const size = random.once(3) ? random.pick(MORE_SIZES) : random.pick(SIZES);
  return (random.once(8) ? `[${host}]` : host) + size;
}

/** An address as a number; `width` is 32 or 128. */
interface Value {
  bits: bigint;
  width: number;
}

interface Network extends Value {
  count: number;
}

function includes({ bits, width, count }: Network, peer: Value | undefined): boolean {
  if (peer === undefined || peer.width !== width) return false;
  return (bits ^ peer.bits) >> BigInt(width - count) === 0n;
}

/** A network, or what is wrong with it. */
function naiveNetwork(text: string): Network | string {
  const slash = text.indexOf("/");
  const written = slash < 0 ? text : text.slice(0, slash);
  const size = slash < 0 ? undefined : text.slice(slash + 1);
  const host = written.startsWith("[") && written.endsWith("]") ? written.slice(1, -1) : written;
  const value = host.includes("%") ? undefined : naiveAddress(host);
  const isSize = size === undefined || /^[0-9]{1,3}$/.test(size);
  if (value === undefined || !isSize) return REFUSALS.none;
  const mostWritten = isIPv4(host) ? 32 : 128;
  const countWritten = size === undefined ? mostWritten : Number(size);
  if (countWritten > mostWritten) return REFUSALS.many;
  const count = countWritten - (mostWritten - value.width);
  return count < 0 ? REFUSALS.few : { ...value, count };
}

function naiveAddress(text: string): Value | undefined {
  if (isIPv4(text)) return { bits: dotted(text), width: 32 };
  if (!isIPv6(text)) return undefined;
  // An IPv4 address at the end is two groups more.
  const hex = text.replace(/[0-9.]+$/, (end) => {
    if (!end.includes(".")) return end;
    const low = dotted(end);
    return `${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  });
  const [head = [], tail] = hex.split("::").map((side) => (side === "" ? [] : side.split(":")));
  const zeros = tail === undefined ? [] : Array(8 - head.length - tail.length).fill("0");
  const groups = [...head, ...zeros, ...(tail ?? [])];
  const bits = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  if (bits >> 32n === 0xffffn) return { bits: bits & 0xffffffffn, width: 32 };
  return { bits, width: 128 };
}

function dotted(text: string): bigint {
  return text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

/** Why a call is refused, in one of the texts; undefined when it is not. */
function refusal(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (thrown) {
    const { code, message } = thrown as ErrnoError;
    const why = Object.values(REFUSALS).find((it) => message.includes(it));
    check(`${thrown} is a refusal`, code === "EINVAL" && why !== undefined);
    return why;
  }
}
