/**
 * Round trips of one byte through a bare net.Socket: the floor under lat.mjs.
 *
 *   node bare-lat.mjs echo|ping ENDPOINT WARM_UP COUNT
 */

import { connect, listen } from "./bare.mjs";
import { cpuSeconds, fail, report, summarize } from "./child.mjs";

const [role, endpoint, warmUpText, countText] = process.argv.slice(2);
const warmUp = Number(warmUpText);
const count = Number(countText);

if (role === "echo") listen(endpoint, echo);
else connect(endpoint, ping);

function echo(socket) {
  const cpuAtRest = cpuSeconds();
  socket.on("data", (chunk) => socket.write(chunk));
  socket.on("end", () => report({ cpuSeconds: cpuSeconds() - cpuAtRest }));
}

function ping(socket) {
  const millis = new Float64Array(count);
  let cpuAtRest = 0;
  let index = -warmUp;
  let start = 0;
  socket.on("data", (answer) => {
    if (index >= 0) millis[index] = performance.now() - start;
    if (answer.length !== 1 || answer[0] !== (index & 0xff))
      fail(`round trip ${index}: got ${answer.toString("hex")}`);
    index++;
    if (index < count) return send();
    report({ ...summarize(millis), cpuSeconds: cpuSeconds() - cpuAtRest });
    socket.end();
  });
  send();

  function send() {
    if (index === 0) cpuAtRest = cpuSeconds();
    start = performance.now();
    socket.write(Buffer.of(index & 0xff));
  }
}
