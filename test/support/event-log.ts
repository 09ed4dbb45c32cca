/** An event of a socket, ours or a peer's. */
export interface LoggedEvent {
  type: string;
  address?: string | undefined;
  interval?: number | undefined;
  error?: { message: string; code?: string | undefined; status?: number | undefined } | undefined;
}

const LIMIT_MS = 15_000;

interface Waiter {
  type: string;
  resolve: (event: LoggedEvent) => void;
}

/** Keeps the events of a socket, and waits for those to come. */
export class EventLog {
  readonly #name: string;
  readonly #events: LoggedEvent[] = [];
  readonly #waiters = new Set<Waiter>();
  /** Up to here the log has been read. */
  #read = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Follows a socket of ours until it is closed. */
  static of(socket: { readonly events: AsyncIterable<object> }): EventLog {
    const log = new EventLog("ours");
    const { events } = socket;
    void (async () => {
      for await (const event of events) log.add(event as LoggedEvent);
    })();
    return log;
  }

  add(event: LoggedEvent): void {
    this.#events.push(event);
    for (const waiter of this.#waiters) {
      if (waiter.type !== event.type) continue;
      this.#waiters.delete(waiter);
      this.#read = this.#events.length;
      waiter.resolve(event);
    }
  }

  get types(): string[] {
    return this.#events.map(({ type }) => type);
  }

  count(type: string): number {
    return this.types.filter((other) => other === type).length;
  }

  /** The next event of a type after the one that was last asked for, which may have been already. */
  next(type: string, limitMs: number = LIMIT_MS): Promise<LoggedEvent> {
    for (let i = this.#read; i < this.#events.length; i++) {
      const event = this.#events[i] as LoggedEvent;
      if (event.type !== type) continue;
      this.#read = i + 1;
      return Promise.resolve(event);
    }
    this.#read = this.#events.length;
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        type,
        resolve: (event) => {
          clearTimeout(timer);
          resolve(event);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const seen = this.types.join(", ") || "nothing";
        reject(new Error(`${this.#name}: no ${type} in ${limitMs} ms, but ${seen}`));
      }, limitMs);
      this.#waiters.add(waiter);
    });
  }
}
