import { Buffer } from "node:buffer";
import { errnoError } from "../errors.js";
import type { Parts } from "../message.js";
import type { OptionValue } from "../options.js";
import { Arrivals } from "./arrivals.js";
import { type Depth, depthOf, isBelow } from "./depth.js";
import { Distributor, Recipient } from "./dist.js";
import { NameSet } from "./name-set.js";
import type { SubscriptionLimits } from "./option-types.js";
import { NOT_NOW, type Pattern, type PatternHost, type Refusal, receiveBounds } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import { Renewal } from "./renewal.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";
import { Subscriptions } from "./subscriptions.js";
import { isSubscription, nameOf, subscriptionTo } from "./topic.js";

const ZMQ_XPUB = 9;
const ZMQ_XPUB_VERBOSE = 40;
const ZMQ_XPUB_VERBOSER = 78;

export interface XPublisher extends ReadableSocket, WritableSocket, SubscriptionLimits {
  /** `ZMQ_XPUB_NODROP`: see {@link Publisher.noDrop}. Write only. Default false. */
  noDrop: boolean;
  /**
   * `ZMQ_XPUB_MANUAL`: subscriptions that are received have no effect of themselves; options 6 and
   * 7 (`ZMQ_SUBSCRIBE`, `ZMQ_UNSUBSCRIBE`) subscribe, or cancel, for the peer whose subscription was
   * received last. Write only. Default false.
   */
  manual: boolean;
  /**
   * `ZMQ_XPUB_WELCOME_MSG`: sent to each subscriber that comes. It sees the message only if it is
   * subscribed to it. Write only. Default null: none.
   */
  welcomeMessage: string | null;
  /** `ZMQ_INVERT_MATCHING`: see {@link Publisher.invertMatching}. Default false. */
  invertMatching: boolean;
}

/**
 * As a Publisher, for proxies (RFC 29): it receives what is subscribed to, as messages of the byte 1
 * and the topic when the first peer subscribes, of 0 and the topic when the last one cancels or goes;
 * and whatever else XSubscribers send.
 */
export class XPublisher extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<XPublisher>) {
    super(ZMQ_XPUB, options as SocketOptions<Socket>);
  }

  /**
   * Which subscriptions are received: null, those that change something; "allSubs", each one, and
   * what cancels the last (`ZMQ_XPUB_VERBOSE`); "allSubsUnsubs", all (`ZMQ_XPUB_VERBOSER`). Other
   * values are ignored. Write only. Default null.
   */
  set verbosity(value: null | "allSubs" | "allSubsUnsubs") {
    if (value === null) this.setBoolOption(ZMQ_XPUB_VERBOSE, false);
    else if (value === "allSubs") this.setBoolOption(ZMQ_XPUB_VERBOSE, true);
    else if (value === "allSubsUnsubs") this.setBoolOption(ZMQ_XPUB_VERBOSER, true);
  }
}

/** A peer that subscribes. */
class SubscribingPeer extends Recipient {
  /** What it is subscribed to: messages that begin with these go to it. */
  readonly topics = new NameSet();
  /** What it asked for, where the application decides (`manual`). */
  readonly wishes = new NameSet();
  readonly renewal = new Renewal();
  /** Messages in its pipe that have their place in the order of arrival. */
  ordered = 0;
}

/**
 * XPUB (RFC 29), and what PUB is built on.
 *
 * What peers tell us is received in the order in which it came, whichever peer it is of: of two
 * peers one may subscribe to what the other has just cancelled. Messages wait in their pipes, where
 * they count against the high-water mark; so do subscriptions of which each one is to be received.
 * @internal
 */
export class XPublisherPattern implements Pattern {
  readonly #host: PatternHost;
  readonly #dist: Distributor<SubscribingPeer>;
  readonly #subscriptions = new Subscriptions<SubscribingPeer>();
  readonly #arrivals: Arrivals;
  /** Pipes of peers that are gone, with messages left to read. */
  readonly #departed = new Set<Pipe>();
  /** Whose subscription was received last (`manual`). */
  #last: SubscribingPeer | undefined;
  #noDrop = false;
  #inverted = false;
  #manual = false;
  #verboseSubs = false;
  #verboseUnsubs = false;

  readonly receiveRefusal: Refusal = NOT_NOW;
  readonly sendRefusal = NOT_NOW;

  constructor(host: PatternHost) {
    this.#host = host;
    this.#arrivals = new Arrivals(() => host.options.number("receiveHighWaterMark"));
    this.#dist = new Distributor((pipe) => host.dropped(pipe));
  }

  /**
   * Whether another peer may come. It must not be kept out because nobody receives at all: only
   * where each subscription is to be received somebody surely does.
   */
  get vacant(): boolean {
    return !this.#isVerbose || this.#mayLeaveMore();
  }

  get readable(): boolean {
    return this.#arrivals.readable;
  }

  /** Who has no room is passed by; with `noDrop` it shows only when there is a message. */
  get writable(): boolean {
    return true;
  }

  get depth(): Depth {
    const notices = this.#arrivals.notices;
    const { messages, bytes } = depthOf([...this.#pipes(), ...this.#departed]);
    return { messages: messages + notices.messages, bytes: bytes + notices.bytes };
  }

  get outDepth(): Depth {
    return this.#dist.depth;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  optionsChanged(): void {
    const { options } = this.#host;
    this.#noDrop = options.boolean("noDrop");
    this.#inverted = options.boolean("invertMatching");
    this.#manual = options.boolean("manual") ?? false;
  }

  order(name: string, value: OptionValue | Buffer): void {
    switch (name) {
      case "verbose":
        this.#verboseSubs = value as boolean;
        this.#verboseUnsubs = false;
        break;
      case "verboser":
        this.#verboseSubs = value as boolean;
        this.#verboseUnsubs = value as boolean;
        break;
      default:
        this.#decide(name === "subscribe", nameOf(Buffer.from((value ?? "") as string)));
    }
  }

  attach(pipe: Pipe): void {
    pipe.attach(this);
    this.#dist.attach(new SubscribingPeer(pipe));
    const welcome = this.#host.options.octets("welcomeMessage");
    if (welcome !== undefined) {
      pipe.write([Buffer.from(welcome)]);
      pipe.flush();
    }
    this.readActivated(pipe);
  }

  detach(pipe: Pipe): void {
    this.#arrivals.forget(pipe, this.#dist.get(pipe)?.ordered ?? 0);
    // First: what is left of the peer goes behind it.
    pipe.close();
    this.#leave(pipe);
  }

  close(): void {
    for (const pipe of [...this.#pipes(), ...this.#departed]) pipe.close();
    this.#dist.close();
    this.#departed.clear();
    this.#arrivals.clear();
  }

  /** Chooses, too, whom it is for. */
  takes(parts: Parts): boolean {
    const dist = this.#dist;
    dist.begin();
    this.#subscriptions.match(parts[0] as Buffer, (subscriber) => dist.match(subscriber));
    if (this.#inverted) dist.reverse();
    return !this.#noDrop || dist.checkWrite();
  }

  send(parts: Parts): boolean {
    if (!this.takes(parts)) return false;
    const dist = this.#dist;
    if (dist.matching > 1) this.#host.publish(parts, () => dist.send(parts));
    else dist.send(parts);
    return true;
  }

  receive(): Parts | undefined {
    const arrival = this.#arrivals.shift();
    if (arrival === undefined) return undefined;
    const { pipe, notice } = arrival;
    if (notice !== undefined) return notice;
    const subscriber = this.#dist.get(pipe);
    if (subscriber === undefined) return this.#readDeparted(pipe);
    // First: reading may let more of them come.
    subscriber.ordered--;
    const parts = pipe.read() as Parts;
    // Asked anew: the peer may have gone meanwhile.
    if (this.#manual && isNotice(parts)) this.#last = this.#dist.get(pipe);
    return parts;
  }

  peerSubscribed(pipe: Pipe, topic: Uint8Array, subscribe: boolean): void {
    const subscriber = this.#dist.get(pipe);
    if (subscriber === undefined) return;
    const name = nameOf(topic);
    if (subscribe) subscriber.renewal.ask(name);
    else subscriber.renewal.cancel(name);
    if (this.#change(subscriber, name, subscribe)) this.tell(pipe, name, subscribe);
    // A message may have waited for room at this one.
    if (!subscribe) this.#host.writeActivated();
  }

  asked(pipe: Pipe): NameSet | undefined {
    const subscriber = this.#dist.get(pipe);
    return this.#manual ? subscriber?.wishes : subscriber?.topics;
  }

  /** What the peer was subscribed to goes on being queued for it: see {@link Renewal}. */
  peerDisconnected(pipe: Pipe): void {
    const subscriber = this.#dist.get(pipe);
    if (subscriber === undefined) return;
    const { topics, wishes, renewal } = subscriber;
    renewal.gone(this.#manual ? wishes : topics, (topic) => this.#withdraw(subscriber, topic));
  }

  readActivated(pipe: Pipe): void {
    const subscriber = this.#dist.get(pipe);
    if (subscriber !== undefined) this.#order(subscriber);
  }

  writeActivated(): void {
    this.#host.writeActivated();
  }

  pipeEnded(pipe: Pipe): void {
    this.#leave(pipe);
  }

  /** Tells the application of a subscription. */
  protected tell(pipe: Pipe, topic: string, subscribe: boolean): void {
    const parts = [subscriptionTo(topic, subscribe)];
    const subscriber = this.#dist.get(pipe);
    if (subscriber !== undefined) this.#order(subscriber);
    if (this.#isVerbose) {
      pipe.inject(parts);
      if (subscriber === undefined) this.#arrived(pipe, 1);
      else this.#order(subscriber);
    } else {
      this.#arrivals.notify(pipe, topic, subscribe, parts);
      this.#host.readActivated();
    }
  }

  /** A peer wants a topic no more, though it did not say so. */
  #withdraw(subscriber: SubscribingPeer, topic: string): void {
    if (this.#change(subscriber, topic, false)) this.tell(subscriber.pipe, topic, false);
  }

  /** Subscribes a peer to a topic, or cancels that. @returns Whether the application hears of it. */
  #change(subscriber: SubscribingPeer, topic: string, subscribe: boolean): boolean {
    if (this.#manual) {
      if (subscribe) subscriber.wishes.add(topic);
      else subscriber.wishes.delete(topic);
      return true;
    }
    if (subscribe) return this.#subscriptions.add(topic, subscriber) || this.#verboseSubs;
    return this.#subscriptions.delete(topic, subscriber) || this.#verboseUnsubs;
  }

  /**
   * What the application decides for the peer whose subscription it received last.
   * @throws EINVAL when it is not for the application to decide.
   */
  #decide(subscribe: boolean, topic: string): void {
    if (!this.#manual) throw errnoError("EINVAL");
    if (this.#last === undefined) return;
    if (subscribe) this.#subscriptions.add(topic, this.#last);
    else this.#subscriptions.delete(topic, this.#last);
  }

  /** The peer is gone: the application is told of what nobody wants any more. */
  #leave(pipe: Pipe): void {
    const subscriber = this.#dist.get(pipe);
    if (subscriber === undefined) return;
    this.#order(subscriber);
    this.#dist.detach(pipe);
    if (this.#last === subscriber) this.#last = undefined;
    for (const topic of subscriber.topics) {
      const last = this.#subscriptions.delete(topic, subscriber);
      if (!this.#manual && (last || this.#verboseUnsubs)) this.tell(pipe, topic, false);
    }
    for (const topic of subscriber.wishes) this.tell(pipe, topic, false);
    if (pipe.length > 0 && (this.#isVerbose || this.#mayLeaveMore())) this.#departed.add(pipe);
    else this.#drop(pipe);
    this.#host.writeActivated();
  }

  /** Whether each subscription is to be received, and not what they come to. */
  get #isVerbose(): boolean {
    return this.#manual || this.#verboseSubs;
  }

  /** Whether those who are gone have left less than one queue may hold. */
  #mayLeaveMore(): boolean {
    return isBelow(depthOf(this.#departed), receiveBounds(this.#host));
  }

  #drop(pipe: Pipe): void {
    this.#arrivals.forget(pipe, pipe.length);
    for (let i = pipe.length; i > 0; i--) this.#host.dropped();
    pipe.close();
  }

  /** Gives messages that came a place in the order. */
  #order(subscriber: SubscribingPeer): void {
    const { pipe } = subscriber;
    const count = pipe.length - subscriber.ordered;
    subscriber.ordered = pipe.length;
    pipe.listen();
    if (count > 0) this.#arrived(pipe, count);
  }

  #arrived(pipe: Pipe, count: number): void {
    this.#arrivals.push(pipe, count);
    this.#host.readActivated();
  }

  /** Of a peer that is gone nobody can be subscribed. */
  #readDeparted(pipe: Pipe): Parts {
    const wasVacant = this.vacant;
    const parts = pipe.read() as Parts;
    if (this.#manual && isNotice(parts)) this.#last = undefined;
    if (pipe.length === 0) {
      this.#departed.delete(pipe);
      pipe.close();
    }
    if (!wasVacant && this.vacant) this.#host.vacated();
    return parts;
  }

  *#pipes(): Iterable<Pipe> {
    for (const { pipe } of this.#dist.recipients) yield pipe;
  }
}

/** Whether a message is a subscription, and not one that begins as one does. */
function isNotice(parts: Parts): boolean {
  return parts.length === 1 && isSubscription(parts[0] as Buffer);
}

defineSocket(XPublisher, {
  type: ZMQ_XPUB,
  name: "XPUB",
  scopes: ["writable", "readable", "subscribed"],
  options: [
    ...["noDrop", "manual", "welcomeMessage", "invertMatching"],
    ...["verbose", "verboser", "subscribe", "unsubscribe"],
  ],
  publishes: true,
  pattern: (host) => new XPublisherPattern(host),
});
