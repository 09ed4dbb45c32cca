/**
 * A pipeline: tasks go out to workers, one to each in turn, and results come back, in whatever order.
 *
 *   npx tsx examples/pipeline/main.ts TASKS RESULTS [WORKERS]
 *
 * Start worker.ts on the same two endpoints, as often as there shall be WORKERS (2 of them).
 */
import { Pull, Push } from "purezmq";

const count = 100;

const [tasksEndpoint, resultsEndpoint, workers = "2"] = process.argv.slice(2);
if (tasksEndpoint === undefined || resultsEndpoint === undefined) {
  throw new Error("usage: main.ts TASKS RESULTS [WORKERS]");
}

const tasks = new Push();
const results = new Pull();
const { events } = tasks;
await results.bind(resultsEndpoint);
await tasks.bind(tasksEndpoint);

// The first worker to come would get all the work, if nobody waited for the others.
let there = 0;
for await (const { type } of events) {
  if (type === "handshake") there += 1;
  if (there === Number(workers)) break;
}

for (let n = 1; n <= count; n++) await tasks.send(n);

let sum = 0;
for (let n = 1; n <= count; n++) {
  const [square] = await results.receive();
  sum += Number(square);
}
console.log(`the squares of 1 to ${count}, summed up by ${workers} workers: ${sum}`);

// A word for each worker, as it is each one's turn once.
for (let i = 0; i < there; i++) await tasks.send("done");
tasks.close();
results.close();
