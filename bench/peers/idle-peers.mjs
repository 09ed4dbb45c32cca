/**
 * What connected peers cost that say nothing: a ROUTER of a library with npm zeromq's API, its peers bare sockets; or
 * a server of bare sockets.
 *
 *   node idle-peers.mjs hold ENDPOINT COUNTS LIBRARY|bare
 *   node idle-peers.mjs dial ENDPOINT COUNTS LIBRARY|bare
 *
 * COUNTS is a list with commas, ascending: so many peers there are, one after the other. Each peer does the handshake
 * of ZMTP 3.1, and is there when its PING has been answered. The last of each lot says so; once the others have been
 * weighed, its messages are echoed, one at a time.
 */
import { once } from "node:events";
import { createServer, connect as netConnect } from "node:net";
import { fail, load, ready, report, weigh } from "./child.mjs";

const [role, endpoint, countsText, library] = process.argv.slice(2);
const counts = countsText.split(",").map(Number);

/** So many dial at a time: the listener's backlog is 100. */
const lot = 50;

const greeting = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1]),
  Buffer.from("NULL".padEnd(20 + 32, "\0")),
]);
const handshake = command("READY", property("Socket-Type", "DEALER"));
const ping = command("PING", Buffer.from([0, 0]));
const hello = Buffer.from("\0\x05hello", "latin1");
const farewell = "bye!!";

const isBare = library === "bare";
/** Round trips of one peer beside so many others; as many untimed ones first. */
const roundTrips = 2_000;

if (role === "dial") await dial();
else if (isBare) await holdBare();
else await hold();

async function hold() {
  const { Router } = await load(library);
  const socket = new Router();
  await socket.bind(endpoint);
  const weighPeers = await scales();
  ready(socket.lastEndpoint);
  const levels = [];
  for (const count of counts) {
    const hello = await socket.receive();
    levels.push(await weighPeers(count));
    await socket.send(hello);
    for (let index = 0; index < 2 * roundTrips; index++) await socket.send(await socket.receive());
  }
  report({ levels });
  socket.close();
}

async function holdBare() {
  const weighPeers = await scales();
  const levels = [];
  const peers = new Set();
  const server = createServer({ noDelay: true }, (peer) => {
    peers.add(peer);
    let isWeighed = false;
    peer.on("error", (error) => fail(error.message));
    peer.on("data", async (octets) => {
      if (!isWeighed) levels.push(await weighPeers(peers.size));
      isWeighed = true;
      peer.write(octets);
      if (levels.length === counts.length && octets.toString("latin1").endsWith(farewell)) {
        report({ levels });
        process.exit(0);
      }
    });
  });
  server.listen(0, "127.0.0.1", () => ready(`tcp://127.0.0.1:${server.address().port}`));
}

/** Weighs what there is for so many peers, each time. */
async function scales() {
  const rest = await weigh();
  return async (count) => {
    const { rss, heap } = await weigh();
    return { count, rssBytes: (rss - rest.rss) / count, heapBytes: (heap - rest.heap) / count };
  };
}

async function dial() {
  let last;
  let connected = 0;
  const levels = [];
  for (const count of counts) {
    while (connected < count) {
      const dials = Array.from({ length: Math.min(lot, count - connected) }, dialOne);
      const peers = await Promise.all(dials);
      connected += peers.length;
      last = peers.at(-1);
    }
    await echoed(last, hello);
    for (let index = 0; index < roundTrips; index++) await echoed(last, hello);
    const start = performance.now();
    for (let index = 1; index < roundTrips; index++) await echoed(last, hello);
    const micros = ((performance.now() - start) / (roundTrips - 1)) * 1e3;
    levels.push({ count, roundTripMicros: micros });
    await echoed(last, Buffer.from(`\0\x05${farewell}`, "latin1"));
  }
  report({ levels });
  process.exit(0);
}

async function echoed(peer, octets) {
  const answer = heard(peer, octets.toString("latin1"));
  peer.write(octets);
  await answer;
}

async function dialOne() {
  const { host, port } = endpoint.match(/^tcp:\/\/(?<host>[^:]+):(?<port>\d+)$/).groups;
  const peer = netConnect({ host, port });
  peer.on("error", (error) => fail(error.message));
  peer.setEncoding("latin1");
  if (isBare) {
    await once(peer, "connect");
    return peer;
  }
  peer.write(Buffer.concat([greeting, handshake]));
  // libzmq hangs up on who sends more than the handshake before it has sent its own.
  await heard(peer, "READY");
  peer.write(ping);
  await heard(peer, "PONG");
  return peer;
}

/** Reads until the peer's other end has said so. */
function heard(peer, text) {
  return new Promise((resolve) => {
    let all = "";
    peer.on("data", function listen(octets) {
      all += octets;
      if (!all.includes(text)) return;
      peer.off("data", listen);
      resolve();
    });
  });
}

function command(name, data) {
  const body = Buffer.concat([Buffer.from([name.length]), Buffer.from(name), data]);
  return Buffer.concat([Buffer.from([0x04, body.length]), body]);
}

function property(name, value) {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(value.length);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), size, Buffer.from(value)]);
}
