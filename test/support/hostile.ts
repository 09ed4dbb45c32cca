import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Dish, Peer } from "../../src/draft.js";
import type * as zmq from "../../src/index.js";
import { EventLog } from "./event-log.js";
import { PeerProcess, type Reply } from "./peer-process.js";
import { until } from "./sockets.js";
import { type ClassName, isDraft, open, patience, receives, sends, type Trade } from "./trades.js";

/** Whom a message is for, or which group, as a draft type wants to know beside it. */
export type Address = { routingId: number } | { group: string };

/** What a good peer is asked to do; one of ours can do it, and one in another process. */
export interface GoodSocket {
  connect(address: string): unknown;
  bind(address: string): Promise<unknown>;
  subscribe(topic: string): unknown;
  join(group: string): unknown;
  send(parts: string | string[], address?: Address): Promise<void>;
  receive(): Promise<Received>;
  close(): unknown;
}

interface Addresser {
  send(parts: string | Buffer | (string | Buffer)[], address?: Address): Promise<void>;
}

/** The parts of a message, and of a draft type what comes with it. */
export type Received = (Uint8Array | { routingId?: number; group?: Uint8Array })[];

/** Options of the good peer. */
export function goodOptions({ name, good }: Trade): object {
  // Npm zeromq's draft types have no timeouts; whoever asks for what they do has a limit.
  if (isDraft(name)) return { linger: 0 };
  return { ...patience(good), ...(name === "ROUTER" && { routingId: GOOD }) };
}

/** What messages of good peers begin with, what they subscribe to and join, and how they call themselves. */
const GOOD = "good";

let messages = 0;

/** A socket of ours of some type, with a good peer. */
export class Target {
  readonly trade: Trade;
  readonly socket: zmq.Socket;
  readonly events: EventLog;
  good: GoodSocket;
  #isAlone = false;
  #endpoint: string | undefined;
  /** What the good peer is called, or what it calls us: numbers that come with messages. */
  #routingId = 0;

  constructor(trade: Trade, socket: zmq.Socket, good: GoodSocket) {
    this.trade = trade;
    this.socket = socket;
    this.events = EventLog.of(socket);
    this.good = good;
  }

  /** Where it is bound; it may be connected elsewhere afterwards. */
  get endpoint(): string {
    this.#endpoint ??= this.socket.lastEndpoint as string;
    return this.#endpoint;
  }

  /** Lets the good peer in, which has been, or will be, told to connect. */
  async meet(): Promise<void> {
    const { good, socket } = this;
    const { name } = this.trade;
    if (name === "SUB") (socket as zmq.Subscriber).subscribe(GOOD);
    if (name === "XSUB") await socket.send(`\x01${GOOD}`);
    if (name === "XPUB") await good.send(`\x01${GOOD}`);
    if (name === "PUB") await good.subscribe(GOOD);
    if (name === "SUB" || name === "XSUB") await good.receive();
    else if (name === "XPUB") await socket.receive();
    else if (name === "PUB") await until(() => socket.stats().subscriptions === 1);
    else if (name === "RADIO") await this.#joinUs();
    else if (name === "DISH") await this.#joinIt();
    await this.events.next("handshake");
  }

  /** A Dish of libzmq's takes note of a peer only when somebody looks at it. */
  async #joinUs(): Promise<void> {
    await this.good.join(GOOD);
    const looked = this.good.receive();
    await until(() => this.socket.stats().subscriptions === 1);
    await this.send("here I am");
    await looked;
  }

  /** Nothing tells a Radio of libzmq's who has joined: it says the same until it is heard. */
  async #joinIt(): Promise<void> {
    (this.socket as Dish).join(GOOD);
    let isHeard = false;
    while (!isHeard) {
      await this.tell("here I am");
      isHeard = this.drain().length > 0;
    }
    await this.tell("there you are");
    for (let last = ""; last !== "there you are"; ) {
      [last = ""] = texts(await this.socket.receive());
    }
  }

  /** Whether the good peer comes only when it is invited: for a PAIR has one peer at a time. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Sends the good peer away, until one is invited. */
  async seeOff(): Promise<void> {
    this.#isAlone = true;
    await this.good.close();
    await this.events.next("disconnect");
  }

  async invite(good: GoodSocket): Promise<void> {
    this.good = good;
    await good.connect(this.endpoint);
    await this.events.next("handshake");
  }

  /** A message goes from the good peer to us, and another to it, as far as the types allow. */
  async exchange(): Promise<void> {
    const there = () => this.#give();
    const back = () => this.#take();
    // A Request begins, a Reply ends; a Server has to know whom it answers.
    const isAsker = this.trade.name === "REQ" || this.trade.name === "CLIENT";
    for (const step of isAsker ? [there, back] : [back, there]) await step();
  }

  async #give(): Promise<void> {
    const { name, ours } = this.trade;
    if (!sends(ours)) return;
    const text = `${GOOD} ${messages++}`;
    const parts = name === "ROUTER" ? [GOOD, text] : text;
    await this.send(parts);
    const got = await this.good.receive();
    this.#learn("CLIENT", got);
    if (texts(got).join() !== text) throw new Error(`the good peer got ${texts(got)}, not ${text}`);
  }

  async #take(): Promise<void> {
    const { name, ours } = this.trade;
    if (!receives(ours)) return;
    const text = `${GOOD} ${messages++}`;
    await this.tell(text);
    const got = (await this.socket.receive()) as Received;
    this.#learn("SERVER", got);
    this.#learn("PEER", got);
    const wanted = name === "ROUTER" ? [GOOD, text] : [text];
    if (texts(got).join() !== wanted.join()) throw new Error(`got ${texts(got)}, not ${wanted}`);
  }

  /** Sends a message to the good peer, among others. */
  async send(parts: string | Buffer | (string | Buffer)[]): Promise<void> {
    await (this.socket as unknown as Addresser).send(parts, ...this.#address("ours"));
  }

  /** The good peer sends us a text. */
  async tell(text: string): Promise<void> {
    await this.good.send(text, ...this.#address("good"));
  }

  /** What a sender has to say beside a message. */
  #address(who: "ours" | "good"): [Address?] {
    switch (this.trade[who]) {
      case "Radio":
        return [{ group: GOOD }];
      case "Server":
        return [{ routingId: this.#routingId }];
      case "Peer":
        // A good one says so itself.
        return who === "ours" ? [{ routingId: this.#routingId }] : [];
      default:
        return [];
    }
  }

  #learn(name: string, got: Received): void {
    const [, { routingId = 0 } = {}] = got as [Uint8Array, { routingId?: number }?];
    if (name === this.trade.name) this.#routingId = routingId;
  }

  /** Receives what there is, and answers what has to be answered. */
  drain(): string[][] {
    const { name, ours } = this.trade;
    const all: string[][] = [];
    if (!receives(ours) || name === "REQ") return all;
    for (let it = this.socket.tryReceive(); it !== undefined; it = this.socket.tryReceive()) {
      all.push(texts(it));
      if (name === "REP") this.socket.trySend("answer");
    }
    return all;
  }

  async close(): Promise<void> {
    await this.good.close();
    this.socket.close();
  }
}

/** Parts as texts, an octet a character; what comes with a message of a draft type is none of them. */
export function texts(parts: Received): string[] {
  return parts
    .filter((part) => part instanceof Uint8Array)
    .map((part) => Buffer.from(part).toString("latin1"));
}

const PROGRAM = fileURLToPath(new URL("./hostile-libzmq.child.ts", import.meta.url));

/** A process with sockets of libzmq, of any type. */
export class GoodPeers extends PeerProcess {
  static start(): Promise<GoodPeers> {
    return new GoodPeers().started();
  }

  private constructor() {
    const child = fork(PROGRAM, {
      execArgv: ["--import", "tsx"],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    super("libzmq", child);
    child.on("message", (message) => this.reply(message as Reply));
  }

  async socket(type: ClassName, options: object): Promise<GoodSocket> {
    // Npm zeromq has no class for it, and says of no PEER's message whom it is for.
    if (type === "Peer") return new OurPeer(open("Peer", options) as Peer);
    const socket = (await this.request("open", { type, options })) as number;
    const call = (method: string, ...args: unknown[]): Promise<unknown> =>
      this.request("call", { socket, method, args });
    return {
      connect: (address) => call("connect", address),
      bind: (address) => call("bind", address),
      subscribe: (topic) => call("subscribe", topic),
      join: (group) => call("join", group),
      send: (parts, ...address) => call("send", parts, ...address) as Promise<void>,
      receive: () => call("receive") as Promise<Received>,
      close: () => call("close"),
    };
  }

  /**
   * A socket of ours, bound, with a good peer of libzmq's.
   * @param credentials Options with which that one gets in.
   */
  async target(trade: Trade, options: object = {}, credentials: object = {}): Promise<Target> {
    const socket = open(trade.ours, options);
    const good = await this.socket(trade.good, { ...goodOptions(trade), ...credentials });
    const target = new Target(trade, socket, good);
    await socket.bind("tcp://127.0.0.1:*");
    await target.good.connect(target.endpoint);
    await target.meet();
    return target;
  }

  protected override post(request: object): void {
    this.child.send(request, () => {});
  }
}

/** A good PEER, which sends to whom it is connected to. */
class OurPeer implements GoodSocket {
  readonly #socket: Peer;
  #routingId = 0;

  constructor(socket: Peer) {
    this.#socket = socket;
  }

  connect(address: string): void {
    this.#routingId = this.#socket.connectPeer(address);
  }

  bind(address: string): Promise<void> {
    return this.#socket.bind(address);
  }

  subscribe(): never {
    throw new Error("a PEER subscribes to nothing");
  }

  join(): never {
    throw new Error("a PEER joins nothing");
  }

  send(text: string): Promise<void> {
    return this.#socket.send(text, { routingId: this.#routingId });
  }

  receive(): Promise<Received> {
    return this.#socket.receive();
  }

  close(): void {
    this.#socket.close();
  }
}
