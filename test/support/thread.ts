import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type * as library from "../../src/module/index.js";

/** What a function that runs in another thread is given: the library there, and what others have kept. */
export interface There {
  zmq: typeof library;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the test has put there.
  kept: any;
  /** To start threads from there. */
  Worker: typeof Worker;
}

/** Another thread, with the built library loaded. */
export class Thread {
  /** What runs there. */
  static readonly program = new URL("thread.child.mjs", import.meta.url);

  readonly #worker = new Worker(Thread.program);
  readonly #calls = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: Error) => void }
  >();
  #count = 0;

  constructor() {
    this.#worker.on("message", ({ id, value, failure }) => {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (failure === undefined) call?.resolve(value as never);
      else call?.reject(Object.assign(new Error(failure.message), { code: failure.code }));
    });
  }

  /** Runs a function there; it can use nothing but its arguments, and what comes back is a copy. */
  run<A extends unknown[], R>(
    task: (there: There, ...args: A) => R | Promise<R>,
    ...args: A
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      const id = this.#count++;
      this.#calls.set(id, { resolve, reject });
      this.#worker.postMessage({ id, source: String(task), args });
    });
  }

  /** Closes the sockets that tests have kept there, and forgets them. */
  reset(): Promise<void> {
    return this.run(({ kept }) => {
      for (const name of Object.keys(kept)) {
        if (!kept[name].closed) kept[name].linger = 0;
        kept[name].close();
        delete kept[name];
      }
    });
  }

  /** Ends the thread, whatever it is doing. */
  async end(): Promise<void> {
    const gone = once(this.#worker, "exit");
    await this.#worker.terminate();
    await gone;
  }
}
