/**
 * The story: 1 MB messages over PAIR with a high-water mark of one on both sides; the receiver works 2 ms on each.
 *
 *   node story.mjs send|receive ENDPOINT SIZE COUNT RING LIBRARY
 *
 * The sender binds, as in the story. The receiver watches its memory and its ticker.
 */
import { checkBody, fail, load, makeRing, ready, report } from "./child.mjs";
import { startTicker } from "./ticker.mjs";

const workMs = 2;
const restMs = 300;
/** Of what is told of the run's course. */
const points = 100;

const [role, endpoint, sizeText, countText, ringText, library] = process.argv.slice(2);
const size = Number(sizeText);
const count = Number(countText);
const ring = Number(ringText);

const { Pair } = await load(library);
const socket = new Pair({ sendHighWaterMark: 1, receiveHighWaterMark: 1 });
if (role === "send") await sendAll();
else await receiveAll();
socket.close();

async function sendAll() {
  const bodies = makeRing(size, ring);
  await socket.bind(endpoint);
  ready(socket.lastEndpoint);
  for (let index = 0; index < count; index++) await socket.send(bodies[index % ring]);
  const [answer] = await socket.receive();
  if (answer.toString() !== "done") fail(`the receiver answered ${answer}`);
  report({});
}

async function receiveAll() {
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const restBytes = process.memoryUsage.rss();
  let peakBytes = restBytes;
  socket.connect(endpoint);

  let start = 0;
  let ticker;
  const course = [];
  for (let index = 0; index < count; index++) {
    const [body] = await socket.receive();
    if (index === 0) {
      start = performance.now();
      ticker = startTicker();
    }
    checkBody(body, size, index % ring, index);
    const bytes = work();
    peakBytes = Math.max(peakBytes, bytes);
    if (index % Math.ceil(count / points) === 0) {
      const seconds = (performance.now() - start) / 1e3;
      course.push({ seconds, megabytes: (bytes - restBytes) / 1e6, ticks: ticker.ticks() });
    }
  }
  const seconds = (performance.now() - start) / 1e3;
  const life = ticker.stop();
  await socket.send("done");
  const rateShare = (count * workMs) / 1e3 / seconds;
  report({ seconds, restBytes, peakBytes, rateShare, course, ...life });
}

/** Two milliseconds of the user's own synchronous work; looking at the memory is part of it. */
function work() {
  const end = performance.now() + workMs;
  const bytes = process.memoryUsage.rss();
  while (performance.now() < end);
  return bytes;
}
