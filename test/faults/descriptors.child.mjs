// Binds without a descriptor left, and again with some; says what came of it.
import { closeSync, openSync } from "node:fs";
import { Pair } from "../../dist/esm/module/index.js";

const [, , endpoint] = process.argv;
const pair = new Pair();
const found = [];

function bind() {
  try {
    pair.bindSync(endpoint);
    found.push("bound");
  } catch ({ code }) {
    found.push(code);
  }
}

const held = [];
try {
  for (;;) held.push(openSync("/dev/null"));
} catch {
  // That was the last one.
}
bind();
for (const descriptor of held) closeSync(descriptor);
bind();
console.log(JSON.stringify(found));
pair.close();
