/** What the processes of a soak tell each other. */
import type { Account } from "./messages.js";

export interface Endpoint {
  row: string;
  address: string;
}

/** What a process holds on to. */
export interface Resources {
  rss: number;
  heapUsed: number;
  external: number;
  handles: number;
  timers: number;
  descriptors: number;
}

export interface SubjectReport {
  row: string;
  accounts: [client: number, account: Account][];
  accepted: number;
  /** Messages that no client sent: of raw peers. */
  strangers: number;
  sent: number;
  answered: number;
  wrong: number;
  /** Handshakes that ended in a refusal. */
  refused: number;
  /** Handshakes that were done with somebody whom no judge has let in. */
  intruders: number;
}

/** Where a client may connect to: directly, or over a wire that may be cut. */
export interface Route extends Endpoint {
  relayed: boolean;
}

/** A client's life, as it begins. */
export interface Life {
  client: number;
  row: string;
  relayed: boolean;
  /** What is wrong with its login, if anything is: it must not get in. */
  wrong?: string | undefined;
}

/** How a client's life ended: it waited until all was sent, or it did not. */
export interface End extends Life {
  closed: boolean;
  met: boolean;
  /** Messages that were accepted for sending; of questions, those that were asked. */
  sent: number;
  /** Of questions, those that were answered; of who must not get in, messages that it got. */
  answered: number;
  disconnects: number;
  account: Account | undefined;
  /** Of messages that go to one client each: which this one got. */
  numbers: number[];
}
