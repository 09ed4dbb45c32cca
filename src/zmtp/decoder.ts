import { Assembly } from "./assembly.js";
import { COMMAND, LONG, MAX_HEADER_SIZE, MORE, RESERVED, readUint64 } from "./frame.js";
import { Budget, DEFAULT_LIMITS, type Limits } from "./limits.js";
import type { Traffic } from "./mechanism.js";
import { type Memory, plainMemory } from "./memory.js";
import { ProtocolError } from "./protocol-error.js";

/** Where decoded things go. Each call says whether the decoder may go on. */
export interface DecoderSink {
  /** A whole message, one octet string per frame. */
  message(parts: Uint8Array[]): boolean;
  /** A command's body, name and all. */
  command(body: Uint8Array): boolean;
}

/** What a {@link Decoder} may take, and where it puts it. */
export interface DecoderOptions {
  /** What one peer may make us hold. Default {@link DEFAULT_LIMITS}. */
  limits?: Limits;
  /** Where the octets of bodies go. Default {@link plainMemory}. */
  memory?: Memory;
  /** Bounds what unfinished messages hold; peers may share it. Default: 2 GiB of its own. */
  held?: Budget;
  /** Bounds what is reserved for octets that have not come yet; may be shared. Default: 64 MiB. */
  reserve?: Budget;
}

/** The default of {@link DecoderOptions.held}. */
export const HELD_LIMIT = 2 ** 31;

/** The default of {@link DecoderOptions.reserve}. */
export const RESERVE_LIMIT = 64 * 2 ** 20;

/**
 * What a part of an unfinished message counts for beside its octets: an empty one costs memory
 * too, and a peer may send many.
 */
export const PART_COST = 128;

/**
 * Octets in, messages and commands out, however the octets were cut: one pass, one loop.
 *
 * Two states: in a header, or (while the assembly is active) in a body. A frame that lies whole
 * in the chunk goes to its part at once; only one that was cut goes through the assembly. Nothing
 * handed out refers to the chunk.
 */
export class Decoder {
  readonly #sink: DecoderSink;
  readonly #memory: Memory;
  readonly #limits: Limits;
  readonly #held: Budget;
  readonly #body: Assembly;

  readonly #header = new Uint8Array(MAX_HEADER_SIZE);
  #headerSize = 0;
  #flags = 0;
  #size = 0;

  #parts: Uint8Array[] | undefined;
  #partsSize = 0;

  #maxMessage: number;
  #maxCommand: number;
  #handshaking = false;
  #traffic: Traffic | undefined;

  /** @param sink Where messages and commands go. */
  constructor(sink: DecoderSink, options: DecoderOptions = {}) {
    this.#sink = sink;
    this.#memory = options.memory ?? plainMemory;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#held = options.held ?? new Budget(HELD_LIMIT);
    this.#body = new Assembly(
      this.#memory,
      this.#held,
      options.reserve ?? new Budget(RESERVE_LIMIT),
    );
    const { maxMessageSize, maxCommandSize } = this.#limits;
    this.#maxMessage = maxMessageSize < 0 ? Number.MAX_SAFE_INTEGER : maxMessageSize;
    this.#maxCommand = maxCommandSize;
  }

  /** While true, a message is an error, and commands have the limit for handshakes. */
  set handshaking(on: boolean) {
    this.#handshaking = on;
    const { maxHandshakeCommandSize, maxCommandSize } = this.#limits;
    this.#maxCommand = on ? maxHandshakeCommandSize : maxCommandSize;
  }

  /** From here on frames are what a mechanism has made of them. */
  set traffic(traffic: Traffic) {
    this.#traffic = traffic;
  }

  /** What is held for the message that is being assembled, in octets. */
  get held(): number {
    return this.#partsHeld + this.#body.held;
  }

  /** Whether the last octet taken was not the last one of a frame. */
  get inFrame(): boolean {
    return this.#headerSize > 0 || this.#body.active;
  }

  /**
   * Decodes `chunk` from `at` to `end`, until its end or until the sink says to stop.
   * @returns The index of the first octet not taken: less than `end` only when the sink stopped.
   * @throws ProtocolError; the decoder must not be used afterwards, but for {@link drop}.
   */
  decode(chunk: Uint8Array, at: number, end: number): number {
    let from = at;
    for (;;) {
      if (this.#body.active) {
        from = this.#body.fill(chunk, from, end);
        if (!this.#body.done) return from;
        if (!this.#deliver()) return from;
        continue;
      }
      if (from === end) return from;
      from = this.#decodeHeader(chunk, from, end);
      if (this.#headerSize > 0) return from;
      const size = this.#size;
      if (size <= end - from) {
        from += size;
        if (!this.#deliverFrom(chunk, from - size, from)) return from;
      } else {
        this.#body.begin(size, this.#traffic?.overhead);
      }
    }
  }

  /**
   * Where the octets that are due belong, if they are the next `least` or more of one body: they
   * may be read straight to there, which saves copying them. {@link filled} takes them.
   * @throws As {@link decode}.
   */
  room(least: number): Uint8Array | undefined {
    return this.#body.room(least);
  }

  /**
   * Takes `count` octets that were read to {@link room}.
   * @throws As {@link decode}.
   */
  filled(count: number): void {
    this.#body.advance(count);
    if (this.#body.done) this.#deliver();
  }

  /** Forgets the unfinished message and gives back what it held. */
  drop(): void {
    this.#body.drop();
    this.#held.give(this.#partsHeld);
    this.#partsSize = 0;
    this.#parts = undefined;
  }

  get #partsHeld(): number {
    return this.#parts === undefined ? 0 : this.#partsSize + PART_COST * this.#parts.length;
  }

  /** Reads a header, or keeps the part of it that is there: then `#headerSize` is not 0. */
  #decodeHeader(chunk: Uint8Array, at: number, end: number): number {
    if (this.#headerSize === 0) {
      const flags = chunk[at] as number;
      if ((flags & LONG) === 0) {
        if (end - at >= 2) {
          this.#begin(flags, chunk[at + 1] as number);
          return at + 2;
        }
      } else if (end - at >= MAX_HEADER_SIZE) {
        this.#begin(flags, readUint64(chunk, at + 1));
        return at + MAX_HEADER_SIZE;
      }
    }
    return this.#collectHeader(chunk, at, end);
  }

  #collectHeader(chunk: Uint8Array, at: number, end: number): number {
    const header = this.#header;
    let from = at;
    while (from < end) {
      header[this.#headerSize++] = chunk[from++] as number;
      const flags = header[0] as number;
      if (this.#headerSize === ((flags & LONG) === 0 ? 2 : MAX_HEADER_SIZE)) {
        this.#headerSize = 0;
        this.#begin(flags, (flags & LONG) === 0 ? (header[1] as number) : readUint64(header, 1));
        break;
      }
    }
    return from;
  }

  /** Judges a frame by its header, before a single octet of its body is kept. */
  #begin(flags: number, size: number): void {
    // The commonest frame, a short message of one part, is right by these few glances.
    if (flags !== 0 || this.#handshaking || size > this.#maxMessage || this.#parts !== undefined) {
      // Under a mechanism, what looks like a command may carry a message.
      this.#judge(this.#traffic === undefined ? flags : flags & ~COMMAND, size);
    }
    this.#flags = flags & (MORE | COMMAND);
    this.#size = size;
  }

  #judge(flags: number, size: number): void {
    if ((flags & (RESERVED | COMMAND)) !== 0) this.#judgeUncommon(flags, size);
    else if (this.#handshaking) {
      throw new ProtocolError("ERR_ZMTP_INVALID_SEQUENCE");
    } else if (size > this.#maxMessage) {
      throw new ProtocolError("ERR_ZMTP_MESSAGE_TOO_LARGE", `${size} octets`);
    } else if ((flags & MORE) !== 0 || this.#parts !== undefined) {
      this.#judgePart(size);
    }
  }

  #judgeUncommon(flags: number, size: number): void {
    if ((flags & RESERVED) !== 0) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_FRAME", "a reserved flag is set");
    }
    if ((flags & MORE) !== 0) {
      throw new ProtocolError("ERR_ZMTP_MALFORMED_FRAME", "a command with MORE");
    }
    if (size > this.#maxCommand) {
      throw new ProtocolError("ERR_ZMTP_COMMAND_TOO_LARGE", `${size} octets`);
    }
  }

  #judgePart(size: number): void {
    const { maxFrames, maxMultipartSize } = this.#limits;
    if (this.#parts !== undefined && this.#parts.length >= maxFrames) {
      throw new ProtocolError("ERR_ZMTP_TOO_MANY_FRAMES", `more than ${maxFrames}`);
    }
    if (size > maxMultipartSize - this.#partsSize) {
      throw new ProtocolError(
        "ERR_ZMTP_MULTIPART_TOO_LARGE",
        `more than ${maxMultipartSize} octets`,
      );
    }
  }

  /** A frame that lies whole in a chunk. */
  #deliverFrom(chunk: Uint8Array, from: number, to: number): boolean {
    if (this.#traffic !== undefined) return this.#unwrapFrom(this.#traffic, chunk, from, to);
    return this.#dispatch(this.#flags, this.#memory.copy(chunk, from, to));
  }

  #unwrapFrom(traffic: Traffic, chunk: Uint8Array, from: number, to: number): boolean {
    const start = from + traffic.overhead;
    if (start <= to) {
      const target = this.#memory.allocate(to - start);
      return this.#unwrapped(traffic, chunk, from, chunk.subarray(start, to), target);
    }
    // What comes after it in the chunk is another frame's.
    const nothing = this.#memory.allocate(0);
    return this.#unwrapped(traffic, chunk.subarray(from, to), 0, nothing, nothing);
  }

  /** A frame that was assembled: its memory is ours, and a mechanism's result fits into it. */
  #deliver(): boolean {
    const body = this.#body.take();
    if (this.#traffic === undefined) return this.#dispatch(this.#flags, body);
    return this.#unwrapped(this.#traffic, this.#body.head, 0, body, body);
  }

  #unwrapped(
    traffic: Traffic,
    head: Uint8Array,
    at: number,
    body: Uint8Array,
    target: Uint8Array,
  ): boolean {
    const inner = traffic.unwrap(this.#flags, head, at, body, target);
    // The frame on the wire was judged too, but a mechanism hides the flags that count.
    this.#judge(inner, target.length);
    return this.#dispatch(inner & (MORE | COMMAND), target);
  }

  #dispatch(flags: number, body: Uint8Array): boolean {
    if (flags === 0) {
      const parts = this.#parts;
      if (parts === undefined) return this.#sink.message([body]);
      this.drop();
      parts.push(body);
      return this.#sink.message(parts);
    }
    if ((flags & COMMAND) !== 0) return this.#sink.command(body);
    if (!this.#held.take(body.length + PART_COST))
      throw new ProtocolError("ERR_ZMTP_ASSEMBLY_LIMIT");
    this.#partsSize += body.length;
    if (this.#parts === undefined) this.#parts = [body];
    else this.#parts.push(body);
    return true;
  }
}
