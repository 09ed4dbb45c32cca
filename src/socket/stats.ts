import { Buffer } from "node:buffer";
import type { Core, Link } from "./core.js";

/**
 * How full the queues of one direction are, over all peers together. An inproc queue is the sending
 * queue of one socket and the receiving queue of the other.
 */
export interface QueueStats {
  /** Messages that wait; one of several parts counts once. */
  messages: number;
  /** Their bytes. */
  bytes: number;
  /**
   * Messages that each peer's queue may hold; 0: no bound. An inproc queue holds the sum of both
   * sockets' marks.
   */
  highWaterMark: number;
  /** Bytes that each peer's queue may hold; 0: no bound. Over inproc the sum, too. */
  highWaterMarkBytes: number;
}

/** A peer, or a connector that has none yet. */
export interface PeerStats {
  /** The endpoint that was bound or connected. */
  endpoint: string;
  /** Where the peer is; undefined while a connector has none. */
  address: string | undefined;
  /** Whether the handshake is done; over inproc, whether the name has been bound. */
  connected: boolean;
  /** What the peer calls itself, or what we call it; undefined when it has no name. */
  routingId: Buffer | undefined;
  /** Messages that came from it and wait to be received. */
  receiveMessages: number;
  /** Their bytes. */
  receiveBytes: number;
  /** Messages that wait to be sent to it. */
  sendMessages: number;
  /** Their bytes. */
  sendBytes: number;
  /** Since the peer came, or was first dialled, in milliseconds. */
  ageMs: number;
}

/** What a socket holds now, and what went through it. */
export interface Stats {
  /** What has come and was not received yet, that of a peer that is gone included. */
  receive: QueueStats;
  /** What was sent and waits for its peer; what a connection has encoded already is not counted. */
  send: QueueStats;
  /**
   * Messages handed out so far, messages accepted for sending, and how often one was dropped: for
   * each peer that had no room for it, or for want of a peer. A pattern says when: see its class.
   */
  total: { messagesReceived: number; messagesSent: number; messagesDropped: number };
  /** Topics that we, or our peers, are subscribed to; undefined for types without subscriptions. */
  subscriptions: number | undefined;
  /** Bytes held for messages whose last frame has not come yet, of all peers. */
  assemblyBytes: number;
  /** Every peer, those included that are in their handshake or linger. */
  peers: PeerStats[];
}

/** Reads all that {@link Stats} says off a socket. */
export function statsOf(core: Core): Stats {
  const now = performance.now();
  const received = core.pattern.depth;
  const sent = core.pattern.outDepth;
  const { messages: sendMark, bytes: sendBytes } = core.sendMarks;
  const { messages: receiveMark, bytes: receiveBytes } = core.receiveMarks;
  return {
    receive: { ...received, highWaterMark: receiveMark, highWaterMarkBytes: receiveBytes },
    send: { ...sent, highWaterMark: sendMark, highWaterMarkBytes: sendBytes },
    total: {
      messagesReceived: core.reader.messages,
      messagesSent: core.writer.messages,
      messagesDropped: core.messagesDropped,
    },
    subscriptions: core.pattern.subscriptions,
    assemblyBytes: core.assemblyBytes,
    peers: [...core.links()].map((link) => peerStats(link, now)),
  };
}

function peerStats(link: Link, now: number): PeerStats {
  const { endpoint, peerAddress, established, startedAt, socketPipe } = link;
  const routingId = socketPipe?.routingId ?? link.routingId;
  return {
    endpoint,
    address: peerAddress,
    connected: established,
    routingId: routingId && Buffer.from(routingId),
    receiveMessages: socketPipe?.length ?? 0,
    receiveBytes: socketPipe?.bytes ?? 0,
    sendMessages: socketPipe?.outLength ?? 0,
    sendBytes: socketPipe?.outBytes ?? 0,
    ageMs: now - startedAt,
  };
}
