import type { OptionStore } from "../options.js";
import type { Bounds, Marks } from "./lane.js";
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

  /** What the queue to, or from, a new peer is made with. */
  get each(): Marks {
    return this.#options.boolean("conflate") ? CONFLATED : { ...this.bounds, pool: this.pool };
  }

  /** How much such a queue may hold, unless it keeps only the newest message. */
  get bounds(): Bounds {
    const name = `${this.#direction}HighWaterMark`;
    return { messages: this.#options.number(name), bytes: this.#options.number(`${name}Bytes`) };
  }

  /** What the queues of all peers share; undefined when they share no bound. */
  get pool(): Pool | undefined {
    const limit = this.#options.number(`${this.#direction}HighWaterMarkTotalBytes`);
    // Who shares the pool that there was goes on to: the option is for peers that come later.
    if (limit !== (this.#pool?.limit ?? 0)) {
      this.#pool = limit > 0 ? new Pool(limit, this.#direction) : undefined;
    }
    return this.#pool;
  }
}
