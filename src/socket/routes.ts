import { Buffer } from "node:buffer";
import { randomInt } from "../random.js";
import type { Pipe } from "./pipe.js";

/**
 * Which peer has which routing id: 1 to 255 octets that it chose, or five that we made up, of which
 * the first is zero.
 *
 * Of several peers with one id the first has it; the others wait, in order, and get it once it is
 * free.
 */
export class Routes {
  readonly #pipes = new Map<string, Pipe>();
  readonly #waiting = new Map<string, Set<Pipe>>();
  #next = randomInt(0, 2 ** 32);

  /** Peers that can be addressed. */
  get pipes(): Iterable<Pipe> {
    return this.#pipes.values();
  }

  get size(): number {
    return this.#pipes.size;
  }

  find(routingId: Buffer): Pipe | undefined {
    return this.#pipes.get(key(routingId));
  }

  /** Makes up an id that nobody has. */
  generate(): Buffer {
    const id = Buffer.alloc(5);
    do {
      id.writeUInt32BE(this.#next, 1);
      this.#next = (this.#next + 1) >>> 0;
    } while (this.#pipes.has(key(id)));
    return id;
  }

  /** Gives a peer an id. @returns Whether it has it now; if not, it waits. */
  add(pipe: Pipe, routingId: Buffer): boolean {
    pipe.routingId = routingId;
    const id = key(routingId);
    if (!this.#pipes.has(id)) {
      this.#pipes.set(id, pipe);
      return true;
    }
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) this.#waiting.set(id, new Set([pipe]));
    else waiting.add(pipe);
    return false;
  }

  /** Gives a peer an id, whoever has it. @returns Who had it, and has none now. */
  replace(pipe: Pipe, routingId: Buffer): Pipe | undefined {
    const before = this.find(routingId);
    pipe.routingId = routingId;
    this.#pipes.set(key(routingId), pipe);
    return before;
  }

  /** Forgets a peer. @returns Who waited for its id, and has it now. */
  delete(pipe: Pipe): Pipe | undefined {
    if (pipe.routingId === undefined) return undefined;
    const id = key(pipe.routingId);
    const waiting = this.#waiting.get(id);
    if (this.#pipes.get(id) !== pipe) {
      waiting?.delete(pipe);
      if (waiting?.size === 0) this.#waiting.delete(id);
      return undefined;
    }
    this.#pipes.delete(id);
    if (waiting === undefined) return undefined;
    const [heir] = waiting as Set<Pipe> & Iterable<Pipe>;
    waiting.delete(heir as Pipe);
    if (waiting.size === 0) this.#waiting.delete(id);
    this.#pipes.set(id, heir as Pipe);
    return heir;
  }

  clear(): void {
    this.#pipes.clear();
    this.#waiting.clear();
  }
}

/** Octets as a key: a character for each. */
function key(routingId: Buffer): string {
  return routingId.toString("latin1");
}
