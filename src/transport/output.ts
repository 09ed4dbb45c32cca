import type { Socket as Stream } from "node:net";
import type { Batch } from "../zmtp/index.js";
import { requests } from "./requests.js";

/**
 * What a Unix socket is given at a time. Linux lets one hold some 208 KB, cuts a write into at most
 * two pieces of that, and wakes the writer when three quarters are gone: both ends would take turns
 * instead of working side by side. A TCP socket holds megabytes and is given all there is.
 */
const IPC_WRITE_MAX = 128 * 1024;

/**
 * The writing side of a stream: one batch at a time, so that it is known what a broken wire did not
 * take. A large batch goes in pieces, each once the one before has been taken.
 */
export class Output {
  readonly #stream: Stream;
  readonly #written: (batch: Batch) => void;
  readonly #failed: () => void;
  readonly #writeMax: number;

  #batch: Batch | undefined;
  /** Where the next piece begins: in which chunk, and at which octet of it. */
  #chunk = 0;
  #at = 0;
  #refused: Batch | undefined;

  /**
   * @param written Called when a batch that {@link write} could not finish has been written.
   * @param failed Called when a write has failed, at the call or later, perhaps more than once:
   *   nothing more can be written.
   */
  constructor(stream: Stream, written: (batch: Batch) => void, failed: () => void) {
    this.#stream = stream;
    this.#written = written;
    this.#failed = failed;
    this.#writeMax = stream.remoteFamily === undefined ? IPC_WRITE_MAX : Number.POSITIVE_INFINITY;
  }

  /** Whether a batch is under way; the operating system mostly takes all at once. */
  get busy(): boolean {
    return this.#batch !== undefined;
  }

  /** Octets of that batch. */
  get size(): number {
    return this.#batch?.size ?? 0;
  }

  /** What the operating system would not have at all: an error at the call, not an octet sent. */
  get refused(): Batch | undefined {
    return this.#refused;
  }

  /** @returns Whether the batch is written. If not, `written` tells, unless the stream ends. */
  write(batch: Batch): boolean {
    this.#batch = batch;
    this.#chunk = 0;
    this.#at = 0;
    return this.#goOn();
  }

  /** Gives up: nothing will tell of what is under way. */
  close(): void {
    requests.end(this.#stream);
  }

  #goOn(): boolean {
    const { chunks } = this.#batch as Batch;
    const stream = this.#stream;
    while (this.#chunk < chunks.length) {
      const isFirst = this.#chunk === 0 && this.#at === 0;
      this.#writePiece(chunks);
      if (!stream.writable) {
        if (isFirst) this.#refused = this.#batch;
        this.#failed();
        return false;
      }
      // A stream tells of a finished write a tick later, but empties its count at once.
      if (stream.writableLength > 0) {
        requests.begin(stream);
        return false;
      }
    }
    this.#batch = undefined;
    return true;
  }

  /** Gives the stream whole chunks, or a part of a large one. */
  #writePiece(chunks: readonly Uint8Array[]): void {
    const stream = this.#stream;
    const vectored = chunks.length > 1;
    let room = this.#writeMax;
    if (vectored) stream.cork();
    do {
      const chunk = chunks[this.#chunk] as Uint8Array;
      const from = this.#at;
      const end = Math.min(chunk.length, from + room);
      room -= end - from;
      if (end === chunk.length) {
        this.#chunk++;
        this.#at = 0;
      } else {
        this.#at = end;
      }
      const piece = end - from === chunk.length ? chunk : chunk.subarray(from, end);
      if (room > 0 && this.#chunk < chunks.length) stream.write(piece);
      else stream.write(piece, this.#pieceWritten);
    } while (room > 0 && this.#chunk < chunks.length);
    if (vectored) stream.uncork();
  }

  readonly #pieceWritten = (): void => {
    const { writable, writableLength } = this.#stream;
    const batch = this.#batch;
    // It was told of already, at the call.
    if (batch === undefined) return;
    if (!writable) {
      requests.end(this.#stream);
      this.#failed();
    } else if (writableLength === 0) {
      requests.end(this.#stream);
      if (this.#goOn()) this.#written(batch);
    }
  };
}
