import { errnoError } from "../errors.js";
import {
  newRoutingId,
  presentRouted,
  RoutedSocket,
  routingOctets,
  ServerPattern,
} from "./server.js";
import { isSingle } from "./single.js";
import { defineSocket, type Socket, type SocketOptions } from "./socket.js";

const ZMQ_PEER = 19;
const ZMQ_CONNECT_ROUTING_ID = 61;

/**
 * Talks to any number of Peers (RFC 51), as a Server to its Clients; but either side may begin, for
 * {@link connectPeer} says what the other is called. npm zeromq does not have it.
 */
export class Peer extends RoutedSocket {
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
