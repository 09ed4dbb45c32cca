/**
 * Records a conversation over CURVE between libzmq and a connection of ours of which nothing is left
 * to chance, once in each role: `npx tsx test/support/record-curve.child.ts && npm run format`.
 */
import { writeFileSync } from "node:fs";
import * as libzmq from "zeromq";
import type { Role } from "../../src/zmtp/index.js";
import { CLIENT, curveClient, curveServer, SERVER, sodium } from "./curve-sides.js";
import { SeededCipher } from "./nacl-cipher.js";
import { dial, NetServer, type NetSide } from "./net-side.js";
import { until } from "./sockets.js";

/** What either role draws by chance comes from this. */
const SEED = 7;

const MESSAGES = [["one"], ["two", "", "three"], ["x".repeat(300)]];

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");

const recording = {
  what: "CURVE between libzmq and ours, which answers each message with the same: see record-curve.child.ts",
  seed: SEED,
  server: hex(SERVER.secretKey),
  client: hex(CLIENT.secretKey),
  messages: MESSAGES,
  asClient: await record("client"),
  asServer: await record("server"),
};
const file = new URL("../zmtp/curve-libzmq.json", import.meta.url);
writeFileSync(file, `${JSON.stringify(recording, null, 2)}\n`);

async function record(role: Role): Promise<{ came: string; went: string }> {
  const cipher = new SeededCipher(sodium, SEED);
  const mechanism = role === "client" ? curveClient({ cipher }) : curveServer({ cipher });
  const keys = role === "client" ? serverKeys() : clientKeys();
  const theirs = new libzmq.Pair({ linger: 0, ...keys });
  let ours: NetSide;
  let server: NetServer | undefined;
  if (role === "client") {
    await theirs.bind("tcp://127.0.0.1:*");
    ours = dial(role, { mechanism }, theirs.lastEndpoint as string);
  } else {
    const listening = await NetServer.open(role, () => ({ mechanism }));
    server = listening;
    theirs.connect(listening.endpoint);
    await until(() => listening.sides.length === 1);
    ours = listening.sides[0] as NetSide;
  }
  ours.echoes = true;
  for (const message of MESSAGES) {
    await theirs.send(message);
    console.log(role, "got", (await theirs.receive()).map(String));
  }
  theirs.close();
  server?.close();
  ours.socket.destroy();
  return { came: hex(Buffer.concat(ours.came)), went: hex(Buffer.concat(ours.went)) };
}

function serverKeys(): object {
  return { curveServer: true, curveSecretKey: Buffer.from(SERVER.secretKey) };
}

function clientKeys(): object {
  return {
    curveServerKey: Buffer.from(SERVER.publicKey),
    curvePublicKey: Buffer.from(CLIENT.publicKey),
    curveSecretKey: Buffer.from(CLIENT.secretKey),
  };
}
