import { errnoError } from "../errors.js";
import { own, type Parts } from "../message.js";
import type { Transfer } from "../transfer.js";
import { hold } from "./hold.js";
import type { Refusal } from "./pattern.js";
import { Pending } from "./pending.js";
import { Share, turn } from "./turn.js";

/** Where a writer puts messages. */
export interface Sink {
  send(parts: Parts): boolean;
  takes(parts: Parts): boolean;
  readonly sendRefusal: Refusal;
}

const DONE: Promise<void> = Promise.resolve();

/** `send()`: gives a message away if there is room for it, waits for room if there is none. */
export class Writer {
  readonly #sink: Sink;
  readonly #share: Share;
  #pending: Pending<void> | undefined;
  #parts: Parts | undefined;
  #transfer: Transfer | undefined;
  #messages = 0;

  /** @param share The socket's part of each turn. */
  constructor(sink: Sink, share: Share = new Share(turn)) {
    this.#sink = sink;
    this.#share = share;
  }

  /** Whether a call waits. */
  get busy(): boolean {
    return this.#pending !== undefined;
  }

  /** Messages accepted so far. */
  get messages(): number {
    return this.#messages;
  }

  /**
   * Sends a message if there is room for it now.
   * @param transfer What it takes along; if it is not sent, nothing.
   * @throws As {@link Transfer.take}.
   */
  trySend(parts: Parts, transfer?: Transfer): boolean {
    if (transfer === undefined ? !this.#sink.send(parts) : !this.#handOver(parts, transfer)) {
      return false;
    }
    this.#messages++;
    return true;
  }

  /**
   * @param timeoutMs How long to wait; -1: for ever.
   * @returns Rejects with the reason why it was not sent, at once if waiting does not help, else
   *   after the timeout; or with the signal's reason. Then nothing was sent.
   * @throws As {@link trySend}; after it had to wait it rejects so.
   */
  send(
    parts: Parts,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    transfer?: Transfer,
  ): Promise<void> {
    if (this.trySend(parts, transfer))
      return this.#share.spend() ? turn.later((resolve) => resolve()) : DONE;
    const { code, waits } = this.#sink.sendRefusal;
    if (timeoutMs !== 0 && waits) {
      this.#transfer = transfer;
      return this.#wait(parts, timeoutMs, signal);
    }
    const error = errnoError(code);
    return this.#share.spend() ? turn.later((_, reject) => reject(error)) : Promise.reject(error);
  }

  /** There may be room now. */
  activated(): void {
    const pending = this.#pending;
    pending?.attempt(this.#share, turn, () => this.#give(pending));
  }

  /** Ends the call that waits, with the reason why nothing was sent: EAGAIN, or EFSM. */
  close(): void {
    this.#pending?.reject(errnoError(this.#sink.sendRefusal.code));
  }

  /** Nobody has what is sent but the message: so it is asked first whether it would be taken. */
  #handOver(parts: Parts, transfer: Transfer): boolean {
    return this.#sink.takes(parts) && this.#sink.send(transfer.take(parts));
  }

  #give(pending: Pending<void>): void {
    // To send a message may make room for more: nobody waits meanwhile, or it would be sent again.
    this.#pending = undefined;
    try {
      if (this.trySend(this.#parts as Parts, this.#transfer)) {
        this.#forget();
        pending.resolve();
        return;
      }
    } catch (error) {
      pending.reject(error);
      return;
    }
    this.#pending = pending;
    const { code, waits } = this.#sink.sendRefusal;
    if (!waits) pending.reject(errnoError(code));
  }

  #wait(parts: Parts, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    own(parts);
    this.#parts = parts;
    return new Promise((resolve, reject) => {
      this.#pending = new Pending<void>(hold, resolve, reject, () => this.#forget());
      this.#pending.limit(timeoutMs, signal, () => this.#sink.sendRefusal.code);
    });
  }

  #forget(): void {
    this.#pending = undefined;
    this.#parts = undefined;
    this.#transfer = undefined;
  }
}
