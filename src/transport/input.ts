import type { Socket as Stream } from "node:net";
import { ProtocolError } from "../zmtp/index.js";
import { deliver, READ_SIZE, readOn, type Sink } from "./reading.js";
import { Rest } from "./rest.js";
import type { Wire } from "./wire.js";

/** Who decides when octets are looked at, and is told what comes of it. */
export interface InputOwner {
  /** Octets have come: calls back when they are to be looked at, now or a little later. */
  admitInput(take: () => void): void;
  /** The wire broke while octets wait for room: whether there shall be room for all of them. */
  takeRest(): boolean;
}

/**
 * The reading side of a stream: hands octets to a {@link Wire}. When that has no room, the rest of the
 * chunk is kept and reading stops, until {@link restart}.
 */
export class Input implements Sink {
  #stream: Stream;
  readonly #connection: Wire;
  readonly #owner: InputOwner;
  readonly #fed: () => void;
  readonly #failed: (error: unknown) => void;

  #closed = false;
  /** There is no room: nothing is read. */
  #paused = false;
  /** Octets that found no room. */
  readonly #rest = new Rest();
  /** Octets wait for their turn. */
  #waiting = false;
  readonly #take = (): void => {
    this.#waiting = false;
    this.restart();
  };
  #feeding = false;

  /**
   * @param fed Called when the messages of one chunk have all been handed over.
   * @param failed Called with what the connection threw.
   */
  constructor(
    stream: Stream,
    connection: Wire,
    owner: InputOwner,
    fed: () => void,
    failed: (error: unknown) => void,
  ) {
    this.#stream = stream;
    this.#connection = connection;
    this.#owner = owner;
    this.#fed = fed;
    this.#failed = failed;
  }

  /** Reads from here on. */
  start(): void {
    deliver(this.#stream, this);
  }

  /** There is room again: takes the rest of the last chunk, then reads on. */
  restart(): void {
    if (!this.#paused || this.#waiting || this.#feeding || this.#closed) return;
    this.#rest.offer((octets, at, end) => this.#feed(octets, at, end));
    if (this.#rest.size === 0 && !this.#connection.full && !this.#closed) {
      this.#paused = false;
      this.#rest.drop();
      this.#connection.resume(performance.now());
      this.#stream.resume();
    }
    this.#fed();
  }

  /** Stops if there is no room. */
  pauseIfFull(): void {
    if (this.#connection.full && !this.#paused && !this.#closed) this.#pause();
  }

  /**
   * Nothing can be written any more, and what the peer wrote before it went is still to be read.
   * @returns The stream to use; undefined where it cannot be read, or is not being read: it could hang
   *   there for as long as nobody makes room.
   */
  readOn(): Stream | undefined {
    if (this.#paused && !this.#waiting) return undefined;
    const stream = readOn(this.#stream);
    if (stream === undefined) return undefined;
    this.#stream = stream;
    if (this.#paused) stream.pause();
    return stream;
  }

  /** What a peer sent before it went is not lost for want of room: it is one chunk at most. */
  decodeRest(): void {
    if (this.#rest.size === 0 || !this.#owner.takeRest()) return;
    try {
      this.#rest.offer((octets, at, end) =>
        this.#connection.receive(octets, at, end, performance.now()),
      );
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }

  /** Takes nothing more, and forgets what waits. */
  close(): void {
    this.#closed = true;
    this.#rest.drop();
  }

  /** Not for callers: what the stream has read. */
  data(chunk: Uint8Array): Uint8Array | undefined {
    if (this.#closed) return undefined;
    if (this.#paused) {
      // The stream had read ahead before it paused.
      this.#rest.keep(chunk);
      return undefined;
    }
    if (!this.#isAdmitted()) {
      this.#rest.keep(chunk);
      this.#pause();
      return undefined;
    }
    const taken = this.#feed(chunk, 0, chunk.length);
    if (!this.#closed && (taken < chunk.length || this.#connection.full)) {
      if (taken < chunk.length) this.#rest.keep(chunk.subarray(taken));
      this.#pause();
    }
    this.#fed();
    return this.#place();
  }

  /** Not for callers: what the stream has read to where {@link data} told it to. */
  filled(count: number): Uint8Array | undefined {
    if (this.#closed) return undefined;
    this.#guard(() => this.#connection.filled(count, performance.now()));
    this.pauseIfFull();
    this.#fed();
    this.#pauseIfSpent();
    return this.#place();
  }

  /** Reads on in a later turn when this one is spent: a stream reads up to 32 times in one. */
  #pauseIfSpent(): void {
    if (!this.#closed && !this.#paused && !this.#isAdmitted()) this.#pause();
  }

  /** Whether octets may be looked at now; else it is told later, and {@link restart}s. */
  #isAdmitted(): boolean {
    this.#waiting = true;
    this.#owner.admitInput(this.#take);
    return !this.#waiting;
  }

  /** Where the stream shall read to: straight into a message's memory, if a large one is due. */
  #place(): Uint8Array | undefined {
    if (this.#closed || this.#paused) return undefined;
    let place: Uint8Array | undefined;
    this.#guard(() => {
      place = this.#connection.room(READ_SIZE);
    });
    return place;
  }

  #pause(): void {
    this.#paused = true;
    this.#stream.pause();
    this.#connection.pause(performance.now());
  }

  /** @returns The index of the first octet not taken. */
  #feed(chunk: Uint8Array, at: number, end: number): number {
    let taken = end;
    this.#guard(() => {
      taken = this.#connection.receive(chunk, at, end, performance.now());
    });
    return taken;
  }

  /** Lets the connection take octets; a peer that is wrong ends it. */
  #guard(take: () => void): void {
    this.#feeding = true;
    try {
      take();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#feeding = false;
    }
  }
}
