import type { Buffer } from "node:buffer";
import type { MessagePort } from "node:worker_threads";
import { errnoError } from "../errors.js";
import { Bridge, type BridgeOwner } from "./bridge.js";
import type { Candidate } from "./candidates.js";
import type { Core, Endpoint } from "./core.js";
import type { Bounds } from "./lane.js";
import type { Link } from "./link.js";
import { Pipe, type PipeSink } from "./pipe.js";
import type { Session } from "./session.js";
import { NO_ROUTING_ID } from "./wiring.js";

/** A connection within this process, as the socket of either side sees it. */
export interface InprocPeer {
  linkOf(core: Core): Link;
  /** The socket was closed. */
  closedBy(core: Core): void;
  /** A mark of the socket has changed. */
  updateMarks(): void;
}

const NO_SESSIONS: readonly Session[] = [];

/** A name that a socket has bound. */
export class InprocBinding implements Endpoint {
  readonly endpoint: string;
  readonly sessions = NO_SESSIONS;
  readonly core: Core;
  readonly #name: string;

  /** @throws EADDRINUSE when the name is taken. */
  constructor(core: Core, name: string, endpoint: string) {
    this.core = core;
    this.endpoint = endpoint;
    this.#name = name;
    const { names, abroad } = core.context;
    if (abroad?.claim(name) === false) throw errnoError("EADDRINUSE", endpoint);
    const guests = names.bind(name, this);
    if (guests === undefined) throw errnoError("EADDRINUSE", endpoint);
    for (const guest of guests) guest.meet(this);
    abroad?.announce(name);
  }

  /** Gives the name up. Who is connected stays so. */
  close(): void {
    this.core.context.names.unbind(this.#name, this);
    this.core.context.abroad?.release(this.#name);
  }
}

/**
 * A connection to a name, whether it is bound already or will be: one pipe, straight from socket
 * to socket. Each direction holds the send mark of one side and the receive mark of the other. If
 * another thread has the name, a bridge holds the end that would be the other socket's.
 */
export class InprocConnection implements Endpoint, PipeSink, Candidate, InprocPeer, BridgeOwner {
  readonly endpoint: string;
  readonly sessions = NO_SESSIONS;
  readonly startedAt: number = performance.now();
  readonly #core: Core;
  readonly #name: string;
  #host: InprocBinding | undefined;
  /** What our socket shall call theirs, if it said so. */
  readonly #nameForTheirs: Buffer | undefined;
  /** Our socket's end, once it has a place for it; theirs is ours to keep until they have one. */
  #ours: Pipe | undefined;
  #theirs: Pipe | undefined;
  #attached = false;
  /** The way to a socket in another thread, open or not yet. */
  #bridge: Bridge | undefined;
  /** What that socket calls itself, once it is open. */
  #remoteId: Buffer | undefined;
  /** Called when nobody is there who lets us in; we wait for who takes the name next. */
  onUnmet: (() => void) | undefined = undefined;
  readonly #guest: Candidate = { enter: () => this.#attachTheirs() };

  constructor(core: Core, name: string, endpoint: string, routingId?: Buffer) {
    this.#core = core;
    this.endpoint = endpoint;
    this.#name = name;
    this.#nameForTheirs = routingId;
  }

  /** Whether both sockets are of types that talk to each other. */
  suits(host: InprocBinding): boolean {
    return this.#core.wiring.suits(host.core.kind);
  }

  /** The connection as one of its two sockets sees it. */
  linkOf(core: Core): Link {
    const { endpoint, peerAddress, established, startedAt } = this;
    const isOurs = core === this.#core;
    const peer = isOurs ? this.#host?.core : this.#core;
    const name = this.#remoteId ?? peer?.wiring.routingId;
    return {
      endpoint,
      peerAddress,
      established,
      startedAt,
      socketPipe: isOurs ? this.#ours : this.#theirs,
      routingId: name?.length === 0 ? undefined : name,
    };
  }

  /** Whether the name is bound, or was. */
  get established(): boolean {
    return this.#host !== undefined || this.#remoteId !== undefined;
  }

  get peerAddress(): string | undefined {
    return this.established ? this.endpoint : undefined;
  }

  connect(): void {
    if (this.#core.pattern.vacant) this.enter();
    else this.#core.candidates.add(this);
  }

  /** Our socket has a place. */
  enter(): void {
    const [ours, theirs] = Pipe.pair(this.#core.sendMarks.each, this.#core.receiveMarks.each);
    this.#ours = ours;
    this.#theirs = theirs;
    this.#core.inproc.add(this);
    ours.exclusive = this.#core.options.boolean("exclusiveBuffers");
    ours.onEnd = () => this.#over();
    ours.direct = true;
    theirs.direct = true;
    theirs.attach(this);
    this.#core.pattern.attach(ours, this.#nameForTheirs);
    const { names, abroad } = this.#core.context;
    const host = names.connect(this.#name, this);
    if (host !== undefined) this.meet(host);
    else if (abroad?.seek(this.#name, this) !== true) this.onUnmet?.();
  }

  /** The type of our socket, for those who cannot see it. */
  get type(): string {
    return this.#core.kind.name;
  }

  /** What it calls itself. */
  get routingId(): Buffer {
    return this.#core.wiring.routingId ?? NO_ROUTING_ID;
  }

  /** Whether somebody in another thread has been asked already. */
  get crossing(): boolean {
    return this.#bridge !== undefined;
  }

  /** Another thread has the name: it has the other end of this port's channel. */
  cross(port: MessagePort): void {
    if (this.#theirs === undefined) return;
    this.#bridge = new Bridge(port, this.#theirs, this);
  }

  bridgeOpened(routingId: Buffer): void {
    this.#remoteId = routingId;
    this.#attached = true;
    for (const pipe of [this.#ours, this.#theirs]) if (pipe !== undefined) pipe.direct = false;
    this.#core.context.names.leave(this.#name, this);
    this.#core.context.abroad?.forget(this);
  }

  bridgeClosed(): void {
    this.#bridge = undefined;
    // Who did not let us in may be followed by somebody who does.
    if (this.#attached) {
      this.#over();
      return;
    }
    this.#theirs?.attach(this);
    if (this.#core.context.abroad?.refused(this) !== true) this.onUnmet?.();
  }

  /** The name is bound. */
  meet(host: InprocBinding): void {
    this.#host = host;
    this.#core.context.abroad?.forget(this);
    this.#turnBack();
    const theirs = host.core;
    // We may have gone, and left something.
    if (this.#theirs?.ended !== true) theirs.inproc.add(this);
    if (this.#theirs !== undefined) {
      this.#theirs.exclusive = theirs.options.boolean("exclusiveBuffers");
    }
    // Whichever side asks for it: a message that nobody shall see need not wait.
    if (theirs.options.boolean("conflate")) this.#ours?.conflate();
    this.updateMarks();
    if (theirs.pattern.vacant) this.#attachTheirs();
    else theirs.candidates.add(this.#guest);
  }

  /** Whoever was asked in another thread has not let us in, and need not any more. */
  #turnBack(): void {
    if (this.#bridge === undefined) return;
    this.#bridge.close();
    this.#bridge = undefined;
    this.#theirs?.attach(this);
  }

  /** The socket of either side was closed. */
  closedBy(core: Core): void {
    core.inproc.delete(this);
    if (core === this.#core) return;
    this.#host = undefined;
    // It will not come back by itself; whoever binds the name next can be connected to.
    this.#core.inproc.delete(this);
    this.#core.forget(this);
    // If they never had a place for their end, it is ours to end: our socket's place is free then.
    if (!this.#attached) this.#theirs?.close();
  }

  /** A mark of either side has changed. */
  updateMarks(): void {
    const ours = this.#core;
    const theirs = this.#host?.core;
    if (theirs === undefined) this.#ours?.setMarks(ours.sendMarks.bounds, ours.receiveMarks.bounds);
    else {
      this.#ours?.setMarks(
        sum(ours.sendMarks.bounds, theirs.receiveMarks.bounds),
        sum(theirs.sendMarks.bounds, ours.receiveMarks.bounds),
      );
    }
  }

  close(): void {
    const { linger } = this;
    this.#core.inproc.delete(this);
    this.#host?.core.inproc.delete(this);
    this.#core.candidates.delete(this);
    if (this.#ours !== undefined) this.#core.pattern.detach(this.#ours);
    const isHeard = this.#attached || (this.#theirs?.length ?? 0) === 0;
    if (isHeard || linger === 0) this.#leave();
    else if (linger > 0) setTimeout(() => this.#leave(), linger).unref();
  }

  readActivated(): void {}

  writeActivated(): void {}

  /** We gave up before they had a place. */
  pipeEnded(): void {}

  /** How long what was sent waits for the name to be bound, once we have gone. */
  get linger(): number {
    return this.#core.options.number("linger");
  }

  /** Waits no longer for the other socket. */
  #leave(): void {
    this.#core.context.names.leave(this.#name, this);
    this.#core.context.abroad?.forget(this);
    this.#host?.core.candidates.delete(this.#guest);
    if (this.#attached) return;
    this.#bridge?.close();
    this.#theirs?.close();
  }

  /** Either socket has ended the pipe. It does not come back by itself. */
  #over(): void {
    if (!this.#attached) return;
    this.#core.inproc.delete(this);
    this.#host?.core.inproc.delete(this);
    this.#core.forget(this);
  }

  #attachTheirs(): void {
    if (this.#theirs === undefined || this.#host === undefined) return;
    this.#attached = true;
    const { core } = this.#host;
    // Only now: what waits of one who has no place is in nobody's way.
    this.#ours?.join(core.receiveMarks.pool);
    this.#theirs.join(core.sendMarks.pool);
    core.pattern.attach(this.#theirs);
    this.#ours?.connected(this.routingId);
    this.#theirs.connected(core.wiring.routingId ?? NO_ROUTING_ID);
    if (this.#theirs.ended) core.pattern.pipeEnded(this.#theirs);
  }
}

function sum(one: Bounds, other: Bounds): Bounds {
  return {
    messages: one.messages === 0 || other.messages === 0 ? 0 : one.messages + other.messages,
    bytes: one.bytes === 0 || other.bytes === 0 ? 0 : one.bytes + other.bytes,
  };
}
