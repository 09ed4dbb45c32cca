/** What nobody has any more goes; what somebody waits for stays. */
import { createServer } from "node:net";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Context } from "../../src/socket/context.js";
import { Pair } from "../../src/socket/pair.js";
import { Publisher } from "../../src/socket/pub.js";
import { Reply } from "../../src/socket/rep.js";
import { Request } from "../../src/socket/req.js";
import { Subscriber } from "../../src/socket/sub.js";
import { maker, receive, saturate } from "../support/patterns.js";
import { freePort } from "../support/ports.js";
import { Sockets, TRANSPORTS, type Transport, turns, until } from "../support/sockets.js";

const sockets = new Sockets();

afterEach(() => sockets.close());
afterAll(() => sockets.end());

/**
 * Collects until `done`: finalizers are called some time after what they are for has gone. What a WeakRef was
 * made of, or showed to be alive, stays until that job is over, as the language has it: so each collection
 * has a turn of its own. One in the same job as the last look would never find anything.
 */
async function collectUntil(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    await turns(1);
    globalThis.gc?.();
    await turns(1);
    if (await done()) return;
  }
  throw new Error("It is not collected");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

it("an idle socket goes with its context, and gives up where it was bound", async () => {
  const port = await freePort();
  const refs = await (async () => {
    const context = new Context();
    const one = new Pair({ context });
    await one.bind(`tcp://127.0.0.1:${port}`);
    return [new WeakRef(context), new WeakRef(one)];
  })();
  expect(await isFree(port)).toBe(false);
  await collectUntil(() => refs.every((ref) => ref.deref() === undefined));
  await collectUntil(() => isFree(port));
});

it("a socket that somebody waits for a message of stays", async () => {
  const port = await freePort();
  const received = (() => {
    const one = new Pair({ linger: 0 });
    one.bindSync(`tcp://127.0.0.1:${port}`);
    return one.receive();
  })();
  for (let i = 0; i < 20; i++) {
    globalThis.gc?.();
    await turns(1);
  }
  const other = sockets.pair();
  other.connect(`tcp://127.0.0.1:${port}`);
  await other.send("still there");
  expect((await received).map(String)).toEqual(["still there"]);
});

/** A message of parts of each kind: on V8's own heap, in a segment, in memory of their own. */
const message = (): Buffer[] => [10, 1000, 100_000].map((size) => Buffer.alloc(size, "x"));

/** Weak references to parts, and to the memory of those that are large. */
function refsTo(...messages: Buffer[][]): WeakRef<object>[] {
  const parts = messages.flat();
  const memory = parts.filter(({ length }) => length > 10_000).map(({ buffer }) => buffer);
  return [...parts, ...memory].map((it) => new WeakRef(it));
}

/** Makes sockets that are connected over a transport; then sends and receives, and forgets what. */
type Way = (transport: Transport) => Promise<() => Promise<WeakRef<object>[]>>;

const pair = maker(sockets, Pair);
const pub = maker(sockets, Publisher);
const sub = maker(sockets, Subscriber);

async function joined(transport: Transport, options = {}): Promise<[Pair, Pair]> {
  const [one, other] = [pair(options), pair(options)];
  await sockets.join(transport, one, other);
  return [one, other];
}

const WAYS: Record<string, Way> = {
  "at once": async (transport) => {
    const [one, other] = await joined(transport);
    return async () => {
      const sent = message();
      await other.send(sent);
      return refsTo(sent, await one.receive());
    };
  },
  "received by a call that waits": async (transport) => {
    const [one, other] = await joined(transport);
    return async () => {
      const call = one.receive();
      const sent = message();
      await other.send(sent);
      return refsTo(sent, await call);
    };
  },
  "sent by a call that waits": async (transport) => {
    const [one, other] = await joined(transport, { sendHighWaterMark: 1, receiveHighWaterMark: 1 });
    const before = await saturate(other, Buffer.alloc(1_000_000));
    return async () => {
      const sent = message();
      const call = other.send(sent);
      await receive(one, before);
      await call;
      return refsTo(sent, await one.receive());
    };
  },
  "given up by a call that waits": async (transport) => {
    const [, other] = await joined(transport, { sendHighWaterMark: 1, receiveHighWaterMark: 1 });
    await saturate(other, Buffer.alloc(1_000_000));
    return async () => {
      const given = message();
      const controller = new AbortController();
      const call = other.send(given, { signal: controller.signal });
      controller.abort();
      await expect(call).rejects.toThrow();
      return refsTo(given);
    };
  },
  "published to several": async (transport) => {
    const [one, others] = [pub(), [sub(), sub()]];
    for (const it of others) it.subscribe("");
    await sockets.join(transport, one, ...others);
    for (const it of others) {
      await until(() => one.trySend("subscribed?") && it.tryReceive() !== undefined);
    }
    return async () => {
      const sent = message();
      await one.send(sent);
      const received: Buffer[][] = [];
      for (const it of others) {
        let parts = await it.receive();
        while (parts.length === 1) parts = await it.receive();
        received.push(parts);
      }
      return refsTo(sent, ...received);
    };
  },
  "asked and answered": async (transport) => {
    const [one, other] = [sockets.open(new Reply({ linger: 0 })), sockets.open(new Request())];
    await sockets.join(transport, one, other);
    return async () => {
      const [question, answer] = [message(), message()];
      await other.send(question);
      const asked = await one.receive();
      await one.send(answer);
      return refsTo(question, answer, asked, await other.receive());
    };
  },
};

describe.each(TRANSPORTS)("over %s: what was sent, and what was received, goes", (transport) => {
  it.each(Object.entries(WAYS))("%s", async (_, way) => {
    const run = await way(transport);
    const refs = await run();
    await collectUntil(() => refs.every((ref) => ref.deref() === undefined));
  });
});
