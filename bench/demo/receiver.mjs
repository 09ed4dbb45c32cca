/**
 * The receiver: takes a message, works on it synchronously, takes the next, while a ticker runs.
 * It is the same program for every library; only the name of the module that it imports differs.
 *
 *   node --expose-gc receiver.mjs '{ "library": ..., "endpoint": ..., "seconds": ..., ...workload }'
 *
 * It prints samples as lines of JSON, the last one with `end`. Samples are taken by the ticker and in
 * the message loop, and written synchronously: a starved event loop silences neither.
 *
 * Plain JavaScript, so that no TypeScript loader shares the process with what is measured.
 */
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Ticker } from "./ticker.mjs";

const settings = JSON.parse(process.argv[2]);
const { Pair } = await import(settings.library);
const socket = new Pair({ receiveHighWaterMark: settings.highWaterMark });

await sleep(settings.restMs);
globalThis.gc();
const restBytes = process.memoryUsage.rss();

const start = performance.now();
let messages = 0;
let firstAt = 0;
let lastAt = 0;
let worked = 0;
let rssBytes = restBytes;
let peakBytes = restBytes;
let nextSampleAt = 0;

const ticker = new Ticker(settings.tickMs, look);
socket.connect(settings.endpoint);
look();
for (;;) {
  const [body] = await socket.receive();
  if (body.length !== settings.messageBytes) throw new Error(`got ${body.length} bytes`);
  messages += 1;
  lastAt = performance.now();
  firstAt ||= lastAt;
  worked += work();
  look();
}

/** The user's own synchronous work; looking at the memory is part of it. Returns what it took. */
function work() {
  const begin = performance.now();
  rssBytes = process.memoryUsage.rss();
  peakBytes = Math.max(peakBytes, rssBytes);
  let now = performance.now();
  while (now - begin < settings.workMs) now = performance.now();
  return now - begin;
}

function look() {
  const elapsed = performance.now() - start;
  const end = endedBy(elapsed);
  if (end === undefined && elapsed < nextSampleAt) return;
  nextSampleAt = elapsed + settings.sampleMs;
  if (messages === 0) rssBytes = process.memoryUsage.rss();
  const sample = {
    ...{ end, elapsedMs: elapsed, messages, restBytes, rssBytes, peakBytes },
    ...ticker.read(),
    receivingMs: lastAt - firstAt,
    meanWorkMs: messages === 0 ? 0 : worked / messages,
    queue: queueOf(socket),
  };
  writeSync(1, `${JSON.stringify(sample)}\n`);
  if (end !== undefined) process.exit();
}

function endedBy(elapsed) {
  if (elapsed >= settings.seconds * 1e3) return "time";
  return rssBytes >= settings.capBytes ? "memory" : undefined;
}

/** Messages and bytes that wait in the receive queue, for a library that tells. */
function queueOf(from) {
  const receive = from.stats?.().receive;
  return receive && { messages: receive.messages, bytes: receive.bytes };
}
