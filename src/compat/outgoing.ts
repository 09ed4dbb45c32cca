import type { EventEmitter } from "node:events";
import type { MessageLike, Socket, WritableSocket } from "../index.js";
import type { Gate } from "./gate.js";

/** What is told of the outcome of a call: an error, or nothing. */
export type Callback = (error?: Error) => void;

/** A message, and who wants to know what became of it. */
class Batch {
  readonly frames: MessageLike[] = [];
  readonly callbacks: Callback[] = [];
  isSettled = false;
  error: Error | undefined;
}

/**
 * Sends messages in their order. The socket is given all that it has room for within the call, so
 * closing it right behind loses nothing; the rest waits here. Outcomes are told in the same order.
 */
export class Outgoing {
  readonly #socket: Socket & WritableSocket;
  readonly #gate: Gate;
  readonly #emitter: EventEmitter;
  /** Its last frames have not come yet. */
  #unfinished = new Batch();
  // Sets, for they give up their first in no time, however many there are.
  readonly #waiting = new Set<Batch>();
  readonly #underWay = new Set<Batch>();

  constructor(socket: Socket & WritableSocket, gate: Gate, emitter: EventEmitter) {
    this.#socket = socket;
    this.#gate = gate;
    this.#emitter = emitter;
  }

  /** @param more Whether the message goes on with the next call. */
  send(message: MessageLike | MessageLike[], more: boolean, callback: Callback | undefined): void {
    const batch = this.#unfinished;
    for (const frame of Array.isArray(message) ? message : [message]) batch.frames.push(frame);
    if (callback) batch.callbacks.push(callback);
    if (more) return;
    this.#unfinished = new Batch();
    this.#waiting.add(batch);
    this.flush();
  }

  /** Gives the socket what it has room for. Once it is closed, what waits is forgotten, as npm zeromq's layer does. */
  flush(): void {
    if (this.#socket.closed) this.#waiting.clear();
    for (const batch of this.#waiting) {
      if (this.#gate.shut || this.#isFull()) return;
      this.#waiting.delete(batch);
      this.#underWay.add(batch);
      this.#give(batch);
    }
  }

  /** One message may wait in the socket, for room or for its turn. */
  #isFull(): boolean {
    return this.#underWay.size > 0 && !this.#socket.writable;
  }

  #give(batch: Batch): void {
    const failed = (error: Error): void => this.#settle(batch, error);
    try {
      this.#socket.send(batch.frames).then(() => this.#settle(batch, undefined), failed);
    } catch (error) {
      failed(error as Error);
    }
  }

  #settle(batch: Batch, error: Error | undefined): void {
    batch.isSettled = true;
    batch.error = error;
    for (const first of this.#underWay) {
      if (!first.isSettled) break;
      this.#underWay.delete(first);
      this.#tell(first);
    }
    this.flush();
  }

  /** What listeners throw is theirs: it must not end up in a promise of ours. */
  #tell({ callbacks, error }: Batch): void {
    for (const callback of callbacks) {
      if (error === undefined) process.nextTick(callback);
      else process.nextTick(callback, error);
    }
    if (error === undefined || callbacks.length > 0 || this.#socket.closed) return;
    process.nextTick(() => this.#emitter.emit("error", error));
  }
}
