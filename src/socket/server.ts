import { Buffer } from "node:buffer";
import { errnoError } from "../errors.js";
import type { Message, MessageLike, MessageWith, Parts } from "../message.js";
import { randomInt } from "../random.js";
import type { CallOptions, SendCallOptions, TransferOptions } from "./arguments.js";
import { NOT_NOW } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import { AddressedPattern, UNROUTABLE } from "./router.js";
import { addressed, checkAddressed, isSingle, MULTIPART } from "./single.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_SERVER = 12;

/** Which peer a message of a Server or Peer came from, or is for. */
export interface ServerRoutingOptions {
  /** A whole number from 1 to 4,294,967,295 (`zmq_msg_routing_id`). */
  routingId: number;
}

export interface RoutedSocket
  extends ReadableSocket<MessageWith<ServerRoutingOptions>>,
    Omit<WritableSocket, "send" | "trySend"> {
  receive(options?: CallOptions): Promise<MessageWith<ServerRoutingOptions>>;
  tryReceive(): MessageWith<ServerRoutingOptions> | undefined;
  [Symbol.asyncIterator](): AsyncIterator<MessageWith<ServerRoutingOptions>, undefined>;
}

/** What Server and Peer have in common: whom a message is for is said beside it. */
export class RoutedSocket extends Socket {
  /**
   * Sends a message of one part to the peer called `routingId`. Otherwise as
   * {@link WritableSocket.send}; rejects with EHOSTUNREACH when there is no such peer, with EINVAL for
   * several parts.
   * @throws As there; EINVAL when the routing id is 0 or missing.
   */
  override send(
    message: MessageLike,
    options: ServerRoutingOptions & SendCallOptions,
  ): Promise<void> {
    checkAddressed(arguments);
    const parts = addressed(routingOctets(options.routingId), message);
    const more = "signal" in options || "transfer" in options;
    return more ? super.send(parts, options) : super.send(parts);
  }

  /**
   * As {@link send}, if it need not wait. Ours alone.
   * @returns Whether the message was accepted.
   * @throws As {@link send}, and what that rejects with, but for EAGAIN.
   */
  override trySend(message: MessageLike, options: ServerRoutingOptions & TransferOptions): boolean;
  /** @internal */
  override trySend(message: MessageLike): boolean;
  override trySend(
    message: MessageLike,
    options?: ServerRoutingOptions & TransferOptions,
  ): boolean {
    checkAddressed(arguments);
    const parts = addressed(routingOctets(options?.routingId), message);
    const more = options !== undefined && "transfer" in options;
    return more ? super.trySend(parts, options) : super.trySend(parts);
  }
}

/**
 * Talks to any number of Clients (RFC 41). Each has a number, made up here: a message is received with
 * that of the peer that it came from, and sent with that of the one that it is for.
 *
 * `send` to a peer that is not there fails with EHOSTUNREACH, and waits for one whose queue is full.
 * In `stats()` and events a peer's routing id is the number's four octets, most significant first.
 */
export class Server extends RoutedSocket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Server>) {
    super(ZMQ_SERVER, options as SocketOptions<Socket>);
  }
}

/** Routing ids start here: as a name's, the first of their octets is not zero. */
const FIRST = 2 ** 24;
const LAST = 2 ** 32 - 1;

/** Shared by all sockets, so that one can be made up before there is a peer to have it. */
let latest: number | undefined;

/** Makes up a routing id that no peer has had for four thousand million peers. @internal */
export function newRoutingId(): number {
  latest ??= randomInt(FIRST, LAST);
  latest = latest === LAST ? FIRST : latest + 1;
  return latest;
}

/**
 * The octets of a routing id.
 * @throws TypeError unless it is a number, EINVAL when there is none, or it is 0.
 * @internal
 */
export function routingOctets(routingId: unknown): Buffer {
  if (routingId === undefined) throw errnoError("EINVAL");
  if (typeof routingId !== "number") throw new TypeError("A number was expected");
  // Wraps around and loses its fraction, as in npm zeromq.
  const id = routingId >>> 0;
  if (id === 0) throw errnoError("EINVAL");
  const octets = Buffer.allocUnsafe(4);
  octets.writeUInt32BE(id);
  return octets;
}

/** What is received of a message behind the octets of a routing id. @internal */
export function presentRouted(parts: Parts): Message[] {
  const [octets, message] = parts as [Buffer, Buffer];
  return [message, { routingId: octets.readUInt32BE() }] as MessageWith<ServerRoutingOptions>;
}

/** SERVER (RFC 41), and PEER (RFC 51). @internal */
export class ServerPattern extends AddressedPattern {
  /** To whom a message goes shows only when there is one. */
  override get writable(): boolean {
    return true;
  }

  override attach(pipe: Pipe, routingId?: Buffer): void {
    this.routes.add(pipe, routingId ?? this.#unusedId());
    super.attach(pipe);
  }

  override detach(pipe: Pipe): void {
    this.routes.delete(pipe);
    super.detach(pipe);
    // A message may have waited for room at this one.
    this.host.writeActivated();
  }

  override pipeEnded(pipe: Pipe): void {
    this.routes.delete(pipe);
    super.pipeEnded(pipe);
    this.host.writeActivated();
  }

  override takes(parts: Parts): boolean {
    return this.#whereTo(parts) !== undefined;
  }

  override send(parts: Parts): boolean {
    const pipe = this.#whereTo(parts);
    pipe?.send(parts.slice(1));
    return pipe !== undefined;
  }

  /** The pipe that a message goes to; undefined when it is none, or there is no such peer, or no room at it. */
  #whereTo(parts: Parts): Pipe | undefined {
    const pipe = this.routes.find(parts[0] as Buffer);
    if (parts.length !== 2) this.refusal = MULTIPART;
    else if (pipe === undefined) this.refusal = UNROUTABLE;
    else if (!pipe.checkWrite()) this.refusal = NOT_NOW;
    else return pipe;
    return undefined;
  }

  #unusedId(): Buffer {
    let octets: Buffer;
    do octets = routingOctets(newRoutingId());
    while (this.routes.find(octets) !== undefined);
    return octets;
  }
}

defineSocket(Server, {
  type: ZMQ_SERVER,
  name: "SERVER",
  scopes: ["writable", "readable"],
  defaults: { threadSafe: true },
  accepts: isSingle,
  present: presentRouted,
  pattern: (host) => new ServerPattern(host),
});
