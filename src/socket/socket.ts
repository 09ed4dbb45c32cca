import { type ErrnoError, errnoError } from "../errors.js";
import { type Message, type MessageLike, type Parts, toParts } from "../message.js";
import {
  defineAccessors,
  OPTIONS,
  type OptionScope,
  type OptionType,
  type OptionValue,
} from "../options.js";
import { Transfer } from "../transfer.js";
import {
  blocked,
  busy,
  type CallOptions,
  checkAddress,
  checkCount,
  checkOptions,
  optionId,
  optionsOf,
  type SendCallOptions,
  signalOf,
  type TransferOptions,
} from "./arguments.js";
import type { Authenticate } from "./authenticate.js";
import { type Context, context as defaultContext } from "./context.js";
import { contextCore } from "./context-core.js";
import { Core } from "./core.js";
import { bind, bindSync, connect, disconnect, unbind } from "./endpoints.js";
import { hold } from "./hold.js";
import type { SocketKind } from "./kind.js";
import { Observer, registerMonitor } from "./observer.js";
import type {
  CommonOptions,
  ReceiveMarks,
  ReceiveOptions,
  SendMarks,
  SendOptions,
} from "./option-types.js";
import { registerInside } from "./proxy.js";
import { type Reader, type Step, toStep } from "./reader.js";
import { type Stats, statsOf } from "./stats.js";
import type { Writer } from "./writer.js";

declare global {
  // As Node.js declares it, for those whose TypeScript does not know it yet.
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

const kinds = new Map<number, SocketKind>();

/** What {@link defineSocket} is told of a socket type. */
type SocketDefinition = Omit<SocketKind, "options"> & {
  scopes: readonly OptionScope[];
  /** Options that it has beside those of its scopes. */
  options?: readonly string[];
};

/**
 * Makes a socket type known to `new Socket(type)`, and gives its class the options that it has.
 * @internal
 */
export function defineSocket(
  socketClass: { readonly prototype: Socket },
  { scopes, options = [], ...kind }: SocketDefinition,
): void {
  const own = OPTIONS.filter(({ name, scope }) => scopes.includes(scope) || options.includes(name));
  const all = [...OPTIONS.filter(({ scope }) => scope === "all"), ...own];
  defineAccessors(socketClass.prototype, own);
  kinds.set(kind.type, { ...kind, options: new Map(all.map((it) => [it.id, it])) });
}

export interface Socket extends CommonOptions {}

/** What a socket that can send has, here as in npm zeromq: `M` is a message, `O` what comes with it. */
export interface Writable<
  M extends MessageLike | MessageLike[] = MessageLike | MessageLike[],
  O extends [...object[]] = [],
> extends SendOptions {
  /** Sends a message, waiting for room if there is none: see {@link WritableSocket.send}. */
  send(message: M, ...options: O): Promise<void>;
}

/** What a socket that can receive has, here as in npm zeromq: `M` is a message. */
export interface Readable<M extends object[] = Message[]> extends ReceiveOptions {
  /** Receives the next message, waiting for it: see {@link ReadableSocket.receive}. */
  receive(): Promise<M>;
  /** Messages until the socket is closed: `for await (const parts of socket)`. */
  [Symbol.asyncIterator](): AsyncIterator<M, undefined>;
}

/** A socket that can send, with what is ours alone. */
export interface WritableSocket<M extends MessageLike | MessageLike[] = MessageLike | MessageLike[]>
  extends Writable<M>,
    SendMarks {
  /**
   * Sends a message: one part, or an array of parts. Parts of up to 128 bytes may be reused at
   * once, larger ones not before they have been written.
   *
   * Resolves when the message is queued, or dropped where the socket's type says so. Rejects with
   * EAGAIN after `sendTimeout` or when the socket is closed meanwhile; EFSM instead after
   * `sendTimeout` when it was not this call's turn (Request, Reply); ENOTSUP when the type cannot
   * send, EHOSTUNREACH when there is nobody of that name (Stream, Router with `mandatory`). Then, or
   * when aborted, nothing has been sent.
   * @throws TypeError, Error for a DataView, EBADF when closed, EBUSY while another send waits, or
   *   during a bind or unbind; EINVAL for what cannot be transferred ({@link TransferOptions.transfer}):
   *   what is detached, or not the caller's to give (Node.js' pool of Buffers, WebAssembly's memory, what is
   *   marked as untransferable), what no part lies in, what is there twice. If it was detached while
   *   the call had to wait, that rejects so.
   */
  send(message: M, options?: SendCallOptions): Promise<void>;
  /**
   * Sends a message if it need not wait. Ours alone.
   * @returns Whether the message was accepted.
   * @throws As {@link send}, and what that rejects with, but for EAGAIN.
   */
  trySend(message: M, options?: TransferOptions): boolean;
}

/** A socket that can receive, with what is ours alone. */
export interface ReadableSocket<M extends object[] = Message[]> extends Readable<M>, ReceiveMarks {
  /**
   * Receives the next message. Rejects with EAGAIN after `receiveTimeout` or when the socket is
   * closed meanwhile; EFSM instead after `receiveTimeout` when it was not this call's turn (Request,
   * Reply); ENOTSUP when the type cannot receive. Then, or when aborted, no message has been taken.
   * @throws TypeError, EBADF when closed, EBUSY while another receive waits, or during a bind or
   *   unbind.
   */
  receive(options?: CallOptions): Promise<M>;
  /**
   * Takes the next message if there is one. Ours alone.
   * @returns The message; undefined when there is none.
   * @throws As {@link receive}, and what that rejects with, but for EAGAIN.
   */
  tryReceive(): M | undefined;
  /**
   * Messages until the socket is closed; leaving the loop leaves the socket open. What
   * {@link receive} throws or rejects with otherwise, after `receiveTimeout` say, ends the loop.
   */
  [Symbol.asyncIterator](): AsyncIterator<M, undefined>;
}

type OptionKeys<S> = {
  [K in keyof S]: S[K] extends (...args: never[]) => unknown ? never : K;
}[keyof S];

/** What a socket tells, and nobody sets. */
type ReadOnlyKeys =
  | "events"
  | "closed"
  | "readable"
  | "writable"
  | "context"
  | "type"
  | "lastEndpoint"
  | "securityMechanism"
  | "threadSafe";

/** What a socket's constructor takes: its options and its context. */
export type SocketOptions<S extends Socket> = Partial<
  Pick<S, Exclude<OptionKeys<S>, ReadOnlyKeys>>
> & { context?: Context };

/** A socket: what all types have. */
export class Socket {
  readonly #core: Core;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #context: Context;
  #observer: Observer | undefined;
  #blocked = false;
  #closing = false;

  /**
   * @param type libzmq's number of the type (`ZMQ_PAIR`).
   * @throws TypeError for wrong arguments or options, EINVAL for an unknown type or what is no
   *   context, EMFILE when the context has `maxSockets` already; what setting an option throws.
   */
  constructor(type: number, options?: SocketOptions<Socket>) {
    if (typeof type !== "number") throw new TypeError("Socket type must be a number");
    checkCount(arguments, 2);
    if (options !== undefined) checkOptions(options);
    const { context = defaultContext, ...settings } = options ?? {};
    const kind = kinds.get(type);
    const inner =
      context !== null && typeof context === "object" ? contextCore(context) : undefined;
    if (kind === undefined || inner === undefined) throw errnoError("EINVAL");
    this.#context = context;
    this.#core = new Core(kind, inner);
    this.#reader = this.#core.reader;
    this.#writer = this.#core.writer;
    registerMonitor(this, this.#core.monitor);
    registerInside(this, {
      core: this.#core,
      checkFree: () => {
        this.#checkReading();
        this.#checkWriting();
      },
      block: (done) => this.#block(done),
    });
    unreferenced.register(this, this.#core);
    Object.seal(this);
    try {
      Object.assign(this, settings);
    } catch (error) {
      this.#core.close();
      throw error;
    }
  }

  /**
   * Tells what happens to the connections; always the same observer.
   * @throws ENOTSOCK when closed.
   */
  get events(): Observer {
    if (this.closed) throw errnoError("ENOTSOCK");
    this.#observer ??= new Observer(this);
    return this.#observer;
  }

  /** The context that the socket was made in; undefined when closed. */
  get context(): Context {
    return (this.closed ? undefined : this.#context) as Context;
  }

  /** Whether {@link close} has been called, and no bind or unbind holds it up. */
  get closed(): boolean {
    return this.#core.closed;
  }

  get authenticate(): Authenticate | null {
    if (this.closed) throw errnoError("ENOTSOCK");
    return this.#core.judge.authenticate;
  }

  set authenticate(judge: Authenticate | null) {
    if (judge !== null && typeof judge !== "function") {
      throw new TypeError("authenticate must be a function or null");
    }
    if (this.closed) throw errnoError("ENOTSOCK");
    if (judge !== null && this.#core.kind.name === "STREAM") {
      throw errnoError("EINVAL", undefined, "Invalid argument: a Stream cannot be secured");
    }
    this.#core.judge.authenticate = judge;
  }

  /** Whether a message can be received without waiting. */
  get readable(): boolean {
    return !this.closed && !this.#blocked && this.#core.pattern.readable;
  }

  /** Whether a message can be sent without waiting. */
  get writable(): boolean {
    return !this.closed && !this.#blocked && !this.#writer.busy && this.#core.pattern.writable;
  }

  /**
   * Waits for peers at an endpoint: `tcp://`, `ipc://` or `inproc://`; a Dish and a Datagram take datagrams
   * at `udp://` ones: `udp://127.0.0.1:5555`, or of a multicast group `udp://239.0.0.1:5555`, at an interface
   * `udp://eth0;239.0.0.1:5555`.
   * @throws TypeError, EBADF when closed, EBUSY during another bind or unbind. Rejects with what
   *   is wrong with the endpoint: EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, EADDRINUSE, EADDRNOTAVAIL,
   *   ENODEV ..., or with the signal's reason: then nothing is bound.
   */
  bind(address: string, _options?: CallOptions): Promise<void> {
    checkAddress(address);
    const signal = signalOf(arguments, 1);
    this.#checkFree();
    if (signal?.aborted) return Promise.reject(signal.reason);
    return this.#block(bind(this.#core, address, signal));
  }

  /**
   * As {@link bind}, at once; errors are thrown. A runtime that can bind tcp or udp only asynchronously
   * does so: what then fails comes as a `bind:error` event.
   * @throws As {@link bind}; ENODEV for a host name that would have to be looked up.
   */
  bindSync(address: string): void {
    checkAddress(address);
    checkCount(arguments, 1);
    this.#checkFree();
    bindSync(this.#core, address);
  }

  /**
   * Gives up an endpoint; its peers are disconnected once what was sent to them is written, those
   * of inproc stay. What came from udp and was not received stays, too.
   * @throws TypeError, EBADF when closed, EBUSY during a bind or another unbind. Rejects with
   *   ENOENT when it is not bound, EINVAL or EPROTONOSUPPORT when it is no endpoint.
   */
  unbind(address: string): Promise<void> {
    checkAddress(address);
    checkCount(arguments, 1);
    this.#checkFree();
    return this.#block(
      new Promise((resolve) => {
        unbind(this.#core, address);
        resolve();
      }),
    );
  }

  /** As {@link unbind}, at once; errors are thrown. */
  unbindSync(address: string): void {
    checkAddress(address);
    checkCount(arguments, 1);
    this.#checkFree();
    unbind(this.#core, address);
  }

  /**
   * Connects to an endpoint; over tcp and ipc again after each failure or loss until
   * {@link disconnect}, unless `reconnectInterval` is 0 or -1, or the peer refused with an ERROR.
   * An inproc name may be bound later. Does nothing when the endpoint was connected and not
   * disconnected since. A Radio sends to `udp://` endpoints, too: see {@link bind}; a name there that is
   * not known loses what is sent, until it is.
   * @throws TypeError, EBADF when closed, EBUSY during a bind or unbind; what is wrong with the
   *   endpoint: EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, ENAMETOOLONG or ENOTSUP (ipc), ENODEV and other
   *   errors of the system's (udp).
   */
  connect(address: string): void {
    // First: whatever comes of this call, the name is not for the next one.
    const routingId = this.#core.takeConnectRoutingId();
    checkAddress(address);
    checkCount(arguments, 1);
    this.#checkFree();
    connect(this.#core, address, routingId);
  }

  /**
   * Gives up a connection, once what was sent to it is written or `linger` is over; messages that
   * came from it and were not received are dropped.
   * @throws TypeError, EBADF when closed, EBUSY during a bind or unbind; ENOENT when the endpoint
   *   is not connected, EINVAL or EPROTONOSUPPORT when it is no endpoint.
   */
  disconnect(address: string): void {
    checkAddress(address);
    checkCount(arguments, 1);
    this.#checkFree();
    disconnect(this.#core, address);
  }

  /**
   * Closes the socket. Calls that wait reject with EAGAIN; messages that wait to be sent are sent
   * for as long as {@link linger} says. During a bind or unbind it takes effect afterwards.
   */
  close(): void {
    checkCount(arguments, 0);
    if (this.#blocked) this.#closing = true;
    else this.#core.close();
  }

  /** Closes the socket; resolves once linger is over. Ours alone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#core.settled();
  }

  /** @internal */
  send(message: MessageLike | MessageLike[], _options?: SendCallOptions): Promise<void> {
    if (message === undefined) throw new TypeError("Message must be present");
    const options =
      arguments.length > 1 ? optionsOf(arguments, 1, ["signal", "transfer"]) : undefined;
    const parts = toParts(message);
    const transfer = transferOf(options, parts);
    this.#checkWriting();
    const signal = options?.signal;
    if (parts.length === 0) return Promise.resolve();
    if (signal?.aborted) return Promise.reject(signal.reason);
    return this.#writer.send(parts, this.#core.sendTimeoutMs, signal, transfer);
  }

  /** @internal */
  trySend(message: MessageLike | MessageLike[], _options?: TransferOptions): boolean {
    if (message === undefined) throw new TypeError("Message must be present");
    const options = arguments.length > 1 ? optionsOf(arguments, 1, ["transfer"]) : undefined;
    const parts = toParts(message);
    this.#checkWriting();
    const transfer = transferOf(options, parts);
    if (parts.length === 0 || this.#writer.trySend(parts, transfer)) return true;
    const { code } = this.#core.pattern.sendRefusal;
    if (code !== "EAGAIN") throw errnoError(code);
    return false;
  }

  /** @internal */
  receive(_options?: CallOptions): Promise<Message[]> {
    const signal = arguments.length > 0 ? signalOf(arguments, 0) : undefined;
    this.#checkReading();
    if (signal?.aborted) return Promise.reject(signal.reason);
    return this.#reader.receive(this.#core.receiveTimeoutMs, signal);
  }

  /** @internal */
  tryReceive(): Message[] | undefined {
    if (arguments.length > 0) checkCount(arguments, 0);
    this.#checkReading();
    const parts = this.#reader.tryReceive();
    if (parts !== undefined) return parts;
    const { code } = this.#core.pattern.receiveRefusal;
    if (code !== "EAGAIN") throw errnoError(code);
    return undefined;
  }

  /** @internal */
  [Symbol.asyncIterator](): AsyncIterator<Message[], undefined> {
    return new MessageIterator(this, (failed) => {
      this.#checkReading();
      return this.#reader.next(this.#core.receiveTimeoutMs, failed);
    });
  }

  /** What the socket holds now, and what went through it. Ours alone. */
  stats(): Stats {
    return statsOf(this.#core);
  }

  /**
   * Reads an option by libzmq's number (`zmq_getsockopt`), as a boolean. Booleans and numbers of
   * any width may be read, and set, as each other.
   * @throws TypeError, ENOTSOCK when closed, EINVAL for an option that does not exist, is of
   *   another type or cannot be read.
   */
  protected getBoolOption(_option: number): boolean {
    return this.#get(arguments, "Bool") as boolean;
  }

  /**
   * Sets an option by libzmq's number (`zmq_setsockopt`), to a boolean.
   * @throws TypeError, ENOTSOCK when closed, EINVAL for an option that does not exist, is of
   *   another type or cannot be set, or for its value.
   */
  protected setBoolOption(_option: number, _value: boolean): void {
    this.#set(arguments, "Bool");
  }

  /** As {@link getBoolOption}, a signed 32-bit integer. */
  protected getInt32Option(_option: number): number {
    return this.#get(arguments, "Int32") as number;
  }

  /** As {@link setBoolOption}, a signed 32-bit integer. */
  protected setInt32Option(_option: number, _value: number): void {
    this.#set(arguments, "Int32");
  }

  /** As {@link getBoolOption}, an unsigned 32-bit integer. */
  protected getUint32Option(_option: number): number {
    return this.#get(arguments, "Uint32") as number;
  }

  /** As {@link setBoolOption}, an unsigned 32-bit integer. */
  protected setUint32Option(_option: number, _value: number): void {
    this.#set(arguments, "Uint32");
  }

  /** As {@link getBoolOption}, a signed 64-bit integer. */
  protected getInt64Option(_option: number): number {
    return this.#get(arguments, "Int64") as number;
  }

  /** As {@link setBoolOption}, a signed 64-bit integer, exact up to 2^53. */
  protected setInt64Option(_option: number, _value: number): void {
    this.#set(arguments, "Int64");
  }

  /** As {@link getBoolOption}, an unsigned 64-bit integer. */
  protected getUint64Option(_option: number): number {
    return this.#get(arguments, "Uint64") as number;
  }

  /** As {@link setBoolOption}, an unsigned 64-bit integer, exact up to 2^53. */
  protected setUint64Option(_option: number, _value: number): void {
    this.#set(arguments, "Uint64");
  }

  /** As {@link getBoolOption}, a string or null. */
  protected getStringOption(_option: number): string | null {
    return this.#get(arguments, "String") as string | null;
  }

  /** As {@link setBoolOption}, a string, a Buffer or null. */
  protected setStringOption(_option: number, _value: string | null): void {
    this.#set(arguments, "String");
  }

  #get(args: ArrayLike<unknown>, type: OptionType): OptionValue {
    const id = optionId(args, 1);
    if (this.closed) throw errnoError("ENOTSOCK");
    return this.#core.options.get(id, type);
  }

  #set(args: ArrayLike<unknown>, type: OptionType): void {
    const id = optionId(args, 2);
    if (this.closed) {
      this.#core.options.convert(id, type, args[1]);
      throw errnoError("ENOTSOCK");
    }
    const immediate = this.#core.setOption(id, type, args[1]);
    if (!immediate && (this.#blocked || this.#core.inUse)) {
      process.emitWarning("Socket option will not take effect until next connect/bind.");
    }
  }

  #checkFree(): void {
    if (this.#core.closed) throw errnoError("EBADF");
    if (this.#blocked) throw blocked();
  }

  /** @throws EBADF when closed, EBUSY during a bind or unbind, or while another send waits. */
  #checkWriting(): void {
    this.#checkFree();
    if (this.#writer.busy) throw busy("writing");
  }

  /** @throws EBADF when closed, EBUSY during a bind or unbind, or while another receive waits. */
  #checkReading(): void {
    this.#checkFree();
    if (this.#reader.busy) throw busy("reading");
  }

  /** Lets nothing else happen until a bind or unbind has settled. */
  async #block(settled: Promise<void>): Promise<void> {
    this.#blocked = true;
    hold.take();
    try {
      await settled;
    } finally {
      hold.release();
      this.#blocked = false;
      if (this.#closing) this.#core.close();
    }
  }
}

/** What a message takes along. @throws As {@link Transfer}. */
function transferOf(options: TransferOptions | undefined, parts: Parts): Transfer | undefined {
  if (options?.transfer === undefined) return undefined;
  return new Transfer(options.transfer, parts);
}

/**
 * A socket that nobody has any more is closed, as npm zeromq's is; but not while somebody waits for
 * what it does: then the next collection looks again.
 */
const unreferenced = new FinalizationRegistry<Core>((core) => {
  if (core.busy) unreferenced.register({}, core);
  else core.close();
});

/** `for await` over a socket. */
class MessageIterator implements AsyncIterator<Message[], undefined> {
  readonly #socket: Socket;
  readonly #next: (failed: (error: unknown) => Step) => Promise<Step>;

  /** @param next As {@link Reader.next}. */
  constructor(socket: Socket, next: (failed: (error: unknown) => Step) => Promise<Step>) {
    this.#socket = socket;
    this.#next = next;
  }

  next(): Promise<Step> {
    const socket = this.#socket;
    if (socket.closed) return Promise.resolve(END);
    try {
      // Whoever has put a `receive` in the place of ours gets its messages in a loop, too, as with npm zeromq.
      if (socket.receive !== receive) return socket.receive().then(toStep, this.#ended);
      return this.#next(this.#ended);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The socket was closed meanwhile: that ends the loop, anything else is thrown into it. */
  readonly #ended = (error: unknown): Step => {
    if (this.#socket.closed && (error as ErrnoError).code === "EAGAIN") return END;
    throw error;
  };
}

const { receive } = Socket.prototype;
const END: Step = { done: true, value: undefined };

for (const spec of OPTIONS) {
  if (spec.scope === "all") defineAccessors(Socket.prototype, [spec]);
}
