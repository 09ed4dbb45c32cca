/**
 * The receiver of the story: large messages, a high-water mark of one, synchronous work on each.
 * Its memory stays flat and its ticker ticks, without a pause or a word about the event loop.
 *
 *   npx tsx examples/story/receiver.ts ENDPOINT [COUNT]
 *
 * Start sender.ts on the same endpoint, for example ipc:///tmp/story.
 */
import { Pair } from "purezmq";

const workMs = 2;
const tickMs = 10;
const reportEvery = 250;

const [endpoint, count = "3000"] = process.argv.slice(2);
if (endpoint === undefined) throw new Error("usage: receiver.ts ENDPOINT [COUNT]");

const socket = new Pair({ receiveHighWaterMark: 1 });
socket.connect(endpoint);

// Ticks are due at fixed times, so that those that the event loop slept through show as lost.
// One millisecond more, because a timer may fire a little early.
const start = performance.now();
const untilNextTick = (): number => tickMs - ((performance.now() - start) % tickMs) + 1;
let ticks = 0;
let ticker = setTimeout(tick, untilNextTick());

let messages = 0;
for await (const [body] of socket) {
  work(body as Buffer);
  messages += 1;
  if (messages % reportEvery === 0 || messages === Number(count)) report();
  if (messages === Number(count)) break;
}
clearTimeout(ticker);
socket.close();

function tick(): void {
  ticks += 1;
  ticker = setTimeout(tick, untilNextTick());
}

/** Stands for what a real program would do with a message. */
function work(body: Buffer): void {
  const end = performance.now() + workMs;
  while (performance.now() < end) body.readUInt8(0);
}

function report(): void {
  const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
  const dueTicks = Math.floor((performance.now() - start) / tickMs);
  console.log(`${messages} messages, ${megabytes} MB, ${ticks} of ${dueTicks} ticks`);
}
