import { Request, type Socket, Subscriber } from "../index.js";
import { ZMQ_POLLIN, ZMQ_POLLOUT } from "./constants.js";
import * as longOptions from "./long-options.js";

/** Options that are properties of a socket, and their numbers. */
export const shortOptions = {
  _fd: longOptions.ZMQ_FD,
  _ioevents: longOptions.ZMQ_EVENTS,
  _receiveMore: longOptions.ZMQ_RCVMORE,
  _subscribe: longOptions.ZMQ_SUBSCRIBE,
  _unsubscribe: longOptions.ZMQ_UNSUBSCRIBE,
  affinity: longOptions.ZMQ_AFFINITY,
  backlog: longOptions.ZMQ_BACKLOG,
  identity: longOptions.ZMQ_IDENTITY,
  linger: longOptions.ZMQ_LINGER,
  rate: longOptions.ZMQ_RATE,
  rcvbuf: longOptions.ZMQ_RCVBUF,
  last_endpoint: longOptions.ZMQ_LAST_ENDPOINT,
  reconnect_ivl: longOptions.ZMQ_RECONNECT_IVL,
  recovery_ivl: longOptions.ZMQ_RECOVERY_IVL,
  sndbuf: longOptions.ZMQ_SNDBUF,
  mechanism: longOptions.ZMQ_MECHANISM,
  plain_server: longOptions.ZMQ_PLAIN_SERVER,
  plain_username: longOptions.ZMQ_PLAIN_USERNAME,
  plain_password: longOptions.ZMQ_PLAIN_PASSWORD,
  curve_server: longOptions.ZMQ_CURVE_SERVER,
  curve_publickey: longOptions.ZMQ_CURVE_PUBLICKEY,
  curve_secretkey: longOptions.ZMQ_CURVE_SECRETKEY,
  curve_serverkey: longOptions.ZMQ_CURVE_SERVERKEY,
  zap_domain: longOptions.ZMQ_ZAP_DOMAIN,
  heartbeat_ivl: longOptions.ZMQ_HEARTBEAT_IVL,
  heartbeat_ttl: longOptions.ZMQ_HEARTBEAT_TTL,
  heartbeat_timeout: longOptions.ZMQ_HEARTBEAT_TIMEOUT,
  connect_timeout: longOptions.ZMQ_CONNECT_TIMEOUT,
};

/**
 * Ours alone. Of a `req`, write only, and without effect on any other: npm zeromq's layer takes
 * `socket("req", { relaxed: true })` and does nothing about it.
 */
export const requestOptions = {
  /** `ZMQ_REQ_CORRELATE`: see `Request.correlate`. */
  correlate: 52,
  /** `ZMQ_REQ_RELAXED`: see `Request.relaxed`. */
  relaxed: 53,
};

/** How an option is named: by libzmq's number, by a short name, or, ours alone, by its `ZMQ_` name. */
export type OptionName = number | keyof typeof shortOptions | keyof typeof longOptions;

export type OptionValue = string | number | boolean | null;

/** An option, as old programs know it; what is missing cannot be done. */
interface Option {
  read?: (socket: Settable) => unknown;
  write?: (socket: Settable, value: unknown) => void;
}

type Settable = Socket & Record<string, unknown>;

const longNumbers: ReadonlyMap<string, number> = new Map(Object.entries(longOptions));

const OPTIONS: ReadonlyMap<number, Option> = new Map<number, Option>([
  [longOptions.ZMQ_AFFINITY, value("affinity")],
  [longOptions.ZMQ_IDENTITY, value("routingId")],
  [
    longOptions.ZMQ_SUBSCRIBE,
    { write: (socket, prefix) => subscriber(socket).subscribe(prefix as string) },
  ],
  [
    longOptions.ZMQ_UNSUBSCRIBE,
    { write: (socket, prefix) => subscriber(socket).unsubscribe(prefix as string) },
  ],
  [longOptions.ZMQ_RATE, value("rate")],
  [longOptions.ZMQ_RECOVERY_IVL, value("recoveryInterval")],
  [longOptions.ZMQ_SNDBUF, value("sendBufferSize")],
  [longOptions.ZMQ_RCVBUF, value("receiveBufferSize")],
  [longOptions.ZMQ_RCVMORE, { read: () => refuse("ZMQ_RCVMORE") }],
  [longOptions.ZMQ_FD, { read: () => refuse("ZMQ_FD") }],
  [longOptions.ZMQ_EVENTS, { read: pollState }],
  [longOptions.ZMQ_TYPE, { read: value("type").read }],
  [longOptions.ZMQ_LINGER, value("linger")],
  [longOptions.ZMQ_RECONNECT_IVL, value("reconnectInterval")],
  [longOptions.ZMQ_BACKLOG, value("backlog")],
  [longOptions.ZMQ_RECONNECT_IVL_MAX, value("reconnectMaxInterval")],
  [longOptions.ZMQ_MAXMSGSIZE, value("maxMessageSize")],
  [longOptions.ZMQ_SNDHWM, value("sendHighWaterMark")],
  [longOptions.ZMQ_RCVHWM, value("receiveHighWaterMark")],
  [longOptions.ZMQ_MULTICAST_HOPS, value("multicastHops")],
  [longOptions.ZMQ_RCVTIMEO, value("receiveTimeout")],
  [longOptions.ZMQ_SNDTIMEO, value("sendTimeout")],
  [
    longOptions.ZMQ_IPV4ONLY,
    {
      read: (socket) => !socket.ipv6,
      write: (socket, only) => {
        socket.ipv6 = !only;
      },
    },
  ],
  [longOptions.ZMQ_LAST_ENDPOINT, { read: value("lastEndpoint").read }],
  [longOptions.ZMQ_ROUTER_MANDATORY, flag("mandatory")],
  [longOptions.ZMQ_TCP_KEEPALIVE, value("tcpKeepalive")],
  [longOptions.ZMQ_TCP_KEEPALIVE_CNT, value("tcpKeepaliveCount")],
  [longOptions.ZMQ_TCP_KEEPALIVE_IDLE, value("tcpKeepaliveIdle")],
  [longOptions.ZMQ_TCP_KEEPALIVE_INTVL, value("tcpKeepaliveInterval")],
  [longOptions.ZMQ_TCP_ACCEPT_FILTER, { write: value("tcpAcceptFilter").write }],
  [longOptions.ZMQ_DELAY_ATTACH_ON_CONNECT, flag("immediate")],
  [
    longOptions.ZMQ_XPUB_VERBOSE,
    {
      read: () => {
        throw new Error("Reading ZMQ_XPUB_VERBOSE is not supported");
      },
      write: (socket, on) => {
        socket["verbosity"] = on ? "allSubs" : null;
      },
    },
  ],
  [
    longOptions.ZMQ_ROUTER_RAW,
    { read: () => refuse("ZMQ_ROUTER_RAW"), write: () => refuse("ZMQ_ROUTER_RAW") },
  ],
  [longOptions.ZMQ_IPV6, flag("ipv6")],
  [longOptions.ZMQ_MECHANISM, { read: mechanism }],
  [longOptions.ZMQ_PLAIN_SERVER, flag("plainServer")],
  [longOptions.ZMQ_PLAIN_USERNAME, value("plainUsername")],
  [longOptions.ZMQ_PLAIN_PASSWORD, value("plainPassword")],
  [longOptions.ZMQ_CURVE_SERVER, flag("curveServer")],
  [longOptions.ZMQ_CURVE_PUBLICKEY, value("curvePublicKey")],
  [longOptions.ZMQ_CURVE_SECRETKEY, value("curveSecretKey")],
  [longOptions.ZMQ_CURVE_SERVERKEY, value("curveServerKey")],
  [requestOptions.correlate, ofRequests("correlate")],
  [requestOptions.relaxed, ofRequests("relaxed")],
  [longOptions.ZMQ_ZAP_DOMAIN, value("zapDomain")],
  [longOptions.ZMQ_ROUTER_HANDOVER, { write: flag("handover").write }],
  [longOptions.ZMQ_HEARTBEAT_IVL, value("heartbeatInterval")],
  [longOptions.ZMQ_HEARTBEAT_TTL, value("heartbeatTimeToLive")],
  [longOptions.ZMQ_HEARTBEAT_TIMEOUT, value("heartbeatTimeout")],
  [longOptions.ZMQ_CONNECT_TIMEOUT, value("connectTimeout")],
]);

/** @throws Error for an option that is not known or cannot be read; what the socket says of it. */
export function getOption(socket: Socket, name: OptionName): OptionValue {
  const { read } = find(name);
  if (read === undefined) throw unknownOption();
  return read(socket as Settable) as OptionValue;
}

/** @throws Error for an option that is not known or cannot be set; what the socket says of it. */
export function setOption(socket: Socket, name: OptionName, to: unknown): void {
  const { write } = find(name);
  if (write === undefined) throw unknownOption();
  write(socket as Settable, to);
}

function find(name: OptionName): Option {
  const number = typeof name === "number" ? name : numberOf(name);
  const option = number === undefined ? undefined : OPTIONS.get(number);
  if (option === undefined) throw unknownOption();
  return option;
}

/** Of a name that does not exist: none. */
function numberOf(name: string): number | undefined {
  if (Object.hasOwn(shortOptions, name)) return shortOptions[name as keyof typeof shortOptions];
  return longNumbers.get(name);
}

/** An option that is kept as it is given. */
function value(property: string): Required<Option> {
  return {
    read: (socket) => socket[property],
    write: (socket, to) => {
      socket[property] = to;
    },
  };
}

/** A switch, which old programs know as 0 or 1. */
function flag(property: string): Required<Option> {
  return {
    read: (socket) => (socket[property] ? 1 : 0),
    write: (socket, on) => {
      socket[property] = Boolean(on);
    },
  };
}

function ofRequests(property: "correlate" | "relaxed"): Option {
  return {
    write: (socket, on) => {
      if (socket instanceof Request) socket[property] = Boolean(on);
    },
  };
}

function subscriber(socket: Socket): Subscriber {
  if (socket instanceof Subscriber) return socket;
  throw new Error("Subscriber socket required");
}

function pollState({ readable, writable }: Socket): number {
  return (readable ? ZMQ_POLLIN : 0) | (writable ? ZMQ_POLLOUT : 0);
}

/** libzmq's numbers (`ZMQ_MECHANISM`). */
function mechanism({ securityMechanism }: Socket): number {
  return [null, "plain", "curve", "gssapi"].indexOf(securityMechanism);
}

function unknownOption(): Error {
  return new Error("Unknown option");
}

function refuse(name: string): never {
  throw new Error(`${name} is not supported in compatibility mode`);
}
