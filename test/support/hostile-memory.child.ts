// Sockets of ours in a process of their own, whose memory can be looked at. Driven by its parent:
// request {id, op, ...}, answer {id, value} or {id, error}.
import * as zmq from "purezmq";
import * as draft from "purezmq/draft";
import type { Left } from "./hostile-memory.js";
import { type ClassName, receives } from "./trades.js";

interface Request {
  id: number;
  op: keyof typeof operations;
  type: ClassName;
  options: object;
  endpoints: string[];
}

const classes = { ...zmq, ...draft };

let socket: zmq.Socket;
/** To which the socket connects again and again. */
let dialled = new Set<string>();
let isDialling = false;

async function receiveAll(): Promise<void> {
  for await (const _ of socket) if (socket instanceof zmq.Reply) await socket.send("answer");
}

async function dialAgain(): Promise<void> {
  for await (const event of socket.events) {
    if (event.type !== "disconnect" || !dialled.has(event.address)) continue;
    socket.disconnect(event.address);
    socket.connect(event.address);
  }
}

async function authenticate({ mechanism, username, password }: zmq.AuthenticationRequest) {
  return mechanism !== "PLAIN" || (username === "admin" && password === "secret");
}

const operations = {
  /** @returns Where the socket is bound. */
  async open({ type, options }: Request): Promise<string> {
    socket?.close();
    isDialling = false;
    const Class = classes[type] as new (options: object) => zmq.Socket;
    const isServer = "plainServer" in options || "curveServer" in options;
    // Those who reset at once may come faster than they are accepted.
    const all = { linger: 0, backlog: 4096, ...(isServer && { authenticate }), ...options };
    socket = new Class(all);
    if (receives(type) && type !== "Request") void receiveAll();
    await socket.bind("tcp://127.0.0.1:*");
    return socket.lastEndpoint as string;
  },

  /** Connects to them, and again each time that a connection has come to its end. */
  dial({ endpoints, options }: Request): void {
    if (!isDialling) void dialAgain();
    isDialling = true;
    Object.assign(socket, options);
    dialled = new Set(endpoints);
    for (const endpoint of endpoints) socket.connect(endpoint);
  },

  hangUp(): void {
    for (const endpoint of dialled) socket.disconnect(endpoint);
    dialled.clear();
  },

  /** Waits until nobody is there, and says what is left. */
  async left(): Promise<Left> {
    while (socket.stats().peers.length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    for (let i = 0; i < 4; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { heapUsed, external } = process.memoryUsage();
    const handles = process.getActiveResourcesInfo().length;
    return { heapUsed, external, handles, peers: socket.stats().peers.length };
  },
};

process.on("message", async (request: Request) => {
  const { id, op } = request;
  try {
    process.send?.({ id, value: await operations[op](request) });
  } catch (error) {
    process.send?.({ id, error: { message: (error as Error).stack } });
  }
});
process.on("disconnect", () => process.exit());
process.send?.({ id: 0 });
