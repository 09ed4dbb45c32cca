/** A thread that does what it is told: runs functions, given as text, with the library and what it keeps. */
import { parentPort, Worker } from "node:worker_threads";
import * as zmq from "../../dist/esm/module/index.js";

const kept = {};

parentPort.on("message", async ({ id, source, args }) => {
  try {
    const run = new Function(`return (${source})`)();
    parentPort.postMessage({ id, value: await run({ zmq, kept, Worker }, ...args) });
  } catch (error) {
    parentPort.postMessage({ id, failure: { code: error.code, message: error.message } });
  }
});
