import { COPY_MAX, type Message, type MessageLike, type Parts } from "../message.js";
import { cString } from "../option-values.js";
import { placeOf } from "../place.js";
import type { CallOptions, SendCallOptions, TransferOptions } from "./arguments.js";
import { PairPattern } from "./pair.js";
import { NOT_NOW, type Refusal, TOO_LONG } from "./pattern.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_DGRAM = 18;

/** The largest body that a UDP datagram carries over IPv4: 65,535 octets less the headers of both. */
const BODY_MAX = 65_507;

export interface Datagram
  extends ReadableSocket<[Message, Message]>,
    WritableSocket<[MessageLike, MessageLike]> {
  /**
   * Sends a datagram, `[address, body]`: to an IP address and port such as `127.0.0.1:5555` or
   * `[::1]:5555`, as {@link receive} gives it. It waits while none is bound, or the queue is full. Rejects
   * with EINVAL for anything but two parts, and for what is no such address; with EMSGSIZE for a body of
   * more than 65,507 bytes; otherwise as {@link WritableSocket.send}.
   */
  send(message: [MessageLike, MessageLike], options?: SendCallOptions): Promise<void>;
  trySend(message: [MessageLike, MessageLike], options?: TransferOptions): boolean;
  /**
   * Receives a datagram, `[address, body]`. The address says where it came from, and ends with a zero
   * byte, as npm zeromq's does; {@link send} takes it with or without.
   */
  receive(options?: CallOptions): Promise<[Message, Message]>;
  tryReceive(): [Message, Message] | undefined;
  [Symbol.asyncIterator](): AsyncIterator<[Message, Message], undefined>;

  /**
   * `ZMQ_MULTICAST_LOOP`: whether what is sent to a multicast group is heard on this machine, too; npm zeromq
   * has no property for it. Default true.
   */
  multicastLoop: boolean;
}

/**
 * Sends and receives UDP datagrams, to and from anybody (`ZMQ_DGRAM`). It binds to one endpoint at a time,
 * of udp only: one that is bound while there is another takes its place when that is unbound.
 *
 * What comes while the queue is full, or is larger than `maxMessageSize`, is dropped, and what the system
 * does not send: that is counted (`stats().total.messagesDropped`), and a `drop` event tells of the first
 * of a run. What is lost on the way nobody knows.
 */
export class Datagram extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Datagram>) {
    super(ZMQ_DGRAM, options as SocketOptions<Socket>);
  }
}

/** DGRAM: as a PAIR, whose peer is everybody. @internal */
export class DatagramPattern extends PairPattern {
  override takes(parts: Parts): boolean {
    this.sendRefusal = refusalOf(parts);
    return this.sendRefusal === NOT_NOW && super.takes(parts);
  }

  override send(parts: Parts): boolean {
    return this.takes(parts) && super.send(parts);
  }
}

const NO_DATAGRAM: Refusal = { code: "EINVAL", waits: false };

/** Why a message can never be sent; {@link NOT_NOW}: it can. */
function refusalOf([address, body, ...more]: Parts): Refusal {
  if (address === undefined || body === undefined || more.length > 0) return NO_DATAGRAM;
  // What is kept by reference may be another address by the time it is written, and none is that long.
  if (address.length > COPY_MAX || placeOf(cString(address)) === undefined) return NO_DATAGRAM;
  return body.length > BODY_MAX ? TOO_LONG : NOT_NOW;
}

defineSocket(Datagram, {
  type: ZMQ_DGRAM,
  name: "DGRAM",
  scopes: ["writable", "readable"],
  options: ["multicastLoop"],
  udp: "bind",
  pattern: (host) => new DatagramPattern(host),
});
