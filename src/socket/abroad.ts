import { Buffer } from "node:buffer";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Meeting } from "../transport/inproc.js";
import type { Knock, Threads } from "../transport/threads.js";
import { Bridge, type BridgeOwner } from "./bridge.js";
import type { Candidate } from "./candidates.js";
import type { Core } from "./core.js";
import type { InprocBinding, InprocConnection, InprocPeer } from "./inproc.js";
import type { Link } from "./link.js";
import { Pipe } from "./pipe.js";
import { NO_ROUTING_ID } from "./wiring.js";

/**
 * The inproc names of other threads, and ours as they see them.
 *
 * Who has taken which name all threads know at once. Who connects to a name of another thread knocks
 * there, and hands over one end of a channel; if nobody of the name is at home, or the type of socket
 * does not suit, it waits for somebody else to take the name.
 */
export class Abroad {
  readonly #threads: Threads;
  readonly #names: Meeting<InprocBinding, InprocConnection>;
  readonly #seekers = new Map<InprocConnection, string>();
  /** Those who had asked somebody when their name was taken anew, and have had no answer yet. */
  readonly #late = new Set<InprocConnection>();
  #isAtHome = false;

  constructor(threads: Threads, names: Meeting<InprocBinding, InprocConnection>) {
    this.#threads = threads;
    this.#names = names;
  }

  /** Takes a name. Whether no thread had it. */
  claim(name: string): boolean {
    if (!this.#threads.names.claim(name)) return false;
    if (!this.#isAtHome) {
      this.#isAtHome = true;
      this.#threads.onKnock((knock) => this.#answer(knock));
    }
    return true;
  }

  /** Whether a thread has the name. */
  knows(name: string): boolean {
    return this.#threads.names.find(name) !== undefined;
  }

  /** A name that was taken can be connected to. */
  announce(name: string): void {
    this.#threads.announce(name);
  }

  release(name: string): void {
    this.#threads.names.release(name);
  }

  /**
   * Looks for a name in other threads, now and whenever one is taken, until {@link forget}.
   * @returns Whether somebody is asked.
   */
  seek(name: string, seeker: InprocConnection): boolean {
    // First: a name that is taken from now on is told of.
    if (this.#seekers.size === 0) this.#threads.onAnnounce((taken) => this.#taken(taken));
    this.#seekers.set(seeker, name);
    return this.#look(name, seeker);
  }

  forget(seeker: InprocConnection): void {
    this.#seekers.delete(seeker);
    this.#late.delete(seeker);
  }

  /**
   * Who was asked did not let the seeker in, or is gone; somebody else may have the name by now.
   * @returns Whether he is asked.
   */
  refused(seeker: InprocConnection): boolean {
    const name = this.#seekers.get(seeker);
    return this.#late.delete(seeker) && name !== undefined && this.#look(name, seeker);
  }

  #taken(name: string): void {
    for (const [seeker, sought] of this.#seekers) {
      if (sought !== name) continue;
      if (seeker.crossing) this.#late.add(seeker);
      else this.#look(name, seeker);
    }
  }

  /** Whoever is asked answers, or is heard to be gone: then the port closes, even with a thread that has ended. */
  #look(name: string, seeker: InprocConnection): boolean {
    const thread = this.#threads.names.find(name);
    // It may be ours, for a type of socket that does not suit.
    if (thread === undefined || thread === this.#threads.names.thread) return false;
    const { port1, port2 } = new MessageChannel();
    seeker.cross(port1);
    const { type } = seeker;
    // A copy: a Buffer would take the whole pool along that it lies in.
    const routingId = Uint8Array.from(seeker.routingId);
    void this.#threads.knock(thread, { name, type, routingId, port: port2 }).then((heard) => {
      if (heard) return;
      // There is no such thread any more, and nobody has cleared away what it had.
      this.#threads.names.purge(thread);
      port1.close();
    });
    return true;
  }

  #answer(knock: Knock): void {
    const host = this.#names.find(knock.name);
    if (host?.core.wiring.suits({ name: knock.type }) === true) new Visitor(host, knock).come();
    else knock.port.close();
  }
}

/** A socket of another thread that has connected to a name of ours. */
class Visitor implements InprocPeer, Candidate, BridgeOwner {
  readonly #core: Core;
  readonly #endpoint: string;
  readonly #port: MessagePort;
  readonly #startedAt = performance.now();
  readonly #left = (): void => this.#core.candidates.delete(this);
  readonly #routingId: Buffer;
  #socketPipe: Pipe | undefined;

  constructor({ core, endpoint }: InprocBinding, { port, routingId }: Knock) {
    this.#core = core;
    this.#endpoint = endpoint;
    this.#port = port;
    this.#routingId = Buffer.from(routingId);
  }

  come(): void {
    if (this.#core.pattern.vacant) {
      this.enter();
      return;
    }
    this.#port.on("close", this.#left);
    this.#port.unref();
    this.#core.candidates.add(this);
  }

  turnedAway(): void {
    this.#port.close();
  }

  /** There is a place. Whether the visitor is still there shows only now, if it has just gone. */
  enter(): void {
    const core = this.#core;
    const [ours, end] = Pipe.pair(core.sendMarks.each, core.receiveMarks.each);
    this.#port.off("close", this.#left);
    const bridge = new Bridge(this.#port, end, this);
    this.#socketPipe = ours;
    ours.exclusive = core.options.boolean("exclusiveBuffers");
    core.inproc.add(this);
    ours.onEnd = () => core.inproc.delete(this);
    core.pattern.attach(ours);
    bridge.open(core.wiring.routingId ?? NO_ROUTING_ID, this.#routingId);
  }

  bridgeClosed(): void {
    this.#core.inproc.delete(this);
  }

  linkOf(): Link {
    return {
      endpoint: this.#endpoint,
      peerAddress: this.#endpoint,
      established: true,
      startedAt: this.#startedAt,
      socketPipe: this.#socketPipe,
      routingId: this.#routingId.length === 0 ? undefined : this.#routingId,
    };
  }

  closedBy(core: Core): void {
    core.inproc.delete(this);
  }

  updateMarks(): void {
    const { sendMarks, receiveMarks } = this.#core;
    this.#socketPipe?.setMarks(sendMarks.bounds, receiveMarks.bounds);
  }
}
