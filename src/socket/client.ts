import type { Message, MessageLike } from "../message.js";
import type { CallOptions, SendCallOptions, TransferOptions } from "./arguments.js";
import { LoadBalancer } from "./lb.js";
import { fairQueueOf } from "./pattern.js";
import { isSingle, SinglePattern } from "./single.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_CLIENT = 13;

export interface Client extends ReadableSocket<[Message]>, WritableSocket<MessageLike> {
  send(message: MessageLike, options?: SendCallOptions): Promise<void>;
  trySend(message: MessageLike, options?: TransferOptions): boolean;
  receive(options?: CallOptions): Promise<[Message]>;
  tryReceive(): [Message] | undefined;
  [Symbol.asyncIterator](): AsyncIterator<[Message], undefined>;
}

/**
 * Talks to Servers (RFC 41): sends to one after the other of those with room, receives from all of
 * them fairly. It waits while nobody has room; nothing is discarded. A message has one part: `send`
 * rejects with EINVAL for more.
 */
export class Client extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Client>) {
    super(ZMQ_CLIENT, options as SocketOptions<Socket>);
  }
}

defineSocket(Client, {
  type: ZMQ_CLIENT,
  name: "CLIENT",
  scopes: ["writable", "readable"],
  defaults: { threadSafe: true },
  accepts: isSingle,
  pattern: (host) => new SinglePattern(host, fairQueueOf(host), new LoadBalancer()),
});
