import type { Buffer } from "node:buffer";
import type { RemoteInfo, Socket, SocketOptions } from "node:dgram";
import { isIPv6 } from "node:net";
import { builtin } from "../builtin.js";
import { type ErrnoError, fromSystem } from "../errors.js";
import { type Place, withMapping, withoutMapping } from "../place.js";
import type { UdpRoute } from "./udp-route.js";

export interface UdpOptions {
  /** For a socket that sends: the routers that its multicast datagrams may pass, and whether this machine hears them. */
  multicast: { hops: number; loop: boolean } | undefined;
  /** Bytes that the system may keep for us, either way; below 1: as many as it likes. */
  receiveBufferSize: number;
  sendBufferSize: number;
}

/** Not imported: it takes 2 ms to load, and few need it. */
let dgram: typeof import("node:dgram") | undefined;

function createSocket(options: SocketOptions): Socket {
  dgram ??= builtin<typeof import("node:dgram")>("node:dgram");
  return dgram.createSocket(options);
}

/** A socket of the operating system for datagrams. What is sent may be lost, and nobody is told. */
export class UdpSocket {
  readonly #socket: Socket;
  readonly #isIPv6: boolean;

  private constructor(socket: Socket, isV6: boolean) {
    this.#socket = socket;
    this.#isIPv6 = isV6;
  }

  /**
   * Opens one that is bound: to the endpoint's address, or to any free one to send from.
   * @param received Called for each datagram that comes; if absent, they are forgotten.
   * @param opened Called with the socket, or with the error: before this returns, where the runtime can.
   */
  static open(
    route: UdpRoute,
    options: UdpOptions,
    received: ((octets: Buffer, from: Place) => void) | undefined,
    opened: (error?: ErrnoError, socket?: UdpSocket) => void,
  ): void {
    const isV6 = isIPv6(route.ip);
    const socket = createSocket({
      type: isV6 ? "udp6" : "udp4",
      lookup: asIs,
      // Of a group all get each datagram; a port by itself is not shared: another would get them instead.
      reuseAddr: route.isGroup,
      ...(options.receiveBufferSize > 0 && { recvBufferSize: options.receiveBufferSize }),
      ...(options.sendBufferSize > 0 && { sendBufferSize: options.sendBufferSize }),
    });
    socket.unref();
    if (received !== undefined) {
      socket.on("message", (octets, { address, port }: RemoteInfo) =>
        received(octets, { ip: withoutMapping(address), port }),
      );
    }
    bind(socket, route, options, (error) => {
      if (error === undefined) opened(undefined, new UdpSocket(socket, isV6));
      else {
        socket.close();
        opened(fromSystem(error, route.endpoint));
      }
    });
  }

  /** What it is bound to. */
  get place(): Place {
    const { address, port } = this.#socket.address();
    return { ip: address, port };
  }

  /**
   * Sends a datagram. Its octets are not to be changed before `sent` is called, in a later turn of the
   * tick queue: with the error, if the system has not taken it. After {@link close} it is not called.
   */
  send(octets: Uint8Array[], { ip, port }: Place, sent: (error: Error | null) => void): void {
    this.#socket.send(octets, port, this.#isIPv6 ? withMapping(ip) : ip, sent);
  }

  /** Closes it at once; what the system has taken still leaves. */
  close(): void {
    this.#socket.close();
  }
}

/** Node.js looks every address up: ours need not be, and then all happens at the call. */
const asIs: NonNullable<SocketOptions["lookup"]> = (ip, _, callback) =>
  callback(null, ip, isIPv6(ip) ? 6 : 4);

/** @param done Called when it is bound, and set up, or with the error: once. */
function bind(
  socket: Socket,
  route: UdpRoute,
  options: UdpOptions,
  done: (error: Error | undefined) => void,
): void {
  let outcome: [error: Error | undefined] | undefined;
  let isCalling = true;
  const settle = (error?: Error) => {
    // Later errors are each of one datagram, from anybody: they mean nothing for the next.
    if (outcome !== undefined) return;
    outcome = [error];
    if (!isCalling) done(error);
  };
  socket.on("error", settle);
  socket.once("listening", () => settle(failureOf(() => configure(socket, route, options))));
  const isBound = route.use === "bind";
  const any = isIPv6(route.ip) ? "::" : "0.0.0.0";
  const address = isBound && !route.isGroup ? route.ip : any;
  const port = isBound ? route.port : 0;
  const failure = failureOf(() => socket.bind({ address, port, exclusive: true }));
  if (failure !== undefined) settle(failure);
  // Only now: what `done` throws is not the system's.
  isCalling = false;
  if (outcome !== undefined) done(outcome[0]);
}

function failureOf(call: () => void): Error | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** @throws The system's error: there is no such interface, or it cannot be used so. */
function configure(socket: Socket, { ip, isGroup, use, via }: UdpRoute, options: UdpOptions): void {
  const { multicast } = options;
  if (multicast !== undefined) {
    socket.setMulticastTTL(multicast.hops);
    socket.setMulticastLoopback(multicast.loop);
    if (via !== undefined) socket.setMulticastInterface(via);
  }
  if (isGroup && use === "bind") socket.addMembership(ip, via);
}
