import { afterEach, expect, it, vi } from "vitest";
import { curveKeyPair } from "../../src/curve-key-pair.js";
import { loadCurveCipher } from "../../src/socket/sodium.js";
import { EventLog } from "../support/event-log.js";
import { Sockets } from "../support/sockets.js";

const sockets = new Sockets();
const keys = curveKeyPair();

afterEach(async () => {
  vi.restoreAllMocks();
  await sockets.close();
});

it("a part whose memory is taken away before it is written costs its connection, and nothing else is read in its place", async () => {
  const [server, client] = [sockets.pair(), sockets.pair({ reconnectInterval: 1 })];
  const log = EventLog.of(client);
  await sockets.join("tcp", server, client);
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const { buffer } = new Uint8Array(9000);
  await client.send(buffer);
  await client.send(buffer, { transfer: [buffer] });
  await client.send("after");
  expect((await warned).message).toContain("a part was detached before it was written");
  await log.next("disconnect");
  expect(String(await server.receive())).toBe("after");
  expect(client.stats().total.messagesDropped).toBe(1);
});

it("a message that is too large for CURVE is lost alone: it costs a connection, and is told of", async () => {
  // WebAssembly has no memory for 2 GB; the test says so earlier.
  const cipher = await loadCurveCipher();
  const seal = cipher.seal.bind(cipher);
  vi.spyOn(cipher, "seal").mockImplementation((target, at, lead, plain, nonce, key) => {
    if (plain.length > 10_000) throw new RangeError("too many octets");
    seal(target, at, lead, plain, nonce, key);
  });
  const server = sockets.pair({ curveServer: true, curveSecretKey: keys.secretKey });
  const client = sockets.pair({
    curveServerKey: keys.publicKey,
    curveSecretKey: curveKeyPair().secretKey,
    reconnectInterval: 1,
  });
  const log = EventLog.of(client);
  await sockets.join("tcp", server, client);
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  await client.send("before");
  await client.send(["one part", Buffer.alloc(20_000), "another"]);
  await client.send("after");
  expect((await warned).message).toBe("A message is lost: too many octets");
  await log.next("disconnect");
  // What was encoded with it, and not written, goes over the next connection.
  const [first, second] = [await server.receive(), await server.receive()];
  expect([first, second].map(String)).toEqual(["before", "after"]);
  expect(client.stats().total.messagesDropped).toBe(1);
});
