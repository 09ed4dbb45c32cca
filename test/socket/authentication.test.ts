/** Peers that are let in, and that are not, by sockets over real connections. */
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { curveKeyPair } from "../../src/curve-key-pair.js";
import type { Event } from "../../src/events.js";
import type { AuthenticationRequest } from "../../src/socket/authenticate.js";
import { Context } from "../../src/socket/context.js";
import { Dealer } from "../../src/socket/dealer.js";
import type { Pair } from "../../src/socket/pair.js";
import { Reply } from "../../src/socket/rep.js";
import { Router } from "../../src/socket/router.js";
import { EventLog } from "../support/event-log.js";
import { RawPeer } from "../support/raw-peer.js";
import { handshake, Sockets, until } from "../support/sockets.js";
import { greeting, message, ready } from "../support/wire.js";

const sockets = new Sockets();

afterEach(() => sockets.close());
afterAll(() => sockets.end());

const server = curveKeyPair();
const client = curveKeyPair();

const MECHANISMS = {
  NULL: { server: {}, client: {}, stranger: {} },
  PLAIN: {
    server: { plainServer: true },
    client: { plainUsername: "admin", plainPassword: "secret" },
    stranger: { plainUsername: "admin", plainPassword: "guess" },
  },
  CURVE: {
    server: { curveServer: true, curveSecretKey: server.secretKey },
    client: {
      curveServerKey: server.publicKey,
      curvePublicKey: client.publicKey,
      curveSecretKey: client.secretKey,
    },
    stranger: {
      curveServerKey: server.publicKey,
      curveSecretKey: curveKeyPair().secretKey,
    },
  },
} as const;

type Mechanism = keyof typeof MECHANISMS;

const NAMES = Object.keys(MECHANISMS) as Mechanism[];

/** Whether it is our client that asks. */
function isGood({ mechanism, password, publicKey }: AuthenticationRequest): boolean {
  return mechanism === "PLAIN" ? password === "secret" : publicKey === client.publicKey;
}

async function talk(one: Pair, other: Pair): Promise<void> {
  await other.send("there");
  expect(String(await one.receive())).toBe("there");
  await one.send("back");
  expect(String(await other.receive())).toBe("back");
}

/** The next event of a type, whole. */
async function next<T extends Event["type"]>(
  log: EventLog,
  type: T,
): Promise<Extract<Event, { type: T }>> {
  return (await log.next(type)) as unknown as Extract<Event, { type: T }>;
}

describe.each(["tcp", "ipc"] as const)("over %s", (transport) => {
  describe.each(NAMES)("%s", (mechanism) => {
    const options = MECHANISMS[mechanism];

    it("lets in whom authenticate allows, and tells who that is", async () => {
      const requests: AuthenticationRequest[] = [];
      const one = sockets.pair({
        ...options.server,
        zapDomain: "here",
        authenticate: async (request) => {
          requests.push(request);
          return { userId: "joe", metadata: { "X-Role": "root" } };
        },
      });
      const log = EventLog.of(one);
      const other = sockets.pair({ ...options.client });
      await sockets.join(transport, one, other);
      await talk(one, other);
      const address = transport === "tcp" ? "127.0.0.1" : "";
      expect(requests).toEqual([
        expect.objectContaining({ mechanism, domain: "here", address, identity: Buffer.alloc(0) }),
      ]);
      const assured = new Map([["x-role", Buffer.from("root")]]);
      const known = { userId: "joe", metadata: { claimed: new Map(), assured } };
      expect(await next(log, "handshake")).toMatchObject(known);
      expect(one.stats().peers).toEqual([expect.objectContaining(known)]);
      other.close();
      expect(await next(log, "disconnect")).toMatchObject({ userId: "joe" });
    });

    it("tells nothing of a peer of whom nothing is known", async () => {
      const one = sockets.pair({ ...options.server, authenticate: () => true });
      const log = EventLog.of(one);
      await sockets.join(transport, one, sockets.pair({ ...options.client }));
      const event = await next(log, "handshake");
      expect("userId" in event || "metadata" in event).toBe(false);
      const [peer] = one.stats().peers;
      expect([peer?.userId, peer?.metadata]).toEqual([undefined, undefined]);
    });

    it("may be asked of by the side that connects", async () => {
      const one = sockets.pair({ ...options.client });
      const other = sockets.pair({ ...options.server, authenticate: () => ({ userId: "binder" }) });
      await sockets.join(transport, one, other);
      await talk(one, other);
      expect(other.stats().peers[0]?.userId).toBe("binder");
    });
  });
});

describe.each(["PLAIN", "CURVE"] as const)("%s", (mechanism) => {
  const options = MECHANISMS[mechanism];

  it("a stranger is refused, told so, and gives up where it can trust that", async () => {
    const one = sockets.pair({ ...options.server, authenticate: isGood });
    const stranger = sockets.pair({ ...options.stranger, reconnectInterval: 1 });
    const logs = [EventLog.of(one), EventLog.of(stranger)] as const;
    await one.bind(sockets.endpoint("tcp"));
    stranger.connect(one.lastEndpoint as string);
    for (const log of logs) {
      const { error, peerAddress } = await next(log, "handshake:error:auth");
      expect([error.message, error.status]).toEqual(["Authentication failure", 400]);
      expect(peerAddress).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
      await log.next("disconnect");
    }
    // Over CURVE anybody may have said so.
    if (mechanism === "CURVE") await logs[1].next("connect:retry");
    else expect(logs[1].count("connect:retry")).toBe(0);
    const good = sockets.pair({ ...options.client });
    good.connect(one.lastEndpoint as string);
    await talk(one, good);
    expect(one.stats().peers.filter(({ connected }) => connected)).toHaveLength(1);
  });

  it.each([
    [300, "Temporary error"],
    [500, "Internal error"],
  ] as const)("a status of %d ends the connection", async (status, message) => {
    const one = sockets.pair({ ...options.server, authenticate: () => ({ status }) });
    const log = EventLog.of(one);
    await one.bind(sockets.endpoint("tcp"));
    const other = sockets.pair({ ...options.client, reconnectInterval: 1 });
    const otherLog = EventLog.of(other);
    other.connect(one.lastEndpoint as string);
    const { error } = await next(log, "handshake:error:auth");
    expect([error.message, error.status]).toEqual([message, status]);
    await otherLog.next("disconnect");
    // 300 is told by nothing but the end, and may be tried again.
    expect(otherLog.count("handshake:error:auth")).toBe(status === 300 ? 0 : 1);
    if (status === 300) await log.next("handshake:error:auth");
  });

  it("what authenticate throws is told, and nobody gets in", async () => {
    const cause = new Error("no database");
    const one = sockets.pair({ ...options.server, authenticate: () => Promise.reject(cause) });
    const log = EventLog.of(one);
    await one.bind(sockets.endpoint("tcp"));
    sockets.pair({ ...options.client }).connect(one.lastEndpoint as string);
    const { error } = await next(log, "handshake:error:auth");
    expect([error.status, error.cause]).toEqual([500, cause]);
  });

  it("a peer that goes while it is judged is forgotten, and so is the judgement", async () => {
    let decide: (good: boolean) => void = () => {};
    const one = sockets.pair({
      ...options.server,
      authenticate: () => new Promise((resolve) => (decide = resolve)),
    });
    const log = EventLog.of(one);
    await one.bind(sockets.endpoint("tcp"));
    const other = sockets.pair({ ...options.client });
    other.connect(one.lastEndpoint as string);
    const first = decide;
    await until(() => decide !== first);
    other.close();
    await log.next("disconnect");
    decide(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(one.stats().peers).toEqual([]);
    expect(log.count("handshake")).toBe(0);
  });

  it("a handshake that is judged too long is over", async () => {
    const one = sockets.pair({
      ...options.server,
      handshakeInterval: 100,
      authenticate: () => new Promise(() => {}),
    });
    const log = EventLog.of(one);
    await one.bind(sockets.endpoint("tcp"));
    sockets.pair({ ...options.client }).connect(one.lastEndpoint as string);
    const { error } = await next(log, "handshake:error:other");
    expect(error.code).toBe("EAGAIN");
    await log.next("disconnect");
  });

  it("a socket that closes while it judges closes", async () => {
    let asked = false;
    const one = sockets.pair({
      ...options.server,
      authenticate: () => {
        asked = true;
        return new Promise(() => {});
      },
    });
    await one.bind(sockets.endpoint("tcp"));
    sockets.pair({ ...options.client }).connect(one.lastEndpoint as string);
    await until(() => asked);
    await one[Symbol.asyncDispose]();
    expect(one.closed).toBe(true);
  });

  it("options that are set for the next endpoint do not open the one there is", async () => {
    const one = sockets.pair({ ...options.server, authenticate: isGood });
    await one.bind(sockets.endpoint("tcp"));
    const secured = one.lastEndpoint as string;
    Object.assign(one, mechanism === "PLAIN" ? { plainServer: false } : { plainServer: true });
    Object.assign(one, { plainServer: false });
    const log = EventLog.of(one);
    const open = sockets.pair({ reconnectInterval: 1 });
    open.connect(secured);
    const { error } = await next(log, "handshake:error:protocol");
    expect(error.code).toBe("ERR_ZMTP_MECHANISM_MISMATCH");
    const good = sockets.pair({ ...options.client });
    good.connect(secured);
    await talk(one, good);
  });
});

/** A peer that says `octets` and goes, all before this thread so much as accepts it. */
function comeAndGo(endpoint: string, octets: Buffer): void {
  const path = JSON.stringify(endpoint.slice("ipc://".length));
  const said = `"${octets.toString("hex")}", "hex", () => process.exit()`;
  execFileSync(process.execPath, ["-e", `require("node:net").connect(${path}).end(${said})`]);
}

it("a peer that is turned down, and had gone before we could greet it, is gone", async () => {
  const one = sockets.pair({ handshakeInterval: 0, authenticate: () => false });
  const log = EventLog.of(one);
  await one.bind(sockets.endpoint("ipc"));
  const said = [greeting(), ready({ "Socket-Type": "PAIR" }), message("and more")];
  comeAndGo(one.lastEndpoint as string, Buffer.concat(said));
  expect((await next(log, "handshake:error:auth")).error.status).toBe(400);
  expect(one.stats().peers).toEqual([]);
});

it("who connects and refuses comes back later and later", async () => {
  const one = sockets.pair();
  await one.bind(sockets.endpoint("tcp"));
  const other = sockets.pair({ reconnectInterval: 1, authenticate: () => false });
  const log = EventLog.of(other);
  other.connect(one.lastEndpoint as string);
  // The first delay is one to two intervals, the sixth 32 to 64.
  const intervals: number[] = [];
  for (let i = 0; i < 6; i++) intervals.push((await next(log, "connect:retry")).interval);
  expect(intervals[5]).toBeGreaterThanOrEqual(32);
  other.authenticate = null;
  await handshake(other);
});

it("CURVE without a judge lets in whoever knows the server's key", async () => {
  const one = sockets.pair(MECHANISMS.CURVE.server);
  const other = sockets.pair(MECHANISMS.CURVE.stranger);
  await sockets.join("tcp", one, other);
  await talk(one, other);
});

it("a server of CURVE without a key warns, and lets nobody in", async () => {
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const one = sockets.pair({ curveServer: true });
  const log = EventLog.of(one);
  await one.bind(sockets.endpoint("tcp"));
  expect((await warned).message).toContain("curveServer without curveSecretKey");
  sockets.pair(MECHANISMS.CURVE.client).connect(one.lastEndpoint as string);
  const { error } = await next(log, "handshake:error:protocol");
  expect(error.code).toBe("ERR_ZMTP_CRYPTOGRAPHIC");
});

describe("a ZAP handler", () => {
  type Handle = (request: Buffer[]) => (string | Buffer)[];

  const allow: Handle = ([version, id]) => [version, id, "200", "OK", "joe", ""] as string[];

  /** A Router or Reply in the context, that answers as `handle` says: without envelope. */
  async function serve(
    context: Context,
    handle: Handle,
    type: "Router" | "Reply" = "Router",
  ): Promise<{ requests: Buffer[][]; socket: Router | Reply }> {
    const requests: Buffer[][] = [];
    const socket = sockets.open(
      type === "Router" ? new Router({ context }) : new Reply({ context }),
    );
    await socket.bind("inproc://zeromq.zap.01");
    void (async () => {
      for await (const message of socket as Router) {
        const envelope = type === "Router" ? message.slice(0, 2) : [];
        const request = message.slice(envelope.length);
        requests.push(request);
        await (socket as Router).send([...envelope, ...handle(request)]);
      }
    })();
    return { requests, socket };
  }

  it.each([Router, Reply])(
    "that is slow is not asked any more about peers that have gone (%#)",
    async (Handler) => {
      const context = new Context();
      const handler = sockets.open(new Handler({ context }));
      await handler.bind("inproc://zeromq.zap.01");
      const one = sockets.open(new Router({ context, zapDomain: "here" }));
      await one.bind(sockets.endpoint("tcp"));
      const peers: RawPeer[] = [];
      for (const name of ["a", "b", "c", "d", "e"]) {
        const peer = await RawPeer.connect(one.lastEndpoint as string);
        peers.push(peer);
        peer.socket.write(
          Buffer.concat([greeting(), ready({ "Socket-Type": "DEALER", Identity: name })]),
        );
      }
      await until(() => handler.stats().receive.messages === 5);
      for (const peer of peers) if (peer !== peers[2]) peer.socket.destroy();
      await until(() => one.stats().peers.length === 1);
      expect(handler.stats().receive.messages).toBe(1);
      expect(handler.stats().peers).toHaveLength(1);
      const [request] = [await handler.receive()];
      expect(String(request?.at(-1))).toBe("NULL");
      peers[2]?.socket.destroy();
      await until(() => one.stats().peers.length === 0);
      expect(handler.stats().receive.messages).toBe(0);
    },
  );

  it.each(["Router", "Reply"] as const)("that is a %s decides", async (type) => {
    const context = new Context();
    const judge: Handle = ([version, id, , , , , , password]) =>
      [version, id, String(password) === "secret" ? "200" : "400", "", "joe", ""] as string[];
    const { requests } = await serve(context, judge, type);
    const dealers = ["secret", "guess"].map((plainPassword) =>
      sockets.open(new Dealer({ plainUsername: "admin", plainPassword, linger: 0 })),
    );
    const router = sockets.open(
      new Router({ context, plainServer: true, zapDomain: "here", routingId: "us" }),
    );
    await router.bind(sockets.endpoint("tcp"));
    const log = EventLog.of(router);
    for (const dealer of dealers) dealer.connect(router.lastEndpoint as string);
    await handshake(dealers[0] as Dealer);
    await next(log, "handshake:error:auth");
    expect(router.stats().peers.map(({ userId }) => userId)).toEqual(["joe"]);
    const said = requests.map((request) => request.map(String));
    expect(said.map(([version, , ...rest]) => [version, ...rest]).sort()).toEqual(
      ["guess", "secret"].map((password) => [
        "1.0",
        "here",
        "127.0.0.1",
        "us",
        "PLAIN",
        "admin",
        password,
      ]),
    );
  });

  it.each([
    ["ERR_ZAP_MALFORMED_REPLY", () => ["", ""]],
    ["ERR_ZAP_BAD_VERSION", ([, id]) => ["9.9", id, "200", "OK", "", ""]],
    ["ERR_ZAP_BAD_REQUEST_ID", ([version]) => [version, "?", "200", "OK", "", ""]],
    ["ERR_ZAP_INVALID_STATUS_CODE", ([version, id]) => [version, id, "201", "OK", "", ""]],
    ["ERR_ZAP_INVALID_METADATA", ([version, id]) => [version, id, "200", "OK", "", "\x05"]],
  ] as [string, Handle][])("whose reply is none lets nobody in: %s", async (code, handle) => {
    const context = new Context();
    await serve(context, handle);
    const one = sockets.pair({ context, plainServer: true });
    const log = EventLog.of(one);
    await one.bind(sockets.endpoint("tcp"));
    const other = sockets.pair({ ...MECHANISMS.PLAIN.client, reconnectInterval: 1 });
    other.connect(one.lastEndpoint as string);
    const { error } = await next(log, "handshake:error:protocol");
    expect([error.message, error.code]).toEqual(["ZAP protocol error", code]);
    await log.next("disconnect");
    // It is not the client's fault: it tries again, and is asked about again.
    await log.next("handshake:error:protocol");
    expect(log.count("handshake")).toBe(0);
  });

  it("that goes without an answer lets nobody in, and the next one is asked", async () => {
    const context = new Context();
    const mute = sockets.open(new Router({ context }));
    await mute.bind("inproc://zeromq.zap.01");
    const one = sockets.pair({ context, plainServer: true });
    const log = EventLog.of(one);
    await one.bind(sockets.endpoint("tcp"));
    const other = sockets.pair({ ...MECHANISMS.PLAIN.client, reconnectInterval: 1 });
    other.connect(one.lastEndpoint as string);
    await mute.receive();
    mute.close();
    const { error } = await next(log, "handshake:error:other");
    expect(error.code).toBe("ECONNREFUSED");
    await serve(context, allow);
    await handshake(other);
    await talk(one, other);
  });

  it.each([
    ["PLAIN", {}],
    ["PLAIN with a domain", { zapDomain: "d" }],
    ["NULL with a domain", { plainServer: false, zapDomain: "d" }],
    ["NULL that is enforced", { plainServer: false, zapEnforceDomain: true }],
    ["CURVE with a domain", { ...MECHANISMS.CURVE.server, zapDomain: "d" }],
    ["CURVE that is enforced", { ...MECHANISMS.CURVE.server, zapEnforceDomain: true }],
  ])("that is not there lets nobody in: %s", async (name, options) => {
    const one = sockets.pair({ context: new Context(), plainServer: true, ...options });
    const log = EventLog.of(one);
    await one.bind(sockets.endpoint("tcp"));
    const { client } = MECHANISMS[name.split(" ")[0] as Mechanism];
    sockets.pair({ ...client, reconnectInterval: 1 }).connect(one.lastEndpoint as string);
    for (let i = 0; i < 3; i++) {
      const { error } = await next(log, "handshake:error:other");
      expect(error.code).toBe("ECONNREFUSED");
    }
    expect(log.count("handshake")).toBe(0);
  });

  it.each([{ zapDomain: "d" }, { zapEnforceDomain: true }])(
    "is asked by a NULL that connects with %j, too",
    async (options) => {
      const context = new Context();
      const one = sockets.pair();
      await one.bind(sockets.endpoint("tcp"));
      const other = sockets.pair({ context, ...options, reconnectInterval: 1 });
      const log = EventLog.of(other);
      other.connect(one.lastEndpoint as string);
      await next(log, "handshake:error:other");
      await serve(context, allow);
      await handshake(other);
      expect(other.stats().peers[0]?.userId).toBe("joe");
    },
  );

  it("is asked by CURVE if it is there, without a domain as well", async () => {
    const context = new Context();
    const { requests } = await serve(context, allow);
    const one = sockets.pair({ context, ...MECHANISMS.CURVE.server });
    await sockets.join("tcp", one, sockets.pair(MECHANISMS.CURVE.client));
    const [domain, , , mechanism] = (requests[0] as Buffer[]).slice(2).map(String);
    expect([domain, mechanism]).toEqual(["", "CURVE"]);
  });

  it("does not count as a socket, nor leaves anything behind", async () => {
    const context = new Context({ maxSockets: 2 });
    const { socket } = await serve(context, allow);
    const one = sockets.pair({ context, plainServer: true });
    await one.bind(sockets.endpoint("tcp"));
    for (let i = 0; i < 20; i++) {
      const other = sockets.pair(MECHANISMS.PLAIN.client);
      other.connect(one.lastEndpoint as string);
      await talk(one, other);
      other.close();
      await until(() => one.stats().peers.length === 0);
    }
    expect(socket.stats().peers).toEqual([]);
  });
});
