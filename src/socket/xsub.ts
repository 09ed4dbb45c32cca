import type { Buffer } from "node:buffer";
import type { Parts } from "../message.js";
import type { Depth } from "./depth.js";
import { Distributor, Recipient } from "./dist.js";
import type { FairQueue } from "./fq.js";
import {
  fairQueueOf,
  NOT_NOW,
  noOutput,
  type PatternHost,
  type Refusal,
  RoutedPattern,
} from "./pattern.js";
import type { Pipe } from "./pipe.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";
import { isSubscription, nameOf, octetsOf, subscribes } from "./topic.js";
import { Trie } from "./trie.js";

const ZMQ_XSUB = 10;

export interface XSubscriber extends ReadableSocket, WritableSocket {}

/**
 * As a Subscriber, for proxies (RFC 29): to subscribe, send a message of the byte 1 and the topic;
 * to cancel, of 0 and the topic. Any other message goes to all publishers, of which an XPublisher
 * receives it. All that publishers send is received, whatever was subscribed to.
 */
export class XSubscriber extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<XSubscriber>) {
    super(ZMQ_XSUB, options as SocketOptions<Socket>);
  }
}

/**
 * XSUB (RFC 29), and what SUB is built on.
 *
 * Subscriptions are counted here: a topic is cancelled at the publishers when it has been cancelled
 * as often as it was subscribed to. They are told anew to each publisher that comes, or comes again.
 * @internal
 */
export class XSubscriberPattern extends RoutedPattern {
  protected readonly fq: FairQueue;
  readonly #dist: Distributor;
  /** How often each topic was subscribed to. */
  readonly #counts = new Trie<number>();
  readonly #connected = new Set<Pipe>();

  constructor(host: PatternHost) {
    const fq = fairQueueOf(host);
    super(host, fq, noOutput);
    this.fq = fq;
    this.#dist = new Distributor((pipe) => host.dropped(pipe));
  }

  /** Subscriptions can be made at any time. */
  override get writable(): boolean {
    return true;
  }

  override get sendRefusal(): Refusal {
    return NOT_NOW;
  }

  override get outDepth(): Depth {
    return this.#dist.depth;
  }

  get subscriptions(): number {
    return this.#counts.size;
  }

  override attach(pipe: Pipe): void {
    this.#dist.attach(new Recipient(pipe));
    super.attach(pipe);
  }

  override detach(pipe: Pipe): void {
    this.#leave(pipe);
    super.detach(pipe);
  }

  override close(): void {
    this.#connected.clear();
    this.#dist.close();
    super.close();
  }

  peerConnected(pipe: Pipe): void {
    this.#connected.add(pipe);
    for (const [topic] of this.#counts.entries()) pipe.subscribe(octetsOf(topic), true);
  }

  peerDisconnected(pipe: Pipe): void {
    this.#connected.delete(pipe);
  }

  override pipeEnded(pipe: Pipe): void {
    this.#leave(pipe);
    super.pipeEnded(pipe);
  }

  override send(parts: Parts): boolean {
    if (isSubscription(parts[0] as Buffer)) this.#sendSubscriptions(parts);
    else this.#sendUpstream(parts);
    return true;
  }

  protected subscribe(topic: Buffer): void {
    const name = nameOf(topic);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    // Each time, and not the first time only: a publisher may want to know.
    for (const pipe of this.#connected) pipe.subscribe(topic, true);
  }

  protected cancel(topic: Buffer): void {
    const name = nameOf(topic);
    const count = this.#counts.get(name) ?? 0;
    if (count > 1) this.#counts.set(name, count - 1);
    else if (this.#counts.delete(name)) {
      for (const pipe of this.#connected) pipe.subscribe(topic, false);
    }
  }

  /** Whether a message begins with a topic that was subscribed to. */
  protected matches(parts: Parts): boolean {
    return this.#counts.matches(parts[0] as Buffer);
  }

  /** Each part that begins as one is a subscription; what remains is a message of its own. */
  #sendSubscriptions(parts: Parts): void {
    const rest: Parts = [];
    for (const part of parts) {
      if (!isSubscription(part)) rest.push(part);
      else if (subscribes(part)) this.subscribe(part.subarray(1));
      else this.cancel(part.subarray(1));
    }
    if (rest.length > 0) this.#sendUpstream(rest);
  }

  #sendUpstream(parts: Parts): void {
    const dist = this.#dist;
    dist.begin();
    dist.matchAll();
    if (dist.matching > 1) this.host.publish(parts, () => dist.send(parts));
    else dist.send(parts);
  }

  #leave(pipe: Pipe): void {
    this.#connected.delete(pipe);
    this.#dist.detach(pipe);
  }
}

defineSocket(XSubscriber, {
  type: ZMQ_XSUB,
  name: "XSUB",
  scopes: ["writable", "readable"],
  defaults: { linger: 0 },
  publishes: true,
  pattern: (host) => new XSubscriberPattern(host),
});
