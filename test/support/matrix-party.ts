import type { Authenticate, Context, Socket } from "../../src/index.js";
import { EventLog } from "./event-log.js";
import type { Envelope, EnvelopePattern, Progress, ReceiveRequest } from "./matrix-operations.mjs";
import * as operations from "./matrix-operations.mjs";
import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "./ours.js";
import type { Batch, Summary } from "./payload.mjs";
import { until } from "./sockets.js";

/** Our classes, by the names that the protocol has for their types. */
const OURS = {
  PAIR: Pair,
  PUB: Publisher,
  SUB: Subscriber,
  REQ: Request,
  REP: Reply,
  DEALER: Dealer,
  ROUTER: Router,
  PULL: Pull,
  PUSH: Push,
  XPUB: XPublisher,
  XSUB: XSubscriber,
  STREAM: Stream,
} as const;

export type TypeName = keyof typeof OURS;

export const TYPES = Object.keys(OURS) as TypeName[];

/** What npm zeromq calls the class of a type, and so do we. */
export function classOf(type: TypeName): string {
  return OURS[type].name;
}

/** A socket, ours or libzmq's: what a test does with either. */
export interface SocketParty {
  readonly events: EventLog;
  /** @returns The endpoint with its port, or path. */
  bind(address: string): Promise<string>;
  unbind(address: string): Promise<void>;
  connect(address: string, options?: { routingId: string }): Promise<void>;
  disconnect(address: string): Promise<void>;
  /** Sends a batch, each message behind `before`. */
  send(batch: Batch, before?: Envelope): Promise<void>;
  /** Sends as much of a batch as goes without waiting for longer than `timeoutMs`. */
  sendUntilFull(batch: Batch, timeoutMs: number, before?: Envelope): Promise<Progress>;
  receive(count: number, options?: ReceiveRequest): Promise<Summary>;
  /** Receives up to and with the message that carries the number `last`. */
  receiveThrough(last: number, options?: ReceiveRequest): Promise<Summary>;
  /** Receives `count` messages and sends each back as it came. */
  echo(count: number, before?: EnvelopePattern): Promise<Summary>;
  /** Sends a batch, receiving an answer after each message. @returns The answers. */
  ask(batch: Batch, before?: Envelope): Promise<Summary>;
  sendParts(...parts: (string | Uint8Array)[]): Promise<void>;
  receiveParts(): Promise<Buffer[]>;
  /** As a STREAM: `size` octets of one peer, in however many messages they come. */
  receiveOctets(peer: Uint8Array, size: number): Promise<Buffer>;
  subscribe(topic: Uint8Array): Promise<void>;
  unsubscribe(topic: Uint8Array): Promise<void>;
  /** Resolves once the socket is (not) writable. */
  writable(value: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Options of a socket, as in npm zeromq, and ours. */
export type PartyOptions = Record<string, number | boolean | string | Context | Authenticate>;

/** A socket of any type; one that all calls are typed for. */
type AnySocket = Pair & Socket;

/** A socket of ours. */
export class OurParty implements SocketParty {
  readonly socket: AnySocket;
  readonly events: EventLog;

  constructor(type: TypeName, options: PartyOptions = {}) {
    const Class = OURS[type] as unknown as new (options: PartyOptions) => AnySocket;
    this.socket = new Class({ linger: 0, ...options });
    this.events = EventLog.of(this.socket);
  }

  async bind(address: string): Promise<string> {
    await this.socket.bind(address);
    return this.socket.lastEndpoint as string;
  }

  unbind(address: string): Promise<void> {
    return this.socket.unbind(address);
  }

  async connect(address: string, options?: { routingId: string }): Promise<void> {
    if (options === undefined) this.socket.connect(address);
    else (this.socket as unknown as Router).connect(address, options);
  }

  async disconnect(address: string): Promise<void> {
    this.socket.disconnect(address);
  }

  async send(batch: Batch, before?: Envelope): Promise<void> {
    await operations.send(this.socket, { batch, before });
  }

  sendUntilFull(batch: Batch, timeoutMs: number, before?: Envelope): Promise<Progress> {
    return operations.send(this.socket, { batch, before, timeoutMs, untilFull: true });
  }

  receive(count: number, options: ReceiveRequest = {}): Promise<Summary> {
    return operations.receive(this.socket, { ...options, count });
  }

  receiveThrough(last: number, options: ReceiveRequest = {}): Promise<Summary> {
    return operations.receive(this.socket, { ...options, last });
  }

  echo(count: number, before?: EnvelopePattern): Promise<Summary> {
    return operations.echo(this.socket, { count, before });
  }

  ask(batch: Batch, before?: Envelope): Promise<Summary> {
    return operations.ask(this.socket, { batch, before });
  }

  sendParts(...parts: (string | Uint8Array)[]): Promise<void> {
    return operations.sendParts(this.socket, { parts });
  }

  receiveParts(): Promise<Buffer[]> {
    return operations.receiveParts(this.socket, {});
  }

  receiveOctets(peer: Uint8Array, size: number): Promise<Buffer> {
    return operations.receiveOctets(this.socket, { peer, size });
  }

  subscribe(topic: Uint8Array): Promise<void> {
    return operations.subscribe(this.socket, { topic });
  }

  unsubscribe(topic: Uint8Array): Promise<void> {
    return operations.unsubscribe(this.socket, { topic });
  }

  writable(value: boolean): Promise<void> {
    return until(() => this.socket.writable === value);
  }

  async close(): Promise<void> {
    this.socket.close();
  }
}
