/**
 * Throughput of PAIR from socket to socket in one thread, through a library with npm zeromq's API.
 *
 *   node inproc.mjs SIZE COUNT RING LIBRARY await|try
 */
import { checkBody, cpuSeconds, load, makeRing, report } from "./child.mjs";

const [sizeText, countText, ringText, library, api] = process.argv.slice(2);
const size = Number(sizeText);
const count = Number(countText);
const ring = Number(ringText);

const loops = {
  await: { receive: receiveAwaiting, send: sendAwaiting },
  try: { receive: receiveDraining, send: sendDraining },
};

const { Pair } = await load(library);
const receiver = new Pair();
const sender = new Pair();
await receiver.bind("inproc://bench");
sender.connect("inproc://bench");
const bodies = makeRing(size, ring);
const cpuAtRest = cpuSeconds();
const [start] = await Promise.all([loops[api].receive(), loops[api].send()]);
const seconds = (performance.now() - start) / 1e3;
report({ seconds, cpuSeconds: cpuSeconds() - cpuAtRest });
sender.close();
receiver.close();

async function receiveAwaiting() {
  let start = 0;
  let expected = 0;
  for (let index = 0; index < count; index++) {
    const [body] = await receiver.receive();
    if (index === 0) start = performance.now();
    checkBody(body, size, expected, index);
    if (++expected === ring) expected = 0;
  }
  return start;
}

async function sendAwaiting() {
  let next = 0;
  for (let index = 0; index < count; index++) {
    await sender.send(bodies[next]);
    if (++next === ring) next = 0;
  }
}

async function receiveDraining() {
  let start = 0;
  let expected = 0;
  for (let index = 0; index < count; index++) {
    const [body] = receiver.tryReceive() ?? (await receiver.receive());
    if (index === 0) start = performance.now();
    checkBody(body, size, expected, index);
    if (++expected === ring) expected = 0;
  }
  return start;
}

async function sendDraining() {
  let next = 0;
  for (let index = 0; index < count; index++) {
    if (!sender.trySend(bodies[next])) await sender.send(bodies[next]);
    if (++next === ring) next = 0;
  }
}
