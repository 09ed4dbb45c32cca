import { EventEmitter } from "node:events";
import { errnoError } from "../errors.js";
import type { Event, EventOfType, EventType } from "../events.js";
import { shared } from "../shared.js";
import { checkCount } from "./arguments.js";
import { hold } from "./hold.js";
import type { Monitor, Watcher } from "./monitor.js";
import { Pending } from "./pending.js";
import { Queue } from "./queue.js";

/** Events that wait to be read, at the most: libzmq's monitor has this high-water mark too. */
const EVENTS_MAX = 1000;

const EMITTER_MODE =
  "Observer is in event emitter mode. After a call to events.on() it is not possible to read " +
  "events with events.receive().";

/** The monitor of each socket, whichever copy of the library made it. */
const monitors: WeakMap<object, Monitor> = shared("monitors", () => new WeakMap());

/** Lets observers of `socket` find its monitor. @internal */
export function registerMonitor(socket: object, monitor: Monitor): void {
  monitors.set(socket, monitor);
}

/** Where listeners for events are added and removed. */
export interface EventSubscriber {
  /** Calls `listener` for every event of a type. */
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): EventSubscriber;
  /** Undoes {@link on}. */
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): EventSubscriber;
}

/**
 * Tells what happens to a socket's connections from now on (`zmq_socket_monitor`). Read events with
 * {@link receive} or `for await`, or have them emitted with {@link on}: one or the other. While
 * 1000 wait to be read, further ones are dropped.
 */
export class Observer implements EventSubscriber {
  readonly #monitor: Monitor;
  readonly #watcher: Watcher;
  readonly #events = new Queue<Event>();
  #pending: Pending<Event> | undefined;
  #emitter: EventEmitter | undefined;
  #draining = false;
  #closed = false;

  /**
   * @param socket The socket to observe; `socket.events` is the usual way to get an observer.
   * @throws TypeError for anything else, ENOTSOCK when the socket is closed.
   */
  constructor(socket: object) {
    const monitor = socket !== null && typeof socket === "object" && monitors.get(socket);
    if (!monitor) throw new TypeError("Socket must be a socket object");
    checkCount(arguments, 1);
    if (monitor.ended) throw errnoError("ENOTSOCK");
    this.#monitor = monitor;
    this.#watcher = { notify: (event) => this.#notify(event) };
    monitor.watch(this.#watcher);
    Object.seal(this);
  }

  /** Whether nothing more will come: the observer, or its socket, is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The emitter behind {@link on}; asking for it puts the observer into emitter mode. From then on
   * it keeps the process alive until it, or its socket, is closed.
   */
  get emitter(): EventEmitter {
    if (this.#emitter === undefined) {
      this.#emitter = new EventEmitter();
      if (!this.#closed) hold.take();
      this.#scheduleDrain();
    }
    return this.#emitter;
  }

  /** Ends the observation; events not read yet are dropped. A call that waits rejects: EAGAIN. */
  close(): void {
    checkCount(arguments, 0);
    if (this.#closed) return;
    this.#monitor.unwatch(this.#watcher);
    this.#events.clear();
    this.#end();
    this.#pending?.reject(errnoError("EAGAIN"));
  }

  /**
   * Takes the next event, waiting for it if there is none.
   * @throws EBADF when closed, EBUSY when another call waits, Error in emitter mode.
   */
  receive(): Promise<Event> {
    checkCount(arguments, 0);
    if (this.#emitter !== undefined) throw new Error(EMITTER_MODE);
    const event = this.#events.shift();
    if (event !== undefined) return Promise.resolve(event);
    if (this.#closed) throw errnoError("EBADF");
    if (this.#pending !== undefined) {
      throw errnoError(
        "EBUSY",
        undefined,
        "Observer is busy reading; only one receive operation may be in progress at any time",
      );
    }
    return new Promise((resolve, reject) => {
      this.#pending = new Pending<Event>(hold, resolve, reject, () => {
        this.#pending = undefined;
      });
    });
  }

  /** Calls `listener` for every event of a type. Returns {@link emitter}. */
  on<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): EventSubscriber {
    return this.emitter.on(type, listener);
  }

  /** Undoes {@link on}. Returns {@link emitter}. */
  off<E extends EventType>(type: E, listener: (event: EventOfType<E>) => void): EventSubscriber {
    return this.emitter.off(type, listener);
  }

  /** Events until the observer is closed. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    return {
      next: async () => {
        if (this.#closed && this.#events.length === 0) return { done: true, value: undefined };
        try {
          return { done: false, value: await this.receive() };
        } catch (error) {
          if (this.#closed) return { done: true, value: undefined };
          throw error;
        }
      },
    };
  }

  #notify(event: Event): void {
    const last = event.type === "end";
    if (last) this.#end();
    const pending = this.#pending;
    if (pending !== undefined) {
      this.#pending = undefined;
      pending.resolve(event);
      if (this.#emitter === undefined) return;
    }
    if (last || this.#events.length < EVENTS_MAX) this.#events.push(event);
    if (this.#emitter !== undefined) this.#scheduleDrain();
  }

  #end(): void {
    this.#closed = true;
    if (this.#emitter !== undefined) hold.release();
  }

  /** Listeners are called when our own work is done: they may throw, or close the socket. */
  #scheduleDrain(): void {
    if (this.#draining) return;
    this.#draining = true;
    process.nextTick(() => this.#drain());
  }

  #drain(): void {
    this.#draining = false;
    try {
      for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
        this.#emitter?.emit(event.type, event);
      }
    } finally {
      if (this.#events.length > 0) this.#scheduleDrain();
    }
  }
}
