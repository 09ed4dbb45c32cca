/** How messages flow: what waits, what is lost (nothing), in which order things happen. */
import { EventEmitter, once } from "node:events";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { hold } from "../../src/socket/hold.js";
import { turn } from "../../src/socket/turn.js";
import * as zmq from "../../src/v5-compat.js";
import { turns, until } from "../support/sockets.js";

let open: zmq.Socket[] = [];
let names = 0;

function socketOf(type: zmq.SocketType, options: Record<string, unknown> = {}): zmq.Socket {
  const socket = zmq.socket(type, { linger: 0, ...options });
  open.push(socket);
  return socket;
}

function endpoint(): string {
  return `inproc://flow-${names++}`;
}

/** The second connected to the first; queues that hold `mark` messages on each side. */
function connected(
  bound: zmq.SocketType,
  connecting: zmq.SocketType,
  mark = 1000,
): [zmq.Socket, zmq.Socket] {
  const sockets: [zmq.Socket, zmq.Socket] = [socketOf(bound), socketOf(connecting)];
  for (const it of sockets) {
    if (!["pull", "sub"].includes(it.type)) it.setsockopt(zmq.ZMQ_SNDHWM, mark);
    if (!["push", "pub"].includes(it.type)) it.setsockopt(zmq.ZMQ_RCVHWM, mark);
  }
  const name = endpoint();
  sockets[0].bindSync(name);
  sockets[1].connect(name);
  return sockets;
}

/** Whether a message waits in the socket. */
function isReadable(socket: zmq.Socket): boolean {
  return ((socket.getsockopt(zmq.ZMQ_EVENTS) as number) & zmq.ZMQ_POLLIN) !== 0;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** What reaches `uncaughtException` until `done`. */
async function uncaught(done: () => boolean): Promise<string[]> {
  const before = process.listeners("uncaughtException");
  const seen: string[] = [];
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => seen.push(error.message));
  try {
    await until(done);
    await turns(3);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  }
  return seen;
}

afterEach(() => {
  for (const socket of open) socket.close();
  open = [];
});

describe("what a socket receives", () => {
  type Step = "send" | "pause" | "resume" | "listen" | "ignore" | "once" | "read" | "tick" | "turn";

  it("comes once, in order, and never while paused, whatever the program does meanwhile", async () => {
    const step = fc.constantFrom<Step>(
      ...([
        "send",
        "send",
        "pause",
        "resume",
        "listen",
        "ignore",
        "once",
        "read",
        "tick",
        "turn",
      ] as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const [push, pull] = connected("push", "pull");
        const seen: number[] = [];
        const unwanted: number[] = [];
        let sent = 0;
        let paused = false;
        const take = (frame: Buffer): void => void seen.push(Number(String(frame)));
        // Sees what is emitted, whoever listens.
        pull["emit"] = (name: string, ...frames: Buffer[]): boolean => {
          if (name === "message") {
            if (paused || pull.listenerCount("message") === 0) unwanted.push(seen.length);
            take(frames[0] as Buffer);
          }
          return EventEmitter.prototype.emit.call(pull, name, ...frames);
        };
        const act: Record<Step, () => unknown> = {
          send: () => push.send(sent++),
          pause: () => {
            paused = true;
            pull.pause();
          },
          resume: () => {
            paused = false;
            pull.resume();
          },
          listen: () => pull.on("message", () => {}),
          ignore: () => pull.removeAllListeners("message"),
          once: () => pull.prependOnceListener("message", () => {}),
          read: () => pull.read()?.forEach(take),
          tick: () => new Promise<void>((resolve) => process.nextTick(resolve)),
          turn: () => turns(1),
        };
        for (const it of [...steps, "resume", "listen"] as const) await act[it]();
        await until(() => seen.length >= sent);
        await turns(2);
        expect([seen, unwanted]).toEqual([range(sent), []]);
        push.close();
        pull.close();
      }),
      // A message that has just been taken when nobody wants it any more.
      {
        numRuns: 60,
        examples: [[["listen", "send", "pause", "turn"]], [["once", "send", "ignore", "turn"]]],
      },
    );
  });

  it("stays with the sender while nobody listens, or while paused", async () => {
    const [push, pull] = connected("push", "pull", 2);
    const done: number[] = [];
    for (const i of range(20)) push.send(i, 0, () => done.push(i));
    await turns(5);
    const before = done.length;
    expect(before).toBeLessThan(6);
    const seen: string[] = [];
    pull.pause();
    pull.on("message", (frame) => seen.push(String(frame)));
    await turns(5);
    expect([done.length, seen]).toEqual([before, []]);
    pull.resume();
    await until(() => seen.length === 20);
    expect(done).toEqual(range(20));
  });

  it("is left in the socket when its only listener has heard enough", async () => {
    const [push, pull] = connected("push", "pull");
    for (const text of ["first", "second"]) push.send(text);
    const [first] = await once(pull, "message");
    await turns(3);
    expect([String(first), isReadable(pull)]).toEqual(["first", true]);
  });

  it("is emitted though a listener throws: that is an uncaught exception, as of any emitter", async () => {
    const [push, pull] = connected("push", "pull");
    const seen: string[] = [];
    pull.on("message", (frame) => {
      seen.push(String(frame));
      throw new Error(`at ${frame}`);
    });
    for (const text of ["a", "b"]) push.send(text);
    expect(await uncaught(() => seen.length === 2)).toEqual(["at a", "at b"]);
  });

  it("may take long: then an error is emitted after receiveTimeout, and it goes on", async () => {
    const [push, pull] = connected("push", "pull");
    pull.setsockopt(zmq.ZMQ_RCVTIMEO, 1);
    const heard = once(pull, "message", { signal: AbortSignal.timeout(10_000) }).catch((e) => e);
    const error = await heard;
    expect(error).toMatchObject({ code: "EAGAIN" });
    pull.on("error", () => {});
    push.send("late");
    expect(String((await once(pull, "message"))[0])).toBe("late");
  });

  it("keeps the process alive while a listener waits for it, and not otherwise", async () => {
    const before = hold.count;
    const counts: number[] = [];
    const count = async (): Promise<void> => {
      await turns(1);
      counts.push(hold.count - before);
    };
    const [, pull] = connected("push", "pull");
    await count();
    pull.on("message", () => {});
    await count();
    pull.pause();
    await count();
    pull.resume();
    await count();
    pull.removeAllListeners();
    await count();
    pull.prependListener("message", () => {});
    await count();
    pull.close();
    await count();
    expect(counts).toEqual([0, 1, 0, 1, 0, 1, 0]);
  });

  it("is nothing for those that only send: listening to them does nothing", async () => {
    const before = hold.count;
    for (const type of ["push", "pub"] as const) {
      const socket = socketOf(type);
      socket.on("message", () => {});
      socket.pause();
      socket.resume();
      expect(socket.read()).toBeNull();
    }
    expect(hold.count).toBe(before);
  });

  it("comes to a listener that was added during a bind", async () => {
    const [push, pull] = [socketOf("push"), socketOf("pull")];
    const seen: string[] = [];
    pull.bind("tcp://127.0.0.1:*", () => {
      push.connect(pull["last_endpoint"]);
      push.send("x");
    });
    pull.on("message", (frame) => seen.push(String(frame)));
    await until(() => seen.length > 0);
    expect(seen).toEqual(["x"]);
  });
});

describe("what a socket sends", () => {
  it("has been given to it before close, though nothing was awaited", async () => {
    const [pull, push] = connected("pull", "push");
    push["linger"] = -1;
    for (const i of range(100)) push.send(i);
    push.close();
    const seen: number[] = [];
    pull.on("message", (frame) => seen.push(Number(String(frame))));
    await until(() => seen.length === 100);
    expect(seen).toEqual(range(100));
  });

  it("waits for the end of a bind, in order", async () => {
    const pair = socketOf("pair");
    const errors: unknown[] = [];
    const done: number[] = [];
    pair.on("error", (error) => errors.push(error));
    pair.bind("tcp://127.0.0.1:*", () => other.connect(pair["last_endpoint"]));
    for (const i of range(3)) pair.send(i, 0, () => done.push(i));
    const other = socketOf("pair");
    const seen: number[] = [];
    other.on("message", (frame) => seen.push(Number(String(frame))));
    await until(() => seen.length === 3);
    expect([seen, done, errors]).toEqual([range(3), range(3), []]);
  });

  it("waits while paused", async () => {
    const [pull, push] = connected("pull", "push");
    const seen: string[] = [];
    pull.on("message", (frame) => seen.push(String(frame)));
    push.pause();
    push.send("a").send("b");
    await turns(5);
    expect(seen).toEqual([]);
    push.resume();
    await until(() => seen.length === 2);
    expect(seen).toEqual(["a", "b"]);
  });

  it("waits for its turn: a burst of questions is answered one by one", async () => {
    const [rep, req] = connected("rep", "req");
    rep.on("message", (frame) => rep.send(`re ${frame}`));
    const seen: string[] = [];
    const done: number[] = [];
    req.on("message", (frame) => seen.push(String(frame)));
    for (const i of range(20)) req.send(i, 0, () => done.push(i));
    await until(() => seen.length === 20);
    expect(seen).toEqual(range(20).map((i) => `re ${i}`));
    expect(done).toEqual(range(20));
  });

  it("is put together of any number of parts, in any number of calls", async () => {
    const [pull, push] = connected("pull", "push");
    const messages = fc.array(fc.array(fc.array(fc.string(), { minLength: 1 }), { minLength: 1 }), {
      maxLength: 10,
    });
    await fc.assert(
      fc.asyncProperty(messages, async (sent) => {
        const seen: string[][] = [];
        const told: number[] = [];
        const listener = (...frames: Buffer[]): void => void seen.push(frames.map(String));
        pull.on("message", listener);
        sent.forEach((calls, number) => {
          calls.forEach((parts, i) => {
            const flags = i < calls.length - 1 ? zmq.ZMQ_SNDMORE : 0;
            // A single part needs no array.
            const message = parts.length === 1 ? (parts[0] as string) : parts;
            push.send(message, flags, () => told.push(number));
          });
        });
        await until(() => seen.length === sent.length);
        await until(() => told.length === sent.flat().length);
        pull.removeListener("message", listener);
        expect(seen).toEqual(sent.map((calls) => calls.flat()));
        expect(told).toEqual(sent.flatMap((calls, number) => calls.map(() => number)));
      }),
      { numRuns: 40 },
    );
  });

  it("is told of before it comes to a socket of the same thread, though the turn's budget is spent", async () => {
    const [pull, push] = connected("pull", "push");
    const order: string[] = [];
    pull.on("message", (message) => order.push(`message ${message}`));
    while (!turn.spend());
    for (const i of range(4)) push.send(String(i), null, () => order.push(`sent ${i}`));
    await until(() => order.length === 8);
    expect(order).toEqual([
      ...range(4).map((i) => `sent ${i}`),
      ...range(4).map((i) => `message ${i}`),
    ]);
  });

  it("may have very many parts", () => {
    const push = socketOf("push");
    expect(push.send(Array(200_000).fill(""))).toBe(push);
  });

  it("is told of once, though the callback throws, and the next goes on", async () => {
    const [pull, push] = connected("pull", "push");
    const told: unknown[] = [];
    const seen: unknown[] = [];
    pull.on("message", (frame) => seen.push(frame));
    push.send("a", 0, (...args) => {
      told.push(args);
      throw new Error("in the callback");
    });
    push.send("b", 0, (...args) => told.push(args));
    expect(await uncaught(() => seen.length === 2 && told.length >= 2)).toEqual([
      "in the callback",
    ]);
    expect(told).toEqual([[], []]);
  });

  it("that is no message is told to the callback, and harms nothing else", async () => {
    const [pull, push] = connected("pull", "push");
    const told: unknown[] = [];
    const seen: string[] = [];
    pull.on("message", (frame) => seen.push(String(frame)));
    push.send(Symbol("none") as unknown as string, 0, (error) => told.push(error));
    push.send("fine");
    await until(() => seen.length === 1 && told.length === 1);
    expect(told).toEqual([expect.any(TypeError)]);
    expect(seen).toEqual(["fine"]);
  });

  it("emits no error when the socket is closed before there was room", async () => {
    const push = socketOf("push");
    const errors: unknown[] = [];
    const told: (string | undefined)[] = [];
    push.on("error", (error) => errors.push(error));
    push.send("nobody is there", 0, (error) => told.push((error as NodeJS.ErrnoException).code));
    push.send("nor now");
    push.close();
    await until(() => told.length === 1);
    await turns(3);
    expect([told, errors]).toEqual([["EAGAIN"], []]);
  });
});

describe("proxy", () => {
  it("hands on from pull to push, and to the capture socket, in both orders", async () => {
    for (const types of [
      ["pull", "push"],
      ["push", "pull"],
    ] as const) {
      const [front, back] = [socketOf(types[0]), socketOf(types[1])];
      const [watcher, capture] = connected("pull", "push");
      zmq.proxy(front, back, capture);
      const names = [endpoint(), endpoint()] as const;
      front.bindSync(names[0]);
      back.bindSync(names[1]);
      const [push, pull] = [socketOf("push"), socketOf("pull")];
      push.connect(names[types[0] === "pull" ? 0 : 1]);
      pull.connect(names[types[0] === "pull" ? 1 : 0]);
      push.send(["a", "b"]);
      const [one, other] = await Promise.all([once(pull, "message"), once(watcher, "message")]);
      expect([one.map(String), other.map(String)]).toEqual([
        ["a", "b"],
        ["a", "b"],
      ]);
    }
  });
});
