import type { Socket as Stream } from "node:net";
import type { ErrnoError } from "../errors.js";
import type { Listener } from "../transport/listener.js";
import { keepAlive, remoteAddress } from "../transport/stream.js";
import type { Candidate } from "./candidates.js";
import type { Core } from "./core.js";
import { Door } from "./door.js";
import { whereIs } from "./link.js";
import type { Policy } from "./policy.js";
import { Session, type SessionOwner } from "./session.js";
import { SurplusDelays } from "./surplus.js";

/** A bound tcp or ipc endpoint: its listener, and the sessions of the peers that came. */
export class BoundEndpoint implements SessionOwner {
  readonly #core: Core;
  readonly #listener: Listener;
  readonly #policy: Policy;
  readonly #door: Door;
  readonly #sessions = new Map<Session, Stream>();
  /** Of connections that are over: those whose peer has not hung up yet, nor been made to. */
  readonly #parting = new Set<Stream>();
  /** Those in their handshake, the oldest first. */
  readonly #newcomers = new Set<Session>();
  /** Those whose handshake is done but for our READY. */
  readonly #waiting = new Map<Session, WaitingPeer>();
  readonly #delays = new SurplusDelays();
  #closed = false;

  constructor(core: Core, listener: Listener, policy: Policy) {
    this.#core = core;
    this.#listener = listener;
    this.#policy = policy;
    this.#door = new Door(core.options, listener.endpoint);
  }

  get endpoint(): string {
    return this.#listener.endpoint;
  }

  get sessions(): Iterable<Session> {
    return this.#sessions.keys();
  }

  /** A peer came. Before there is anything to secure its connection with, nothing is read of it. */
  accepted(stream: Stream): void {
    const { ready } = this.#policy;
    if (ready === undefined) {
      this.#letIn(stream);
      return;
    }
    stream.on("error", () => {});
    ready.then(
      () => (this.#closed ? stream.destroy() : this.#letIn(stream)),
      (error) => this.#refuse(stream, error),
    );
  }

  #letIn(stream: Stream): void {
    const { monitor } = this.#core;
    const address = this.endpoint;
    const peerAddress = remoteAddress(stream, address);
    const error =
      this.#door.refusal(stream, this.#sessions.size + this.#parting.size) ?? this.#makeRoom();
    if (error !== undefined) {
      this.#refuse(stream, error);
      return;
    }
    stream.setNoDelay(true);
    keepAlive(stream, this.#core.options);
    const session = new Session(this.#core, this, address, "server", this.#policy);
    this.#sessions.set(session, stream);
    this.#newcomers.add(session);
    monitor.emit({ type: "accept", address, peerAddress });
    session.attachStream(stream, peerAddress);
  }

  /**
   * Lets a newcomer have the place of whoever has been in the handshake for longest: who means well is
   * through it in no time, so silent peers cannot keep everybody out. Those who wait keep theirs.
   * @returns Why there is no room.
   */
  #makeRoom(): ErrnoError | undefined {
    const error = this.#door.crowded(this.#newcomers.size + this.#waiting.size);
    const oldest = this.#oldest();
    if (error === undefined || oldest === undefined) return error;
    const { peerAddress = this.endpoint } = oldest;
    this.#turnAway(oldest);
    this.#refused(peerAddress, error);
    return undefined;
  }

  /** Of those who have yet to say something; if all wait for their judge, of those. */
  #oldest(): Session | undefined {
    for (const session of this.#newcomers) if (!session.judging) return session;
    const [oldest] = this.#newcomers;
    return oldest;
  }

  #refuse(stream: Stream, error: ErrnoError): void {
    const peerAddress = remoteAddress(stream, this.endpoint);
    stream.destroy();
    this.#refused(peerAddress, error);
  }

  #refused(peerAddress: string, error: ErrnoError): void {
    this.#core.connectionsRefused++;
    this.#core.emit({ type: "accept:error", address: this.endpoint, peerAddress, error });
  }

  admit(session: Session): boolean {
    if (!this.#core.pattern.vacant) {
      this.#keepWaiting(session);
      return false;
    }
    this.#enter(session);
    return true;
  }

  disconnected(session: Session): void {
    this.#leaves(session);
    this.#part(this.#sessions.get(session));
    this.finished(session);
  }

  /** We have hung up. */
  #part(stream: Stream | undefined): void {
    if (stream === undefined || stream.destroyed) return;
    this.#parting.add(stream);
    stream.once("close", () => this.#parting.delete(stream));
  }

  finished(session: Session): void {
    this.#sessions.delete(session);
    session.close();
    this.#core.settle();
  }

  /** Stops accepting, and lets each peer go once what was sent to it is written. */
  close(): void {
    this.#closed = true;
    this.#listener.close();
    this.#core.monitor.emit({ type: "close", address: this.endpoint });
    // First those who wait: a place that becomes free is not for them any more.
    for (const session of this.sessions) if (!session.established) this.#turnAway(session);
    for (const session of this.sessions) this.#core.finish(session);
  }

  #enter(session: Session): void {
    this.#newcomers.delete(session);
    this.#delays.forget(this.#delayKey(session));
    this.#core.attach(session);
  }

  #keepWaiting(session: Session): void {
    this.#newcomers.delete(session);
    const delay = this.#delays.next(this.#delayKey(session));
    const peer = new WaitingPeer(
      this.#core,
      () => {
        this.#waiting.delete(session);
        this.#enter(session);
        session.admit();
      },
      () => this.#turnAway(session),
      delay,
    );
    this.#waiting.set(session, peer);
  }

  #turnAway(session: Session): void {
    this.#leaves(session);
    const where = whereIs(session);
    this.finished(session);
    this.#core.emit({ type: "disconnect", ...where });
  }

  #leaves(session: Session): void {
    this.#newcomers.delete(session);
    this.#waiting.get(session)?.leave();
    this.#waiting.delete(session);
  }

  /** Peers of one address share a delay; on ipc they all have the listener's. */
  #delayKey(session: Session): string {
    const address = session.peerAddress ?? "";
    return address.slice(0, address.lastIndexOf(":"));
  }
}

/** A peer whose handshake is done but for our READY. */
class WaitingPeer implements Candidate {
  readonly #core: Core;
  readonly #entered: () => void;
  readonly #timer: NodeJS.Timeout;

  constructor(core: Core, entered: () => void, expired: () => void, delayMs: number) {
    this.#core = core;
    this.#entered = entered;
    this.#timer = setTimeout(expired, delayMs);
    this.#timer.unref();
    core.candidates.add(this);
  }

  enter(): void {
    clearTimeout(this.#timer);
    this.#entered();
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#core.candidates.delete(this);
  }
}
