import { Buffer } from "node:buffer";
import type { OptionStore } from "../options.js";
import { exclusiveMemory, SegmentMemory } from "../transport/memory.js";
import { RawConnection } from "../transport/raw.js";
import { slabs } from "../transport/slabs.js";
import type { Wire } from "../transport/wire.js";
import {
  announce,
  Budget,
  Connection,
  type ConnectionHandler,
  type ConnectionOptions,
  DEFAULT_LIMITS,
  isCompatible,
  Press,
  type Role,
  type SocketTypeName,
} from "../zmtp/index.js";
import { isRaw, type SocketKind } from "./kind.js";
import type { Policy } from "./policy.js";

/** What unfinished messages of all peers of a socket may hold together. */
const ASSEMBLY_LIMIT = 2 ** 31;

/** Routers make up a name for a peer that says this. */
export const NO_ROUTING_ID: Buffer = Buffer.alloc(0);

/** What this thread publishes is encoded here, once for all peers. */
export const press: Press = new Press();

/** Makes the connections of a socket, as its type and its options say. */
export class Wiring {
  readonly #kind: SocketKind;
  readonly #options: OptionStore;
  readonly #reserve: Budget;
  readonly #held = new Budget(ASSEMBLY_LIMIT);

  /** @param reserve What may be reserved for large messages: shared by a context. */
  constructor(kind: SocketKind, options: OptionStore, reserve: Budget) {
    this.#kind = kind;
    this.#options = options;
    this.#reserve = reserve;
  }

  /** Octets held for unfinished messages of all peers. */
  get assemblyBytes(): number {
    return this.#held.used;
  }

  /** What routers call us; undefined where our type has no say in it. */
  get routingId(): Buffer | undefined {
    if (this.#kind.named === undefined) return undefined;
    return this.#options.octets("routingId") ?? NO_ROUTING_ID;
  }

  /** Whether sockets of both types may talk to each other. */
  suits(other: { name: string }): boolean {
    const { name } = this.#kind;
    return !isRaw(name) && isCompatible(name, other.name);
  }

  /**
   * A connection, without the octets' way to it and from it.
   * @param role `server` on the side that binds.
   */
  open(role: Role, policy: Policy, handler: ConnectionHandler, now: number): Wire {
    const { name } = this.#kind;
    if (isRaw(name)) return new RawConnection(handler, this.memory());
    return new Connection(this.#connectionOptions(name, role, policy), handler, now);
  }

  /** For the parts that one peer sends, or those who share an endpoint. */
  memory(): SegmentMemory | typeof exclusiveMemory {
    return this.#options.boolean("exclusiveBuffers") ? exclusiveMemory : new SegmentMemory();
  }

  #connectionOptions(socketType: SocketTypeName, role: Role, policy: Policy): ConnectionOptions {
    const options = this.#options;
    const { publishes, accepts } = this.#kind;
    const limits = { ...DEFAULT_LIMITS, maxMessageSize: options.number("maxMessageSize") };
    const interval = options.number("heartbeatInterval");
    const timeout = options.number("heartbeatTimeout");
    const properties = announce(socketType, this.routingId);
    return {
      role: policy.part(role),
      socketType,
      mechanism: policy.open({ role, properties, limits }),
      slabs,
      ...(publishes && { press }),
      memory: this.memory(),
      limits,
      held: this.#held,
      reserve: this.#reserve,
      ...(accepts && { accepts }),
      handshakeTimeoutMs: options.number("handshakeInterval"),
      heartbeat: {
        intervalMs: interval,
        timeoutMs: timeout < 0 ? interval : timeout,
        ttlMs: options.number("heartbeatTimeToLive"),
      },
    };
  }
}
