import type { Buffer } from "node:buffer";
import type { PeerMetadata } from "../events.js";
import type { Core } from "./core.js";
import type { Marks } from "./lane.js";
import { type Link, nameOf } from "./link.js";

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
  /** Bytes that all peers' queues may hold together; 0: no bound. */
  highWaterMarkTotalBytes: number;
  /**
   * Messages that all peers' queues may hold together: peers x `highWaterMark`; 0: no bound. Times
   * {@link largestMessage} that is the memory to reckon with.
   */
  capacity: number;
  /** The bytes of the largest message that a queue of a present peer has held. */
  largestMessage: number;
}

/** A peer, or a connector that has none yet, or a udp endpoint. */
export interface PeerStats {
  /** The endpoint that was bound or connected. */
  endpoint: string;
  /** Where the peer is; undefined while a connector has none, and where anybody may be (udp, bound). */
  address: string | undefined;
  /** Whether the handshake is done; over inproc, whether the name has been bound; over udp, whether there is a socket. */
  connected: boolean;
  /** What the peer calls itself, or what we call it; undefined when it has no name. */
  routingId: Buffer | undefined;
  /** Who it is, as `authenticate` or the ZAP handler said; undefined when nobody did. */
  userId: string | undefined;
  /** What else is known of it. */
  metadata: PeerMetadata | undefined;
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
   * each peer that had no room for it, or for want of a peer, or over udp, where a datagram was none, found
   * no room, or could not be sent. A pattern says when: see its class.
   */
  total: { messagesReceived: number; messagesSent: number; messagesDropped: number };
  /**
   * Connections that came to a bound endpoint and were closed before they were in, for want of a
   * place (`maxConnections`, `maxHandshakes`) or by `tcpAcceptFilter`. An `accept:error` event tells of
   * each.
   */
  connectionsRefused: number;
  /** Topics that we, or our peers, are subscribed to; undefined for types without subscriptions. */
  subscriptions: number | undefined;
  /** Bytes held for messages whose last frame has not come yet, of all peers. */
  assemblyBytes: number;
  /** Every peer, those included that are in their handshake or linger. */
  peers: PeerStats[];
}

/** Reads all that {@link Stats} says off a socket. @internal */
export function statsOf(core: Core): Stats {
  const now = performance.now();
  const links = [...core.links()];
  const largest = links.map(({ socketPipe }) => socketPipe?.largest ?? { written: 0, read: 0 });
  const receive = bounds(
    core.receiveMarks.each,
    links,
    largest.map(({ read }) => read),
  );
  const send = bounds(
    core.sendMarks.each,
    links,
    largest.map(({ written }) => written),
  );
  return {
    receive: { ...core.pattern.depth, ...receive },
    send: { ...core.pattern.outDepth, ...send },
    total: {
      messagesReceived: core.reader.messages,
      messagesSent: core.writer.messages,
      messagesDropped: core.messagesDropped,
    },
    connectionsRefused: core.connectionsRefused,
    subscriptions: core.pattern.subscriptions,
    assemblyBytes: core.wiring.assemblyBytes,
    peers: links.map((link) => peerStats(link, now)),
  };
}

/** What the queues of one direction may hold. */
function bounds({ messages, bytes, pool, conflate }: Marks, links: Link[], largest: number[]) {
  const each = conflate === true ? 1 : messages;
  return {
    highWaterMark: each,
    highWaterMarkBytes: bytes,
    highWaterMarkTotalBytes: pool?.limit ?? 0,
    capacity: each * links.filter(({ socketPipe }) => socketPipe !== undefined).length,
    largestMessage: Math.max(0, ...largest),
  };
}

function peerStats(link: Link, now: number): PeerStats {
  const { endpoint, peerAddress, established, startedAt, socketPipe, userId, metadata } = link;
  return {
    endpoint,
    address: peerAddress,
    connected: established,
    routingId: nameOf(link),
    userId,
    metadata,
    receiveMessages: socketPipe?.length ?? 0,
    receiveBytes: socketPipe?.bytes ?? 0,
    sendMessages: socketPipe?.outLength ?? 0,
    sendBytes: socketPipe?.outBytes ?? 0,
    ageMs: now - startedAt,
  };
}
