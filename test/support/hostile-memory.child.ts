// A socket of ours in a process of its own, whose memory can be looked at. Driven by its parent:
// request {id, op, ...}, answer {id, value} or {id, error}.
import * as zmq from "purezmq";
import type { ClassName, Left } from "./hostile.js";

const classes = { ...zmq };

let socket: zmq.Socket;

async function open(type: ClassName): Promise<string> {
  const Class = classes[type] as new (options: object) => zmq.Socket;
  // Those who reset at once may come faster than they are accepted.
  socket = new Class({ linger: 0, backlog: 4096 });
  if (type !== "Publisher" && type !== "Push") void receiveAll();
  await socket.bind("tcp://127.0.0.1:*");
  return socket.lastEndpoint as string;
}

async function receiveAll(): Promise<void> {
  for await (const _ of socket);
}

/** Waits until nobody is there, and says what is left. */
async function left(): Promise<Left> {
  while (socket.stats().peers.length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().length;
  return { heapUsed, external, handles, peers: socket.stats().peers.length };
}

process.on("message", async (request: { id: number; op: "open" | "left"; type: ClassName }) => {
  const { id, op, type } = request;
  try {
    process.send?.({ id, value: await (op === "open" ? open(type) : left()) });
  } catch (error) {
    process.send?.({ id, error: { message: (error as Error).stack } });
  }
});
process.on("disconnect", () => process.exit());
process.send?.({ id: 0 });
