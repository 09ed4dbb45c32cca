import { Buffer } from "node:buffer";
import type { ErrnoError } from "../errors.js";
import type { Parts } from "../message.js";
import { cString } from "../option-values.js";
import { type Place, placeOf, placeText } from "../place.js";
import type { UdpAddress, Use } from "../transport/address.js";
import { lookupName } from "../transport/tcp.js";
import { type UdpOptions, UdpSocket } from "../transport/udp.js";
import { routeOf, type UdpRoute } from "../transport/udp-route.js";
import { decodeDatagram, encodeDatagram, type Memory } from "../zmtp/index.js";
import type { Candidate } from "./candidates.js";
import type { Carrier, Core, Endpoint } from "./core.js";
import { whereIs } from "./link.js";
import { Loop } from "./loop.js";
import type { Pipe, PipeSink } from "./pipe.js";
import { turn } from "./turn.js";

/** Datagrams that Node.js holds for us at the most, until the system has taken them. */
const WRITES_MAX = 1024;

/**
 * A bound or connected udp endpoint: one pipe, and at its other end whoever is there. Nobody comes or
 * goes, so nothing is told of but what is lost here: a datagram that is none of ours, or finds no room,
 * or cannot be sent.
 */
export class UdpEndpoint implements Endpoint, Carrier, Candidate, PipeSink {
  readonly startedAt: number = performance.now();
  readonly routingId = undefined;
  readonly #core: Core;
  readonly #address: UdpAddress;
  readonly #use: Use;
  readonly #memory: Memory;
  #endpoint: string;
  /** There is to be a socket: a name is being looked up, or the system asked. */
  #opening = false;
  #socket: UdpSocket | undefined;
  /** Where messages go that do not say it themselves. */
  #to: Place | undefined;
  #pipe: Pipe | undefined;
  #socketPipe: Pipe | undefined;
  #writing = 0;
  /** The turn that was used up by what was written: the rest waits for another. */
  #spentTurn = -1;
  /** The last datagram was lost here, and that is known. */
  #dropping = false;
  #finishing = false;
  #ended = false;
  readonly #loop = new Loop(() => this.#moveMessages());

  constructor(core: Core, address: UdpAddress, endpoint: string, use: Use) {
    this.#core = core;
    this.#address = address;
    this.#endpoint = endpoint;
    this.#use = use;
    this.#memory = core.wiring.memory();
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  get sessions(): Iterable<Carrier> {
    return [this];
  }

  get peerAddress(): string | undefined {
    return this.#to && udpEndpoint(this.#to);
  }

  /** Whether there is a socket: that somebody is there nobody can say. */
  get established(): boolean {
    return this.#socket !== undefined;
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  get pipe(): Pipe | undefined {
    return this.#pipe;
  }

  get socketPipe(): Pipe | undefined {
    return this.#socketPipe;
  }

  get hasOutput(): boolean {
    return this.#writing > 0 || (this.#pipe?.length ?? 0) > 0;
  }

  /**
   * Opens the system's socket.
   * @param ip What the endpoint's host stands for.
   * @param opened Called with what is wrong, if anything is: before this returns, where the runtime can.
   */
  open(ip: string, opened?: (error: ErrnoError | undefined) => void): void {
    const settle = (error?: ErrnoError): void => {
      this.#opening = false;
      if (error !== undefined) this.#lose();
      opened?.(error);
    };
    this.#opening = true;
    let route: UdpRoute;
    try {
      const ipv6 = this.#core.options.boolean("ipv6");
      route = routeOf(this.#address, ip, this.#use, ipv6, this.#endpoint);
    } catch (error) {
      settle(error as ErrnoError);
      return;
    }
    const received = (octets: Buffer, from: Place): void => this.#received(octets, from);
    const listener = this.#use === "bind" ? received : undefined;
    UdpSocket.open(route, this.#socketOptions(), listener, (error, socket) => {
      if (socket !== undefined) this.#opened(socket, route);
      settle(error);
    });
  }

  /** Takes its place at the socket; until it has one, what comes is dropped. */
  start(): void {
    if (this.#core.pattern.vacant) this.enter();
    else this.#core.candidates.add(this);
  }

  enter(): void {
    this.#core.attach(this);
    if (this.#socket === undefined) this.#seek();
  }

  attachPipe(pipe: Pipe, socketPipe: Pipe): void {
    this.#pipe = pipe;
    this.#socketPipe = socketPipe;
    socketPipe.blind = true;
    pipe.attach(this);
  }

  /** Ends it once what was sent is with the system. What has come and was not received stays. */
  close(): void {
    this.#core.candidates.delete(this);
    this.#core.finish(this);
  }

  finish(): void {
    if (this.#finishing) return;
    this.#finishing = true;
    this.#pipe?.end();
    this.#endIfSent();
  }

  abandon(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket?.close();
    this.#socket = undefined;
    this.#writing = 0;
    this.#pipe?.close();
    this.#core.settle();
  }

  readActivated(): void {
    if (this.#socket === undefined) this.#seek();
    else this.#loop.run();
  }

  /** Nothing waits for room: what comes without is dropped. */
  writeActivated(): void {}

  pipeEnded(): void {
    this.finish();
  }

  /**
   * Looks the name up that messages go to. If it is not known, those that wait are lost, and the next
   * one is reason to ask again.
   */
  #seek(): void {
    if (this.#opening) return;
    this.#opening = true;
    lookupName(this.#address.host, this.#core.options.boolean("ipv6"), (_, [ip]) => {
      this.#opening = false;
      if (this.#ended) return;
      if (ip === undefined) this.#lose();
      else this.open(ip);
    });
  }

  #opened(socket: UdpSocket, { ip, port, isGroup }: UdpRoute): void {
    if (this.#ended) {
      socket.close();
      return;
    }
    this.#socket = socket;
    if (this.#use === "connect") this.#to = { ip, port };
    else if (!isGroup) this.#endpoint = udpEndpoint(socket.place);
    else this.#endpoint = udpEndpoint({ ip, port: socket.place.port }, this.#address.via);
    this.#loop.run();
  }

  #socketOptions(): UdpOptions {
    const { options } = this.#core;
    const hops = options.value("multicastHops") as number | undefined;
    return {
      // What only receives has no such options.
      multicast: hops === undefined ? undefined : { hops, loop: options.boolean("multicastLoop") },
      receiveBufferSize: options.number("receiveBufferSize"),
      sendBufferSize: options.number("sendBufferSize"),
    };
  }

  #received(octets: Buffer, from: Place): void {
    if (this.#finishing) return;
    const pipe = this.#pipe;
    const parts = pipe?.checkWrite() ? this.#read(octets, from) : undefined;
    if (pipe === undefined || parts === undefined) {
      this.#dropped(from);
      return;
    }
    this.#dropping = false;
    pipe.write(parts);
    pipe.flush();
  }

  /** Moves messages from the pipe to the system, as many as it takes at once and the turn allows. */
  #moveMessages(): void {
    while (this.#socket !== undefined && this.#writing < WRITES_MAX) {
      if (this.#spentTurn === turn.number) {
        // What comes in the next turn need not wait for those who waited.
        this.#pipe?.listen();
        return;
      }
      // First: to read may lead to anything, and what is read is on its way.
      this.#writing++;
      const parts = this.#pipe?.read();
      if (this.#socket === undefined) return;
      if (parts === undefined) {
        this.#writing--;
        this.#endIfSent();
        return;
      }
      this.#write(this.#socket, parts);
      if (turn.spend()) this.#rest();
    }
  }

  /** Timers and I/O come first. */
  #rest(): void {
    this.#spentTurn = turn.number;
    turn.defer(() => this.#loop.run());
  }

  #write(socket: UdpSocket, parts: Parts): void {
    const [first, body] = parts as [Buffer, Buffer];
    const to = this.#isRaw ? placeOf(cString(first)) : this.#to;
    const octets = this.#isRaw ? [body] : encodeDatagram(first, body);
    // It was looked at when it was sent.
    socket.send(octets, to as Place, (error) => this.#sent(to as Place, error));
  }

  /** The message in a datagram; undefined when there is none for us. */
  #read(octets: Buffer, from: Place): Parts | undefined {
    const parts = this.#isRaw
      ? [copy(this.#memory, Buffer.from(`${placeText(from)}\0`)), copy(this.#memory, octets)]
      : decodeDatagram(octets, this.#memory);
    const max = this.#core.options.number("maxMessageSize");
    if (parts === undefined || (max >= 0 && (parts[1] as Buffer).length > max)) return undefined;
    return parts as Parts;
  }

  /** Whether messages are datagrams as they are, behind where they go or come from. */
  get #isRaw(): boolean {
    return this.#core.kind.name === "DGRAM";
  }

  /** The system has taken a datagram, or will not. */
  #sent(to: Place, error: Error | null): void {
    if (this.#ended) return;
    if (error === null) this.#dropping = false;
    else this.#dropped(to);
    this.#writing--;
    this.#loop.run();
  }

  /** What waits to be sent cannot be. */
  #lose(): void {
    const pipe = this.#pipe;
    for (let parts = pipe?.read(); parts !== undefined; parts = pipe?.read()) this.#dropped();
    this.#endIfSent();
  }

  /** @param place Where it came from, or should have gone. */
  #dropped(place?: Place): void {
    this.#core.dropped();
    if (this.#dropping) return;
    this.#dropping = true;
    const where = place && { peerAddress: udpEndpoint(place) };
    this.#core.emit({ type: "drop", ...whereIs(this), ...where });
  }

  #endIfSent(): void {
    if (this.#finishing && !this.hasOutput) this.abandon();
  }
}

function udpEndpoint(place: Place, via?: string): string {
  return `udp://${via === undefined ? "" : `${via};`}${placeText(place)}`;
}

function copy(memory: Memory, octets: Buffer): Buffer {
  return memory.copy(octets, 0, octets.length) as Buffer;
}
