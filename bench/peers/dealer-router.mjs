/**
 * Many DEALER clients in one process, a ROUTER that echoes in another, through a library with npm zeromq's API.
 *
 *   node dealer-router.mjs route|deal ENDPOINT CLIENTS SIZE WARM_UP COUNT LIBRARY
 *
 * The router binds. Each client has one request under way at a time, checks that its answer is what it asked, and does
 * WARM_UP untimed round trips, then COUNT; the clock runs until the last client has done its own.
 */
import { cpuSeconds, fail, load, ready, report } from "./child.mjs";

const [role, endpoint, clientsText, sizeText, warmUpText, countText, library] =
  process.argv.slice(2);
const clients = Number(clientsText);
const size = Number(sizeText);
const warmUp = Number(warmUpText);
const count = Number(countText);

const { Dealer, Router } = await load(library);
if (role === "route") await routeAll();
else await dealAll();

async function routeAll() {
  const socket = new Router();
  await socket.bind(endpoint);
  const cpuAtRest = cpuSeconds();
  ready(socket.lastEndpoint);
  const requests = clients * (warmUp + count);
  for (let index = 0; index < requests; index++) await socket.send(await socket.receive());
  report({ cpuSeconds: cpuSeconds() - cpuAtRest });
  socket.close();
}

async function dealAll() {
  const sockets = Array.from({ length: clients }, connect);
  await everyClient(roundTrips, 0, warmUp);
  const cpuAtRest = cpuSeconds();
  const start = performance.now();
  await everyClient(roundTrips, warmUp, count);
  const seconds = (performance.now() - start) / 1e3;
  report({ seconds, cpuSeconds: cpuSeconds() - cpuAtRest });
  for (const socket of sockets) socket.close();

  function everyClient(run, from, times) {
    return Promise.all(sockets.map((socket, client) => run(socket, client, from, times)));
  }
}

function connect() {
  const socket = new Dealer();
  socket.connect(endpoint);
  return socket;
}

async function roundTrips(socket, client, from, times) {
  for (let index = from; index < from + times; index++) {
    const request = Buffer.alloc(size);
    request.writeUInt32LE(client, 0);
    request.writeUInt32LE(index, 4);
    await socket.send(request);
    const answer = await socket.receive();
    if (answer.length !== 1 || !request.equals(answer[0]))
      fail(`client ${client}, round trip ${index}: got ${answer.length} parts, not what was sent`);
  }
}
