import { Buffer } from "node:buffer";
import type { FairQueue } from "./fq.js";
import { LoadBalancer } from "./lb.js";
import { fairQueueOf, type PatternHost, RoutedPattern } from "./pattern.js";
import type { Pipe } from "./pipe.js";
import {
  defineSocket,
  type ReadableSocket,
  Socket,
  type SocketOptions,
  type WritableSocket,
} from "./socket.js";

const ZMQ_DEALER = 5;

export interface Dealer extends ReadableSocket, WritableSocket {
  /**
   * `ZMQ_ROUTING_ID`: what a Router calls us; 1 to 255 bytes, the first of them not zero. Reads as
   * text. Default null: routers make one up. EINVAL for another size.
   */
  routingId: string | null;
  /**
   * `ZMQ_PROBE_ROUTER`: greet each new peer with an empty message, so that a Router learns of us
   * at once. Write only. Default false.
   */
  probeRouter: boolean;
  /** `ZMQ_CONFLATE`: keep only the newest message, each way. Write only. Default false. */
  conflate: boolean;
}

/**
 * Talks to many peers (RFC 28): sends to one after the other of those with room, receives from all
 * of them fairly. It waits while nobody has room; nothing is discarded.
 */
export class Dealer extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Dealer>) {
    super(ZMQ_DEALER, options as SocketOptions<Socket>);
  }
}

/** DEALER (RFC 28), and what REQ is built on. @internal */
export class DealerPattern extends RoutedPattern {
  protected readonly fq: FairQueue;
  protected readonly lb: LoadBalancer;

  constructor(host: PatternHost) {
    const fq = fairQueueOf(host);
    const lb = new LoadBalancer();
    super(host, fq, lb);
    this.fq = fq;
    this.lb = lb;
  }

  override attach(pipe: Pipe): void {
    if (this.host.options.boolean("probeRouter")) probe(pipe);
    super.attach(pipe);
  }
}

/** Greets a peer with an empty message (`ZMQ_PROBE_ROUTER`). @internal */
export function probe(pipe: Pipe): void {
  pipe.write([Buffer.alloc(0)]);
  pipe.flush();
}

defineSocket(Dealer, {
  type: ZMQ_DEALER,
  name: "DEALER",
  scopes: ["writable", "readable"],
  options: ["routingId", "probeRouter", "conflate"],
  single: true,
  named: true,
  pattern: (host) => new DealerPattern(host),
});
