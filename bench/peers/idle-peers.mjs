/**
 * What connected peers cost that say nothing: a ROUTER of a library with npm zeromq's API, its peers bare sockets.
 *
 *   node idle-peers.mjs hold ENDPOINT COUNTS LIBRARY
 *   node idle-peers.mjs dial ENDPOINT COUNTS
 *
 * COUNTS is a list with commas, ascending: so many peers there are, one after the other. Each peer does the handshake
 * of ZMTP 3.1, and is there when its PING has been answered. The last of each lot says so, and is answered.
 */
import { connect as netConnect } from "node:net";
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

if (role === "hold") await hold();
else await dial();

async function hold() {
  const { Router } = await load(library);
  const socket = new Router();
  await socket.bind(endpoint);
  const rest = await weigh();
  ready(socket.lastEndpoint);
  const levels = [];
  for (const count of counts) {
    const [peer, text] = await socket.receive();
    if (text.toString() !== "hello") fail(`the last peer said ${text}`);
    const { rss, heap } = await weigh();
    levels.push({
      count,
      rssBytes: (rss - rest.rss) / count,
      heapBytes: (heap - rest.heap) / count,
    });
    await socket.send([peer, "weighed"]);
  }
  report({ levels });
  socket.close();
}

async function dial() {
  let last;
  let connected = 0;
  for (const count of counts) {
    while (connected < count) {
      const dials = Array.from({ length: Math.min(lot, count - connected) }, dialOne);
      const peers = await Promise.all(dials);
      connected += peers.length;
      last = peers.at(-1);
    }
    last.write(hello);
    await heard(last, "weighed");
  }
  report({});
  process.exit(0);
}

async function dialOne() {
  const { host, port } = endpoint.match(/^tcp:\/\/(?<host>[^:]+):(?<port>\d+)$/).groups;
  const peer = netConnect({ host, port });
  peer.on("error", (error) => fail(error.message));
  peer.setEncoding("latin1");
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
