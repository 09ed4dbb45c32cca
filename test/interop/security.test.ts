/** PLAIN and CURVE between our sockets and libzmq's, judged on either side. */
import { Buffer } from "node:buffer";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import * as libzmq from "zeromq";
import { curveKeyPair } from "../../src/curve-key-pair.js";
import type { AuthenticationRequest } from "../../src/socket/authenticate.js";
import { Pair } from "../../src/socket/pair.js";
import { EventLog } from "../support/event-log.js";
import { Sockets } from "../support/sockets.js";

const sockets = new Sockets();
let theirs: libzmq.Socket[] = [];

afterEach(async () => {
  await sockets.close();
  for (const socket of theirs.reverse()) socket.close();
  theirs = [];
});
afterAll(() => sockets.end());

const server = curveKeyPair();
const client = curveKeyPair();
const stranger = curveKeyPair();

const MECHANISMS = {
  PLAIN: {
    server: { plainServer: true, zapDomain: "here" },
    client: { plainUsername: "admin", plainPassword: "secret" },
    stranger: { plainUsername: "admin", plainPassword: "guess" },
  },
  CURVE: {
    server: { curveServer: true, curveSecretKey: server.secretKey, zapDomain: "here" },
    client: keysOf(client),
    stranger: keysOf(stranger),
  },
};

function keysOf({ publicKey, secretKey }: { publicKey: string; secretKey: string }) {
  return {
    curveServerKey: server.publicKey,
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
  };
}

type Side = libzmq.Pair | Pair;

/** A socket of ours, or of libzmq's, that judges its peers if it is a server. */
interface Library {
  open(options: object): Promise<Side>;
}

const OURS: Library = {
  async open(options) {
    const authenticate = ({ password, publicKey }: AuthenticationRequest): boolean =>
      password === "secret" || publicKey === client.publicKey;
    return sockets.open(new Pair({ linger: 0, ...options, authenticate }));
  },
};

const THEIRS: Library = {
  async open(options) {
    const context = new libzmq.Context();
    const handler = new libzmq.Router({ context, linger: 0 });
    theirs.push(handler);
    await handler.bind("inproc://zeromq.zap.01");
    void (async () => {
      for await (const [peer, empty, version, id, , , , mechanism, ...credentials] of handler) {
        const good =
          String(mechanism) === "PLAIN"
            ? String(credentials[1]) === "secret"
            : credentials[0]?.equals(clientKey) === true;
        const reply = [peer, empty, version, id, good ? "200" : "400", "", "joe", ""];
        await handler.send(reply as Buffer[]);
      }
    })();
    const socket = new libzmq.Pair({ context, linger: 0, reconnectInterval: 1, ...options });
    theirs.push(socket);
    return socket;
  },
};

const clientKey = octetsOf(client.publicKey);

/** What Z85 stands for, by itself. */
function octetsOf(text: string): Buffer {
  const digits =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
  const octets = Buffer.alloc(32);
  for (let at = 0; at < 8; at++) {
    let value = 0;
    for (const digit of text.slice(at * 5, at * 5 + 5)) value = value * 85 + digits.indexOf(digit);
    octets.writeUInt32BE(value, at * 4);
  }
  return octets;
}

const MESSAGES = [
  ["hello"],
  ["", "b", ""],
  ...[10, 255, 256, 8_000, 100_000].map((size) => ["x".repeat(size), "y"]),
];

async function exchange(one: Side, other: Side): Promise<void> {
  for (const message of MESSAGES) {
    await one.send(message);
    expect((await other.receive()).map(String)).toEqual(message);
    await other.send(message);
    expect((await one.receive()).map(String)).toEqual(message);
  }
}

async function join(transport: "tcp" | "ipc", binder: Side, connector: Side): Promise<void> {
  await binder.bind(sockets.endpoint(transport));
  connector.connect(binder.lastEndpoint as string);
}

const SIDES = { "our server": [OURS, THEIRS], "libzmq's server": [THEIRS, OURS] } as const;
const names = Object.keys(SIDES) as (keyof typeof SIDES)[];

describe.each(["PLAIN", "CURVE"] as const)("%s", (mechanism) => {
  const options = MECHANISMS[mechanism];

  describe.each(names)("%s", (name) => {
    const [serving, asking] = SIDES[name];

    it.each(["tcp", "ipc"] as const)("talks to a client over %s", async (transport) => {
      const one = await serving.open(options.server);
      const other = await asking.open(options.client);
      await join(transport, one, other);
      await exchange(one, other);
    });

    it("may connect", async () => {
      const one = await serving.open(options.server);
      const other = await asking.open(options.client);
      await join("tcp", other, one);
      await exchange(one, other);
    });

    it("refuses a stranger, and both are told", async () => {
      const one = await serving.open(options.server);
      const other = await asking.open(options.stranger);
      const logs = [EventLog.of(one), EventLog.of(other)];
      await join("tcp", one, other);
      for (const [i, log] of logs.entries()) {
        // libzmq's clients of PLAIN know ERROR only as libzmq's servers misspell it.
        const isLost = i === 1 && mechanism === "PLAIN" && asking === THEIRS;
        const { error } = await log.next(`handshake:error:${isLost ? "protocol" : "auth"}`);
        expect(error).toMatchObject(
          isLost ? { code: "ERR_ZMTP_UNEXPECTED_COMMAND" } : { status: 400 },
        );
      }
      const good = await asking.open(options.client);
      good.connect(one.lastEndpoint as string);
      await exchange(one, good);
    });

    it("does not talk to those who know no such mechanism", async () => {
      const one = await serving.open(options.server);
      const other = await asking.open({});
      const log = EventLog.of(one);
      await join("tcp", one, other);
      // Who sees it first tells why, and the other sees a connection that is gone.
      await log.next("disconnect");
      expect(log.count("handshake")).toBe(0);
      const good = await asking.open(options.client);
      good.connect(one.lastEndpoint as string);
      await exchange(one, good);
    });
  });
});
