import { EventEmitter } from "node:events";
import type { Socket as Stream } from "node:net";
import { onread } from "../../src/transport/reading.js";

/**
 * A stream that takes what it is told to take. As with a stream of Node's, writes between `cork` and
 * `uncork` go together, and a callback comes once its write is over.
 */
export class FakeStream extends EventEmitter {
  written: Buffer[] = [];
  writable = true;
  writableLength = 0;
  destroyed = false;
  ended = false;
  paused = false;
  /** What the next write does: all at once, later ({@link finish}), or an error at the call. */
  mode: "taken" | "pending" | "refused" = "taken";
  remoteFamily: string | undefined;
  #callbacks: (() => void)[] = [];

  /** @param remoteFamily As a TCP socket has it; undefined: a Unix socket. */
  constructor(remoteFamily?: string) {
    super();
    this.remoteFamily = remoteFamily;
  }

  get asStream(): Stream {
    return this as unknown as Stream;
  }

  /** All that was written, a character for each octet. */
  get text(): string {
    return Buffer.concat(this.written).toString("latin1");
  }

  /** Octets come from the peer: read as Node does, one read after the other, each to the place that it is told. */
  come(octets: Uint8Array): void {
    if (onread === undefined) {
      this.emit("data", octets);
      return;
    }
    const { buffer, callback } = onread;
    for (let at = 0; at < octets.length; ) {
      const place = (typeof buffer === "function" ? buffer() : buffer) as Uint8Array;
      const size = Math.min(place.length, octets.length - at);
      place.set(octets.subarray(at, at + size));
      callback.call(this.asStream, size, place);
      at += size;
    }
  }

  write(chunk: Uint8Array, written?: () => void): boolean {
    if (this.mode === "refused") this.writable = false;
    else this.written.push(Buffer.from(chunk));
    if (this.mode === "pending") this.writableLength += chunk.length;
    if (written !== undefined) this.#callbacks.push(written);
    return true;
  }

  /** What was pending is written; the callbacks of all that is come now. */
  finish(): void {
    this.writableLength = 0;
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback();
  }

  cork(): void {}
  uncork(): void {}
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.ended = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
}
