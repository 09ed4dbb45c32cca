import type { Core } from "./core.js";
import type { Session } from "./session.js";

/** How full the queues of one direction are, over all peers together. */
export interface QueueStats {
  /** Messages that wait; one of several parts counts once. */
  messages: number;
  /** Their bytes. */
  bytes: number;
  /** Messages that each peer's queue may hold; 0: no bound. */
  highWaterMark: number;
  /** Bytes that each peer's queue may hold; 0: no bound. */
  highWaterMarkBytes: number;
}

export interface PeerStats {
  /** The endpoint that was bound or connected. */
  endpoint: string;
  /** Where the peer is; undefined while a connector has none. */
  address: string | undefined;
  /** Whether the handshake is done. */
  connected: boolean;
  /** Since the peer came, or was first dialled, in milliseconds. */
  ageMs: number;
}

/** What a socket holds now, and what went through it. */
export interface Stats {
  receive: QueueStats;
  send: QueueStats;
  total: { messagesReceived: number; messagesSent: number };
  /** Bytes of messages whose last frame has not come yet, of all peers. */
  assemblyBytes: number;
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
    total: { messagesReceived: core.reader.messages, messagesSent: core.writer.messages },
    assemblyBytes: core.assemblyBytes,
    peers: [...core.sessions(), ...core.inproc].map((link) => peerStats(link, now)),
  };
}

type Link = Pick<Session, "endpoint" | "peerAddress" | "established" | "startedAt">;

function peerStats(link: Link, now: number): PeerStats {
  return {
    endpoint: link.endpoint,
    address: link.peerAddress,
    connected: link.established,
    ageMs: now - link.startedAt,
  };
}
