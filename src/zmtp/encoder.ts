import { Decoder, type Frame } from "./decoder.js";
import { COMMAND, MAX_HEADER_SIZE, MORE, writeHeader } from "./frame.js";

/** Where the encoder gets the memory that it packs small frames into. Handed in. */
export interface Slabs {
  /** A slab of {@link SLAB_SIZE} octets, of any content. */
  take(): Uint8Array;
  /** Takes back a slab that nobody reads any more. */
  give(slab: Uint8Array): void;
}

/** Octets ready to be written, in order. */
export interface Batch {
  chunks: Uint8Array[];
  /** The sum of the chunks' sizes. */
  size: number;
  /** To be given back (see {@link Encoder.release}) once the chunks have been written. */
  slabs: Uint8Array[];
}

export const SLAB_SIZE = 64 * 1024;

/** A body of more octets than this goes by reference: copying it would cost more than a vector. */
export const COPY_MAX = 8 * 1024;

/** Below this a loop beats the call into the engine that `set` is. */
const LOOP_MAX = 48;

/**
 * Messages and commands in, octets out. Small frames are packed one behind the other into slabs;
 * large bodies go by reference, between two pieces of a slab.
 */
export class Encoder {
  readonly #slabs: Slabs;
  #greeting: Uint8Array | undefined;
  #wrap: ((flags: number, body: Uint8Array) => Frame) | undefined;

  /** Octets encoded and not yet taken. */
  #size = 0;
  #chunks: Uint8Array[] = [];
  #used: Uint8Array[] = [];
  #slab: Uint8Array | undefined;
  /** Where in the slab the chunk begins that is still open, and where it ends so far. */
  #start = 0;
  #end = 0;

  /** Under a transforming mechanism messages stay whole until the batch is taken. */
  #waiting: Uint8Array[][] = [];

  /** @param greeting Octets that go first, and as they are. */
  constructor(slabs: Slabs, greeting?: Uint8Array) {
    this.#slabs = slabs;
    this.#greeting = greeting;
    this.#size = greeting?.length ?? 0;
  }

  /** What the mechanism does to every frame. To be set while nothing is encoded. */
  set wrap(wrap: ((flags: number, body: Uint8Array) => Frame) | undefined) {
    this.#wrap = wrap;
  }

  /** Octets that the next batch will have. */
  get size(): number {
    return this.#size;
  }

  /** Adds a command; under a transforming mechanism it is transformed too. */
  command(body: Uint8Array): void {
    if (this.#wrap === undefined) {
      this.#frame(COMMAND, body);
    } else {
      this.#flushWaiting();
      const frame = this.#wrap(COMMAND, body);
      this.#frame(frame.flags, frame.body);
    }
  }

  /** Adds a message. Its large parts must not change until the batch has been written. */
  message(parts: readonly Uint8Array[]): void {
    if (this.#wrap !== undefined) {
      this.#waiting.push(parts.slice());
      for (const part of parts) this.#size += part.length;
      return;
    }
    const last = parts.length - 1;
    for (let i = 0; i < last; i++) this.#frame(MORE, parts[i] as Uint8Array);
    this.#frame(0, parts[last] as Uint8Array);
  }

  /** Takes all that has been encoded. */
  take(): Batch {
    this.#flushWaiting();
    this.#close();
    if (this.#greeting !== undefined) this.#chunks.unshift(this.#greeting);
    const batch = { chunks: this.#chunks, size: this.#size, slabs: this.#used };
    if (this.#slab !== undefined) batch.slabs.push(this.#slab);
    this.#reset();
    return batch;
  }

  /** Gives the slabs of a written batch back. */
  release(batch: Batch): void {
    for (const slab of batch.slabs) this.#slabs.give(slab);
  }

  /**
   * Undoes the encoding of every message that has not been taken: they come back whole and in
   * order. Commands are forgotten, they belong to the connection.
   */
  takeBack(): Uint8Array[][] {
    if (this.#wrap !== undefined) {
      const messages = this.#waiting;
      this.#waiting = [];
      this.release(this.take());
      return messages;
    }
    this.#size -= this.#greeting?.length ?? 0;
    this.#greeting = undefined;
    const messages: Uint8Array[][] = [];
    const decoder = new Decoder(
      {
        message: (parts) => {
          messages.push(parts);
          return true;
        },
        command: () => true,
      },
      { limits: UNLIMITED },
    );
    const batch = this.take();
    for (const chunk of batch.chunks) decoder.decode(chunk, 0, chunk.length);
    this.release(batch);
    return messages;
  }

  #flushWaiting(): void {
    if (this.#wrap === undefined || this.#waiting.length === 0) return;
    const messages = this.#waiting;
    this.#waiting = [];
    for (const parts of messages) {
      const last = parts.length - 1;
      for (let i = 0; i <= last; i++) {
        const part = parts[i] as Uint8Array;
        this.#size -= part.length;
        const frame = this.#wrap(i < last ? MORE : 0, part);
        this.#frame(frame.flags, frame.body);
      }
    }
  }

  #frame(flags: number, body: Uint8Array): void {
    const size = body.length;
    if (size > COPY_MAX) {
      const slab = this.#reserve(MAX_HEADER_SIZE);
      this.#advance(writeHeader(slab, this.#end, flags, size));
      this.#close();
      this.#chunks.push(body);
      this.#size += size;
      return;
    }
    const slab = this.#reserve(MAX_HEADER_SIZE + size);
    const at = writeHeader(slab, this.#end, flags, size);
    if (size <= LOOP_MAX) for (let i = 0; i < size; i++) slab[at + i] = body[i] as number;
    else slab.set(body, at);
    this.#advance(at + size);
  }

  /** A slab with room for `size` octets at `#end`. */
  #reserve(size: number): Uint8Array {
    if (this.#slab !== undefined) {
      if (size <= SLAB_SIZE - this.#end) return this.#slab;
      this.#close();
      this.#used.push(this.#slab);
    }
    this.#slab = this.#slabs.take();
    this.#start = 0;
    this.#end = 0;
    return this.#slab;
  }

  #advance(end: number): void {
    this.#size += end - this.#end;
    this.#end = end;
  }

  /** Ends the open chunk of the slab, so that something else can follow it. */
  #close(): void {
    if (this.#slab === undefined || this.#end === this.#start) return;
    this.#chunks.push(this.#slab.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #reset(): void {
    this.#greeting = undefined;
    this.#chunks = [];
    this.#used = [];
    this.#slab = undefined;
    this.#size = 0;
    this.#start = 0;
    this.#end = 0;
  }
}

/** What we encoded ourselves needs no limits to be read back. */
const UNLIMITED = {
  maxMessageSize: -1,
  maxMultipartSize: Number.MAX_SAFE_INTEGER,
  maxFrames: Number.MAX_SAFE_INTEGER,
  maxHandshakeCommandSize: Number.MAX_SAFE_INTEGER,
  maxCommandSize: Number.MAX_SAFE_INTEGER,
  maxProperties: 0,
};
