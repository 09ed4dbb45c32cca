import { Buffer } from "node:buffer";
import type { Parts } from "../message.js";
import { randomInt } from "../random.js";
import { DealerPattern } from "./dealer.js";
import { NOT_NOW, type Refusal, WRONG_STATE } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_REQ = 3;

/** Octets of the number that `correlate` puts before a request. */
const ID_SIZE = 4;

const DELIMITER = Buffer.alloc(0);

export interface Request extends ReadableSocket, WritableSocket {
  /** `ZMQ_ROUTING_ID`: what a Router calls us: see {@link Dealer.routingId}. Default null. */
  routingId: string | null;
  /** `ZMQ_PROBE_ROUTER`: see {@link Dealer.probeRouter}. Write only. Default false. */
  probeRouter: boolean;
  /**
   * `ZMQ_REQ_CORRELATE`: number the requests, and take only the reply that carries the number of
   * the last one. Peers must return it, as Reply does. Write only. Default false.
   */
  correlate: boolean;
  /**
   * `ZMQ_REQ_RELAXED`: a request may be sent while another is unanswered, whose reply is then
   * dropped; use it with {@link correlate}. Write only. Default false.
   */
  relaxed: boolean;
}

/**
 * Asks and waits for the answer (RFC 28): {@link send} and {@link receive} take turns. Each request
 * goes to one of the peers, round robin, and only that peer's reply is taken.
 *
 * Out of turn a call waits for its turn; if `sendTimeout` or `receiveTimeout` ends that, or it is
 * `trySend` or `tryReceive`, it fails with EFSM.
 */
export class Request extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Request>) {
    super(ZMQ_REQ, options as SocketOptions<Socket>);
  }
}

/**
 * REQ (RFC 28).
 *
 * ```
 *   idle --send--> waiting --receive--> idle
 *                  |     ^
 *                  +-----+ send, if relaxed
 * ```
 * @internal
 */
export class RequestPattern extends DealerPattern {
  #waiting = false;
  #replyPipe: Pipe | undefined;
  #id = randomInt(0, 2 ** 32);

  /** Only the peer that was asked can leave anything. */
  override get vacant(): boolean {
    return true;
  }

  override get readable(): boolean {
    return this.#waiting && super.readable;
  }

  override get writable(): boolean {
    return this.#maySend && super.writable;
  }

  override get receiveRefusal(): Refusal {
    return this.#waiting ? NOT_NOW : WRONG_STATE;
  }

  override get sendRefusal(): Refusal {
    return this.#maySend ? NOT_NOW : WRONG_STATE;
  }

  override takes(_parts: Parts): boolean {
    return this.#next() !== undefined;
  }

  override send(parts: Parts): boolean {
    const pipe = this.#next();
    if (pipe === undefined) return false;
    // First: within this process the answer may come before the call is over, to one that waits for it.
    this.#waiting = true;
    this.#replyPipe = pipe;
    return this.lb.send(this.#envelope().concat(parts));
  }

  override receive(): Parts | undefined {
    if (!this.#waiting) return undefined;
    for (let parts = this.fq.receive(); parts !== undefined; parts = this.fq.receive()) {
      const reply = this.#replyPipe === undefined || this.fq.last === this.#replyPipe;
      const body = reply ? this.#open(parts) : undefined;
      if (body === undefined) continue;
      this.#waiting = false;
      this.#replyPipe = undefined;
      this.host.writeActivated();
      return body;
    }
    this.#forgetLost();
    return undefined;
  }

  /** What a peer leaves that was not asked is dropped; of the one that was, the answer stays. */
  override pipeEnded(pipe: Pipe): void {
    if (pipe === this.#replyPipe) super.pipeEnded(pipe);
    else super.detach(pipe);
    this.#forgetLost();
  }

  override detach(pipe: Pipe): void {
    super.detach(pipe);
    this.#forgetLost();
  }

  /** The pipe that a request goes to; undefined when none may be sent. */
  #next(): Pipe | undefined {
    if (!this.#maySend || !this.lb.writable) return undefined;
    // A peer's answer to an earlier request must not pass for the one to this. To read may change whose turn it is.
    while (this.fq.receive() !== undefined);
    return this.lb.next;
  }

  get #maySend(): boolean {
    return !this.#waiting || this.host.options.boolean("relaxed");
  }

  #envelope(): Parts {
    if (!this.host.options.boolean("correlate")) return [DELIMITER];
    this.#id = (this.#id + 1) >>> 0;
    const id = Buffer.allocUnsafe(ID_SIZE);
    id.writeUInt32LE(this.#id);
    return [id, DELIMITER];
  }

  /** What stands behind the envelope; undefined when that is not the one of the last request. */
  #open(parts: Parts): Parts | undefined {
    const correlated = this.host.options.boolean("correlate");
    if (correlated && !this.#isAnswer(parts)) return undefined;
    const start = correlated ? 1 : 0;
    if (parts[start]?.length !== 0 || parts.length === start + 1) return undefined;
    return parts.slice(start + 1);
  }

  #isAnswer(parts: Parts): boolean {
    const id = parts[0];
    return id?.length === ID_SIZE && id.readUInt32LE() === this.#id;
  }

  /** The peer that was asked is gone, with nothing left of it: any peer's reply will do, as with libzmq. */
  #forgetLost(): void {
    if (this.#replyPipe !== undefined && !this.fq.has(this.#replyPipe)) this.#replyPipe = undefined;
  }
}

/**
 * Whether a message may be a reply: an empty frame, perhaps a request's number before it, and
 * something behind. Of the number any will do, for whether we sent one is not known here.
 * @internal
 */
export function isReply(parts: readonly Uint8Array[]): boolean {
  const start = parts[0]?.length === ID_SIZE ? 1 : 0;
  return parts[start]?.length === 0 && parts.length > start + 1;
}

defineSocket(Request, {
  type: ZMQ_REQ,
  name: "REQ",
  scopes: ["writable", "readable"],
  options: ["routingId", "probeRouter", "correlate", "relaxed"],
  accepts: isReply,
  single: true,
  named: true,
  pattern: (host) => new RequestPattern(host),
});
