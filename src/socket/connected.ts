import type { Buffer } from "node:buffer";
import type { ErrnoError } from "../errors.js";
import type { IpcAddress, TcpAddress } from "../transport/address.js";
import { Dialer } from "../transport/dialer.js";
import type { EndReason } from "../transport/engine.js";
import { keepAlive, remoteAddress } from "../transport/stream.js";
import type { Candidate } from "./candidates.js";
import type { Core } from "./core.js";
import type { Policy } from "./policy.js";
import { Session, type SessionOwner } from "./session.js";

/** A connected tcp or ipc endpoint: one session, and the dialer that finds it connections. */
export class ConnectedEndpoint implements SessionOwner, Candidate {
  readonly endpoint: string;
  readonly #core: Core;
  readonly #policy: Policy;
  readonly #dialer: Dialer;
  readonly #session: Session;
  /** `ZMQ_IMMEDIATE`: there is a pipe only while there is a connection. */
  readonly #immediate: boolean;
  /** What the socket shall call the peer, if it said so. */
  readonly #routingId: Buffer | undefined;
  #closing = false;

  constructor(
    core: Core,
    address: TcpAddress | IpcAddress,
    endpoint: string,
    policy: Policy,
    routingId?: Buffer,
  ) {
    this.#core = core;
    this.endpoint = endpoint;
    this.#policy = policy;
    this.#routingId = routingId;
    this.#immediate = core.options.boolean("immediate");
    this.#session = new Session(core, this, endpoint, "client", policy);
    this.#dialer = new Dialer(address, endpoint, core.dialerOptions(), {
      delayed: () => {
        // On ipc a connection is there at once or not at all, says libzmq.
        if (address.transport === "tcp") core.emit({ type: "connect:delay", address: endpoint });
      },
      failed: () => core.emit({ type: "close", address: endpoint }),
      retrying: (interval) => core.emit({ type: "connect:retry", address: endpoint, interval }),
      connected: (stream) => {
        const peerAddress = remoteAddress(stream, endpoint);
        keepAlive(stream, core.options);
        core.emit({ type: "connect", address: endpoint, peerAddress });
        this.#session.attachStream(stream, peerAddress);
      },
    });
  }

  get sessions(): Iterable<Session> {
    return [this.#session];
  }

  /** Begins: a pipe at once, unless there is no place for it or it waits for the connection. */
  connect(): void {
    if (this.#immediate) this.#dial();
    else if (this.#core.pattern.vacant) this.enter();
    else this.#core.candidates.add(this);
  }

  /** There is a place for the pipe. */
  enter(): void {
    this.#core.attach(this.#session, this.#routingId);
    if (!this.#session.connected) this.#dial();
    else this.#session.admit();
  }

  /** Once there is something to secure connections with. */
  #dial(): void {
    const { ready } = this.#policy;
    if (ready === undefined) this.#dialer.dial();
    else
      ready.then(
        // Though we are closing meanwhile: what was sent is to be written.
        () => this.#dialer.dial(),
        (error) => this.#hopeless(error),
      );
  }

  /** Not a matter of trying again. */
  #hopeless(error: ErrnoError): void {
    process.emitWarning(error);
    this.#core.emit({ type: "handshake:error:other", address: this.endpoint, error });
    this.#giveUp();
    if (this.#closing) this.#session.abandon();
  }

  admit(session: Session): boolean {
    this.#dialer.trust();
    if (session.pipe !== undefined) return true;
    if (this.#core.pattern.vacant) {
      this.#core.attach(session, this.#routingId);
      return true;
    }
    this.#core.candidates.add(this);
    return false;
  }

  disconnected(session: Session, reason: EndReason): void {
    this.#core.candidates.delete(this);
    if (this.#immediate && !this.#closing) session.dropPipe();
    if (this.#closing && !session.hasOutput) return;
    if (reason.kind === "protocol") {
      // The peer said that it will not have us; asking again would be rude (RFC 37, "ERROR").
      if (reason.error.code === "ERR_ZMTP_PEER_ERROR") {
        this.#giveUp();
        return;
      }
      this.#dialer.distrust();
    } else if (session.refused) this.#dialer.distrust();
    this.#dialer.redial();
  }

  /** Nobody will ever take what waits for the peer: others get what is sent from now on. */
  #giveUp(): void {
    for (let i = this.#session.pipe?.length ?? 0; i > 0; i--) this.#core.dropped();
    this.#session.dropPipe();
  }

  finished(session: Session): void {
    this.#dialer.stop();
    session.close();
    this.#core.forget(this);
    this.#core.settle();
  }

  /** Ends the connection once what was sent is written; what was not received is forgotten. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#core.candidates.delete(this);
    this.#core.detach(this.#session);
    this.#core.finish(this.#session);
  }
}
