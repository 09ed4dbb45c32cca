/**
 * What the child programs share. They run on plain node, without a loader, so that nothing but the rival is measured.
 * A child tells its bench two lines: `ready ENDPOINT` once it is bound, and its figures as JSON at the end.
 */
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** A run takes seconds; a child that lives this long has lost its bench. */
const lifetimeMs = 120_000;

setTimeout(() => fail(`still running after ${lifetimeMs} ms`), lifetimeMs).unref();

/** Loads a library by the path of its entry file, ES module or CommonJS. */
export async function load(path) {
  const library = await import(pathToFileURL(path).href);
  return library.Pair ? library : library.default;
}

export function ready(endpoint) {
  writeSync(1, `ready ${endpoint}\n`);
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
 * The bodies to send: message i is body i % ring, with that number in its first four bytes. They are written once and
 * never touched again, so a library may keep them by reference, and order is verified at no cost to the sender.
 */
export function makeRing(size, ring) {
  return Array.from({ length: ring }, (_, index) => {
    const body = Buffer.alloc(size);
    body.writeUInt32LE(index, 0);
    return body;
  });
}

export function checkBody(body, size, expected, index) {
  if (body.length !== size || body.readUInt32LE(0) !== expected) {
    fail(
      `message ${index}: ${body.length} bytes, stamp ${body.readUInt32LE(0)}; expected ${size} bytes, stamp ${expected}`,
    );
  }
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
  };
}
