/**
 * A forwarder: publishers and subscribers know its address and not each other's. Messages go one
 * way, subscriptions the other; a capture socket gets a copy of both. (Capturing is ours alone.)
 *
 *   npx tsx examples/forwarder/forwarder.ts
 *
 * Everything is in one process here; each side may as well be in many, on many machines.
 */
import * as zmq from "purezmq";

const publishers = new zmq.XSubscriber();
const subscribers = new zmq.XPublisher();
await publishers.bind("tcp://127.0.0.1:*");
await subscribers.bind("tcp://127.0.0.1:*");

const capture = new zmq.Push();
const log = new zmq.Pull();
await log.bind("inproc://log");
capture.connect("inproc://log");

const proxy = new zmq.Proxy(publishers, subscribers, { capture });
const proxied = proxy.run();

/** Publishes once somebody has subscribed, and until nobody is subscribed any more. */
async function publish(endpoint: string): Promise<void> {
  const socket = new zmq.XPublisher();
  socket.connect(endpoint);
  await socket.receive();
  for (const price of [70, 75, 80]) {
    await socket.send(["silver", price]);
    await socket.send(["gold", price * 80]);
  }
  await socket.receive();
  socket.close();
}

/** Receives three messages of a topic. */
async function subscribe(endpoint: string, topic: string): Promise<void> {
  const socket = new zmq.Subscriber();
  socket.connect(endpoint);
  socket.subscribe(topic);
  for (let i = 0; i < 3; i++) console.log((await socket.receive()).join(": "));
  socket.close();
}

await Promise.all([
  publish(publishers.lastEndpoint as string),
  subscribe(subscribers.lastEndpoint as string, "gold"),
]);
proxy.terminate();
await proxied;

// What the subscriber did not want never came this far: the publisher itself knew.
for (let parts = log.tryReceive(); parts !== undefined; parts = log.tryReceive()) {
  console.log(`captured ${JSON.stringify(parts.join(": "))}`);
}
capture.close();
log.close();
