import type { Buffer } from "node:buffer";
import { errnoError } from "../errors.js";
import { type MessageLike, type Parts, sizeOf } from "../message.js";
import type { SendCallOptions, TransferOptions } from "./arguments.js";
import type { Depth } from "./depth.js";
import { Distributor, Recipient } from "./dist.js";
import { GROUP_MAX, Groups } from "./groups.js";
import { NameSet } from "./name-set.js";
import type { SubscriptionLimits } from "./option-types.js";
import {
  NOT_NOW,
  NoInput,
  noOutput,
  type PatternHost,
  type Refusal,
  RoutedPattern,
  TOO_LONG,
} from "./pattern.js";
import type { Pipe } from "./pipe.js";
import { Renewal } from "./renewal.js";
import { addressed, checkAddressed, MULTIPART, nameOctets } from "./single.js";
import { defineSocket, Socket, type SocketOptions, type WritableSocket } from "./socket.js";
import { nameOf } from "./topic.js";

const ZMQ_RADIO = 14;

/** The largest datagram that libzmq's DISH takes: it cuts what is longer, and so it is not sent (`MAX_UDP_MSG`). */
const DATAGRAM_MAX = 8192;

/** Which group a message of a {@link Radio} is for. */
export interface RadioGroupOptions {
  /** Its name: 0 to 255 bytes, up to a zero if there is one (`zmq_msg_set_group`). */
  group: Buffer | string;
}

export interface Radio extends Omit<WritableSocket, "send" | "trySend">, SubscriptionLimits {
  /**
   * `ZMQ_XPUB_NODROP`: `send` waits while any member of the group has no room for the message. Write
   * only; npm zeromq has no property for it. Default false: such members miss the message.
   */
  noDrop: boolean;
  /**
   * `ZMQ_MULTICAST_LOOP`: whether what is sent to a multicast group over udp is heard on this machine, too; npm
   * zeromq has no property for it. Default true.
   */
  multicastLoop: boolean;
}

/**
 * Sends each message to all Dishes that have joined its group (RFC 48). One whose queue is full misses
 * the message; that is counted (`stats().total.messagesDropped`) and told of by a `drop` event.
 *
 * Over udp, to which it connects, each message is one datagram, for whoever listens there: all groups go
 * out, and the Dishes choose. What the system does not take is dropped, and counted, too; what is lost on
 * the way nobody knows.
 */
export class Radio extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Radio>) {
    super(ZMQ_RADIO, options as SocketOptions<Socket>);
  }

  /**
   * Sends a message of one part to all who are in `group`. Otherwise as {@link WritableSocket.send};
   * rejects with EINVAL for several parts, and while a udp endpoint is connected with EMSGSIZE for more than
   * 8191 bytes, the group included: then nothing has been sent to anybody.
   * @throws As there; EINVAL without a group, and for one of more than 255 bytes.
   */
  override send(message: MessageLike, options: RadioGroupOptions & SendCallOptions): Promise<void> {
    checkAddressed(arguments);
    const parts = addressed(groupOctets(options.group), message);
    const more = "signal" in options || "transfer" in options;
    return more ? super.send(parts, options) : super.send(parts);
  }

  /**
   * As {@link send}, if it need not wait. Ours alone.
   * @returns Whether the message was accepted.
   * @throws As {@link send}, and what that rejects with, but for EAGAIN.
   */
  override trySend(message: MessageLike, options: RadioGroupOptions & TransferOptions): boolean;
  /** @internal */
  override trySend(message: MessageLike): boolean;
  override trySend(message: MessageLike, options?: RadioGroupOptions & TransferOptions): boolean {
    checkAddressed(arguments);
    const parts = addressed(groupOctets(options?.group), message);
    const more = options !== undefined && "transfer" in options;
    return more ? super.trySend(parts, options) : super.trySend(parts);
  }
}

function groupOctets(group: unknown): Buffer {
  if (group === undefined) throw errnoError("EINVAL");
  const octets = nameOctets(group);
  if (octets.length > GROUP_MAX) throw errnoError("EINVAL");
  return octets;
}

/** A peer that joins groups. */
class Listener extends Recipient {
  readonly groups = new NameSet();
  readonly renewal = new Renewal();
}

/** RADIO (RFC 48). The first part of a message is its group, here as on the wire. @internal */
export class RadioPattern extends RoutedPattern {
  readonly #dist: Distributor<Listener>;
  readonly #groups = new Groups<Listener>();
  /** Those who get everything. */
  readonly #blind = new Set<Listener>();
  #noDrop = false;
  #refusal = NOT_NOW;

  constructor(host: PatternHost) {
    super(host, new NoInput(), noOutput);
    this.#dist = new Distributor((pipe) => host.dropped(pipe));
  }

  /** Who has no room is passed by; with `noDrop` it shows only when there is a message. */
  override get writable(): boolean {
    return true;
  }

  override get sendRefusal(): Refusal {
    return this.#refusal;
  }

  override get outDepth(): Depth {
    return this.#dist.depth;
  }

  get subscriptions(): number {
    return this.#groups.size;
  }

  optionsChanged(): void {
    this.#noDrop = this.host.options.boolean("noDrop");
  }

  override attach(pipe: Pipe): void {
    const listener = new Listener(pipe);
    this.#dist.attach(listener);
    if (pipe.blind) this.#blind.add(listener);
    super.attach(pipe);
  }

  override detach(pipe: Pipe): void {
    this.#forget(pipe);
    super.detach(pipe);
  }

  override pipeEnded(pipe: Pipe): void {
    this.#forget(pipe);
    super.pipeEnded(pipe);
  }

  override close(): void {
    this.#dist.close();
    super.close();
  }

  override takes(parts: Parts): boolean {
    const dist = this.#dist;
    if (parts.length !== 2) {
      this.#refusal = MULTIPART;
      return false;
    }
    if (this.#blind.size > 0 && 1 + sizeOf(parts) > DATAGRAM_MAX) {
      this.#refusal = TOO_LONG;
      return false;
    }
    dist.begin();
    for (const listener of this.#blind) dist.match(listener);
    for (const listener of this.#groups.membersOf(nameOf(parts[0] as Buffer))) dist.match(listener);
    this.#refusal = NOT_NOW;
    return !this.#noDrop || dist.checkWrite();
  }

  override send(parts: Parts): boolean {
    if (!this.takes(parts)) return false;
    const dist = this.#dist;
    if (dist.matching > 1) this.host.publish(parts, () => dist.send(parts));
    else dist.send(parts);
    return true;
  }

  peerSubscribed(pipe: Pipe, topic: Uint8Array, subscribe: boolean): void {
    const listener = this.#dist.get(pipe);
    // To no such group a message can be sent.
    if (listener === undefined || topic.length > GROUP_MAX) return;
    const group = nameOf(topic);
    if (subscribe) {
      listener.renewal.ask(group);
      this.#groups.join(group, listener);
      return;
    }
    listener.renewal.cancel(group);
    this.#groups.leave(group, listener);
    // A message may have waited for room at this one.
    this.host.writeActivated();
  }

  asked(pipe: Pipe): NameSet | undefined {
    return this.#dist.get(pipe)?.groups;
  }

  /** What is sent to the groups that the peer is in goes on being queued for it: see {@link Renewal}. */
  peerDisconnected(pipe: Pipe): void {
    const listener = this.#dist.get(pipe);
    if (listener === undefined) return;
    listener.renewal.gone(listener.groups, (group) => this.#groups.leave(group, listener));
  }

  #forget(pipe: Pipe): void {
    const listener = this.#dist.get(pipe);
    if (listener === undefined) return;
    this.#groups.delete(listener);
    this.#blind.delete(listener);
    this.#dist.detach(pipe);
    this.host.writeActivated();
  }
}

defineSocket(Radio, {
  type: ZMQ_RADIO,
  name: "RADIO",
  scopes: ["writable", "subscribed"],
  options: ["noDrop", "multicastLoop"],
  defaults: { threadSafe: true },
  udp: "connect",
  publishes: true,
  pattern: (host) => new RadioPattern(host),
});
