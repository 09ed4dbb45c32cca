import type { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { type ErrnoError, errnoError } from "../errors.js";
import { placeText } from "../place.js";
import { type Address, parseAddress, type UdpAddress, type Use } from "../transport/address.js";
import { systemPath } from "../transport/ipc.js";
import { Listener, type ListenerEvents, type ListenerOptions } from "../transport/listener.js";
import { bindHost, resolve } from "../transport/tcp.js";
import { BoundEndpoint } from "./bound.js";
import { ConnectedEndpoint } from "./connected.js";
import type { Core, Endpoint } from "./core.js";
import { InprocBinding, InprocConnection } from "./inproc.js";
import type { Policy } from "./policy.js";
import { UdpEndpoint } from "./udp.js";

/** Binds `endpoint`; whatever is wrong with it rejects. An aborted bind leaves nothing bound. */
export async function bind(core: Core, endpoint: string, signal?: AbortSignal): Promise<void> {
  const address = parse(core, endpoint, "bind");
  if (address.transport === "inproc") {
    core.addBound(new InprocBinding(core, address.name, endpoint));
    return;
  }
  const policy = policyOf(core, address, endpoint);
  if (address.transport === "udp") {
    takeIn(core, await abortable(bindUdp(core, address, endpoint), signal));
    return;
  }
  const events = new BoundEvents(core, endpoint, policy);
  try {
    // As they are now, however long it takes until there is something to secure connections with.
    const options = listenerOptions(core);
    const listen = (): Promise<Listener> => Listener.bind(address, endpoint, options, events);
    const binding = policy.ready === undefined ? listen() : policy.ready.then(listen);
    events.listening(await abortable(binding, signal));
  } catch (error) {
    bindFailed(core, address, endpoint, error as ErrnoError);
    throw error;
  }
}

/** What `binding` gives, unless the signal comes first: then what it gives later is closed. */
function abortable<E extends { close(): void }>(
  binding: Promise<E>,
  signal: AbortSignal | undefined,
): Promise<E> {
  if (signal === undefined) return binding;
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      reject(signal.reason);
      binding.then((listener) => listener.close()).catch(() => {});
    };
    signal.addEventListener("abort", aborted, { once: true });
    const settled = (): void => signal.removeEventListener("abort", aborted);
    binding.finally(settled).then(resolve, reject);
  });
}

/**
 * Binds `endpoint` now; whatever is wrong with it throws. Where the runtime cannot bind
 * synchronously, an error comes as a `bind:error` event instead.
 */
export function bindSync(core: Core, endpoint: string): void {
  const address = parse(core, endpoint, "bind");
  if (address.transport === "inproc") {
    core.addBound(new InprocBinding(core, address.name, endpoint));
    return;
  }
  const policy = policyOf(core, address, endpoint);
  if (address.transport === "udp") {
    bindUdpSync(core, address, endpoint);
    return;
  }
  const events = new BoundEvents(core, endpoint, policy);
  try {
    const listener = Listener.bindSync(address, endpoint, listenerOptions(core), events);
    if (listener !== undefined) events.listening(listener);
    else bind(core, endpoint).catch(() => {});
  } catch (error) {
    bindFailed(core, address, endpoint, error as ErrnoError);
    throw error;
  }
}

/** Connects to `endpoint`, or does nothing where one connection to it is enough. */
export function connect(core: Core, endpoint: string, routingId: Buffer | undefined): void {
  const address = parse(core, endpoint, "connect");
  if (core.kind.single && core.connected(endpoint).length > 0) return;
  if (routingId !== undefined) core.pattern.checkRoutingId?.(routingId);
  if (address.transport === "inproc") {
    const connection = new InprocConnection(core, address.name, endpoint, routingId);
    core.addConnected(connection);
    connection.connect();
    return;
  }
  if (address.transport === "ipc") systemPath(address.path, endpoint);
  const policy = policyOf(core, address, endpoint);
  if (address.transport === "udp") {
    connectUdp(core, address, endpoint);
    return;
  }
  const connected = new ConnectedEndpoint(core, address, endpoint, policy, routingId);
  core.addConnected(connected);
  connected.connect();
}

async function bindUdp(core: Core, address: UdpAddress, endpoint: string): Promise<UdpEndpoint> {
  const bound = new UdpEndpoint(core, address, endpoint, "bind");
  const ipv6 = core.options.boolean("ipv6");
  const found = bindHost(address.host, ipv6);
  const ip = "ip" in found ? found.ip : await resolve(found.name, ipv6, endpoint);
  await new Promise<void>((done, fail) => {
    bound.open(ip, (error) => (error === undefined ? done() : fail(error)));
  });
  return bound;
}

function bindUdpSync(core: Core, address: UdpAddress, endpoint: string): void {
  const found = bindHost(address.host, core.options.boolean("ipv6"));
  if (!("ip" in found)) throw errnoError("ENODEV", endpoint);
  const bound = new UdpEndpoint(core, address, endpoint, "bind");
  let failure: ErrnoError | undefined;
  let isLate = false;
  bound.open(found.ip, (error) => {
    failure = error;
    if (error === undefined) takeIn(core, bound);
    else if (isLate) bindFailed(core, address, endpoint, error);
  });
  isLate = true;
  if (failure !== undefined) throw failure;
}

function takeIn(core: Core, bound: UdpEndpoint): void {
  if (core.closed) {
    bound.close();
    return;
  }
  core.addBound(bound);
  bound.start();
}

/** A name is looked up once it is connected: what is sent waits for that. */
function connectUdp(core: Core, address: UdpAddress, endpoint: string): void {
  const connected = new UdpEndpoint(core, address, endpoint, "connect");
  let failure: ErrnoError | undefined;
  if (isIP(address.host) !== 0) {
    connected.open(address.host, (error) => {
      failure = error;
    });
  }
  if (failure !== undefined) throw failure;
  core.addConnected(connected);
  connected.start();
}

/** @throws As {@link parseAddress}; ENOCOMPATPROTO where the socket's type cannot use the protocol, ENOTSUP with an option that is not built. */
function parse(core: Core, endpoint: string, use: Use): Address {
  const { name, udp } = core.kind;
  const address = parseAddress(endpoint, use, udp === use);
  const { transport } = address;
  if ((name === "STREAM" && transport === "inproc") || (name === "DGRAM" && transport !== "udp")) {
    throw errnoError("ENOCOMPATPROTO", endpoint);
  }
  if (transport === "tcp") core.options.checkUsable(use, endpoint);
  // There is no proxy for datagrams.
  if (transport === "udp") core.options.checkUsable("bind", endpoint);
  return address;
}

/** @throws EINVAL when it cannot be secured as the options want it. */
function policyOf(core: Core, { transport }: Address, endpoint: string): Policy {
  const policy = core.security.policy(endpoint);
  // Plain TCP has no handshake in which a peer could prove itself, and be judged; datagrams have no peer.
  const open = transport === "udp" ? transport : core.kind.name === "STREAM" && "a Stream";
  if (open !== false && (policy.mechanism !== "NULL" || core.judge.isFor(policy))) {
    throw errnoError("EINVAL", endpoint, `Invalid argument: ${open} cannot be secured`);
  }
  return policy;
}

/** @throws ENOENT when nothing of the kind is bound. */
export function unbind(core: Core, endpoint: string): void {
  const found = core.bound(endpoint);
  remove(core, found.length > 0 ? found : core.bound(resolved(core, endpoint)), endpoint);
}

/** A bound endpoint has an IP address where the caller may say `localhost` or an interface. */
function resolved(core: Core, endpoint: string): string {
  const [, protocol, name, port] = /^(tcp|udp):\/\/([^*:;[\]]+):(\d+)$/.exec(endpoint) ?? [];
  if (name === undefined) return endpoint;
  const host = bindHost(name, core.options.boolean("ipv6"));
  if (!("ip" in host)) return endpoint;
  return `${protocol}://${placeText({ ip: host.ip, port: Number(port) })}`;
}

/** @throws ENOENT when nothing of the kind is connected. */
export function disconnect(core: Core, endpoint: string): void {
  remove(core, core.connected(endpoint), endpoint);
}

function remove(core: Core, found: Endpoint[], endpoint: string): void {
  if (found.length > 0) {
    for (const it of found) core.remove(it);
    return;
  }
  const colon = endpoint.indexOf("://");
  if (colon <= 0 || colon + 3 === endpoint.length) throw errnoError("EINVAL", endpoint);
  const protocol = endpoint.slice(0, colon);
  if (protocol === "udp" && core.kind.udp === undefined) {
    throw errnoError("ENOCOMPATPROTO", endpoint);
  }
  const isKnown = ["tcp", "ipc", "inproc", "udp"].includes(protocol);
  throw errnoError(isKnown ? "ENOENT" : "EPROTONOSUPPORT", endpoint);
}

function listenerOptions(core: Core): ListenerOptions {
  return {
    backlog: core.options.number("backlog"),
    ipv6: core.options.boolean("ipv6"),
    ipcMode: core.options.value("ipcMode") as number | null,
  };
}

/** In npm zeromq's events the address of a failed bind has no `tcp://`. */
function bindFailed(core: Core, address: Address, endpoint: string, error: ErrnoError): void {
  const where = address.transport === "tcp" ? endpoint.slice("tcp://".length) : endpoint;
  core.emit({ type: "bind:error", address: where, error });
}

/** What happens at a listener, for the endpoint that it becomes. */
class BoundEvents implements ListenerEvents {
  readonly #core: Core;
  readonly #asked: string;
  readonly #policy: Policy;
  #bound: BoundEndpoint | undefined;

  constructor(core: Core, asked: string, policy: Policy) {
    this.#core = core;
    this.#asked = asked;
    this.#policy = policy;
  }

  listening(listener: Listener): void {
    if (this.#core.closed) {
      listener.close();
      return;
    }
    this.#bound = new BoundEndpoint(this.#core, listener, this.#policy);
    this.#core.addBound(this.#bound);
    this.#core.emit({ type: "bind", address: listener.endpoint });
  }

  accepted(stream: Parameters<ListenerEvents["accepted"]>[0]): void {
    if (this.#bound === undefined) stream.destroy();
    else this.#bound.accepted(stream);
  }

  acceptFailed(error: ErrnoError): void {
    this.#core.emit({ type: "accept:error", address: this.#bound?.endpoint ?? this.#asked, error });
  }
}
