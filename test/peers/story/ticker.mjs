// What the story's programs report: memory, and the turns of the event loop that a ticker got.
const TICK_MS = 10;
const REPORT_EVERY = 100;

export class Reporter {
  #bytesAtRest = process.memoryUsage.rss();
  #started = performance.now();
  #ticks = 0;

  constructor() {
    setInterval(() => this.#ticks++, TICK_MS).unref();
  }

  /** Prints a line of JSON every 100 messages, and for the last. */
  message(number, bytes, count) {
    if (number % REPORT_EVERY !== 0 && number !== count) return;
    const line = {
      messages: number,
      bytes,
      residentMegabytes: process.memoryUsage.rss() / 1e6,
      restMegabytes: this.#bytesAtRest / 1e6,
      ticks: this.#ticks,
      dueTicks: Math.floor((performance.now() - this.#started) / TICK_MS),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
