/** CURVE before its ciphers are loaded: they are loaded once in a file, unless its modules are reset. */
import { statSync } from "node:fs";
import { createConnection } from "node:net";
import { afterAll, afterEach, expect, it, vi } from "vitest";
import { curveKeyPair } from "../../src/curve-key-pair.js";
import { EventLog } from "../support/event-log.js";
import { handshake, Sockets } from "../support/sockets.js";

const sockets = new Sockets();
const keys = curveKeyPair();
const SERVER = { curveServer: true, curveSecretKey: keys.secretKey };
const CLIENT = { curveServerKey: keys.publicKey, curveSecretKey: curveKeyPair().secretKey };

/** What each test loads anew. */
async function fresh(): Promise<typeof import("../../src/socket/sodium.js")> {
  return await import("../../src/socket/sodium.js");
}

afterEach(() => sockets.close());
afterAll(() => sockets.end());

it("peers that come, and go, before the ciphers are there", async () => {
  const { curveCipher } = await fresh();
  expect(curveCipher()).toBeUndefined();
  const server = sockets.pair(SERVER);
  server.bindSync("tcp://127.0.0.1:*");
  const endpoint = server.lastEndpoint as string;
  const gone = createConnection({ port: Number(endpoint.split(":").at(-1)), host: "127.0.0.1" });
  gone.on("connect", () => gone.resetAndDestroy());
  // One that is closed at once never dials.
  const closed = sockets.pair(CLIENT);
  closed.connect(endpoint);
  closed.close();
  const client = sockets.pair(CLIENT);
  client.connect(endpoint);
  expect(curveCipher()).toBeUndefined();
  await handshake(client);
  await client.send("hello");
  expect(String(await server.receive())).toBe("hello");
});

it("what was sent before they are there is written, though the socket is closed", async () => {
  vi.resetModules();
  const { Pair } = await import("../../src/socket/pair.js");
  const { curveCipher } = await fresh();
  const server = sockets.pair(SERVER);
  await server.bind("tcp://127.0.0.1:*");
  const client = new Pair(CLIENT);
  client.connect(server.lastEndpoint as string);
  const sent = client.send("hello");
  client.close();
  expect(curveCipher()).toBeUndefined();
  await sent;
  expect(String(await server.receive())).toBe("hello");
});

it("an endpoint is bound as the options were when it was asked for", async () => {
  vi.resetModules();
  const { Pair } = await import("../../src/socket/pair.js");
  const { curveCipher } = await fresh();
  const socket = sockets.open(new Pair({ ...SERVER, ipcMode: 0o600 }));
  const endpoint = sockets.endpoint("ipc");
  const bound = socket.bind(endpoint);
  expect(curveCipher()).toBeUndefined();
  socket.ipcMode = 0o622;
  await bound;
  expect(statSync(endpoint.slice("ipc://".length)).mode & 0o777).toBe(0o600);
});

it("without the package CURVE fails, and says so", async () => {
  vi.resetModules();
  vi.doMock("libsodium-wrappers", () => {
    throw new Error("not installed");
  });
  const { Pair } = await import("../../src/socket/pair.js");
  const lacking = expect.objectContaining({
    code: "ENOTSUP",
    message: expect.stringContaining("libsodium-wrappers"),
  });

  const server = sockets.open(new Pair({ linger: 0, ...SERVER }));
  await expect(server.bind("tcp://127.0.0.1:*")).rejects.toEqual(lacking);

  const log = EventLog.of(server);
  server.bindSync("tcp://127.0.0.1:*");
  const port = Number((server.lastEndpoint as string).split(":").at(-1));
  const peer = createConnection({ port, host: "127.0.0.1" }).on("error", () => {});
  expect((await log.next("accept:error")).error).toEqual(lacking);
  await new Promise((resolve) => peer.on("close", resolve));

  const warned = new Promise((resolve) => process.once("warning", resolve));
  const client = sockets.open(new Pair({ linger: 0, ...CLIENT }));
  const clientLog = EventLog.of(client);
  client.connect("tcp://127.0.0.1:1");
  expect((await clientLog.next("handshake:error:other")).error).toEqual(lacking);
  expect(await warned).toEqual(lacking);

  // What was sent will never be, and holds nobody up.
  const warnedAgain = new Promise((resolve) => process.once("warning", resolve));
  const patient = new Pair({ linger: -1, ...CLIENT });
  patient.connect("tcp://127.0.0.1:1");
  await patient.send("in vain");
  await patient[Symbol.asyncDispose]();
  expect(patient.stats().total.messagesDropped).toBe(1);
  expect(await warnedAgain).toEqual(lacking);
  vi.doUnmock("libsodium-wrappers");
});
