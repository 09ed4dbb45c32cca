// The story's receiver, on ours: node receiver.child.mjs ENDPOINT COUNT
// Connects a PAIR with a high-water mark of one, works 2 ms on each message, reports as ticker.mjs says.
import { Pair } from "purezmq";
import { Reporter } from "./ticker.mjs";

const WORK_MS = 2;

const [endpoint, count] = [process.argv[2], Number(process.argv[3])];
const socket = new Pair({ receiveHighWaterMark: 1, receiveTimeout: 20_000 });
socket.connect(endpoint);
const reporter = new Reporter();
for (let number = 1; number <= count; number++) {
  const [body] = await socket.receive();
  const until = performance.now() + WORK_MS;
  while (performance.now() < until);
  reporter.message(number, body.length, count);
}
socket.close();
