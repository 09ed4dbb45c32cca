// Binds and connects to an endpoint as nobody, and says what comes of it.
import { Pair } from "../../dist/esm/module/index.js";

const NOBODY = 65_534;

if (process.getuid() === 0) {
  process.setgroups([]);
  process.setgid(NOBODY);
  process.setuid(NOBODY);
}

const [, , endpoint] = process.argv;
const found = {};

async function refused(name, bind) {
  try {
    await bind();
  } catch ({ code, address }) {
    found[name] = { code, address };
  }
}

const pair = new Pair();
await refused("bind", () => pair.bind(endpoint));
await refused("bindSync", () => pair.bindSync(endpoint));

found.connect = [];
const connecting = new Pair({ reconnectInterval: 1 });
connecting.connect(endpoint);
for await (const { type } of connecting.events) {
  found.connect.push(type);
  if (type === "connect:retry") break;
}
console.log(JSON.stringify(found));
