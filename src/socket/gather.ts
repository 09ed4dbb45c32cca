import type { Message } from "../message.js";
import type { CallOptions } from "./arguments.js";
import { fairQueueOf, noOutput, RoutedPattern } from "./pattern.js";
import { isSingle } from "./single.js";
import { defineSocket, type ReadableSocket, Socket, type SocketOptions } from "./socket.js";

const ZMQ_GATHER = 16;

export interface Gather extends ReadableSocket<[Message]> {
  /** `ZMQ_CONFLATE`: keep only the newest message of each peer. Write only. Default false. */
  conflate: boolean;
  receive(options?: CallOptions): Promise<[Message]>;
  tryReceive(): [Message] | undefined;
  [Symbol.asyncIterator](): AsyncIterator<[Message], undefined>;
}

/**
 * The receiving end of a pipeline (RFC 49), as Pull for messages of one part: takes from all peers, a
 * message from each in turn. A peer that sends several parts is disconnected.
 */
export class Gather extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Gather>) {
    super(ZMQ_GATHER, options as SocketOptions<Socket>);
  }
}

defineSocket(Gather, {
  type: ZMQ_GATHER,
  name: "GATHER",
  scopes: ["readable"],
  options: ["conflate"],
  defaults: { threadSafe: true },
  accepts: isSingle,
  pattern: (host) => new RoutedPattern(host, fairQueueOf(host), noOutput),
});
