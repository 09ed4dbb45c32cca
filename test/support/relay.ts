import { connect, createServer, type Server, type Socket } from "node:net";
import { turns, until } from "./sockets.js";

/** Where octets go through a relay: from the one who dialled it, or to it. */
export type Direction = "out" | "back";

/** What becomes of the octets of one direction of a connection; nothing said: they pass. */
export interface Policy {
  /** They leave in pieces of so many, a turn of the event loop apart. */
  split?: number;
  /** What comes within so many turns of the event loop leaves in one piece. */
  gatherTurns?: number;
  /** They leave so long after they came, by the relay's own clock: see {@link Relay.advance}. */
  delayMs?: number;
  /** Once so many have left the whole connection is cut, both ways and towards both ends. */
  cut?: { after: number; by: Cut };
  /**
   * A black hole. `swallow`: takes whatever comes, the end included, and forwards nothing. `stall`:
   * takes nothing, so that the sender's system has to keep it.
   */
  hole?: "swallow" | "stall";
  /** The hole is there once so many have left. Default 0. */
  holeAfter?: number;
}

/** By an orderly end, or by a reset; over ipc there is none, but an end with octets left unread. */
export type Cut = "fin" | "rst";

export type Policies = Partial<Record<Direction, Policy>>;

const ALL = Number.POSITIVE_INFINITY;

/** Octets that wait in a lane before it takes no more. */
const LANE_MAX = 64 * 1024;

/**
 * A wire with faults between two peers: one dials its endpoint instead of the other's. What happens
 * is said for each connection and direction, before it comes or at any time later.
 */
export class Relay {
  /** Where it leads to; may be changed, for connections to come. */
  target: string;
  readonly endpoint: string;
  /** Those that were made so far, in their order. */
  readonly connections: Connection[] = [];
  readonly #server: Server;
  readonly #policies: readonly Policies[];
  #now = 0;

  /**
   * @param target An endpoint, `tcp://127.0.0.1:port` or `ipc://path`. The relay's is of the same kind.
   * @param policies Of the first connection, the second and so on; those that come later pass freely.
   */
  static async to(target: string, ...policies: Policies[]): Promise<Relay> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const path = pathOf(target);
    await new Promise<void>((resolve) => {
      if (path === undefined) server.listen(0, "127.0.0.1", resolve);
      else server.listen(`${path}.relay`, resolve);
    });
    return new Relay(target, server, policies);
  }

  private constructor(target: string, server: Server, policies: readonly Policies[]) {
    this.target = target;
    this.#server = server;
    this.#policies = policies;
    const address = server.address() as { port: number } | string;
    this.endpoint =
      typeof address === "string" ? `ipc://${address}` : `tcp://127.0.0.1:${address.port}`;
    server.on("connection", (near) => {
      const policies = this.#policies[this.connections.length] ?? {};
      this.connections.push(new Connection(near, dial(this.target), policies, () => this.#now));
    });
  }

  /** Connection `nth`, from 0 on, once it is made. */
  async connection(nth: number): Promise<Connection> {
    await until(() => this.connections.length > nth);
    return this.connections[nth] as Connection;
  }

  /** Lets time pass, and octets that were delayed for so long. */
  advance(ms: number): void {
    this.#now += ms;
    for (const connection of this.connections) connection.look();
  }

  /** Cuts what there is, and takes no connections any more. */
  close(): void {
    for (const connection of this.connections) connection.cut("rst");
    this.#server.close();
  }
}

/** One connection through a relay, in two lanes. */
export class Connection {
  readonly out: Lane;
  readonly back: Lane;
  readonly #ends: readonly Socket[];
  #isCut = false;

  constructor(near: Socket, far: Socket, { out = {}, back = {} }: Policies, now: () => number) {
    this.#ends = [near, far];
    this.out = new Lane(near, far, out, this, now);
    this.back = new Lane(far, near, back, this, now);
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** From now on, both ways. */
  set policy(policy: Policy) {
    this.out.policy = policy;
    this.back.policy = policy;
  }

  /** Lets the lanes see what they can do now. */
  look(): void {
    this.out.look();
    this.back.look();
  }

  cut(by: Cut): void {
    this.#isCut = true;
    for (const end of this.#ends) {
      if (by === "fin") end.end().resume();
      // One that is being shut down cannot be reset any more: Node would never let go of it.
      else if (end.remoteFamily === undefined || end.writableEnded) end.destroy();
      else end.resetAndDestroy();
    }
  }
}

interface Waiting {
  octets: Buffer;
  /** When they may leave. */
  due: number;
}

/** The octets of one direction. */
class Lane {
  /** Octets that came out at the other end so far. */
  passed = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #connection: Connection;
  readonly #now: () => number;
  #policy: Policy;
  #waiting: Waiting[] = [];
  #size = 0;
  #ended = false;
  #working = false;

  constructor(from: Socket, to: Socket, policy: Policy, whole: Connection, now: () => number) {
    this.#from = from;
    this.#to = to;
    this.#policy = policy;
    this.#connection = whole;
    this.#now = now;
    from.setNoDelay(true);
    from.on("error", () => {});
    from.on("data", (octets) => {
      this.#size += octets.length;
      this.#waiting.push({ octets, due: now() + (this.#policy.delayMs ?? 0) });
      this.look();
    });
    from.on("end", () => {
      this.#ended = true;
      this.look();
    });
    from.on("close", (failed) => {
      if (failed && this.#hole === undefined) whole.cut("rst");
    });
    this.look();
  }

  set policy(policy: Policy) {
    this.#policy = policy;
    this.look();
  }

  /** What kind of a hole there is now. */
  get #hole(): Policy["hole"] {
    const { hole, holeAfter = 0 } = this.#policy;
    return this.passed < holeAfter ? undefined : hole;
  }

  look(): void {
    if (this.#connection.isCut) return;
    const hole = this.#hole;
    if (hole === "stall" || (hole === undefined && this.#size > LANE_MAX)) this.#from.pause();
    else this.#from.resume();
    if (hole === "swallow") this.#drop();
    else if (hole === undefined && !this.#working) void this.#work();
  }

  #drop(): void {
    this.#waiting = [];
    this.#size = 0;
  }

  async #work(): Promise<void> {
    this.#working = true;
    const { gatherTurns = 0 } = this.#policy;
    if (gatherTurns > 0 && this.#size > 0) await turns(gatherTurns);
    while (this.#hole === undefined && !this.#connection.isCut) {
      const { split = ALL, cut, hole, holeAfter = 0 } = this.#policy;
      const end = Math.min(cut?.after ?? ALL, hole === undefined ? ALL : holeAfter);
      const piece = this.#take(Math.min(split, end - this.passed));
      if (piece.length > 0) await this.#forward(piece);
      if (cut !== undefined && this.passed >= cut.after) {
        // What was forwarded is to be read before a reset can overtake it.
        await turns(2);
        this.#connection.cut(cut.by);
      }
      if (piece.length === 0) break;
      // Of two turns the first may end before anybody has read.
      if (split < ALL) await turns(2);
    }
    this.#working = false;
    if (this.#connection.isCut) return;
    if (this.#hole !== undefined) return this.look();
    if (this.#ended && this.#size === 0) this.#to.end();
    if (this.#size <= LANE_MAX) this.#from.resume();
  }

  /** Up to `max` octets that may leave now, in one piece. */
  #take(max: number): Buffer {
    const pieces: Buffer[] = [];
    for (let room = max; room > 0; ) {
      const first = this.#waiting[0];
      if (first === undefined || first.due > this.#now()) break;
      const piece = first.octets.subarray(0, room);
      pieces.push(piece);
      room -= piece.length;
      this.#size -= piece.length;
      first.octets = first.octets.subarray(piece.length);
      if (first.octets.length === 0) this.#waiting.shift();
    }
    return Buffer.concat(pieces);
  }

  async #forward(piece: Buffer): Promise<void> {
    this.passed += piece.length;
    if (this.#to.write(piece)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#to.off("drain", done).off("close", done);
        resolve();
      };
      this.#to.on("drain", done).on("close", done);
    });
  }
}

function dial(endpoint: string): Socket {
  const path = pathOf(endpoint);
  return path === undefined
    ? connect({ port: Number(new URL(endpoint).port), host: "127.0.0.1", allowHalfOpen: true })
    : connect({ path, allowHalfOpen: true });
}

function pathOf(endpoint: string): string | undefined {
  return endpoint.startsWith("ipc://") ? endpoint.slice("ipc://".length) : undefined;
}
