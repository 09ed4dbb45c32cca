import { Buffer } from "node:buffer";
import type { Parts } from "../message.js";
import { sizeOf } from "../message.js";
import type { OptionValue } from "../options.js";
import type { Depth } from "./depth.js";
import { type Refusal, UNSUPPORTED } from "./pattern.js";
import { defineSocket, type ReadableSocket, Socket, type SocketOptions } from "./socket.js";
import { XSubscriberPattern } from "./xsub.js";

const ZMQ_SUB = 2;
const ZMQ_SUBSCRIBE = 6;
const ZMQ_UNSUBSCRIBE = 7;

export interface Subscriber extends ReadableSocket {
  /** `ZMQ_CONFLATE`: keep only the newest message of each publisher. Write only. Default false. */
  conflate: boolean;
  /**
   * `ZMQ_INVERT_MATCHING`: receive what does not begin with a topic that was subscribed to; set it
   * at the publishers, too. Default false.
   */
  invertMatching: boolean;
}

/**
 * Receives what publishers send (RFC 29), if its first part begins with a topic that was subscribed
 * to; nothing before the first subscription.
 */
export class Subscriber extends Socket {
  /** @throws As {@link Socket}'s constructor. */
  constructor(options?: SocketOptions<Subscriber>) {
    super(ZMQ_SUB, options as SocketOptions<Socket>);
  }

  /**
   * Subscribes to messages whose first part begins with one of `prefixes`, or to all if none is
   * given (`ZMQ_SUBSCRIBE`). Publishers hear of it as soon as they are connected.
   * @throws TypeError, ENOTSOCK when closed.
   */
  subscribe(...prefixes: (string | Uint8Array)[]): void {
    for (const prefix of prefixes.length === 0 ? [""] : prefixes) {
      this.setStringOption(ZMQ_SUBSCRIBE, prefix as string);
    }
  }

  /**
   * Undoes one {@link subscribe} for each of `prefixes`, or of the empty one if none is given
   * (`ZMQ_UNSUBSCRIBE`); one that was not subscribed to is ignored.
   * @throws TypeError, ENOTSOCK when closed.
   */
  unsubscribe(...prefixes: (string | Uint8Array)[]): void {
    for (const prefix of prefixes.length === 0 ? [""] : prefixes) {
      this.setStringOption(ZMQ_UNSUBSCRIBE, prefix as string);
    }
  }
}

/**
 * SUB (RFC 29). Publishers filter; we do so again, for what was on its way when a topic was
 * cancelled, and for publishers that do not.
 * @internal
 */
export class SubscriberPattern extends XSubscriberPattern {
  #next: Parts | undefined;
  #inverted = false;

  override get writable(): boolean {
    return false;
  }

  override get sendRefusal(): Refusal {
    return UNSUPPORTED;
  }

  override get readable(): boolean {
    this.#next ??= this.#find();
    return this.#next !== undefined;
  }

  override get depth(): Depth {
    const { messages, bytes } = super.depth;
    if (this.#next === undefined) return { messages, bytes };
    return { messages: messages + 1, bytes: bytes + sizeOf(this.#next) };
  }

  override receive(): Parts | undefined {
    const parts = this.#next ?? this.#find();
    this.#next = undefined;
    return parts;
  }

  override send(): boolean {
    return false;
  }

  optionsChanged(): void {
    this.#inverted = this.host.options.boolean("invertMatching");
  }

  order(name: string, value: OptionValue | Buffer): void {
    const topic = Buffer.from((value ?? "") as string);
    if (name === "subscribe") this.subscribe(topic);
    else this.cancel(topic);
  }

  override close(): void {
    this.#next = undefined;
    super.close();
  }

  /** The next message that was subscribed to; those before it are dropped. */
  #find(): Parts | undefined {
    const inverted = this.#inverted;
    for (let parts = this.fq.receive(); parts !== undefined; parts = this.fq.receive()) {
      if (this.matches(parts) !== inverted) return parts;
    }
    return undefined;
  }
}

defineSocket(Subscriber, {
  type: ZMQ_SUB,
  name: "SUB",
  scopes: ["readable"],
  options: ["subscribe", "unsubscribe", "conflate", "invertMatching"],
  defaults: { linger: 0 },
  single: true,
  pattern: (host) => new SubscriberPattern(host),
});
