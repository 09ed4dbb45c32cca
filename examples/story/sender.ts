/**
 * The sender of the story: binds, and sends 1,000,000-byte messages for as long as somebody takes
 * them. With a high-water mark of one, `send` waits whenever the receiver is behind.
 *
 *   npx tsx examples/story/sender.ts ENDPOINT
 */
import { Pair } from "purezmq";

const [endpoint] = process.argv.slice(2);
if (endpoint === undefined) throw new Error("usage: sender.ts ENDPOINT");

const socket = new Pair({ sendHighWaterMark: 1 });
await socket.bind(endpoint);

const body = Buffer.alloc(1_000_000, "0");
for (;;) await socket.send(body);
