import { LoadBalancer } from "./lb.js";
import { NoInput, RoutedPattern } from "./pattern.js";
import { defineSocket, Socket, type SocketOptions, type WritableSocket } from "./socket.js";

const ZMQ_PUSH = 8;

export interface Push extends WritableSocket {
  /** `ZMQ_CONFLATE`: keep only the newest message for each peer. Write only. Default false. */
  conflate: boolean;
}

/**
 * The sending end of a pipeline (RFC 30): each message goes to one of the peers, round robin among
 * those with room. It waits while there is none; nothing is discarded.
 */
export class Push extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Push>) {
    super(ZMQ_PUSH, options as SocketOptions<Socket>);
  }
}

defineSocket(Push, {
  type: ZMQ_PUSH,
  name: "PUSH",
  scopes: ["writable"],
  options: ["conflate"],
  pattern: (host) => new RoutedPattern(host, new NoInput(), new LoadBalancer()),
});
