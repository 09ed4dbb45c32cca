// Clients: lives that begin, talk, stall and end at random, some of them at a time. Runs ours, or libzmq's through npm
// zeromq. Parameters: the library, a seed, the first client's number. Told by its parent where they may connect to, and to stop;
// tells it of each life.
import { Buffer } from "node:buffer";
import type * as Library from "purezmq";
import { Random } from "../fuzz/random.js";
import { MECHANISMS, type SoakMechanism } from "./mechanisms.js";
import { build, Ledger, read } from "./messages.js";
import { MARK, type Row, rowOf } from "./patterns.js";
import type { End, Life, Route } from "./protocol.js";

/** A socket, typed for all that one of any type can do. */
type Any = Library.Pair & Library.Subscriber & Library.XSubscriber & { linger: number };

const LIVES = 8;
/** One of so many has a wrong login, of each kind in turn. */
const INTRUDERS = 8;
const WRONG = MECHANISMS.flatMap((mechanism) =>
  Object.keys(mechanism.intruders).map((wrong): Wrong => ({ mechanism, wrong })),
);

interface Wrong {
  mechanism: SoakMechanism;
  wrong: string;
}
const LINGER_MS = 15_000;
/** Answers to these may be missing. */
const WINDOW = 50;

const [, , library = "", seed = "", first = ""] = process.argv;
const isOurs = library === "purezmq";
const classes = (await import(library)) as Record<string, new (options: object) => Any>;
const random = new Random(Number(seed));

let nextClient = Number(first);
let nextWrong = random.below(WRONG.length);
let isOver = false;
/** A PAIR has one peer: others wait. */
const pairs = new Set<string>();

class ClientLife {
  readonly row: Row;
  readonly life: Life;
  readonly socket: Any;
  readonly ledger = new Ledger();
  readonly numbers: number[] = [];
  sent = 0;
  answered = 0;
  disconnects = 0;
  met = false;

  /** @param wrong What is to be wrong with its login. */
  constructor(route: Route, wrong: string | undefined) {
    this.row = rowOf(route.row);
    const { pattern, mechanism } = this.row;
    const { client, way, name } = pattern;
    this.life = { client: nextClient++, row: route.row, relayed: route.relayed, wrong };
    const sends = way !== "out" && way !== "publish";
    const receives = way !== "in" && way !== "hear";
    this.socket = new (classes[client] as new (options: object) => Any)({
      linger: LINGER_MS,
      reconnectInterval: 20,
      ...((sends || name.startsWith("PAIR")) && { sendHighWaterMark: MARK, sendTimeout: 2000 }),
      ...((receives || name.startsWith("PAIR")) && { receiveHighWaterMark: MARK }),
      ...(way === "ask" && isOurs && { relaxed: true, correlate: true }),
      ...(way === "echo" && { routingId: `client ${this.life.client}` }),
      ...(wrong === undefined ? mechanism.client : mechanism.intruders[wrong]),
    });
    this.socket.events.on("disconnect", () => {
      this.disconnects++;
    });
    this.socket.events.on("handshake", () => {
      this.met = true;
    });
    process.send?.({ begin: this.life });
    if (client === "Subscriber") this.socket.subscribe();
    this.socket.connect(route.address);
  }

  async run(): Promise<void> {
    if (this.life.wrong !== undefined) {
      await this.#intrude();
      await this.#end(false);
      return;
    }
    const steps = 1 + random.below(300);
    try {
      if (this.row.pattern.client === "XSubscriber") await this.socket.send(Buffer.of(1));
      for (let i = 0; i < steps && !isOver; i++) {
        if (!(await this.#step())) break;
        await this.#idle();
      }
      if (this.row.pattern.way === "echo") await this.#hear(0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
    await this.#end(!random.once(4));
  }

  /** Says and hears what it can, for a while; it should hear nothing. */
  async #intrude(): Promise<void> {
    const { socket } = this;
    const { way } = this.row.pattern;
    const sends = way !== "out" && way !== "publish";
    const receives = way !== "in" && way !== "hear";
    if (sends) socket.sendTimeout = 100;
    if (receives) socket.receiveTimeout = 100;
    for (let i = random.below(8); i >= 0 && !isOver; i--) {
      try {
        if (sends && way !== "answer") await this.#say();
        await (receives ? socket.receive().then(() => this.answered++) : pause(random.below(100)));
      } catch (error) {
        // Nobody is there to talk to, and it is not the turn of who has asked already.
        const { code = "" } = error as NodeJS.ErrnoException;
        if (code !== "EAGAIN" && code !== "EFSM") throw error;
      }
    }
  }

  /** @returns Whether to go on. */
  #step(): Promise<boolean> {
    const { way } = this.row.pattern;
    if (way === "in" || way === "hear") return this.#say();
    if (way === "echo") return this.#sayAndHear();
    if (way === "ask") return this.#ask();
    if (way === "answer") return this.#answer();
    return this.#take();
  }

  async #say(): Promise<boolean> {
    const size = random.once(50) ? random.below(100_000) : random.below(1000);
    await this.socket.send(build(this.life.client, this.sent + 1, size));
    this.sent++;
    return true;
  }

  async #sayAndHear(): Promise<boolean> {
    await this.#say();
    if (this.sent % WINDOW === 0) await this.#hear(WINDOW / 2);
    return true;
  }

  /** Hears what was said, up to the last few; what was cut off never comes. */
  async #hear(but: number): Promise<void> {
    this.socket.receiveTimeout = this.life.relayed ? 500 : 10_000;
    const last = () => this.ledger.accounts.get(this.life.client)?.last ?? 0;
    while (last() < this.sent - but) {
      const message = read(await this.socket.receive());
      if (message !== undefined) this.ledger.add(message);
    }
  }

  async #ask(): Promise<boolean> {
    const { disconnects } = this;
    await this.#say();
    const parts = await this.#patiently(() => this.disconnects > disconnects);
    // Libzmq's is stuck now.
    if (parts === undefined) return isOurs;
    const answer = read(parts);
    if (answer !== undefined) this.ledger.add(answer);
    if (answer?.n === this.sent) this.answered++;
    return true;
  }

  /** What comes in 10 s; nothing will come any more once it is lost, so then it waits no longer. */
  async #patiently(isLost: () => boolean): Promise<Buffer[] | undefined> {
    this.socket.receiveTimeout = 500;
    for (let tries = 20; tries > 0; tries--) {
      try {
        return await this.socket.receive();
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // EFSM: with the connection the question has gone, and it is time to ask again.
        if (code !== "EAGAIN" && code !== "EFSM") throw error;
        if (code === "EFSM" || isLost()) break;
      }
    }
    return undefined;
  }

  async #answer(): Promise<boolean> {
    this.socket.receiveTimeout = 500;
    const question = await this.socket.receive();
    // Some leave without an answer.
    if (random.once(200)) return false;
    await this.socket.send(question);
    this.sent++;
    return true;
  }

  async #take(): Promise<boolean> {
    this.socket.receiveTimeout = 500;
    const message = read(await this.socket.receive());
    if (message === undefined) return true;
    this.ledger.add(message);
    if (this.row.pattern.way === "out") this.numbers.push(message.n);
    return true;
  }

  /** Mostly not at all; sometimes for long. */
  async #idle(): Promise<void> {
    if (random.once(300)) await pause(random.below(1000));
    else if (random.once(10)) await pause(random.below(20));
  }

  async #end(closed: boolean): Promise<void> {
    const { socket, sent, answered, disconnects, life, ledger, numbers, met } = this;
    const { way } = this.row.pattern;
    if (!closed) socket.linger = 0;
    socket.close();
    if (closed && isOurs) await socket[Symbol.asyncDispose]();
    const account = ledger.accounts.get(way === "out" || way === "publish" ? 0 : life.client);
    const end: End = { ...life, closed, met, sent, answered, disconnects, account, numbers };
    process.send?.({ end });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function liveOn(routes: readonly Route[]): Promise<void> {
  while (!isOver) {
    if (random.once(INTRUDERS)) {
      const { mechanism, wrong } = WRONG[nextWrong++ % WRONG.length] as Wrong;
      const there = routes.filter(({ row }) => rowOf(row).mechanism === mechanism);
      await new ClientLife(random.pick(there), wrong).run();
      continue;
    }
    const route = random.pick(routes);
    const isPair = route.row.startsWith("PAIR");
    if (isPair && pairs.has(route.row)) continue;
    if (isPair) pairs.add(route.row);
    await new ClientLife(route, undefined).run();
    pairs.delete(route.row);
    await pause(random.below(20));
  }
}

process.on("message", async (message: { routes?: Route[] }) => {
  const { routes } = message;
  if (routes === undefined) {
    isOver = true;
    return;
  }
  isOver = false;
  await Promise.all(Array.from({ length: LIVES }, () => liveOn(routes)));
  process.send?.({ stopped: true });
});
process.on("disconnect", () => process.exit());
process.send?.({ ready: true });
