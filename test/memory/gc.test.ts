/** What nobody has any more goes; what somebody waits for stays. */
import { createServer } from "node:net";
import { afterEach, expect, it } from "vitest";
import { Context } from "../../src/socket/context.js";
import { Pair } from "../../src/socket/pair.js";
import { receiveOne } from "../support/patterns.js";
import { freePort } from "../support/ports.js";
import { Sockets } from "../support/sockets.js";

const sockets = new Sockets();

afterEach(() => sockets.close());

/** Collects until `done`: finalizers are called some time after what they are for has gone. */
async function collectUntil(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
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
    await new Promise((resolve) => setImmediate(resolve));
  }
  const other = sockets.pair();
  other.connect(`tcp://127.0.0.1:${port}`);
  await other.send("still there");
  expect((await received).map(String)).toEqual(["still there"]);
});

it("what was received goes when it is let go", async () => {
  const [one, other] = await sockets.connected("tcp");
  const refs = await (async () => {
    await other.send([Buffer.alloc(10), Buffer.alloc(1000), Buffer.alloc(100_000)]);
    return (await one.receive()).map((part) => new WeakRef(part));
  })();
  // Small parts share memory with those that come after them.
  for (let i = 0; i < 20; i++) {
    await other.send(Buffer.alloc(1000));
    await receiveOne(one);
  }
  await collectUntil(() => refs.every((ref) => ref.deref() === undefined));
});
