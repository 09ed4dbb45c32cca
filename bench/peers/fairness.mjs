/**
 * How late timers run while sockets loop without ever having to wait for long.
 *
 *   node fairness.mjs receive|send|inproc ENDPOINT SOCKETS MILLISECONDS LIBRARY
 *
 * receive and send are two processes, each with so many PAIR sockets and its own ticker; inproc holds both ends of
 * each pair in one process. ENDPOINT is a list with commas, or a wildcard for the receiver.
 */
import { fail, load, ready, report } from "./child.mjs";
import { startTicker } from "./ticker.mjs";

/** How many messages a loop passes between two looks at the clock: a starved process must still come to its end. */
const clockEvery = 64;
const lingerMs = 0;
const periodMs = 10;
/** The loops run for so long before the ticker starts: what the compiler takes then is not theirs. */
const warmUpMs = 500;

const [role, endpoint, socketsText, millisText, library] = process.argv.slice(2);
const sockets = Number(socketsText);
const durationMs = Number(millisText);
const body = Buffer.alloc(100);

const { Pair } = await load(library);
const roles = { receive, send, inproc };
await roles[role]();

async function receive() {
  const bound = await Promise.all(Array.from({ length: sockets }, () => bind(endpoint)));
  ready(bound.map((socket) => socket.lastEndpoint).join(","));
  await Promise.all(bound.map((socket) => socket.receive()));
  watch(bound.map((socket) => receiveLoop(socket)));
}

/** Starts first and so ends first: towards the end the receiver waits, never the sender. */
async function send() {
  const connected = endpoint.split(",").map((address) => connect(address));
  await Promise.all(connected.map((socket) => socket.send(body)));
  watch(connected.map((socket) => sendLoop(socket)));
}

async function inproc() {
  const names = Array.from({ length: sockets }, (_, index) => `inproc://fairness-${index}`);
  const bound = await Promise.all(names.map((name) => bind(name)));
  const connected = names.map((name) => connect(name));
  watch([
    ...bound.map((socket) => receiveLoop(socket)),
    ...connected.map((socket) => sendLoop(socket)),
  ]);
}

/** Runs the loops beside a ticker; whichever notices first that the time is over reports and ends the process. */
function watch(loops) {
  const ticker = startTicker(periodMs, warmUpMs);
  const end = performance.now() + warmUpMs + durationMs;
  let passed = 0;
  setTimeout(finish, warmUpMs + durationMs);
  for (const loop of loops) loop(count).catch((error) => fail(error.stack));

  function count(messages) {
    passed += messages;
    if (performance.now() >= end) finish();
  }

  function finish() {
    report({ messages: passed, ...ticker.stop() });
    process.exit(0);
  }
}

function receiveLoop(socket) {
  return async (count) => {
    for (let index = 1; ; index++) {
      await socket.receive();
      if (index % clockEvery === 0) count(clockEvery);
    }
  };
}

function sendLoop(socket) {
  return async (count) => {
    for (let index = 1; ; index++) {
      await socket.send(body);
      if (index % clockEvery === 0) count(clockEvery);
    }
  };
}

async function bind(address) {
  const socket = new Pair({ linger: lingerMs });
  await socket.bind(address);
  return socket;
}

function connect(address) {
  const socket = new Pair({ linger: lingerMs });
  socket.connect(address);
  return socket;
}
