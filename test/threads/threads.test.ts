/** inproc from thread to thread: the library's sources here, the built library in the other threads. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { context } from "../../src/socket/context.js";
import { Dealer } from "../../src/socket/dealer.js";
import { Pair } from "../../src/socket/pair.js";
import { Publisher } from "../../src/socket/pub.js";
import { Pull } from "../../src/socket/pull.js";
import { Push } from "../../src/socket/push.js";
import { Reply } from "../../src/socket/rep.js";
import { Router } from "../../src/socket/router.js";
import { XPublisher } from "../../src/socket/xpub.js";
import { drain, maker, peers, receiveOne, thrown } from "../support/patterns.js";
import { Sockets, until } from "../support/sockets.js";
import { Thread } from "../support/thread.js";

const sockets = new Sockets();
let thread: Thread;
let other: Thread;

beforeAll(() => {
  thread = new Thread();
  other = new Thread();
});

afterEach(async () => {
  await sockets.close();
  for (const it of [thread, other]) await it.reset();
});

afterAll(async () => {
  await thread.end();
  await other.end();
  await sockets.end();
});

const pair = maker(sockets, Pair);

/** A PAIR of this thread, and one called `socket` in the other thread that is connected to it. */
async function joined(options = {}, theirs = {}): Promise<Pair> {
  const one = pair(options);
  const name = sockets.endpoint("inproc");
  await one.bind(name);
  await thread.run(
    ({ zmq, kept }, endpoint, settings) => {
      kept.socket = new zmq.Pair({ linger: 0, ...settings });
      kept.socket.connect(endpoint);
    },
    name,
    theirs,
  );
  await until(() => peers(one) === 1);
  // The other end learns of it a little later, and what it sends before that is not heard when it closes.
  await thread.run(async ({ kept }) => {
    while (!kept.socket.stats().peers[0]?.connected) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  return one;
}

const EMFILE = "Too many open file descriptors";

/** How many sockets there are in all threads: as many as there must be for there to be no room. */
function openSockets(): number {
  const before = context.maxSockets;
  try {
    for (let most = 1; ; most++) {
      context.maxSockets = most;
      if (thrown(() => new Pair().close()) === undefined) return most - 1;
    }
  } finally {
    context.maxSockets = before;
  }
}

describe("the default context", () => {
  it("has the same options in all threads", async () => {
    try {
      context.ioThreads = 3;
      expect(await thread.run(({ zmq }) => zmq.context.ioThreads)).toBe(3);
      await thread.run(({ zmq }) => {
        zmq.context.ipv6 = true;
      });
      expect([context.ipv6, pair().ipv6]).toEqual([true, true]);
      expect(await other.run(({ zmq }) => zmq.context.ipv6)).toBe(true);
    } finally {
      context.ioThreads = 1;
      context.ipv6 = false;
    }
  });

  it("bounds the sockets of all threads together, as npm zeromq does", async () => {
    const mine = pair();
    const before = openSockets();
    const make = (it: Thread, count: number): Promise<void> =>
      it.run(({ zmq, kept }, many) => {
        for (let i = 0; i < many; i++) kept[`pair ${i}`] = new zmq.Pair();
      }, count);
    try {
      context.maxSockets = before + 3;
      await make(thread, 2);
      await make(other, 1);
      expect(thrown(() => pair())).toBe("EMFILE");
      await expect(make(other, 1)).rejects.toMatchObject({ code: "EMFILE", message: EMFILE });
      await thread.run(({ zmq, kept }) => {
        kept.own = new zmq.Pair({ context: new zmq.Context({ maxSockets: 1 }) });
      });
      mine.close();
      await make(other, 1);
      expect(thrown(() => pair())).toBe("EMFILE");
      await thread.run(({ kept }) => kept["pair 0"].close());
      pair();
      expect(thrown(() => pair())).toBe("EMFILE");
    } finally {
      context.maxSockets = 1023;
    }
  });

  it("counts a thread that has ended no more, nor those that it had started", async () => {
    const before = openSockets();
    const mortal = new Thread();
    const name = sockets.endpoint("inproc");
    await mortal.run(
      async ({ zmq, kept, Worker }, url, endpoint) => {
        kept.socket = new zmq.Pair();
        kept.child = new Worker(new URL(url));
        const task = `({ zmq, kept }) => {
          kept.sockets = [new zmq.Pair(), new zmq.Pair()];
          kept.sockets[0].bindSync("${endpoint}");
        }`;
        kept.child.postMessage({ id: 0, source: task, args: [] });
        await new Promise((resolve) => kept.child.on("message", resolve));
      },
      Thread.program.href,
      name,
    );
    expect(openSockets()).toBe(before + 3);
    expect(thrown(() => pair().bindSync(name))).toBe("EADDRINUSE");
    await mortal.end();
    await sockets.close();
    expect(openSockets()).toBe(before);
    pair().bindSync(name);
  });

  it("other contexts have names of their own", async () => {
    const name = sockets.endpoint("inproc");
    await pair().bind(name);
    await thread.run(({ zmq, kept }, endpoint) => {
      kept.socket = new zmq.Pair({ context: new zmq.Context() });
      kept.socket.bindSync(endpoint);
    }, name);
  });
});

describe("a name", () => {
  const take = (it: Thread, name: string): Promise<void> =>
    it.run(({ zmq, kept }, endpoint) => {
      kept.taker = new zmq.Pair({ linger: 0 });
      kept.taker.bindSync(endpoint);
    }, name);

  it("that another thread has is taken, at once, until it is given up", async () => {
    const name = sockets.endpoint("inproc");
    await take(thread, name);
    const one = pair();
    expect(thrown(() => one.bindSync(name))).toBe("EADDRINUSE");
    await expect(take(other, name)).rejects.toMatchObject({ code: "EADDRINUSE" });
    await thread.run(({ kept }, endpoint) => kept.taker.unbindSync(endpoint), name);
    one.bindSync(name);
    await expect(take(other, name)).rejects.toMatchObject({ code: "EADDRINUSE" });
    one.close();
    await take(other, name);
    await other.run(({ kept }) => kept.taker.close());
    pair().bindSync(name);
  });

  it("that a thread had is free when the thread has ended", async () => {
    const name = sockets.endpoint("inproc");
    const mortal = new Thread();
    await take(mortal, name);
    await mortal.end();
    pair().bindSync(name);
  });

  it("can be connected to before it is bound, wherever that will be", async () => {
    const name = sockets.endpoint("inproc");
    const one = pair();
    one.connect(name);
    await one.send("early");
    await take(thread, name);
    expect(await thread.run(async ({ kept }) => String(await kept.taker.receive()))).toBe("early");
    await thread.run(({ kept }) => kept.taker.send("answer"));
    expect(await receiveOne(one)).toEqual(["answer"]);
  });

  it("of a socket that does not suit: who connects waits for one that does", async () => {
    const name = sockets.endpoint("inproc");
    await thread.run(({ zmq, kept }, endpoint) => {
      kept.socket = new zmq.Publisher();
      kept.socket.bindSync(endpoint);
    }, name);
    const one = pair();
    one.connect(name);
    await one.send("to whom it suits");
    await thread.run(({ kept }) => kept.socket.close());
    await take(other, name);
    expect(await other.run(async ({ kept }) => String(await kept.taker.receive()))).toBe(
      "to whom it suits",
    );
  });
});

describe("who waits for a place at a socket of another thread", () => {
  /** A PAIR in the other thread that has a peer there, and one here that waits for its place. */
  async function waiting(): Promise<[Pair, string]> {
    const name = sockets.endpoint("inproc");
    await thread.run(({ zmq, kept }, endpoint) => {
      kept.taker = new zmq.Pair({ linger: 0 });
      kept.taker.bindSync(endpoint);
      kept.peer = new zmq.Pair({ linger: 0 });
      kept.peer.connect(endpoint);
    }, name);
    const one = pair();
    one.connect(name);
    // Whoever answers has heard it knock.
    await thread.run(() => new Promise((resolve) => setImmediate(resolve)));
    return [one, name];
  }

  it("and finds the name bound in its own thread meanwhile, is connected there and nowhere else", async () => {
    const [one, name] = await waiting();
    await thread.run(({ kept }, endpoint) => kept.taker.unbindSync(endpoint), name);
    const host = pair();
    host.bindSync(name);
    await one.send("here");
    const isSent = await thread.run(async ({ kept }) => {
      kept.peer.close();
      // That it has turned back may not be known there yet.
      while (kept.taker.stats().peers.length > 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      return kept.taker.trySend("from elsewhere");
    });
    expect(isSent).toBe(false);
    expect(await receiveOne(host)).toEqual(["here"]);
    await host.send("answer");
    expect(await receiveOne(one)).toEqual(["answer"]);
    // It is a connection as any other.
    expect([peers(one), peers(host)]).toEqual([1, 1]);
    one.disconnect(name);
    expect(peers(host)).toBe(0);
  });

  it("is connected to one of its own thread still when that other one is closed", async () => {
    const [one, name] = await waiting();
    await thread.run(({ kept }, endpoint) => kept.taker.unbindSync(endpoint), name);
    const host = pair();
    host.bindSync(name);
    await thread.run(async ({ kept }) => {
      kept.peer.close();
      await new Promise((resolve) => setImmediate(resolve));
      kept.taker.close();
    });
    await thread.run(() => new Promise((resolve) => setImmediate(resolve)));
    await one.send("here");
    expect(await receiveOne(host)).toEqual(["here"]);
    expect([peers(one), peers(host)]).toEqual([1, 1]);
  });
});

describe("messages", () => {
  it("come across with every octet, whatever their sizes, and keep little else alive", async () => {
    const one = await joined();
    await thread.run(({ kept }) => {
      void (async () => {
        for await (const parts of kept.socket) await kept.socket.send(parts);
      })().catch(() => {});
    });
    const part = fc
      .oneof(fc.nat(70), fc.constantFrom(128, 129, 4095, 4096, 4097, 100_000))
      .map((size) => Buffer.from(new Uint8Array(size).map((_, i) => i * 7 + size)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(part, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 20 }),
        async (messages) => {
          for (const parts of messages) await one.send(parts);
          for (const parts of messages) {
            const received = await one.receive();
            expect(received.map(digest)).toEqual(parts.map(digest));
            for (const it of received) {
              expect(it.buffer.byteLength).toBeLessThanOrEqual(Math.max(it.length, 8192));
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it("leave the sender its memory", async () => {
    const one = await joined();
    const memory = new ArrayBuffer(10_000);
    await one.send([memory, new Uint8Array(memory, 8, 16), Buffer.from("pooled")]);
    const sizes = await thread.run(async ({ kept }) =>
      (await kept.socket.receive()).map((it: Uint8Array) => it.length),
    );
    expect([sizes, memory.byteLength]).toEqual([[10_000, 16, 6], 10_000]);
  });

  it("wait in as many places as both marks have, and not in one more", async () => {
    for (const [send, receive] of [
      [1, 1],
      [3, 5],
      [10, 1],
      [2, 300],
    ] as const) {
      const one = await joined({ sendHighWaterMark: send }, { receiveHighWaterMark: receive });
      let sent = 0;
      await until(() => {
        while (one.trySend(String(sent))) sent++;
        return sent === send + receive && !one.writable;
      });
      // Whatever is still under way makes no more room.
      await thread.run(() => new Promise((resolve) => setImmediate(resolve)));
      expect(one.writable).toBe(false);
      const first = await thread.run(async ({ kept }) => String(await kept.socket.receive()));
      expect(first).toBe("0");
      const rest = await thread.run(async ({ kept }, count) => {
        const texts: string[] = [];
        while (texts.length < count) texts.push(String(await kept.socket.receive()));
        return texts;
      }, sent - 1);
      expect(rest).toEqual(Array.from({ length: sent - 1 }, (_, i) => String(i + 1)));
      await until(() => one.writable);
      await sockets.close();
      await thread.run(({ kept }) => kept.socket.close());
    }
  });

  it("of a mark in bytes wait one by one", async () => {
    const one = await joined({ sendHighWaterMark: 1 }, { receiveHighWaterMarkBytes: 100 });
    let sent = 0;
    await until(() => {
      while (one.trySend(Buffer.alloc(60))) sent++;
      return sent === 3;
    });
    await thread.run(() => new Promise((resolve) => setImmediate(resolve)));
    expect(one.writable).toBe(false);
    await thread.run(async ({ kept }) => {
      for (let i = 0; i < 3; i++) await kept.socket.receive();
    });
    await until(() => one.writable);
  });

  it("that were sent before their socket was closed come all the same", async () => {
    const one = await joined({ receiveHighWaterMark: 2 });
    await thread.run(async ({ kept }) => {
      for (let i = 0; i < 500; i++) await kept.socket.send(String(i));
      kept.socket.close();
    });
    for (let i = 0; i < 500; i++) expect(await receiveOne(one)).toEqual([String(i)]);
    await until(() => peers(one) === 0);
    expect(one.writable).toBe(false);
  });
});

function digest(part: Uint8Array): string {
  return createHash("sha1").update(part).digest("hex");
}

describe("a thread that ends", () => {
  it("ends its connections: the place is free, and its subscriptions are undone", async () => {
    const mortal = new Thread();
    const one = pair();
    const xpub = sockets.open(new XPublisher({ linger: 0 }));
    const [name, topics] = [sockets.endpoint("inproc"), sockets.endpoint("inproc")];
    await one.bind(name);
    await xpub.bind(topics);
    await mortal.run(
      async ({ zmq, kept }, ...endpoints) => {
        kept.pair = new zmq.Pair();
        kept.pair.connect(endpoints[0]);
        kept.sub = new zmq.Subscriber();
        kept.sub.connect(endpoints[1]);
        kept.sub.subscribe("topic");
        await kept.pair.send("last words");
      },
      name,
      topics,
    );
    expect(await receiveOne(xpub)).toEqual(["\x01topic"]);
    // What is still under way in a thread goes with it, as with a process.
    await until(() => one.readable);
    await mortal.end();
    await until(() => peers(one) === 0);
    expect(drain(one)).toEqual([["last words"]]);
    expect(await receiveOne(xpub)).toEqual(["\x00topic"]);
    const next = pair();
    next.connect(name);
    await next.send("next");
    expect(await receiveOne(one)).toEqual(["next"]);
  });
});

it("a listener of the application's that throws at what it does not know takes no name away", async () => {
  const other = new Thread();
  const name = sockets.endpoint("inproc");
  await other.run(({ zmq, kept }, endpoint) => {
    process.on("workerMessage" as never, () => {
      throw new Error("what is this?");
    });
    process.on("uncaughtException", () => {});
    kept.host = new zmq.Pair({ linger: 0 });
    kept.host.bindSync(endpoint);
  }, name);
  const guest = pair();
  guest.connect(name);
  await guest.send("hello");
  expect(await other.run(async ({ kept }) => String(await kept.host.receive()))).toBe("hello");
  expect(() => pair().bindSync(name)).toThrow("Address already in use");
  await other.end();
});

/** A thread that has a ZAP handler bound, and answers nothing any more. */
async function deafHandler(): Promise<Thread> {
  const mortal = new Thread();
  await mortal.run(({ zmq, kept }) => {
    kept.handler = new zmq.Router();
    kept.handler.bindSync("inproc://zeromq.zap.01");
    // Once it has answered us.
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
  return mortal;
}

describe("a ZAP handler whose thread ends before it has heard a question", () => {
  /** Lets a client come to a server of another thread; says how it fared. */
  const ask = (): Promise<string> =>
    thread.run(async ({ zmq, kept }) => {
      kept.server = new zmq.Pair({ plainServer: true });
      await kept.server.bind("tcp://127.0.0.1:*");
      kept.client = new zmq.Pair({ plainUsername: "joe", plainPassword: "secret", linger: 0 });
      kept.client.connect(kept.server.lastEndpoint);
      for await (const event of kept.server.events) {
        if (event.type.startsWith("handshake")) return `${event.type} ${event.error?.code}`;
      }
      return "nothing";
    });

  it("is not waited for, not even in a thread that has not started it", async () => {
    const mortal = await deafHandler();
    const outcome = ask();
    // Until the question is asked, as a rule; if it is not, there is nobody to be asked.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await mortal.end();
    expect(await outcome).toBe("handshake:error:other ECONNREFUSED");
  });
});

describe("every pattern", () => {
  it("PUSH to PULL: round robin over threads", async () => {
    const push = sockets.open(new Push({ linger: 0 }));
    const name = sockets.endpoint("inproc");
    await push.bind(name);
    for (const it of [thread, other]) {
      await it.run(({ zmq, kept }, endpoint) => {
        kept.socket = new zmq.Pull();
        kept.socket.connect(endpoint);
      }, name);
    }
    await until(() => peers(push) === 2);
    for (let i = 0; i < 10; i++) await push.send(String(i));
    const taken = await Promise.all(
      [thread, other].map((it) =>
        it.run(async ({ kept }) => {
          const texts: string[] = [];
          while (texts.length < 5) texts.push(String(await kept.socket.receive()));
          return texts;
        }),
      ),
    );
    expect(taken.flat().sort()).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
  });

  it("PUB to SUB: what is subscribed to, and what is so later", async () => {
    const pub = sockets.open(new Publisher({ linger: 0 }));
    const name = sockets.endpoint("inproc");
    await thread.run(({ zmq, kept }, endpoint) => {
      kept.socket = new zmq.Subscriber();
      kept.socket.subscribe("a");
      kept.socket.bindSync(endpoint);
    }, name);
    pub.connect(name);
    await until(() => pub.stats().subscriptions === 1);
    await thread.run(({ kept }) => kept.socket.subscribe("b"));
    await until(() => pub.stats().subscriptions === 2);
    for (const topic of ["a", "x", "b"]) await pub.send([topic, "body"]);
    const topics = await thread.run(async ({ kept }) => [
      String((await kept.socket.receive())[0]),
      String((await kept.socket.receive())[0]),
    ]);
    expect(topics).toEqual(["a", "b"]);
  });

  it("REQ to REP, and DEALER to ROUTER: each is called by its name", async () => {
    const rep = sockets.open(new Reply({ linger: 0 }));
    const router = sockets.open(new Router({ linger: 0, mandatory: true }));
    const [questions, calls] = [sockets.endpoint("inproc"), sockets.endpoint("inproc")];
    await rep.bind(questions);
    await router.bind(calls);
    const answer = thread.run(
      async ({ zmq, kept }, ...endpoints) => {
        kept.req = new zmq.Request();
        kept.req.connect(endpoints[0]);
        kept.dealer = new zmq.Dealer({ routingId: "called" });
        kept.dealer.connect(endpoints[1]);
        await kept.req.send("question");
        return String(await kept.req.receive());
      },
      questions,
      calls,
    );
    expect(await receiveOne(rep)).toEqual(["question"]);
    await rep.send("answer");
    expect(await answer).toBe("answer");
    await until(() => peers(router) === 1);
    expect(String(router.stats().peers[0]?.routingId)).toBe("called");
    await router.send(["called", "hello"]);
    await thread.run(async ({ kept }) => kept.dealer.send(await kept.dealer.receive()));
    expect(await receiveOne(router)).toEqual(["called", "hello"]);
  });

  it("from thread to thread, past this one", async () => {
    const name = sockets.endpoint("inproc");
    await thread.run(({ zmq, kept }, endpoint) => {
      kept.socket = new zmq.Dealer({ linger: 0 });
      kept.socket.bindSync(endpoint);
    }, name);
    await other.run(async ({ zmq, kept }, endpoint) => {
      kept.socket = new zmq.Dealer({ linger: 0 });
      kept.socket.connect(endpoint);
      await kept.socket.send(["from", "other"]);
    }, name);
    expect(await thread.run(async ({ kept }) => (await kept.socket.receive()).map(String))).toEqual(
      ["from", "other"],
    );
  });
});

it("a PULL receives from its own thread and from others", async () => {
  const pull = sockets.open(new Pull({ linger: 0 }));
  const name = sockets.endpoint("inproc");
  await pull.bind(name);
  const near = sockets.open(new Push({ linger: 0 }));
  near.connect(name);
  await near.send("near");
  await thread.run(async ({ zmq, kept }, endpoint) => {
    kept.socket = new zmq.Push();
    kept.socket.connect(endpoint);
    await kept.socket.send("far");
  }, name);
  const texts = [await receiveOne(pull), await receiveOne(pull)].flat();
  expect(texts.sort()).toEqual(["far", "near"]);
  const dealer = sockets.open(new Dealer({ linger: 0 }));
  expect(dealer.context).toBe(context);
});
