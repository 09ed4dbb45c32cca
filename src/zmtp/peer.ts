import type { Greeting } from "./greeting.js";
import type { Metadata } from "./metadata.js";
import { ProtocolError } from "./protocol-error.js";
import { isCompatible, type SocketTypeName } from "./socket-type.js";
import { toAscii } from "./text.js";

/** Who the peer says it is. */
export interface Peer {
  /** The version of ZMTP that it speaks. */
  greeting: Greeting;
  /** All of its metadata (RFC 37), with what it said of its type and routing id. */
  properties: Metadata;
  /** As the peer spells it; undefined when it does not say. */
  socketType: string | undefined;
  /** Its routing id; empty when it has none. */
  identity: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/**
 * Who says that of itself.
 * @param ours Our type, which its type must be able to talk to.
 * @throws ProtocolError when it is not.
 */
export function toPeer(greeting: Greeting, properties: Metadata, ours: SocketTypeName): Peer {
  const type = properties.get("socket-type");
  const socketType = type && toAscii(type, 0, type.length);
  // RFC 37 says that a peer should name its type, and libzmq lets one in that does not.
  if (socketType !== undefined && !isCompatible(ours, socketType)) {
    throw new ProtocolError("ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE", `we are ${ours}`);
  }
  const identity = properties.get("identity") ?? EMPTY;
  return { greeting, properties, socketType, identity };
}
