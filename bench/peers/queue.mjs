/**
 * What messages cost that wait: a PULL of a library with npm zeromq's API that has no high-water mark, and is not read.
 *
 *   node queue.mjs hold ENDPOINT SIZE COUNT LIBRARY
 *   node queue.mjs fill ENDPOINT SIZE COUNT LIBRARY
 *
 * The holder weighs itself when COUNT messages wait, then takes them all. A library
 * that cannot say how many wait is given until its memory has stopped growing.
 */
import { setTimeout as pause } from "node:timers/promises";
import { fail, load, ready, report, weigh } from "./child.mjs";

const [role, endpoint, sizeText, countText, library] = process.argv.slice(2);
const size = Number(sizeText);
const count = Number(countText);

const lookMs = 50;
const stillFor = 20;

const { Pull, Push } = await load(library);
if (role === "hold") await hold();
else await fill();

async function hold() {
  const socket = new Pull({ receiveHighWaterMark: 0 });
  await socket.bind(endpoint);
  const rest = await weigh();
  ready(socket.lastEndpoint);
  await allAreThere(socket);
  const { rss, heap } = await weigh();

  const start = performance.now();
  for (let index = 0; index < count; index++) {
    const [body] = await socket.receive();
    if (body.length !== size) fail(`message ${index}: ${body.length} bytes`);
  }
  const seconds = (performance.now() - start) / 1e3;
  report({
    count,
    rssBytes: (rss - rest.rss) / count,
    heapBytes: (heap - rest.heap) / count,
    receiveNanos: (seconds / count) * 1e9,
  });
  socket.close();
  process.exit(0);
}

async function allAreThere(socket) {
  if (socket.stats !== undefined) {
    while (socket.stats().receive.messages < count) await pause(lookMs);
    return;
  }
  let largest = 0;
  for (let still = 0; still < stillFor; still++) {
    await pause(lookMs);
    const { rss } = process.memoryUsage();
    if (rss > largest) still = 0;
    largest = Math.max(rss, largest);
  }
}

async function fill() {
  const socket = new Push({ linger: -1 });
  socket.connect(endpoint);
  const body = Buffer.alloc(size, 1);
  for (let index = 0; index < count; index++) await socket.send(body);
  report({});
  socket.close();
}
