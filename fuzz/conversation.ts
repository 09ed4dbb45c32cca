import * as wire from "../test/support/wire.js";
import type { Random } from "./random.js";

/** Limits that short inputs can break. */
export const LIMITS = {
  maxMessageSize: 300,
  maxMultipartSize: 320,
  maxFrames: 4,
  maxHandshakeCommandSize: 200,
  maxCommandSize: 150,
  maxProperties: 3,
};

/** What a peer may ask for, cancelled or not. */
export const SUBSCRIPTIONS = 1;

/** Codes that only PLAIN and CURVE lead to, which have targets of their own. */
export const OF_MECHANISMS = [
  "ERR_ZMTP_MALFORMED_COMMAND_HELLO",
  "ERR_ZMTP_MALFORMED_COMMAND_WELCOME",
  "ERR_ZMTP_MALFORMED_COMMAND_INITIATE",
  "ERR_ZMTP_MALFORMED_COMMAND_MESSAGE",
  "ERR_ZMTP_CRYPTOGRAPHIC",
  "ERR_ZMTP_UNPROVEN_ERROR",
];

const SIZES = [0, 1, 7, 149, 150, 151, 255, 256, 300, 301, 320, 321];

const text = (size: number) => "#".repeat(size);

/** Greetings over a mechanism; most are right. */
export function greetings(mechanism: string): Uint8Array[] {
  const right = [0, 1, 2].map((minor) => wire.greeting({ minor, mechanism }));
  return [
    ...right,
    ...right,
    wire.greeting({ major: 4, minor: 0, mechanism, asServer: 1, filler: 9 }),
    wire.greeting({ signature: "\xff\0\0\0\0\0\0\0\x01\x7f", mechanism }),
    wire.greeting({ mechanism: "PLAIN" }),
    wire.greeting({ mechanism: mechanism.toLowerCase() }),
    wire.greeting({ major: 1, mechanism }),
    wire.greeting({ signature: "\xff\0\0\0\0\0\0\0\0\x01" }),
    wire.greeting({ signature: "\xff\0\0\0\0\0\0\0\0\x7e" }),
    wire.bytes("GET / HTTP/1.1\r\n\r\n"),
  ];
}

const PROPERTIES = [
  wire.property("Socket-Type", "PAIR"),
  wire.property("Socket-Type", "PAIR"),
  wire.property("socket-type", "PUB"),
  wire.property("Identity", "me"),
  wire.property("Identity", ""),
  wire.property("Identity", "\0"),
  wire.property("X-a", text(100)),
  wire.property("X-b", ""),
  wire.property("__proto__", "x"),
  wire.property("a b", "x"),
  wire.property("", "x"),
  wire.bytes("\x01X\xff\xff\xff\xff"),
];

const READY = wire.metadata({ "Socket-Type": "PAIR" });

/** Properties of a peer; half of the time they are right. */
export function metadata(random: Random): Uint8Array {
  if (random.once(2)) return READY;
  const count = random.below(5);
  return wire.concat(...Array.from({ length: count }, () => random.pick(PROPERTIES)));
}

/** A frame as a mechanism sees it. */
export interface Inner {
  flags: number;
  body: Uint8Array;
}

const MORE = 1;
const COMMAND = 4;

/** Bodies of commands that peers send, or should not. */
const COMMANDS = [
  ...[0, 1, 5, 65_535].map((ttl) => wire.ping(ttl, "ctx")),
  wire.ping(3, text(16)),
  wire.ping(3, text(17)),
  wire.command("PING", "\0"),
  wire.pong("ctx"),
  wire.pong(text(17)),
  wire.subscribe("topic"),
  wire.cancel("topic"),
  wire.subscribe(text(150 - 10)),
  wire.subscribe(text(151 - 10)),
  wire.command("MYSTERY", "data"),
  wire.ready(),
  wire.error("400"),
  wire.error("\x1b[2J"),
  wire.command("ERROR", "\x05x"),
  wire.command("HELLO"),
  wire.frame("", { command: true }),
  wire.frame("\x09short", { command: true }),
].map((octets) => octets.subarray(2));

const MESSAGES: Inner[][] = [
  ...SIZES.map((size) => [frame(0, size)]),
  [frame(MORE, 3), frame(0, 5)],
  [frame(MORE, 0), frame(MORE, 0), frame(0, 0)],
  [frame(MORE, 0), frame(MORE, 0), frame(MORE, 0), frame(0, 1)],
  [frame(MORE, 0), frame(MORE, 0), frame(MORE, 0), frame(MORE, 0), frame(0, 1)],
  [frame(MORE, 160), frame(0, 160)],
  [frame(MORE, 160), frame(0, 161)],
  [frame(MORE, 300)],
];

function frame(flags: number, size: number): Inner {
  return { flags, body: wire.bytes(text(size)) };
}

/** Some frames of the traffic, as they are inside a mechanism. */
export function inner(random: Random): Inner[] {
  if (random.once(3)) return [{ flags: COMMAND, body: random.pick(COMMANDS) }];
  return random.pick(MESSAGES);
}

/** Frames that no peer should send. */
const WRONG = [
  ...[8, 0x80, 5, 0xff].map((flags) => wire.frame("", { flags })),
  ...[2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n].map((size) => wire.frame("", { size })),
  wire.frame("\x01X", { command: true, more: true }),
  wire.frame("", { command: true, size: 2 ** 40 }),
];

/** Some frames of the traffic on the wire. */
export function traffic(random: Random): Uint8Array {
  if (random.once(12)) return random.pick(WRONG);
  return onWire(inner(random), random);
}

export function onWire(frames: readonly Inner[], random: Random): Uint8Array {
  const octets = frames.map(({ flags, body }) => wire.frame(body, { flags, long: random.once(8) }));
  return octets.length === 1 ? (octets[0] as Uint8Array) : wire.concat(...octets);
}

/** Commands of a handshake over NULL; most are READY. */
export function handshake(random: Random): Uint8Array {
  if (random.once(6)) return traffic(random);
  return wire.command("READY", metadata(random));
}
