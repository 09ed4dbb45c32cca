import {
  announce,
  Connection,
  type ConnectionHandler,
  type ConnectionOptions,
  DEFAULT_LIMITS,
  NullMechanism,
  type Peer,
  type ProtocolError,
  type Role,
  SLAB_SIZE,
  type Slabs,
} from "../../src/zmtp/index.js";
import { VirtualClock } from "./clock.js";
import { concat } from "./wire.js";

/** Slabs that know how many of them are out, and how many octets they were asked for. */
export class CountingSlabs implements Slabs {
  out = 0;
  readonly wanted: number[] = [];

  take(size: number): Uint8Array {
    this.out++;
    this.wanted.push(size);
    return new Uint8Array(SLAB_SIZE).fill(0xee);
  }

  give(): void {
    this.out--;
  }
}

export function connectionOptions(
  role: Role,
  options: Partial<ConnectionOptions> = {},
): ConnectionOptions {
  const socketType = options.socketType ?? "PAIR";
  const limits = options.limits ?? DEFAULT_LIMITS;
  return {
    role,
    socketType,
    mechanism: new NullMechanism(role, announce(socketType, undefined), limits),
    slabs: new CountingSlabs(),
    handshakeTimeoutMs: 30_000,
    heartbeat: { intervalMs: 0, timeoutMs: 0, ttlMs: 0 },
    ...options,
  };
}

/** One connection, all that it told its owner, and the octets on their way to it. */
export class Side implements ConnectionHandler {
  readonly connection: Connection;
  readonly messages: Uint8Array[][] = [];
  readonly subscriptions: string[] = [];
  peer: Peer | undefined;
  error: ProtocolError | undefined;
  /** How many more messages there is room for. */
  room = Number.POSITIVE_INFINITY;
  /** What the peer said to be judged by. */
  credentials: readonly Uint8Array[] | undefined;
  /** Whether the peer is good; false: decided later. */
  judges = true;
  /** What the peer's handshake is answered with. */
  letsIn = true;
  hasRoom = (): boolean => true;
  /** Octets that have come and that have not been taken. */
  input: Uint8Array = new Uint8Array(0);
  /** Whether what is written reaches the peer. */
  severed = false;
  readonly #clock: VirtualClock;
  #stopped = false;

  constructor(options: ConnectionOptions, clock: VirtualClock) {
    this.#clock = clock;
    this.connection = new Connection(options, this, clock.now);
  }

  authenticate(credentials: readonly Uint8Array[]): boolean {
    this.credentials = credentials;
    return this.judges;
  }

  handshake(peer: Peer): boolean {
    this.peer = peer;
    return this.letsIn;
  }

  message(parts: Uint8Array[]): boolean {
    this.messages.push(parts);
    return --this.room > 0;
  }

  subscription(topic: Uint8Array, subscribe: boolean): boolean {
    this.subscriptions.push(`${subscribe ? "+" : "-"}${String.fromCharCode(...topic)}`);
    return true;
  }

  /** What has been encoded, as the wire would get it. */
  output(): Uint8Array {
    const batch = this.connection.take();
    const octets = concat(...batch.chunks);
    if (octets.length !== batch.size) throw new Error("the batch lies about its size");
    this.connection.release(batch);
    return octets;
  }

  /** Adds `octets` to the input, and takes as much of it as the connection wants. */
  feed(octets: Uint8Array = new Uint8Array(0)): void {
    this.input = concat(this.input, octets);
    if (this.error === undefined && !this.#stopped) this.#receive();
  }

  /** There is room for `count` more messages. */
  read(count = Number.POSITIVE_INFINITY): void {
    this.room = count;
    this.#stopped = false;
    if (this.input.length > 0) this.#receive();
    if (!this.#stopped) this.connection.resume(this.#clock.now);
  }

  tick(): void {
    try {
      this.connection.tick(this.#clock.now);
    } catch (error) {
      this.error = error as ProtocolError;
    }
  }

  #receive(): void {
    const { connection, input } = this;
    try {
      this.input = input.slice(connection.receive(input, 0, input.length, this.#clock.now));
    } catch (error) {
      this.error = error as ProtocolError;
    }
    this.#stopped = connection.full || this.input.length > 0;
    if (this.#stopped) connection.pause(this.#clock.now);
  }
}

/** Two connections joined by a wire without delay, on a clock that jumps to the next deadline. */
export class ConnectionPair {
  readonly clock = new VirtualClock();
  readonly client: Side;
  readonly server: Side;

  constructor(client: Partial<ConnectionOptions> = {}, server: Partial<ConnectionOptions> = {}) {
    this.client = new Side(connectionOptions("client", client), this.clock);
    this.server = new Side(connectionOptions("server", server), this.clock);
  }

  /** Carries octets both ways until there are none. */
  drive(): this {
    for (let turns = 0; this.#step(); turns++) {
      if (turns > 1000) throw new Error("the connections do not come to rest");
    }
    return this;
  }

  /** Lets time pass, and everything happen that is due meanwhile. */
  advance(ms: number): this {
    const end = this.clock.now + ms;
    for (let turns = 0; ; turns++) {
      if (turns > 100_000) throw new Error("deadlines do not come to an end");
      const { client, server } = this;
      const next = Math.min(client.connection.deadline, server.connection.deadline);
      if (next > end) break;
      this.clock.to(Math.max(next, this.clock.now));
      client.tick();
      server.tick();
      this.drive();
    }
    this.clock.to(end);
    return this;
  }

  #step(): boolean {
    const one = this.#carry(this.client, this.server);
    const other = this.#carry(this.server, this.client);
    return one || other;
  }

  #carry(from: Side, to: Side): boolean {
    if (!from.connection.hasOutput) return false;
    const octets = from.output();
    if (!from.severed) to.feed(octets);
    return true;
  }
}
