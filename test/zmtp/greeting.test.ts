import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeGreeting, GREETING_SIZE, GreetingDecoder } from "../../src/zmtp/greeting.js";
import { ProtocolError } from "../../src/zmtp/protocol-error.js";
import { feedBytes, feedCut, feedWhole } from "../support/feed.js";
import * as wire from "../support/wire.js";

const FEEDS = [
  ["whole", feedWhole],
  ["byte by byte", feedBytes],
] as const;

describe("our greeting", () => {
  it("announces 3.1, the mechanism, and nothing else", () => {
    expect(encodeGreeting("NULL", false)).toEqual(wire.greeting());
  });

  it("says that we are the server", () => {
    expect(encodeGreeting("CURVE", true)).toEqual(
      wire.greeting({ mechanism: "CURVE", asServer: 1 }),
    );
  });

  it("has room for a mechanism of 20 characters", () => {
    const mechanism = "ABCDEFGHIJKLMNOPQRST";
    expect(encodeGreeting(mechanism, false)).toEqual(wire.greeting({ mechanism }));
  });
});

describe.each([
  ["3.1", {}, { major: 3, minor: 1 }],
  ["3.0", { minor: 0 }, { major: 3, minor: 0 }],
  ["3.2", { minor: 2 }, { major: 3, minor: 2 }],
  ["4.0", { major: 4, minor: 0 }, { major: 4, minor: 0 }],
  ["255.255", { major: 255, minor: 255 }, { major: 255, minor: 255 }],
  ["libzmq's padding", { signature: "\xff\0\0\0\0\0\0\0\x01\x7f" }, { major: 3, minor: 1 }],
  [
    "any padding",
    { signature: "\xff\x01\x02\x03\x04\x05\x06\x07\x08\x7f" },
    { major: 3, minor: 1 },
  ],
  ["as-server", { asServer: 1 }, { major: 3, minor: 1 }],
  ["any as-server and filler", { asServer: 77, filler: 255 }, { major: 3, minor: 1 }],
])("a greeting with %s", (_, fields, greeting) => {
  it.each(FEEDS)("is taken %s", (_, feed) => {
    const decoder = new GreetingDecoder("NULL");
    expect(feed(wire.greeting(fields), decoder.decode.bind(decoder))).toBe(GREETING_SIZE);
    expect(decoder.done).toBe(true);
    expect(decoder.greeting).toEqual(greeting);
  });

  it("is not done an octet earlier, and leaves what follows untouched", () => {
    const decoder = new GreetingDecoder("NULL");
    const octets = wire.concat(wire.greeting(fields), "after");
    decoder.decode(octets, 0, GREETING_SIZE - 1);
    expect(decoder.done).toBe(false);
    expect(decoder.decode(octets, GREETING_SIZE - 1, octets.length)).toBe(GREETING_SIZE);
    expect(decoder.done).toBe(true);
    expect(decoder.decode(octets, GREETING_SIZE, octets.length)).toBe(GREETING_SIZE);
  });
});

const VERSION = "ERR_ZMTP_UNSUPPORTED_VERSION";
const MISMATCH = "ERR_ZMTP_MECHANISM_MISMATCH";

/** Each with the number of octets after which it must be judged. */
describe.each([
  ["an HTTP request", wire.bytes("GET / HTTP/1.1\r\n\r\n"), VERSION, 1],
  ["TLS", wire.bytes("\x16\x03\x01"), VERSION, 1],
  ["ZMTP 1.0, short", wire.bytes("\x01\0"), VERSION, 1],
  ["ZMTP 1.0, long", wire.bytes("\xff\0\0\0\0\0\0\0\x01\x7e"), VERSION, 10],
  [
    "a signature with another end",
    wire.bytes(`\xff\0\0\0\0\0\0\0\0\x01`),
    "ERR_ZMTP_MALFORMED_GREETING",
    10,
  ],
  ["revision 0", wire.greeting({ major: 0 }), VERSION, 11],
  ["revision 1, ZMTP 2.0", wire.greeting({ major: 1 }), VERSION, 11],
  ["revision 2", wire.greeting({ major: 2 }), VERSION, 11],
  ["another mechanism", wire.greeting({ mechanism: "PLAIN" }), MISMATCH, 13],
  ["a longer mechanism", wire.greeting({ mechanism: "NULLS" }), MISMATCH, 17],
  ["a shorter mechanism", wire.greeting({ mechanism: "NUL" }), MISMATCH, 16],
  ["no mechanism", wire.greeting({ mechanism: "" }), MISMATCH, 13],
  ["lower case", wire.greeting({ mechanism: "null" }), MISMATCH, 13],
  ["garbage after the NUL", wire.greeting({ mechanism: "NULL\0x" }), MISMATCH, 18],
  [
    "garbage in the last place",
    wire.greeting({ mechanism: `NULL${"\0".repeat(15)}x` }),
    MISMATCH,
    32,
  ],
])("a greeting with %s", (_, octets, code, judged) => {
  it.each(FEEDS)("is refused %s", (_, feed) => {
    const decoder = new GreetingDecoder("NULL");
    const take = decoder.decode.bind(decoder);
    expect(() => feed(octets, take)).toThrow(expect.objectContaining({ code }));
  });

  it("is refused as soon as it can be known", () => {
    const decoder = new GreetingDecoder("NULL");
    decoder.decode(octets, 0, judged - 1);
    expect(() => decoder.decode(octets, judged - 1, judged)).toThrow(ProtocolError);
  });
});

it("does not care how the octets are cut", () => {
  const mutated = fc
    .tuple(fc.nat(63), fc.nat(255), fc.array(fc.nat(80)))
    .map(([at, octet, cuts]) => ({ octets: wire.greeting().fill(octet, at, at + 1), cuts }));
  fc.assert(
    fc.property(mutated, ({ octets, cuts }) => {
      expect(outcome(octets, cuts)).toEqual(outcome(octets, []));
    }),
  );
});

function outcome(octets: Uint8Array, cuts: readonly number[]): unknown {
  const decoder = new GreetingDecoder("NULL");
  try {
    return [feedCut(octets, cuts, decoder.decode.bind(decoder)), decoder.done, decoder.greeting];
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.code;
  }
}
