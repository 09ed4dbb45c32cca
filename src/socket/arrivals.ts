import type { Parts } from "../message.js";
import type { Depth } from "./depth.js";
import type { Pipe } from "./pipe.js";

/** Something to receive: a message that waits in its peer's pipe, or a notice of a subscription. */
class Arrival {
  readonly pipe: Pipe;
  /** Of a notice only. */
  readonly notice: Notice | undefined;
  previous: Arrival | undefined = undefined;
  next: Arrival | undefined = undefined;
  /** Whether it waits no longer. */
  gone = false;

  constructor(pipe: Pipe, notice: Notice | undefined) {
    this.pipe = pipe;
    this.notice = notice;
  }
}

/** Somebody wants a topic now, or nobody does any more. */
interface Notice {
  topic: string;
  subscribe: boolean;
  parts: Parts;
  /** The one before it on the same topic that waits, too. */
  before: Arrival | undefined;
}

/**
 * What waits to be received, of all peers, in the order in which it came.
 *
 * Notices of subscriptions may be many, and nobody may ever receive them. While more than a mark
 * wait, one that undoes another takes that away instead of standing behind it: so there are never
 * many more than topics.
 */
export class Arrivals {
  readonly #mark: () => number;
  #first: Arrival | undefined;
  #last: Arrival | undefined;
  /** The last notice on each topic that waits. */
  readonly #latest = new Map<string, Arrival>();
  #notices = 0;
  #noticeBytes = 0;
  #length = 0;
  /** How many messages of a pipe, the first of those that stand here, are not there any more. */
  readonly #forgotten = new Map<Pipe, number>();
  #forgottenMessages = 0;

  /** @param mark How many notices may wait before they take each other away; 0: any number. */
  constructor(mark: () => number) {
    this.#mark = mark;
  }

  /** Notices that wait, and their bytes; messages are in their pipes. */
  get notices(): Depth {
    return { messages: this.#notices, bytes: this.#noticeBytes };
  }

  /** Whether there is anything to receive. */
  get readable(): boolean {
    this.#skipForgotten();
    return this.#first !== undefined;
  }

  /** Messages came, and wait in their peer's pipe. */
  push(pipe: Pipe, count: number): void {
    for (let i = 0; i < count; i++) this.#append(new Arrival(pipe, undefined));
  }

  /** Somebody wants a topic now, or nobody does any more: `parts` is what is to be received of it. */
  notify(pipe: Pipe, topic: string, subscribe: boolean, parts: Parts): void {
    const before = this.#latest.get(topic);
    const mark = this.#mark();
    if (mark > 0 && this.#notices >= mark && before?.notice?.subscribe === !subscribe) {
      this.#remove(before);
      return;
    }
    const arrival = new Arrival(pipe, { topic, subscribe, parts, before });
    this.#latest.set(topic, arrival);
    this.#notices++;
    this.#noticeBytes += parts[0]?.length ?? 0;
    this.#append(arrival);
  }

  /** The first `count` messages of a pipe are not there any more. */
  forget(pipe: Pipe, count: number): void {
    if (count === 0) return;
    this.#forgotten.set(pipe, (this.#forgotten.get(pipe) ?? 0) + count);
    this.#forgottenMessages += count;
    // Nobody may ever receive, so they cannot wait to be passed over; and there may be many others.
    if (this.#forgottenMessages > this.#length / 2) this.#sweep();
  }

  /** Takes what is to be received next: a notice, or the next message of a pipe. */
  shift(): { pipe: Pipe; notice: Parts | undefined } | undefined {
    this.#skipForgotten();
    const arrival = this.#first;
    if (arrival === undefined) return undefined;
    this.#remove(arrival);
    return { pipe: arrival.pipe, notice: arrival.notice?.parts };
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
    this.#latest.clear();
    this.#notices = 0;
    this.#noticeBytes = 0;
    this.#length = 0;
    this.#forgotten.clear();
    this.#forgottenMessages = 0;
  }

  #sweep(): void {
    for (let it = this.#first; it !== undefined; it = it.next) {
      if (this.#isForgotten(it)) this.#removeForgotten(it);
    }
  }

  #skipForgotten(): void {
    for (let it = this.#first; it !== undefined && this.#isForgotten(it); it = it.next) {
      this.#removeForgotten(it);
    }
  }

  /** Whether it, the first of its pipe, is the place of a message that is not there any more. */
  #isForgotten({ pipe, notice }: Arrival): boolean {
    return notice === undefined && this.#forgotten.has(pipe);
  }

  #removeForgotten(arrival: Arrival): void {
    const { pipe } = arrival;
    const count = this.#forgotten.get(pipe) as number;
    if (count === 1) this.#forgotten.delete(pipe);
    else this.#forgotten.set(pipe, count - 1);
    this.#forgottenMessages--;
    this.#remove(arrival);
  }

  #append(arrival: Arrival): void {
    this.#length++;
    arrival.previous = this.#last;
    if (this.#last === undefined) this.#first = arrival;
    else this.#last.next = arrival;
    this.#last = arrival;
  }

  #remove(arrival: Arrival): void {
    const { previous, next, notice } = arrival;
    this.#length--;
    arrival.gone = true;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (notice !== undefined) this.#forgetNotice(arrival, notice);
  }

  #forgetNotice(arrival: Arrival, notice: Notice): void {
    this.#notices--;
    this.#noticeBytes -= notice.parts[0]?.length ?? 0;
    const { topic, before } = notice;
    // The one behind it may stay for long, and must not keep all those before it.
    notice.before = undefined;
    if (this.#latest.get(topic) !== arrival) return;
    // Those before it may have been received: then so have all before them.
    if (before === undefined || before.gone) this.#latest.delete(topic);
    else this.#latest.set(topic, before);
  }
}
