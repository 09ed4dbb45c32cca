import { Socket as Stream } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";
import { Pair } from "../../src/socket/pair.js";
import { Sockets } from "../support/sockets.js";

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

it.each([
  ["small", 1000, 10_000],
  ["large", 100_000, 300],
])("a queue of %s messages leaves a few writes at a time", async (_, size, count) => {
  let written = 0;
  const write = vi.spyOn(Stream.prototype, "write");
  write.mockImplementation(function (this: Stream, ...all) {
    written += (all[0] as Uint8Array).length;
    now += WRITE_MS;
    return Duplex.prototype.write.apply(this, all as Parameters<Duplex["write"]>);
  });
  const client = sockets.open(new Pair({ linger: 0, sendHighWaterMark: 0 }));
  const server = sockets.open(new Pair({ linger: 0, receiveHighWaterMark: 0 }));
  await server.bind("tcp://127.0.0.1:*");
  client.connect(server.lastEndpoint as string);
  const message = Buffer.alloc(size);
  for (let i = 0; i < count; i++) expect(client.trySend(message)).toBe(true);
  expect(written).toBe(0);
  const delays: number[] = [];
  while (server.stats().receive.messages < count) {
    const before = now;
    await new Promise((resolve) => setImmediate(resolve));
    delays.push(now - before);
  }
  expect(written).toBeGreaterThan(size * count);
  expect(Math.max(...delays)).toBeLessThanOrEqual(DELAY_MAX_MS);
});
