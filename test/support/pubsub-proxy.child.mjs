// A proxy that has nothing to do, and what it means to the end of the process. It says what happens,
// and ends by itself.
import { writeSync } from "node:fs";
import * as zmq from "../../dist/esm/module/index.js";

function say(text) {
  writeSync(1, `${text}\n`);
}

const [front, back] = [new zmq.Pull(), new zmq.Push()];
front.bindSync("tcp://127.0.0.1:*");
back.bindSync("tcp://127.0.0.1:*");
const proxy = new zmq.Proxy(front, back);

// It does not hold the process itself, so it rings only if something else does.
setTimeout(() => {
  say("held");
  proxy.terminate();
}, 200).unref();

process.once("exit", () => say(`closed ${front.closed} ${back.closed}`));
await proxy.run();
say("done");
