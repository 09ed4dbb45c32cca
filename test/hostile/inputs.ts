import { type Dialect, NULL, type Part, type Speaker } from "../support/dialects.js";
import type { MockPeer } from "../support/mock-peer.js";
import {
  bytes,
  cancel,
  command,
  commandBody,
  concat,
  error,
  frame,
  type GreetingFields,
  greeting,
  message,
  metadata,
  number,
  type Octets,
  ping,
  pong,
  property,
  subscribe,
} from "../support/wire.js";

/** What a peer may send, and what becomes of its connection. */
export interface Input {
  name: string;
  /** After these octets the peer waits. */
  octets: Uint8Array;
  /**
   * What the peer does then, where what it says depends on what it hears.
   * @returns How to talk to it, once it is a peer.
   */
  act?: (peer: MockPeer) => Promise<Speaker | undefined>;
  /** What the octets make of the connection. */
  outcome:
    | "stays in the handshake"
    | "is a peer"
    | "stays in a message"
    | "falls silent"
    | {
        error: string;
        /** Our side does not connect again. */
        isFinal?: boolean;
        /** What the peer is told, or tells us, of why it is refused. */
        status?: number;
      };
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
  /** What is not a whole frame, or none at all: said behind the rest, as it is, under any mechanism. */
  rest?: Uint8Array;
  /** Of frames so many that to seal each takes a while. */
  isFlood?: boolean;
}

export const MB = 1024 * 1024;

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

export const at =
  (code: string) =>
  (name: string, ...octets: Octets[]): Input => ({
    name,
    octets: concat(...octets),
    outcome: { error: `ERR_ZMTP_${code}` },
  });

export const stays = (name: string, ...octets: Octets[]): Input => ({
  name,
  octets: concat(...octets),
  outcome: "stays in the handshake",
});

export const isPeer = (name: string, ...octets: Octets[]): Input => ({
  name,
  octets: concat(...octets),
  outcome: "is a peer",
});

const unsupported = at("UNSUPPORTED_VERSION");
const mismatch = at("MECHANISM_MISMATCH");
const badMetadata = at("INVALID_METADATA");
const incompatible = at("INCOMPATIBLE_SOCKET_TYPE");
export const unexpected = at("UNEXPECTED_COMMAND");

const TLS_HELLO = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/** An input whose octets are a handshake's. */
type Maker = (name: string, ...octets: Octets[]) => Input;

/**
 * Handshakes of a peer that is a socket of type `type`, or says so, under any mechanism. Numbers are
 * those of the checklist in which each case was collected.
 *
 * @param illegal A type that ours does not talk to.
 * @param part The peer's.
 */
export function handshakes(
  type: string,
  illegal: string,
  dialect: Dialect = NULL,
  part: Part = "client",
): Input[] {
  const TYPE = { "Socket-Type": type };
  const hello = (fields: GreetingFields = {}) => greeting({ mechanism: dialect.name, ...fields });
  const HELLO = hello();
  const CARRIER = dialect.carrier[part];
  const badCarrier = at(`MALFORMED_COMMAND_${CARRIER}`);

  /** Under NULL that is a greeting and READY; else the metadata is where the mechanism has it. */
  const introduced = (make: Maker, name: string, properties: Uint8Array, first = HELLO): Input => {
    if (dialect === NULL) return make(name, first, command("READY", properties));
    const act = (peer: MockPeer) => dialect.introduce(peer, part, properties);
    return { ...make(name), act };
  };
  const says = (make: Maker, name: string, properties: Readonly<Record<string, Octets>>): Input =>
    introduced(make, name, metadata(properties));
  /** A greeting of its own, and all the rest as it should be. */
  const greets = (name: string, fields: GreetingFields): Input => {
    const first = hello(fields);
    if (dialect === NULL) return introduced(isPeer, name, metadata(TYPE), first);
    const act = (peer: MockPeer) => {
      const send = async (octets: Uint8Array) =>
        // Only a greeting begins like that.
        peer.send(octets[0] === 0xff ? concat(first, octets.subarray(first.length)) : octets);
      return dialect.introduce(peer, part, metadata(TYPE), send);
    };
    return { ...isPeer(name), act };
  };
  const protects = dialect.name === "CURVE";
  /** Under CURVE an ERROR may be anybody's: it does not end the attempts to connect. */
  const errs = (name: string, reason: string, status?: number): Input => ({
    ...isPeer(name, HELLO, error(reason)),
    outcome: {
      error: `ERR_ZMTP_${protects ? "UNPROVEN" : "PEER"}_ERROR`,
      isFinal: !protects,
      ...(status !== undefined && { status }),
    },
  });

  return [
    stays("1 nothing"),
    stays("2 one octet of a greeting", "\xff"),
    stays("2 a greeting less its last octet", HELLO.subarray(0, 63)),
    stays("2 a greeting alone", HELLO),
    stays(
      "2 a greeting and a command less its last octet",
      HELLO,
      command("READY").subarray(0, -1),
    ),
    dialect === NULL
      ? {
          ...says(isPeer, "3 a greeting and READY, octet by octet", TYPE),
          isSlow: true,
        }
      : {
          ...isPeer("3 a handshake, octet by octet"),
          act: (peer) =>
            dialect.introduce(peer, part, metadata(TYPE), (octets) => peer.sendSlowly(octets)),
        },
    ...(dialect === NULL
      ? [
          {
            ...isPeer(
              "4 all in one chunk",
              HELLO,
              command("READY", metadata(TYPE)),
              message("one"),
              message("two", "three"),
            ),
            messages: [["one"], ["two", "three"]],
          },
        ]
      : [
          {
            ...isPeer("4 messages at once, before we have answered"),
            act: async (peer: MockPeer) => {
              const speaker = await dialect.introduce(peer, part, metadata(TYPE));
              peer.send(speaker.say(concat(message("one"), message("two", "three"))));
              return speaker;
            },
            messages: [["one"], ["two", "three"]],
          },
        ]),
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
    ...[0, 1, 2].map((major) => unsupported(`8 revision ${major}`, hello({ major, minor: 0 }))),
    ...[
      [3, 0],
      [3, 1],
      [3, 2],
      [4, 0],
      [255, 255],
    ].map(([major = 0, minor = 0]) => greets(`8 version ${major}.${minor}`, { major, minor })),
    ...["NULL", "PLAIN", "CURVE", "GSSAPI"]
      .filter((mechanism) => mechanism !== dialect.name)
      .map((mechanism) =>
        // All that would let it in, were the mechanism ours.
        mismatch(`9 ${mechanism}`, greeting({ mechanism }), command("READY", metadata(TYPE))),
      ),
    mismatch("9 no mechanism", greeting({ mechanism: "" })),
    mismatch("9 in lower case", greeting({ mechanism: dialect.name.toLowerCase() })),
    mismatch("9 cut short", greeting({ mechanism: dialect.name.slice(0, -1) })),
    mismatch("9 without a NUL octet", greeting({ mechanism: dialect.name.repeat(5).slice(0, 20) })),
    mismatch("9 something after the NUL octet", greeting({ mechanism: `${dialect.name}\0x` })),
    greets("10 as-server 1", { asServer: 1 }),
    greets("10 as-server 255", { asServer: 255 }),
    greets("11 a filler that is not zero", { filler: 0xaa }),
    greets("11 a padding that is not zero", { signature: "\xff12345678\x7f" }),
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
    // Where HELLO is due: see PLAIN's and CURVE's own.
    ...(dialect === NULL || part === "server"
      ? [unexpected("22 HELLO", HELLO, command("HELLO", "\x05admin\x05admin"))]
      : []),
    unexpected("22 INITIATE", HELLO, command("INITIATE")),
    says(isPeer, "23 no Socket-Type", {}),
    introduced(
      badMetadata,
      "23 two of them",
      concat(property("Socket-Type", type), property("socket-type", type)),
    ),
    says(incompatible, "23 another one", { "Socket-Type": illegal }),
    says(incompatible, "23 an unknown one", { "Socket-Type": "FOO" }),
    says(incompatible, "23 an empty one", { "Socket-Type": "" }),
    says(incompatible, "23 in lower case", { "Socket-Type": type.toLowerCase() }),
    says(incompatible, "23 cut by a NUL octet", { "Socket-Type": `${type}\0` }),
    says(incompatible, "23 a long one", { "Socket-Type": type.repeat(5000) }),
    says(isPeer, "23 its name in upper case", { "SOCKET-TYPE": type }),
    introduced(badMetadata, "24 a property without a name", property("", "x")),
    introduced(badCarrier, "24 a name past the end", bytes("\xffname")),
    introduced(badCarrier, "24 no size of the value", bytes("\x04name")),
    introduced(
      badCarrier,
      "24 a value of 2^32 - 1 octets",
      concat("\x04name", "\xff".repeat(4), "value"),
    ),
    introduced(badCarrier, "24 a value past the end", bytes("\x04name\0\0\0\x06value")),
    introduced(badMetadata, "24 an octet too many", concat(metadata(TYPE), "\0")),
    introduced(badMetadata, "24 a name with a NUL octet", property("a\0b", "x")),
    at("COMMAND_TOO_LARGE")("24 100,000 properties", HELLO, "\x06", number(1_000_000, 8)),
    introduced(
      at("TOO_MANY_PROPERTIES"),
      "24 1,000 properties",
      concat(...Array.from({ length: 1000 }, (_, i) => property(`X-${i}`, ""))),
    ),
    introduced(
      isPeer,
      "24 names that mean something to JavaScript",
      concat(
        metadata(TYPE),
        ...["__proto__", "constructor", "toString", "then"].map((name) => property(name, "x")),
      ),
    ),
    says(isPeer, "25 an identity", { ...TYPE, Identity: "me" }),
    says(isPeer, "25 an empty identity", { ...TYPE, Identity: "" }),
    says(badMetadata, "25 one that starts with zero", { ...TYPE, Identity: "\0me" }),
    says(badMetadata, "25 one of 256 octets", { ...TYPE, Identity: "i".repeat(256) }),
    errs("26 ERROR before READY", "go away"),
    errs("26 ERROR that is not text", "\x1b[2J\xff\0"),
    errs("26 ERROR of nothing", ""),
    ...[300, 400, 500].map((status) => errs(`26 ERROR ${status}`, `${status}`, status)),
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

/** With octets that no mechanism seals behind its frames. */
function behind(input: Input, ...octets: Octets[]): Input {
  return { ...input, rest: concat(...octets) };
}

/** What comes after a handshake that is fine, in frames that the mechanism may seal. */
export function traffic({ overhead, flood }: Dialect = NULL): Input[] {
  return [
    ...[0x08, 0x10, 0x20, 0x40, 0x80, 0xff].map((flags) =>
      behind(
        badFrame(`12 flags ${flags.toString(16)}`),
        Uint8Array.of(flags, 0, ...new Uint8Array(7)),
      ),
    ),
    behind(tooLarge("13 a message of 2^63 octets"), "\x02\x80", new Uint8Array(7)),
    behind(tooLarge("13 a message of 2^64 - 1 octets"), "\x02", "\xff".repeat(8)),
    behind(tooLarge("13 a message of 2^53 + 1 octets"), "\x02", number(2n ** 53n + 1n, 8)),
    behind(tooLarge("13 a message of maxMessageSize + 1 octets"), "\x02", number(MB + 1, 8)),
    behind(
      tooLarge("13 a part of maxMessageSize + 1 octets", frame("x", { more: true })),
      frame("", { size: MB + 1 }),
    ),
    {
      ...behind(
        isPeer("15 a message of 1 MB announced, and one octet of it"),
        "\x02",
        number(MB, 8),
        "x",
      ),
      outcome: "stays in a message",
    },
    {
      ...behind(
        isPeer("15 a message of 1 GB announced, and one octet of it"),
        "\x02",
        number(1e9, 8),
        "x",
      ),
      options: { maxMessageSize: -1 },
      outcome: "stays in a message",
    },
    {
      ...isPeer("19 a part, and no other", frame("a", { more: true })),
      outcome: "stays in a message",
    },
    { ...behind(isPeer("19 half a header"), "\x02\0\0"), outcome: "stays in a message" },
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
    // To seal so many takes a second.
    ...(overhead === 0 ? [MB, -1] : [-1]).map((maxMessageSize) => ({
      ...at("TOO_MANY_FRAMES")(
        `17 empty parts without end, maxMessageSize ${maxMessageSize}`,
        repeat(frame("", { more: true }), 70_000),
      ),
      options: { maxMessageSize },
      isFlood: true,
    })),
    {
      ...behind(
        at("MULTIPART_TOO_LARGE")(
          "18 a second part with which it is 1 GB and an octet, announced",
          frame("x", { more: true }),
        ),
        frame("", { size: 2 ** 30 }),
      ),
      options: { maxMessageSize: -1 },
    },
    isPeer("21 READY once more", command("READY", metadata({ "Socket-Type": "PAIR" }))),
    isPeer("26 ERROR after READY", error("too late")),
    badCommand("27 an empty command", "\x04\x00"),
    badCommand("27 a name past the end", "\x04\x03\xffab"),
    badCommand("27 a name of no octets", "\x04\x01\x00"),
    isPeer("27 an unknown command", command("WHATEVER", "you like")),
    isPeer(
      "27 an unknown command of 1 MB",
      frame(concat("\x03BIG", new Uint8Array(MB - 4 - overhead)), {
        command: true,
      }),
    ),
    {
      ...at("COMMAND_TOO_LARGE")(
        "27 one of 1 MB and an octet",
        frame(new Uint8Array(MB + 1), { command: true }),
      ),
      options: { maxMessageSize: -1 },
    },
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
    { ...isPeer(`28 PING ${flood} times`, repeat(ping(0, "c".repeat(16)), flood)), isFlood: true },
    {
      ...isPeer(
        `28 PING ${flood} times, by one that never reads`,
        repeat(ping(0, "c".repeat(16)), flood),
      ),
      isDeaf: true,
      isFlood: true,
    },
    isPeer("28 PONG that nobody asked for", pong(), pong("c".repeat(16))),
    at("MALFORMED_COMMAND_PONG")("28 PONG of 17 octets", pong("c".repeat(17))),
    isPeer("29 SUBSCRIBE and CANCEL", subscribe("topic"), cancel("topic"), cancel("other")),
    isPeer("29 SUBSCRIBE and CANCEL, binary", subscribe("\0\xff\x01"), cancel("\0\xff\x01\0")),
    {
      ...isPeer(`29 SUBSCRIBE to the same topic ${flood} times`, repeat(subscribe("topic"), flood)),
      isFlood: true,
    },
    isPeer("29 SUBSCRIBE to 1,000,000 topics", subscriptions(1_000_000)),
    isPeer(
      "29 SUBSCRIBE to a topic of 1 MB less the name",
      frame(concat("\x09SUBSCRIBE", new Uint8Array(MB - 10 - overhead)), { command: true }),
    ),
    {
      // As ZMTP 3.0 subscribes. To a PAIR these are messages like any other.
      ...isPeer("29 SUBSCRIBE and CANCEL, as messages", message("\x01topic"), message("\0topic")),
      messages: [["\x01topic"], ["\0topic"]],
    },
    isPeer("30 JOIN to a group with a NUL octet", command("JOIN", "a\0b")),
    isPeer("30 JOIN and LEAVE of a group without a name", command("JOIN"), command("LEAVE")),
    {
      ...isPeer(
        `30 JOIN to the same group ${flood} times`,
        repeat(command("JOIN", "group"), flood),
        command("LEAVE", "group"),
      ),
      isFlood: true,
    },
    isPeer(
      "30 JOIN and LEAVE",
      command("JOIN", "group"),
      command("LEAVE", "group"),
      command("LEAVE", "other"),
    ),
    isPeer("30 JOIN to a group of 256 octets", command("JOIN", "g".repeat(256))),
    {
      ...isPeer("30 a message of a group", message("good", "news")),
      messages: [["good", "news"]],
    },
    {
      ...isPeer("30 a message of a group of 256 octets", message("g".repeat(256), "x")),
      messages: [["g".repeat(256), "x"]],
    },
    { ...isPeer("30 a group and no message", message("good")), messages: [["good"]] },
    {
      ...isPeer("30 a group and a message of two parts", message("good", "x", "")),
      messages: [["good", "x", ""]],
    },
    {
      ...isPeer("31 a part, two parts, and a part", message("x"), message("a", "b"), message("y")),
      messages: [["x"], ["a", "b"], ["y"]],
    },
  ];
}

/** All of a peer that is a PAIR, under NULL: what comes after its handshake is said in one go with that. */
export const INPUTS: Input[] = [
  ...handshakes("PAIR", "PUSH"),
  ...traffic().map(({ rest = "", ...input }) => ({
    ...input,
    octets: concat(
      NULL.greeting,
      command("READY", metadata({ "Socket-Type": "PAIR" })),
      input.octets,
      rest,
    ),
    isLate: true,
  })),
];
