/**
 * What the child programs share. They run on plain node, without a loader, so that nothing but the rival is measured.
 * A child tells its bench two lines: `ready ENDPOINT` once it is bound, and its figures as JSON at the end.
 */
import { writeSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A run takes seconds; a child that lives this long has lost its bench. */
const lifetimeMs = 120_000;

setTimeout(() => fail(`still running after ${lifetimeMs} ms`), lifetimeMs).unref();

/** Loads a library by the path of its entry file, ES module or CommonJS. */
export async function load(path) {
  const library = await import(pathToFileURL(path).href);
  return library.Pair ? library : library.default;
}

/** Several addresses are told as a list with commas. */
export function ready(...endpoints) {
  writeSync(1, `ready ${[...new Set(endpoints)].join(",")}\n`);
}

/** Where a second socket of a child binds: a port of its own is told by a wildcard, a file is not. */
export function beside(endpoint) {
  return endpoint.startsWith("ipc://") ? `${endpoint}.2` : endpoint;
}

export function report(figures) {
  writeSync(1, `${JSON.stringify(figures)}\n`);
}

export function fail(reason) {
  writeSync(2, `${reason}\n`);
  process.exit(1);
}

/** All threads of the process, those of a native addon among them. */
export function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * The messages to send, of `frames` parts: message i is message i % ring of these, with that number in its first four
 * bytes. They are written once and never touched again, so a library may keep them by reference, and order is verified
 * at no cost to the sender.
 */
export function makeRing(size, ring, frames = 1) {
  return Array.from({ length: ring }, (_, index) => {
    const body = Buffer.alloc(size);
    body.writeUInt32LE(index, 0);
    return frames === 1
      ? body
      : [body, ...Array.from({ length: frames - 1 }, () => Buffer.alloc(size))];
  });
}

export function checkMessage(parts, size, frames, expected, index) {
  checkBody(parts[0], size, expected, index);
  if (parts.length !== frames) fail(`message ${index}: ${parts.length} frames`);
  for (let frame = 1; frame < frames; frame++)
    if (parts[frame].length !== size)
      fail(`message ${index}: ${parts[frame].length} bytes in frame ${frame}`);
}

export function checkBody(body, size, expected, index) {
  if (body.length !== size || body.readUInt32LE(0) !== expected) {
    fail(
      `message ${index}: ${body.length} bytes, stamp ${body.readUInt32LE(0)}; expected ${size} bytes, stamp ${expected}`,
    );
  }
}

/** Keys for measuring: they are no secret. */
const keys = {
  server: {
    curvePublicKey: "V]SP=g6Jx9*PO]aP^tO[a?WL#2zYPeb*)Za].tgA",
    curveSecretKey: "fTD)FES-gsGxbzTig/y{mq!?CsxB/YwxJlw@wDuh",
  },
  client: {
    curvePublicKey: "*xRfms=3w21v#SpaWAPQBlAEwAJXy}EV^JD?ufG7",
    curveSecretKey: "np$2p&eI!UY5m@92<%8v2@m[FpaZSBNQUNPEx=%*",
  },
};

/** Options of the side that binds, and of the one that connects. */
export const security = {
  null: { receive: {}, send: {} },
  curve: {
    receive: { curveServer: true, ...keys.server },
    send: { curveServerKey: keys.server.curvePublicKey, ...keys.client },
  },
};

export function checkDone([answer]) {
  if (answer.toString() !== "done") fail(`the receiver answered ${answer}`);
}

/** Seldom enough that no queue is full before the last of a thousand subscribers is connected. */
const greetingEveryMs = 20;

/** Publishes a greeting again and again until `answer` has come: subscribers cannot tell in any other way that they are. */
export async function greetUntil(answer, publisher, greeting) {
  let answered = false;
  const settled = answer.then(() => {
    answered = true;
  });
  while (!answered) {
    await publisher.send(greeting);
    await pause(greetingEveryMs);
  }
  await settled;
}

/** Long enough for some room. Trying in every turn of the event loop would cost npm zeromq an eighth of its rate. */
const againAfterMs = 1;

/**
 * Waits for room after npm zeromq's `send` has failed for want of it, as it does at once under `noDrop`. Ours waits by
 * itself.
 */
export async function sendAgain(socket, message, error) {
  for (let reason = error; reason !== undefined; ) {
    if (reason.code !== "EAGAIN") throw reason;
    await pause(againAfterMs);
    reason = await socket.send(message).then(
      () => undefined,
      (again) => again,
    );
  }
}

const collections = 4;

/** What the process holds, in bytes, once garbage has been collected: resident, and of the heap and what hangs on it. */
export async function weigh() {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  for (let index = 0; index < collections; index++) {
    collect();
    await nextTurn();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

/** Mean, median and tail of the round trips, in microseconds. */
export function summarize(millis) {
  const sum = millis.reduce((total, value) => total + value, 0);
  const sorted = Float64Array.from(millis).sort();
  const micros = (rank) => sorted[Math.floor(sorted.length * rank)] * 1e3;
  return {
    seconds: sum / 1e3,
    meanMicros: (sum / sorted.length) * 1e3,
    medianMicros: micros(0.5),
    p99Micros: micros(0.99),
    p999Micros: micros(0.999),
  };
}
