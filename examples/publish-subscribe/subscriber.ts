/**
 * Publish and subscribe, the side that subscribes: receives what begins with one of its topics, and
 * nothing else.
 *
 *   npx tsx examples/publish-subscribe/subscriber.ts ENDPOINT TOPIC...
 *
 * Start publisher.ts on the same endpoint. Its topics are rome and oslo; three messages of each come.
 */
import { Subscriber } from "purezmq";

const [endpoint, ...topics] = process.argv.slice(2);
if (endpoint === undefined || topics.length === 0) {
  throw new Error("usage: subscriber.ts ENDPOINT TOPIC...");
}

const socket = new Subscriber();
socket.connect(endpoint);
socket.subscribe(...topics);

let left = 3 * topics.length;
for await (const [topic, time, temperature] of socket) {
  console.log(`${topic} ${time}: ${temperature}`);
  left -= 1;
  if (left === 0) break;
}
socket.close();
