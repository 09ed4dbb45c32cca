import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pair } from "../../src/socket/pair.js";
import type { Socket } from "../../src/socket/socket.js";
import type { Stats } from "../../src/socket/stats.js";

export type Transport = "inproc" | "ipc" | "tcp";

export const TRANSPORTS: Transport[] = ["inproc", "ipc", "tcp"];

type PairOptions = ConstructorParameters<typeof Pair>[0];

/** The sockets of a test file: made here, closed together. */
export class Sockets {
  #open: Socket[] = [];
  #folder: string | undefined;
  #names = 0;

  /** Takes a socket of any type in, to be closed with the others: without lingering. */
  open<S extends Socket>(socket: S): S {
    this.#open.push(socket);
    return socket;
  }

  /** A socket that does not linger unless it is told to. */
  pair(options: PairOptions = {}): Pair {
    return this.open(new Pair({ linger: 0, ...options }));
  }

  /** Where to bind. */
  endpoint(transport: Transport): string {
    if (transport === "tcp") return "tcp://127.0.0.1:*";
    if (transport === "inproc") return `inproc://name-${this.#names++}`;
    this.#folder ??= mkdtempSync(join(tmpdir(), "purezmq-"));
    return `ipc://${join(this.#folder, `s${this.#names++}`)}`;
  }

  /** Two sockets, the first of them bound, the second connected to it. */
  async connected(
    transport: Transport,
    bound: PairOptions = {},
    connecting: PairOptions = {},
  ): Promise<[Pair, Pair]> {
    const [one, other] = [this.pair(bound), this.pair(connecting)];
    await this.join(transport, one, other);
    return [one, other];
  }

  /** Binds `one` and connects all others to it, in their order; their handshakes are done then. */
  async join(transport: Transport, one: Socket, ...others: Socket[]): Promise<void> {
    await one.bind(this.endpoint(transport));
    for (const other of others) {
      other.connect(one.lastEndpoint as string);
      if (transport !== "inproc") await handshake(other);
    }
  }

  async close(): Promise<void> {
    const sockets = this.#open;
    this.#open = [];
    for (const socket of sockets) {
      if (!socket.closed) socket.linger = 0;
      await socket[Symbol.asyncDispose]();
    }
  }

  /** At the end of the file. */
  async end(): Promise<void> {
    await this.close();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
  }
}

/** Resolves once a peer's handshake with the socket is done. */
export function handshake(socket: { stats(): Stats }): Promise<void> {
  return until(() => socket.stats().peers.some((peer) => peer.connected));
}

const LIMIT_MS = 10_000;

/** Resolves once `done` says so; asks in every turn of the event loop. */
export async function until(done: () => boolean): Promise<void> {
  const limit = Date.now() + LIMIT_MS;
  while (!done()) {
    if (Date.now() > limit) throw new Error(`waited ${LIMIT_MS} ms for ${done}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves after `count` turns of the event loop: whatever was under way in this thread is done. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
