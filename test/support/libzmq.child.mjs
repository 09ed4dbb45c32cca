// A libzmq peer for the interop tests: npm zeromq, driven by its parent over IPC.
//
// Request {id, op, socket?, ...}; answer {id, value} or {id, error: {message, code}}; and, unasked,
// {socket, event}. The process ends with its parent, whatever becomes of that.
import { Pair } from "zeromq";
import { messages, Tally } from "./payload.mjs";

const types = { Pair };

/** Kept here for good: npm zeromq's sockets are collected even while they wait. */
const sockets = [];

async function watch(socket, id) {
  for await (const { type, address, interval, error } of socket.events) {
    const { message, code, errno, status } = error ?? {};
    const event = { type, address, interval, error: error && { message, code, errno, status } };
    process.send({ socket: id, event });
  }
}

async function send(socket, { batch, timeoutMs, untilFull }) {
  socket.sendTimeout = timeoutMs;
  let sent = 0;
  try {
    for (const message of messages(batch)) {
      await socket.send(message);
      sent++;
    }
    return { sent, full: false };
  } catch (error) {
    if (untilFull && error.code === "EAGAIN") return { sent, full: true };
    error.message += `, having sent ${sent} of ${batch.count}`;
    throw error;
  }
}

async function receive(socket, { count, last, timeoutMs }) {
  const tally = new Tally();
  const end = Date.now() + timeoutMs;
  try {
    while (last === undefined ? tally.count < count : tally.last !== last) {
      socket.receiveTimeout = Math.max(end - Date.now(), 0);
      tally.add(await socket.receive());
    }
    return tally.summary;
  } catch (error) {
    error.message += `, having received ${tally.count}, the last of them ${tally.last}`;
    throw error;
  }
}

/** Looks until the socket's property has the value; looking makes libzmq process what happened. */
async function until(socket, { property, value }) {
  while (socket[property] !== value) await new Promise((resolve) => setTimeout(resolve, 1));
}

const operations = {
  open(_, { type, options }) {
    const id = sockets.push(new types[type](options)) - 1;
    watch(sockets[id], id);
    return id;
  },
  async bind(socket, { address }) {
    await socket.bind(address);
    return socket.lastEndpoint;
  },
  unbind: (socket, { address }) => socket.unbind(address),
  connect: (socket, { address }) => socket.connect(address),
  disconnect: (socket, { address }) => socket.disconnect(address),
  send,
  receive,
  until,
  close: (socket) => socket.close(),
  /** The process goes as soon as its sockets let it: linger holds. */
  end() {
    for (const socket of sockets) socket.close();
    setImmediate(() => {
      process.removeAllListeners("disconnect");
      process.disconnect();
    });
  },
};

process.on("message", async ({ id, op, socket, ...request }) => {
  try {
    process.send({ id, value: await operations[op](sockets[socket], request) });
  } catch ({ message, code }) {
    process.send({ id, error: { message, code } });
  }
});
process.on("disconnect", () => process.exit());
process.send({ id: 0 });
