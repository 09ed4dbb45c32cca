/** PLAIN and CURVE between our sockets and PyZMQ's. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { curveKeyPair, Pair } from "../support/ours.js";
import { type Batch, expected } from "../support/payload.mjs";
import type { PeerOptions } from "../support/peer-process.js";
import { PyzmqPeer } from "../support/pyzmq-peer.js";
import { receive, send } from "../support/traffic.js";

const server = curveKeyPair();
const client = curveKeyPair();

const CURVE_SERVER = {
  curveServer: true,
  curveSecretKey: server.secretKey,
  curvePublicKey: server.publicKey,
};
const CURVE_CLIENT = {
  curveServerKey: server.publicKey,
  curvePublicKey: client.publicKey,
  curveSecretKey: client.secretKey,
};
const LOGIN = { plainUsername: "admin", plainPassword: "secret" };

/** A server of PLAIN is ours: libzmq's would need a handler. */
const CASES: [name: string, ours: object, theirs: PeerOptions][] = [
  ["PLAIN, our server", { plainServer: true }, LOGIN],
  ["CURVE, our server", CURVE_SERVER, CURVE_CLIENT],
  ["CURVE, PyZMQ's server", CURVE_CLIENT, CURVE_SERVER],
];

const BATCH: Batch = { count: 300, shapes: [[1], [300, 0, 255], [64 * 1024], [0]] };

let peer: PyzmqPeer;
let closing: (() => unknown)[] = [];

beforeAll(async () => {
  peer = await PyzmqPeer.start();
});

afterAll(() => peer.kill());

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

it.each(CASES.flatMap((it) => ["binds", "connects"].map((role) => [it[0], role, it] as const)))(
  "%s: ours %s, and exchanges messages",
  async (_name, role, [, ours, theirs]) => {
    const us = new Pair({
      linger: 0,
      ...ours,
      authenticate: ({ password, publicKey }) =>
        password === LOGIN.plainPassword || publicKey === client.publicKey,
    });
    closing.push(() => us.close());
    const them = await peer.open("Pair", { linger: 0, ...theirs });
    closing.push(() => them.close());
    if (role === "binds") {
      await us.bind("tcp://127.0.0.1:*");
      await them.connect(us.lastEndpoint as string);
    } else {
      us.connect(await them.bind("tcp://127.0.0.1:*"));
    }
    const [there] = await Promise.all([them.receive(BATCH.count), send(us, BATCH)]);
    expect(there).toEqual(expected(BATCH));
    const [here] = await Promise.all([receive(us, BATCH.count), them.send(BATCH)]);
    expect(here).toEqual(expected(BATCH));
  },
);
