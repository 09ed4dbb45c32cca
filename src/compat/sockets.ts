import { EventEmitter } from "node:events";
import {
  type Socket as CoreSocket,
  type Message,
  type MessageLike,
  Publisher,
  Pull,
  Push,
  type ReadableSocket,
  Subscriber,
  type WritableSocket,
} from "../index.js";
import { ZMQ_SNDMORE } from "./constants.js";
import { Gate } from "./gate.js";
import { Incoming } from "./incoming.js";
import { Monitor } from "./monitor.js";
import {
  getOption,
  type OptionName,
  type OptionValue,
  requestOptions,
  setOption,
  shortOptions,
} from "./options.js";
import { type Callback, Outgoing } from "./outgoing.js";
import { makeSocket, type SocketType } from "./socket-types.js";

/**
 * A socket of zeromq.js 5: an emitter of `message` events, whose arguments are a message's parts, and
 * of `error` events where there is no callback for them. Options are properties, too: those of
 * `options`, and `correlate` and `relaxed`.
 */
export interface Socket extends EventEmitter {
  // As in npm zeromq's layer: programs keep things of their own in their sockets.
  // biome-ignore lint/suspicious/noExplicitAny: it is what programs for it compile with.
  [key: string]: any;
  /** What it was made as. */
  type: SocketType;
  readonly closed: boolean;
  /** Then `bind` is emitted with the address. @throws EBADF when closed, TypeError, EBUSY. */
  bind(address: string, callback?: Callback): this;
  /** Then `unbind` is emitted with the address. @throws EBADF when closed, TypeError, EBUSY. */
  unbind(address: string, callback?: Callback): this;
  /** @throws What is wrong with the address; EBADF when closed. */
  bindSync(address: string): void;
  /** @throws ENOENT, EINVAL; EBADF when closed. */
  unbindSync(address: string): void;
  /** @throws What is wrong with the address; EBADF when closed. */
  connect(address: string): this;
  /** @throws ENOENT, EINVAL; EBADF when closed. */
  disconnect(address: string): this;
  /**
   * Sends a message, or with `ZMQ_SNDMORE` its first parts, when there is room and all before it have
   * been sent. The callback is told how that ended; without one, an `error` event is.
   */
  send(
    message: MessageLike | MessageLike[],
    flags?: number | null,
    callback?: Callback | undefined,
  ): this;
  /** A message that is there, null if there is none; for programs that do not listen for them. */
  read(): Message[] | null;
  /** From now on no `message` is emitted and nothing is sent. */
  pause(): void;
  resume(): void;
  close(): this;
  /** Emits what happens to the connections. The arguments of old are of no use any more. */
  monitor(interval?: number, number?: number): this;
  unmonitor(): this;
  /** @throws Error unless the type is `sub`. */
  subscribe(prefix: string | Buffer): this;
  /** @throws Error unless the type is `sub`. */
  unsubscribe(prefix: string | Buffer): this;
  /** @throws Error for an option that there is not; what the socket says of the value. */
  setsockopt(option: OptionName, value: unknown): this;
  /** @throws Error for an option that there is not, or that cannot be read. */
  getsockopt(option: OptionName): OptionValue;
}

/** `new Socket(type)`; and `Socket.call(this, type)`, as classes were made in their day. */
export interface SocketConstructor {
  readonly prototype: Socket;
  new (type: SocketType): Socket;
  call(socket: object, type: SocketType): void;
}

/** @throws Error for an unknown type, EMFILE when the context has as many sockets as it may. */
export const Socket = function Socket(this: Socket, type: SocketType): void {
  EventEmitter.call(this);
  insides.set(this, new Inside(this, type));
  this.type = type;
} as unknown as SocketConstructor;

/** Makes a socket, and sets options by their short names. */
export function createSocket(type: SocketType, options: Record<string, unknown> = {}): Socket {
  const socket = new Socket(type);
  try {
    return Object.assign(socket, options);
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** What a socket is made of; in no property of it, for those are the program's. */
class Inside {
  readonly core: CoreSocket;
  readonly gate = new Gate();
  readonly monitor: Monitor;
  readonly incoming: Incoming | undefined;
  readonly outgoing: Outgoing | undefined;

  constructor(emitter: EventEmitter, type: SocketType) {
    const core = makeSocket(type);
    const sendsOnly = core instanceof Push || core instanceof Publisher;
    const receivesOnly = core instanceof Pull || core instanceof Subscriber;
    this.core = core;
    this.monitor = new Monitor(core, emitter);
    if (!sendsOnly) {
      this.incoming = new Incoming(core as CoreSocket & ReadableSocket, this.gate, emitter);
    }
    if (!receivesOnly) {
      this.outgoing = new Outgoing(core as CoreSocket & WritableSocket, this.gate, emitter);
    }
  }

  /** Messages may pass again, or may not any more. */
  update(): void {
    this.incoming?.update();
    this.outgoing?.flush();
  }

  get subscriber(): Subscriber {
    if (this.core instanceof Subscriber) return this.core;
    throw new Error("Subscriber socket required");
  }
}

const insides = new WeakMap<object, Inside>();

/** @throws TypeError for an object that {@link Socket} has not been called for. */
function insideOf(socket: object): Inside {
  const inside = insides.get(socket);
  if (inside === undefined) throw new TypeError("The socket's constructor has not been called");
  return inside;
}

const methods: ThisType<Socket> & Record<string, unknown> = {
  bind(address: string, callback?: Callback) {
    return settle(this, "bind", address, callback);
  },

  unbind(address: string, callback?: Callback) {
    return settle(this, "unbind", address, callback);
  },

  bindSync(address: string) {
    insideOf(this).core.bindSync(address);
  },

  unbindSync(address: string) {
    insideOf(this).core.unbindSync(address);
  },

  connect(address: string) {
    insideOf(this).core.connect(address);
    return this;
  },

  disconnect(address: string) {
    insideOf(this).core.disconnect(address);
    return this;
  },

  send(message: MessageLike | MessageLike[], flags?: number | null, callback?: Callback) {
    const { outgoing } = insideOf(this);
    if (outgoing === undefined) throw new Error("Cannot send on this socket type.");
    outgoing.send(message, ((flags ?? 0) & ZMQ_SNDMORE) !== 0, callback);
    return this;
  },

  read() {
    return insideOf(this).incoming?.read() ?? null;
  },

  pause() {
    const inside = insideOf(this);
    inside.gate.pause();
    inside.update();
  },

  resume() {
    const inside = insideOf(this);
    inside.gate.resume();
    inside.update();
  },

  close() {
    const inside = insideOf(this);
    inside.core.close();
    inside.update();
    return this;
  },

  monitor(interval?: number, number?: number) {
    insideOf(this).monitor.start();
    if (interval || number) {
      process.emitWarning(
        "Arguments to monitor() are ignored in compatibility mode; all events are read automatically",
      );
    }
    return this;
  },

  unmonitor() {
    insideOf(this).monitor.stop();
    return this;
  },

  subscribe(prefix: string | Buffer) {
    insideOf(this).subscriber.subscribe(prefix);
    return this;
  },

  unsubscribe(prefix: string | Buffer) {
    insideOf(this).subscriber.unsubscribe(prefix);
    return this;
  },

  setsockopt(option: OptionName, value: unknown) {
    setOption(insideOf(this).core, option, value);
    return this;
  },

  getsockopt(option: OptionName) {
    return getOption(insideOf(this).core, option);
  },
};

/** A bind or unbind: meanwhile the socket can do nothing else. */
function settle(
  socket: Socket,
  what: "bind" | "unbind",
  address: string,
  callback: Callback | undefined,
): Socket {
  const inside = insideOf(socket);
  const done = inside.core[what](address);
  inside.gate.block();
  inside.update();
  const over = (tell: () => void): void => {
    inside.gate.unblock();
    inside.update();
    // What listeners throw is theirs: it must not end up in a promise of ours.
    process.nextTick(tell);
  };
  done.then(
    () =>
      over(() => {
        socket.emit(what, address);
        callback?.();
      }),
    (error: Error) =>
      over(() => {
        if (callback) callback(error);
        else socket.emit("error", error);
      }),
  );
  return socket;
}

/** The emitter's own ways to add and to remove a listener; the first for `message` begins to receive. */
const LISTENING = [
  ...["on", "addListener", "prependListener"],
  ...["off", "removeListener", "removeAllListeners"],
] as const;

function definePrototype(prototype: Socket): void {
  const define = (name: string, descriptor: PropertyDescriptor): void => {
    Object.defineProperty(prototype, name, { configurable: true, ...descriptor });
  };
  for (const [name, value] of Object.entries(methods)) define(name, { value, writable: true });
  define("closed", {
    get(this: Socket) {
      return insideOf(this).core.closed;
    },
  });
  for (const name of LISTENING) {
    const inherited = EventEmitter.prototype[name as "on"] as (...args: unknown[]) => unknown;
    const value = function (this: Socket, ...args: unknown[]): unknown {
      const result = inherited.apply(this, args);
      insides.get(this)?.incoming?.update();
      return result;
    };
    define(name, { value, writable: true });
  }
  for (const [name, number] of Object.entries({ ...shortOptions, ...requestOptions })) {
    const set = function (this: Socket, value: unknown): void {
      setOption(insideOf(this).core, number, value);
    };
    const get = function (this: Socket): OptionValue {
      return getOption(insideOf(this).core, number);
    };
    define(name, name in requestOptions ? { set } : { get, set });
  }
}

// Bundlers give it another name, which would show wherever a socket is printed.
Object.defineProperty(Socket, "name", { value: "Socket", configurable: true });
Object.setPrototypeOf(Socket, EventEmitter);
Object.setPrototypeOf(Socket.prototype, EventEmitter.prototype);
definePrototype(Socket.prototype);
