/**
 * The options of sockets, as properties. Intervals and timeouts are in milliseconds, sizes in bytes.
 * The values stand in `options.ts`; what is "stored" has no effect.
 */

/** Options that every socket has. Intervals and timeouts are in milliseconds, sizes in bytes. */
export interface CommonOptions {
  /** `ZMQ_AFFINITY`: stored. Default 0. */
  affinity: number;
  /** `ZMQ_RATE`: stored, multicast only. Default 100. */
  rate: number;
  /** `ZMQ_RECOVERY_IVL`: stored, multicast only. Default 10,000. */
  recoveryInterval: number;
  /** `ZMQ_LINGER`: how long messages are still sent after `close`; -1: for ever. Default -1. */
  linger: number;
  /** `ZMQ_RECONNECT_IVL`: between attempts to connect; 0 or -1: only one attempt. Default 100. */
  reconnectInterval: number;
  /** `ZMQ_BACKLOG`: connections the system may keep waiting. Default 100. */
  backlog: number;
  /** `ZMQ_RECONNECT_IVL_MAX`: the interval doubles up to here; 0: it does not. Default 0. */
  reconnectMaxInterval: number;
  /** `ZMQ_MAXMSGSIZE`: a peer that sends a larger part is disconnected; -1: none is. Default -1. */
  maxMessageSize: number;
  /** `ZMQ_TCP_KEEPALIVE`: 0 off, 1 on, -1 as the system does. Default -1. */
  tcpKeepalive: number;
  /** `ZMQ_TCP_KEEPALIVE_CNT`: stored; Node.js fixes it. Default -1. */
  tcpKeepaliveCount: number;
  /** `ZMQ_TCP_KEEPALIVE_IDLE`: seconds before the first probe; -1: as the system does. */
  tcpKeepaliveIdle: number;
  /** `ZMQ_TCP_KEEPALIVE_INTVL`: stored; Node.js fixes it. Default -1. */
  tcpKeepaliveInterval: number;
  /** `ZMQ_TCP_ACCEPT_FILTER`: not built yet, setting it throws ENOTSUP. */
  tcpAcceptFilter: string | null;
  /** `ZMQ_IMMEDIATE`: queue only for peers that are connected. Default false. */
  immediate: boolean;
  /** `ZMQ_IPV6`: use IPv6 as well as IPv4. Default false, or the context's. */
  ipv6: boolean;
  /** `ZMQ_PLAIN_SERVER`: not built yet, setting it throws ENOTSUP. */
  plainServer: boolean;
  /** `ZMQ_PLAIN_USERNAME`: not built yet, setting it throws ENOTSUP. */
  plainUsername: string | null;
  /** `ZMQ_PLAIN_PASSWORD`: not built yet, setting it throws ENOTSUP. */
  plainPassword: string | null;
  /** `ZMQ_CURVE_SERVER`: not built yet, setting it throws ENOTSUP. */
  curveServer: boolean;
  /** `ZMQ_CURVE_PUBLICKEY`: not built yet, setting it throws ENOTSUP. */
  curvePublicKey: string | null;
  /** `ZMQ_CURVE_SECRETKEY`: not built yet, setting it throws ENOTSUP. */
  curveSecretKey: string | null;
  /** `ZMQ_CURVE_SERVERKEY`: not built yet, setting it throws ENOTSUP. */
  curveServerKey: string | null;
  /** `ZMQ_ZAP_DOMAIN`: not built yet, setting it throws ENOTSUP. */
  zapDomain: string | null;
  /** `ZMQ_TOS`: stored; Node.js 20 cannot set it. Default 0. */
  typeOfService: number;
  /** `ZMQ_HANDSHAKE_IVL`: a peer has this long for its handshake; 0: for ever. Default 30,000. */
  handshakeInterval: number;
  /** `ZMQ_SOCKS_PROXY`: not built yet, setting it throws ENOTSUP. */
  socksProxy: string | null;
  /** `ZMQ_HEARTBEAT_IVL`: between PINGs; 0: none. Default 0. */
  heartbeatInterval: number;
  /** `ZMQ_HEARTBEAT_TTL`: the peer gives us up after this much silence; 0: never. Default 0. */
  heartbeatTimeToLive: number;
  /** `ZMQ_HEARTBEAT_TIMEOUT`: silence after a PING; -1: as long as the interval. Default -1. */
  heartbeatTimeout: number;
  /** `ZMQ_CONNECT_TIMEOUT`: for one attempt; 0: as the system does. Default 0. */
  connectTimeout: number;
  /** `ZMQ_TCP_MAXRT`: stored. Default 0. */
  tcpMaxRetransmitTimeout: number;
  /** `ZMQ_MULTICAST_MAXTPDU`: stored, multicast only. Default 1500. */
  multicastMaxTransportDataUnit: number;
  /** `ZMQ_VMCI_BUFFER_SIZE`: there is no VMCI here, so EINVAL, as in npm zeromq. */
  vmciBufferSize: number;
  /** `ZMQ_VMCI_BUFFER_MIN_SIZE`: EINVAL, as in npm zeromq. */
  vmciBufferMinSize: number;
  /** `ZMQ_VMCI_BUFFER_MAX_SIZE`: EINVAL, as in npm zeromq. */
  vmciBufferMaxSize: number;
  /** `ZMQ_VMCI_CONNECT_TIMEOUT`: EINVAL, as in npm zeromq. */
  vmciConnectTimeout: number;
  /** `ZMQ_BINDTODEVICE`: not built yet, setting it throws ENOTSUP. */
  interface: string | null;
  /** `ZMQ_ZAP_ENFORCE_DOMAIN`: not built yet, setting it throws ENOTSUP. */
  zapEnforceDomain: boolean;
  /** `ZMQ_LOOPBACK_FASTPATH`: stored. Default false. */
  loopbackFastPath: boolean;
  /** `ZMQ_TYPE`: libzmq's number of the socket's type. */
  readonly type: number;
  /** `ZMQ_LAST_ENDPOINT`: what was bound or connected last, with its real port or path. */
  readonly lastEndpoint: string | null;
  /** `ZMQ_MECHANISM`: null for NULL. */
  readonly securityMechanism: null | "plain" | "curve" | "gssapi";
  /** `ZMQ_THREAD_SAFE`. */
  readonly threadSafe: boolean;
}

/** Options of sockets that can send. */
export interface SendOptions {
  /** `ZMQ_SNDBUF`: stored; Node.js cannot set it. Default -1. */
  sendBufferSize: number;
  /** `ZMQ_SNDHWM`: messages queued for a peer at the most; 0: no bound. Default 1000. */
  sendHighWaterMark: number;
  /** Ours alone: bytes queued for a peer at the most; 0: no bound. Default 0. */
  sendHighWaterMarkBytes: number;
  /** `ZMQ_SNDTIMEO`: how long `send` waits, in milliseconds; -1: for ever. Default -1. */
  sendTimeout: number;
  /** `ZMQ_MULTICAST_HOPS`: stored, multicast only. Default 1. */
  multicastHops: number;
}

/** Options of sockets that can receive. */
export interface ReceiveOptions {
  /** `ZMQ_RCVBUF`: stored; Node.js cannot set it. Default -1. */
  receiveBufferSize: number;
  /** `ZMQ_RCVHWM`: messages queued from a peer at the most; 0: no bound. Default 1000. */
  receiveHighWaterMark: number;
  /** Ours alone: bytes queued from a peer at the most; 0: no bound. Default 0. */
  receiveHighWaterMarkBytes: number;
  /** `ZMQ_RCVTIMEO`: how long `receive` waits, in milliseconds; -1: for ever. Default -1. */
  receiveTimeout: number;
  /** Ours alone: every part gets an ArrayBuffer to itself. Default false: small ones share. */
  exclusiveBuffers: boolean;
}
