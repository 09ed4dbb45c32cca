import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AcceptFilter } from "../src/accept-filter.js";

const { EVERYONE } = AcceptFilter;

/** An address as a number, IPv4 as the IPv6 addresses that stand for it. */
type Value = bigint;

const MAPPED = 0xffffn;
const isIPv4 = (value: Value): boolean => value >> 32n === MAPPED;
const ipv4Value = (value: number): Value => (MAPPED << 32n) | BigInt(value);

/** Each way to write an address down. */
const WAYS: ((value: Value) => string)[] = [
  (value) => (isIPv4(value) ? dotted(value) : groups(value).join(":")),
  (value) => groups(value).join(":"),
  (value) => groups(value).join(":").toUpperCase(),
  (value) => compressed(groups(value)),
  (value) => compressed([...groups(value).slice(0, 6), dotted(value)]),
];

function groups(value: Value): string[] {
  return Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(16 * (7 - i))) & 0xffffn).toString(16),
  );
}

function dotted(value: Value): string {
  return Array.from({ length: 4 }, (_, i) => (value >> BigInt(8 * (3 - i))) & 0xffn).join(".");
}

/** The first zeros as `::`. */
function compressed(parts: string[]): string {
  const from = parts.indexOf("0");
  if (from < 0) return parts.join(":");
  let to = from;
  while (parts[to] === "0") to++;
  return `${parts.slice(0, from).join(":")}::${parts.slice(to).join(":")}`;
}

const ipv4 = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(ipv4Value);
const sparse = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 127 }), fc.boolean()), { maxLength: 4 })
  .map((bits) => bits.reduce((sum, [bit]) => sum | (1n << BigInt(bit)), 0n));
const address = fc.oneof(ipv4, sparse, fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }));
const way = fc.constantFrom(...WAYS);

/** A network: its address, how many bits count, and whether those are counted as of IPv6. */
const network = fc
  .record({ value: address, share: fc.integer({ min: 0, max: 128 }), way, bare: fc.boolean() })
  .map(({ value, share, way, bare }) => {
    const width = isIPv4(value) ? 32 : 128;
    const bits = bare ? width : share % (width + 1);
    const text = way(value);
    const written = text.includes(":") ? bits + 128 - width : bits;
    return { value, width, bits, text: bare ? text : `${text}/${written}` };
  });

/** Addresses that have the first bits of one of the networks, and others. */
const scene = fc.array(network, { minLength: 1, maxLength: 4 }).chain((networks) =>
  fc.record({
    networks: fc.constant(networks),
    way,
    peer: fc.oneof(
      address,
      fc
        .record({
          of: fc.constantFrom(...networks),
          flip: fc.integer({ min: 0, max: 127 }),
        })
        .map(({ of, flip }) => of.value ^ (1n << BigInt(flip % of.width))),
    ),
  }),
);

it("lets in whom a comparison of the first bits, as numbers, lets in; however all are written", () => {
  const seen = { in: 0, out: 0 };
  fc.assert(
    fc.property(scene, ({ networks, way, peer }) => {
      const expected = networks.some(
        ({ value, width, bits }) =>
          isIPv4(value) === isIPv4(peer) && (value ^ peer) >> BigInt(width - bits) === 0n,
      );
      seen[expected ? "in" : "out"]++;
      const texts = networks.map(({ text }) => text);
      const added = texts.reduce((filter, text) => filter.with(text), EVERYONE);
      for (const filter of [EVERYONE.with("9.9.9.9").with(texts), added]) {
        expect([texts, way(peer), filter.admits(way(peer))]).toEqual([texts, way(peer), expected]);
      }
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.in, seen.out)).toBeGreaterThan(200);
});

describe("the filter", () => {
  it("of nothing lets everyone in, also a peer whose address nobody knows", () => {
    for (const filter of [EVERYONE, EVERYONE.with("::1").with(null), EVERYONE.with("::1").with([])])
      expect([filter.admits("1.2.3.4"), filter.admits(undefined)]).toEqual([true, true]);
  });

  it("lets nobody in whose address nobody knows, or is none", () => {
    const filter = EVERYONE.with(["0.0.0.0/0", "::/0"]);
    expect([filter.admits("1.2.3.4"), filter.admits("::2")]).toEqual([true, true]);
    expect([filter.admits(undefined), filter.admits("name")]).toEqual([false, false]);
  });

  it("does not take an IPv6 network for one of IPv4 addresses", () => {
    expect(EVERYONE.with("::/0").admits("::ffff:1.2.3.4")).toBe(false);
    expect(EVERYONE.with("0.0.0.0/0").admits("::102:304")).toBe(false);
  });

  it("judges a peer on the link by its address, whichever interface it came by", () => {
    const filter = EVERYONE.with("fe80::/10");
    expect([filter.admits("fe80::1%eth0"), filter.admits("fec0::1%eth0")]).toEqual([true, false]);
  });

  it("takes brackets, as libzmq does", () => {
    expect(EVERYONE.with("[::1]/128").admits("::1")).toBe(true);
  });

  it.each([
    ...["", " ", "foo", "localhost", "*", "lo", "/8", "10.0.0.0/", "10.0.0.0/foo", "10.0.0.0foo"],
    ...["10.0.0.0/-1", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/8x", "10.0.0.0/8/8"],
    ...["10.0.0.0/8.5", "10.0.0.0/0x8", "10.0.0.0/1e1", " 10.0.0.0/8", "10.0.0.0/8 ", "10.0/8"],
    ...[
      "10.0.0.0/8\n",
      "10.0.0.0/8,11.0.0.0/8",
      "010.0.0.1",
      "0x7f.0.0.1",
      "256.0.0.1",
      "1.2.3.4:5",
    ],
    ...[
      "::1/129",
      "::1/1000",
      "[::1/128",
      "::1]/128",
      "[[::1]]",
      ":::",
      "1:2:3:4:5:6:7:8:9",
      "::g",
    ],
    ...["fe80::1%eth0", "fe80::%eth0/64", "::ffff:10.0.0.0/95", "::ffff:0:0/0", "10.0.0.0\0/8"],
  ])("refuses %j, says which it was, and stays as it was", (text) => {
    const before = EVERYONE.with("127.0.0.1");
    for (const value of [text, ["10.0.0.0/8", text]]) {
      const refused = expect.objectContaining({
        code: "EINVAL",
        message: expect.stringContaining(`tcpAcceptFilter ${JSON.stringify(text)}: `),
      });
      expect(() => before.with(value)).toThrow(refused);
    }
    expect([before.admits("127.0.0.1"), before.admits("10.0.0.1")]).toEqual([true, false]);
  });

  it.each([
    ["10.0.0.0/33", "at most 32 bits"],
    ["::1/129", "at most 128 bits"],
    ["::ffff:10.0.0.0/95", "needs 96 bits or more"],
    ["localhost", "IP address or a network such as 10.0.0.0/8"],
  ])("says what is wrong with %s: %s", (text, why) => {
    expect(() => EVERYONE.with(text)).toThrow(why);
  });
});
