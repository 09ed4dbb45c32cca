// The process under test: binds a socket for each row, over tcp and ipc, and does its part. Driven by its parent:
// request {id, op}; answer {id, value}.
import { existsSync, readdirSync } from "node:fs";
import * as zmq from "purezmq";
import { isGood, USER } from "./mechanisms.js";
import { build, Ledger, read } from "./messages.js";
import { MARK, ROWS, type Row } from "./patterns.js";
import type { Endpoint, Resources, SubjectReport } from "./protocol.js";

/** A socket, typed for all that one of any type can do. */
type Any = zmq.Pair & zmq.Subscriber & zmq.XSubscriber;

const [, , folder = ""] = process.argv;
const classes = zmq as unknown as Record<string, new (options: object) => Any>;

/** Where Linux lists them. */
const DESCRIPTORS = "/proc/self/fd";

/** Sockets that a ZAP handler judges are in a context of their own, and so is it. */
const judged = new zmq.Context();

let isOver = false;

/** While resources are measured, loops that act by themselves rest: their timers are not to be counted. */
let gate: Promise<void> | undefined;
let acting = 0;

/** One row's socket. */
class Subject {
  readonly row: Row;
  readonly socket: Any;
  ledger = new Ledger();
  accepted = 0;
  strangers = 0;
  /** Messages sent, of questions also those that were answered. */
  sent = 0;
  answered = 0;
  wrong = 0;
  refused = 0;
  intruders = 0;
  #next = 1;
  #done: Promise<void> = Promise.resolve();

  constructor(row: Row) {
    const { judge } = row;
    const { bound, way } = row.pattern;
    this.row = row;
    this.socket = new (classes[bound] as new (options: object) => Any)({
      linger: 0,
      handshakeInterval: 2000,
      ...(way !== "in" && way !== "hear" && { sendHighWaterMark: MARK }),
      ...(way !== "out" && way !== "publish" && { receiveHighWaterMark: MARK }),
      ...(way === "answer" && {
        relaxed: true,
        correlate: true,
        receiveTimeout: 500,
        sendTimeout: 500,
      }),
      ...(way === "out" && { sendTimeout: 500 }),
      ...row.mechanism.server,
      ...(judge === "authenticate" && { authenticate }),
      ...(judge === "ZAP" && { context: judged, zapDomain: "soak" }),
    });
    this.socket.events.on("handshake", ({ userId }) => {
      if (userId !== (judge === "nobody" ? undefined : USER)) this.intruders++;
    });
    this.socket.events.on("handshake:error:auth", () => {
      this.refused++;
    });
    this.socket.events.on("accept", () => {
      this.accepted++;
    });
  }

  async bind(): Promise<Endpoint[]> {
    const { socket, row } = this;
    if (row.pattern.bound === "Subscriber") socket.subscribe();
    const ipc = `ipc://${folder}/${ROWS.indexOf(row)}`;
    const endpoints: Endpoint[] = [];
    for (const address of ["tcp://127.0.0.1:*", ipc]) {
      await socket.bind(address);
      endpoints.push({ row: row.key, address: socket.lastEndpoint as string });
    }
    if (row.pattern.bound === "XSubscriber") await socket.send(Buffer.of(1));
    this.#done = this.#run();
    return endpoints;
  }

  async close(): Promise<void> {
    await this.socket[Symbol.asyncDispose]();
    await this.#done;
  }

  async #run(): Promise<void> {
    try {
      const { way } = this.row.pattern;
      if (way === "out" || way === "publish" || way === "answer") await this.#act();
      else await this.#receive();
    } catch (error) {
      if (!this.socket.closed) throw error;
    }
  }

  async #receive(): Promise<void> {
    const { way } = this.row.pattern;
    for await (const parts of this.socket as AsyncIterable<Buffer[]>) {
      const message = read(way === "echo" ? parts.slice(1) : parts);
      if (message === undefined) this.strangers++;
      else this.ledger.add(message);
      if (way === "echo" || way === "ask") await this.socket.send(parts);
    }
  }

  /** A few at a time, for the measure is not how many. */
  async #act(): Promise<void> {
    const { way, bound } = this.row.pattern;
    const heard = bound === "XPublisher" ? this.#receive() : undefined;
    acting++;
    for (let i = 1; !isOver; i++) {
      if (gate !== undefined) {
        acting--;
        await gate;
        acting++;
      }
      try {
        if (way === "answer") await this.#ask();
        else await this.#send();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || this.socket.closed) throw error;
      }
      if (i % (way === "publish" ? 20 : 4) === 0) await pause(5);
    }
    await heard;
  }

  async #send(): Promise<void> {
    await this.socket.send(build(0, this.#next, this.#next % 997));
    this.#next++;
    this.sent++;
  }

  async #ask(): Promise<void> {
    const n = this.#next++;
    await this.socket.send(build(0, n, n % 997));
    this.sent++;
    const answer = read(await this.socket.receive());
    if (answer?.n === n && answer.whole) this.answered++;
    else this.wrong++;
  }

  /** What happened since the last report. */
  report(): SubjectReport {
    const { row, ledger, accepted, strangers, sent, answered, wrong, refused, intruders } = this;
    this.ledger = new Ledger();
    this.accepted = this.strangers = this.sent = this.answered = this.wrong = 0;
    this.refused = this.intruders = 0;
    const accounts = [...ledger.accounts];
    const handshakes = { accepted, refused, intruders };
    return { row: row.key, accounts, ...handshakes, strangers, sent, answered, wrong };
  }

  get quiet(): boolean {
    const { peers, receive } = this.socket.stats();
    return peers.length === 0 && receive.messages === 0;
  }
}

/** Lets the good clients in, now or a turn later. */
async function authenticate({
  credentials,
}: zmq.AuthenticationRequest): Promise<zmq.AuthenticationReply> {
  await new Promise(setImmediate);
  return isGood(credentials) ? { userId: USER } : { status: 400 };
}

/** Does the same as a ZAP handler (RFC 27). */
class Handler {
  readonly #router = new zmq.Router({ context: judged, linger: 0 });

  async bind(): Promise<void> {
    await this.#router.bind("inproc://zeromq.zap.01");
    void this.#run();
  }

  close(): Promise<void> {
    return this.#router[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    for await (const [peer, empty, version, id, , , , , ...credentials] of this.#router) {
      const reply = isGood(credentials) ? ["200", "OK", USER, ""] : ["400", "unknown", "", ""];
      await this.#router.send([peer, empty, version, id, ...reply] as Buffer[]);
    }
  }
}

const handler = new Handler();
const subjects = ROWS.map((row) => new Subject(row));

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function measure(): Promise<Resources> {
  let open = () => {};
  gate = new Promise((resolve) => {
    open = resolve;
  });
  while (acting > 0 && !isOver) await pause(10);
  const resources = await measured();
  gate = undefined;
  open();
  return resources;
}

async function measured(): Promise<Resources> {
  for (let i = 0; i < 6; i++) {
    globalThis.gc?.();
    await pause(20);
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const timers = resources.filter((it) => it === "Timeout").length;
  const descriptors = existsSync(DESCRIPTORS) ? readdirSync(DESCRIPTORS).length : 0;
  return { rss, heapUsed, external, handles: resources.length - timers, timers, descriptors };
}

const requests: Record<string, () => unknown> = {
  async bind() {
    await handler.bind();
    return (await Promise.all(subjects.map((it) => it.bind()))).flat();
  },
  /** Rows that are not at rest: whose peers have not gone, or whose messages were not received. */
  busy: () => subjects.filter((it) => !it.quiet).map(({ row }) => row.key),
  report: () => subjects.map((it) => it.report()),
  measure,
  async close() {
    isOver = true;
    await Promise.all(subjects.map((it) => it.close()));
    await handler.close();
  },
};

process.on("message", async ({ id, op }: { id: number; op: string }) => {
  try {
    process.send?.({ id, value: await requests[op]?.() });
  } catch (error) {
    process.send?.({ id, error: { message: (error as Error).stack } });
  }
});
process.on("disconnect", () => process.exit());
process.send?.({ id: 0 });
