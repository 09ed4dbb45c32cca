import { errnoError } from "../errors.js";
import type { MessageLike, MessageWith } from "../message.js";
import type { CallOptions } from "./arguments.js";
import {
  newRoutingId,
  presentRouted,
  routingOctets,
  ServerPattern,
  type ServerRoutingOptions,
} from "./server.js";
import { addressed, checkAddressed, isSingle } from "./single.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_PEER = 19;
const ZMQ_CONNECT_ROUTING_ID = 61;

export interface Peer
  extends ReadableSocket<MessageWith<ServerRoutingOptions>>,
    Omit<WritableSocket, "send" | "trySend"> {
  receive(options?: CallOptions): Promise<MessageWith<ServerRoutingOptions>>;
  tryReceive(): MessageWith<ServerRoutingOptions> | undefined;
  [Symbol.asyncIterator](): AsyncIterator<MessageWith<ServerRoutingOptions>, undefined>;
}

/**
 * Talks to any number of Peers (RFC 51), as a Server to its Clients; but either side may begin, for
 * {@link connectPeer} says what the other is called. npm zeromq does not have it.
 */
export class Peer extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Peer>) {
    super(ZMQ_PEER, options as SocketOptions<Socket>);
  }

  /**
   * As {@link Socket.connect}, any number of times for one endpoint.
   * @returns The routing id of the peer at this endpoint, whether it is there or will come, and come
   *   again (`zmq_connect_peer`). It can be sent to at once, unless peers that are gone have left more
   *   messages than one queue may hold: then as soon as those are received.
   * @throws As {@link Socket.connect}; EFAULT with `immediate`.
   */
  connectPeer(address: string): number {
    if (this.closed) throw errnoError("EBADF");
    if (this.immediate) {
      throw errnoError("EFAULT", address, "Bad address: connectPeer cannot be used with immediate");
    }
    const routingId = newRoutingId();
    this.setStringOption(ZMQ_CONNECT_ROUTING_ID, routingOctets(routingId) as unknown as string);
    super.connect(address);
    return routingId;
  }

  /** See {@link Server.send}. */
  override send(message: MessageLike, options: ServerRoutingOptions & CallOptions): Promise<void> {
    checkAddressed(arguments);
    const parts = addressed(routingOctets(options.routingId), message);
    return "signal" in options ? super.send(parts, options) : super.send(parts);
  }

  /** See {@link Server.trySend}. */
  override trySend(message: MessageLike, options: ServerRoutingOptions): boolean;
  /** @internal */
  override trySend(message: MessageLike): boolean;
  override trySend(message: MessageLike, options?: ServerRoutingOptions): boolean {
    checkAddressed(arguments);
    return super.trySend(addressed(routingOctets(options?.routingId), message));
  }
}

defineSocket(Peer, {
  type: ZMQ_PEER,
  name: "PEER",
  scopes: ["writable", "readable"],
  options: ["connectRoutingId"],
  defaults: { threadSafe: true },
  accepts: isSingle,
  present: presentRouted,
  pattern: (host) => new ServerPattern(host),
});
