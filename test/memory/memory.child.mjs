// Sockets of ours in a process of their own, where promises and memory can be counted. Driven by
// its parent: request {id, op, ...}, answer {id, value} or {id, error}.
import { promiseHooks } from "node:v8";
import { Dish, Radio } from "../../dist/esm/module/draft.js";
import * as zmq from "../../dist/esm/module/index.js";

const pairs = [];
let dish;
const kept = [];

function poll(done, then) {
  if (done()) then();
  else setTimeout(poll, 5, done, then);
}

/** Resolves when `done`; makes no other promise meanwhile. */
function until(done) {
  return new Promise((resolve) => poll(done, resolve));
}

async function collect() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().length;
  return { rss, heapUsed, external, arrayBuffers, handles };
}

/** Counts promises that are made while `work` goes on. */
function promisesDuring(work, then) {
  // In a turn of its own: the request that led here has promises, too.
  setImmediate(() => {
    let count = 0;
    const stop = promiseHooks.onInit(() => {
      count++;
    });
    work(() => {
      stop();
      then(count);
    });
  });
}

const received = (count) => () => pairs[0].stats().receive.messages === count;

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

async function roundTrips(one, other, count, batch) {
  for (let sent = 0; sent < count; sent += batch) {
    for (let i = 0; i < batch; i++) await one.send("0123456789");
    for (let i = 0; i < batch; i++) await other.receive();
  }
}

const operations = {
  async open({ count = 1, options = {} }) {
    const endpoints = [];
    for (let i = 0; i < count; i++) {
      const pair = new zmq.Pair({ linger: 0, ...options });
      await pair.bind("tcp://127.0.0.1:*");
      pairs.push(pair);
      endpoints.push(pair.lastEndpoint);
    }
    return endpoints;
  },
  connect({ endpoint, options = {} }) {
    const pair = new zmq.Pair({ linger: 0, ...options });
    pair.connect(endpoint);
    pairs.push(pair);
  },
  connected: () =>
    until(() => pairs.every((pair) => pair.stats().peers.some((it) => it.connected))),
  peers: ({ count }) => until(() => pairs[0].stats().peers.length === count),
  assembling: ({ count }) =>
    until(() => pairs.filter((pair) => pair.stats().assemblyBytes > 0).length === count),
  queued: ({ count }) => until(received(count)),
  collect,
  stats: () => ({
    messages: pairs[0].stats().receive.messages,
    assemblyBytes: sum(pairs.map((pair) => pair.stats().assemblyBytes)),
    peers: sum(pairs.map((pair) => pair.stats().peers.length)),
  }),

  /** A Dish that hears datagrams for the group "g". */
  async listen({ options = {} }) {
    dish = new Dish(options);
    dish.join("g");
    await dish.bind("udp://127.0.0.1:*");
    return dish.lastEndpoint;
  },
  heard: () => {
    const { receive, total } = dish.stats();
    return { ...receive, dropped: total.messagesDropped };
  },
  /** Sends datagrams without a pause between them, `count` in each of as many turns. */
  async broadcast({ endpoint, size, count }) {
    const radio = new Radio({ linger: 0 });
    radio.connect(endpoint);
    const body = Buffer.alloc(size);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) radio.trySend(body, { group: "g" });
      await new Promise((resolve) => setImmediate(resolve));
    }
    return radio.stats();
  },

  /** Promises that are made while `count` messages arrive and nobody receives. */
  arriving: ({ count }) =>
    new Promise((resolve) => {
      promisesDuring((stop) => {
        process.send({ id: 0, value: "counting" });
        poll(received(count), stop);
      }, resolve);
    }),
  /** Promises that `count` calls make, with the messages there already. */
  receiving: ({ count }) =>
    new Promise((resolve) => {
      promisesDuring((stop) => {
        for (let i = 0; i < count; i++) pairs[0].receive();
        stop();
      }, resolve);
    }),
  /** Promises that a call makes which has to wait, until it is resolved. */
  waiting: () =>
    new Promise((resolve) => {
      promisesDuring((stop) => {
        const message = pairs[0].receive();
        process.send({ id: 0, value: "counting" });
        poll(() => pairs[0].stats().total.messagesReceived > 0, stop);
        void message;
      }, resolve);
    }),
  /** Promises that `count` calls of trySend and tryReceive make. */
  trying: ({ count }) =>
    new Promise((resolve) => {
      promisesDuring((stop) => {
        for (let i = 0; i < count; i++) pairs[0].trySend("message");
        for (let i = 0; i < count; i++) pairs[0].tryReceive();
        stop();
      }, resolve);
    }),

  /** Memory after 1,000 awaited receives, and after 100,000. */
  async repeat({ transport, batch }) {
    const one = new zmq.Pair({ linger: 0 });
    const other = new zmq.Pair({ linger: 0 });
    await one.bind(transport);
    other.connect(one.lastEndpoint);
    await roundTrips(one, other, 1000, batch);
    const few = await collect();
    await roundTrips(one, other, 99_000, batch);
    const many = await collect();
    one.close();
    other.close();
    return { few, many };
  },

  /** Receives `count` messages and keeps every `nth`. */
  async keep({ count, nth }) {
    const before = await collect();
    for (let i = 0; i < count; i++) {
      const [part] = await pairs[0].receive();
      if (i % nth === 0) kept.push(part);
    }
    const after = await collect();
    return { kept: kept.length, before, after };
  },
  /** Receives one message of each socket in turn, `count` times, and says how its memory is. */
  async shapes({ count }) {
    const buffers = pairs.map(() => new Set());
    const shapes = [];
    for (let i = 0; i < count; i++) {
      for (const [p, pair] of pairs.entries()) {
        const [part] = await pair.receive();
        buffers[p].add(part.buffer);
        const { length, byteOffset } = part;
        const size = part.buffer.byteLength;
        // Some versions of Node throw for what must not be transferred, others copy it.
        try {
          structuredClone(part.buffer, { transfer: [part.buffer] });
        } catch {}
        const transferred = part.buffer.byteLength !== size;
        shapes.push({ length, byteOffset, size, transferred });
      }
    }
    const [one = new Set(), other = new Set()] = buffers;
    return { shapes, common: [...one].filter((buffer) => other.has(buffer)).length };
  },
  /** Sends until nothing more is taken, for `forMs`. */
  async flood({ size, forMs }) {
    const body = Buffer.alloc(size);
    let sent = 0;
    for (let end = Date.now() + forMs; Date.now() < end; ) {
      while (pairs[0].trySend(body)) {
        sent++;
        end = Date.now() + forMs;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { sent, queued: pairs[0].stats().send.messages };
  },
};

process.on("message", async ({ id, op, ...request }) => {
  try {
    process.send({ id, value: await operations[op](request) });
  } catch (error) {
    process.send({ id, error: { message: error.stack } });
  }
});
process.on("disconnect", () => process.exit());
process.send({ id: 0 });
