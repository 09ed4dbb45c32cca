/**
 * One publisher and many subscribers, all of them in one other process, through a library with npm zeromq's API.
 *
 *   node pubsub.mjs publish|subscribe ENDPOINT SUBSCRIBERS SIZE COUNT RING LIBRARY await|try
 *
 * The publisher binds. With `noDrop` it waits for the slowest, so that nothing is lost. Each subscriber checks length
 * and order of all COUNT messages; the clock runs from the first message that any of them receives to the last of all.
 */
import {
  beside,
  checkBody,
  checkDone,
  cpuSeconds,
  greetUntil,
  load,
  makeRing,
  ready,
  report,
  sendAgain,
} from "./child.mjs";

const [role, endpoint, subscribersText, sizeText, countText, ringText, library, api] =
  process.argv.slice(2);
const subscribers = Number(subscribersText);
const size = Number(sizeText);
const count = Number(countText);
const ring = Number(ringText);

const loops = {
  await: { receive: receiveAwaiting, send: sendAwaiting },
  try: { receive: receiveDraining, send: sendDraining },
};

/** Goes out until all are subscribed. Its length tells it from the messages that count. */
const greeting = "";

const { Pair, Publisher, Subscriber } = await load(library);
const answers = new Pair();
let startedAt = 0;
if (role === "publish") await publishAll();
else await subscribeAll();
answers.close();

async function publishAll() {
  const socket = new Publisher({ noDrop: true });
  await socket.bind(endpoint);
  await answers.bind(beside(endpoint));
  ready(socket.lastEndpoint, answers.lastEndpoint);
  const bodies = makeRing(size, ring);
  await greetUntil(answers.receive(), socket, greeting);

  const cpuAtRest = cpuSeconds();
  await loops[api].send(socket, bodies);
  checkDone(await answers.receive());
  report({ cpuSeconds: cpuSeconds() - cpuAtRest });
  socket.close();
}

async function subscribeAll() {
  const [address, answerAddress] = endpoint.split(",");
  answers.connect(answerAddress);
  const sockets = Array.from({ length: subscribers }, () => subscribe(address));
  await Promise.all(sockets.map((socket) => socket.receive()));
  const cpuAtRest = cpuSeconds();
  await answers.send("all are subscribed");

  await Promise.all(sockets.map((socket) => loops[api].receive(socket)));
  const seconds = (performance.now() - startedAt) / 1e3;
  const cpu = cpuSeconds() - cpuAtRest;
  await answers.send("done");
  report({ seconds, cpuSeconds: cpu });
  for (const socket of sockets) socket.close();
}

function subscribe(address) {
  const socket = new Subscriber();
  socket.subscribe();
  socket.connect(address);
  return socket;
}

async function receiveAwaiting(socket) {
  let body = await firstBody(socket);
  let expected = 0;
  for (let index = 0; ; ) {
    checkBody(body, size, expected, index);
    if (++index === count) return;
    if (++expected === ring) expected = 0;
    [body] = await socket.receive();
  }
}

/** Takes what is there without a promise, and waits only when nothing is. */
async function receiveDraining(socket) {
  let body = await firstBody(socket);
  let expected = 0;
  for (let index = 0; ; ) {
    checkBody(body, size, expected, index);
    if (++index === count) return;
    if (++expected === ring) expected = 0;
    [body] = socket.tryReceive() ?? (await socket.receive());
  }
}

async function firstBody(socket) {
  let body;
  do [body] = await socket.receive();
  while (body.length === greeting.length);
  if (startedAt === 0) startedAt = performance.now();
  return body;
}

async function sendAwaiting(socket, bodies) {
  let next = 0;
  for (let index = 0; index < count; index++) {
    try {
      await socket.send(bodies[next]);
    } catch (error) {
      await sendAgain(socket, bodies[next], error);
    }
    if (++next === ring) next = 0;
  }
}

/** Hands over what fits without a promise, and waits with one message when nothing does. */
async function sendDraining(socket, bodies) {
  let next = 0;
  for (let index = 0; index < count; index++) {
    if (!socket.trySend(bodies[next])) await socket.send(bodies[next]);
    if (++next === ring) next = 0;
  }
}
