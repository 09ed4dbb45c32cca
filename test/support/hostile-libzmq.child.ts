// The good peers of the hostile tests: sockets of libzmq, through npm zeromq, in a process of their
// own. Driven by its parent: request {id, op, ...}, answer {id, value} or {id, error}.
import * as zmq from "zeromq";
import * as draft from "zeromq/draft.js";
import type { ClassName } from "./trades.js";

interface Request {
  id: number;
  op: "open" | "call";
  type: ClassName;
  options: object;
  socket: number;
  method: string;
  args: unknown[];
}

type Callable = Record<string, (...args: unknown[]) => unknown>;

const ZMQ_CHANNEL = 20;

/** Npm zeromq has no class for it, but libzmq's socket. */
class Channel extends zmq.Socket {
  constructor(options: object) {
    super(ZMQ_CHANNEL as never, options);
  }
}

const classes = { ...zmq, ...draft, Channel };

/** Kept here for good: npm zeromq's sockets are collected even while they wait. */
const sockets: Callable[] = [];

function open({ type, options }: Request): number {
  const Class = classes[type as keyof typeof classes] as unknown as new (
    options: object,
  ) => Callable;
  return sockets.push(new Class(options)) - 1;
}

function call({ socket, method, args }: Request): unknown {
  return sockets[socket]?.[method]?.(...args);
}

process.on("message", async (request: Request) => {
  const { id, op } = request;
  try {
    process.send?.({ id, value: await (op === "open" ? open(request) : call(request)) });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    process.send?.({ id, error: { message, code } });
  }
});
process.on("disconnect", () => process.exit());
process.send?.({ id: 0 });
