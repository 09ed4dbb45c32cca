import type { Message, MessageLike, Parts } from "../message.js";
import type { CallOptions, SendCallOptions, TransferOptions } from "./arguments.js";
import { PairPattern } from "./pair.js";
import { NOT_NOW } from "./pattern.js";
import { isSingle, MULTIPART } from "./single.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_CHANNEL = 20;

export interface Channel extends ReadableSocket<[Message]>, WritableSocket<MessageLike> {
  send(message: MessageLike, options?: SendCallOptions): Promise<void>;
  trySend(message: MessageLike, options?: TransferOptions): boolean;
  receive(options?: CallOptions): Promise<[Message]>;
  tryReceive(): [Message] | undefined;
  [Symbol.asyncIterator](): AsyncIterator<[Message], undefined>;
}

/**
 * A socket for exactly one peer, both ways (RFC 52), as Pair for messages of one part. It waits while
 * there is no peer, or while the peer's queue is full; nothing is discarded. If the peer goes, another
 * may come. `send` rejects with EINVAL for a message of several parts. npm zeromq does not have it.
 */
export class Channel extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Channel>) {
    super(ZMQ_CHANNEL, options as SocketOptions<Socket>);
  }
}

/** CHANNEL (RFC 52). @internal */
export class ChannelPattern extends PairPattern {
  override takes(parts: Parts): boolean {
    return this.#accepts(parts) && super.takes(parts);
  }

  override send(parts: Parts): boolean {
    return this.#accepts(parts) && super.send(parts);
  }

  #accepts(parts: Parts): boolean {
    const single = isSingle(parts);
    this.sendRefusal = single ? NOT_NOW : MULTIPART;
    return single;
  }
}

defineSocket(Channel, {
  type: ZMQ_CHANNEL,
  name: "CHANNEL",
  scopes: ["writable", "readable"],
  defaults: { threadSafe: true },
  single: true,
  accepts: isSingle,
  pattern: (host) => new ChannelPattern(host),
});
