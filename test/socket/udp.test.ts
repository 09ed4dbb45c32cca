import { Socket as SystemSocket } from "node:dgram";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { Dish } from "../../src/socket/dish.js";
import { Radio } from "../../src/socket/radio.js";
import type { Socket } from "../../src/socket/socket.js";
import { turn } from "../../src/socket/turn.js";
import { requests } from "../../src/transport/requests.js";
import { dns } from "../support/dns.js";
import { heard, joined } from "../support/draft.js";
import { Events, failure, maker, numbered, thrown } from "../support/patterns.js";
import { LOOPBACKS } from "../support/ports.js";
import { RawUdp } from "../support/raw-udp.js";
import { Sockets, turns, until } from "../support/sockets.js";

type Answer = (
  error: NodeJS.ErrnoException | null,
  found?: { address: string; family: number }[],
) => void;

vi.mock("../../src/builtin.js", async () => (await import("../support/dns.js")).builtinWithDns());

const sockets = new Sockets();
const dish = maker(sockets, Dish);
const radio = maker(sockets, Radio);

let closing: { close(): void }[] = [];

afterEach(async () => {
  for (const it of closing) it.close();
  closing = [];
  await sockets.close();
  vi.restoreAllMocks();
  dns.lookup.mockReset();
  expect(requests.size).toBe(0);
});
afterAll(() => sockets.end());

/** Bound at a port of the loopback interface's, in the group "g". */
async function listening(
  options: ConstructorParameters<typeof Dish>[0] = {},
  ip = "127.0.0.1",
): Promise<Dish> {
  const one = dish({ ipv6: ip.includes(":"), ...options });
  one.join("g");
  await one.bind(`udp://${ip.includes(":") ? `[${ip}]` : ip}:*`);
  return one;
}

/** The turn is spent by each 64th operation, as far as this thread knows. */
function shortTurns(): void {
  let operations = 0;
  vi.spyOn(turn, "spend").mockImplementation(() => ++operations % 64 === 0);
}

/** A Radio that is connected to Dishes. */
function sender(to: Socket[], options: ConstructorParameters<typeof Radio>[0] = {}): Radio {
  const one = radio(options);
  for (const { lastEndpoint } of to) one.connect(lastEndpoint as string);
  return one;
}

async function raw(): Promise<RawUdp> {
  const one = await RawUdp.open();
  closing.push(one);
  return one;
}

/** A datagram of a Radio. */
function datagram(group: string, body: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(group.length), Buffer.from(group), Buffer.from(body)]);
}

const dropped = (socket: Socket) => socket.stats().total.messagesDropped;

/** The question that was asked as the `nth`, from 0 on: answers it. */
async function answer(nth: number, ip?: string): Promise<void> {
  await until(() => dns.lookup.mock.calls.length > nth);
  const [, , callback] = dns.lookup.mock.calls[nth] as [string, object, Answer];
  if (ip === undefined) callback(Object.assign(new Error("unknown"), { code: "ENOTFOUND" }));
  else callback(null, [{ address: ip, family: ip.includes(":") ? 6 : 4 }]);
}

const SIZES = [0, 1, 63, 64, 65, 128, 129, 1000, 4095, 4096, 8189, 8190];

describe.each(LOOPBACKS)("RADIO to DISH, over %s", (ip) => {
  it("messages of all sizes, in whole and as they were", async () => {
    const one = await listening({}, ip);
    const other = sender([one], { ipv6: true });
    for (const size of SIZES) {
      const body = Buffer.alloc(size, `${size}`);
      await other.send(body, { group: "g" });
      const [message, { group }] = await one.receive();
      expect(message.equals(body)).toBe(true);
      expect(String(group)).toBe("g");
    }
  });

  it("test_radio_dish_udp: of the groups that are joined, and no other", async () => {
    const names = fc.constantFrom("", "a", "b", "ab", "x".repeat(255));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(names), fc.array(names), async (wanted, groups) => {
        const one = await listening({}, ip);
        one.join(...wanted);
        const other = sender([one], { ipv6: true });
        for (const [i, group] of groups.entries()) {
          await other.send(`${i}`, { group });
          if (wanted.includes(group)) expect(await heard(one, 1)).toEqual([`${group}: ${i}`]);
        }
        await other.send("end", { group: "g" });
        expect(await heard(one, 1)).toEqual(["g: end"]);
        expect(dropped(one)).toBe(0);
        await sockets.close();
      }),
      { numRuns: 15 },
    );
  });
});

describe("an endpoint", () => {
  it.each([
    ["udp://127.0.0.1:*", /^udp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["udp://127.0.0.1:0", /^udp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["udp://*:*", /^udp:\/\/0\.0\.0\.0:[1-9]\d*$/],
    ["udp://localhost:*", /^udp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["udp://lo:*", /^udp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["udp://127.0.0.1;239.8.8.1:*", /^udp:\/\/127\.0\.0\.1;239\.8\.8\.1:[1-9]\d*$/],
  ])("%s is bound with its real address and port, and given up by it", async (endpoint, real) => {
    const one = dish();
    for (const bind of ["bind", "bindSync"] as const) {
      await one[bind](endpoint);
      const bound = one.lastEndpoint as string;
      expect(bound).toMatch(real);
      await one.unbind(bound);
      await expect(one.unbind(bound)).rejects.toEqual(failure("ENOENT"));
      // Its port is free at once.
      one.bindSync(bound);
      one.unbindSync(bound);
    }
  });

  it("is given up by a name of the same address, too", async () => {
    const one = await listening();
    await one.unbind((one.lastEndpoint as string).replace("127.0.0.1", "localhost"));
    expect(one.stats().peers).toEqual([]);
  });

  it.each([
    ["udp://192.0.2.77:*", "EADDRNOTAVAIL"],
    ["udp://192.0.2.77;239.8.8.1:*", "ENODEV"],
    ["udp://nosuch;239.8.8.1:*", "ENODEV"],
    ["udp://127.0.0.1;127.0.0.1:*", "EINVAL"],
    ["udp://[::1]:*", "ENODEV"],
  ])("%s: bind and bindSync are refused with %s, at once", async (endpoint, code) => {
    const one = dish();
    const events = new Events(one);
    await expect(one.bind(endpoint)).rejects.toMatchObject({ code, address: endpoint });
    expect(thrown(() => one.bindSync(endpoint))).toBe(code);
    expect([one.lastEndpoint, one.stats().peers, events.all]).toEqual([null, [], []]);
  });

  it("of another's is refused: EADDRINUSE, but that of a group is shared", async () => {
    const one = await listening();
    const other = dish();
    const bound = one.lastEndpoint as string;
    await expect(other.bind(bound)).rejects.toMatchObject({ code: "EADDRINUSE", address: bound });
    expect(thrown(() => other.bindSync(bound))).toBe("EADDRINUSE");
    await one.bind("udp://127.0.0.1;239.8.8.2:*");
    await other.bind(one.lastEndpoint as string);
    other.join("g");
    const all = sender([other]);
    await all.send("to all", { group: "g" });
    for (const it of [one, other]) expect(await heard(it, 1)).toEqual(["g: to all"]);
  });

  it.each([
    ["udp://192.0.2.77;239.8.8.1:5555", "EADDRNOTAVAIL"],
    ["udp://nosuch;239.8.8.1:5555", "ENODEV"],
    ["udp://127.0.0.1;127.0.0.1:5555", "EINVAL"],
    ["udp://[::1]:5555", "EINVAL"],
    ["udp://*:5555", "EINVAL"],
    ["udp://127.0.0.1:0", "EINVAL"],
  ])("%s: connect is refused with %s, at once", (endpoint, code) => {
    const one = radio();
    expect(() => one.connect(endpoint)).toThrow(
      expect.objectContaining({ code, address: endpoint }),
    );
    expect([one.lastEndpoint, one.stats().peers]).toEqual([null, []]);
  });

  it("test_radio_bind_fails, test_dish_connect_fails: only a DISH binds, only a RADIO connects", () => {
    const [one, other] = [dish(), radio()];
    for (const endpoint of ["udp://127.0.0.1:5556", "udp://*:5556", "udp://x"]) {
      expect(thrown(() => one.connect(endpoint))).toBe("ENOCOMPATPROTO");
      expect(thrown(() => other.bindSync(endpoint))).toBe("ENOCOMPATPROTO");
      expect(thrown(() => other.unbindSync(endpoint))).toBe("ENOENT");
      expect(thrown(() => one.disconnect(endpoint))).toBe("ENOENT");
    }
  });

  it.each([
    ["plainServer", { plainServer: true }],
    ["curveServerKey", { curveServerKey: "x".repeat(40), curveSecretKey: "x".repeat(40) }],
    ["zapDomain", { zapDomain: "x" }],
    ["authenticate", { authenticate: () => true }],
  ])("is not to be had with %s, for nothing secures it: EINVAL", async (_, options) => {
    const bad = { code: "EINVAL", message: "Invalid argument: udp cannot be secured" };
    const one = dish(options);
    await expect(one.bind("udp://127.0.0.1:*")).rejects.toMatchObject(bad);
    expect(() => one.bindSync("udp://127.0.0.1:*")).toThrow(expect.objectContaining(bad));
    expect(() => radio(options).connect("udp://127.0.0.1:9")).toThrow(expect.objectContaining(bad));
  });

  it("is not to be had with the option interface: ENOTSUP", async () => {
    await expect(dish({ interface: "lo" }).bind("udp://127.0.0.1:*")).rejects.toEqual(
      failure("ENOTSUP"),
    );
    const one = radio({ interface: "lo" });
    expect(thrown(() => one.connect("udp://127.0.0.1:9"))).toBe("ENOTSUP");
    radio({ socksProxy: "127.0.0.1:1" }).connect("udp://127.0.0.1:9");
  });

  it("is told of by no event, as with npm zeromq", async () => {
    const one = await listening();
    const events = new Events(one);
    const other = sender([one]);
    const others = new Events(other);
    await other.send("x", { group: "g" });
    await heard(one, 1);
    await one.unbind(one.lastEndpoint as string);
    other.disconnect(other.lastEndpoint as string);
    one.bindSync("udp://127.0.0.1:*");
    one.close();
    other.close();
    await turns(3);
    expect([events.types, others.types]).toEqual([["end"], ["end"]]);
  });

  it("shows in stats, with where it sends to", async () => {
    const one = await listening();
    const other = sender([one]);
    const endpoint = one.lastEndpoint as string;
    const known = { endpoint, connected: true, routingId: undefined, userId: undefined };
    expect(one.stats().peers).toMatchObject([{ ...known, address: undefined }]);
    expect(other.stats().peers).toMatchObject([{ ...known, address: endpoint }]);
    other.disconnect(endpoint);
    expect(other.stats().peers).toEqual([]);
    expect(thrown(() => other.disconnect(endpoint))).toBe("ENOENT");
  });

  it("an aborted bind leaves nothing bound, nor does one of a socket that is closed meanwhile", async () => {
    const one = dish();
    await one.bind("udp://127.0.0.1:*");
    const bound = one.lastEndpoint as string;
    one.unbindSync(bound);
    const controller = new AbortController();
    const binding = one.bind(bound.replace("127.0.0.1", "name.example"), controller);
    controller.abort();
    await expect(binding).rejects.toMatchObject({ name: "AbortError" });
    await answer(0, "127.0.0.1");
    await turns(3);
    expect(one.stats().peers).toEqual([]);
    const late = one.bind(bound.replace("127.0.0.1", "name.example"));
    one.close();
    expect(one.closed).toBe(false);
    await answer(1, "127.0.0.1");
    await late;
    expect(one.closed).toBe(true);
    dish().bindSync(bound);
  });
});

describe("who hears what", () => {
  it("a DISH hears all who send to its endpoints, whatever their transport", async () => {
    const one = await listening();
    const first = sender([one]);
    await one.bind("udp://127.0.0.1:*");
    const second = sender([one]);
    await one.bind("tcp://127.0.0.1:*");
    const third = sender([one]);
    await joined(third, 1);
    for (const [i, it] of [first, second, third].entries()) {
      await it.send(`${i}`, { group: "g" });
      expect(await heard(one, 1)).toEqual([`g: ${i}`]);
    }
  });

  it("a RADIO sends all over udp, and over tcp what is asked for; to one endpoint twice, if connected twice", async () => {
    const [one, other] = [await listening(), dish()];
    const stranger = await raw();
    const all = sender([one, one]);
    all.connect(stranger.endpoint);
    await all.bind("tcp://127.0.0.1:*");
    other.join("tcp");
    other.connect(all.lastEndpoint as string);
    await joined(all, 1);
    expect(all.stats().subscriptions).toBe(1);
    await all.send("x", { group: "g" });
    await all.send("y", { group: "tcp" });
    expect(await heard(other, 1)).toEqual(["tcp: y"]);
    expect(await heard(one, 2)).toEqual(["g: x", "g: x"]);
    await stranger.heard(2);
    expect(stranger.got.map(String)).toEqual(["\x01gx", "\x03tcpy"]);
  });

  it("more than 8,192 octets are refused while there is a udp endpoint: EMSGSIZE, and nobody gets them", async () => {
    const one = await listening();
    const other = sender([one]);
    await one.bind("tcp://127.0.0.1:*");
    other.connect(one.lastEndpoint as string);
    await joined(other, 1);
    const long = Buffer.alloc(8191);
    await expect(other.send(long, { group: "g" })).rejects.toMatchObject({
      code: "EMSGSIZE",
      message: "Message too long",
    });
    expect(thrown(() => other.trySend(long, { group: "g" }))).toBe("EMSGSIZE");
    expect(other.stats().total).toMatchObject({ messagesSent: 0, messagesDropped: 0 });
    await other.send(long.subarray(1), { group: "g" });
    for (let i = 0; i < 2; i++) expect((await one.receive())[0]).toHaveLength(8190);
    const [endpoint] = other.stats().peers.filter((it) => it.endpoint.startsWith("udp"));
    other.disconnect(endpoint?.endpoint as string);
    await other.send(long, { group: "g" });
    expect((await one.receive())[0]).toHaveLength(8191);
  });

  it("a DISH takes from others what UDP can carry", async () => {
    const one = await listening();
    const stranger = await raw();
    await stranger.send(datagram("g", Buffer.alloc(60_000, 7)), one.lastEndpoint);
    const [message] = await one.receive();
    expect(message.equals(Buffer.alloc(60_000, 7))).toBe(true);
  });

  it("a part that is kept keeps no datagram, and none of its neighbours over 8 KB", async () => {
    const [one, exclusive] = [await listening(), await listening({ exclusiveBuffers: true })];
    const all = sender([one, exclusive]);
    for (const size of [10, 100, 2000, 8000]) {
      await all.send(Buffer.alloc(size), { group: "g" });
      const [message] = await one.receive();
      expect(message.buffer.byteLength).toBeLessThanOrEqual(Math.max(size, 8192));
      expect(message.byteOffset % 8).toBe(0);
      const [own, { group }] = await exclusive.receive();
      expect([own.buffer.byteLength, group.buffer.byteLength]).toEqual([size, 1]);
    }
  });
});

describe("what cannot be taken", () => {
  it("beyond the receive mark is dropped, counted, and told of once for each run", async () => {
    const one = await listening({ receiveHighWaterMark: 3 });
    const events = new Events(one);
    const stranger = await raw();
    for (let i = 0; i < 10; i++) await stranger.send(datagram("g", `${i}`), one.lastEndpoint);
    await until(() => dropped(one) === 7);
    expect(one.stats().receive.messages).toBe(3);
    expect(await heard(one, 3)).toEqual(numbered(3, "g: "));
    await stranger.send(datagram("g", "room again"), one.lastEndpoint);
    expect(await heard(one, 1)).toEqual(["g: room again"]);
    for (let i = 0; i < 5; i++) await stranger.send(datagram("g", `${i}`), one.lastEndpoint);
    await until(() => dropped(one) === 9);
    const drop = { type: "drop", address: one.lastEndpoint, peerAddress: stranger.endpoint };
    expect(events.all).toEqual([drop, drop]);
  });

  it("beyond a mark in bytes is dropped as well", async () => {
    const one = await listening({ receiveHighWaterMarkBytes: 1000 });
    const stranger = await raw();
    const body = Buffer.alloc(400);
    for (let i = 0; i < 6; i++) await stranger.send(datagram("g", body), one.lastEndpoint);
    await until(() => dropped(one) === 3);
    expect(one.stats().receive).toMatchObject({ messages: 3, bytes: 1203 });
  });

  it("beyond maxMessageSize is dropped", async () => {
    const one = await listening({ maxMessageSize: 5 });
    const stranger = await raw();
    for (const body of ["123456", "12345", "x".repeat(60_000), ""]) {
      await stranger.send(datagram("g", body), one.lastEndpoint);
    }
    expect(await heard(one, 2)).toEqual(["g: 12345", "g: "]);
    expect(dropped(one)).toBe(2);
  });

  it("any octets from anybody: messages, or dropped and counted; the next one is heard", async () => {
    const one = await listening({ receiveHighWaterMark: 0 });
    const stranger = await raw();
    const octets = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 250, maxLength: 260 }).map((it) => Uint8Array.of(255, ...it)),
      fc.uint8Array({ maxLength: 3 }).map((it) => Uint8Array.of(1, ...it)),
    );
    let bad = 0;
    let events = 0;
    one.events.on("drop", () => events++);
    await fc.assert(
      fc.asyncProperty(octets, async (it) => {
        const [size] = it;
        const isNone = size === undefined || size >= it.length;
        if (isNone) bad++;
        await stranger.send(it, one.lastEndpoint);
        await stranger.send(datagram("g", "good"), one.lastEndpoint);
        const expected = size === 1 && it[1] === 103 ? [`g: ${Buffer.from(it.subarray(2))}`] : [];
        expect(await heard(one, 1 + expected.length)).toEqual([...expected, "g: good"]);
        expect([dropped(one), events]).toEqual([bad, bad]);
      }),
      { numRuns: 200 },
    );
    expect(bad).toBeGreaterThan(0);
    expect(one.stats().peers).toMatchObject([{ connected: true }]);
  });

  it("what comes to a RADIO's port is forgotten", async () => {
    const stranger = await raw();
    const one = radio();
    one.connect(stranger.endpoint);
    await one.send("x", { group: "g" });
    await stranger.heard(1);
    const [itself = ""] = stranger.from;
    for (let i = 0; i < 50; i++) await stranger.send(datagram("g", `${i}`), `udp://${itself}`);
    await turns(3);
    await one.send("y", { group: "g" });
    await stranger.heard(2);
    expect(one.stats()).toMatchObject({
      receive: { messages: 0 },
      total: { messagesDropped: 0, messagesReceived: 0, messagesSent: 2 },
    });
  });

  it("a DISH whose endpoint was given up keeps what had come; one that is full has no place for another", async () => {
    const one = await listening({ receiveHighWaterMark: 2 });
    const stranger = await raw();
    for (const text of ["a", "b"]) await stranger.send(datagram("g", text), one.lastEndpoint);
    await until(() => one.stats().receive.messages === 2);
    one.unbindSync(one.lastEndpoint as string);
    expect(one.stats().receive.messages).toBe(2);
    await one.bind("udp://127.0.0.1:*");
    await stranger.send(datagram("g", "missed"), one.lastEndpoint);
    await until(() => dropped(one) === 1);
    expect(await heard(one, 2)).toEqual(["g: a", "g: b"]);
    await stranger.send(datagram("g", "c"), one.lastEndpoint);
    expect(await heard(one, 1)).toEqual(["g: c"]);
  });

  it("one that has no place yet can be given up", async () => {
    const one = await listening({ receiveHighWaterMark: 1 });
    const stranger = await raw();
    await stranger.send(datagram("g", "a"), one.lastEndpoint);
    await until(() => one.stats().receive.messages === 1);
    one.unbindSync(one.lastEndpoint as string);
    one.bindSync("udp://127.0.0.1:*");
    one.unbindSync(one.lastEndpoint as string);
    expect(await heard(one, 1)).toEqual(["g: a"]);
    expect(one.stats().peers).toEqual([]);
  });
});

describe("sending", () => {
  it("holds no more than 64 datagrams beside the queue; what is beyond is dropped, and told of", async () => {
    const stranger = await raw();
    const one = radio({ sendHighWaterMark: 16 });
    const events = new Events(one);
    one.connect(stranger.endpoint);
    shortTurns();
    for (let i = 0; i < 100; i++) expect(one.trySend(`${i}`, { group: "" })).toBe(true);
    expect(one.stats()).toMatchObject({ send: { messages: 16 }, total: { messagesDropped: 20 } });
    await stranger.heard(80);
    expect(stranger.got.map((it) => String(it.subarray(1)))).toEqual(numbered(80));
    expect(events.types).toEqual(["drop"]);
    one.trySend("last", { group: "" });
    await stranger.heard(81);
  });

  it("noDrop: waits for room", async () => {
    const stranger = await raw();
    const one = radio({ sendHighWaterMark: 16, noDrop: true });
    one.connect(stranger.endpoint);
    shortTurns();
    let count = 0;
    while (one.trySend(`${count}`, { group: "" })) count++;
    expect(count).toBe(80);
    await one.send(`${count}`, { group: "" });
    await stranger.heard(81);
    expect(dropped(one)).toBe(0);
  });

  it("sends what an awaited loop sends, however many", async () => {
    const one = radio();
    one.connect((await raw()).endpoint);
    for (let i = 0; i < 5000; i++) await one.send("x", { group: "" });
    await until(() => one.stats().send.messages === 0);
    expect(dropped(one)).toBe(0);
  });

  it("leaves timers their turn between 64 datagrams and the next, once they have used it up", async () => {
    const stranger = await raw();
    const one = radio();
    one.connect(stranger.endpoint);
    shortTurns();
    for (let i = 0; i < 200; i++) one.trySend("x", { group: "" });
    const waiting: number[] = [];
    while (one.stats().send.messages > 0) {
      waiting.push(one.stats().send.messages);
      await turns(1);
    }
    // Who goes on in a turn is an operation, too.
    const left = [200, ...new Set(waiting), 0];
    expect([left[1], left.length]).toEqual([136, 5]);
    for (let i = 1; i < left.length; i++) {
      expect((left[i - 1] as number) - (left[i] as number)).toBeLessThanOrEqual(64);
    }
  });

  it("a small buffer may be used again at once", async () => {
    const stranger = await raw();
    const one = radio();
    one.connect(stranger.endpoint);
    const body = Buffer.from("before");
    void one.send(body, { group: "g" });
    body.fill("x");
    await stranger.heard(1);
    expect(String(stranger.got[0])).toBe("\x01gbefore");
  });

  it("what the system does not send is dropped, counted, and told of with where it should have gone", async () => {
    const stranger = await raw();
    const one = radio();
    const events = new Events(one);
    // A broadcast, which a socket is not allowed by default.
    one.connect("udp://255.255.255.255:9");
    for (let i = 1; i <= 3; i++) {
      await one.send("x", { group: "g" });
      await until(() => dropped(one) === i);
    }
    const endpoint = "udp://255.255.255.255:9";
    expect(events.all).toEqual([{ type: "drop", address: endpoint, peerAddress: endpoint }]);
    one.connect(stranger.endpoint);
    await one.send("x", { group: "g" });
    await stranger.heard(1);
  });

  it("goes on after close, until all has left", async () => {
    const stranger = await raw();
    const one = radio({ linger: -1 });
    one.connect(stranger.endpoint);
    for (let i = 0; i < 150; i++) one.trySend(`${i}`, { group: "" });
    await one[Symbol.asyncDispose]();
    await stranger.heard(150);
    expect(String(stranger.got[149]?.subarray(1))).toBe("149");
  });

  it("ends with close where it must not linger, and nothing stays open", async () => {
    const stranger = await raw();
    const one = radio({ linger: 0 });
    one.connect(stranger.endpoint);
    const close = vi.spyOn(SystemSocket.prototype, "close");
    for (let i = 0; i < 150; i++) one.trySend(`${i}`, { group: "" });
    one.close();
    expect(close).toHaveBeenCalledOnce();
    await turns(3);
    expect(stranger.got.length).toBeLessThan(150);
  });
});

describe("a name to send to", () => {
  it("is looked up at once; what is sent meanwhile waits, and arrives", async () => {
    const stranger = await raw();
    const one = radio({ sendHighWaterMark: 3 });
    one.connect(stranger.endpoint.replace("127.0.0.1", "name.example"));
    expect(one.stats().peers).toMatchObject([{ connected: false, address: undefined }]);
    for (let i = 0; i < 5; i++) await one.send(`${i}`, { group: "" });
    expect(one.stats()).toMatchObject({ send: { messages: 3 }, total: { messagesDropped: 2 } });
    await answer(0, "127.0.0.1");
    await stranger.heard(3);
    expect(one.stats().peers).toMatchObject([{ connected: true, address: stranger.endpoint }]);
    await one.send("x", { group: "" });
    await stranger.heard(4);
    expect(dns.lookup).toHaveBeenCalledOnce();
  });

  it("that is not known loses what waits; it is asked for again when there is more", async () => {
    const stranger = await raw();
    const one = radio();
    const events = new Events(one);
    one.connect(stranger.endpoint.replace("127.0.0.1", "name.example"));
    await one.send("lost", { group: "" });
    await answer(0);
    expect(dropped(one)).toBe(1);
    await turns(3);
    expect(dns.lookup).toHaveBeenCalledOnce();
    await one.send("lost, too", { group: "" });
    await one.send("with it", { group: "" });
    await answer(1);
    expect(dropped(one)).toBe(3);
    await one.send("heard", { group: "" });
    await answer(2, "127.0.0.1");
    await stranger.heard(1);
    expect(String(stranger.got[0])).toBe("\0heard");
    expect(events.types).toEqual(["drop"]);
  });

  it("that stands for an address which cannot be used loses it, too", async () => {
    const one = radio();
    one.connect("udp://127.0.0.1;name.example:9");
    await one.send("lost", { group: "" });
    await answer(0, "127.0.0.1");
    expect(dropped(one)).toBe(1);
    await one.send("lost", { group: "" });
    await answer(1, "239.8.8.3");
    await until(() => one.stats().peers[0]?.connected === true);
    expect(dropped(one)).toBe(1);
  });

  it("holds a socket that lingers, until it is known", async () => {
    const stranger = await raw();
    const one = radio({ linger: -1 });
    one.connect(stranger.endpoint.replace("127.0.0.1", "name.example"));
    await one.send("last words", { group: "" });
    const gone = one[Symbol.asyncDispose]();
    await answer(0, "127.0.0.1");
    await gone;
    await stranger.heard(1);
    expect(String(stranger.got[0])).toBe("\0last words");
  });

  it.each([
    ["nothing waits", false, -1],
    ["it need not linger", true, 0],
  ])("does not hold one if %s, whatever the answer", async (_, sends, linger) => {
    for (const [nth, ip] of ["127.0.0.1", undefined].entries()) {
      const one = radio({ linger });
      one.connect("udp://name.example:9");
      if (sends) await one.send("x", { group: "" });
      await one[Symbol.asyncDispose]();
      await answer(nth, ip);
    }
    await turns(2);
  });

  it("of a socket that lingers is not known in the end: it is gone", async () => {
    const one = radio({ linger: -1 });
    one.connect("udp://name.example:9");
    await one.send("lost", { group: "" });
    const gone = one[Symbol.asyncDispose]();
    await answer(0);
    await gone;
    expect(dropped(one)).toBe(1);
  });

  it("to bind is looked up by bind, and by bindSync not", async () => {
    const one = dish();
    const binding = one.bind("udp://name.example:*");
    await answer(0, "127.0.0.1");
    await binding;
    expect(one.lastEndpoint).toMatch(/^udp:\/\/127\.0\.0\.1:\d+$/);
    const failing = one.bind("udp://name.example:*");
    await answer(1);
    await expect(failing).rejects.toEqual(failure("ENODEV"));
    expect(thrown(() => one.bindSync("udp://name.example:*"))).toBe("ENODEV");
  });
});

describe("where the runtime takes its time to bind", () => {
  /** The system's sockets are bound in the next turn. */
  function delayed(): void {
    const { bind } = SystemSocket.prototype;
    vi.spyOn(SystemSocket.prototype, "bind").mockImplementation(function later(
      this: SystemSocket,
      ...args: unknown[]
    ) {
      setImmediate(() => bind.apply(this, args as Parameters<typeof bind>));
      return this;
    });
  }

  it("bindSync binds later, and an event tells what was wrong", async () => {
    delayed();
    const one = dish();
    const events = new Events(one);
    one.bindSync("udp://127.0.0.1:*");
    expect(one.lastEndpoint).toBeNull();
    await until(() => one.lastEndpoint !== null);
    one.bindSync("udp://192.0.2.77:5555");
    const { error, address } = await events.seen("bind:error");
    expect([error.code, address]).toEqual(["EADDRNOTAVAIL", "udp://192.0.2.77:5555"]);
  });

  it("what is sent meanwhile waits; it is lost if there is no socket", async () => {
    delayed();
    const stranger = await raw();
    const [one, other] = [radio(), radio()];
    one.connect(stranger.endpoint);
    other.connect("udp://192.0.2.77;239.8.8.1:5555");
    for (const it of [one, other]) expect(it.trySend("x", { group: "" })).toBe(true);
    await stranger.heard(1);
    await until(() => dropped(other) === 1);
    expect(dropped(one)).toBe(0);
  });

  it("one that is closed meanwhile leaves no socket", async () => {
    delayed();
    const close = vi.spyOn(SystemSocket.prototype, "close");
    const [one, other] = [dish(), radio()];
    one.bindSync("udp://127.0.0.1:*");
    other.connect("udp://127.0.0.1:9");
    one.close();
    other.close();
    await until(() => close.mock.calls.length === 2);
  });
});
