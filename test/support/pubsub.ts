import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { Sending } from "./patterns.js";
import { until } from "./sockets.js";
import { cancel, concat, greeting, message, type Octets, ready, subscribe } from "./wire.js";

const GREETING_SIZE = 64;

export type PubSubType = "PUB" | "XPUB" | "SUB" | "XSUB";

/** How subscriptions travel: as commands, or as messages of peers that speak ZMTP 3.0. */
export const WAYS = [
  { way: "command", minor: 1 },
  { way: "legacy", minor: 0 },
] as const;

/** A publisher or subscriber made of octets: it knows nothing, and hears every frame. */
export class PubSubPeer {
  readonly socket: Socket;
  readonly #minor: number;
  /** Messages that have come, whole. */
  readonly messages: Buffer[][] = [];
  readonly #commands: { name: string; data: string }[] = [];
  #greeted = false;
  #rest: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  ended = false;

  /** Comes to an endpoint of ours, over tcp or ipc, and is let in. */
  static async connect(endpoint: string, type: PubSubType, minor = 1): Promise<PubSubPeer> {
    const peer = await PubSubPeer.dial(endpoint, minor);
    peer.greet(type);
    await until(() => peer.admitted);
    return peer;
  }

  /** Comes to an endpoint of ours, and says nothing yet. */
  static async dial(endpoint: string, minor = 1): Promise<PubSubPeer> {
    const socket = endpoint.startsWith("ipc://")
      ? connect(endpoint.slice("ipc://".length))
      : connect(Number(new URL(endpoint).port), "127.0.0.1");
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new PubSubPeer(socket, minor);
  }

  constructor(socket: Socket, minor = 1) {
    this.socket = socket;
    this.#minor = minor;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#data(chunk));
    socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.ended = true;
      });
    }
  }

  /** Everything that this side has to say in a handshake. */
  greet(type: PubSubType): void {
    this.write(greeting({ minor: this.#minor }), ready({ "Socket-Type": type }));
  }

  /** Whether the other side has said READY. */
  get admitted(): boolean {
    return this.#commands.some(({ name }) => name === "READY");
  }

  /** The subscriptions that have come: `SUBSCRIBE topic`, `CANCEL topic`, a character per octet. */
  get subscriptions(): string[] {
    if (this.#minor > 0) {
      const commands = this.#commands.filter(({ name }) => name !== "READY");
      return commands.map(({ name, data }) => `${name} ${data}`);
    }
    const notices = this.messages.map(([part]) => (part as Buffer).toString("latin1"));
    return notices.map((it) => `${it[0] === "\x01" ? "SUBSCRIBE" : "CANCEL"} ${it.slice(1)}`);
  }

  /** What these leave subscribed, in the order of their octets. */
  get topics(): string[] {
    const topics = new Set<string>();
    for (const text of this.subscriptions) {
      const topic = text.slice(text.indexOf(" ") + 1);
      if (text.startsWith("SUBSCRIBE")) topics.add(topic);
      else topics.delete(topic);
    }
    return [...topics].sort();
  }

  subscribe(...topics: Octets[]): void {
    const command = this.#minor > 0;
    this.write(...topics.map((it) => (command ? subscribe(it) : message(concat("\x01", it)))));
  }

  cancel(...topics: Octets[]): void {
    const command = this.#minor > 0;
    this.write(...topics.map((it) => (command ? cancel(it) : message(concat("\x00", it)))));
  }

  /** Sends a message. */
  send(...parts: Octets[]): void {
    this.write(message(...parts));
  }

  write(...octets: Octets[]): void {
    this.socket.write(concat(...octets));
  }

  /** Reads nothing any more, until {@link resume}. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  close(): void {
    this.socket.destroy();
  }

  #data(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#greeted && this.#rest.length >= GREETING_SIZE) {
      this.#rest = this.#rest.subarray(GREETING_SIZE);
      this.#greeted = true;
    }
    while (this.#greeted && this.#frame());
  }

  /** Takes a frame; says whether there was a whole one. */
  #frame(): boolean {
    const rest = this.#rest;
    if (rest.length < 2) return false;
    const flags = rest[0] as number;
    const start = flags & 2 ? 9 : 2;
    if (rest.length < start) return false;
    const end = start + (flags & 2 ? Number(rest.readBigUInt64BE(1)) : (rest[1] as number));
    if (rest.length < end) return false;
    this.#rest = rest.subarray(end);
    const body = rest.subarray(start, end);
    if (flags & 4) {
      const name = body.toString("latin1", 1, 1 + (body[0] as number));
      this.#commands.push({ name, data: body.toString("latin1", 1 + name.length) });
      return true;
    }
    this.#parts.push(body);
    if (flags & 1) return true;
    this.messages.push(this.#parts);
    this.#parts = [];
    return true;
  }
}

/** Where connectors of ours find such peers. */
export class PubSubServer {
  readonly #server: Server;
  /** Those whom it made, in their order. */
  readonly peers: PubSubPeer[] = [];

  /** @param accepted What to do with one who comes, instead of greeting him. */
  static async open(
    type: PubSubType,
    minor = 1,
    accepted: (peer: PubSubPeer) => void = (peer) => peer.greet(type),
  ): Promise<PubSubServer> {
    const server = new PubSubServer(minor, accepted);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  private constructor(minor: number, accepted: (peer: PubSubPeer) => void) {
    this.#server = createServer((socket) => {
      const peer = new PubSubPeer(socket, minor);
      this.peers.push(peer);
      accepted(peer);
    });
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves with the peer that comes as the given one, counted from 0, once it is let in. */
  async peer(index: number): Promise<PubSubPeer> {
    await until(() => this.peers[index]?.admitted === true);
    return this.peers[index] as PubSubPeer;
  }

  close(): void {
    for (const peer of this.peers) peer.close();
    this.#server.close();
  }
}

/** A system that lets its peer wait to hear from it waits no longer than this, as a rule. */
const QUIET_MS = 50;

/**
 * Sends until there has been no room for a while: then what the system holds is full, too. Says how
 * often it sent.
 */
export async function untilFull(
  socket: Sending & { sendTimeout: number },
  message: Parameters<Sending["send"]>[0],
): Promise<number> {
  socket.sendTimeout = QUIET_MS;
  for (let count = 0; count < 1000; count++) {
    try {
      await socket.send(message);
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      socket.sendTimeout = -1;
      return count;
    }
  }
  throw new Error("it is never full");
}

/** How many stretches of the numbers from 0 to `end` are missing. The numbers are in order. */
export function gaps(numbers: readonly number[], end: number): number {
  let count = 0;
  let next = 0;
  for (const number of [...numbers, end]) {
    if (number < next) throw new Error(`${number} after ${next - 1}`);
    if (number > next) count++;
    next = number + 1;
  }
  return count;
}

/** The subscriptions that an XPublisher receives, as text: `+topic` and `-topic`. */
export function noticeText([part]: readonly Uint8Array[]): string {
  const octets = Buffer.from(part as Uint8Array);
  return `${octets[0] === 1 ? "+" : "-"}${octets.toString("latin1", 1)}`;
}

/** What an XSubscriber sends to subscribe, and to cancel. */
export function subscription(topic: string): Buffer {
  return Buffer.from(`\x01${topic}`, "latin1");
}

export function cancellation(topic: string): Buffer {
  return Buffer.from(`\x00${topic}`, "latin1");
}
