import { Buffer } from "node:buffer";
import type { EventPeer, PeerMetadata } from "../events.js";
import type { Pipe } from "./pipe.js";

/** A peer of a socket, or one that a connector has not reached yet. */
export interface Link {
  /** The endpoint that was bound or connected. */
  readonly endpoint: string;
  /** Where the peer is; undefined while there is none. */
  readonly peerAddress: string | undefined;
  /** Whether the peer is there, its handshake done. */
  readonly established: boolean;
  /** Since when, on the clock of `performance.now`. */
  readonly startedAt: number;
  /** The socket's end of the pipe, if there is one. */
  readonly socketPipe: Pipe | undefined;
  /** What the peer calls itself; undefined when it does not say. */
  readonly routingId: Buffer | undefined;
  /** Who the peer is, says our judge; undefined when he does not say, or was not asked. */
  readonly userId?: string | undefined;
  /** What else is known of the peer. */
  readonly metadata?: PeerMetadata | undefined;
}

/** What the peer is called: by us, or else by itself. */
export function nameOf({ socketPipe, routingId }: Link): Buffer | undefined {
  const name = socketPipe?.routingId ?? routingId;
  // A copy: who gets it may do with it what he likes.
  return name && Buffer.from(name);
}

/** The part of an event that says of which peer it is. */
export function whereIs(link: Link): { address: string } & EventPeer {
  const { endpoint: address, peerAddress, userId } = link;
  const routingId = nameOf(link);
  return {
    address,
    ...(peerAddress !== undefined && { peerAddress }),
    ...(routingId !== undefined && { routingId }),
    ...(userId !== undefined && { userId }),
  };
}
