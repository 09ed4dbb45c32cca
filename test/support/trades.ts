import * as draft from "../../src/draft.js";
import * as zmq from "../../src/index.js";
import { isCompatible, type SocketTypeName } from "../../src/zmtp/socket-type.js";

const NAMES: Record<SocketTypeName, true> = {
  PAIR: true,
  PUB: true,
  SUB: true,
  REQ: true,
  REP: true,
  DEALER: true,
  ROUTER: true,
  PULL: true,
  PUSH: true,
  XPUB: true,
  XSUB: true,
  SERVER: true,
  CLIENT: true,
  RADIO: true,
  DISH: true,
  GATHER: true,
  SCATTER: true,
  PEER: true,
  CHANNEL: true,
};

/** Every type that a handshake may name. */
export const TYPE_NAMES = Object.keys(NAMES) as SocketTypeName[];

const CLASSES = {
  Pair: zmq.Pair,
  Publisher: zmq.Publisher,
  Subscriber: zmq.Subscriber,
  Request: zmq.Request,
  Reply: zmq.Reply,
  Dealer: zmq.Dealer,
  Router: zmq.Router,
  Pull: zmq.Pull,
  Push: zmq.Push,
  XPublisher: zmq.XPublisher,
  XSubscriber: zmq.XSubscriber,
  Stream: zmq.Stream,
};

const DRAFTS = {
  Server: draft.Server,
  Client: draft.Client,
  Radio: draft.Radio,
  Dish: draft.Dish,
  Gather: draft.Gather,
  Scatter: draft.Scatter,
  Peer: draft.Peer,
  Channel: draft.Channel,
};

type StableName = keyof typeof CLASSES;
export type DraftName = keyof typeof DRAFTS;
export type ClassName = StableName | DraftName;

/** Classes of the types that are no drafts. */
export const CLASS_NAMES = Object.keys(CLASSES) as StableName[];

export const RECEIVERS: readonly StableName[] = CLASS_NAMES.filter(receives);
export const SENDERS: readonly StableName[] = CLASS_NAMES.filter(sends);

export function receives(name: ClassName): boolean {
  return !["Publisher", "Push", "Radio", "Scatter"].includes(name);
}

export function sends(name: ClassName): boolean {
  return !["Subscriber", "Pull", "Dish", "Gather"].includes(name);
}

/** A type of ours, and who talks to it. */
export interface Trade {
  /** As the handshake names it. */
  name: SocketTypeName;
  ours: ClassName;
  good: ClassName;
}

/** Every type of ours that has a handshake, but for the drafts. */
export const TRADES: readonly Trade[] = [
  { name: "PAIR", ours: "Pair", good: "Pair" },
  { name: "PUB", ours: "Publisher", good: "Subscriber" },
  { name: "SUB", ours: "Subscriber", good: "XPublisher" },
  { name: "REQ", ours: "Request", good: "Reply" },
  { name: "REP", ours: "Reply", good: "Request" },
  { name: "DEALER", ours: "Dealer", good: "Dealer" },
  { name: "ROUTER", ours: "Router", good: "Dealer" },
  { name: "PULL", ours: "Pull", good: "Push" },
  { name: "PUSH", ours: "Push", good: "Pull" },
  { name: "XPUB", ours: "XPublisher", good: "XSubscriber" },
  { name: "XSUB", ours: "XSubscriber", good: "XPublisher" },
];

/** The drafts. */
export const DRAFT_TRADES: readonly Trade[] = [
  { name: "SERVER", ours: "Server", good: "Client" },
  { name: "CLIENT", ours: "Client", good: "Server" },
  { name: "RADIO", ours: "Radio", good: "Dish" },
  { name: "DISH", ours: "Dish", good: "Radio" },
  { name: "GATHER", ours: "Gather", good: "Scatter" },
  { name: "SCATTER", ours: "Scatter", good: "Gather" },
  { name: "PEER", ours: "Peer", good: "Peer" },
  { name: "CHANNEL", ours: "Channel", good: "Channel" },
];

export const ALL_TRADES: readonly Trade[] = [...TRADES, ...DRAFT_TRADES];

export function tradeOf(name: SocketTypeName): Trade {
  return ALL_TRADES.find((trade) => trade.name === name) as Trade;
}

export function isDraft(name: SocketTypeName): boolean {
  return DRAFT_TRADES.some((trade) => trade.name === name);
}

/** Whether a type has one peer at a time. */
export function isExclusive({ name }: Trade): boolean {
  return name === "PAIR" || name === "CHANNEL";
}

/** The types that may talk to `name`. */
export function partners(name: SocketTypeName): SocketTypeName[] {
  return TYPE_NAMES.filter((other) => isCompatible(name, other));
}

/** Whether a message that these parts make is one at all, to a type that says what those are. */
export function isWellFormed({ name }: Trade, [first = "", ...others]: string[]): boolean {
  switch (name) {
    case "SERVER":
    case "CLIENT":
    case "GATHER":
    case "PEER":
    case "CHANNEL":
      return others.length === 0;
    // An empty part, and the answer.
    case "REQ":
      return first === "" && others.length > 0;
    // A group, and what is for it.
    case "DISH":
      return others.length === 1 && first.length <= 255;
    default:
      return true;
  }
}

/** Options with which nothing waits for ever, for any type. */
export function patience(name: ClassName): object {
  return {
    linger: 0,
    ...(receives(name) && { receiveTimeout: 10_000 }),
    ...(sends(name) && { sendTimeout: 10_000 }),
  };
}

/** A socket of ours. */
export function open(name: ClassName, options: object = {}): zmq.Socket {
  const Class = { ...CLASSES, ...DRAFTS }[name] as new (options: object) => zmq.Socket;
  return new Class({ ...patience(name), ...options });
}
