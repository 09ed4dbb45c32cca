import { type Batch, COPY_MAX, type ConnectionHandler, type Memory } from "../zmtp/index.js";
import type { Wire } from "./wire.js";

const NOBODY = {
  greeting: { major: 0, minor: 0, mechanism: "", asServer: false },
  properties: new Map(),
  socketType: undefined,
  identity: new Uint8Array(0),
};

/**
 * A connection that speaks no protocol (`ZMQ_STREAM`): what is read is a message, what is sent is
 * written as it is. There is no handshake, and nothing that the time asks for.
 */
export class RawConnection implements Wire {
  readonly #handler: ConnectionHandler;
  readonly #memory: Memory;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #full = false;
  #admitted = false;

  readonly deadline = Number.POSITIVE_INFINITY;

  constructor(handler: ConnectionHandler, memory: Memory) {
    this.#handler = handler;
    this.#memory = memory;
  }

  get full(): boolean {
    return this.#full;
  }

  get outputSize(): number {
    return this.#size;
  }

  get hasOutput(): boolean {
    return this.#admitted && this.#size > 0;
  }

  /** Whoever is at the other end is let in, or has to wait for a place. */
  start(): void {
    if (this.#handler.handshake(NOBODY) && !this.#admitted) this.admit();
  }

  admit(): void {
    this.#admitted = true;
    this.#handler.admitted?.();
    this.#full = this.#handler.hasRoom?.() === false;
  }

  /** Nobody says who it is. */
  authenticated(): void {}

  refuse(): void {}

  receive(chunk: Uint8Array, at: number, end: number): number {
    if (!this.#admitted) return at;
    this.#full = false;
    if (at < end) this.#full = !this.#handler.message([this.#memory.copy(chunk, at, end)]);
    return end;
  }

  /** Chunks have no size of their own: there is no better place to read to. */
  room(): undefined {
    return undefined;
  }

  filled(): void {}

  send(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#chunks.push(part.length > COPY_MAX ? part : Uint8Array.from(part));
      this.#size += part.length;
    }
  }

  subscribe(): void {}

  take(): Batch {
    const batch = { chunks: this.#chunks, size: this.#size, slabs: [] };
    this.#chunks = [];
    this.#size = 0;
    return batch;
  }

  release(): void {}

  pause(): void {}

  resume(): void {}

  tick(): void {}

  /** Half a conversation is of no use to another connection. */
  close(): Uint8Array[][] {
    this.#chunks = [];
    this.#size = 0;
    return [];
  }
}
