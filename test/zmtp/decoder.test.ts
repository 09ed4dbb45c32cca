import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Decoder,
  type DecoderOptions,
  HELD_LIMIT,
  PART_COST,
  RESERVE_LIMIT,
} from "../../src/zmtp/decoder.js";
import { Budget, DEFAULT_LIMITS, type Limits } from "../../src/zmtp/limits.js";
import { type Memory, plainMemory } from "../../src/zmtp/memory.js";
import { ProtocolError } from "../../src/zmtp/protocol-error.js";
import { feedBytes, feedCut, feedWhole } from "../support/feed.js";
import { type NaiveEvent, readFrames } from "../support/naive-codec.js";
import { mutated, traffic } from "../support/traffic-arbitrary.js";
import { trafficOf } from "../support/traffic-of.js";
import * as wire from "../support/wire.js";

const KB = 1024;
const MB = 1024 * KB;

/** A decoder and what came out of it. */
class Decoding {
  readonly events: NaiveEvent[] = [];
  readonly held = new Budget(HELD_LIMIT);
  readonly reserve = new Budget(RESERVE_LIMIT);
  readonly decoder: Decoder;
  /** How many more messages and commands there is room for. */
  room = Number.POSITIVE_INFINITY;
  error: string | undefined;

  constructor(limits: Partial<Limits> = {}, options: DecoderOptions = {}) {
    const { held, reserve } = this;
    this.decoder = new Decoder(
      {
        message: (parts) => this.#emit({ kind: "message", parts: parts.map((part) => [...part]) }),
        command: (body) => {
          const size = body[0] as number;
          const name = String.fromCharCode(...body.subarray(1, 1 + size));
          return this.#emit({ kind: "command", name, data: [...body.subarray(1 + size)] });
        },
      },
      { limits: { ...DEFAULT_LIMITS, ...limits }, held, reserve, ...options },
    );
  }

  /** Takes octets; the first ProtocolError is kept, anything else thrown is a failure. */
  readonly take = (chunk: Uint8Array, at: number, end: number): number => {
    if (this.error !== undefined) return end;
    try {
      return this.decoder.decode(chunk, at, end);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.error = error.code;
      return end;
    }
  };

  feed(...octets: wire.Octets[]): this {
    feedWhole(wire.concat(...octets), this.take);
    return this;
  }

  #emit(event: NaiveEvent): boolean {
    this.events.push(event);
    return --this.room > 0;
  }
}

function message(...parts: wire.Octets[]): NaiveEvent {
  return { kind: "message", parts: parts.map((part) => [...wire.bytes(part)]) };
}

function command(name: string, data: wire.Octets = ""): NaiveEvent {
  return { kind: "command", name, data: [...wire.bytes(data)] };
}

const LONG_TEXT = "long ".repeat(100);

/** What a peer may send, and what comes of it. */
const VECTORS: [string, Uint8Array, NaiveEvent[]][] = [
  ["a message", wire.message("hello"), [message("hello")]],
  ["an empty message", wire.message(""), [message("")]],
  ["255 octets", wire.message("x".repeat(255)), [message("x".repeat(255))]],
  ["256 octets", wire.message("x".repeat(256)), [message("x".repeat(256))]],
  ["9,000 octets", wire.message("x".repeat(9000)), [message("x".repeat(9000))]],
  ["a long header for 2 octets", wire.frame("ok", { long: true }), [message("ok")]],
  ["a long header for none", wire.frame("", { long: true }), [message("")]],
  ["several parts", wire.message("a", "", LONG_TEXT, "d"), [message("a", "", LONG_TEXT, "d")]],
  ["empty parts only", wire.message("", "", ""), [message("", "", "")]],
  [
    "several messages",
    wire.concat(wire.message("a"), wire.message("b")),
    [message("a"), message("b")],
  ],
  ["a command", wire.command("PING", "\0\x01ctx"), [command("PING", "\0\x01ctx")]],
  ["a long command", wire.command("SUBSCRIBE", LONG_TEXT), [command("SUBSCRIBE", LONG_TEXT)]],
  [
    "a short command with a long header",
    wire.frame("\x01X", { long: true, command: true }),
    [command("X")],
  ],
  [
    "a command between two parts",
    wire.concat(wire.frame("a", { more: true }), wire.command("PONG"), wire.frame("b")),
    [command("PONG"), message("a", "b")],
  ],
];

describe.each(VECTORS)("%s", (_, octets, events) => {
  it("is decoded whole", () => {
    expect(new Decoding().feed(octets).events).toEqual(events);
  });

  it("is decoded byte by byte, the last event with the last octet", () => {
    const decoding = new Decoding();
    feedBytes(octets.subarray(0, -1), decoding.take);
    expect(decoding.events.length).toBe(events.length - 1);
    feedBytes(octets.subarray(-1), decoding.take);
    expect(decoding.events).toEqual(events);
    expect(decoding.held.used + decoding.reserve.used + decoding.decoder.held).toBe(0);
    expect(decoding.decoder.inFrame).toBe(false);
  });

  it("is decoded cut in two at every octet", () => {
    for (let cut = 1; cut < octets.length; cut += Math.ceil(octets.length / 60)) {
      const decoding = new Decoding();
      feedCut(octets, [cut], decoding.take);
      expect(decoding.events).toEqual(events);
    }
  });

  it("leaves what follows untouched when there is no room", () => {
    const followed = wire.concat(octets, wire.message("next"));
    for (const cuts of [[], [1], [octets.length - 1]]) {
      const decoding = new Decoding();
      decoding.room = events.length;
      expect(feedCut(followed, cuts, decoding.take)).toBe(octets.length);
      expect(decoding.events).toEqual(events);
    }
  });

  it("is decoded alike by the naive codec", () => {
    expect(readFrames(octets, DEFAULT_LIMITS)).toMatchObject({ events, error: undefined });
  });
});

describe("a frame is judged by its header alone:", () => {
  const FRAMES: [string, Uint8Array, Partial<Limits>, string | undefined][] = [
    ...[8, 16, 32, 64, 128].map((flags): [string, Uint8Array, Partial<Limits>, string] => [
      `reserved flag ${flags}`,
      wire.frame("ok", { flags }),
      {},
      "ERR_ZMTP_MALFORMED_FRAME",
    ]),
    ["all flags", wire.frame("", { flags: 255, long: true }), {}, "ERR_ZMTP_MALFORMED_FRAME"],
    [
      "COMMAND and MORE",
      wire.frame("\x01X", { command: true, more: true }),
      {},
      "ERR_ZMTP_MALFORMED_FRAME",
    ],
    ["2^53 octets", wire.frame("", { size: 2n ** 53n }), {}, "ERR_ZMTP_MESSAGE_TOO_LARGE"],
    ["2^53 + 1 octets", wire.frame("", { size: 2n ** 53n + 1n }), {}, "ERR_ZMTP_MESSAGE_TOO_LARGE"],
    ["2^63 octets", wire.frame("", { size: 2n ** 63n }), {}, "ERR_ZMTP_MESSAGE_TOO_LARGE"],
    ["2^64 - 1 octets", wire.frame("", { size: 2n ** 64n - 1n }), {}, "ERR_ZMTP_MESSAGE_TOO_LARGE"],
    [
      "2^64 - 1 octets and MORE",
      wire.frame("", { size: 2n ** 64n - 1n, more: true }),
      {},
      "ERR_ZMTP_MESSAGE_TOO_LARGE",
    ],
    [
      "2^64 - 1 octets of command",
      wire.frame("", { size: 2n ** 64n - 1n, command: true }),
      {},
      "ERR_ZMTP_COMMAND_TOO_LARGE",
    ],
    ["2^53 - 1 octets", wire.frame("", { size: 2n ** 53n - 1n }), {}, undefined],
    ["maxMessageSize", wire.frame("", { size: 1000 }), { maxMessageSize: 1000 }, undefined],
    [
      "one octet more",
      wire.frame("", { size: 1001 }),
      { maxMessageSize: 1000 },
      "ERR_ZMTP_MESSAGE_TOO_LARGE",
    ],
    ["maxMessageSize of 0", wire.frame(""), { maxMessageSize: 0 }, undefined],
    [
      "an octet where none may be",
      wire.frame("x"),
      { maxMessageSize: 0 },
      "ERR_ZMTP_MESSAGE_TOO_LARGE",
    ],
    [
      "maxCommandSize",
      wire.frame("", { size: 1000, command: true }),
      { maxCommandSize: 1000 },
      undefined,
    ],
    [
      "a command of one octet more",
      wire.frame("", { size: 1001, command: true }),
      { maxCommandSize: 1000 },
      "ERR_ZMTP_COMMAND_TOO_LARGE",
    ],
    [
      "a part of maxMultipartSize",
      wire.frame("", { size: 1000, more: true }),
      { maxMultipartSize: 1000 },
      undefined,
    ],
    [
      "a part of one octet more",
      wire.frame("", { size: 1001, more: true }),
      { maxMultipartSize: 1000 },
      "ERR_ZMTP_MULTIPART_TOO_LARGE",
    ],
    [
      "a single frame beyond maxMultipartSize",
      wire.frame("", { size: 1001 }),
      { maxMultipartSize: 1000 },
      undefined,
    ],
  ];

  it.each(FRAMES)("%s", (_, octets, limits, code) => {
    const header = octets.subarray(0, (octets[0] as number) & 2 ? 9 : 2);
    for (const feed of [feedWhole, feedBytes]) {
      const decoding = new Decoding(limits);
      feed(header.subarray(0, -1), decoding.take);
      expect(decoding.error).toBeUndefined();
      feed(header.subarray(-1), decoding.take);
      expect(decoding.error).toBe(code);
    }
  });
});

describe("the limits of a multipart message", () => {
  it("maxMultipartSize is the sum of its bodies, and starts over", () => {
    const limits = { maxMultipartSize: 100 };
    const most = wire.message("x".repeat(40), "", "x".repeat(60));
    expect(new Decoding(limits).feed(most, most, most).error).toBeUndefined();
    const parts = wire.frame("x".repeat(40), { more: true });
    const decoding = new Decoding(limits).feed(parts, wire.frame("", { size: 61 }));
    expect(decoding.error).toBe("ERR_ZMTP_MULTIPART_TOO_LARGE");
  });

  it("maxMultipartSize holds where maxMessageSize is -1", () => {
    const part = wire.frame("", { size: 2 ** 30 + 1, more: true });
    expect(new Decoding().feed(part).error).toBe("ERR_ZMTP_MULTIPART_TOO_LARGE");
  });

  it("maxFrames counts empty frames, and starts over", () => {
    const limits = { maxFrames: 3 };
    const most = wire.message("", "", "");
    expect(new Decoding(limits).feed(most, most).error).toBeUndefined();
    expect(new Decoding(limits).feed(wire.message("", "", "", "")).error).toBe(
      "ERR_ZMTP_TOO_MANY_FRAMES",
    );
  });

  it("maxFrames of 1 allows single frames only", () => {
    const limits = { maxFrames: 1 };
    const decoding = new Decoding(limits).feed(wire.message("a"), wire.message("b", "c"));
    expect(decoding.events).toEqual([message("a")]);
    expect(decoding.error).toBe("ERR_ZMTP_TOO_MANY_FRAMES");
  });

  it("commands between the frames do not count", () => {
    const more = wire.frame("", { more: true });
    const between = wire.command("X", "y".repeat(200));
    const decoding = new Decoding({ maxFrames: 2, maxMultipartSize: 0 });
    decoding.feed(more, between, between, between, wire.frame(""));
    expect(decoding.error).toBeUndefined();
    expect(decoding.events.at(-1)).toEqual(message("", ""));
  });
});

describe("during the handshake", () => {
  function handshaking(limits: Partial<Limits> = {}): Decoding {
    const decoding = new Decoding(limits);
    decoding.decoder.handshaking = true;
    return decoding;
  }

  it.each([wire.frame(""), wire.frame("\x05READY"), wire.frame("", { more: true })])(
    "a message is an error by its header: %j",
    (octets) => {
      expect(handshaking().feed(octets.subarray(0, 2)).error).toBe("ERR_ZMTP_INVALID_SEQUENCE");
    },
  );

  it("commands have a limit of their own", () => {
    const limits = { maxHandshakeCommandSize: 10, maxCommandSize: 5, maxMessageSize: 1 };
    expect(handshaking(limits).feed(wire.command("READY", "data")).error).toBeUndefined();
    expect(handshaking(limits).feed(wire.command("READY", "data!")).error).toBe(
      "ERR_ZMTP_COMMAND_TOO_LARGE",
    );
  });

  it("ends: then messages pass, and the limit is another", () => {
    const decoding = handshaking({ maxHandshakeCommandSize: 10, maxCommandSize: 12 });
    decoding.decoder.handshaking = false;
    decoding.feed(wire.message("m"), wire.command("READY", "data!!"));
    expect(decoding.error).toBeUndefined();
    expect(decoding.events).toHaveLength(2);
  });
});

describe("memory", () => {
  it("of what is handed out is never the chunk's, a Buffer's neither", () => {
    const bodies: Uint8Array[] = [];
    const sink = {
      message: (parts: Uint8Array[]) => bodies.push(...parts) > 0,
      command: (body: Uint8Array) => bodies.push(body) > 0,
    };
    const octets = wire.concat(wire.message("a", "bb".repeat(200)), wire.command("X", "data"));
    const chunk = Buffer.from(octets);
    new Decoder(sink).decode(chunk, 0, chunk.length);
    chunk.fill(0);
    expect(bodies.map((body) => body.length)).toEqual([1, 400, 6]);
    for (const body of bodies) {
      expect(body.buffer).not.toBe(chunk.buffer);
      expect(body.includes(0)).toBe(false);
    }
  });

  it("is asked for once when a frame lies whole in the chunk", () => {
    const calls: string[] = [];
    const memory: Memory = {
      allocate: (size) => {
        calls.push(`allocate ${size}`);
        return plainMemory.allocate(size);
      },
      copy: (source, from, to) => {
        calls.push(`copy ${to - from}`);
        return plainMemory.copy(source, from, to);
      },
    };
    const decoding = new Decoding({}, { memory });
    const octets = wire.message("x".repeat(1000));
    feedWhole(octets, decoding.take);
    feedCut(octets, [600], decoding.take);
    expect(calls).toEqual(["copy 1000", "allocate 1000"]);
  });

  it("announced and not sent costs no more than the reservation", () => {
    const decoding = new Decoding({}, { reserve: new Budget(0) });
    decoding.feed(wire.frame("x", { size: 2 ** 30 }));
    expect(decoding.error).toBeUndefined();
    expect(decoding.decoder.held).toBe(4 * KB);
    expect(decoding.decoder.inFrame).toBe(true);
    expect(decoding.held.used).toBe(4 * KB);
    decoding.decoder.drop();
    expect(decoding.held.used).toBe(0);
    expect(decoding.decoder.held).toBe(0);
  });

  it("of unfinished messages is counted, empty parts too, and given back once", () => {
    const decoding = new Decoding();
    decoding.feed(wire.frame("abc", { more: true }), wire.frame("", { more: true }));
    expect(decoding.decoder.held).toBe(3 + 2 * PART_COST);
    expect(decoding.held.used).toBe(3 + 2 * PART_COST);
    decoding.feed(wire.frame("x", { size: 500 }));
    expect(decoding.held.used).toBe(503 + 2 * PART_COST);
    expect(decoding.reserve.used).toBe(500);
    decoding.decoder.drop();
    decoding.decoder.drop();
    expect([decoding.held.used, decoding.reserve.used]).toEqual([0, 0]);
  });

  it("of a delivered message is not counted any more", () => {
    const decoding = new Decoding();
    decoding.feed(wire.message("abc", "", "d".repeat(1000)), wire.message("e"));
    expect(decoding.held.used).toBe(0);
    expect(decoding.events).toHaveLength(2);
  });

  it("is bounded by the budget, which peers share", () => {
    const held = new Budget(2 * (100 + PART_COST));
    const part = wire.frame("x".repeat(100), { more: true });
    const one = new Decoding({}, { held }).feed(part);
    const other = new Decoding({}, { held }).feed(part);
    expect([one.error, other.error]).toEqual([undefined, undefined]);
    other.feed(wire.frame("", { more: true }));
    expect(other.error).toBe("ERR_ZMTP_ASSEMBLY_LIMIT");
    one.decoder.drop();
    other.decoder.drop();
    expect(held.used).toBe(0);
  });

  it("of a body that was cut is bounded too", () => {
    const held = new Budget(3);
    const decoding = new Decoding({}, { held }).feed(wire.frame("x", { size: 4 }));
    expect(decoding.error).toBe("ERR_ZMTP_ASSEMBLY_LIMIT");
    decoding.decoder.drop();
    expect([held.used, decoding.reserve.used]).toEqual([0, 0]);
  });

  it("budgets of one's own are the default", () => {
    const bodies: number[] = [];
    const sink = {
      message: (parts: Uint8Array[]) => bodies.push(parts.length) > 0,
      command: () => true,
    };
    const decoder = new Decoder(sink);
    const octets = wire.message("a", new Uint8Array(2 * MB));
    feedCut(octets, [1, 2, MB, MB + 10], decoder.decode.bind(decoder));
    expect(bodies).toEqual([2]);
  });
});

describe("reading straight into a body", () => {
  it("is possible while enough of it is missing", () => {
    const { decoder, take } = new Decoding();
    const octets = wire.frame("x".repeat(1000));
    expect(decoder.room(1)).toBeUndefined();
    feedWhole(octets.subarray(0, 8), take);
    expect(decoder.room(1)).toBeUndefined();
    feedWhole(octets.subarray(8, 10), take);
    expect(decoder.room(999)).toHaveLength(999);
    expect(decoder.room(1000)).toBeUndefined();
  });

  it("yields what reading chunks does", () => {
    const decoding = new Decoding();
    const body = "0123456789".repeat(100);
    decoding.feed(wire.frame("a", { more: true }), wire.frame(body).subarray(0, 19));
    for (let at = 10; at < 1000; at += 90) {
      decoding.decoder.room(1)?.set(wire.bytes(body.slice(at, at + 90)));
      decoding.decoder.filled(90);
    }
    expect(decoding.events).toEqual([message("a", body)]);
    expect([decoding.held.used, decoding.reserve.used]).toEqual([0, 0]);
    decoding.feed(wire.message("next"));
    expect(decoding.events.at(-1)).toEqual(message("next"));
  });
});

describe("under a mechanism", () => {
  /** The first octet of a body is its flags. */
  function unwrapping(limits: Partial<Limits> = {}, options: DecoderOptions = {}): Decoding {
    const decoding = new Decoding(limits, options);
    decoding.decoder.traffic = trafficOf({
      overhead: 1,
      unwrap: (_, head, at, body, target) => {
        target.set(body);
        return head[at] as number;
      },
    });
    return decoding;
  }

  it("what counts is inside", () => {
    const decoding = unwrapping().feed(
      wire.message("\x01a"),
      wire.message("\x04\x01X"),
      wire.message("\0b"),
    );
    expect(decoding.events).toEqual([command("X"), message("a", "b")]);
    expect(decoding.held.used).toBe(0);
  });

  it("is cut anywhere and comes to the same, in the head as well, and when it has nothing else", () => {
    for (const body of ["\0", "\0a", "\0ab", `\0${"x".repeat(300)}`]) {
      const frame = wire.message(body);
      for (let cut = 1; cut < frame.length; cut++) {
        const decoding = unwrapping().feed(frame.subarray(0, cut));
        expect(decoding.events).toEqual([]);
        expect(decoding.feed(frame.subarray(cut)).events).toEqual([message(body.slice(1))]);
        expect([decoding.held.used, decoding.reserve.used]).toEqual([0, 0]);
      }
    }
  });

  it("is transformed where it was assembled: memory is taken once, and for the body alone", () => {
    const sizes: number[] = [];
    const allocate = (size: number) => {
      sizes.push(size);
      return plainMemory.allocate(size);
    };
    const decoding = unwrapping({}, { memory: { ...plainMemory, allocate } });
    const frame = wire.message(`\0${"x".repeat(10_000)}`);
    decoding.feed(frame.subarray(0, 500)).feed(frame.subarray(500));
    expect(decoding.events).toEqual([message("x".repeat(10_000))]);
    expect(sizes).toEqual([10_000]);
  });

  /** Of each frame what the mechanism got to see as its head, which is of five octets. */
  function heads(feed: (decoding: Decoding) => void): string[] {
    const seen: string[] = [];
    const decoding = new Decoding();
    decoding.decoder.traffic = trafficOf({
      overhead: 5,
      unwrap: (_, head, at, body, target) => {
        seen.push(String.fromCharCode(...head.subarray(at, at + 5)));
        target.set(body);
        return 0;
      },
    });
    feed(decoding);
    return seen;
  }

  it("a frame without its whole head is handed over as it is, and nothing of its neighbours", () => {
    const frames = wire.concat(
      wire.message("12345678"),
      wire.message("abc"),
      wire.message("ABCDE"),
    );
    const expected = ["12345", "abc", "ABCDE"];
    expect(heads((decoding) => decoding.feed(frames))).toEqual(expected);
    expect(heads((decoding) => feedBytes(frames, decoding.take))).toEqual(expected);
  });

  it("the body may be read straight to its place, once its head has come", () => {
    const frame = wire.message("12345678");
    const headEnd = frame.length - 3;
    for (let cut = 3; cut < frame.length; cut++) {
      const [head] = heads((decoding) => {
        decoding.feed(frame.subarray(0, cut));
        for (const least of [0, 1]) {
          const room = decoding.decoder.room(least);
          expect(room?.length).toBe(cut < headEnd ? undefined : frame.length - cut);
        }
        const from = Math.max(cut, headEnd);
        decoding.feed(frame.subarray(cut, from));
        decoding.decoder.room(1)?.set(frame.subarray(from));
        decoding.decoder.filled(frame.length - from);
        expect(decoding.events).toEqual([message("678")]);
      });
      expect(head).toBe("12345");
    }
  });

  it("a LONG inside says nothing", () => {
    expect(unwrapping().feed(wire.message("\x02a")).events).toEqual([message("a")]);
  });

  it.each([
    ["reserved flags", "\x08a", {}, "ERR_ZMTP_MALFORMED_FRAME"],
    ["all flags", "\xffa", {}, "ERR_ZMTP_MALFORMED_FRAME"],
    ["COMMAND and MORE", "\x05a", {}, "ERR_ZMTP_MALFORMED_FRAME"],
    ["a command that is too large", "\x04ab", { maxCommandSize: 1 }, "ERR_ZMTP_COMMAND_TOO_LARGE"],
    ["a part that is too large", "\x01ab", { maxMultipartSize: 1 }, "ERR_ZMTP_MULTIPART_TOO_LARGE"],
  ] as const)("%s inside are refused", (_, body, limits, code) => {
    expect(unwrapping(limits).feed(wire.message(body)).error).toBe(code);
  });

  it("endless parts inside are bounded", () => {
    const decoding = unwrapping({ maxFrames: 3 });
    for (let i = 0; i < 4; i++) decoding.feed(wire.message("\x01"));
    expect(decoding.error).toBe("ERR_ZMTP_TOO_MANY_FRAMES");
    decoding.decoder.drop();
    expect(decoding.held.used).toBe(0);
  });
});

describe("any octets", () => {
  const limits: Limits = {
    maxMessageSize: 600,
    maxMultipartSize: 800,
    maxFrames: 4,
    maxHandshakeCommandSize: 400,
    maxCommandSize: 300,
    maxProperties: 3,
  };
  const cuts = fc.array(fc.nat(2000), { maxLength: 8 });

  /** What comes out, and a check that nothing stays behind once it is dropped. */
  function outcome(octets: Uint8Array, cutsOrBytes: readonly number[] | "bytes"): unknown {
    const decoding = new Decoding(limits);
    if (cutsOrBytes === "bytes") feedBytes(octets, decoding.take);
    else feedCut(octets, cutsOrBytes, decoding.take);
    decoding.decoder.drop();
    expect([decoding.held.used, decoding.reserve.used]).toEqual([0, 0]);
    return { events: decoding.events, error: decoding.error };
  }

  function expected(octets: Uint8Array): unknown {
    const { events, error } = readFrames(octets, limits);
    return { events, error };
  }

  it("that are valid come out as the naive codec reads them, however they are cut", () => {
    fc.assert(
      fc.property(traffic, cuts, (octets, cuts) => {
        expect(outcome(octets, cuts)).toEqual(expected(octets));
        expect(outcome(octets, "bytes")).toEqual(expected(octets));
      }),
    );
  });

  it("that were valid once come out as the naive codec reads them, however they are cut", () => {
    fc.assert(
      fc.property(mutated(traffic), cuts, (octets, cuts) => {
        // Whether a command's name fits is not the decoder's business.
        fc.pre(readFrames(octets, limits).error !== "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED");
        expect(outcome(octets, cuts)).toEqual(expected(octets));
        expect(outcome(octets, "bytes")).toEqual(expected(octets));
      }),
      { numRuns: 500 },
    );
  });

  it("yield messages, commands or a ProtocolError, and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), cuts, (octets, cuts) => {
        expect(outcome(octets, cuts)).toEqual(outcome(octets, []));
      }),
      { numRuns: 500 },
    );
  });
});
