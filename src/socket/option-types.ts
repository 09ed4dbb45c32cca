import type { Authenticate } from "./authenticate.js";

/** The options of sockets, as properties. The values stand in `options.ts`. */

/**
 * Options that every socket has. Intervals and timeouts are in milliseconds, sizes in bytes; what
 * is "stored" has no effect.
 *
 * Setting one throws TypeError for a wrong type and EINVAL for a number out of its range; a closed
 * socket throws ENOTSOCK, for reading too. Numbers lose their fraction, and those of most options
 * wrap around at 32 bits. `linger`, `sendTimeout`, `receiveTimeout`, the high-water marks and what
 * says who may come to a bound endpoint (`tcpAcceptFilter`, `maxConnections`, `maxHandshakes`) take
 * effect at once; a change of any other while an endpoint is bound or connected does not reach the
 * connections that there are, and a warning says so.
 */
export interface CommonOptions {
  /** `ZMQ_AFFINITY`: stored. Default 0. */
  affinity: number;
  /** `ZMQ_RATE`: stored, PGM only. Default 100; EINVAL below 1. */
  rate: number;
  /** `ZMQ_RECOVERY_IVL`: stored, PGM only. Default 10,000; EINVAL below 0. */
  recoveryInterval: number;
  /**
   * `ZMQ_LINGER`: how long messages are still sent after `close`, `unbind` or `disconnect`; -1: for
   * ever, 0: not at all. Default -1, or 0 where the context's `blocky` is false, and for Subscriber,
   * XSubscriber and Dish; EINVAL below -1.
   */
  linger: number;
  /**
   * `ZMQ_RECONNECT_IVL`: between attempts to connect; 0 or -1: only one attempt. The delay is
   * random, one to two intervals, but no more than `reconnectMaxInterval` or 30 s (an interval of
   * that length and more: half of it to all). It doubles after each protocol error of the peer's.
   * Default 100; EINVAL below -1.
   */
  reconnectInterval: number;
  /** `ZMQ_BACKLOG`: connections the system may keep waiting. Default 100; EINVAL below 0. */
  backlog: number;
  /**
   * `ZMQ_RECONNECT_IVL_MAX`: the interval doubles up to here; 0: it does not.
   * Default 0; EINVAL below 0.
   */
  reconnectMaxInterval: number;
  /**
   * `ZMQ_MAXMSGSIZE`: a peer that sends a larger part is disconnected, and over udp a datagram with a
   * larger body dropped; below 0: none is. Default -1.
   */
  maxMessageSize: number;
  /** `ZMQ_TCP_KEEPALIVE`: 0 off, 1 on, -1 as the system does. Default -1; EINVAL for others. */
  tcpKeepalive: number;
  /** `ZMQ_TCP_KEEPALIVE_CNT`: stored; Node.js fixes it. Default -1; EINVAL below -1. */
  tcpKeepaliveCount: number;
  /**
   * `ZMQ_TCP_KEEPALIVE_IDLE`: seconds before the first probe, with `tcpKeepalive` 1; 0 or -1: as
   * the system does. Default -1; EINVAL below -1.
   */
  tcpKeepaliveIdle: number;
  /** `ZMQ_TCP_KEEPALIVE_INTVL`: stored; Node.js fixes it. Default -1; EINVAL below -1. */
  tcpKeepaliveInterval: number;
  /**
   * `ZMQ_TCP_ACCEPT_FILTER`: from where connections to endpoints bound over tcp are taken. A list of
   * IP addresses and networks, such as `["127.0.0.1", "10.0.0.0/8", "::1/128"]`, takes the place of
   * what was set before; a text adds one network to it, as in npm zeromq; null or an empty list:
   * from everywhere. Default: from everywhere.
   *
   * An IPv4 address is judged by the IPv4 networks, though it may come, or stand in the list, as an
   * IPv6 address (`::ffff:10.0.0.1`). A peer that is refused is closed before anything is written
   * or read; `accept:error` tells of it (EACCES), `stats().connectionsRefused` counts. For
   * those who come after it is set, to endpoints that are bound already, too. Who has come stays.
   *
   * EINVAL, with a text that says why, for what is no network, the empty text included; then
   * nothing has changed. Reading it throws EINVAL, as in npm zeromq.
   */
  tcpAcceptFilter: string | readonly string[] | null;
  /** `ZMQ_IMMEDIATE`: queue only for peers that are connected. Default false. */
  immediate: boolean;
  /** `ZMQ_IPV6`: use IPv6 as well as IPv4. Default false, or the context's. */
  ipv6: boolean;
  /**
   * `ZMQ_PLAIN_SERVER` (RFC 24): peers must log in, and `authenticate` or the ZAP handler judges them;
   * without either nobody gets in. User names and passwords travel in clear. Makes the socket no
   * client. Default false.
   */
  plainServer: boolean;
  /**
   * `ZMQ_PLAIN_USERNAME`: what to log in as; makes the socket a client of PLAIN. Null takes the
   * password back, too. Default null; EINVAL when empty or longer than 255 bytes.
   */
  plainUsername: string | null;
  /** `ZMQ_PLAIN_PASSWORD`: with {@link plainUsername}, and like it. */
  plainPassword: string | null;
  /**
   * `ZMQ_CURVE_SERVER` (RFC 26): peers must know our public key, and prove to have theirs; who they
   * may be `authenticate` or the ZAP handler says, and without either all may come in. Needs
   * {@link curveSecretKey}. Makes the socket no client. Default false.
   */
  curveServer: boolean;
  /**
   * `ZMQ_CURVE_PUBLICKEY`: our public key: kept, and worked out from {@link curveSecretKey} where it
   * is needed. Keys are 40 characters of Z85 (see `curveKeyPair`), or a Buffer of 32 octets; they are
   * read as Z85. Default null; EINVAL for what is no key.
   */
  curvePublicKey: string | null;
  /** `ZMQ_CURVE_SECRETKEY`: our secret key, like {@link curvePublicKey}. */
  curveSecretKey: string | null;
  /**
   * `ZMQ_CURVE_SERVERKEY`: the public key that the peer must prove to have the secret one of, like
   * {@link curvePublicKey}. Makes the socket a client of CURVE; needs {@link curveSecretKey}.
   */
  curveServerKey: string | null;
  /**
   * `ZMQ_ZAP_DOMAIN`: what the ZAP handler, bound to `inproc://zeromq.zap.01` (RFC 27), is told that
   * a peer wants to come in to. With a domain peers are judged whatever the mechanism, and without a
   * handler nobody gets in. Default null, which cannot be set again; EINVAL when empty or longer than
   * 255 bytes.
   */
  zapDomain: string | null;
  /**
   * Decides about each peer, in place of a ZAP handler and whatever the mechanism: see
   * {@link Authenticate}. Servers of PLAIN and CURVE ask it, and with NULL both sides; nobody is asked
   * about peers over inproc. Holds at once, for peers to come. Default null: see {@link zapDomain};
   * EINVAL for a Stream, whose peers say nothing of themselves. Ours alone.
   */
  authenticate: Authenticate | null;
  /** `ZMQ_TOS`: stored; Node.js 20 cannot set it. Default 0; EINVAL below 0. */
  typeOfService: number;
  /**
   * `ZMQ_HANDSHAKE_IVL`: a peer has this long for its handshake; 0: for ever.
   * Default 30,000; EINVAL below 0.
   */
  handshakeInterval: number;
  /**
   * `ZMQ_SOCKS_PROXY`: not built yet, so with it `connect` over tcp throws ENOTSUP. Default null;
   * EINVAL when empty.
   */
  socksProxy: string | null;
  /** `ZMQ_HEARTBEAT_IVL`: between PINGs; 0: none. Default 0; EINVAL below 0. */
  heartbeatInterval: number;
  /**
   * `ZMQ_HEARTBEAT_TTL`: the peer gives us up after this much silence, as our PINGs tell it; 0:
   * never. Cut to whole 100 ms, below 0 to 0; what is announced is 65,500 at most, for libzmq
   * misreads more. Default 0; EINVAL above 6,553,599.
   */
  heartbeatTimeToLive: number;
  /**
   * `ZMQ_HEARTBEAT_TIMEOUT`: a peer silent for this long after a PING is given up; 0: never.
   * Default -1: as long as `heartbeatInterval`. EINVAL below 0, so it cannot be set to -1 again.
   */
  heartbeatTimeout: number;
  /** `ZMQ_CONNECT_TIMEOUT`: for one attempt; 0: as the system does. Default 0; EINVAL below 0. */
  connectTimeout: number;
  /** `ZMQ_TCP_MAXRT`: stored. Default 0; EINVAL below 0. */
  tcpMaxRetransmitTimeout: number;
  /** `ZMQ_MULTICAST_MAXTPDU`: stored, PGM only. Default 1500; EINVAL below 1. */
  multicastMaxTransportDataUnit: number;
  /** `ZMQ_VMCI_BUFFER_SIZE`: there is no VMCI here: reading and setting throw EINVAL. */
  vmciBufferSize: number;
  /** `ZMQ_VMCI_BUFFER_MIN_SIZE`: no VMCI here: reading and setting throw EINVAL. */
  vmciBufferMinSize: number;
  /** `ZMQ_VMCI_BUFFER_MAX_SIZE`: no VMCI here: reading and setting throw EINVAL. */
  vmciBufferMaxSize: number;
  /** `ZMQ_VMCI_CONNECT_TIMEOUT`: no VMCI here: reading and setting throw EINVAL. */
  vmciConnectTimeout: number;
  /**
   * `ZMQ_BINDTODEVICE`: not built yet, so with it `bind` and `connect` over tcp and udp fail with ENOTSUP.
   * Default null; EINVAL when empty or longer than 16 bytes.
   */
  interface: string | null;
  /**
   * `ZMQ_ZAP_ENFORCE_DOMAIN`: peers are judged even without a {@link zapDomain}, whatever the
   * mechanism, and without a handler nobody gets in. Default false.
   */
  zapEnforceDomain: boolean;
  /** `ZMQ_LOOPBACK_FASTPATH`: stored. Default false. */
  loopbackFastPath: boolean;
  /**
   * The permissions of the files of ipc endpoints, 0o600 say: who may write to the file may connect.
   * Null: as the process makes files (its umask). The file has them before it has its name. Default
   * null; EINVAL below 0 and above 0o777. With it `bind` fails with ENOTSUP for abstract names
   * (`ipc://@name`), which have no permissions, and with ENAMETOOLONG where the name of the folder is
   * longer than 97 bytes (macOS: 93). The folder of `ipc://*` stays the user's own. Ours alone.
   */
  ipcMode: number | null;
  /**
   * Connections to each endpoint that is bound, over tcp or ipc, at the most; 0: no bound. What comes
   * beyond is closed at once: `accept:error` tells of it (ECONNREFUSED), `stats().connectionsRefused`
   * counts, and the first time a process warning. An idle peer takes some 15 to 20 KB, so the default
   * is some 300 MB. Takes effect at once, and closes nobody who has come.
   * Default 16,384; EINVAL below 0. Ours alone.
   */
  maxConnections: number;
  /**
   * Connections to each endpoint that is bound that have not done their handshake, at the most; 0: no
   * bound. When the next one comes, the oldest of them that is not being judged is closed, told of and counted as with
   * `maxConnections`, without a warning: so silent peers cannot keep others out. Who has done all but
   * wait for a place keeps it; if nobody else is there, the newcomer is closed. How long a handshake
   * may take says `handshakeInterval`. Default 1024; EINVAL below 0. Ours alone.
   */
  maxHandshakes: number;
  /** `ZMQ_TYPE`: libzmq's number of the socket's type: 0 is PAIR, 11 is STREAM. */
  readonly type: number;
  /**
   * `ZMQ_LAST_ENDPOINT`: what was bound or connected last; a bound one with its real host and port,
   * or path. Null before.
   */
  readonly lastEndpoint: string | null;
  /** `ZMQ_MECHANISM`: which one the options ask for; null: NULL. */
  readonly securityMechanism: null | "plain" | "curve" | "gssapi";
  /** `ZMQ_THREAD_SAFE`: whether libzmq lets several threads use such a socket: the draft types. */
  readonly threadSafe: boolean;
}

/** Options of sockets that can send; what throws when: see {@link CommonOptions}. */
export interface SendOptions {
  /**
   * `ZMQ_SNDBUF`: bytes that the system may keep for us over udp; stored for others, where Node.js cannot
   * set it. Below 1: as many as the system likes. Default -1; EINVAL below -1.
   */
  sendBufferSize: number;
  /**
   * `ZMQ_SNDHWM`: messages queued for a peer at the most; 0: no bound.
   * Default 1000; EINVAL below 0.
   */
  sendHighWaterMark: number;
  /**
   * `ZMQ_SNDTIMEO`: how long `send` waits, in milliseconds; -1: for ever.
   * Default -1; EINVAL below -1.
   */
  sendTimeout: number;
  /**
   * `ZMQ_MULTICAST_HOPS`: networks that a multicast datagram of a Radio or a Datagram may reach: 1 is this one
   * alone. Stored for others. Default 1; EINVAL below 1, and above 255 when the endpoint is connected or bound.
   */
  multicastHops: number;
}

/** Ours alone, of sockets that can send. */
export interface SendMarks {
  /**
   * Bytes queued for a peer at the most, though the last message may pass that; 0: no
   * bound. Default 0; EINVAL below 0.
   */
  sendHighWaterMarkBytes: number;
  /**
   * Bytes queued for all peers together at the most, though the last message may pass
   * that; 0: no bound. For peers that come after it is set. Default 0; EINVAL below 0.
   */
  sendHighWaterMarkTotalBytes: number;
}

/**
 * Ours alone, of sockets that others subscribe to, or whose groups they join. A peer that asks for more
 * loses its connection (`ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS`); of inproc peers any may ask for as much as
 * it likes. They take effect when the next one asks.
 */
export interface SubscriptionLimits {
  /** Topics, or groups, of one peer at the most; 0: no bound. Default 100,000; EINVAL below 0. */
  maxSubscriptions: number;
  /** Their bytes together at the most; 0: no bound. Default 16,777,216; EINVAL below 0. */
  maxSubscriptionBytes: number;
}

/** Options of sockets that can receive; what throws when: see {@link CommonOptions}. */
export interface ReceiveOptions {
  /**
   * `ZMQ_RCVBUF`: bytes of datagrams that the system may keep until we have read them; what comes beyond is
   * lost, and not counted. Stored for other transports, where Node.js cannot set it. Below 1: as many as the
   * system likes. Default -1; EINVAL below -1.
   */
  receiveBufferSize: number;
  /**
   * `ZMQ_RCVHWM`: messages queued from a peer at the most; 0: no bound.
   * Default 1000; EINVAL below 0.
   */
  receiveHighWaterMark: number;
  /**
   * `ZMQ_RCVTIMEO`: how long `receive` waits, in milliseconds; -1: for ever.
   * Default -1; EINVAL below -1.
   */
  receiveTimeout: number;
}

/** Ours alone, of sockets that can receive. */
export interface ReceiveMarks {
  /**
   * Bytes queued from a peer at the most, though the last message may pass that; 0: no
   * bound. Default 0; EINVAL below 0.
   */
  receiveHighWaterMarkBytes: number;
  /**
   * Bytes queued from all peers together at the most, though the last message may pass
   * that; 0: no bound. For peers that come after it is set. Peers whose routing id another
   * has share a bound of their own, as large. Default 0; EINVAL below 0.
   */
  receiveHighWaterMarkTotalBytes: number;
  /** Every part gets an ArrayBuffer to itself. Default false: small ones share. */
  exclusiveBuffers: boolean;
}
