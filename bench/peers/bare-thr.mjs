/**
 * Bytes through a bare net.Socket: what Node itself can do with the bodies of thr.mjs, no protocol around them.
 *
 *   node bare-thr.mjs receive|send ENDPOINT SIZE COUNT RING
 */

import { connect, listen } from "./bare.mjs";
import { cpuSeconds, fail, makeRing, report } from "./child.mjs";

const [role, endpoint, sizeText, countText, ringText] = process.argv.slice(2);
const size = Number(sizeText);
const count = Number(countText);
const ring = Number(ringText);
const total = size * count;

if (role === "receive") listen(endpoint, receiveAll);
else connect(endpoint, sendAll);

function receiveAll(socket) {
  const cpuAtRest = cpuSeconds();
  let received = 0;
  let start = 0;
  socket.on("data", (chunk) => {
    if (received === 0) start = performance.now();
    checkStamps(chunk, received);
    received += chunk.length;
    if (received < total) return;
    if (received > total) fail(`${received} bytes instead of ${total}`);
    const seconds = (performance.now() - start) / 1e3;
    report({ seconds, cpuSeconds: cpuSeconds() - cpuAtRest });
    socket.end("done");
  });
}

/** Looks at the stamps that lie in this chunk as a whole. */
function checkStamps(chunk, offset) {
  let index = Math.ceil(offset / size);
  for (let at = index * size - offset; at + 4 <= chunk.length; at += size, index++) {
    if (chunk.readUInt32LE(at) !== index % ring)
      fail(`message ${index}: stamp ${chunk.readUInt32LE(at)}`);
  }
}

function sendAll(socket) {
  const bodies = makeRing(size, ring);
  const cpuAtRest = cpuSeconds();
  let sent = 0;
  socket.on("drain", write);
  socket.on("data", () => {
    if (sent < count) fail("an answer before the end");
    report({ cpuSeconds: cpuSeconds() - cpuAtRest });
    socket.end();
  });
  write();

  function write() {
    while (sent < count) if (!socket.write(bodies[sent++ % ring])) return;
  }
}
