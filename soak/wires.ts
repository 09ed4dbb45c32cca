import type { Random } from "../fuzz/random.js";
import { type Connection, type Policy, Relay } from "../test/support/relay.js";
import type { Endpoint, Route } from "./protocol.js";

/** A wire to each endpoint that is cut at random, and does other things to octets. */
export class Wires {
  readonly routes: Route[] = [];
  readonly #random: Random;
  readonly #relays: { row: string; relay: Relay; seen: number }[] = [];
  #calm = true;

  constructor(random: Random) {
    this.#random = random;
  }

  async open(endpoints: readonly Endpoint[]): Promise<void> {
    for (const { row, address } of endpoints) {
      const relay = await Relay.to(address);
      this.#relays.push({ row, relay, seen: 0 });
      this.routes.push({ row, address: relay.endpoint, relayed: true });
    }
  }

  /** Does something to wires that are new, and to some that are not. */
  blow(): void {
    this.#calm = false;
    for (const entry of this.#relays) {
      const { connections } = entry.relay;
      for (; entry.seen < connections.length; entry.seen++) {
        const connection = connections[entry.seen] as Connection;
        connection.out.policy = this.#policy();
        connection.back.policy = this.#policy();
      }
    }
    const { relay } = this.#random.pick(this.#relays);
    const live = relay.connections.filter(({ isCut }) => !isCut);
    if (live.length > 0) this.#random.pick(live).cut(this.#random.once(2) ? "fin" : "rst");
  }

  /** From now on octets pass. */
  calm(): void {
    this.#calm = true;
    for (const { relay } of this.#relays) for (const it of relay.connections) it.policy = {};
  }

  /** Connections of a row that were cut so far, by us or as one end was reset. */
  cuts(row: string): number {
    const relays = this.#relays.filter((it) => it.row === row);
    return relays.flatMap(({ relay }) => relay.connections).filter(({ isCut }) => isCut).length;
  }

  close(): void {
    for (const { relay } of this.#relays) relay.close();
  }

  #policy(): Policy {
    const random = this.#random;
    if (this.#calm) return {};
    switch (random.below(8)) {
      case 0:
        return { split: 1 + random.below(2000) };
      case 1:
        return { gatherTurns: 1 + random.below(5) };
      case 2:
        return { cut: { after: random.below(50_000), by: random.once(2) ? "fin" : "rst" } };
      case 3:
        return { cut: { after: random.below(200), by: random.once(2) ? "fin" : "rst" } };
      default:
        return {};
    }
  }
}
