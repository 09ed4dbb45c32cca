/**
 * ZMTP 3.x (RFC 37) as slowly and obviously as it can be written: the oracle for `src/zmtp`, of
 * which it knows nothing but the names of error codes and limits. It reads a whole conversation at
 * once, from an array of numbers, with sizes as bigints.
 */

export interface NaiveLimits {
  maxMessageSize: number;
  maxMultipartSize: number;
  maxFrames: number;
  maxHandshakeCommandSize: number;
  maxCommandSize: number;
  maxProperties: number;
}

/** What a conversation comes to, in the order of the wire. */
export type NaiveEvent =
  | { kind: "greeting"; minor: number; major: number }
  | { kind: "handshake"; properties: [name: string, value: number[]][] }
  | { kind: "message"; parts: number[][] }
  | { kind: "command"; name: string; data: number[] };

export interface NaiveResult {
  events: NaiveEvent[];
  /** What the peer did wrong, after all events. */
  error: string | undefined;
  phase: "greeting" | "handshake" | "traffic" | "closed";
}

class Wrong {
  readonly code: string;
  constructor(code: string) {
    this.code = code;
  }
}

/** There are not enough octets; that is not the peer's fault. */
class Short {}

class Octets {
  readonly all: number[];
  at = 0;

  constructor(all: number[]) {
    this.all = all;
  }

  get left(): number {
    return this.all.length - this.at;
  }

  take(count: number): number[] {
    if (count > this.left) throw new Short();
    this.at += count;
    return this.all.slice(this.at - count, this.at);
  }

  one(): number {
    return this.take(1)[0] as number;
  }
}

/** Reads a peer's side of a conversation over NULL, from its first octet. */
export function readConversation(
  octets: Uint8Array,
  limits: NaiveLimits,
  compatible: readonly string[],
): NaiveResult {
  return run((events, enter) => {
    const input = new Octets([...octets]);
    events.push(readGreeting(input));
    enter("handshake");
    events.push(readHandshake(input, limits, compatible));
    enter("traffic");
    for (;;) readTraffic(input, limits, events);
  }, "greeting");
}

/** Reads frames of the traffic only; commands come out as they are. */
export function readFrames(octets: Uint8Array, limits: NaiveLimits): NaiveResult {
  return run((events) => {
    const input = new Octets([...octets]);
    for (;;) readMessageOrCommand(input, limits, events);
  }, "traffic");
}

/** The frames of a message. */
export function writeMessage(parts: readonly Uint8Array[]): number[] {
  const octets: number[] = [];
  parts.forEach((part, i) => {
    const more = i < parts.length - 1 ? 1 : 0;
    if (part.length < 256) {
      octets.push(more, part.length);
    } else {
      octets.push(more + 2);
      let digits = part.length.toString(16);
      while (digits.length < 16) digits = `0${digits}`;
      for (let j = 0; j < 16; j += 2) octets.push(Number.parseInt(digits.slice(j, j + 2), 16));
    }
    for (const octet of part) octets.push(octet);
  });
  return octets;
}

function run(
  read: (events: NaiveEvent[], enter: (phase: NaiveResult["phase"]) => void) => never,
  first: NaiveResult["phase"],
): NaiveResult {
  const events: NaiveEvent[] = [];
  let phase = first;
  try {
    return read(events, (next) => {
      phase = next;
    });
  } catch (stop) {
    if (stop instanceof Short) return { events, error: undefined, phase };
    if (stop instanceof Wrong) return { events, error: stop.code, phase: "closed" };
    throw stop;
  }
}

function readGreeting(input: Octets): NaiveEvent {
  if (input.one() !== 0xff) throw new Wrong("ERR_ZMTP_UNSUPPORTED_VERSION");
  input.take(8);
  const end = input.one();
  if (end % 2 === 0) throw new Wrong("ERR_ZMTP_UNSUPPORTED_VERSION");
  if (end !== 0x7f) throw new Wrong("ERR_ZMTP_MALFORMED_GREETING");
  const major = input.one();
  if (major < 3) throw new Wrong("ERR_ZMTP_UNSUPPORTED_VERSION");
  const minor = input.one();
  for (let i = 0; i < 20; i++) {
    if (input.one() !== ([78, 85, 76, 76][i] ?? 0)) throw new Wrong("ERR_ZMTP_MECHANISM_MISMATCH");
  }
  input.take(32);
  return { kind: "greeting", major, minor };
}

function readHandshake(
  input: Octets,
  limits: NaiveLimits,
  compatible: readonly string[],
): NaiveEvent {
  const header = readHeader(input);
  if (!header.command) throw new Wrong("ERR_ZMTP_INVALID_SEQUENCE");
  if (header.size > BigInt(limits.maxHandshakeCommandSize)) {
    throw new Wrong("ERR_ZMTP_COMMAND_TOO_LARGE");
  }
  const { name, data } = readCommand(input.take(Number(header.size)));
  if (name === "ERROR") {
    if (data.length === 0 || data[0] !== data.length - 1) {
      throw new Wrong("ERR_ZMTP_MALFORMED_COMMAND_ERROR");
    }
    throw new Wrong("ERR_ZMTP_PEER_ERROR");
  }
  if (name !== "READY") throw new Wrong("ERR_ZMTP_UNEXPECTED_COMMAND");
  const properties = readProperties(data, limits);
  for (const [property, value] of properties) {
    if (property === "socket-type" && !compatible.includes(String.fromCharCode(...value))) {
      throw new Wrong("ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE");
    }
  }
  return { kind: "handshake", properties };
}

function readProperties(data: number[], limits: NaiveLimits): [string, number[]][] {
  const input = new Octets(data);
  const properties: [string, number[]][] = [];
  while (input.left > 0) {
    const nameSize = input.one();
    if (nameSize === 0) throw new Wrong("ERR_ZMTP_INVALID_METADATA");
    if (input.left < nameSize + 4) throw new Wrong("ERR_ZMTP_MALFORMED_COMMAND_READY");
    const name = String.fromCharCode(...input.take(nameSize));
    for (const character of name) {
      if (
        !"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+".includes(character)
      ) {
        throw new Wrong("ERR_ZMTP_INVALID_METADATA");
      }
    }
    const valueSize = unsigned(input.take(4));
    if (valueSize > BigInt(input.left)) throw new Wrong("ERR_ZMTP_MALFORMED_COMMAND_READY");
    const key = name.toLowerCase();
    if (properties.some(([other]) => other === key)) throw new Wrong("ERR_ZMTP_INVALID_METADATA");
    if (properties.length + 1 > limits.maxProperties) {
      throw new Wrong("ERR_ZMTP_TOO_MANY_PROPERTIES");
    }
    properties.push([key, input.take(Number(valueSize))]);
  }
  for (const [name, value] of properties) {
    if (name === "identity" && (value.length > 255 || value[0] === 0)) {
      throw new Wrong("ERR_ZMTP_INVALID_METADATA");
    }
  }
  return properties;
}

/** A message, or a command that a peer of the traffic may send: malformed ones are found. */
function readTraffic(input: Octets, limits: NaiveLimits, events: NaiveEvent[]): void {
  readMessageOrCommand(input, limits, events, (name, data) => {
    if (name === "PING" && (data.length < 2 || data.length > 18)) {
      throw new Wrong("ERR_ZMTP_MALFORMED_COMMAND_PING");
    }
    if (name === "PONG" && data.length > 16) throw new Wrong("ERR_ZMTP_MALFORMED_COMMAND_PONG");
  });
}

/** Reads on until a message is whole; commands may come between its frames. */
function readMessageOrCommand(
  input: Octets,
  limits: NaiveLimits,
  events: NaiveEvent[],
  check: (name: string, data: number[]) => void = () => {},
): void {
  const parts: number[][] = [];
  let total = 0n;
  for (;;) {
    const header = readHeader(input);
    if (header.command) {
      if (header.size > BigInt(limits.maxCommandSize))
        throw new Wrong("ERR_ZMTP_COMMAND_TOO_LARGE");
      const { name, data } = readCommand(input.take(Number(header.size)));
      check(name, data);
      events.push({ kind: "command", name, data });
      continue;
    }
    const most = limits.maxMessageSize < 0 ? 2n ** 53n - 1n : BigInt(limits.maxMessageSize);
    if (header.size > most) throw new Wrong("ERR_ZMTP_MESSAGE_TOO_LARGE");
    if (header.more || parts.length > 0) {
      if (parts.length + 1 > limits.maxFrames) throw new Wrong("ERR_ZMTP_TOO_MANY_FRAMES");
      total += header.size;
      if (total > BigInt(limits.maxMultipartSize)) throw new Wrong("ERR_ZMTP_MULTIPART_TOO_LARGE");
    }
    parts.push(input.take(Number(header.size)));
    if (header.more) continue;
    events.push({ kind: "message", parts });
    return;
  }
}

function readHeader(input: Octets): { more: boolean; command: boolean; size: bigint } {
  const flags = input.one();
  const more = flags % 2 === 1;
  const long = Math.floor(flags / 2) % 2 === 1;
  const command = Math.floor(flags / 4) % 2 === 1;
  const size = unsigned(input.take(long ? 8 : 1));
  if (flags > 7) throw new Wrong("ERR_ZMTP_MALFORMED_FRAME");
  if (more && command) throw new Wrong("ERR_ZMTP_MALFORMED_FRAME");
  return { more, command, size };
}

function readCommand(body: number[]): { name: string; data: number[] } {
  const [size = 0, ...rest] = body;
  if (size === 0 || size > rest.length) throw new Wrong("ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED");
  return { name: String.fromCharCode(...rest.slice(0, size)), data: rest.slice(size) };
}

function unsigned(octets: number[]): bigint {
  return octets.reduce((value, octet) => value * 256n + BigInt(octet), 0n);
}
