import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createContext, Script } from "node:vm";
import ts from "typescript";
import { expect, it } from "vitest";

const FOLDER = join(import.meta.dirname, "../../src/zmtp");

/** What a host adds to the language, and what of the language this folder does without. */
const HOST = `Buffer process global require module setTimeout setInterval setImmediate
  clearTimeout queueMicrotask performance crypto fetch TextEncoder TextDecoder URL structuredClone
  EventTarget AbortController`.split(/\s+/);
const UNUSED = ["Date", "Promise", "WeakRef", "SharedArrayBuffer"];

/** Says hello, talks, beats, subscribes, falls silent. Runs in the bare context. */
const STORY = `
  const { Connection, NullMechanism, announce, DEFAULT_LIMITS, SLAB_SIZE } = load("index");
  const events = [];
  const side = (role, socketType) => {
    const mechanism = new NullMechanism(role, announce(socketType), DEFAULT_LIMITS);
    const slabs = { take: () => new Uint8Array(SLAB_SIZE), give() {} };
    const heartbeat = { intervalMs: 100, timeoutMs: 50, ttlMs: 1000 };
    const options = { role, socketType, mechanism, slabs, heartbeat, handshakeTimeoutMs: 1000 };
    return new Connection(options, {
      handshake: (peer) => events.push(role + " met " + peer.socketType) > 0,
      message: (parts) => events.push(role + " got " + parts.map((part) => part.length)) > 0,
      subscription: (topic, on) => events.push(role + (on ? " +" : " -") + topic.length),
    }, 0);
  };
  const client = side("client", "SUB");
  const server = side("server", "PUB");
  const carry = (from, to, now) => {
    if (!from.hasOutput) return false;
    const batch = from.take();
    for (const chunk of batch.chunks) to.receive(chunk, 0, chunk.length, now);
    from.release(batch);
    return true;
  };
  const drive = (now) => { while (carry(client, server, now) || carry(server, client, now)); };
  drive(0);
  client.subscribe(new Uint8Array(3), true);
  server.send([new Uint8Array(10), new Uint8Array(100000)]);
  drive(1);
  client.tick(100);
  drive(100);
  client.tick(200);
  client.tick(250);
  try { client.tick(251); } catch (error) { events.push(error.code); }
  try { server.receive(new Uint8Array([128, 1]), 0, 2, 300); } catch (error) { events.push(error.code); }
  JSON.stringify(events);
`;

it("runs where there is nothing but the language: no Buffer, process, timer, clock or promise", () => {
  const context = createContext({});
  const bare = (code: string): unknown => new Script(code).runInContext(context);
  for (const name of HOST) expect(bare(`typeof ${name}`)).toBe("undefined");
  for (const name of UNUSED) {
    bare(`Object.defineProperty(globalThis, "${name}", { get() { throw new Error("${name}") } })`);
  }
  bare("const modules = {}; const load = (name) => modules[name] ??= sources[name]();");
  bare(`const sources = { ${sources().join(",")} };`);
  expect(JSON.parse(bare(STORY) as string)).toEqual([
    "server met SUB",
    "client met PUB",
    "server +3",
    "client got 10,100000",
    "ERR_ZMTP_HEARTBEAT_TIMEOUT",
    "ERR_ZMTP_MALFORMED_FRAME",
  ]);
});

/** Every file of the folder as a property that makes the module. */
function sources(): string[] {
  return readdirSync(FOLDER).map((file) => {
    const { outputText } = ts.transpileModule(readFileSync(join(FOLDER, file), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    const name = file.replace(/\.ts$/, "");
    return `${JSON.stringify(name)}: () => {
      const exports = {};
      const require = (path) => load(path.slice(2, -3));
      ${outputText}
      return exports;
    }`;
  });
}
