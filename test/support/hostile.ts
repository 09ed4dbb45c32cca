import { fork } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import * as zmq from "../../src/index.js";
import { isCompatible, type SocketTypeName } from "../../src/zmtp/socket-type.js";
import { EventLog } from "./event-log.js";
import { PeerProcess, type Reply } from "./peer-process.js";
import { until } from "./sockets.js";

const NAMES: Record<SocketTypeName, true> = {
  PAIR: true,
  PUB: true,
  SUB: true,
  REQ: true,
  REP: true,
  DEALER: true,
  ROUTER: true,
  PULL: true,
  PUSH: true,
  XPUB: true,
  XSUB: true,
  SERVER: true,
  CLIENT: true,
  RADIO: true,
  DISH: true,
  GATHER: true,
  SCATTER: true,
  PEER: true,
  CHANNEL: true,
};

/** Every type that a handshake may name. */
export const TYPE_NAMES = Object.keys(NAMES) as SocketTypeName[];

const CLASSES = {
  Pair: zmq.Pair,
  Publisher: zmq.Publisher,
  Subscriber: zmq.Subscriber,
  Request: zmq.Request,
  Reply: zmq.Reply,
  Dealer: zmq.Dealer,
  Router: zmq.Router,
  Pull: zmq.Pull,
  Push: zmq.Push,
  XPublisher: zmq.XPublisher,
  XSubscriber: zmq.XSubscriber,
  Stream: zmq.Stream,
};

export type ClassName = keyof typeof CLASSES;

export const CLASS_NAMES = Object.keys(CLASSES) as ClassName[];

export const RECEIVERS: readonly ClassName[] = CLASS_NAMES.filter(
  (name) => !["Publisher", "Push"].includes(name),
);

export const SENDERS: readonly ClassName[] = CLASS_NAMES.filter(
  (name) => !["Subscriber", "Pull"].includes(name),
);

/** A type of ours, and who talks to it. */
export interface Trade {
  /** As the handshake names it. */
  name: SocketTypeName;
  ours: ClassName;
  good: ClassName;
}

/** Every type of ours that has a handshake. */
export const TRADES: readonly Trade[] = [
  { name: "PAIR", ours: "Pair", good: "Pair" },
  { name: "PUB", ours: "Publisher", good: "Subscriber" },
  { name: "SUB", ours: "Subscriber", good: "XPublisher" },
  { name: "REQ", ours: "Request", good: "Reply" },
  { name: "REP", ours: "Reply", good: "Request" },
  { name: "DEALER", ours: "Dealer", good: "Dealer" },
  { name: "ROUTER", ours: "Router", good: "Dealer" },
  { name: "PULL", ours: "Pull", good: "Push" },
  { name: "PUSH", ours: "Push", good: "Pull" },
  { name: "XPUB", ours: "XPublisher", good: "XSubscriber" },
  { name: "XSUB", ours: "XSubscriber", good: "XPublisher" },
];

export function tradeOf(name: SocketTypeName): Trade {
  return TRADES.find((trade) => trade.name === name) as Trade;
}

/** The types that may talk to `name`. */
export function partners(name: SocketTypeName): SocketTypeName[] {
  return TYPE_NAMES.filter((other) => isCompatible(name, other));
}

/** What a good peer is asked to do; one of ours can do it, and one in another process. */
export interface GoodSocket {
  connect(address: string): unknown;
  bind(address: string): Promise<unknown>;
  subscribe(topic: string): unknown;
  send(parts: string | string[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  close(): unknown;
}

/** Options with which nothing waits for ever, for any type. */
export function patience(name: ClassName): object {
  return {
    linger: 0,
    ...(RECEIVERS.includes(name) && { receiveTimeout: 10_000 }),
    ...(SENDERS.includes(name) && { sendTimeout: 10_000 }),
  };
}

/** A socket of ours. */
export function open(name: ClassName, options: object = {}): zmq.Socket {
  const Class = CLASSES[name] as new (options: object) => zmq.Socket;
  return new Class({ ...patience(name), ...options });
}

/** Options of the good peer. */
export function goodOptions({ name, good }: Trade): object {
  return { ...patience(good), ...(name === "ROUTER" && { routingId: GOOD }) };
}

/** What messages of good peers begin with, what they subscribe to, and how they call themselves. */
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
    await this.events.next("handshake");
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
    // A Request begins, a Reply ends.
    const steps = this.trade.name === "REQ" ? [there, back] : [back, there];
    for (const step of steps) await step();
  }

  async #give(): Promise<void> {
    const { name, ours } = this.trade;
    if (!SENDERS.includes(ours)) return;
    const text = `${GOOD} ${messages++}`;
    await this.socket.send(name === "ROUTER" ? [GOOD, text] : text);
    const got = texts(await this.good.receive());
    if (got.join() !== text) throw new Error(`the good peer got ${got} instead of ${text}`);
  }

  async #take(): Promise<void> {
    const { name, ours } = this.trade;
    if (!RECEIVERS.includes(ours)) return;
    const text = `${GOOD} ${messages++}`;
    await this.good.send(text);
    const got = texts(await this.socket.receive());
    const wanted = name === "ROUTER" ? [GOOD, text] : [text];
    if (got.join() !== wanted.join()) throw new Error(`got ${got} instead of ${wanted}`);
  }

  /** Receives what there is, and answers what has to be answered. */
  drain(): string[][] {
    const { name, ours } = this.trade;
    const all: string[][] = [];
    if (!RECEIVERS.includes(ours) || name === "REQ") return all;
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

/** Parts as texts, an octet a character. */
export function texts(parts: readonly Uint8Array[]): string[] {
  return parts.map((part) => Buffer.from(part).toString("latin1"));
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
    const socket = (await this.request("open", { type, options })) as number;
    const call = (method: string, ...args: unknown[]): Promise<unknown> =>
      this.request("call", { socket, method, args });
    return {
      connect: (address) => call("connect", address),
      bind: (address) => call("bind", address),
      subscribe: (topic) => call("subscribe", topic),
      send: (parts) => call("send", parts) as Promise<void>,
      receive: () => call("receive") as Promise<Uint8Array[]>,
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

const MEMORY_PROGRAM = fileURLToPath(new URL("./hostile-memory.child.ts", import.meta.url));

/** What is left in the process when a number of hostile peers has come and gone. */
export interface Left {
  heapUsed: number;
  external: number;
  handles: number;
  peers: number;
}

/** A process with a socket of ours, bound, whose memory is looked at. */
export class HostileMemory extends PeerProcess {
  #endpoint = "";

  static async start(type: ClassName, options: object = {}): Promise<HostileMemory> {
    const subject = await new HostileMemory().started();
    await subject.renew(type, options);
    return subject;
  }

  private constructor() {
    const child = fork(MEMORY_PROGRAM, {
      execArgv: ["--expose-gc", "--import", "tsx"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    super("ours", child);
    child.on("message", (message) => this.reply(message as Reply));
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  /** The socket is another one from now on. */
  async renew(type: ClassName, options: object): Promise<void> {
    this.#endpoint = (await this.request("open", { type, options })) as string;
  }

  /** Connects to the endpoints, and again whenever a connection has ended, until {@link hangUp}. */
  async dial(endpoints: string[], options: object): Promise<void> {
    await this.request("dial", { endpoints, options });
  }

  async hangUp(): Promise<void> {
    await this.request("hangUp");
  }

  async left(): Promise<Left> {
    return (await this.request("left")) as Left;
  }

  /**
   * Lets `times` peers say the octets, and reset their connections once they have an answer.
   * @param answer How long it is: our greeting and some of READY, or nothing.
   */
  async attack(octets: Uint8Array, times: number, answer = 65): Promise<Left> {
    const { port, hostname } = new URL(this.#endpoint);
    const once = async () => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {});
      await new Promise((resolve) => socket.write(octets, resolve));
      let size = 0;
      if (answer > 0) {
        for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
          size += (chunk as Buffer).length;
          if (size >= answer) break;
        }
      }
      socket.resetAndDestroy();
    };
    for (let i = 0; i < times; i += 20) await Promise.all(Array.from({ length: 20 }, once));
    return this.left();
  }

  protected override post(request: object): void {
    this.child.send(request, () => {});
  }
}
