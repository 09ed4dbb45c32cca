/**
 * What many subscriptions of one subscriber cost its publisher, through a library with npm zeromq's API.
 *
 *   node subscriptions.mjs publish|subscribe ENDPOINT SUBSCRIPTIONS MILLISECONDS LIBRARY
 *
 * The publisher binds, and weighs what it holds before and after. Then it publishes for so long what nobody is
 * subscribed to, though its topic differs from one in the last octet only, and for as long what is subscribed to:
 * all topics in turn, far from each other. Of that the subscriber checks that it comes, whole and in order.
 */
import {
  beside,
  checkDone,
  cpuSeconds,
  fail,
  greetUntil,
  load,
  ready,
  report,
  sendAgain,
  weigh,
} from "./child.mjs";

const [role, endpoint, subscriptionsText, millisText, library] = process.argv.slice(2);
const subscriptions = Number(subscriptionsText);
const durationMs = Number(millisText);

const size = 100;
/** Bodies that take turns: more than 10,000, so that each of as many topics is published; a prime. */
const ring = 10_007;
/** From one topic to the next that is published: no neighbour in any order. */
const stride = 7_919;
/** How many messages go out between two looks at the clock. */
const clockEvery = 256;
/** A part of the time goes by untimed: the compiler's warm-up. */
const warmUpShare = 0.25;

const ZMQ_SNDHWM = 23;
/** The last message: how many came before it. */
const end = "end ";

const { Pair, Publisher, Subscriber } = await load(library);
const answers = new Pair();
if (role === "publish") await publishAll();
else await subscribeAll();
answers.close();

async function publishAll() {
  const socket = new Publisher({ noDrop: true });
  // Ours has a bound on what a peer may subscribe to, below a million.
  if ("maxSubscriptions" in socket) socket.maxSubscriptions = 0;
  await socket.bind(endpoint);
  await answers.bind(beside(endpoint));
  const misses = makeBodies(".");
  const hits = makeBodies("/");
  const rest = await weigh();
  ready(socket.lastEndpoint, answers.lastEndpoint);

  await greetUntil(answers.receive(), socket, topicAt(0, "/"));
  const start = performance.now();
  await greetUntil(answers.receive(), socket, topicAt(subscriptions - 1, "/"));
  const subscribeSeconds = (performance.now() - start) / 1e3;
  const full = await weigh();

  const miss = await publishFor(socket, misses);
  const hit = await publishFor(socket, hits);
  await socket.send([topicAt(0, "/"), end + hit.total]);
  checkDone(await answers.receive());
  report({
    subscribeSeconds,
    rssBytes: full.rss - rest.rss,
    heapBytes: full.heap - rest.heap,
    missNanos: miss.nanos,
    missCpuNanos: miss.cpuNanos,
    hitNanos: hit.nanos,
    hitCpuNanos: hit.cpuNanos,
    hits: hit.total,
  });
  socket.close();
}

async function publishFor(socket, bodies) {
  const warmUp = await send(socket, bodies, 0, durationMs * warmUpShare);
  const cpuAtRest = cpuSeconds();
  const start = performance.now();
  const total = await send(socket, bodies, warmUp, durationMs);
  const count = total - warmUp;
  return {
    total,
    nanos: ((performance.now() - start) / count) * 1e6,
    cpuNanos: ((cpuSeconds() - cpuAtRest) / count) * 1e9,
  };
}

/** Publishes for so long, from message `index` on; returns the number of the next one. */
async function send(socket, bodies, index, millis) {
  const endAt = performance.now() + millis;
  let next = index % ring;
  while (performance.now() < endAt) {
    for (const last = index + clockEvery; index < last; index++) {
      try {
        await socket.send(bodies[next]);
      } catch (error) {
        await sendAgain(socket, bodies[next], error);
      }
      if (++next === ring) next = 0;
    }
  }
  return index;
}

async function subscribeAll() {
  const [address, answerAddress] = endpoint.split(",");
  const socket = new Subscriber();
  neverLoseSubscriptions(socket);
  socket.connect(address);
  answers.connect(answerAddress);

  // Once connected a publisher hears of topics in the order in which they are subscribed to: the last is the last.
  socket.subscribe(topicAt(0, "/"));
  await socket.receive();
  await answers.send("connected");
  for (let number = 1; number < subscriptions; number++) socket.subscribe(topicAt(number, "/"));
  await receiveLast(socket);
  await answers.send("subscribed");

  const hits = makeBodies("/");
  let parts = await afterGreetings(socket);
  let count = 0;
  for (; parts.length === 1; parts = await socket.receive()) {
    const body = hits[count % ring];
    if (!body.equals(parts[0])) fail(`message ${count}: ${parts[0].toString("latin1", 0, 16)}`);
    count++;
  }
  if (parts[1].toString() !== end + count) fail(`${count} messages came, ${parts[1]} were sent`);
  await answers.send("done");
  report({});
  socket.close();
}

/** libzmq loses those that find no room on their way to the publisher. With us they need none: we know no such option. */
function neverLoseSubscriptions(socket) {
  try {
    socket.setInt32Option(ZMQ_SNDHWM, 0);
  } catch (error) {
    if (error.code !== "EINVAL") throw error;
  }
}

async function receiveLast(socket) {
  const last = topicAt(subscriptions - 1, "/");
  for (;;) {
    const [body] = await socket.receive();
    if (body.toString("latin1") === last) return;
  }
}

async function afterGreetings(socket) {
  for (;;) {
    const parts = await socket.receive();
    if (parts.length > 1 || parts[0].length === size) return parts;
  }
}

/** As many bodies as the ring has, each with its place in it; `last` ends their topics. */
function makeBodies(last) {
  return Array.from({ length: ring }, (_, index) => {
    const body = Buffer.alloc(size);
    const topic = topicAt((index * stride) % subscriptions, last);
    body.writeUInt32LE(index, body.write(topic, "latin1"));
    return body;
  });
}

/** All of one length, so none begins with another. */
function topicAt(number, last) {
  return `prices/${String(number).padStart(7, "0")}${last}`;
}
