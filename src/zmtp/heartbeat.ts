import { encodePing } from "./command.js";

export interface HeartbeatOptions {
  /** Send a PING this often, in milliseconds; 0: never. `ZMQ_HEARTBEAT_IVL`. */
  intervalMs: number;
  /** How long silence after a PING is fine, in milliseconds. `ZMQ_HEARTBEAT_TIMEOUT`. */
  timeoutMs: number;
  /** How long the peer shall bear our silence, in milliseconds; 0: for ever. `ZMQ_HEARTBEAT_TTL`. */
  ttlMs: number;
}

const NEVER = Number.POSITIVE_INFINITY;
const NO_CONTEXT = new Uint8Array(0);

/**
 * When to ask a peer whether it lives, and when to give it up. All times are the caller's clock,
 * in milliseconds.
 *
 * While it is we who do not read, its silence proves nothing: {@link pause} stops the clock of
 * both deadlines.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly ping: Uint8Array;
  #nextPing: number;
  /** Silence until here: the peer did not answer a PING of ours, or outlived its own TTL. */
  #giveUp = NEVER;
  #pausedAt = NEVER;

  constructor(options: HeartbeatOptions, now: number) {
    this.#options = options;
    this.ping = encodePing(options.ttlMs, NO_CONTEXT);
    this.#nextPing = options.intervalMs > 0 ? now + options.intervalMs : NEVER;
  }

  get deadline(): number {
    return Math.min(this.#nextPing, this.#paused ? NEVER : this.#giveUp);
  }

  /** Any octet from the peer is a sign of life. */
  alive(): void {
    this.#giveUp = NEVER;
  }

  /** The peer promised to be silent for at most `ttlMs` after its PING. */
  promised(ttlMs: number, now: number): void {
    if (ttlMs > 0) this.#giveUp = now + ttlMs;
  }

  pause(now: number): void {
    if (!this.#paused) this.#pausedAt = now;
  }

  resume(now: number): void {
    if (!this.#paused) return;
    this.#giveUp += now - this.#pausedAt;
    this.#pausedAt = NEVER;
  }

  /** Whether a PING is due now; if so, the peer has `timeoutMs` to show a sign of life. */
  pingDue(now: number): boolean {
    if (now < this.#nextPing) return false;
    this.#nextPing = now + this.#options.intervalMs;
    if (this.#options.timeoutMs > 0 && this.#giveUp === NEVER) {
      this.#giveUp = (this.#paused ? this.#pausedAt : now) + this.#options.timeoutMs;
    }
    return true;
  }

  /** Whether the peer has been silent for too long. */
  lost(now: number): boolean {
    return !this.#paused && now >= this.#giveUp;
  }

  get #paused(): boolean {
    return this.#pausedAt !== NEVER;
  }
}
