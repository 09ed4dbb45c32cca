/**
 * A worker of the pipeline: takes tasks, and passes results on.
 *
 *   npx tsx examples/pipeline/worker.ts TASKS RESULTS
 *
 * See main.ts.
 */
import { Pull, Push } from "purezmq";

const [tasksEndpoint, resultsEndpoint] = process.argv.slice(2);
if (tasksEndpoint === undefined || resultsEndpoint === undefined) {
  throw new Error("usage: worker.ts TASKS RESULTS");
}

const tasks = new Pull();
const results = new Push();
results.connect(resultsEndpoint);
tasks.connect(tasksEndpoint);

let done = 0;
for await (const [task] of tasks) {
  if (String(task) === "done") break;
  await results.send(Number(task) ** 2);
  done += 1;
}
console.log(`did ${done} tasks`);
tasks.close();
results.close();
