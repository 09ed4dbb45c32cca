import { shared } from "../shared.js";
import { Threads } from "../transport/threads.js";
import { checkCount, checkOptions, optionId } from "./arguments.js";
import {
  ContextCore,
  contextCore,
  defineContextAccessors,
  registerContext,
} from "./context-core.js";
import { ZapClient } from "./zap-client.js";

/** The options of a {@link Context}. */
export interface ContextOptions {
  /** When false, new sockets do not linger: see {@link Context.blocky}. Default true. */
  blocky?: boolean;
  /** Stored: see {@link Context.ioThreads}. Default 1. */
  ioThreads?: number;
  /** Stored: see {@link Context.maxMessageSize}. Default 2,147,483,647. */
  maxMessageSize?: number;
  /** Open sockets at the most: see {@link Context.maxSockets}. Default 1023. */
  maxSockets?: number;
  /** The default of new sockets' `ipv6`: see {@link Context.ipv6}. Default false. */
  ipv6?: boolean;
  /** Of no effect: see {@link Context.threadPriority}. */
  threadPriority?: number;
  /** Of no effect: see {@link Context.threadSchedulingPolicy}. */
  threadSchedulingPolicy?: number;
}

/** Setting an option throws TypeError for a wrong type, EINVAL for a number out of its range. */
export interface Context {
  /**
   * `ZMQ_BLOCKY`: when false, sockets made afterwards get a `linger` of 0, and the warning that
   * the end of the process waits for queued messages leaves its advice out. Default true.
   */
  blocky: boolean;
  /**
   * `ZMQ_IO_THREADS`: stored; everything happens on JavaScript's one thread. Default 1; EINVAL
   * below 0.
   */
  ioThreads: number;
  /**
   * `ZMQ_MAX_MSGSZ`, in bytes: stored; the `maxMessageSize` of a socket is what counts. Default
   * 2,147,483,647; EINVAL below 0.
   */
  maxMessageSize: number;
  /**
   * `ZMQ_MAX_SOCKETS`: open sockets at the most, of all threads together where they share the context;
   * making more throws EMFILE. Default 1023; EINVAL below 1.
   */
  maxSockets: number;
  /** `ZMQ_IPV6`: the default of new sockets' `ipv6`. Default false. */
  ipv6: boolean;
  /** `ZMQ_THREAD_PRIORITY`: accepted, of no effect; reads as undefined. EINVAL below 0. */
  threadPriority: number;
  /** `ZMQ_THREAD_SCHED_POLICY`: accepted, of no effect; reads as undefined. EINVAL below 0. */
  threadSchedulingPolicy: number;
  /**
   * `ZMQ_SOCKET_LIMIT`: 65,535, a constant. As with npm zeromq {@link maxSockets} may be larger all
   * the same.
   */
  readonly maxSocketsLimit: number;
}

/**
 * What sockets have in common: their inproc names, the defaults of some options,
 * and what happens to their messages when the process ends.
 */
export class Context {
  readonly #core = new ContextCore((core) => new ZapClient(core));

  /**
   * @throws TypeError for an option that does not exist or is of the wrong type, EINVAL for a
   *   number out of its range.
   */
  constructor(options?: ContextOptions) {
    checkCount(arguments, 1);
    registerContext(this, this.#core);
    Object.seal(this);
    if (options !== undefined) {
      checkOptions(options);
      Object.assign(this, options);
    }
  }

  /**
   * Reads an option by libzmq's number (`zmq_ctx_get`), as a boolean.
   * @throws TypeError, EINVAL for an option that does not exist or cannot be read.
   */
  protected getBoolOption(_option: number): boolean {
    return this.#core.get(optionId(arguments, 1), "Bool") as boolean;
  }

  /**
   * Sets an option by libzmq's number (`zmq_ctx_set`), to a boolean.
   * @throws TypeError, EINVAL for an option that does not exist or cannot be set, or for its value.
   */
  protected setBoolOption(_option: number, _value: boolean): void {
    this.#core.set(optionId(arguments, 2), "Bool", arguments[1]);
  }

  /** As {@link getBoolOption}, a 32-bit integer. */
  protected getInt32Option(_option: number): number {
    return this.#core.get(optionId(arguments, 1), "Int32") as number;
  }

  /** As {@link setBoolOption}, a 32-bit integer. */
  protected setInt32Option(_option: number, _value: number): void {
    this.#core.set(optionId(arguments, 2), "Int32", arguments[1]);
  }
}

defineContextAccessors(Context.prototype);

/**
 * The context of every socket that is not given another. Its options, its inproc names and how many
 * sockets there may be are those of all threads that were started after the library was loaded in the thread that started them.
 */
export const context: Context = shared("context", () => {
  const made = new Context();
  const threads = Threads.here();
  if (threads !== undefined) contextCore(made)?.share(threads);
  return made;
});
