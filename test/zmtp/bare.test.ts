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

/**
 * Says hello, talks, beats, subscribes, falls silent; then over PLAIN and CURVE, with ciphers that
 * are none. Runs in the bare context.
 */
const STORY = `
  const { Connection, NullMechanism, PlainMechanism, CurveClient, CurveServer, announce, plainMemory,
    DEFAULT_LIMITS, SLAB_SIZE } = load("index");
  const events = [];
  const side = (role, socketType, mechanism) => {
    mechanism ??= new NullMechanism(role, announce(socketType), DEFAULT_LIMITS);
    const slabs = { take: () => new Uint8Array(SLAB_SIZE), give() {} };
    const heartbeat = { intervalMs: 100, timeoutMs: 50, ttlMs: 1000 };
    const options = { role, socketType, mechanism, slabs, heartbeat, handshakeTimeoutMs: 1000 };
    return new Connection(options, {
      handshake: (peer) => events.push(role + " met " + peer.socketType) > 0,
      message: (parts) => events.push(role + " got " + parts.map((part) => part.length)) > 0,
      subscription: (topic, on) => events.push(role + (on ? " +" : " -") + topic.length),
    }, 0);
  };
  let client = side("client", "SUB");
  let server = side("server", "PUB");
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
  const talk = (one, other) => {
    client = side("client", "PUSH", one);
    server = side("server", "PULL", other);
    drive(0);
    client.send([new Uint8Array(5), new Uint8Array(50000)]);
    drive(1);
    client.close();
  };
  const limits = DEFAULT_LIMITS;
  const login = { username: new Uint8Array(3), password: new Uint8Array(4) };
  talk(
    new PlainMechanism("client", login, announce("PUSH"), limits),
    new PlainMechanism("server", undefined, announce("PULL"), limits),
  );
  const cipher = {
    random: (size) => new Uint8Array(size),
    keyPair: () => ({ publicKey: new Uint8Array(32), secretKey: new Uint8Array(32) }),
    publicKey: () => new Uint8Array(32),
    share: () => new Uint8Array(32),
    box: {
      seal: (target, at, lead, plain) => {
        target.set(lead, at + 16);
        target.set(plain, at + 16 + lead.length);
      },
      open: (lead, target, head, at, body) => {
        lead.set(head.subarray(at + 16, at + 16 + lead.length));
        target.set(body);
        return true;
      },
    },
  };
  const keys = cipher.keyPair();
  const properties = announce("PUSH");
  talk(
    new CurveClient(keys, keys.publicKey, { cipher, properties, limits }),
    new CurveServer(keys, { cipher, properties: announce("PULL"), limits }),
  );
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
    ...["server met PUSH", "client met PULL", "server got 5,50000"],
    ...["server met PUSH", "client met PULL", "server got 5,50000"],
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
