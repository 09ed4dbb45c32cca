// A libzmq peer with the draft types, for their interop tests: `zeromq/draft` of npm zeromq, driven by its
// parent over IPC.
//
// Request {id, op, ...}; answer {id, value} or {id, error: {message, code}}. The process ends with its parent.
import zeromq from "zeromq";
import draft from "zeromq/draft.js";

/** Kept here for good: npm zeromq's sockets are collected even while they wait. */
const sockets = [];

const requests = {
  /** A type is named, or a number where npm zeromq has no class for it. */
  open({ type, options }) {
    const socket =
      typeof type === "number" ? new zeromq.Socket(type, options) : new draft[type](options);
    return sockets.push(socket) - 1;
  },
  get: ({ socket, property }) => sockets[socket][property],
  async bind({ socket, address }) {
    await sockets[socket].bind(address);
    return sockets[socket].lastEndpoint;
  },
  call: ({ socket, method, args }) => sockets[socket][method](...args),
  /** What becomes of a call: see `outcome` in the test. */
  async outcome({ socket, method, args }) {
    let how = "throws";
    try {
      const result = sockets[socket][method](...args);
      how = "rejects";
      await result;
      return "fine";
    } catch ({ name, code, message }) {
      return { how, name, code, message };
    }
  },
  /** Sends messages one by one, with what comes with each. */
  async sendAll({ socket, messages }) {
    for (const args of messages) await sockets[socket].send(...args);
  },
  async receiveAll({ socket, count }) {
    const all = [];
    while (all.length < count) all.push(await sockets[socket].receive());
    return all;
  },
  /** As a Server: sends each message back to whom it came from. */
  async echo({ socket, count }) {
    for (let i = 0; i < count; i++) {
      const [message, options] = await sockets[socket].receive();
      await sockets[socket].send(message, options);
    }
  },
};

process.on("message", async ({ id, op, ...request }) => {
  try {
    process.send({ id, value: await requests[op](request) });
  } catch ({ message, code }) {
    process.send({ id, error: { message, code } });
  }
});
process.on("disconnect", () => process.exit());
process.send({ id: 0 });
