interface Timer {
  call: () => void;
  ms: number;
}

/** Stands in for the event loop: nothing happens before it is told to. */
export class Loop {
  readonly #tasks: (() => void)[] = [];
  readonly #timers = new Set<Timer>();

  /** Calls `run`; what that calls finds this event loop. */
  static during(run: (loop: Loop) => void): void {
    const { queueMicrotask, setTimeout, clearTimeout } = globalThis;
    const loop = new Loop();
    Object.assign(globalThis, {
      queueMicrotask: (task: () => void) => loop.#tasks.push(task),
      setTimeout: (call: () => void, ms: number) => loop.#start({ call, ms }),
      clearTimeout: (timer: Timer) => loop.#timers.delete(timer),
    });
    try {
      run(loop);
    } finally {
      Object.assign(globalThis, { queueMicrotask, setTimeout, clearTimeout });
    }
  }

  /** How long the timers run that were started, in milliseconds. */
  get timers(): number[] {
    return [...this.#timers].map(({ ms }) => ms);
  }

  /** Runs the microtasks. */
  turn(): void {
    for (let task = this.#tasks.shift(); task !== undefined; task = this.#tasks.shift()) task();
  }

  /** Lets the time of all timers pass. */
  wait(): void {
    for (const timer of this.#timers) {
      this.#timers.delete(timer);
      timer.call();
      this.turn();
    }
  }

  #start(timer: Timer): Timer & { unref(): void } {
    this.#timers.add(timer);
    return Object.assign(timer, { unref() {} });
  }
}
