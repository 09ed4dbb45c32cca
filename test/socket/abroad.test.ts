/**
 * inproc names of other threads, when several things happen at once: here the threads are contexts of
 * this one, and what one tells another arrives when the test says so.
 */
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { Candidates } from "../../src/socket/candidates.js";
import { Context } from "../../src/socket/context.js";
import { contextCore } from "../../src/socket/context-core.js";
import type { Pair } from "../../src/socket/pair.js";
import { Publisher } from "../../src/socket/pub.js";
import { Census } from "../../src/transport/census.js";
import { SharedNames } from "../../src/transport/names.js";
import type { Knock, Threads } from "../../src/transport/threads.js";
import { EventLog } from "../support/event-log.js";
import { peers, receiveOne } from "../support/patterns.js";
import { Sockets, turns, until } from "../support/sockets.js";

const sockets = new Sockets();

afterEach(async () => {
  vi.restoreAllMocks();
  await sockets.close();
});
afterAll(() => sockets.end());

const NAME = "inproc://name";

/** Threads that share names, and what is on its way between them. */
class Process {
  readonly memory = new SharedNames(0).memory;
  readonly census = new Census(0).memory;
  readonly cells = new Int32Array(new SharedArrayBuffer(64));
  /** Knocks that have not been heard. */
  readonly knocks: { at: number; hear: () => void }[] = [];
  readonly #threads: FakeThread[] = [];

  /** Starts a thread. */
  thread(): Context {
    const context = new Context();
    const thread = new FakeThread(this, this.#threads.length);
    this.#threads.push(thread);
    contextCore(context)?.share(thread as unknown as Threads);
    return context;
  }

  knock(at: number, knock: Knock): Promise<boolean> {
    return new Promise((resolve) => {
      const hear = (): void => {
        const knocked = this.#threads[at]?.knocked;
        knocked?.(knock);
        resolve(knocked !== undefined);
      };
      this.knocks.push({ at, hear });
    });
  }

  announce(name: string, by: FakeThread): void {
    for (const it of this.#threads) if (it !== by) it.announced?.(name);
  }

  /** The first knock that has not been heard is; says in which thread. */
  hear(): number | undefined {
    const { at, hear } = this.knocks.shift() ?? {};
    hear?.();
    return at;
  }
}

class FakeThread {
  readonly names: SharedNames;
  readonly census: Census;
  readonly cells: Int32Array;
  readonly first: boolean;
  knocked: ((knock: Knock) => void) | undefined;
  announced: ((name: string) => void) | undefined;
  readonly #process: Process;

  constructor(process: Process, number: number) {
    this.#process = process;
    this.names = new SharedNames(number, process.memory);
    this.census = new Census(number, undefined, process.census);
    this.cells = process.cells;
    this.first = number === 0;
  }

  knock(at: number, knock: Knock): Promise<boolean> {
    return this.#process.knock(at, knock);
  }

  onKnock(knocked: (knock: Knock) => void): void {
    this.knocked = knocked;
  }

  announce(name: string): void {
    this.#process.announce(name, this);
  }

  onAnnounce(announced: (name: string) => void): void {
    this.announced = announced;
  }
}

const pair = (context: Context, options = {}): Pair => sockets.pair({ context, ...options });

describe("who looks for a name", () => {
  it("that changes hands while it asks, asks who has it then", async () => {
    const process = new Process();
    const [one, other, third] = [process.thread(), process.thread(), process.thread()];
    const unsuitable = sockets.open(new Publisher({ context: other }));
    unsuitable.bindSync(NAME);
    const seeker = pair(one);
    seeker.connect(NAME);
    await seeker.send("to whom it suits");
    unsuitable.close();
    const host = pair(third);
    host.bindSync(NAME);
    // Only now the first is asked, who has it no more.
    expect(process.knocks.map(({ at }) => at)).toEqual([1]);
    process.hear();
    await until(() => process.knocks.length > 0);
    expect(process.hear()).toBe(2);
    expect(await receiveOne(host)).toEqual(["to whom it suits"]);
  });

  it("and was turned away, asks nobody until the name is taken anew", async () => {
    const process = new Process();
    const [one, other] = [process.thread(), process.thread()];
    const unsuitable = sockets.open(new Publisher({ context: other }));
    unsuitable.bindSync(NAME);
    const seeker = pair(one);
    seeker.connect(NAME);
    process.hear();
    await turns(20);
    expect(process.knocks).toEqual([]);
    unsuitable.close();
    pair(other).bindSync(NAME);
    expect(process.hear()).toBe(1);
    await until(() => peers(seeker) === 1);
  });

  it("of a thread that vanished unseen: clears its names away, and waits for who takes it", async () => {
    const process = new Process();
    const [one, other] = [process.thread(), process.thread()];
    const vanished = new SharedNames(99, process.memory);
    expect([vanished.claim("name"), vanished.claim("another")]).toEqual([true, true]);
    const seeker = pair(one);
    seeker.connect(NAME);
    await seeker.send("still there");
    expect(process.hear()).toBe(99);
    await until(() => vanished.find("another") === undefined);
    const host = pair(other);
    host.bindSync(NAME);
    await until(() => process.knocks.length > 0);
    process.hear();
    expect(await receiveOne(host)).toEqual(["still there"]);
  });
});

describe("who waits for a place in another thread", () => {
  it.each([
    ["and leaves, is forgotten", (seeker: Pair) => seeker.disconnect(NAME)],
    ["and is closed, is forgotten", (seeker: Pair) => seeker.close()],
  ])("%s", async (_, leave) => {
    const forgotten = vi.spyOn(Candidates.prototype, "delete");
    const process = new Process();
    const [one, other] = [process.thread(), process.thread()];
    const host = pair(other);
    host.bindSync(NAME);
    const peer = pair(other);
    peer.connect(NAME);
    const waiting = vi.spyOn(Candidates.prototype, "add");
    const seeker = pair(one);
    seeker.connect(NAME);
    process.hear();
    const [visitor] = waiting.mock.calls[0] as [unknown];
    leave(seeker);
    await until(() => forgotten.mock.calls.some(([it]) => it === visitor));
    // So nobody else has the place for a moment when it is free.
    peer.close();
    expect([peers(host), host.writable]).toEqual([0, false]);
  });
});

it("who waits for a place in another thread is told when its socket is closed, and asks who has the name next", async () => {
  const process = new Process();
  const [one, other, third] = [process.thread(), process.thread(), process.thread()];
  const host = pair(other);
  host.bindSync(NAME);
  pair(other).connect(NAME);
  const guest = pair(one);
  guest.connect(NAME);
  expect(process.hear()).toBe(1);
  await turns(5);
  host.close();
  await turns(20);
  const next = pair(third);
  next.bindSync(NAME);
  await until(() => process.knocks.length > 0);
  expect(process.hear()).toBe(2);
  await guest.send("hello");
  expect(await receiveOne(next)).toEqual(["hello"]);
});

describe("a ZAP handler", () => {
  /** A server that asks the handler of its thread's context about a client. */
  async function ask(context: Context): Promise<EventLog> {
    const server = pair(context, { plainServer: true });
    const log = EventLog.of(server);
    await server.bind(sockets.endpoint("tcp"));
    const client = sockets.pair({ plainUsername: "joe", plainPassword: "secret" });
    client.connect(server.lastEndpoint as string);
    return log;
  }

  const ZAP = "zeromq.zap.01";

  it("whose thread vanished unseen: its asker is told at once", async () => {
    const process = new Process();
    const one = process.thread();
    new SharedNames(99, process.memory).claim(ZAP);
    const log = await ask(one);
    await until(() => process.knocks.length > 0);
    process.hear();
    expect((await log.next("handshake:error:other")).error?.code).toBe("ECONNREFUSED");
  });

  it.each([
    ["another", 1],
    ["its own", 0],
  ])("of %s thread that is none: the asker is told at once", async (_, at) => {
    const process = new Process();
    const contexts = [process.thread(), process.thread()];
    const none = sockets.open(new Publisher({ context: contexts[at] as Context }));
    none.bindSync(`inproc://${ZAP}`);
    const log = await ask(contexts[0] as Context);
    if (at === 1) {
      await until(() => process.knocks.length > 0);
      process.hear();
    }
    expect((await log.next("handshake:error:other")).error?.code).toBe("ECONNREFUSED");
  });
});
