// Mounts a tiny file system at a folder, in a mount namespace of its own, and tries to bind there; says what came of it.
// Started by `unshare -m`. Parameters: the folder, the options of the file system.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { Pair } from "../../dist/esm/module/index.js";

const [, , folder, full] = process.argv;
const endpoint = `ipc://${folder}/socket`;

function mount(...parameters) {
  const { status, stderr } = spawnSync("mount", [...parameters, folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

const codeOf = ({ code, address }) => (address === endpoint ? code : `${code} of ${address}`);

mount("-t", "tmpfs", "-o", full, "tmpfs");
const pair = new Pair({ linger: 0, receiveTimeout: 5000 });
const found = { bind: [] };
for (const bind of ["bind", "bindSync"]) {
  try {
    await pair[bind](endpoint);
    found.bind.push("bound");
  } catch (error) {
    found.bind.push(codeOf(error));
  }
}
found.left = readdirSync(folder);

// A connector waits for a file that may yet appear.
const other = new Pair({ linger: 0, reconnectInterval: 1 });
other.connect(endpoint);
await other.send("hello");
await new Promise((resolve) => other.events.on("connect:retry", resolve));
mount("-o", "remount,rw,nr_inodes=10");
await pair.bind(endpoint);
found.received = (await pair.receive()).map(String);
pair.close();
other.close();
found.afterwards = readdirSync(folder);
console.log(JSON.stringify(found));
