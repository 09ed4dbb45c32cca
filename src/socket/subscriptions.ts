import type { NameSet } from "./name-set.js";
import { Trie } from "./trie.js";

/** Who is subscribed, and to what: both are kept here, and change together. */
export interface HasTopics {
  readonly topics: NameSet;
}

/** Which subscribers want which topics: of each a set, however often it asked. */
export class Subscriptions<S extends HasTopics> {
  readonly #trie = new Trie<S[]>();

  /** Topics that anybody is subscribed to. */
  get size(): number {
    return this.#trie.size;
  }

  /** @returns Whether nobody was subscribed to the topic before. */
  add(topic: string, subscriber: S): boolean {
    if (!subscriber.topics.add(topic)) return false;
    const subscribers = this.#trie.get(topic);
    if (subscribers !== undefined) subscribers.push(subscriber);
    else this.#trie.set(topic, [subscriber]);
    return subscribers === undefined;
  }

  /** @returns Whether nobody is subscribed to the topic any more, and somebody was before. */
  delete(topic: string, subscriber: S): boolean {
    if (!subscriber.topics.delete(topic)) return false;
    const subscribers = this.#trie.get(topic) as S[];
    if (subscribers.length === 1) return this.#trie.delete(topic);
    const last = subscribers.pop() as S;
    if (last !== subscriber) subscribers[subscribers.indexOf(subscriber)] = last;
    return false;
  }

  /** Calls `visit` with each subscriber to a message that begins with `octets`; perhaps more than once. */
  match(octets: Uint8Array, visit: (subscriber: S) => void): void {
    this.#trie.match(octets, (subscribers) => {
      for (let i = 0; i < subscribers.length; i++) visit(subscribers[i] as S);
    });
  }
}
