import { own, type Parts } from "../message.js";
import { share } from "../transfer.js";
import { type Depth, outDepthOf } from "./depth.js";
import type { Pipe } from "./pipe.js";

/** A pipe that messages are distributed to. */
export class Recipient {
  readonly pipe: Pipe;
  /** The number of the last message that is for it. */
  matched = 0;

  constructor(pipe: Pipe) {
    this.pipe = pipe;
  }
}

/** Sends a message to each pipe that it is for: the same message, to all at once. */
export class Distributor<R extends Recipient = Recipient> {
  readonly #recipients = new Map<Pipe, R>();
  readonly #dropped: (pipe: Pipe) => void;
  #matching: R[] = [];
  #number = 0;

  /** @param dropped Called when a pipe is full and the message passes it by. */
  constructor(dropped: (pipe: Pipe) => void) {
    this.#dropped = dropped;
  }

  get recipients(): Iterable<R> {
    return this.#recipients.values();
  }

  /** Messages and bytes that wait to be sent. */
  get depth(): Depth {
    return outDepthOf(this.#recipients.keys());
  }

  get(pipe: Pipe): R | undefined {
    return this.#recipients.get(pipe);
  }

  attach(recipient: R): void {
    this.#recipients.set(recipient.pipe, recipient);
  }

  detach(pipe: Pipe): void {
    this.#recipients.delete(pipe);
  }

  close(): void {
    this.#recipients.clear();
  }

  /** Starts to choose whom the next message is for: nobody so far. */
  begin(): void {
    this.#number++;
    this.#matching = [];
  }

  /** The message is for this one, too; it may be told so more than once. */
  match(recipient: R): void {
    if (recipient.matched === this.#number) return;
    recipient.matched = this.#number;
    this.#matching.push(recipient);
  }

  /** The message is for those whom it was not for, and for nobody else. */
  reverse(): void {
    const number = this.#number;
    const others = [...this.recipients].filter(({ matched }) => matched !== number);
    this.begin();
    for (const recipient of others) this.match(recipient);
  }

  /** The message is for everybody. */
  matchAll(): void {
    for (const recipient of this.recipients) this.match(recipient);
  }

  /** Whom the message is for. */
  get matching(): number {
    return this.#matching.length;
  }

  /** Whether all whom the message is for have room for it. */
  checkWrite(): boolean {
    let room = true;
    // All of them are asked: each that has none will tell when it has.
    for (const { pipe } of this.#matching) if (!pipe.checkWrite()) room = false;
    return room;
  }

  /** Sends the message to those whom it is for. */
  send(parts: Parts): void {
    const matching = this.#matching;
    this.#matching = [];
    if (matching.length > 1) share(parts);
    let owned = false;
    for (let i = 0; i < matching.length; i++) {
      const recipient = matching[i] as R;
      const { pipe } = recipient;
      if (!pipe.checkWrite()) {
        // One that has ended meanwhile loses nothing here: it is gone, with all that it was sent.
        if (!pipe.over) this.#dropped(pipe);
        continue;
      }
      if (pipe.pass(parts)) continue;
      if (!owned) {
        own(parts);
        owned = true;
      }
      pipe.write(pipe.direct ? copyFor(parts) : parts);
      pipe.flush();
    }
  }
}

/** A receiver in this process gets an array of its own, and small parts: it may change them. */
function copyFor(parts: Parts): Parts {
  const copy = parts.slice();
  own(copy);
  return copy;
}
