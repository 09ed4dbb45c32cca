import type { SubscriptionLimits } from "./option-types.js";
import { UNSUPPORTED } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import { defineSocket, Socket, type SocketOptions, type WritableSocket } from "./socket.js";
import { XPublisherPattern } from "./xpub.js";

const ZMQ_PUB = 1;

export interface Publisher extends WritableSocket, SubscriptionLimits {
  /**
   * `ZMQ_XPUB_NODROP`: `send` waits while any subscriber to the message has no room for it. Write
   * only. Default false: such subscribers miss the message.
   */
  noDrop: boolean;
  /** `ZMQ_CONFLATE`: keep only the newest message for each peer. Write only. Default false. */
  conflate: boolean;
  /**
   * `ZMQ_INVERT_MATCHING`: send to those who are not subscribed to a message; set it at the
   * subscribers, too. Default false.
   */
  invertMatching: boolean;
}

/**
 * Sends each message to all peers that are subscribed to its beginning (RFC 29). One whose queue is
 * full misses the message; that is counted (`stats().total.messagesDropped`) and told of by a `drop`
 * event.
 */
export class Publisher extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Publisher>) {
    super(ZMQ_PUB, options as SocketOptions<Socket>);
  }
}

/** PUB (RFC 29): an XPUB that receives nothing. @internal */
export class PublisherPattern extends XPublisherPattern {
  override readonly receiveRefusal = UNSUPPORTED;

  override get readable(): boolean {
    return false;
  }

  override receive(): undefined {
    return undefined;
  }

  override readActivated(pipe: Pipe): void {
    while (pipe.read() !== undefined);
  }

  protected override tell(): void {}
}

defineSocket(Publisher, {
  type: ZMQ_PUB,
  name: "PUB",
  scopes: ["writable", "subscribed"],
  options: ["noDrop", "conflate", "invertMatching"],
  single: true,
  publishes: true,
  pattern: (host) => new PublisherPattern(host),
});
