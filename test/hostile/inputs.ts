import {
  cancel,
  command,
  commandBody,
  concat,
  error,
  frame,
  greeting,
  message,
  metadata,
  number,
  type Octets,
  ping,
  pong,
  property,
  ready,
  subscribe,
} from "../support/wire.js";

/** What a peer may send, and what becomes of its connection. */
export interface Input {
  name: string;
  /** After these octets the peer waits. */
  octets: Uint8Array;
  /** What the octets make of the connection. */
  outcome:
    | "stays in the handshake"
    | "is a peer"
    | "stays in a message"
    | "falls silent"
    | { error: string; isFinal?: boolean };
  /** Sent one by one. */
  isSlow?: boolean;
  /** The peer never reads. */
  isDeaf?: boolean;
  /** The handshake itself is fine. */
  isLate?: boolean;
  /** Options of our socket; messages of more than 1 MB are refused unless they say otherwise. */
  options?: { maxMessageSize: number };
  /** Messages that the peer's octets contain. */
  messages?: string[][];
}

const MB = 1024 * 1024;

const HELLO = greeting();

/** Octets that follow no rule, the same each time. */
function noise(size: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
}

export function repeat(octets: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(octets.length * count);
  for (let i = 0; i < count; i++) all.set(octets, i * octets.length);
  return all;
}

/** Subscriptions to as many topics: each is a number in four octets. */
export function subscriptions(count: number): Uint8Array {
  const one = subscribe(new Uint8Array(4));
  const all = repeat(one, count);
  const view = new DataView(all.buffer);
  for (let i = 0; i < count; i++) view.setUint32((i + 1) * one.length - 4, i);
  return all;
}

const at =
  (code: string) =>
  (name: string, ...octets: Octets[]): Input => ({
    name,
    octets: concat(...octets),
    outcome: { error: `ERR_ZMTP_${code}` },
  });

const stays = (name: string, ...octets: Octets[]): Input => ({
  name,
  octets: concat(...octets),
  outcome: "stays in the handshake",
});

const isPeer = (name: string, ...octets: Octets[]): Input => ({
  name,
  octets: concat(...octets),
  outcome: "is a peer",
});

const unsupported = at("UNSUPPORTED_VERSION");
const mismatch = at("MECHANISM_MISMATCH");
const badReady = at("MALFORMED_COMMAND_READY");
const badMetadata = at("INVALID_METADATA");
const incompatible = at("INCOMPATIBLE_SOCKET_TYPE");
const unexpected = at("UNEXPECTED_COMMAND");

const TLS_HELLO = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/**
 * Handshakes of a peer that is a socket of type `type`, or says so. Numbers are those of the
 * checklist in which each case was collected.
 *
 * @param illegal A type that ours does not talk to.
 */
export function handshakes(type: string, illegal: string): Input[] {
  const TYPE = { "Socket-Type": type };
  const READY = ready(TYPE);
  return [
    stays("1 nothing"),
    stays("2 one octet of a greeting", "\xff"),
    stays("2 a greeting less its last octet", HELLO.subarray(0, 63)),
    stays("2 a greeting alone", HELLO),
    stays("2 a greeting and a READY less its last octet", HELLO, READY.subarray(0, -1)),
    { ...isPeer("3 a greeting and READY, octet by octet", HELLO, READY), isSlow: true },
    {
      ...isPeer("4 all in one chunk", HELLO, READY, message("one"), message("two", "three")),
      messages: [["one"], ["two", "three"]],
    },
    unsupported("5 HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    unsupported("5 TLS", TLS_HELLO, noise(500, 1)),
    unsupported("5 SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
    unsupported("5 noise", noise(100_000, 2)),
    at("MALFORMED_GREETING")("5 noise that begins like a greeting", "\xff", noise(1000, 7)),
    at("MALFORMED_GREETING")("5 only ones", "\xff".repeat(200)),
    unsupported("6 ZMTP 1.0, short", "\x01\x00"),
    unsupported("6 ZMTP 1.0, with an identity", "\x06\x00hello"),
    unsupported("6 zeros", new Uint8Array(64)),
    unsupported("7 ZMTP 1.0, long", "\xff\0\0\0\0\0\0\0\x01\x7e", noise(100, 3)),
    ...[0, 1, 2].map((major) => unsupported(`8 revision ${major}`, greeting({ major, minor: 0 }))),
    ...[
      [3, 0],
      [3, 1],
      [3, 2],
      [4, 0],
      [255, 255],
    ].map(([major = 0, minor = 0]) =>
      isPeer(`8 version ${major}.${minor}`, greeting({ major, minor }), READY),
    ),
    mismatch("9 PLAIN", greeting({ mechanism: "PLAIN" })),
    mismatch("9 CURVE", greeting({ mechanism: "CURVE" })),
    mismatch("9 no mechanism", greeting({ mechanism: "" })),
    mismatch("9 in lower case", greeting({ mechanism: "null" })),
    mismatch("9 cut short", greeting({ mechanism: "NUL" })),
    mismatch("9 without a NUL octet", greeting({ mechanism: "NULLNULLNULLNULLNULL" })),
    mismatch("9 something after the NUL octet", greeting({ mechanism: "NULL\0x" })),
    isPeer("10 as-server 1", greeting({ asServer: 1 }), READY),
    isPeer("10 as-server 255", greeting({ asServer: 255 }), READY),
    isPeer("11 a filler that is not zero", greeting({ filler: 0xaa }), READY),
    isPeer("11 a padding that is not zero", greeting({ signature: "\xff12345678\x7f" }), READY),
    at("MALFORMED_FRAME")("12 a reserved flag in the handshake", HELLO, frame("x", { flags: 8 })),
    at("COMMAND_TOO_LARGE")("13 READY of 2^64 - 1 octets", HELLO, "\x06", "\xff".repeat(8)),
    at("COMMAND_TOO_LARGE")("13 READY of 2^63 octets", HELLO, "\x06\x80", new Uint8Array(7)),
    at("COMMAND_TOO_LARGE")("13 READY of 64 KB and an octet", HELLO, "\x06", number(65_537, 8)),
    at("INVALID_SEQUENCE")("20 a message before READY", HELLO, message("early")),
    at("INVALID_SEQUENCE")("20 an empty message before READY", HELLO, message("")),
    at("INVALID_SEQUENCE")("20 1 GB announced before READY", HELLO, "\x02", number(2 ** 30, 8)),
    at("INVALID_SEQUENCE")("22 READY as a message", HELLO, frame(commandBody("READY"))),
    unexpected("22 ready in lower case", HELLO, command("ready", metadata(TYPE))),
    unexpected("22 PING before READY", HELLO, ping()),
    unexpected("22 SUBSCRIBE before READY", HELLO, subscribe("topic")),
    unexpected("22 HELLO", HELLO, command("HELLO", "\x05admin\x05admin")),
    unexpected("22 INITIATE", HELLO, command("INITIATE")),
    isPeer("23 no Socket-Type", HELLO, ready({})),
    badMetadata(
      "23 two of them",
      HELLO,
      command("READY", concat(property("Socket-Type", type), property("socket-type", type))),
    ),
    incompatible("23 another one", HELLO, ready({ "Socket-Type": illegal })),
    incompatible("23 an unknown one", HELLO, ready({ "Socket-Type": "FOO" })),
    incompatible("23 an empty one", HELLO, ready({ "Socket-Type": "" })),
    incompatible("23 in lower case", HELLO, ready({ "Socket-Type": type.toLowerCase() })),
    incompatible("23 cut by a NUL octet", HELLO, ready({ "Socket-Type": `${type}\0` })),
    incompatible("23 a long one", HELLO, ready({ "Socket-Type": type.repeat(10_000) })),
    isPeer("23 its name in upper case", HELLO, ready({ "SOCKET-TYPE": type })),
    badMetadata("24 a property without a name", HELLO, command("READY", property("", "x"))),
    badReady("24 a name past the end", HELLO, command("READY", "\xffname")),
    badReady("24 no size of the value", HELLO, command("READY", "\x04name")),
    badReady(
      "24 a value of 2^32 - 1 octets",
      HELLO,
      command("READY", concat("\x04name", "\xff".repeat(4), "value")),
    ),
    badReady("24 a value past the end", HELLO, command("READY", "\x04name\0\0\0\x06value")),
    badMetadata("24 an octet too many", HELLO, command("READY", concat(metadata(TYPE), "\0"))),
    badMetadata("24 a name with a NUL octet", HELLO, command("READY", property("a\0b", "x"))),
    at("COMMAND_TOO_LARGE")("24 100,000 properties", HELLO, "\x06", number(1_000_000, 8)),
    at("TOO_MANY_PROPERTIES")(
      "24 1,000 properties",
      HELLO,
      command("READY", concat(...Array.from({ length: 1000 }, (_, i) => property(`X-${i}`, "")))),
    ),
    isPeer(
      "24 names that mean something to JavaScript",
      HELLO,
      command(
        "READY",
        concat(
          metadata(TYPE),
          ...["__proto__", "constructor", "toString", "then"].map((name) => property(name, "x")),
        ),
      ),
    ),
    isPeer("25 an identity", HELLO, ready({ ...TYPE, Identity: "me" })),
    isPeer("25 an empty identity", HELLO, ready({ ...TYPE, Identity: "" })),
    badMetadata("25 one that starts with zero", HELLO, ready({ ...TYPE, Identity: "\0me" })),
    badMetadata("25 one of 256 octets", HELLO, ready({ ...TYPE, Identity: "i".repeat(256) })),
    {
      name: "26 ERROR before READY",
      octets: concat(HELLO, error("go away")),
      outcome: { error: "ERR_ZMTP_PEER_ERROR", isFinal: true },
    },
    {
      name: "26 ERROR that is not text",
      octets: concat(HELLO, error("\x1b[2J\xff\0")),
      outcome: { error: "ERR_ZMTP_PEER_ERROR", isFinal: true },
    },
    at("MALFORMED_COMMAND_ERROR")("26 a reason past the end", HELLO, command("ERROR", "\xffno")),
    at("MALFORMED_COMMAND_ERROR")("26 no reason", HELLO, command("ERROR")),
    at("MALFORMED_COMMAND_UNSPECIFIED")("27 an empty command", HELLO, "\x04\x00"),
    at("MALFORMED_COMMAND_UNSPECIFIED")("27 a name past the end", HELLO, "\x04\x03\xffab"),
    at("MALFORMED_COMMAND_UNSPECIFIED")("27 a name of no octets", HELLO, "\x04\x01\x00"),
    at("MALFORMED_FRAME")("27 READY with MORE", HELLO, frame(commandBody("READY"), { flags: 5 })),
    unexpected("27 an unknown command", HELLO, command("WHATEVER")),
  ];
}

const tooLarge = at("MESSAGE_TOO_LARGE");
const badFrame = at("MALFORMED_FRAME");
const badCommand = at("MALFORMED_COMMAND_UNSPECIFIED");

/** What comes after a handshake that is fine. */
export const TRAFFIC: Input[] = [
  ...[0x08, 0x10, 0x20, 0x40, 0x80, 0xff].map((flags) =>
    badFrame(`12 flags ${flags.toString(16)}`, Uint8Array.of(flags, 0, ...new Uint8Array(7))),
  ),
  tooLarge("13 a message of 2^63 octets", "\x02\x80", new Uint8Array(7)),
  tooLarge("13 a message of 2^64 - 1 octets", "\x02", "\xff".repeat(8)),
  tooLarge("13 a message of 2^53 + 1 octets", "\x02", number(2n ** 53n + 1n, 8)),
  tooLarge("13 a message of maxMessageSize + 1 octets", "\x02", number(MB + 1, 8)),
  tooLarge(
    "13 a part of maxMessageSize + 1 octets",
    frame("x", { more: true }),
    frame("", {
      size: MB + 1,
    }),
  ),
  {
    ...isPeer("15 a message of 1 MB announced, and one octet of it", "\x02", number(MB, 8), "x"),
    outcome: "stays in a message",
  },
  {
    ...isPeer("15 a message of 1 GB announced, and one octet of it", "\x02", number(1e9, 8), "x"),
    options: { maxMessageSize: -1 },
    outcome: "stays in a message",
  },
  {
    ...isPeer("19 a part, and no other", frame("a", { more: true })),
    outcome: "stays in a message",
  },
  { ...isPeer("19 half a header", "\x02\0\0"), outcome: "stays in a message" },
  { ...isPeer("14 no octet, in the long form", frame("", { long: true })), messages: [[""]] },
  {
    ...isPeer("14 two octets, in the long form", frame("ab", { long: true })),
    messages: [["ab"]],
  },
  {
    ...isPeer(
      "16 octet by octet",
      frame("a", { more: true, long: true }),
      frame("b"),
      message("c"),
    ),
    isSlow: true,
    messages: [["a", "b"], ["c"]],
  },
  ...[MB, -1].map((maxMessageSize) => ({
    ...at("TOO_MANY_FRAMES")(
      `17 empty parts without end, maxMessageSize ${maxMessageSize}`,
      repeat(frame("", { more: true }), 70_000),
    ),
    options: { maxMessageSize },
  })),
  {
    ...at("MULTIPART_TOO_LARGE")(
      "18 a second part with which it is 1 GB and an octet, announced",
      frame("x", { more: true }),
      frame("", { size: 2 ** 30 }),
    ),
    options: { maxMessageSize: -1 },
  },
  isPeer("21 READY once more", ready()),
  isPeer("26 ERROR after READY", error("too late")),
  badCommand("27 an empty command", "\x04\x00"),
  badCommand("27 a name past the end", "\x04\x03\xffab"),
  badCommand("27 a name of no octets", "\x04\x01\x00"),
  isPeer("27 an unknown command", command("WHATEVER", "you like")),
  isPeer(
    "27 an unknown command of 1 MB",
    frame(concat("\x03BIG", new Uint8Array(MB - 4)), {
      command: true,
    }),
  ),
  at("COMMAND_TOO_LARGE")(
    "27 one of 1 MB and an octet",
    frame("", { command: true, size: MB + 1 }),
  ),
  badFrame("27 a command with MORE", frame(commandBody("PING", "\0\0"), { flags: 5 })),
  {
    ...isPeer(
      "27 a command between two parts",
      frame("a", { more: true }),
      ping(),
      command("WHATEVER"),
      frame("b"),
    ),
    messages: [["a", "b"]],
  },
  at("MALFORMED_COMMAND_PING")("28 PING of 0 octets", command("PING")),
  at("MALFORMED_COMMAND_PING")("28 PING of 1 octet", command("PING", "\0")),
  isPeer("28 PING of 2 octets", ping(0)),
  isPeer("28 PING of 18 octets", ping(0, "c".repeat(16))),
  at("MALFORMED_COMMAND_PING")("28 PING of 19 octets", ping(0, "c".repeat(17))),
  { ...isPeer("28 PING that promises another within 100 ms", ping(1)), outcome: "falls silent" },
  isPeer("28 PING that promises one within 6,553.5 s", ping(65_535)),
  isPeer("28 PING 100,000 times", repeat(ping(0, "c".repeat(16)), 100_000)),
  {
    ...isPeer(
      "28 PING 100,000 times, by one that never reads",
      repeat(ping(0, "c".repeat(16)), 100_000),
    ),
    isDeaf: true,
  },
  isPeer("28 PONG that nobody asked for", pong(), pong("c".repeat(16))),
  at("MALFORMED_COMMAND_PONG")("28 PONG of 17 octets", pong("c".repeat(17))),
  isPeer("29 SUBSCRIBE and CANCEL", subscribe("topic"), cancel("topic"), cancel("other")),
  isPeer("29 SUBSCRIBE and CANCEL, binary", subscribe("\0\xff\x01"), cancel("\0\xff\x01\0")),
  isPeer("29 SUBSCRIBE to the same topic 100,000 times", repeat(subscribe("topic"), 100_000)),
  isPeer("29 SUBSCRIBE to 1,000,000 topics", subscriptions(1_000_000)),
  isPeer(
    "29 SUBSCRIBE to a topic of 1 MB less the name",
    frame(concat("\x09SUBSCRIBE", new Uint8Array(MB - 10)), { command: true }),
  ),
  {
    // As ZMTP 3.0 subscribes. To a PAIR these are messages like any other.
    ...isPeer("29 SUBSCRIBE and CANCEL, as messages", message("\x01topic"), message("\0topic")),
    messages: [["\x01topic"], ["\0topic"]],
  },
  isPeer("30 JOIN to a group with a NUL octet", command("JOIN", "a\0b")),
  isPeer(
    "30 JOIN and LEAVE",
    command("JOIN", "group"),
    command("LEAVE", "group"),
    command("LEAVE", "other"),
  ),
  isPeer("30 JOIN to a group of 256 octets", command("JOIN", "g".repeat(256))),
];

/** All of a peer that is a PAIR. */
export const INPUTS: Input[] = [
  ...handshakes("PAIR", "PUSH"),
  ...TRAFFIC.map((input) => ({
    ...input,
    octets: concat(HELLO, ready(), input.octets),
    isLate: true,
  })),
];
