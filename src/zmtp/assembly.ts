import type { Budget } from "./limits.js";
import type { Memory } from "./memory.js";
import { ProtocolError } from "./protocol-error.js";

const NOTHING = new Uint8Array(0);

/** What one large body may reserve before its octets come: untouched pages cost nothing. */
const RESERVATION = 1024 * 1024;

/** Where a body starts that got no reservation; from here on its room doubles as it fills. */
const FIRST_ROOM = 4 * 1024;

/**
 * One body that comes in pieces, and what a mechanism has put before it, which is kept apart so that
 * the body can be transformed where it is. Memory follows the octets received, never the size announced:
 * a body of up to 1 MiB may reserve its room at once while `reserve` lasts, and is then copied
 * once; any other grows by doubling.
 */
export class Assembly {
  readonly #memory: Memory;
  readonly #held: Budget;
  readonly #reserve: Budget;
  #head: Uint8Array = NOTHING;
  #headFilled = 0;
  #size = 0;
  #filled = 0;
  #reserved = 0;
  #room: Uint8Array | undefined;

  /**
   * @param held What may be held for all unfinished messages together.
   * @param reserve What may be reserved together for octets that have not come yet.
   */
  constructor(memory: Memory, held: Budget, reserve: Budget) {
    this.#memory = memory;
    this.#held = held;
    this.#reserve = reserve;
  }

  /** Whether a body is being assembled. */
  get active(): boolean {
    return this.#room !== undefined;
  }

  /** Octets of room held now. */
  get held(): number {
    return this.#room === undefined ? 0 : this.#room.length;
  }

  /** What stood before the body; good until the next one begins. */
  get head(): Uint8Array {
    return this.#head;
  }

  /** Begins what has `size` octets, at least one, of which the first `headSize` are no body's. */
  begin(size: number, headSize = 0): void {
    const before = Math.min(size, headSize);
    if (before !== this.#head.length) this.#head = new Uint8Array(before);
    this.#headFilled = 0;
    this.#size = size - before;
    this.#filled = 0;
    const wish = Math.min(this.#size, RESERVATION);
    if (this.#reserve.take(wish)) this.#reserved = wish;
    this.#grow(this.#reserved > 0 ? wish : Math.min(this.#size, FIRST_ROOM));
  }

  /**
   * Takes what `chunk` has for this body.
   * @returns The index after the last octet taken.
   */
  fill(chunk: Uint8Array, at: number, end: number): number {
    let from = at;
    while (from < end && this.#headFilled < this.#head.length) {
      this.#head[this.#headFilled++] = chunk[from++] as number;
    }
    while (from < end && this.#filled < this.#size) {
      const room = this.#roomLeft();
      const count = Math.min(end - from, room.length - this.#filled);
      room.set(chunk.subarray(from, from + count), this.#filled);
      this.#filled += count;
      from += count;
    }
    return from;
  }

  /**
   * Where the next octets belong, if they are the next `least` or more of the body: they may be read
   * straight to here, and then {@link advance}.
   */
  room(least: number): Uint8Array | undefined {
    if (!this.active || !this.#isHeaded || this.#size - this.#filled < least) return undefined;
    return this.#roomLeft().subarray(this.#filled);
  }

  /** Counts octets that were read to {@link room}. */
  advance(count: number): void {
    this.#filled += count;
  }

  get done(): boolean {
    return this.#isHeaded && this.#filled === this.#size;
  }

  /** Ends the body and hands it out. */
  take(): Uint8Array {
    const body = this.#room as Uint8Array;
    this.drop();
    return body;
  }

  /** Gives back all that is held. */
  drop(): void {
    this.#held.give(this.held);
    this.#room = undefined;
    this.#settle();
  }

  /** The octets that room was reserved for have come, or never will. */
  #settle(): void {
    this.#reserve.give(this.#reserved);
    this.#reserved = 0;
  }

  get #isHeaded(): boolean {
    return this.#headFilled === this.#head.length;
  }

  /** The room, with some left in it. */
  #roomLeft(): Uint8Array {
    const room = this.#room as Uint8Array;
    if (this.#filled < room.length) return room;
    this.#settle();
    return this.#grow(Math.min(this.#size, 2 * room.length));
  }

  #grow(size: number): Uint8Array {
    const more = size - this.held;
    if (!this.#held.take(more)) throw new ProtocolError("ERR_ZMTP_ASSEMBLY_LIMIT");
    let room: Uint8Array;
    try {
      room = this.#memory.allocate(size);
    } catch {
      // The size is the peer's choice: where there is no such memory, only its connection ends.
      this.#held.give(more);
      throw new ProtocolError("ERR_ZMTP_ASSEMBLY_LIMIT", `no memory for ${size} octets`);
    }
    if (this.#room !== undefined) room.set(this.#room);
    this.#room = room;
    return room;
  }
}
