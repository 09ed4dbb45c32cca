import { fairQueueOf, noOutput, RoutedPattern } from "./pattern.js";
import { defineSocket, type ReadableSocket, Socket, type SocketOptions } from "./socket.js";

const ZMQ_PULL = 7;

export interface Pull extends ReadableSocket {
  /** `ZMQ_CONFLATE`: keep only the newest message of each peer. Write only. Default false. */
  conflate: boolean;
}

/** The receiving end of a pipeline (RFC 30): takes from all peers, a message from each in turn. */
export class Pull extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Pull>) {
    super(ZMQ_PULL, options as SocketOptions<Socket>);
  }
}

defineSocket(Pull, {
  type: ZMQ_PULL,
  name: "PULL",
  scopes: ["readable"],
  options: ["conflate"],
  pattern: (host) => new RoutedPattern(host, fairQueueOf(host), noOutput),
});
