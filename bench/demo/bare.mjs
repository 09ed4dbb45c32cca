/**
 * The yardstick: a receiver that does nothing but read. It says the few octets that a PAIR has to say
 * to be sent messages, counts what comes through a bare net.Socket, and keeps none of it. What it
 * cannot receive beside the work, no library on Node's one thread can.
 */
import { connect } from "node:net";

const greeting = Buffer.alloc(64);
greeting.write("ff00000000000000007f0301", "hex");
greeting.write("NULL", 12);
const ready = Buffer.from("\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PAIR", "latin1");

/** A header of nine octets, and the flood's million. */
const frameBytes = 9 + 1_000_000;

/** Messages that may be ahead of the program: one queued, one being read, as in the demo. */
const aheadMax = 2;

export class Pair {
  #stream;
  #unread = -greeting.length - ready.length;
  #wake;

  connect(endpoint) {
    this.#stream = connect(endpoint.slice("ipc://".length));
    this.#stream.write(Buffer.concat([greeting, ready]));
    this.#stream.on("data", (chunk) => {
      this.#unread += chunk.length;
      if (this.#unread >= aheadMax * frameBytes) this.#stream.pause();
      if (this.#unread >= frameBytes) this.#wake?.();
    });
  }

  async receive() {
    // Timers and reads get their turn before every message.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#unread < frameBytes) {
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#unread -= frameBytes;
    this.#stream.resume();
    return [{ length: frameBytes - 9 }];
  }
}
