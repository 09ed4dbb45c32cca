import { context } from "../index.js";

/** Options of the one context that all sockets share. */
export class Context {
  /** `ZMQ_IO_THREADS`: stored. Default 1. @throws EINVAL below 0, TypeError for what is no number. */
  static setMaxThreads(value: number): void {
    context.ioThreads = value;
  }

  /** `ZMQ_IO_THREADS`, as it was set. */
  static getMaxThreads(): number {
    return context.ioThreads;
  }

  /**
   * `ZMQ_MAX_SOCKETS`: open sockets at the most; making more throws EMFILE. Default 1023.
   * @throws EINVAL below 1, TypeError for what is no number.
   */
  static setMaxSockets(value: number): void {
    context.maxSockets = value;
  }

  /** `ZMQ_MAX_SOCKETS`, as it was set. */
  static getMaxSockets(): number {
    return context.maxSockets;
  }

  /** @throws Error always: there is no other context. */
  constructor() {
    throw new Error("Context cannot be instantiated in compatibility mode");
  }
}
