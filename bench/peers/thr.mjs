/**
 * Throughput of PAIR, or of PUSH to PULL, through a library with npm zeromq's API.
 *
 *   node thr.mjs receive|send ENDPOINT SIZE COUNT RING pair|pipeline LIBRARY await|try
 *
 * The receiver binds, checks length and order of every message, and times from the first to the last; then it answers
 * "done", which ends the sender: no figure hangs on how a library lingers.
 */
import {
  beside,
  checkBody,
  checkDone,
  cpuSeconds,
  load,
  makeRing,
  ready,
  report,
} from "./child.mjs";

const [role, endpoint, sizeText, countText, ringText, pattern, library, api] =
  process.argv.slice(2);
const size = Number(sizeText);
const count = Number(countText);
const ring = Number(ringText);

const loops = {
  await: { receive: receiveAwaiting, send: sendAwaiting },
  try: { receive: receiveDraining, send: sendDraining },
};

const { Pair, Push, Pull } = await load(library);
const types = {
  pair: { receive: Pair, send: Pair },
  pipeline: { receive: Pull, send: Push },
};
const socket = new types[pattern][role]();
/** What the answer goes through: a PULL cannot say anything. */
const answers = pattern === "pair" ? socket : new Pair();
if (role === "receive") await receiveAll();
else await sendAll();
socket.close();
answers.close();

async function receiveAll() {
  await socket.bind(endpoint);
  if (answers !== socket) await answers.bind(beside(endpoint));
  const cpuAtRest = cpuSeconds();
  ready(socket.lastEndpoint, answers.lastEndpoint);
  const start = await loops[api].receive();
  const seconds = (performance.now() - start) / 1e3;
  const cpu = cpuSeconds() - cpuAtRest;
  await answers.send("done");
  report({ seconds, cpuSeconds: cpu });
}

async function sendAll() {
  const bodies = makeRing(size, ring);
  const [address, answerAddress] = endpoint.split(",");
  socket.connect(address);
  if (answers !== socket) answers.connect(answerAddress);
  const cpuAtRest = cpuSeconds();
  await loops[api].send(bodies);
  checkDone(await answers.receive());
  report({ cpuSeconds: cpuSeconds() - cpuAtRest });
}

async function receiveAwaiting() {
  let start = 0;
  let expected = 0;
  for (let index = 0; index < count; index++) {
    const [body] = await socket.receive();
    if (index === 0) start = performance.now();
    checkBody(body, size, expected, index);
    if (++expected === ring) expected = 0;
  }
  return start;
}

async function sendAwaiting(bodies) {
  let next = 0;
  for (let index = 0; index < count; index++) {
    await socket.send(bodies[next]);
    if (++next === ring) next = 0;
  }
}

/** Takes what is there without a promise, and waits only when nothing is. */
async function receiveDraining() {
  let start = 0;
  let expected = 0;
  for (let index = 0; index < count; index++) {
    const [body] = socket.tryReceive() ?? (await socket.receive());
    if (index === 0) start = performance.now();
    checkBody(body, size, expected, index);
    if (++expected === ring) expected = 0;
  }
  return start;
}

/** Hands over what fits without a promise, and waits with one message when nothing does. */
async function sendDraining(bodies) {
  let next = 0;
  for (let index = 0; index < count; index++) {
    if (!socket.trySend(bodies[next])) await socket.send(bodies[next]);
    if (++next === ring) next = 0;
  }
}
