/**
 * Round trips of one byte through a library with npm zeromq's API: PAIR both ways, or REQ to REP.
 *
 *   node lat.mjs echo|ping ENDPOINT WARM_UP COUNT pair|request LIBRARY
 *
 * The echo binds. The ping times each of COUNT round trips after WARM_UP untimed ones.
 */
import { cpuSeconds, fail, load, ready, report, summarize } from "./child.mjs";

const [role, endpoint, warmUpText, countText, pattern, library] = process.argv.slice(2);
const warmUp = Number(warmUpText);
const count = Number(countText);

const { Pair, Request, Reply } = await load(library);
const types = {
  pair: { echo: Pair, ping: Pair },
  request: { echo: Reply, ping: Request },
};
const socket = new types[pattern][role]();
if (role === "echo") await echo();
else await ping();
socket.close();

async function echo() {
  await socket.bind(endpoint);
  const cpuAtRest = cpuSeconds();
  ready(socket.lastEndpoint);
  for (let index = 0; index < warmUp + count; index++) await socket.send(await socket.receive());
  report({ cpuSeconds: cpuSeconds() - cpuAtRest });
}

async function ping() {
  socket.connect(endpoint);
  for (let index = 0; index < warmUp; index++) await roundTrip(index);
  const millis = new Float64Array(count);
  const cpuAtRest = cpuSeconds();
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await roundTrip(index);
    millis[index] = performance.now() - start;
  }
  report({ ...summarize(millis), cpuSeconds: cpuSeconds() - cpuAtRest });
}

async function roundTrip(index) {
  const byte = index & 0xff;
  await socket.send(Buffer.of(byte));
  const [answer] = await socket.receive();
  if (answer.length !== 1 || answer[0] !== byte)
    fail(`round trip ${index}: sent ${byte}, got ${answer.toString("hex")}`);
}
