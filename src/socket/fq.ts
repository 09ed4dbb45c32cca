import { type Parts, sizeOf } from "../message.js";
import { type Depth, depthOf, isBelow } from "./depth.js";
import type { Bounds } from "./lane.js";
import type { Pipe } from "./pipe.js";
import { Ring } from "./ring.js";

const NOTHING = { length: 0, bytes: 0 };

/**
 * Receives from many pipes, one message from each in turn.
 *
 * What a peer sent before it went stays for the reader. Peers that come, send and go again could
 * pile up any amount that way, so there is no place for another one while they have left more than
 * a queue may hold: {@link vacant}.
 */
export class FairQueue {
  readonly #bounds: () => Bounds;
  readonly #vacated: () => void;
  readonly #ring = new Ring<Pipe>();
  /** Pipes of peers that are gone, with messages left to read. */
  readonly #departed = new Set<Pipe>();
  #departedMessages = 0;
  #departedBytes = 0;
  #last: Pipe | undefined;

  /**
   * @param bounds What one peer's queue may hold.
   * @param vacated Called when there is a place for another peer again.
   */
  constructor(bounds: () => Bounds, vacated: () => void) {
    this.#bounds = bounds;
    this.#vacated = vacated;
  }

  /** Why there is nothing to receive. */
  readonly refusal = { code: "EAGAIN", waits: true } as const;

  /** The pipe that the last message came from. */
  get last(): Pipe | undefined {
    return this.#last;
  }

  /** Whether another peer may come. */
  get vacant(): boolean {
    return isBelow(
      { messages: this.#departedMessages, bytes: this.#departedBytes },
      this.#bounds(),
    );
  }

  /** Whether {@link receive} would give a message. */
  get readable(): boolean {
    for (let pipe = this.#ring.current; pipe !== undefined; pipe = this.#ring.current) {
      if (pipe.checkRead()) return true;
      this.#ring.deactivate(pipe);
    }
    return false;
  }

  /** Messages and bytes that wait. */
  get depth(): Depth {
    return depthOf(this.#ring.items);
  }

  /** All pipes, those of departed peers included. */
  get pipes(): Iterable<Pipe> {
    return this.#ring.items;
  }

  attach(pipe: Pipe): void {
    this.#ring.add(pipe);
    this.#ring.activate(pipe);
  }

  /** There is something to read from the pipe. */
  activated(pipe: Pipe): void {
    this.#ring.activate(pipe);
  }

  /** Takes the next message. */
  receive(): Parts | undefined {
    for (let pipe = this.#ring.current; pipe !== undefined; pipe = this.#ring.current) {
      // First: reading may wake the pipe's other end, which may depart, and whatever that leads to.
      this.#ring.advance();
      const departed = this.#departed.has(pipe);
      const parts = pipe.read();
      if (parts !== undefined) {
        this.#last = pipe;
        if (departed) this.#tookFromDeparted(pipe, sizeOf(parts));
        return parts;
      }
      this.#ring.deactivate(pipe);
    }
    return undefined;
  }

  /** Whether messages of the pipe can still be received. */
  has(pipe: Pipe): boolean {
    return this.#ring.has(pipe);
  }

  /** The pipe's peer is gone; what it sent stays. */
  ended(pipe: Pipe): void {
    if (!this.#ring.has(pipe)) return;
    if (pipe.length === 0) {
      this.detach(pipe);
      return;
    }
    this.#departed.add(pipe);
    this.#departedMessages += pipe.length;
    this.#departedBytes += pipe.bytes;
    this.#ring.activate(pipe);
  }

  /** Forgets a pipe, with all that it holds. */
  detach(pipe: Pipe): void {
    const { length, bytes } = this.#departed.delete(pipe) ? pipe : NOTHING;
    this.#ring.delete(pipe);
    pipe.close();
    this.#forget(length, bytes);
  }

  /** Forgets all pipes. */
  close(): void {
    for (const pipe of [...this.#ring.items]) pipe.close();
    this.#ring.clear();
    this.#departed.clear();
    this.#departedMessages = 0;
    this.#departedBytes = 0;
  }

  #tookFromDeparted(pipe: Pipe, bytes: number): void {
    if (pipe.length === 0) {
      this.#departed.delete(pipe);
      this.#ring.delete(pipe);
      pipe.close();
    }
    this.#forget(1, bytes);
  }

  /** Messages of departed peers are gone: there may be a place again. */
  #forget(messages: number, bytes: number): void {
    const wasVacant = this.vacant;
    this.#departedMessages -= messages;
    this.#departedBytes -= bytes;
    if (!wasVacant && this.vacant) this.#vacated();
  }
}
