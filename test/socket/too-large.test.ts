import { afterEach, expect, it, vi } from "vitest";
import { curveKeyPair } from "../../src/curve-key-pair.js";
import { loadCurveCipher } from "../../src/socket/sodium.js";
import { EventLog } from "../support/event-log.js";
import { Sockets } from "../support/sockets.js";

const sockets = new Sockets();
const keys = curveKeyPair();

/** A Buffer without memory: it has no octets. */
function detached(size: number): Buffer {
  const body = Buffer.from(new ArrayBuffer(size));
  structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] });
  return body;
}

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

it("a part that has no memory any more is refused at the call, and nothing of its message is sent", async () => {
  const [server, client] = [sockets.pair(), sockets.pair()];
  await sockets.join("tcp", server, client);
  const gone = detached(100);
  for (const message of [gone, ["A", gone, "C"]]) {
    expect(() => client.send(message)).toThrow(TypeError);
    expect(() => client.trySend(message)).toThrow(TypeError);
  }
  await client.send("B");
  expect((await server.receive()).map(String)).toEqual(["B"]);
});

it.each([
  { when: "while it waits for a peer", secured: false, size: 200 },
  { when: "while it waits for a peer", secured: true, size: 200 },
  { when: "in the turn in which it was sent", secured: true, size: 200 },
  { when: "in the turn in which it was sent", secured: true, size: 9000 },
])(
  "a part of $size octets that loses its memory $when is lost alone, and told of (CURVE: $secured)",
  async (row) => {
    const [bound, connecting] = row.secured
      ? [
          { curveServer: true, curveSecretKey: keys.secretKey },
          { curveServerKey: keys.publicKey, curveSecretKey: curveKeyPair().secretKey },
        ]
      : [{}, {}];
    const [server, client] = [
      sockets.pair(bound),
      sockets.pair({ ...connecting, reconnectInterval: 1 }),
    ];
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const endpoint = sockets.endpoint("ipc");
    const waits = row.when.startsWith("while");
    if (!waits) await server.bind(endpoint);
    const log = EventLog.of(client);
    client.connect(endpoint);
    if (!waits) await log.next("handshake");
    const body = Buffer.from(new ArrayBuffer(row.size));
    for (const message of ["before", ["with it", body, "too"], "after"])
      expect(client.trySend(message)).toBe(true);
    structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] });
    if (waits) await server.bind(endpoint);
    expect((await warned).message).toContain("a part was detached before it was written");
    const received = [await server.receive(), await server.receive()];
    expect(received.map(String)).toEqual(["before", "after"]);
    expect(client.stats().total.messagesDropped).toBe(1);
  },
);

it("a message that is too large for CURVE is lost alone: it costs a connection, and is told of", async () => {
  // libsodium has no memory for 2 GB; the test says so earlier.
  const { box } = await loadCurveCipher();
  const seal = box.seal.bind(box);
  vi.spyOn(box, "seal").mockImplementation((target, at, lead, plain, nonce, key) => {
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
