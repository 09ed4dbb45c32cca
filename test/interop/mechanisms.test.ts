/** PLAIN and CURVE against libzmq, both ways, without engine or socket of ours. */
import nacl from "tweetnacl";
import { afterEach, describe, expect, it } from "vitest";
import * as libzmq from "zeromq";
import {
  announce,
  type ConnectionOptions,
  DEFAULT_LIMITS,
  PlainMechanism,
  type Role,
} from "../../src/zmtp/index.js";
import { CLIENT, curveClient, curveServer, SERVER } from "../support/curve-sides.js";
import { dial, NetServer, type NetSide } from "../support/net-side.js";
import { until } from "../support/sockets.js";

const LOGIN = { username: Buffer.from("admin"), password: Buffer.from("s3cret") };

/** Options of a socket of libzmq's, by npm zeromq's names. */
const SERVER_KEYS = { curveServer: true, curveSecretKey: text(SERVER.secretKey) };
const CLIENT_KEYS = {
  curveServerKey: text(SERVER.publicKey),
  curvePublicKey: text(CLIENT.publicKey),
  curveSecretKey: text(CLIENT.secretKey),
};

let close: (() => void)[] = [];

afterEach(() => {
  for (const one of close.reverse()) one();
  close = [];
});

/** npm zeromq takes keys as 32 octets, too. */
function text(key: Uint8Array): string {
  return Buffer.from(key) as unknown as string;
}

function open<S extends libzmq.Socket>(socket: S): S {
  close.push(() => socket.close());
  return socket;
}

function context(): libzmq.Context {
  return new libzmq.Context();
}

const plain = (role: Role) =>
  new PlainMechanism(role, role === "client" ? LOGIN : undefined, announce("PAIR", undefined), {
    ...DEFAULT_LIMITS,
  });

/** A handler of ZAP (RFC 27) in libzmq's context, which lets in who knows the password. */
async function judge(where: libzmq.Context): Promise<Buffer[][]> {
  const router = open(new libzmq.Router({ context: where, linger: 0 }));
  await router.bind("inproc://zeromq.zap.01");
  const requests: Buffer[][] = [];
  void (async () => {
    for await (const [peer, empty, version, id, ...request] of router) {
      requests.push(request);
      const good = request[5] === undefined || request[5].toString() === "s3cret";
      const status = good ? ["200", "OK"] : ["400", "no"];
      await router.send([peer, empty, version, id, ...status, "", ""] as Buffer[]);
    }
  })();
  return requests;
}

/** Messages go both ways, of several parts and of all sizes. */
async function converse(ours: NetSide, theirs: libzmq.Pair): Promise<void> {
  await until(() => ours.connection.phase === "traffic");
  for (const size of [0, 1, 222, 223, 255, 256, 8192, 100_000]) {
    const body = "x".repeat(size);
    await theirs.send(["head", body]);
    await until(() => ours.messages.length === 1);
    expect(ours.texts.pop()).toEqual(["head", body]);
    ours.messages.length = 0;
    ours.send(body, "tail");
    expect((await theirs.receive()).map(String)).toEqual([body, "tail"]);
  }
}

async function listen(role: Role, options: () => Partial<ConnectionOptions>, judges = true) {
  const server = await NetServer.open(role, options, judges);
  close.push(() => server.close());
  return server;
}

function dialled(...all: Parameters<typeof dial>): NetSide {
  const side = dial(...all);
  close.push(() => side.socket.destroy());
  return side;
}

describe("over CURVE", () => {
  it("a client of ours talks to libzmq's server", async () => {
    const theirs = open(new libzmq.Pair({ context: context(), linger: 0, ...SERVER_KEYS }));
    await theirs.bind("tcp://127.0.0.1:*");
    const ours = dialled("client", { mechanism: curveClient() }, theirs.lastEndpoint as string);
    await converse(ours, theirs);
  });

  it("a client of libzmq's talks to our server", async () => {
    const server = await listen("server", () => ({ mechanism: curveServer() }));
    const theirs = open(new libzmq.Pair({ context: context(), linger: 0, ...CLIENT_KEYS }));
    theirs.connect(server.endpoint);
    await until(() => server.sides.length === 1);
    const ours = server.sides[0] as NetSide;
    await converse(ours, theirs);
    expect(ours.credentials).toEqual([CLIENT.publicKey]);
  });

  it("the one who binds may be the client", async () => {
    const server = await listen("client", () => ({ mechanism: curveClient() }));
    const theirs = open(new libzmq.Pair({ context: context(), linger: 0, ...SERVER_KEYS }));
    theirs.connect(server.endpoint);
    await until(() => server.sides.length === 1);
    await converse(server.sides[0] as NetSide, theirs);
  });

  it("libzmq's judge hears of our key", async () => {
    const where = context();
    const requests = await judge(where);
    const theirs = open(new libzmq.Pair({ context: where, linger: 0, ...SERVER_KEYS }));
    await theirs.bind("tcp://127.0.0.1:*");
    const ours = dialled("client", { mechanism: curveClient() }, theirs.lastEndpoint as string);
    await until(() => ours.connection.phase === "traffic");
    expect(requests[0]?.[4]).toEqual(Buffer.from(CLIENT.publicKey));
  });

  it("libzmq's heartbeats and subscriptions come inside messages", async () => {
    const server = await listen("server", () => ({
      socketType: "PUB",
      mechanism: curveServer({ socketType: "PUB" }),
    }));
    const options = { heartbeatInterval: 20, heartbeatTimeout: 5000, ...CLIENT_KEYS };
    const theirs = open(new libzmq.Subscriber({ context: context(), linger: 0, ...options }));
    theirs.subscribe("topic");
    theirs.connect(server.endpoint);
    await until(() => server.sides[0]?.subscriptions.length === 1);
    const ours = server.sides[0] as NetSide;
    expect(ours.subscriptions).toEqual(["+topic"]);
    // HELLO, INITIATE and SUBSCRIBE have come, and now a PING, which is answered at once.
    const said = ours.went.length;
    await until(() => ours.went.length > said + 1);
    ours.send("topic", "news");
    expect((await theirs.receive()).map(String)).toEqual(["topic", "news"]);
    expect(ours.error).toBeUndefined();
  });

  it("libzmq does not let in who does not know its key", async () => {
    const theirs = open(new libzmq.Pair({ context: context(), linger: 0, ...SERVER_KEYS }));
    await theirs.bind("tcp://127.0.0.1:*");
    const serverKey = nacl.box.keyPair().publicKey;
    const mechanism = curveClient({ serverKey });
    const ours = dialled("client", { mechanism }, theirs.lastEndpoint as string);
    await until(() => ours.ended);
    expect([ours.peer, ours.error]).toEqual([undefined, undefined]);
  });

  it("we do not let in who does not know ours", async () => {
    const server = await listen("server", () => ({ mechanism: curveServer() }));
    const stranger = { ...CLIENT_KEYS, curveServerKey: text(nacl.box.keyPair().publicKey) };
    const theirs = open(new libzmq.Pair({ context: context(), linger: 0, ...stranger }));
    theirs.connect(server.endpoint);
    await until(() => server.sides[0]?.error !== undefined);
    expect(server.sides[0]?.error?.code).toBe("ERR_ZMTP_CRYPTOGRAPHIC");
  });

  it("libzmq understands that it is refused", async () => {
    const server = await listen("server", () => ({ mechanism: curveServer() }), false);
    const theirs = open(new libzmq.Pair({ context: context(), linger: 0, ...CLIENT_KEYS }));
    const seen: string[] = [];
    theirs.events.on("handshake:error:auth", ({ error }) => seen.push(`${error.status}`));
    theirs.connect(server.endpoint);
    await until(() => server.sides.length === 1);
    const ours = server.sides[0] as NetSide;
    await until(() => ours.connection.phase === "authentication");
    ours.connection.refuse("400", 0);
    ours.flush();
    await until(() => seen.length > 0);
    expect(seen).toEqual(["400"]);
  });
});

describe("over PLAIN", () => {
  const server = (where: libzmq.Context) =>
    open(new libzmq.Pair({ context: where, linger: 0, plainServer: true }));

  it("a client of ours talks to libzmq's server, whose judge hears of us", async () => {
    const where = context();
    const requests = await judge(where);
    const theirs = server(where);
    await theirs.bind("tcp://127.0.0.1:*");
    const ours = dialled("client", { mechanism: plain("client") }, theirs.lastEndpoint as string);
    await converse(ours, theirs);
    expect(requests[0]?.slice(3).map(String)).toEqual(["PLAIN", "admin", "s3cret"]);
  });

  it("a client of libzmq's talks to our server", async () => {
    const ours = await listen("server", () => ({ mechanism: plain("server") }));
    const options = { plainUsername: "admin", plainPassword: "s3cret" };
    const theirs = open(new libzmq.Pair({ context: context(), linger: 0, ...options }));
    theirs.connect(ours.endpoint);
    await until(() => ours.sides.length === 1);
    await converse(ours.sides[0] as NetSide, theirs);
    expect(ours.sides[0]?.credentials?.map((it) => Buffer.from(it).toString())).toEqual([
      "admin",
      "s3cret",
    ]);
  });

  it("a client of ours understands libzmq's misspelt ERROR", async () => {
    const where = context();
    await judge(where);
    const theirs = server(where);
    await theirs.bind("tcp://127.0.0.1:*");
    const login = { ...LOGIN, password: Buffer.from("wrong") };
    const mechanism = new PlainMechanism(
      "client",
      login,
      announce("PAIR", undefined),
      DEFAULT_LIMITS,
    );
    const ours = dialled("client", { mechanism }, theirs.lastEndpoint as string);
    await until(() => ours.error !== undefined);
    expect(ours.error?.code).toBe("ERR_ZMTP_PEER_ERROR");
    expect(ours.error?.message).toContain("400");
  });

  it("libzmq's client stops when we refuse it", async () => {
    const ours = await listen("server", () => ({ mechanism: plain("server") }), false);
    const options = { plainUsername: "admin", plainPassword: "wrong", reconnectInterval: 1 };
    const theirs = open(new libzmq.Pair({ context: context(), linger: 0, ...options }));
    const failed = new Promise((resolve) => {
      theirs.events.on("handshake:error:protocol", resolve);
      theirs.events.on("handshake:error:auth", resolve);
    });
    theirs.connect(ours.endpoint);
    await until(() => ours.sides.length === 1);
    const side = ours.sides[0] as NetSide;
    await until(() => side.connection.phase === "authentication");
    side.connection.refuse("400", 0);
    side.flush();
    await failed;
    expect(ours.sides).toHaveLength(1);
  });
});
