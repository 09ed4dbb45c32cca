/**
 * Throughput of PAIR, or of PUSH to PULL, through a library with npm zeromq's API.
 *
 *   node thr.mjs receive|send ENDPOINT SIZE COUNT RING FRAMES pair|pipeline null|curve LIBRARY await|iterate|try
 *
 * The receiver binds, checks length and order of every message, and times from the first to the last; then it answers
 * "done", which ends the sender: no figure hangs on how a library lingers.
 */
import {
  beside,
  checkDone,
  checkMessage,
  cpuSeconds,
  load,
  makeRing,
  ready,
  report,
  security,
} from "./child.mjs";

const [
  role,
  endpoint,
  sizeText,
  countText,
  ringText,
  framesText,
  pattern,
  mechanism,
  library,
  api,
] = process.argv.slice(2);
const size = Number(sizeText);
const count = Number(countText);
const ring = Number(ringText);
const frames = Number(framesText);

const loops = {
  await: { receive: receiveAwaiting, send: sendAwaiting },
  iterate: { receive: receiveIterating, send: sendAwaiting },
  try: { receive: receiveDraining, send: sendDraining },
};

const { Pair, Push, Pull } = await load(library);
const types = {
  pair: { receive: Pair, send: Pair },
  pipeline: { receive: Pull, send: Push },
};
const socket = new types[pattern][role](security[mechanism][role]);
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
  const messages = makeRing(size, ring, frames);
  const [address, answerAddress] = endpoint.split(",");
  socket.connect(address);
  if (answers !== socket) answers.connect(answerAddress);
  const cpuAtRest = cpuSeconds();
  await loops[api].send(messages);
  checkDone(await answers.receive());
  report({ cpuSeconds: cpuSeconds() - cpuAtRest });
}

async function receiveAwaiting() {
  let start = 0;
  let expected = 0;
  for (let index = 0; index < count; index++) {
    const message = await socket.receive();
    if (index === 0) start = performance.now();
    checkMessage(message, size, frames, expected, index);
    if (++expected === ring) expected = 0;
  }
  return start;
}

async function receiveIterating() {
  let start = 0;
  let expected = 0;
  let index = 0;
  for await (const message of socket) {
    if (index === 0) start = performance.now();
    checkMessage(message, size, frames, expected, index);
    if (++expected === ring) expected = 0;
    if (++index === count) break;
  }
  return start;
}

async function sendAwaiting(messages) {
  let next = 0;
  for (let index = 0; index < count; index++) {
    await socket.send(messages[next]);
    if (++next === ring) next = 0;
  }
}

/** Takes what is there without a promise, and waits only when nothing is. */
async function receiveDraining() {
  let start = 0;
  let expected = 0;
  for (let index = 0; index < count; index++) {
    const message = socket.tryReceive() ?? (await socket.receive());
    if (index === 0) start = performance.now();
    checkMessage(message, size, frames, expected, index);
    if (++expected === ring) expected = 0;
  }
  return start;
}

/** Hands over what fits without a promise, and waits with one message when nothing does. */
async function sendDraining(messages) {
  let next = 0;
  for (let index = 0; index < count; index++) {
    if (!socket.trySend(messages[next])) await socket.send(messages[next]);
    if (++next === ring) next = 0;
  }
}
