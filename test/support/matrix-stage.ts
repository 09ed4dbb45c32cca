import { LibzmqPeer } from "./libzmq-peer.js";
import { optionsOf, type Pairing, prepare } from "./matrix-flows.js";
import {
  classOf,
  OurParty,
  type PartyOptions,
  type SocketParty,
  type TypeName,
} from "./matrix-party.js";
import type { PeerOptions, PeerSocket } from "./peer-process.js";
import { Sockets, type Transport } from "./sockets.js";

/** The sockets of a test file, ours and those of one libzmq: opened here, closed together. */
export class Stage {
  readonly #sockets = new Sockets();
  #libzmq: LibzmqPeer | undefined;
  #theirs: PeerSocket[] = [];

  async start(): Promise<void> {
    this.#libzmq = await LibzmqPeer.start();
  }

  ours(type: TypeName, options?: PartyOptions): OurParty {
    const party = new OurParty(type, { reconnectInterval: 10, ...options });
    this.#sockets.open(party.socket);
    return party;
  }

  /** @param libzmq Another process than the one that all tests share. */
  async theirs(
    type: TypeName,
    options?: PeerOptions,
    libzmq: LibzmqPeer = this.#libzmq as LibzmqPeer,
  ): Promise<PeerSocket> {
    const all = { linger: 0, reconnectInterval: 10, ...options };
    const socket = await libzmq.open(classOf(type), all);
    this.#theirs.push(socket);
    return socket;
  }

  /** Ours of a pair of types, ready to be bound or connected. */
  async oursOf({ flow, ours, place }: Pairing, options?: PartyOptions): Promise<OurParty> {
    const party = this.ours(ours, { ...optionsOf(flow, place), ...options });
    await prepare(ours, party);
    return party;
  }

  /** Libzmq's of a pair of types. */
  async theirsOf(
    { flow, theirs, place }: Pairing,
    options?: PeerOptions,
    libzmq?: LibzmqPeer,
  ): Promise<PeerSocket> {
    const all = { ...optionsOf(flow, place === 0 ? 1 : 0), ...options };
    const party = await this.theirs(theirs, all, libzmq);
    await prepare(theirs, party);
    return party;
  }

  /** Where to bind. */
  endpoint(transport: Transport): string {
    return this.#sockets.endpoint(transport);
  }

  async join(transport: Transport, bound: SocketParty, connecting: SocketParty): Promise<void> {
    await connecting.connect(await bound.bind(this.endpoint(transport)));
  }

  async close(): Promise<void> {
    const theirs = this.#theirs;
    this.#theirs = [];
    // One may be of a process that is gone.
    for (const socket of theirs) await socket.close().catch(() => {});
    await this.#sockets.close();
  }

  async end(): Promise<void> {
    await this.#sockets.end();
    await this.#libzmq?.kill();
  }
}
