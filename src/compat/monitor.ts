import type { EventEmitter } from "node:events";
import { type Event, type EventType, Observer, type Socket } from "../index.js";

/** What old programs know an event as; the others are not told. */
const NAMES: Partial<Record<EventType, string>> = {
  connect: "connect",
  "connect:delay": "connect_delay",
  "connect:retry": "connect_retry",
  bind: "listen",
  "bind:error": "bind_error",
  accept: "accept",
  "accept:error": "accept_error",
  close: "close",
  "close:error": "close_error",
  disconnect: "disconnect",
};

/** Emits what happens to a socket's connections, as zeromq.js 5 did: name, value, address, error. */
export class Monitor {
  readonly #socket: Socket;
  readonly #emitter: EventEmitter;
  #observer: Observer | undefined;

  constructor(socket: Socket, emitter: EventEmitter) {
    this.#socket = socket;
    this.#emitter = emitter;
  }

  /** Does nothing when it goes on already. @throws ENOTSOCK when the socket is closed. */
  start(): void {
    if (this.#observer !== undefined && !this.#observer.closed) return;
    this.#observer = new Observer(this.#socket);
    for (const [type, name] of Object.entries(NAMES)) {
      this.#observer.on(type as EventType, (event) => this.#tell(name, event));
    }
  }

  stop(): void {
    this.#observer?.close();
  }

  /** The value is the interval of a retry, or the number of an error. */
  #tell(name: string, event: Event): void {
    const address = "address" in event ? event.address : undefined;
    const error = "error" in event ? event.error : undefined;
    const number = error !== undefined && "errno" in error ? error.errno : undefined;
    const value = "interval" in event ? event.interval : number;
    this.#emitter.emit(name, value, address, error);
  }
}
