import { FLOWS, type Flow, optionsOf, prepare } from "../support/matrix-flows.js";
import type { PartyOptions, SocketParty } from "../support/matrix-party.js";
import { Stage } from "../support/matrix-stage.js";
import { MECHANISMS, type MechanismOptions } from "../support/mechanisms.js";
import type { PeerOptions } from "../support/peer-process.js";
import { type Policies, Relay } from "../support/relay.js";
import type { Transport } from "../support/sockets.js";

type Whose = "ours" | "libzmq's";

/** Whose socket binds, and whose connects, through a relay. */
export interface Sides {
  binder: Whose;
  connector: Whose;
}

export const OURS: Sides = { binder: "ours", connector: "ours" };

export const MIXED: readonly Sides[] = [
  { binder: "ours", connector: "libzmq's" },
  { binder: "libzmq's", connector: "ours" },
];

/**
 * What a fault may hit: under NULL the patterns that differ in what becomes of a message; under the
 * others those that show what the mechanism changes. PLAIN's is another handshake, CURVE's all that is
 * said, subscriptions and heartbeats included.
 */
const PATTERNS: Record<MechanismOptions["name"], readonly string[]> = {
  NULL: ["PUSH PULL", "PUB SUB", "REQ REP", "DEALER ROUTER", "PAIR PAIR"],
  PLAIN: ["PUSH PULL"],
  CURVE: ["PUSH PULL", "PUB SUB"],
};

/** A pattern, and which of its two types binds. */
export interface Case {
  name: string;
  mechanism: MechanismOptions;
  flow: Flow;
  /** The place in the flow of the one that binds. */
  bound: 0 | 1;
}

/** Each pattern, bound at either end, over every mechanism. */
export const CASES: readonly Case[] = MECHANISMS.flatMap((mechanism) =>
  FLOWS.filter(({ types }) => PATTERNS[mechanism.name].includes(types.join(" "))).flatMap(
    (flow) => {
      const places = flow.types[0] === flow.types[1] ? ([0] as const) : ([0, 1] as const);
      return places.map((bound): Case => {
        const [binder, connector] = [flow.types[bound], flow.types[1 - bound]];
        const name = `${connector} connects to ${binder}, ${mechanism.name}`;
        return { name, mechanism, flow, bound };
      });
    },
  ),
);

/** Those of them that differ once the handshake is done: not PLAIN's. */
export const TRAFFIC_CASES: readonly Case[] = CASES.filter(
  ({ mechanism }) => mechanism.name !== "PLAIN",
);

/** Two sockets on one wire that has faults. */
export interface Meeting {
  binder: SocketParty;
  connector: SocketParty;
  /** The two in the order of the flow's types: the first of them sends, if only one does. */
  parties: readonly [SocketParty, SocketParty];
  relay: Relay;
}

/** Where faults happen: sockets of ours and of one libzmq, and relays between them. */
export class Scene {
  readonly stage = new Stage();
  #relays: Relay[] = [];

  start(): Promise<void> {
    return this.stage.start();
  }

  /** A relay to an endpoint, closed with the sockets. */
  async relay(target: string, ...policies: Policies[]): Promise<Relay> {
    const relay = await Relay.to(target, ...policies);
    this.#relays.push(relay);
    return relay;
  }

  /** A socket of a case, ready to be bound or connected. */
  async party(
    { flow, mechanism, bound }: Case,
    whose: Whose,
    place: 0 | 1,
    options: PartyOptions & PeerOptions = {},
  ): Promise<SocketParty> {
    const type = flow.types[place];
    const all = {
      reconnectInterval: 1,
      ...mechanism[place === bound ? "server" : "client"],
      ...optionsOf(flow, place),
      ...options,
    };
    const judge = place === bound ? mechanism.judge : {};
    const party =
      whose === "ours"
        ? this.stage.ours(type, { ...all, ...judge })
        : await this.stage.theirs(type, all);
    await prepare(type, party);
    return party;
  }

  /** One binds, and the other connects through a relay with these policies. */
  async meet(
    one: Case,
    { binder: binds, connector: connects }: Sides,
    transport: Transport,
    ...policies: Policies[]
  ): Promise<Meeting> {
    const binder = await this.party(one, binds, one.bound);
    const connector = await this.party(one, connects, one.bound === 0 ? 1 : 0);
    const relay = await this.relay(await binder.bind(this.stage.endpoint(transport)), ...policies);
    await connector.connect(relay.endpoint);
    const parties =
      one.bound === 0 ? ([binder, connector] as const) : ([connector, binder] as const);
    return { binder, connector, parties, relay };
  }

  async close(): Promise<void> {
    // First those who would try again: the relay's port may be another test's the moment it is free.
    await this.stage.close();
    for (const relay of this.#relays) relay.close();
    this.#relays = [];
  }

  async end(): Promise<void> {
    await this.stage.end();
  }
}
