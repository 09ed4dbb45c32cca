import type { Buffer } from "node:buffer";
import { errnoError } from "../errors.js";
import { type Message, type MessageWith, type Parts, sizeOf } from "../message.js";
import type { OptionValue } from "../options.js";
import type { CallOptions } from "./arguments.js";
import type { Depth } from "./depth.js";
import type { FairQueue } from "./fq.js";
import { GROUP_MAX } from "./groups.js";
import { fairQueueOf, noOutput, type PatternHost, RoutedPattern } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import { nameOctets } from "./single.js";
import { defineSocket, type ReadableSocket, Socket, type SocketOptions } from "./socket.js";
import { nameOf, octetsOf } from "./topic.js";

const ZMQ_DISH = 15;
const JOIN = 10_020;
const LEAVE = 10_021;

/** Which group a message that a {@link Dish} received is of. */
export interface DishGroupOptions {
  /** Its name (`zmq_msg_group`). */
  group: Buffer;
}

export interface Dish extends ReadableSocket<MessageWith<DishGroupOptions>> {
  receive(options?: CallOptions): Promise<MessageWith<DishGroupOptions>>;
  tryReceive(): MessageWith<DishGroupOptions> | undefined;
  [Symbol.asyncIterator](): AsyncIterator<MessageWith<DishGroupOptions>, undefined>;
}

/**
 * Receives what Radios send to the groups that it has joined (RFC 48), each message with its group;
 * nothing before the first is joined.
 *
 * Over udp, where it binds, it hears whoever sends there. Datagrams that are none of a Radio's, that are
 * larger than `maxMessageSize`, or for which the queue has no room, are dropped, and counted
 * (`stats().total.messagesDropped`); a `drop` event tells of the first of a run.
 */
export class Dish extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Dish>) {
    super(ZMQ_DISH, options as SocketOptions<Socket>);
  }

  /**
   * Joins groups (`zmq_join`). Radios hear of it as soon as they are connected. A group is called by 0
   * to 255 bytes, up to a zero if there is one.
   * @throws TypeError, EBADF when closed; EINVAL for a group that was joined already, or a longer name:
   *   groups before it have been joined then.
   */
  join(...values: (Buffer | string)[]): void {
    for (const value of values) this.#order(JOIN, value);
  }

  /**
   * Leaves groups (`zmq_leave`).
   * @throws TypeError, EBADF when closed; EINVAL for a group that was not joined: groups before it have
   *   been left then.
   */
  leave(...values: (Buffer | string)[]): void {
    for (const value of values) this.#order(LEAVE, value);
  }

  #order(option: number, group: unknown): void {
    if (this.closed) throw errnoError("EBADF");
    this.setStringOption(option, nameOctets(group) as unknown as string);
  }
}

/**
 * DISH (RFC 48). Radios filter; we do so again, for what was on its way when a group was left, and for
 * Radios that do not. The first part of a message is its group, here as on the wire.
 * @internal
 */
export class DishPattern extends RoutedPattern {
  readonly #fq: FairQueue;
  readonly #groups = new Set<string>();
  readonly #connected = new Set<Pipe>();
  #next: Parts | undefined;

  constructor(host: PatternHost) {
    const fq = fairQueueOf(host);
    super(host, fq, noOutput);
    this.#fq = fq;
  }

  override get readable(): boolean {
    this.#next ??= this.#find();
    return this.#next !== undefined;
  }

  /** Groups can be joined at any time, says libzmq. */
  override get writable(): boolean {
    return true;
  }

  override get depth(): Depth {
    const { messages, bytes } = super.depth;
    if (this.#next === undefined) return { messages, bytes };
    return { messages: messages + 1, bytes: bytes + sizeOf(this.#next) };
  }

  get subscriptions(): number {
    return this.#groups.size;
  }

  order(name: string, value: OptionValue | Buffer): void {
    const group = value as Buffer;
    const key = nameOf(group);
    const joined = this.#groups.has(key);
    const join = name === "join";
    if (joined === join || group.length > GROUP_MAX) throw errnoError("EINVAL");
    if (join) this.#groups.add(key);
    else this.#groups.delete(key);
    for (const pipe of this.#connected) pipe.subscribe(group, join);
  }

  override receive(): Parts | undefined {
    const parts = this.#next ?? this.#find();
    this.#next = undefined;
    return parts;
  }

  override detach(pipe: Pipe): void {
    this.#connected.delete(pipe);
    super.detach(pipe);
  }

  override close(): void {
    this.#connected.clear();
    this.#next = undefined;
    super.close();
  }

  peerConnected(pipe: Pipe): void {
    this.#connected.add(pipe);
    for (const group of this.#groups) pipe.subscribe(octetsOf(group), true);
  }

  peerDisconnected(pipe: Pipe): void {
    this.#connected.delete(pipe);
  }

  override pipeEnded(pipe: Pipe): void {
    this.#connected.delete(pipe);
    super.pipeEnded(pipe);
  }

  /** The next message of a group that was joined; those before it are dropped. */
  #find(): Parts | undefined {
    for (let parts = this.#fq.receive(); parts !== undefined; parts = this.#fq.receive()) {
      if (this.#groups.has(nameOf(parts[0] as Buffer))) return parts;
    }
    return undefined;
  }
}

function isOfGroup(parts: readonly Uint8Array[]): boolean {
  return parts.length === 2 && (parts[0] as Uint8Array).length <= GROUP_MAX;
}

function present(parts: Parts): Message[] {
  const [group, message] = parts as [Buffer, Buffer];
  return [message, { group }] as MessageWith<DishGroupOptions>;
}

defineSocket(Dish, {
  type: ZMQ_DISH,
  name: "DISH",
  scopes: ["readable"],
  options: ["join", "leave"],
  defaults: { linger: 0, threadSafe: true },
  udp: "bind",
  accepts: isOfGroup,
  present,
  pattern: (host) => new DishPattern(host),
});
