/**
 * Publish and subscribe, the side that publishes: each message goes to those who subscribed to its
 * beginning. Who comes late has missed what was sent before, so this one waits for its audience: an
 * XPublisher is a Publisher that receives what is subscribed to.
 *
 *   npx tsx examples/publish-subscribe/publisher.ts ENDPOINT [TOPICS]
 *
 * Start subscriber.ts on the same endpoint, for TOPICS different topics together (2 of them).
 */
import { XPublisher } from "purezmq";

const [endpoint, topics = "2"] = process.argv.slice(2);
if (endpoint === undefined) throw new Error("usage: publisher.ts ENDPOINT [TOPICS]");

const socket = new XPublisher();
await socket.bind(endpoint);

const subscribed: string[] = [];
while (subscribed.length < Number(topics)) {
  const [notice] = (await socket.receive()) as [Buffer];
  // The first byte says what it is: 1 subscribes, 0 cancels.
  if (notice[0] === 1) subscribed.push(String(notice.subarray(1)));
}
console.log(`wanted: ${subscribed.sort().join(", ")}`);

for (const hour of [6, 12, 18]) {
  await socket.send(["oslo", `${hour}:00`, `${hour - 10} degrees`]);
  await socket.send(["rome", `${hour}:00`, `${hour + 10} degrees`]);
}
socket.close();
