import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { Datagram } from "../../src/socket/datagram.js";
import { Socket } from "../../src/socket/socket.js";
import { turn } from "../../src/socket/turn.js";
import { Events, failure, maker, thrown } from "../support/patterns.js";
import { LOOPBACKS } from "../support/ports.js";
import { RawUdp } from "../support/raw-udp.js";
import { Sockets, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const datagram = maker(sockets, Datagram);

let closing: { close(): void }[] = [];

afterEach(async () => {
  for (const it of closing) it.close();
  closing = [];
  await sockets.close();
});
afterAll(() => sockets.end());

const bracketed = (ip: string) => (ip.includes(":") ? `[${ip}]` : ip);

async function bound(
  options: ConstructorParameters<typeof Datagram>[0] = {},
  ip = "127.0.0.1",
): Promise<Datagram> {
  const one = datagram({ ipv6: ip.includes(":"), ...options });
  await one.bind(`udp://${bracketed(ip)}:*`);
  return one;
}

async function raw(): Promise<RawUdp> {
  const one = await RawUdp.open();
  closing.push(one);
  return one;
}

/** Where it is, for others to send to. */
function placeOf(socket: Socket): string {
  return (socket.lastEndpoint as string).slice("udp://".length);
}

/** The next message, as text. */
async function next(socket: Datagram): Promise<string[]> {
  return (await socket.receive()).map(String);
}

const dropped = (socket: Socket) => socket.stats().total.messagesDropped;

it("has npm zeromq's number and defaults", () => {
  const one = sockets.open(new Datagram());
  expect([one.type, one.threadSafe, one.linger]).toEqual([18, false, -1]);
  expect([one.multicastHops, one.multicastLoop]).toEqual([1, true]);
  expect([one.readable, one.writable]).toEqual([false, false]);
  expect(sockets.open(new Socket(18)).type).toBe(18);
});

describe.each(LOOPBACKS)("over %s", (ip) => {
  it("test_roundtrip: a question, with where it came from; the answer goes there", async () => {
    const [sender, listener] = [await bound({}, ip), await bound({}, ip)];
    await sender.send([placeOf(listener), "Is someone there ?"]);
    const [address, question] = await listener.receive();
    expect(String(question)).toBe("Is someone there ?");
    // A string of C.
    expect(String(address)).toBe(`${placeOf(sender)}\0`);
    await listener.send([address, "Yes, there is !"]);
    expect(await next(sender)).toEqual([`${placeOf(listener)}\0`, "Yes, there is !"]);
  });

  it("bodies of any size and octets, none and the largest included", async () => {
    const [one, other] = [await bound({}, ip), await bound({}, ip)];
    const size = fc.constantFrom(0, 1, 64, 65, 4096, 8191, 8192, 8193, 65_507);
    await fc.assert(
      fc.asyncProperty(size, fc.integer({ max: 255, min: 0 }), async (size, octet) => {
        const body = Buffer.alloc(size, octet);
        await one.send([placeOf(other), body]);
        const [, got] = await other.receive();
        expect(got.equals(body)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

it.runIf(LOOPBACKS.includes("::1"))("bound to all it talks to IPv4 as IPv4", async () => {
  const [both, four] = [await bound({ ipv6: true }, "::"), await bound()];
  const port = placeOf(both).split(":").at(-1);
  await four.send([`127.0.0.1:${port}`, "question"]);
  const [address, question] = await both.receive();
  expect([String(address), String(question)]).toEqual([`${placeOf(four)}\0`, "question"]);
  await both.send([address, "answer"]);
  expect((await next(four))[1]).toBe("answer");
});

it("talks to a group, and to those who are no ZeroMQ", async () => {
  const [one, other, stranger] = [datagram(), datagram(), await raw()];
  await one.bind("udp://127.0.0.1;239.6.6.1:*");
  await other.bind(one.lastEndpoint as string);
  await stranger.send("hello", one.lastEndpoint?.replace(/^.*:/, "udp://127.0.0.1:") ?? null);
  await until(() => one.readable || other.readable);
  const heardBy = one.readable ? one : other;
  const [address, hello] = await heardBy.receive();
  expect(String(hello)).toBe("hello");
  await heardBy.send([address, "hello you"]);
  await stranger.heard(1);
  expect(String(stranger.got[0])).toBe("hello you");
  await one.send([(one.lastEndpoint as string).split(";")[1] as string, "all"]);
  expect((await next(one))[1]).toBe("all");
  expect((await next(other))[1]).toBe("all");
});

describe("what it does not send", () => {
  const HERE = "127.0.0.1:9";

  it.each([
    ["one part", ["x"], "EINVAL"],
    ["an address alone", [HERE], "EINVAL"],
    ["three parts", [HERE, "x", "y"], "EINVAL"],
    ["to a name", ["localhost:9", "x"], "EINVAL"],
    ["to no port", ["127.0.0.1", "x"], "EINVAL"],
    ["to port 0", ["127.0.0.1:0", "x"], "EINVAL"],
    ["to an endpoint", [`udp://${HERE}`, "x"], "EINVAL"],
    ["to nowhere", ["", "x"], "EINVAL"],
    ["an address so long that it may change", [`${HERE}\0${"x".repeat(128)}`, "x"], "EINVAL"],
    ["what is behind a zero", [`\0${HERE}`, "x"], "EINVAL"],
    ["more than UDP carries", [HERE, Buffer.alloc(65_508)], "EMSGSIZE"],
  ])("%s: refused at once, bound or not", async (_, message, code) => {
    const one = datagram();
    for (let i = 0; i < 2; i++) {
      await expect(one.send(message as [string, string])).rejects.toEqual(failure(code));
      expect(thrown(() => one.trySend(message as [string, string]))).toBe(code);
      await one.bind("udp://127.0.0.1:*");
    }
    expect(one.stats().total).toMatchObject({ messagesSent: 0, messagesDropped: 0 });
  });

  it("no parts: nothing happens, as with any socket", async () => {
    const one = await bound();
    await one.send([] as unknown as [string, string]);
    expect(one.stats().total.messagesSent).toBe(0);
  });

  it("what the system refuses: dropped, counted, told of with where it should have gone", async () => {
    const one = await bound();
    const events = new Events(one);
    for (let i = 1; i <= 2; i++) {
      // It is bound to IPv4.
      await one.send(["[::1]:9", "x"]);
      await until(() => dropped(one) === i);
    }
    const drop = { type: "drop", address: one.lastEndpoint, peerAddress: "udp://[::1]:9" };
    expect(events.all).toEqual([drop]);
    await one.send([placeOf(one), "to itself"]);
    expect((await next(one))[1]).toBe("to itself");
  });
});

describe("waiting", () => {
  it("send waits until it is bound, and while there is no room", async () => {
    const stranger = await raw();
    const one = datagram({ sendHighWaterMark: 16 });
    const sent = one.send([stranger.place, "early"]);
    expect(one.trySend.bind(one, [stranger.place, "x"])).toThrow(failure("EBUSY") as Error);
    await turns(2);
    one.bindSync("udp://127.0.0.1:*");
    await sent;
    await stranger.heard(1);
    expect(String(stranger.got[0])).toBe("early");
    // However many it takes until the system has no more, or the turn: then as many as the queue holds.
    vi.spyOn(turn, "spend").mockReturnValue(true);
    let count = 0;
    while (one.trySend([stranger.place, `${count}`])) count++;
    vi.restoreAllMocks();
    // The queue may not know of all that were read.
    expect(count).toBeGreaterThan(8);
    expect(count).toBeLessThanOrEqual(16);
    expect(one.writable).toBe(false);
    await one.send([stranger.place, "more"]);
    await stranger.heard(count + 2);
    expect(String(stranger.got[count + 1])).toBe("more");
    expect(dropped(one)).toBe(0);
  });

  it("gives up after sendTimeout, and receiveTimeout: EAGAIN", async () => {
    const one = datagram({ sendTimeout: 5, receiveTimeout: 5 });
    await expect(one.send(["127.0.0.1:9", "x"])).rejects.toEqual(failure("EAGAIN"));
    await expect(one.receive()).rejects.toEqual(failure("EAGAIN"));
    expect([one.trySend(["127.0.0.1:9", "x"]), one.tryReceive()]).toEqual([false, undefined]);
  });

  it("what comes beyond the receive mark is dropped, and counted", async () => {
    const stranger = await raw();
    const one = await bound({ receiveHighWaterMark: 2 });
    const events = new Events(one);
    for (let i = 0; i < 5; i++) await stranger.send(`${i}`, one.lastEndpoint);
    await until(() => dropped(one) === 3);
    for (const text of ["0", "1"]) expect(await next(one)).toEqual([`${stranger.place}\0`, text]);
    await stranger.send("again", one.lastEndpoint);
    expect((await next(one))[1]).toBe("again");
    expect(events.all).toMatchObject([{ type: "drop", peerAddress: stranger.endpoint }]);
  });

  it("what is larger than maxMessageSize is dropped", async () => {
    const stranger = await raw();
    const one = await bound({ maxMessageSize: 2 });
    for (const text of ["abc", "ab"]) await stranger.send(text, one.lastEndpoint);
    expect((await next(one))[1]).toBe("ab");
    expect(dropped(one)).toBe(1);
  });
});

describe("endpoints", () => {
  it.each(["tcp://127.0.0.1:*", "ipc://*", "inproc://name"])(
    "%s is not for it: ENOCOMPATPROTO",
    async (endpoint) => {
      const one = datagram();
      await expect(one.bind(endpoint)).rejects.toEqual(failure("ENOCOMPATPROTO"));
      expect(thrown(() => one.bindSync(endpoint))).toBe("ENOCOMPATPROTO");
    },
  );

  it("test_connect_fails: it does not connect", () => {
    const one = datagram();
    for (const endpoint of ["udp://127.0.0.1:5556", "tcp://127.0.0.1:5556", "inproc://name"]) {
      expect(thrown(() => one.connect(endpoint))).toBe("ENOCOMPATPROTO");
    }
  });

  it("one that is bound while there is another takes its place when that is gone", async () => {
    const [one, stranger] = [await bound(), await raw()];
    const first = one.lastEndpoint as string;
    await one.bind("udp://127.0.0.1:*");
    const second = one.lastEndpoint as string;
    expect(one.stats().peers.map(({ endpoint }) => endpoint)).toEqual([first, second]);
    await stranger.send("missed", second);
    await until(() => dropped(one) === 1);
    await stranger.send("unread", first);
    await until(() => one.stats().receive.messages === 1);
    one.unbindSync(first);
    await stranger.send("heard", second);
    expect([(await next(one))[1], (await next(one))[1]]).toEqual(["unread", "heard"]);
    await one.send([stranger.place, "x"]);
    await stranger.heard(1);
    expect(stranger.from[0]).toBe(second.slice("udp://".length));
  });

  it("close sends what waits", async () => {
    const stranger = await raw();
    const one = await bound({ linger: -1 });
    for (let i = 0; i < 100; i++) one.trySend([stranger.place, `${i}`]);
    await one[Symbol.asyncDispose]();
    await stranger.heard(100);
    expect(String(stranger.got[99])).toBe("99");
  });
});
