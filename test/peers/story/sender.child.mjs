// The story's sender, on ours: node sender.child.mjs ENDPOINT COUNT
// Binds a PAIR with a high-water mark of one, prints `ready`, and sends 1,000,000-byte messages.
import { Pair } from "purezmq";
import { Reporter } from "./ticker.mjs";

const [endpoint, count] = [process.argv[2], Number(process.argv[3])];
const socket = new Pair({ sendHighWaterMark: 1, sendTimeout: 20_000 });
await socket.bind(endpoint);
process.stdout.write("ready\n");
const body = Buffer.alloc(1_000_000);
const reporter = new Reporter();
for (let number = 1; number <= count; number++) {
  await socket.send(body);
  reporter.message(number, body.length, count);
}
socket.close();
