import { Socket as Stream } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";
import { Pair } from "../../src/socket/pair.js";
import { Publisher } from "../../src/socket/pub.js";
import { Subscriber } from "../../src/socket/sub.js";
import { Sockets, until } from "../support/sockets.js";

/**
 * Invariant 5, for what nobody calls: a queue that leaves once there is a peer, whose system takes
 * whatever it is given. Turns of the real event loop are counted; the time is what we say that writes
 * take.
 */
const DELAY_MAX_MS = 10;
const WRITE_MS = 2;

const sockets = new Sockets();
let now = performance.now();
vi.spyOn(performance, "now").mockImplementation(() => now);

afterEach(() => sockets.close());

/** Lets writes take their time. */
function slowWrites(): { written: number } {
  const seen = { written: 0 };
  const write = vi.spyOn(Stream.prototype, "write");
  write.mockImplementation(function (this: Stream, ...all) {
    seen.written += (all[0] as Uint8Array).length;
    now += WRITE_MS;
    return Duplex.prototype.write.apply(this, all as Parameters<Duplex["write"]>);
  });
  return seen;
}

it.each([
  ["small", 1000, 10_000],
  ["large", 100_000, 300],
])("a queue of %s messages leaves a few writes at a time", async (_, size, count) => {
  const seen = slowWrites();
  const client = sockets.open(new Pair({ linger: 0, sendHighWaterMark: 0 }));
  const server = sockets.open(new Pair({ linger: 0, receiveHighWaterMark: 0 }));
  await server.bind("tcp://127.0.0.1:*");
  client.connect(server.lastEndpoint as string);
  const message = Buffer.alloc(size);
  for (let i = 0; i < count; i++) expect(client.trySend(message)).toBe(true);
  expect(seen.written).toBe(0);
  const delays: number[] = [];
  while (server.stats().receive.messages < count) {
    const before = now;
    await new Promise((resolve) => setImmediate(resolve));
    delays.push(now - before);
  }
  expect(seen.written).toBeGreaterThan(size * count);
  expect(Math.max(...delays)).toBeLessThanOrEqual(DELAY_MAX_MS);
});

it("what a program sends at once, and the system takes, meets no mark", async () => {
  slowWrites();
  const publisher = sockets.open(new Publisher({ linger: 0, sendHighWaterMark: 10 }));
  const subscriber = sockets.open(new Subscriber({ receiveHighWaterMark: 0 }));
  await publisher.bind("tcp://127.0.0.1:*");
  subscriber.subscribe();
  subscriber.connect(publisher.lastEndpoint as string);
  await until(() => publisher.stats().subscriptions === 1);
  const message = Buffer.alloc(1000);
  for (let i = 0; i < 500; i++) void publisher.send(message);
  await until(() => subscriber.stats().receive.messages === 500);
  expect(publisher.stats().total.messagesDropped).toBe(0);
});
