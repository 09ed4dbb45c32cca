// Runs out of descriptors, is dialled meanwhile, and gets some back.
//
//   node emfile.child.mjs            sets a limit, runs itself again, and dials
//   node emfile.child.mjs limited    is dialled
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { Pair } from "../../dist/esm/module/index.js";

if (process.argv[2] === "limited") {
  const pair = new Pair({ linger: 0 });
  await pair.bind("tcp://127.0.0.1:*");
  const held = [];
  try {
    for (;;) held.push(openSync("/dev/null"));
  } catch {}
  process.send(pair.lastEndpoint);
  process.once("message", async () => {
    for (const descriptor of held) closeSync(descriptor);
    process.send("free");
    const [text] = await pair.receive();
    process.send(`received ${text}`);
    process.exit();
  });
} else {
  const program = fileURLToPath(import.meta.url);
  const child = spawn(
    "sh",
    ["-c", 'ulimit -n 64 && exec "$0" "$1" limited', process.execPath, program],
    {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    },
  );
  let endpoint;
  child.on("message", (message) => {
    if (message === "free") {
      const pair = new Pair({ reconnectInterval: 10 });
      pair.connect(endpoint);
      pair.send("hello");
    } else if (message.startsWith("received")) {
      console.log(message);
    } else {
      endpoint = message;
      const { port, hostname } = new URL(endpoint);
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {});
      socket.once("close", () => {
        console.log("refused");
        child.send("free");
      });
      socket.resume();
    }
  });
}
