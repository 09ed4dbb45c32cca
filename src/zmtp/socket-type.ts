/** Which socket types may talk to each other (RFCs 28 to 31, 41, 48, 49, 51, 52). */
const COMPATIBLE = {
  PAIR: ["PAIR"],
  PUB: ["SUB", "XSUB"],
  SUB: ["PUB", "XPUB"],
  XPUB: ["SUB", "XSUB"],
  XSUB: ["PUB", "XPUB"],
  REQ: ["REP", "ROUTER"],
  REP: ["REQ", "DEALER"],
  DEALER: ["REP", "DEALER", "ROUTER"],
  ROUTER: ["REQ", "DEALER", "ROUTER"],
  PUSH: ["PULL"],
  PULL: ["PUSH"],
  CLIENT: ["SERVER"],
  SERVER: ["CLIENT"],
  RADIO: ["DISH"],
  DISH: ["RADIO"],
  SCATTER: ["GATHER"],
  GATHER: ["SCATTER"],
  PEER: ["PEER"],
  CHANNEL: ["CHANNEL"],
} as const;

/** A socket type as the metadata's Socket-Type property names it. */
export type SocketTypeName = keyof typeof COMPATIBLE;

/** Whether a socket of type `ours` may talk to one that calls itself `theirs`. */
export function isCompatible(ours: SocketTypeName, theirs: string): boolean {
  return (COMPATIBLE[ours] as readonly string[]).includes(theirs);
}
