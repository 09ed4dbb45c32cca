import { Buffer } from "node:buffer";
import type { Socket as Stream } from "node:net";
import type { PeerMetadata } from "../events.js";
import type { Parts } from "../message.js";
import { type EndReason, Engine, type EngineOwner } from "../transport/engine.js";
import type { Wire } from "../transport/wire.js";
import type { Peer, Role } from "../zmtp/index.js";
import type { Core } from "./core.js";
import { failureOf, refusalOf } from "./failure.js";
import { type Link, whereIs } from "./link.js";
import { pace } from "./pace.js";
import type { Pipe, PipeSink } from "./pipe.js";
import type { Policy } from "./policy.js";
import { turn } from "./turn.js";
import { NO_ROUTING_ID } from "./wiring.js";
import type { Verdict } from "./zap.js";

/** Who made a session, and wants to know what becomes of it. */
export interface SessionOwner {
  /** The peer's handshake is done. Whether to let it in now; if not, {@link Session.admit} may. */
  admit(session: Session): boolean;
  /** The session's connection is over. Its messages, if they can be sent again, are in the pipe. */
  disconnected(session: Session, reason: EndReason): void;
  /** The session is over: its socket's end of the pipe is closed, and what it held is written. */
  finished(session: Session): void;
}

/**
 * One peer: stands between a pipe and the connection that there is, or was, or will be.
 *
 * A binder's session lives as long as its connection. A connector's outlives them: its pipe stays,
 * and what one connection did not write goes back into it.
 */
export class Session implements EngineOwner, PipeSink, Link {
  readonly endpoint: string;
  readonly role: Role;
  readonly startedAt: number = performance.now();
  readonly #core: Core;
  readonly #owner: SessionOwner;
  readonly #policy: Policy;

  #pipe: Pipe | undefined;
  /** The socket's end of the pipe. */
  #socketPipe: Pipe | undefined;
  #engine: Engine | undefined;
  #established = false;
  #routingId: Buffer | undefined;
  #peerAddress: string | undefined;
  #userId: string | undefined;
  #metadata: PeerMetadata | undefined;
  /** Takes the question back whether the peer may come in. */
  #takeBack: (() => void) | undefined;
  /** Why it may not; kept until the next peer comes. */
  #refusal: Exclude<Verdict, { kind: "allowed" }> | undefined;
  #finishing = false;
  #pulling = false;
  /** It is the turn of others: nothing is pulled. */
  #resting = false;
  readonly #goOn = (): void => {
    this.#resting = false;
    this.#pull();
  };
  /** The wire is broken: messages are taken whether there is room or not. */
  #overflowing = false;

  constructor(core: Core, owner: SessionOwner, endpoint: string, role: Role, policy: Policy) {
    this.#core = core;
    this.#owner = owner;
    this.#policy = policy;
    this.endpoint = endpoint;
    this.role = role;
  }

  /** Where the peer is; undefined while there is none. */
  get peerAddress(): string | undefined {
    return this.#peerAddress;
  }

  /** What the peer calls itself; undefined when it does not say, or is not there yet. */
  get routingId(): Buffer | undefined {
    return this.#routingId?.length === 0 ? undefined : this.#routingId;
  }

  /** Who the peer is, says our judge. */
  get userId(): string | undefined {
    return this.#userId;
  }

  get metadata(): PeerMetadata | undefined {
    return this.#metadata;
  }

  /** Whether our judge has been asked, and has not answered. */
  get judging(): boolean {
    return this.#takeBack !== undefined;
  }

  /** Whether our judge let the peer not in that was there last. */
  get refused(): boolean {
    return this.#refusal !== undefined;
  }

  /** Whether the peer is connected and its handshake done. */
  get established(): boolean {
    return this.#established;
  }

  /** Whether there is a connection, its handshake done or not. */
  get connected(): boolean {
    return this.#engine !== undefined;
  }

  get pipe(): Pipe | undefined {
    return this.#pipe;
  }

  /** Whether messages are on their way out: in the pipe, or encoded, or being written. */
  get hasOutput(): boolean {
    // What waits for a binder's peer that has gone will reach nobody.
    if (this.role === "server" && this.#engine?.broken) return false;
    if ((this.#pipe?.length ?? 0) > 0) return true;
    return this.#established && (this.#engine?.outputBytes ?? 0) > 0;
  }

  /** The socket's end of the pipe, for the socket to let go of. */
  get socketPipe(): Pipe | undefined {
    return this.#socketPipe;
  }

  /** Gives the session its end of a pipe, and tells it which the other is. */
  attachPipe(pipe: Pipe, socketPipe: Pipe): void {
    this.#pipe = pipe;
    this.#socketPipe = socketPipe;
    pipe.attach(this);
  }

  /** Takes over a connected stream and starts the handshake. */
  attachStream(stream: Stream, peerAddress: string): void {
    this.#peerAddress = peerAddress;
    this.#refusal = undefined;
    const { wiring } = this.#core;
    const open = (now: number): Wire => wiring.open(this.role, this.#policy, this, now);
    this.#engine = new Engine(stream, open, this);
    stream.unref();
    this.#engine.start();
  }

  /** Lets in the peer that the owner had made wait. */
  admit(): void {
    this.#engine?.admit();
    this.#pull();
  }

  /** Ends the pipe with all that waits in it. */
  dropPipe(): void {
    const pipe = this.#pipe;
    this.#pipe = undefined;
    this.#socketPipe = undefined;
    pipe?.close();
  }

  /** Ends the session now: nothing more is written, what was not written is forgotten. */
  close(): void {
    const engine = this.#engine;
    this.#engine = undefined;
    this.#established = false;
    engine?.close();
    this.#forgetPeer();
    this.dropPipe();
  }

  /** Ends the session now, and tells its owner. */
  abandon(): void {
    this.close();
    this.#owner.finished(this);
  }

  /**
   * Ends the session once everything in its pipe is written. The socket learns at once that the
   * pipe has ended.
   */
  finish(): void {
    if (this.#finishing) return;
    this.#finishing = true;
    this.#pipe?.end();
    // What still comes is taken and forgotten: a peer may have to write before it reads.
    const engine = this.#engine;
    engine?.disregardInput();
    // That may have been the end of it: see ended.
    if (this.#engine !== engine) return;
    if (engine === undefined || !this.#established) {
      if (!this.hasOutput) this.#finished();
      return;
    }
    this.#pull();
  }

  authenticate(credentials: readonly Uint8Array[]): boolean {
    const { wiring, judge } = this.#core;
    const applicant = {
      address: hostOf(this.#peerAddress),
      identity: wiring.routingId ?? NO_ROUTING_ID,
      credentials,
    };
    this.#takeBack = judge.ask(applicant, this.#policy, (verdict) => this.#judged(verdict));
    return this.#takeBack === undefined;
  }

  #judged(verdict: Verdict): void {
    this.#takeBack = undefined;
    if (verdict.kind === "allowed") {
      this.#userId = verdict.userId === "" ? undefined : verdict.userId;
      if (verdict.metadata.size > 0) this.#learn({ assured: buffers(verdict.metadata) });
      this.#engine?.authenticated();
    } else {
      this.#refusal = verdict;
      // Who was not judged may try again: it is told nothing, as with libzmq.
      this.#engine?.refuse(verdict.kind === "refused" ? verdict.status : "300");
    }
  }

  handshake(peer: Peer): boolean {
    this.#routingId = Buffer.from(peer.identity);
    const claimed = buffers(peer.properties);
    for (const known of ["socket-type", "identity"]) claimed.delete(known);
    if (claimed.size > 0) this.#learn({ claimed });
    if (!this.#owner.admit(this)) return false;
    process.nextTick(pullSession, this);
    return true;
  }

  admitted(): void {
    this.#established = true;
    this.#pipe?.connected(this.#routingId as Buffer);
    // Plain TCP has no handshake.
    if (this.#core.kind.name === "STREAM") return;
    const metadata = this.#metadata && { metadata: this.#metadata };
    this.#core.emit({ type: "handshake", ...whereIs(this), ...metadata });
  }

  hasRoom(): boolean {
    // Nobody reads any more: see message.
    return this.#finishing || (this.#pipe?.checkWrite() ?? true);
  }

  message(parts: Uint8Array[]): boolean {
    // Nobody is there to read it any more, but the connection still has something to write.
    if (this.#finishing) return true;
    const pipe = this.#pipe as Pipe;
    pipe.write(parts as Parts);
    return pipe.checkWrite() || this.#overflowing;
  }

  subscription(topic: Uint8Array, subscribe: boolean): boolean | "too many" {
    this.#pipe?.subscribe(topic, subscribe);
    if (subscribe && this.#core.asksTooMuch(this.#socketPipe)) return "too many";
    return this.hasRoom();
  }

  admitInput(take: () => void): void {
    turn.admit(take);
  }

  received(): void {
    this.#pipe?.flush();
  }

  takeRest(): boolean {
    // A peer that breaks its connection again and again must not pile up a chunk each time.
    this.#overflowing = this.#pipe !== undefined && !this.#pipe.overfull;
    return this.#overflowing;
  }

  restartOutput(): void {
    this.#pull(true);
  }

  ended(reason: EndReason, unwritten: Parts[]): void {
    const established = this.#established;
    if (reason.error instanceof RangeError) this.#core.unwritable(reason.error);
    this.#engine = undefined;
    this.#established = false;
    this.#overflowing = false;
    if (this.#pipe !== undefined) {
      this.#pipe.unread(unwritten);
      this.#pipe.flush();
    }
    this.#report(reason, established);
    if (established) this.#pipe?.disconnected();
    this.#forgetPeer();
    this.#owner.disconnected(this, reason);
    if (this.#finishing && !this.hasOutput) this.#finished();
  }

  take(parts: Parts): boolean {
    const engine = this.#engine;
    if (!this.#established || engine === undefined || engine.full) return false;
    if (engine.send(parts)) turn.look();
    return true;
  }

  readActivated(): void {
    this.#pull();
  }

  writeActivated(): void {
    this.#engine?.restartInput();
  }

  /** Our socket wants a topic, or not any more. Before there is a peer it need not be told. */
  peerSubscribed(_pipe: Pipe, topic: Uint8Array, subscribe: boolean): void {
    if (this.#established && !this.#finishing) this.#engine?.subscribe(topic, subscribe);
  }

  /** The socket closed its end: what it wrote is still to be sent. */
  pipeEnded(): void {
    this.finish();
  }

  /** Not for callers: the end of the turn. */
  pull(): void {
    this.#pull();
  }

  /** Moves messages from the pipe to the connection, as long as that takes them. */
  #pull(isCounted = false): void {
    // To read may let more be written, or end the session: the loop that reads goes on, in order.
    // A `Loop` by hand: that would cost 3 ns a message.
    if (this.#pulling || this.#resting) return;
    this.#pulling = true;
    if (isCounted) pace.start();
    try {
      this.#moveMessages();
    } finally {
      this.#pulling = false;
      pace.stop();
    }
  }

  #moveMessages(): void {
    const engine = this.#engine;
    const pipe = this.#pipe;
    if (engine === undefined || pipe === undefined || !this.#established) return;
    // A message that cannot be encoded ends the connection.
    while (this.#engine === engine && !engine.full) {
      const parts = pipe.read();
      if (parts === undefined) {
        if (this.#finishing) engine.finish();
        return;
      }
      if (engine.send(parts) && !pace.goesOn(this.#goOn)) {
        this.#resting = true;
        return;
      }
    }
  }

  #report(reason: EndReason, established: boolean): void {
    // We ended it ourselves: nobody is told, says libzmq.
    if (this.#finishing) return;
    const where = whereIs(this);
    const failure =
      this.#refusal === undefined ? failureOf(reason, established) : refusalOf(this.#refusal);
    if (failure !== undefined) this.#core.emit({ ...where, ...failure });
    this.#core.emit({ type: "disconnect", ...where });
  }

  #learn(known: Partial<PeerMetadata>): void {
    this.#metadata = { claimed: new Map(), assured: new Map(), ...this.#metadata, ...known };
  }

  #forgetPeer(): void {
    this.#takeBack?.();
    this.#takeBack = undefined;
    this.#peerAddress = undefined;
    this.#routingId = undefined;
    this.#userId = undefined;
    this.#metadata = undefined;
  }

  #finished(): void {
    this.dropPipe();
    this.#owner.finished(this);
  }
}

/** Without its port; over ipc there is none to tell. */
function hostOf(address = ""): string {
  const host = /^tcp:\/\/(.*):\d+$/.exec(address)?.[1] ?? "";
  return host.replace(/^\[(.*)\]$/, "$1");
}

function buffers(properties: ReadonlyMap<string, Uint8Array>): Map<string, Buffer> {
  return new Map([...properties].map(([name, octets]) => [name, Buffer.from(octets)]));
}

function pullSession(session: Session): void {
  session.pull();
}
