import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Pair } from "../support/ours.js";
import { type Batch, expected } from "../support/payload.mjs";
import { PyzmqPeer } from "../support/pyzmq-peer.js";
import { receive, send } from "../support/traffic.js";

const KB = 1024;
const MB = 1024 * KB;

const BATCHES: { name: string; batch: Batch }[] = [
  { name: "0 B", batch: { count: 300, shapes: [[0]] } },
  { name: "1 B", batch: { count: 300, shapes: [[1]] } },
  { name: "255 B", batch: { count: 300, shapes: [[255]] } },
  { name: "256 B", batch: { count: 300, shapes: [[256]] } },
  { name: "8 KB", batch: { count: 300, shapes: [[8 * KB]] } },
  { name: "64 KB", batch: { count: 100, shapes: [[64 * KB]] } },
  { name: "1 MB", batch: { count: 20, shapes: [[MB]] } },
  { name: "2 parts", batch: { count: 200, shapes: [[100, 1]] } },
  { name: "1000 parts", batch: { count: 10, shapes: [Array(1000).fill(9)] } },
  { name: "empty parts", batch: { count: 200, shapes: [[0, 0, 0], [0, 5], [5, 0], [0]] } },
  { name: "all sorts", batch: { count: 200, shapes: [[1], [300, 0, 255], [64 * KB], [0]] } },
];

let folder: string;
let peer: PyzmqPeer;
let closing: (() => unknown)[] = [];
let paths = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "purezmq-"));
  peer = await PyzmqPeer.start();
});

afterAll(async () => {
  await peer.kill();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

describe.each([
  { role: "binds", transport: "tcp" },
  { role: "binds", transport: "ipc" },
  { role: "connects", transport: "tcp" },
  { role: "connects", transport: "ipc" },
])("ours $role, $transport, PyZMQ on the other side", ({ role, transport }) => {
  it.each(BATCHES)("exchanges messages of $name", async ({ batch }) => {
    const address =
      transport === "tcp" ? "tcp://127.0.0.1:*" : `ipc://${join(folder, String(paths++))}`;
    const us = new Pair({ linger: 0 });
    closing.push(() => us.close());
    const them = await peer.open("Pair", { linger: 0 });
    closing.push(() => them.close());
    if (role === "binds") {
      await us.bind(address);
      await them.connect(us.lastEndpoint as string);
    } else {
      us.connect(await them.bind(address));
    }

    const [there] = await Promise.all([them.receive(batch.count), send(us, batch)]);
    expect(there).toEqual(expected(batch));
    const [here] = await Promise.all([receive(us, batch.count), them.send(batch)]);
    expect(here).toEqual(expected(batch));
  });
});
