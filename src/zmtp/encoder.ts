import {
  COMMAND,
  COPY_MAX,
  headerSize,
  LONG,
  MAX_HEADER_SIZE,
  MORE,
  REUSE_MAX,
  readUint64,
  writeHeader,
} from "./frame.js";
import type { Traffic } from "./mechanism.js";
import { copyOf } from "./memory.js";
import type { Press } from "./press.js";

/** Where the encoder gets the memory that it packs small frames into. Handed in. */
export interface Slabs {
  /** A slab of `size` octets or more, of any content; more than {@link SLAB_SIZE} are never asked for. */
  take(size: number): Uint8Array;
  /** Takes back a slab that nobody reads any more. */
  give(slab: Uint8Array): void;
}

/** Octets ready to be written, in order. */
export interface Batch {
  /** Pieces of slabs, and large bodies by reference: not to be changed until they are written. */
  chunks: Uint8Array[];
  /** The sum of the chunks' sizes. */
  size: number;
  /** To be given back (see {@link Encoder.release}) once the chunks have been written. */
  slabs: Uint8Array[];
}

/** Octets in the largest slab: 64 KiB. */
export const SLAB_SIZE = 64 * 1024;

/**
 * Messages and commands in, octets out. Small frames are packed one behind the other into slabs;
 * large bodies go by reference, between two pieces of a slab.
 */
export class Encoder {
  readonly #slabs: Slabs;
  readonly #press: Press | undefined;
  readonly #greeting: Uint8Array | undefined;
  #greeted: boolean;
  #traffic: Traffic | undefined;

  /** Octets in the chunks and the slab, not yet taken. */
  #size = 0;
  #chunks: Uint8Array[] = [];
  #used: Uint8Array[] = [];
  #slab: Uint8Array | undefined;
  /** What the last batch took of slabs: the next may take as much. */
  #packed = 0;
  /** Where in the slab the chunk begins that is still open, and where it ends so far. */
  #start = 0;
  #end = 0;

  /**
   * Under a transforming mechanism messages, and the bodies of commands between them, wait as they
   * are until the batch is taken: what is transformed cannot be taken back.
   */
  #waiting: (Uint8Array[] | Uint8Array)[] = [];
  /** What the waiting ones will have at least. */
  #waitingSize = 0;

  /**
   * @param greeting Octets that go first, and as they are.
   * @param press Knows messages that go out on other connections, too.
   */
  constructor(slabs: Slabs, greeting?: Uint8Array, press?: Press) {
    this.#slabs = slabs;
    this.#press = press;
    this.#greeting = greeting;
    this.#greeted = greeting === undefined;
    this.#size = greeting?.length ?? 0;
  }

  /** What the mechanism does to every frame from here on; what is encoded already goes as it is. */
  set traffic(traffic: Traffic) {
    this.#traffic = traffic;
  }

  /** Octets that the next batch will have; a transforming mechanism may add to them. */
  get size(): number {
    return this.#size + this.#waitingSize;
  }

  /** Adds a command; under a transforming mechanism it is transformed too. */
  command(body: Uint8Array): void {
    if (this.#traffic === undefined) {
      this.#frame(COMMAND, body);
    } else {
      this.#waiting.push(body);
      this.#waitingSize += headerSize(body.length) + body.length;
    }
  }

  /**
   * Adds a message of at least one part. Parts of more than {@link REUSE_MAX} octets must not
   * change until the batch has been written: some are copied at once, others then.
   */
  message(parts: readonly Uint8Array[]): void {
    if (this.#traffic !== undefined) {
      this.#wait(parts);
      return;
    }
    const printed = this.#press?.octetsOf(parts);
    if (printed !== undefined) {
      this.#append(printed);
      return;
    }
    const last = parts.length - 1;
    for (let i = 0; i < last; i++) this.#frame(MORE, parts[i] as Uint8Array);
    this.#frame(0, parts[last] as Uint8Array);
  }

  /**
   * Takes all that has been encoded.
   * @throws What the mechanism throws at a message, which is lost; the connection is at its end.
   */
  take(): Batch {
    if (this.#traffic !== undefined) this.#transformWaiting(this.#traffic);
    this.#close();
    if (!this.#greeted) this.#chunks.unshift(this.#greeting as Uint8Array);
    const batch = { chunks: this.#chunks, size: this.#size, slabs: this.#used };
    const packed = this.#used.reduce((sum, { length }) => sum + length, this.#end);
    this.#packed = Math.min(packed, SLAB_SIZE);
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
   * order, large parts as the objects that they were. The greeting and commands are forgotten,
   * they belong to the connection.
   * @param refused A batch that was taken last and not a single octet of it written: it comes
   *   back too, unless a mechanism has transformed it.
   */
  takeBack(refused?: Batch): Uint8Array[][] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingSize = 0;
    const batch = this.take();
    const chunks = [...(refused?.chunks ?? []), ...batch.chunks];
    const frames = chunks.filter((chunk) => chunk !== this.#greeting);
    const messages = this.#traffic === undefined ? unpack(frames) : waiting.filter(isMessage);
    this.release(batch);
    return messages;
  }

  #wait(parts: readonly Uint8Array[]): void {
    const message: Uint8Array[] = [];
    for (const part of parts) {
      message.push(part.length > REUSE_MAX ? part : copyOf(part, 0, part.length));
      this.#waitingSize += headerSize(part.length) + part.length;
    }
    this.#waiting.push(message);
  }

  #transformWaiting(traffic: Traffic): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingSize = 0;
    for (const one of waiting) {
      try {
        this.#transform(one, traffic);
      } catch (error) {
        // None of the others has left: they can be taken back.
        this.#waiting = waiting.filter((other) => other !== one);
        throw error;
      }
    }
  }

  #transform(one: Uint8Array[] | Uint8Array, traffic: Traffic): void {
    const parts = isMessage(one) ? one : [one];
    const last = parts.length - 1;
    const lastFlags = isMessage(one) ? 0 : COMMAND;
    for (let i = 0; i <= last; i++) {
      const frame = traffic.wrap(i < last ? MORE : lastFlags, parts[i] as Uint8Array);
      this.#frame(frame.flags, frame.body);
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
    slab.set(body, at);
    this.#advance(at + size);
  }

  /** Adds whole frames. */
  #append(frames: Uint8Array): void {
    const slab = this.#reserve(frames.length);
    slab.set(frames, this.#end);
    this.#advance(this.#end + frames.length);
  }

  /** A slab with room for `size` octets at `#end`. */
  #reserve(size: number): Uint8Array {
    const slab = this.#slab;
    if (slab !== undefined && size <= slab.length - this.#end) return slab;
    return this.#renew(slab, size);
  }

  /** Who has little to say to many peers must not take much memory for each: the first slab need hold no more than the last batch. */
  #renew(full: Uint8Array | undefined, size: number): Uint8Array {
    if (full !== undefined) {
      this.#close();
      this.#used.push(full);
    }
    const slab = this.#slabs.take(full === undefined ? Math.max(size, this.#packed) : SLAB_SIZE);
    this.#slab = slab;
    this.#start = 0;
    this.#end = 0;
    return slab;
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
    this.#greeted = true;
    this.#chunks = [];
    this.#used = [];
    this.#slab = undefined;
    this.#size = 0;
    this.#start = 0;
    this.#end = 0;
  }
}

function isMessage(waiting: Uint8Array[] | Uint8Array): waiting is Uint8Array[] {
  return Array.isArray(waiting);
}

/** Reads back what {@link Encoder} has packed. A body that went by reference is a chunk itself. */
function unpack(chunks: readonly Uint8Array[]): Uint8Array[][] {
  const messages: Uint8Array[][] = [];
  let parts: Uint8Array[] = [];
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i] as Uint8Array;
    let at = 0;
    while (at < chunk.length) {
      const flags = chunk[at] as number;
      const size = flags & LONG ? readUint64(chunk, at + 1) : (chunk[at + 1] as number);
      at += headerSize(size);
      let body: Uint8Array;
      if (size > COPY_MAX) {
        body = chunks[++i] as Uint8Array;
      } else {
        body = copyOf(chunk, at, at + size);
        at += size;
      }
      if (flags & COMMAND) continue;
      parts.push(body);
      if (flags & MORE) continue;
      messages.push(parts);
      parts = [];
    }
  }
  return messages;
}
