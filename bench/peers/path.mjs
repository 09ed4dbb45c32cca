/**
 * A PAIR's messages, and what becomes of the time of each side: its own code, the operating system's, collections.
 *
 *   node path.mjs receive|send ENDPOINT SIZE COUNT RING LIBRARY await|try
 */
import { PerformanceObserver } from "node:perf_hooks";
import { checkDone, checkMessage, load, makeRing, ready, report } from "./child.mjs";

const [role, endpoint, sizeText, countText, ringText, library, api] = process.argv.slice(2);
const size = Number(sizeText);
const count = Number(countText);
const ring = Number(ringText);
const drains = api === "try";
/** The compiler's time is not the messages'. */
const warmUp = Math.trunc(count / 4);

let collectionMs = 0;
const collections = new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collectionMs += duration;
});
collections.observe({ entryTypes: ["gc"] });

const { Pair } = await load(library);
const socket = new Pair();
let next = 0;

if (role === "receive") await receiveAll();
else await sendAll();
socket.close();

async function receiveAll() {
  await socket.bind(endpoint);
  ready(socket.lastEndpoint);
  await receive(warmUp);
  const account = open();
  await receive(count);
  report(account());
  await socket.send("done");
}

async function sendAll() {
  const messages = makeRing(size, ring);
  socket.connect(endpoint);
  await send(messages, warmUp);
  const account = open();
  await send(messages, count);
  report(account());
  checkDone(await socket.receive());
}

/** @returns What has been spent since, in seconds. */
function open() {
  const before = process.cpuUsage();
  const collectedMs = collectionMs;
  return () => {
    for (const { duration } of collections.takeRecords()) collectionMs += duration;
    const { user, system } = process.cpuUsage(before);
    return {
      user: user / 1e6,
      system: system / 1e6,
      collections: (collectionMs - collectedMs) / 1e3,
    };
  };
}

async function receive(count) {
  for (let index = 0; index < count; index++) {
    const message = (drains ? socket.tryReceive() : undefined) ?? (await socket.receive());
    checkMessage(message, size, 1, next, index);
    if (++next === ring) next = 0;
  }
}

async function send(messages, count) {
  for (let index = 0; index < count; index++) {
    if (!drains || !socket.trySend(messages[next])) await socket.send(messages[next]);
    if (++next === ring) next = 0;
  }
}
