import { encodeCommand } from "./command.js";
import type { Encoder } from "./encoder.js";
import type { Greeting } from "./greeting.js";
import type { SocketTypeName } from "./socket-type.js";

/** The first octet of a message that subscribes, and of one that cancels (RFC 23). */
const SUBSCRIBE = 1;
const CANCEL = 0;

/**
 * How a peer is told which messages are wanted, and how it says so: to a publisher by commands (ZMTP
 * 3.1, RFC 37), or by messages (3.0, RFC 23), of which we take both from everybody; to a RADIO by
 * commands of its own, whatever version it speaks (RFC 48).
 */
export class Wishes {
  /** Whether messages of the peer's may be subscriptions. */
  readonly inMessages: boolean;
  /** Whether messages of ours may be. */
  readonly inOurMessages: boolean;
  readonly #ofGroups: boolean;

  /** @param socketType Our own. */
  constructor(socketType: SocketTypeName) {
    this.inMessages = socketType === "PUB" || socketType === "XPUB";
    this.inOurMessages = socketType === "SUB" || socketType === "XSUB";
    this.#ofGroups = socketType === "RADIO" || socketType === "DISH";
  }

  /** Whether a command of the peer's wants messages, or turns them down; undefined when it is no such one. */
  ofCommand(name: string): boolean | undefined {
    if (name === this.#command(true)) return true;
    if (name === this.#command(false)) return false;
    return undefined;
  }

  /** Tells a peer that greeted us so that messages are wanted, or not any more. */
  encode(topic: Uint8Array, wanted: boolean, peer: Greeting, encoder: Encoder): void {
    if (peer.major === 3 && peer.minor === 0 && !this.#ofGroups) {
      const message = new Uint8Array(1 + topic.length);
      message[0] = wanted ? SUBSCRIBE : CANCEL;
      message.set(topic, 1);
      encoder.message([message]);
    } else {
      encoder.command(encodeCommand(this.#command(wanted), topic));
    }
  }

  #command(wanted: boolean): string {
    if (this.#ofGroups) return wanted ? "JOIN" : "LEAVE";
    return wanted ? "SUBSCRIBE" : "CANCEL";
  }
}

/** Whether a part of a message subscribes to the topic behind its first octet, or cancels it. */
export function isSubscription(part: Uint8Array): boolean {
  return part[0] === SUBSCRIBE || part[0] === CANCEL;
}

/** Whether such a part subscribes. */
export function subscribes(part: Uint8Array): boolean {
  return part[0] === SUBSCRIBE;
}
