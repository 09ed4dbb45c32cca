import type { MessageLike } from "../message.js";
import type { SendCallOptions, TransferOptions } from "./arguments.js";
import { LoadBalancer } from "./lb.js";
import { NoInput } from "./pattern.js";
import { SinglePattern } from "./single.js";
import { defineSocket, Socket, type SocketOptions, type WritableSocket } from "./socket.js";

const ZMQ_SCATTER = 17;

export interface Scatter extends WritableSocket<MessageLike> {
  /** `ZMQ_CONFLATE`: keep only the newest message for each peer. Write only. Default false. */
  conflate: boolean;
  send(message: MessageLike, options?: SendCallOptions): Promise<void>;
  trySend(message: MessageLike, options?: TransferOptions): boolean;
}

/**
 * The sending end of a pipeline (RFC 49), as Push for messages of one part: each goes to one of the
 * peers, round robin among those with room. It waits while there is none; nothing is discarded. `send`
 * rejects with EINVAL for a message of several parts.
 */
export class Scatter extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Scatter>) {
    super(ZMQ_SCATTER, options as SocketOptions<Socket>);
  }
}

defineSocket(Scatter, {
  type: ZMQ_SCATTER,
  name: "SCATTER",
  scopes: ["writable"],
  options: ["conflate"],
  defaults: { threadSafe: true },
  pattern: (host) => new SinglePattern(host, new NoInput(), new LoadBalancer()),
});
