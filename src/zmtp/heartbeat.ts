import { encodeCommand, encodePing, type Ping } from "./command.js";
import type { Encoder } from "./encoder.js";

/** When to send PINGs, and when silence ends a connection (RFC 37, PING and PONG). */
export interface HeartbeatOptions {
  /** Send a PING this often, in milliseconds; 0: never. `ZMQ_HEARTBEAT_IVL`. */
  intervalMs: number;
  /**
   * How long silence after a PING is fine, in milliseconds; 0: for ever. `ZMQ_HEARTBEAT_TIMEOUT`,
   * but for its -1: that is the caller's to resolve.
   */
  timeoutMs: number;
  /**
   * How long the peer shall bear our silence, in milliseconds; 0: for ever. Announced in
   * steps of 100 ms, 65.5 s at most. `ZMQ_HEARTBEAT_TTL`.
   */
  ttlMs: number;
}

const NEVER = Number.POSITIVE_INFINITY;
const NO_CONTEXT = new Uint8Array(0);

/** How long after the deadline the second look is. */
const SECOND_LOOK_MS = 1;

/**
 * When to ask a peer whether it lives, what is to be said of it, and when to give it up. All times are
 * the caller's clock, in milliseconds.
 *
 * Silence proves nothing while it is we who do not read: {@link pause} stops the clock of both
 * reasons to give up. Nor does it when the thread was busy and comes late: what the peer said may
 * wait to be read. So a deadline that has passed is looked at twice, with a turn of the caller's
 * event loop between.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #ping: Uint8Array;
  #nextPing = NEVER;
  /** Silence until here: the peer did not answer a PING of ours, or outlived its own TTL. */
  #giveUp = NEVER;
  #secondLook = NEVER;
  #pausedAt = NEVER;
  /** A PING is owed: one at the most, however long the wire takes nothing. */
  #pingOwed = false;
  /** The context of the PONG that is owed: however many PINGs came, the last one is answered. */
  #pong: Uint8Array | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#ping = encodePing(options.ttlMs, NO_CONTEXT);
  }

  /** When to ask {@link pingDue} and {@link lost} again. */
  get deadline(): number {
    return Math.min(this.#nextPing, this.#paused ? NEVER : this.#giveUp);
  }

  /** The handshake is done: the first PING is due an interval from now. */
  start(now: number): void {
    const { intervalMs } = this.#options;
    if (intervalMs > 0) this.#nextPing = now + intervalMs;
  }

  /** Any octet from the peer is a sign of life. */
  alive(): void {
    this.#giveUp = NEVER;
  }

  /** The peer asks for a PONG, and promises that its next octet comes within `ttlMs`. */
  pinged({ ttlMs, context }: Ping, now: number): void {
    this.#pong = context;
    if (ttlMs > 0) this.#expectLife(now, ttlMs);
  }

  /** Whether there is anything to say: see {@link encode}. */
  get owes(): boolean {
    return this.#pingOwed || this.#pong !== undefined;
  }

  /** Says what is owed. */
  encode(encoder: Pick<Encoder, "command">): void {
    if (this.#pingOwed) encoder.command(this.#ping);
    if (this.#pong !== undefined) encoder.command(encodeCommand("PONG", this.#pong));
    this.drop();
  }

  /** Nothing is owed any more. */
  drop(): void {
    this.#pingOwed = false;
    this.#pong = undefined;
  }

  pause(now: number): void {
    if (!this.#paused) this.#pausedAt = now;
  }

  resume(now: number): void {
    if (!this.#paused) return;
    this.#giveUp += now - this.#pausedAt;
    this.#pausedAt = NEVER;
  }

  /** Whether a PING is due now; if so, it is owed, and the peer has `timeoutMs` to show a sign of life. */
  pingDue(now: number): boolean {
    const { intervalMs, timeoutMs } = this.#options;
    if (now < this.#nextPing) return false;
    this.#nextPing = now + intervalMs;
    this.#pingOwed = true;
    if (timeoutMs > 0) this.#expectLife(now, timeoutMs);
    return true;
  }

  /** Whether the peer has been silent for too long. */
  lost(now: number): boolean {
    if (this.#paused || now < this.#giveUp) return false;
    if (this.#giveUp === this.#secondLook) return true;
    this.#giveUp = now + SECOND_LOOK_MS;
    this.#secondLook = this.#giveUp;
    return false;
  }

  /** The earlier of two deadlines counts: a long promise does not excuse an unanswered PING. */
  #expectLife(now: number, withinMs: number): void {
    const from = this.#paused ? this.#pausedAt : now;
    this.#giveUp = Math.min(this.#giveUp, from + withinMs);
  }

  get #paused(): boolean {
    return this.#pausedAt !== NEVER;
  }
}
