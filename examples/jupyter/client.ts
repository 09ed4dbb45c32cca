/**
 * A Jupyter client: starts an IPython kernel, runs a cell in it, and prints what the cell prints and
 * what it gives. A DEALER asks, a SUB hears what the kernel tells everybody, a REQ hears its heart.
 *
 *   npx tsx examples/jupyter/client.ts PYTHON [CELL]
 *
 * PYTHON needs the package ipykernel.
 */
import { Dealer, Request, Subscriber } from "purezmq";
import { Kernel } from "./kernel.js";
import { type JupyterMessage, Session } from "./message.js";

const [python, cell = 'print("hello from Python"); 6 * 7'] = process.argv.slice(2);
if (python === undefined) throw new Error("usage: client.ts PYTHON [CELL]");

const kernel = new Kernel(python);
const session = new Session(kernel.key);

const heart = new Request();
heart.connect(kernel.endpoint("hb"));
const shell = new Dealer({ routingId: session.id });
shell.connect(kernel.endpoint("shell"));
const control = new Dealer({ routingId: session.id });
control.connect(kernel.endpoint("control"));
const iopub = new Subscriber();
iopub.subscribe();
iopub.connect(kernel.endpoint("iopub"));

await heart.send("ping");
console.log(`the heart answers: ${(await heart.receive())[0]}`);

// Whoever subscribes late has missed what was said before: ask until the kernel is heard on both ways.
let info: JupyterMessage;
do {
  await ask(shell, "kernel_info_request", {});
  info = await answer(shell);
} while (!(await hears(iopub)));
console.log(`it speaks ${(info.content["language_info"] as { name: string }).name}`);

const running = await ask(shell, "execute_request", {
  code: cell,
  silent: false,
  store_history: true,
  allow_stdin: false,
});
for await (const parts of iopub) {
  const { header, parent, content } = session.decode(parts);
  if (parent.msg_id !== running) continue;
  if (header.msg_type === "stream") console.log(`printed: ${String(content["text"]).trimEnd()}`);
  if (header.msg_type === "error") console.log(`raised: ${content["ename"]}: ${content["evalue"]}`);
  if (header.msg_type === "execute_result") {
    console.log(`gave: ${(content["data"] as Record<string, string>)["text/plain"]}`);
  }
  if (header.msg_type === "status" && content["execution_state"] === "idle") break;
}
console.log(`status: ${(await answer(shell)).content["status"]}`);

await ask(control, "shutdown_request", { restart: false });
await answer(control);
for (const socket of [heart, shell, control, iopub]) socket.close();
await kernel.ended();
console.log("the kernel has ended");

/** The id of the message that asks. */
async function ask(socket: Dealer, type: string, content: object): Promise<string> {
  const { id, parts } = session.encode(type, content);
  await socket.send(parts);
  return id;
}

/** Whether anything comes soon. */
async function hears(socket: Subscriber): Promise<boolean> {
  socket.receiveTimeout = 100;
  const heard = await socket.receive().then(
    () => true,
    () => false,
  );
  socket.receiveTimeout = -1;
  return heard;
}

async function answer(socket: Dealer): Promise<JupyterMessage> {
  return session.decode(await socket.receive());
}
