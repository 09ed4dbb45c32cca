import type { Parts } from "../message.js";
import { type Depth, outDepthOf } from "./depth.js";
import type { FairQueue } from "./fq.js";
import {
  fairQueueOf,
  NOT_NOW,
  noOutput,
  type PatternHost,
  type Refusal,
  RoutedPattern,
  WRONG_STATE,
} from "./pattern.js";
import type { Pipe } from "./pipe.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_REP = 4;

export interface Reply extends ReadableSocket, WritableSocket {
  /** `ZMQ_ROUTING_ID`: stored; the handshake of a Reply does not carry it. Default null. */
  routingId: string | null;
}

/**
 * Answers requests (RFC 28): {@link receive} and {@link send} take turns. Requests are taken from
 * all peers fairly, and each reply goes to who asked; it is dropped if that peer is gone, or has no
 * room for it.
 *
 * Out of turn a call waits for its turn; if `sendTimeout` or `receiveTimeout` ends that, or it is
 * `trySend` or `tryReceive`, it fails with EFSM.
 */
export class Reply extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Reply>) {
    super(ZMQ_REP, options as SocketOptions<Socket>);
  }
}

/**
 * REP (RFC 28).
 *
 * ```
 *   listening --receive--> asked --send--> listening
 * ```
 *
 * A request is an envelope, an empty frame and the body; the envelope comes back with the reply.
 * @internal
 */
export class ReplyPattern extends RoutedPattern {
  readonly #fq: FairQueue;
  #envelope: Parts | undefined;
  #asker: Pipe | undefined;

  constructor(host: PatternHost) {
    const fq = fairQueueOf(host);
    super(host, fq, noOutput);
    this.#fq = fq;
  }

  override get readable(): boolean {
    return this.#envelope === undefined && super.readable;
  }

  override get writable(): boolean {
    return this.#envelope !== undefined;
  }

  override get receiveRefusal(): Refusal {
    return this.#envelope === undefined ? NOT_NOW : WRONG_STATE;
  }

  override get sendRefusal(): Refusal {
    return WRONG_STATE;
  }

  override get outDepth(): Depth {
    return outDepthOf(this.#fq.pipes);
  }

  override receive(): Parts | undefined {
    if (this.#envelope !== undefined) return undefined;
    for (let parts = this.#fq.receive(); parts !== undefined; parts = this.#fq.receive()) {
      const delimiter = parts.findIndex((part) => part.length === 0);
      // No request: no delimiter, or nothing behind it.
      if (delimiter < 0 || delimiter === parts.length - 1) continue;
      this.#envelope = parts.slice(0, delimiter + 1);
      this.#asker = this.#fq.last;
      this.host.writeActivated();
      return parts.slice(delimiter + 1);
    }
    return undefined;
  }

  override send(parts: Parts): boolean {
    const envelope = this.#envelope;
    const asker = this.#asker;
    if (envelope === undefined || asker === undefined) return false;
    this.#envelope = undefined;
    this.#asker = undefined;
    if (asker.checkWrite()) asker.send(envelope.concat(parts));
    else this.host.dropped(asker.over ? undefined : asker);
    if (this.#fq.readable) this.host.readActivated();
    return true;
  }
}

defineSocket(Reply, {
  type: ZMQ_REP,
  name: "REP",
  scopes: ["writable", "readable"],
  options: ["routingId"],
  pattern: (host) => new ReplyPattern(host),
});
