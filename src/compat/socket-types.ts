import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../index.js";

/** What `socket(type)` takes. */
export type SocketType =
  | "pair"
  | "req"
  | "rep"
  | "pub"
  | "sub"
  | "dealer"
  | "xreq"
  | "router"
  | "xrep"
  | "pull"
  | "push"
  | "xpub"
  | "xsub"
  | "stream";

const CLASSES: ReadonlyMap<SocketType, new () => Socket> = new Map<SocketType, new () => Socket>([
  ["pair", Pair],
  ["req", Request],
  ["rep", Reply],
  ["pub", Publisher],
  ["sub", Subscriber],
  ["dealer", Dealer],
  ["xreq", Dealer],
  ["router", Router],
  ["xrep", Router],
  ["pull", Pull],
  ["push", Push],
  ["xpub", XPublisher],
  ["xsub", XSubscriber],
  ["stream", Stream],
]);

/** @throws Error for an unknown type, EMFILE when the context has as many sockets as it may. */
export function makeSocket(type: SocketType): Socket {
  const SocketClass = CLASSES.get(type);
  if (SocketClass === undefined) throw new Error(`Invalid socket type: ${type}`);
  return new SocketClass();
}
