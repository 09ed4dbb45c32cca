// A peer in a process of its own, driven by its parent over IPC: npm zeromq, or the module that is named.
//
// Request {id, op, socket?, ...}; answer {id, value} or {id, error: {message, code}}; and, unasked,
// {socket, event}. The process ends with its parent, whatever becomes of that.
import * as operations from "./matrix-operations.mjs";

const { default: zeromq } = await import(process.argv[2] ?? "zeromq");

/** Kept here for good: npm zeromq's sockets are collected even while they wait. */
const sockets = [];

async function watch(socket, id) {
  for await (const { type, address, interval, error } of socket.events) {
    const { message, code, errno, status } = error ?? {};
    const event = { type, address, interval, error: error && { message, code, errno, status } };
    process.send({ socket: id, event });
  }
}

/** Resolves once somebody decides who gets in over PLAIN: a handler of ZAP (RFC 27), without which nobody does. */
let judging;

async function judge() {
  const handler = new zeromq.Router({ linger: 0 });
  await handler.bind("inproc://zeromq.zap.01");
  decide(handler);
}

async function decide(handler) {
  for await (const [peer, empty, version, id, , , , , , password] of handler) {
    // Whoever speaks CURVE is asked about, too, once there is a handler.
    const good = password === undefined || String(password) === "secret";
    await handler.send([peer, empty, version, id, good ? "200" : "400", "", "", ""]);
  }
}

/** Looks until the socket's property has the value; looking makes libzmq process what happened. */
async function until(socket, { property, value }) {
  while (socket[property] !== value) await new Promise((resolve) => setTimeout(resolve, 1));
}

const requests = {
  ...operations,
  async open(_, { type, options }) {
    if (options.plainServer) judging ??= judge();
    await judging;
    const id = sockets.push(new zeromq[type](options)) - 1;
    watch(sockets[id], id);
    return id;
  },
  async bind(socket, { address }) {
    await socket.bind(address);
    return socket.lastEndpoint;
  },
  unbind: (socket, { address }) => socket.unbind(address),
  connect: (socket, { address, options }) =>
    options === undefined ? socket.connect(address) : socket.connect(address, options),
  disconnect: (socket, { address }) => socket.disconnect(address),
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
    process.send({ id, value: await requests[op](sockets[socket], request) });
  } catch ({ message, code }) {
    process.send({ id, error: { message, code } });
  }
});
process.on("disconnect", () => process.exit());
process.send({ id: 0 });
