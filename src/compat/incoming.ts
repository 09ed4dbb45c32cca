import type { EventEmitter } from "node:events";
import type { CallOptions, Message, ReadableSocket, Socket } from "../index.js";
import type { Gate } from "./gate.js";

/** Why a call of ours is aborted. */
const STOPPED = Symbol("stopped");

/**
 * Receives messages, and emits them, for as long as somebody listens and the gate is open. Each is
 * emitted before the next one is asked for, so none comes after `pause()` has been called; what has
 * been taken by then is kept, and comes first.
 *
 * ```
 *   idle --update--> waiting --message--> held --next tick--> emitted --> waiting
 *    ^                  |                   |
 *    +---- aborted -----+                   +--> idle, if nobody wants it any more
 * ```
 *
 * Listeners are called by `process.nextTick`, so that what they throw is an uncaught exception, as
 * with any other emitter, and not our promise's rejection.
 */
export class Incoming {
  readonly #socket: Socket & ReadableSocket;
  readonly #gate: Gate;
  readonly #emitter: EventEmitter;
  readonly #emitHeld = (): void => this.#emit();
  readonly #received = (frames: Message[]): void => this.#keep(frames);
  readonly #refused = (error: unknown): void => this.#fail(error);
  #stop = new AbortController();
  #call: CallOptions = { signal: this.#stop.signal };
  #running = false;
  #waiting = false;
  #held: Message[] | undefined;

  constructor(socket: Socket & ReadableSocket, gate: Gate, emitter: EventEmitter) {
    this.#socket = socket;
    this.#gate = gate;
    this.#emitter = emitter;
  }

  /** Somebody listens, or nobody does any more; the gate has been opened or shut. */
  update(): void {
    if (!this.#isWanted()) this.#abort();
    else if (!this.#running) this.#start();
  }

  /** A message that is there, unless it is being emitted already. */
  read(): Message[] | null {
    const frames = this.#held;
    this.#held = undefined;
    if (frames !== undefined) return frames;
    if (this.#running || !this.#socket.readable) return null;
    return this.#socket.tryReceive() ?? null;
  }

  #isWanted(): boolean {
    return !this.#gate.shut && !this.#socket.closed && this.#emitter.listenerCount("message") > 0;
  }

  #start(): void {
    this.#running = true;
    if (this.#held === undefined) this.#receive();
    else process.nextTick(this.#emitHeld);
  }

  #receive(): void {
    if (!this.#isWanted()) {
      this.#running = false;
      return;
    }
    this.#waiting = true;
    this.#socket.receive(this.#call).then(this.#received, this.#refused);
  }

  #keep(frames: Message[]): void {
    this.#waiting = false;
    this.#held = frames;
    process.nextTick(this.#emitHeld);
  }

  #emit(): void {
    if (!this.#isWanted()) {
      this.#running = false;
      return;
    }
    const frames = this.#held;
    this.#held = undefined;
    try {
      if (frames !== undefined) this.#emitter.emit("message", ...frames);
    } finally {
      this.#receive();
    }
  }

  #fail(error: unknown): void {
    this.#waiting = false;
    if (error === STOPPED || this.#socket.closed) {
      this.#running = false;
      this.update();
      return;
    }
    process.nextTick(() => {
      try {
        this.#emitter.emit("error", error);
      } finally {
        this.#receive();
      }
    });
  }

  /** Ends the call that waits: it keeps the process alive, and would take a message. */
  #abort(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#stop.abort(STOPPED);
    this.#stop = new AbortController();
    this.#call = { signal: this.#stop.signal };
  }
}
