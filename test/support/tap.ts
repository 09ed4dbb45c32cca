import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const LIMIT_MS = 15_000;

interface Waiter {
  done: () => boolean;
  resolve: () => void;
}

/** Where octets go through the tap: from the one who dialled it, or to it. */
export type Direction = "out" | "back";

/**
 * A wire between two peers over tcp that can be listened to, held up and cut. Peers dial its
 * endpoint instead of the one behind it.
 */
export class Tap {
  readonly #target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiters = new Set<Waiter>();
  #seen: Record<Direction, Buffer> = { out: Buffer.alloc(0), back: Buffer.alloc(0) };
  #connections = 0;
  #held = false;

  /** @param endpoint `tcp://127.0.0.1:port`, where it leads to. */
  static async to(endpoint: string): Promise<Tap> {
    const tap = new Tap(Number(new URL(endpoint).port));
    await new Promise<void>((resolve) => tap.#server.listen(0, "127.0.0.1", resolve));
    return tap;
  }

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => this.#accept(near));
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when `count` connections have been made, from the first on. */
  async connections(count: number): Promise<void> {
    await this.#until(`connection ${count}`, () => this.#connections >= count);
  }

  /** Resolves when what came by contains `text` `count` times. For traffic that fits in memory. */
  async seen(direction: Direction, text: string, count: number): Promise<void> {
    await this.#until(`${count} times ${text}`, () => this.times(direction, text) >= count);
  }

  times(direction: Direction, text: string): number {
    let count = 0;
    for (let at = -1; ; count++) {
      at = this.#seen[direction].indexOf(text, at + 1);
      if (at < 0) return count;
    }
  }

  /** From now on octets of either side stay where they are. */
  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Resets the connections that there are; those to come pass freely. */
  cut(): void {
    this.#held = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #accept(near: Socket): void {
    const far = connect(this.#target, "127.0.0.1");
    this.#connect(near, far, "out");
    this.#connect(far, near, "back");
    this.#connections++;
    this.#look();
  }

  #connect(from: Socket, to: Socket, direction: Direction): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("data", (data) => {
      this.#seen[direction] = Buffer.concat([this.#seen[direction], data]);
      if (!to.write(data)) {
        from.pause();
        to.once("drain", () => {
          if (!this.#held) from.resume();
        });
      }
      this.#look();
    });
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#held) from.pause();
  }

  #look(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.done()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #until(what: string, done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        done,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`the tap saw no ${what} in ${LIMIT_MS} ms`));
      }, LIMIT_MS);
      this.#waiters.add(waiter);
    });
  }
}
