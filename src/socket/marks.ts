import type { OptionStore } from "../options.js";
import type { Marks } from "./pipe.js";
import { Pool } from "./pool.js";

/** What a socket that keeps only the newest message bounds its queues by. */
const CONFLATED: Marks = { messages: 0, bytes: 0, conflate: true };

/** What a socket's options say of one direction of its queues. */
export class QueueMarks {
  readonly #options: OptionStore;
  readonly #direction: "send" | "receive";
  #pool: Pool | undefined;

  constructor(options: OptionStore, direction: "send" | "receive") {
    this.#options = options;
    this.#direction = direction;
  }

  /** The bounds of the queue to, or from, one peer. */
  get each(): Marks {
    if (this.#options.boolean("conflate")) return CONFLATED;
    const name = `${this.#direction}HighWaterMark`;
    return {
      messages: this.#options.number(name),
      bytes: this.#options.number(`${name}Bytes`),
      pool: this.pool,
    };
  }

  /** What the queues of all peers share; undefined when they share no bound. */
  get pool(): Pool | undefined {
    const limit = this.#options.number(`${this.#direction}HighWaterMarkTotalBytes`);
    // Who shares the pool that there was goes on to: the option is for peers that come later.
    if (limit !== (this.#pool?.limit ?? 0)) this.#pool = limit > 0 ? new Pool(limit) : undefined;
    return this.#pool;
  }
}
