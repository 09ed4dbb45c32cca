import { errnoError } from "../errors.js";
import type { Parts } from "../message.js";
import { shared } from "../shared.js";
import { checkCount } from "./arguments.js";
import type { Core } from "./core.js";
import { hold } from "./hold.js";
import { Loop } from "./loop.js";
import type { Socket } from "./socket.js";
import { Share, turn } from "./turn.js";

/** What a proxy needs of a socket. @internal */
export interface Inside {
  core: Core;
  /** @throws EBUSY when the socket is in use. */
  checkFree(): void;
  /** Lets nobody use the socket until `done` has settled. */
  block(done: Promise<void>): Promise<void>;
}

/** The inside of each socket, whichever copy of the library made it. */
const insides: WeakMap<object, Inside> = shared("insides", () => new WeakMap());

/** Lets proxies reach the inside of `socket`. @internal */
export function registerInside(socket: object, inside: Inside): void {
  insides.set(socket, inside);
}

/** Ours alone: options of a {@link Proxy}. */
export interface ProxyOptions<C extends Socket = Socket> {
  /** Is sent a copy of every message, either way, if it has room for it. */
  capture?: C;
}

/**
 * Hands messages from one socket to another, both ways (`zmq_proxy_steerable`).
 *
 * A message is taken from one side only when the other has room for it: who sends faster than the
 * others receive is made to wait. While it runs, the sockets cannot be used otherwise.
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: npm zeromq's name for it.
export class Proxy<F extends Socket = Socket, B extends Socket = Socket> {
  static {
    // A bundler may have to call it otherwise, for JavaScript has a Proxy of its own.
    Object.defineProperty(Proxy, "name", { value: "Proxy" });
  }

  readonly #frontEnd: F;
  readonly #backEnd: B;
  readonly #capture: Socket | undefined;
  #running: Run | undefined;

  /**
   * @param options Ours alone.
   * @throws TypeError or EINVAL for what is no socket.
   */
  constructor(frontEnd: F, backEnd: B, _options?: ProxyOptions) {
    checkSocket(frontEnd, "Front-end");
    checkSocket(backEnd, "Back-end");
    this.#frontEnd = frontEnd;
    this.#backEnd = backEnd;
    this.#capture = captureOf(arguments);
    Object.seal(this);
  }

  /** The first socket. */
  get frontEnd(): F {
    return this.#frontEnd;
  }

  /** The second socket. */
  get backEnd(): B {
    return this.#backEnd;
  }

  /**
   * Hands messages over until {@link terminate}; then both sockets are closed, and the capture
   * socket is free again.
   *
   * Rejects with EHOSTUNREACH when a Router with `mandatory` cannot send a message; that ends it,
   * too.
   * @throws EINVAL when either end is closed, or neither bound nor connected; EBADF when the capture
   *   socket is closed; EBUSY when one of them is in use.
   */
  run(): Promise<void> {
    checkCount(arguments, 0);
    const front = open(this.#frontEnd, "Front-end");
    const back = open(this.#backEnd, "Back-end");
    const capture = this.#capture && insides.get(this.#capture);
    for (const inside of [front, back, capture]) inside?.checkFree();
    const run = new Run(front.core, back.core, capture?.core);
    this.#running = run;
    for (const inside of new Set([front, back, capture])) {
      inside?.block(run.done).catch(() => {});
    }
    run.start();
    return run.done.finally(() => {
      this.#running = undefined;
      front.core.close();
      back.core.close();
    });
  }

  /**
   * Takes no more messages, until {@link resume}: they wait where they are.
   * @throws EBADF when it does not run.
   */
  pause(): void {
    checkCount(arguments, 0);
    this.#current().pause();
  }

  /**
   * Goes on after {@link pause}.
   * @throws EBADF when it does not run.
   */
  resume(): void {
    checkCount(arguments, 0);
    this.#current().resume();
  }

  /**
   * Ends {@link run}.
   * @throws EBADF when it does not run.
   */
  terminate(): void {
    checkCount(arguments, 0);
    const run = this.#current();
    this.#running = undefined;
    run.terminate();
  }

  #current(): Run {
    if (this.#running === undefined || this.#running.over) throw errnoError("EBADF");
    return this.#running;
  }
}

/**
 * A proxy at work.
 *
 * ```
 *   active <--pause, resume--> paused
 *      |                          |
 *      +--------terminate---------+--> terminated
 * ```
 */
class Run {
  readonly done: Promise<void>;
  readonly #routes: Route[];
  #state: "active" | "paused" | "terminated" = "active";
  readonly #share = new Share(turn);
  #settle: (failure?: Error) => void = () => {};
  /** What is moved wakes sockets, which may be ours. */
  readonly #loop = new Loop(() => this.#moveAll());
  #deferred = false;

  constructor(front: Core, back: Core, capture: Core | undefined) {
    this.done = new Promise((resolve, reject) => {
      this.#settle = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
    this.#routes = [new Route(front, back, capture)];
    if (front !== back) this.#routes.push(new Route(back, front, capture));
    for (const core of [front, back]) core.relay = () => this.#forward();
  }

  /** Whether it has come to its end, which {@link done} tells only later. */
  get over(): boolean {
    return this.#state === "terminated";
  }

  start(): void {
    hold.take();
    this.#forward();
  }

  pause(): void {
    this.#state = "paused";
  }

  resume(): void {
    this.#state = "active";
    this.#forward();
  }

  /** @param failure Why it cannot go on. */
  terminate(failure?: Error): void {
    if (this.#state === "terminated") return;
    this.#state = "terminated";
    for (const { from } of this.#routes) from.relay = undefined;
    hold.release();
    this.#settle(failure);
  }

  #forward(): void {
    if (!this.#deferred) this.#loop.run();
  }

  /** Moves a message each way in turn, for as long as there are any, and the turn lasts. */
  #moveAll(): void {
    try {
      while (this.#state === "active" && this.#moveEachWay()) {
        if (!this.#share.spend()) continue;
        this.#defer();
        break;
      }
    } catch (error) {
      this.terminate(error as Error);
    }
  }

  /** @returns Whether anything was moved. */
  #moveEachWay(): boolean {
    let moved = false;
    for (const route of this.#routes) if (route.move()) moved = true;
    return moved;
  }

  #defer(): void {
    this.#deferred = true;
    turn.defer(() => {
      this.#deferred = false;
      this.#forward();
    });
  }
}

/** One way through a proxy. */
class Route {
  readonly from: Core;
  readonly #to: Core;
  readonly #capture: Core | undefined;
  /** A message that was taken and found no room after all: no other is taken before it. */
  #held: Parts | undefined;

  constructor(from: Core, to: Core, capture: Core | undefined) {
    this.from = from;
    this.#to = to;
    this.#capture = capture;
  }

  /**
   * @returns Whether it moved a message.
   * @throws What waiting does not help against: nobody is called as a message says.
   */
  move(): boolean {
    if (this.#held === undefined) {
      // A socket that is both ends may have to receive before it can send.
      if (this.#to !== this.from && !this.#to.pattern.writable) return false;
      this.#held = this.from.reader.take();
      if (this.#held === undefined) return false;
      // A copy of the list: sockets may change theirs.
      if (this.#capture !== undefined) this.#capture.writer.trySend(this.#held.slice());
    }
    if (!this.#to.writer.trySend(this.#held)) {
      const { code, waits } = this.#to.pattern.sendRefusal;
      if (!waits) throw errnoError(code);
      return false;
    }
    this.#held = undefined;
    return true;
  }
}

function checkSocket(socket: unknown, which: string): void {
  if (socket === null || typeof socket !== "object") {
    throw new TypeError(`${which} must be a socket object`);
  }
  if (!insides.has(socket)) throw errnoError("EINVAL");
}

/** @throws TypeError unless there are two arguments, or a third that has options. */
function captureOf(args: ArrayLike<unknown>): Socket | undefined {
  const options = args[2];
  const isOptions = options !== null && typeof options === "object" && !insides.has(options);
  if (args.length !== 3 || !isOptions) checkCount(args, 2);
  const capture = (options as ProxyOptions | undefined)?.capture;
  if (capture !== undefined) checkSocket(capture, "Capture");
  return capture;
}

/** @throws EINVAL when the socket cannot be a side of a proxy now. */
function open(socket: Socket, which: string): Inside {
  const inside = insides.get(socket) as Inside;
  if (!inside.core.inUse || socket.closed) {
    throw errnoError("EINVAL", undefined, `${which} socket must be bound or connected`);
  }
  return inside;
}
