/// <reference types="node" preserve="true" />

/**
 * The callback API of zeromq.js 5, as npm zeromq's `zeromq/v5-compat` has it: a thin layer over the
 * classes of the root.
 *
 * @module
 */

// biome-ignore-all assist/source/organizeImports: the order is npm zeromq's.

export { Context } from "./compat/context.js";
export { Socket, type SocketConstructor, createSocket } from "./compat/sockets.js";
export { curveKeypair } from "./compat/curve.js";
export { proxy } from "./compat/proxy.js";
export { version } from "./index.js";
export { createSocket as socket } from "./compat/sockets.js";
export { shortOptions as options } from "./compat/options.js";
export {
  ZMQ_AFFINITY,
  ZMQ_IDENTITY,
  ZMQ_SUBSCRIBE,
  ZMQ_UNSUBSCRIBE,
  ZMQ_RATE,
  ZMQ_RECOVERY_IVL,
  ZMQ_RECOVERY_IVL_MSEC,
  ZMQ_SNDBUF,
  ZMQ_RCVBUF,
  ZMQ_RCVMORE,
  ZMQ_FD,
  ZMQ_EVENTS,
  ZMQ_TYPE,
  ZMQ_LINGER,
  ZMQ_RECONNECT_IVL,
  ZMQ_BACKLOG,
  ZMQ_RECONNECT_IVL_MAX,
  ZMQ_MAXMSGSIZE,
  ZMQ_SNDHWM,
  ZMQ_RCVHWM,
  ZMQ_MULTICAST_HOPS,
  ZMQ_RCVTIMEO,
  ZMQ_SNDTIMEO,
  ZMQ_IPV4ONLY,
  ZMQ_LAST_ENDPOINT,
  ZMQ_ROUTER_MANDATORY,
  ZMQ_TCP_KEEPALIVE,
  ZMQ_TCP_KEEPALIVE_CNT,
  ZMQ_TCP_KEEPALIVE_IDLE,
  ZMQ_TCP_KEEPALIVE_INTVL,
  ZMQ_TCP_ACCEPT_FILTER,
  ZMQ_DELAY_ATTACH_ON_CONNECT,
  ZMQ_XPUB_VERBOSE,
  ZMQ_ROUTER_RAW,
  ZMQ_IPV6,
  ZMQ_MECHANISM,
  ZMQ_PLAIN_SERVER,
  ZMQ_PLAIN_USERNAME,
  ZMQ_PLAIN_PASSWORD,
  ZMQ_CURVE_SERVER,
  ZMQ_CURVE_PUBLICKEY,
  ZMQ_CURVE_SECRETKEY,
  ZMQ_CURVE_SERVERKEY,
  ZMQ_ZAP_DOMAIN,
  ZMQ_HEARTBEAT_IVL,
  ZMQ_HEARTBEAT_TTL,
  ZMQ_HEARTBEAT_TIMEOUT,
  ZMQ_CONNECT_TIMEOUT,
  ZMQ_IO_THREADS,
  ZMQ_MAX_SOCKETS,
  ZMQ_ROUTER_HANDOVER,
} from "./compat/long-options.js";
export {
  ZMQ_PAIR,
  ZMQ_PUB,
  ZMQ_SUB,
  ZMQ_REQ,
  ZMQ_REP,
  ZMQ_DEALER,
  ZMQ_XREQ,
  ZMQ_ROUTER,
  ZMQ_XREP,
  ZMQ_PULL,
  ZMQ_PUSH,
  ZMQ_XPUB,
  ZMQ_XSUB,
  ZMQ_STREAM,
  ZMQ_POLLIN,
  ZMQ_POLLOUT,
  ZMQ_POLLERR,
  ZMQ_SNDMORE,
  ZMQ_CAN_MONITOR,
  ZMQ_CAN_DISCONNECT,
  ZMQ_CAN_UNBIND,
  ZMQ_CAN_SET_CTX,
  STATE_READY,
  STATE_BUSY,
  STATE_CLOSED,
} from "./compat/constants.js";
export type { SocketType } from "./compat/socket-types.js";
