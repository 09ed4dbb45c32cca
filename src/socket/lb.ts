import type { Parts } from "../message.js";
import { type Depth, outDepthOf } from "./depth.js";
import type { Pipe } from "./pipe.js";
import { Ring } from "./ring.js";

/** Sends to many pipes, one message to each in turn; those that are full are passed over. */
export class LoadBalancer {
  readonly #ring = new Ring<Pipe>();

  /** Why it does not take a message. */
  readonly refusal = { code: "EAGAIN", waits: true } as const;

  /** The pipe that the next message goes to: whose turn it is, of those with room. */
  get next(): Pipe | undefined {
    for (let pipe = this.#ring.current; pipe !== undefined; pipe = this.#ring.current) {
      if (pipe.checkWrite()) return pipe;
      this.#ring.deactivate(pipe);
    }
    return undefined;
  }

  /** Whether {@link send} would take a message. */
  get writable(): boolean {
    return this.next !== undefined;
  }

  /** Messages and bytes that wait to be sent. */
  get depth(): Depth {
    return outDepthOf(this.#ring.items);
  }

  attach(pipe: Pipe): void {
    this.#ring.add(pipe);
    this.#ring.activate(pipe);
  }

  /** There is room in the pipe again. */
  activated(pipe: Pipe): void {
    this.#ring.activate(pipe);
  }

  detach(pipe: Pipe): void {
    this.#ring.delete(pipe);
  }

  close(): void {
    this.#ring.clear();
  }

  /** Whether it took the message. */
  send(parts: Parts): boolean {
    const pipe = this.next;
    if (pipe === undefined) return false;
    this.#ring.advance();
    pipe.send(parts);
    return true;
  }
}
