import { shared } from "../shared.js";
import { checkCount, checkOptions, optionId } from "./arguments.js";
import {
  ContextCore,
  contextCore,
  defineContextAccessors,
  registerContext,
} from "./context-core.js";

/** The options of a {@link Context}. */
export interface ContextOptions {
  blocky?: boolean;
  ioThreads?: number;
  maxMessageSize?: number;
  maxSockets?: number;
  ipv6?: boolean;
  threadPriority?: number;
  threadSchedulingPolicy?: number;
}

export interface Context {
  /**
   * `ZMQ_BLOCKY`: whether queued messages hold up the end of the process for as long as their
   * socket lingers. When false, new sockets get a linger of 0. Default true.
   */
  blocky: boolean;
  /** `ZMQ_IO_THREADS`: stored; everything happens on JavaScript's one thread. Default 1. */
  ioThreads: number;
  /** `ZMQ_MAX_MSGSZ`, in bytes: stored. Default 2,147,483,647. */
  maxMessageSize: number;
  /** `ZMQ_MAX_SOCKETS`: open sockets at the most; more throw EMFILE. Default 1023. */
  maxSockets: number;
  /** `ZMQ_IPV6`: the default of new sockets' `ipv6`. Default false. */
  ipv6: boolean;
  /** `ZMQ_THREAD_PRIORITY`: accepted, of no effect. */
  threadPriority: number;
  /** `ZMQ_THREAD_SCHED_POLICY`: accepted, of no effect. */
  threadSchedulingPolicy: number;
  /** `ZMQ_SOCKET_LIMIT`: the largest possible {@link maxSockets}. */
  readonly maxSocketsLimit: number;
}

/**
 * What sockets of one thread have in common: their inproc names, the defaults of some options,
 * and what happens to their messages when the process ends.
 */
export class Context {
  readonly #core = new ContextCore();

  /** @throws TypeError for an option that does not exist or is of the wrong type. */
  constructor(options?: ContextOptions) {
    checkCount(arguments, 1);
    registerContext(this, this.#core);
    Object.seal(this);
    if (options !== undefined) {
      checkOptions(options);
      Object.assign(this, options);
    }
  }

  /** Reads an option by libzmq's number. */
  protected getBoolOption(_option: number): boolean {
    return this.#core.get(optionId(arguments, 1), "Bool") as boolean;
  }

  protected setBoolOption(_option: number, _value: boolean): void {
    this.#core.set(optionId(arguments, 2), "Bool", arguments[1]);
  }

  protected getInt32Option(_option: number): number {
    return this.#core.get(optionId(arguments, 1), "Int32") as number;
  }

  protected setInt32Option(_option: number, _value: number): void {
    this.#core.set(optionId(arguments, 2), "Int32", arguments[1]);
  }
}

defineContextAccessors(Context.prototype);

/** The context of every socket that is not given another. */
export const context: Context = shared("context", () => new Context());

export { type ContextCore, contextCore };
