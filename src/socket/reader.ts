import { errnoError } from "../errors.js";
import type { Message, Parts } from "../message.js";
import { hold } from "./hold.js";
import type { Refusal } from "./pattern.js";
import { Pending } from "./pending.js";
import { Share, turn } from "./turn.js";

/** Where a reader takes messages from. */
export interface Source {
  receive(): Parts | undefined;
  readonly receiveRefusal: Refusal;
}

/** Makes what the application receives of a message. */
export type Present = (parts: Parts) => Message[];

/**
 * A promise of a message. What promises are resolved with may have a `then`: V8 looks for one, up to
 * `Object.prototype`, unless the code has just made sure that it has an array, and one of those it knows. Asking for
 * the length does that, and saves 30 ns of 80; the answer is always the same, for every message has a part.
 */
export function fulfilled(message: Message[]): Promise<Message[]> {
  return message.length > 0 ? Promise.resolve(message) : Promise.resolve([]);
}

/** What a loop over messages is given each time. */
export type Step = IteratorResult<Message[], undefined>;

export function toStep(value: Message[]): Step {
  return { done: false, value };
}

/**
 * `receive()`: takes a message if there is one, waits for one if there is none. One call waits at
 * a time, and only a call that waits makes anything but its promise.
 */
export class Reader {
  readonly #source: Source;
  readonly #share: Share;
  readonly #present: Present | undefined;
  #pending: Pending<Message[]> | undefined;
  #messages = 0;

  /**
   * @param share The socket's part of each turn.
   * @param present What the application receives of a message; if absent, its parts.
   */
  constructor(source: Source, share: Share = new Share(turn), present?: Present) {
    this.#source = source;
    this.#share = share;
    this.#present = present;
  }

  /** Whether a call waits. */
  get busy(): boolean {
    return this.#pending !== undefined;
  }

  /** Messages handed out so far. */
  get messages(): number {
    return this.#messages;
  }

  /** Takes the next message as it came, for another socket; undefined when there is none now. */
  take(): Parts | undefined {
    const parts = this.#source.receive();
    if (parts !== undefined) this.#messages++;
    return parts;
  }

  /** Takes the next message; undefined when there is none now. */
  tryReceive(): Message[] | undefined {
    const parts = this.take();
    if (parts === undefined || this.#present === undefined) return parts;
    return this.#present(parts);
  }

  /**
   * @param timeoutMs How long to wait; -1: for ever.
   * @returns The message; rejects after the timeout with the reason why there is none (EAGAIN, or
   *   EFSM when it is not this call's turn), or with the signal's.
   */
  receive(timeoutMs: number, signal: AbortSignal | undefined): Promise<Message[]> {
    const parts = this.tryReceive();
    if (parts === undefined) return this.#notNow(timeoutMs, signal);
    return this.#share.spend() ? turn.later((resolve) => resolve(parts)) : fulfilled(parts);
  }

  /**
   * As {@link receive}, for a loop over messages: the loop wants them in another guise, and of one that is
   * there no second promise is made for that.
   * @param failed Says what the loop gets instead of an error, or throws it.
   */
  next(timeoutMs: number, failed: (error: unknown) => Step): Promise<Step> {
    const parts = this.tryReceive();
    if (parts === undefined) return this.#notNow(timeoutMs, undefined).then(toStep, failed);
    const result = toStep(parts);
    return this.#share.spend() ? turn.later((resolve) => resolve(result)) : Promise.resolve(result);
  }

  /** There may be a message now. */
  activated(): void {
    const pending = this.#pending;
    pending?.attempt(this.#share, turn, () => this.#fulfil(pending));
  }

  /** Ends the call that waits, with the reason why there is no message: EAGAIN, or EFSM. */
  close(): void {
    this.#pending?.reject(errnoError(this.#source.receiveRefusal.code));
  }

  #fulfil(pending: Pending<Message[]>): void {
    // To take a message may let more of them come: nobody waits meanwhile, or it took another.
    this.#pending = undefined;
    const parts = this.tryReceive();
    if (parts === undefined) this.#pending = pending;
    else pending.resolve(parts);
  }

  #notNow(timeoutMs: number, signal: AbortSignal | undefined): Promise<Message[]> {
    const { code, waits } = this.#source.receiveRefusal;
    if (timeoutMs !== 0 && waits) return this.#wait(timeoutMs, signal);
    const error = errnoError(code);
    return this.#share.spend() ? turn.later((_, reject) => reject(error)) : Promise.reject(error);
  }

  #wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<Message[]> {
    return new Promise((resolve, reject) => {
      this.#pending = new Pending<Message[]>(hold, resolve, reject, () => {
        this.#pending = undefined;
      });
      this.#pending.limit(timeoutMs, signal, () => this.#source.receiveRefusal.code);
    });
  }
}
