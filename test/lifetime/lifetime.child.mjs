// What a process does at its end. Each scenario is a program: it is done when its function is, and
// then has to end by itself, or has to be held.
//
//   node lifetime.child.mjs <scenario> [endpoint] [options as JSON]
import { once } from "node:events";
import { writeSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Datagram, Dish, Radio } from "../../dist/esm/module/draft.js";
import * as zmq from "../../dist/esm/module/index.js";

const [scenario, endpoint, json = "{}"] = isMainThread ? process.argv.slice(2) : workerData;
const { context: contextOptions, ...options } = JSON.parse(json);

/** Whoever is still there after so long is held by something. */
const HELD_MS = 900;

function say(text) {
  writeSync(1, `${text}\n`);
}

/** Ends the process with status 42 if it has not ended by then. It does not hold it itself. */
function expectHeld() {
  setTimeout(() => process.exit(42), HELD_MS).unref();
}

function pair(more = {}) {
  const context = contextOptions && new zmq.Context(contextOptions);
  return new zmq.Pair({ ...(context && { context }), ...options, ...more });
}

function connected() {
  const socket = pair();
  socket.connect(endpoint);
  return socket;
}

async function handshake(socket) {
  for await (const { type } of socket.events) if (type === "handshake") return;
}

/** Sends until the peer, the wire and the queue take no more. */
async function flood(socket) {
  socket.sendTimeout = 100;
  try {
    for (;;) await socket.send(Buffer.alloc(100_000));
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
  }
}

async function sendNumbers(socket, count) {
  for (let i = 0; i < count; i++) await socket.send(`message ${i}`);
}

function runWorker(name, data = [endpoint, json]) {
  return new Worker(new URL(import.meta.url), { workerData: [name, ...data] });
}

const scenarios = {
  async bind() {
    await pair().bind(endpoint);
  },
  bindSync() {
    pair().bindSync(endpoint);
  },
  connect() {
    connected();
  },
  async "connect, then idle"() {
    await handshake(connected());
  },
  async "bind, and unbind"() {
    const socket = pair();
    await socket.bind(endpoint);
    await socket.unbind(socket.lastEndpoint);
  },
  "connect, and close"() {
    connected().close();
  },
  "read events with on"() {
    const socket = connected();
    socket.events.on("connect", () => {});
    expectHeld();
  },
  "stop reading events with on"() {
    const socket = connected();
    socket.events.on("connect", () => {});
    socket.events.close();
  },
  async "await receive"() {
    expectHeld();
    await connected().receive();
  },
  async "await send"() {
    expectHeld();
    const socket = pair();
    socket.bindSync(endpoint);
    await socket.send("to nobody");
  },
  async "await an event"() {
    expectHeld();
    await pair().events.receive();
  },
  async "await receive until a timeout"() {
    await connected()
      .receive()
      .catch(({ code }) => say(code));
  },
  "receive, and close"() {
    const socket = connected();
    socket.receive().catch(({ code }) => say(code));
    socket.close();
  },
  async "receive, and abort"() {
    const socket = connected();
    const controller = new AbortController();
    const received = socket.receive({ signal: controller.signal });
    controller.abort();
    await received.catch(({ name }) => say(name));
  },
  async "leave messages"() {
    await sendNumbers(connected(), 10);
  },
  async "leave messages, held"() {
    expectHeld();
    await sendNumbers(connected(), 10);
  },
  async "leave messages, and close"() {
    const socket = connected();
    await sendNumbers(socket, 10);
    socket.close();
  },
  async "leave messages, close, held"() {
    expectHeld();
    await scenarios["leave messages, and close"]();
  },
  async "leave messages, and exit"() {
    await sendNumbers(connected(), 10);
    process.exit(7);
  },
  async "send many"() {
    await sendNumbers(connected(), 2000);
  },
  /** By reference: more than can be written while it lingers, to a peer that reads as fast as we write. */
  "leave a long queue"() {
    const socket = connected();
    const large = Buffer.alloc(1_000_000);
    for (let i = 0; i < 20_000; i++) socket.trySend(large);
  },
  async "send large"() {
    const socket = connected();
    for (let i = 0; i < 40; i++) await socket.send([`message ${i}`, Buffer.alloc(1_000_000)]);
  },
  async "send many, and close"() {
    const socket = connected();
    await sendNumbers(socket, 2000);
    socket.close();
  },
  async "send before exit"() {
    const socket = connected();
    process.once("beforeExit", () => void sendNumbers(socket, 10));
  },
  async "live on before exit"() {
    const socket = connected();
    await sendNumbers(socket, 1);
    // Others may find something to do when we think that it is over.
    process.once("beforeExit", () => {
      setTimeout(async () => {
        await sendNumbers(socket, 9);
        say("sent");
      }, 700);
    });
  },
  async stall() {
    const socket = connected();
    await handshake(socket);
    await flood(socket);
    say("stalled");
  },
  async "stall, held"() {
    await scenarios.stall();
    setTimeout(() => process.exit(42), 2 * HELD_MS).unref();
  },
  async "stall, and close"() {
    const socket = connected();
    await handshake(socket);
    await flood(socket);
    socket.close();
  },
  async "stall, and live on"() {
    const socket = connected();
    await handshake(socket);
    await flood(socket);
    // The rest of the program takes its time: that is no reason to give a slow peer up.
    const { events } = socket;
    void (async () => {
      for await (const { type } of events) say(type);
    })();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    say("over");
    process.exit(0);
  },

  async "udp: bind, connect, talk"() {
    const [dish, radio, datagram] = [new Dish(), new Radio(), new Datagram()];
    dish.join("g");
    await dish.bind(endpoint);
    datagram.bindSync(endpoint);
    radio.connect(dish.lastEndpoint);
    await radio.send("x", { group: "g" });
    await dish.receive();
  },
  async "udp: await receive"() {
    expectHeld();
    const dish = new Dish();
    await dish.bind(endpoint);
    await dish.receive();
  },
  async "udp: await send"() {
    expectHeld();
    await new Datagram().send(["127.0.0.1:9", "bound to nothing"]);
  },
  async "udp: send many"() {
    const radio = new Radio();
    radio.connect(endpoint);
    for (let i = 0; i < 150; i++) radio.trySend(`message ${i}`, { group: "g" });
  },
  async "udp: send many, and close"() {
    const radio = new Radio();
    radio.connect(endpoint);
    for (let i = 0; i < 150; i++) radio.trySend(`message ${i}`, { group: "g" });
    radio.close();
  },

  async "in a worker"() {
    const worker = runWorker(options.scenario, [endpoint, JSON.stringify(options.options ?? {})]);
    const [code] = await once(worker, "exit");
    say(`worker: ${code}`);
  },
  async "count beforeExit"() {
    let count = 0;
    process.on("beforeExit", () => {
      if (++count > 20) process.exit(99);
    });
    process.on("exit", () => say(`beforeExit: ${count}`));
    const socket = connected();
    await handshake(socket);
    await sendNumbers(socket, 10);
  },
  async "traffic for ever"() {
    const one = pair();
    const other = pair();
    one.bindSync(endpoint);
    other.connect(one.lastEndpoint);
    const echo = async () => {
      for await (const message of one) await one.send(message);
    };
    const ask = async () => {
      for (let i = 0; ; i++) {
        await other.send([`message ${i}`, Buffer.alloc(10_000)]);
        await other.receive();
        if (i === 100) parentPort?.postMessage("traffic");
        if (i === 100 && isMainThread) say("traffic");
      }
    };
    void echo();
    await ask();
  },
  async "terminate a worker in mid-traffic"() {
    const worker = runWorker("traffic for ever");
    await once(worker, "message");
    say(`terminated: ${await worker.terminate()}`);
  },
  async "terminate a worker that has stalled"() {
    const worker = runWorker("stall, told");
    await once(worker, "message");
    say(`terminated: ${await worker.terminate()}`);
  },
  async "stall, told"() {
    await scenarios.stall();
    parentPort.postMessage("stalled");
  },
  async "exit in mid-traffic"() {
    void scenarios["traffic for ever"]();
    setTimeout(() => process.exit(7), 100);
    await new Promise(() => {});
  },
  async "exit in a worker in mid-traffic"() {
    void scenarios["traffic for ever"]();
    setTimeout(() => process.exit(7), 100);
    await new Promise(() => {});
  },
};

await scenarios[scenario]();
