import { execFileSync } from "node:child_process";
import { createSocket, Socket as Datagrams } from "node:dgram";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ErrnoError } from "../../src/errors.js";
import type { Place } from "../../src/place.js";
import { type UdpOptions, UdpSocket } from "../../src/transport/udp.js";
import type { UdpRoute } from "../../src/transport/udp-route.js";
import { LOOPBACKS } from "../support/ports.js";
import { until } from "../support/sockets.js";

/** An address of this machine that others could send to, if it has any. */
const OUTSIDE = Object.values(networkInterfaces())
  .flat()
  .find((it) => it?.family === "IPv4" && !it.internal)?.address;

/** The name of an interface where others could be reached over IPv6, if there is any. */
const OUTSIDE_V6 = Object.entries(networkInterfaces()).find(([, addresses]) =>
  addresses?.some((it) => it.family === "IPv6" && !it.internal),
)?.[0];

let closing: { close(): void }[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const it of closing) it.close();
  closing = [];
});

const OPTIONS: UdpOptions = { multicast: undefined, receiveBufferSize: -1, sendBufferSize: -1 };
const MULTICAST = { hops: 1, loop: true };

const routeTo = (ip: string, more: Partial<UdpRoute> = {}): UdpRoute => ({
  endpoint: "udp://as it was named",
  use: "bind",
  ip,
  port: 0,
  isGroup: false,
  via: undefined,
  ...more,
});

type Received = (octets: Uint8Array, from: Place) => void;

/** What comes of opening one: the socket or the error; undefined before there is either. */
function open(
  route: UdpRoute,
  options: Partial<UdpOptions> = {},
  received?: Received,
): { socket?: UdpSocket; error?: ErrnoError } | undefined {
  let outcome: { socket?: UdpSocket; error?: ErrnoError } | undefined;
  UdpSocket.open(route, { ...OPTIONS, ...options }, received, (error, socket) => {
    expect(outcome).toBeUndefined();
    outcome = { ...(error && { error }), ...(socket && { socket }) };
    if (socket !== undefined) closing.push(socket);
  });
  return outcome;
}

function opened(...args: Parameters<typeof open>): UdpSocket {
  const { socket, error } = open(...args) ?? {};
  if (socket === undefined) throw error ?? new Error("not at once");
  return socket;
}

/** One that keeps what comes: each datagram's text, and where from. */
function listener(ip: string, more: Partial<UdpRoute> = {}): { socket: UdpSocket; got: string[] } {
  const got: string[] = [];
  const socket = opened(routeTo(ip, more), {}, (octets, from) => {
    got.push(`${Buffer.from(octets)} from ${from.ip}`);
  });
  return { socket, got };
}

/** Sends, and says what became of it. */
function send(socket: UdpSocket, text: string | Uint8Array, to: Place): Promise<string> {
  return new Promise((resolve) => {
    const octets = [Buffer.from(text.slice(0, 1)), Buffer.from(text.slice(1))];
    socket.send(octets, to, (error) => resolve((error as ErrnoError | null)?.code ?? "sent"));
  });
}

describe("opening", () => {
  it.each(LOOPBACKS)("binds %s at once, to a free port", (ip) => {
    const { place } = opened(routeTo(ip));
    expect(place).toEqual({ ip, port: expect.any(Number) });
    expect(place.port).toBeGreaterThan(0);
  });

  it("a port that is taken: EADDRINUSE, at once and with the endpoint", () => {
    const { port } = opened(routeTo("127.0.0.1")).place;
    const { error } = open(routeTo("127.0.0.1", { port })) ?? {};
    expect(error).toMatchObject({ code: "EADDRINUSE", address: "udp://as it was named" });
  });

  it.each([
    ["an address that is not here", routeTo("192.0.2.77"), {}, "EADDRNOTAVAIL"],
    [
      "a group at such an address",
      routeTo("239.1.1.1", { isGroup: true, via: "192.0.2.77" }),
      {},
      "ENODEV",
    ],
    [
      "a group to send to, by such an address",
      routeTo("239.1.1.1", { isGroup: true, via: "192.0.2.77", use: "connect", port: 9 }),
      { multicast: MULTICAST },
      "EADDRNOTAVAIL",
    ],
    [
      "more hops than there can be",
      routeTo("127.0.0.1"),
      { multicast: { hops: 256, loop: true } },
      "EINVAL",
    ],
  ])("%s: an error at once, and nothing stays open", (_, route, options, code) => {
    const close = vi.spyOn(Datagrams.prototype, "close");
    expect(open(route, options)?.error).toMatchObject({ code });
    expect(close).toHaveBeenCalledOnce();
  });

  it("where it takes its time, calls back then, with what was wrong or without", async () => {
    const { bind } = Datagrams.prototype;
    vi.spyOn(Datagrams.prototype, "bind").mockImplementation(function later(
      this: Datagrams,
      ...args: unknown[]
    ) {
      setImmediate(() => bind.apply(this, args as Parameters<typeof bind>));
      return this;
    });
    const outcomes: (string | undefined)[] = [];
    const note = (error: ErrnoError | undefined, socket?: UdpSocket) => {
      if (socket !== undefined) closing.push(socket);
      outcomes.push(error?.code);
    };
    UdpSocket.open(routeTo("127.0.0.1"), OPTIONS, undefined, note);
    UdpSocket.open(routeTo("192.0.2.77"), OPTIONS, undefined, note);
    expect(outcomes).toEqual([]);
    await until(() => outcomes.length === 2);
    expect(outcomes).toEqual([undefined, "EADDRNOTAVAIL"]);
  });

  it("what the caller throws is the caller's", () => {
    expect(() =>
      UdpSocket.open(routeTo("127.0.0.1"), OPTIONS, undefined, (_, socket) => {
        if (socket !== undefined) closing.push(socket);
        throw new Error("mine");
      }),
    ).toThrow("mine");
  });

  it("sets the sizes of the system's buffers, if it is told any", () => {
    const sizes: [number, number][] = [];
    const { unref } = Datagrams.prototype;
    const sockets: Datagrams[] = [];
    vi.spyOn(Datagrams.prototype, "unref").mockImplementation(function note(this: Datagrams) {
      sockets.push(this);
      return unref.call(this);
    });
    opened(routeTo("127.0.0.1"));
    opened(routeTo("127.0.0.1"), { receiveBufferSize: 50_000, sendBufferSize: 40_000 });
    for (const it of sockets) sizes.push([it.getRecvBufferSize(), it.getSendBufferSize()]);
    const [usual, wanted] = sizes;
    expect(wanted).not.toEqual(usual);
    // Linux doubles what it is told.
    expect([50_000, 100_000]).toContain(wanted?.[0]);
    expect([40_000, 80_000]).toContain(wanted?.[1]);
  });

  it("keeps no process alive", () => {
    const before = process.getActiveResourcesInfo().length;
    opened(routeTo("127.0.0.1"), {}, () => {});
    expect(process.getActiveResourcesInfo()).toHaveLength(before);
  });
});

describe("sending", () => {
  it.each(LOOPBACKS)("a datagram in pieces arrives as one, over %s", async (ip) => {
    const { socket, got } = listener(ip);
    const sender = opened(routeTo(ip, { use: "connect", port: socket.place.port }));
    expect(await send(sender, "hello", socket.place)).toBe("sent");
    await until(() => got.length > 0);
    expect(got).toEqual([`hello from ${ip}`]);
  });

  it("what is too large for UDP, or goes nowhere: the error, and nothing else comes of it", async () => {
    const { socket, got } = listener("127.0.0.1");
    const sender = opened(routeTo("127.0.0.1", { use: "connect", port: 9 }));
    const octets = new Uint8Array(65_508);
    expect(await send(sender, octets, socket.place)).toBe("EMSGSIZE");
    expect(await send(sender, "x", { ip: "::1", port: 9 })).toBe("EINVAL");
    expect(await send(sender, octets.subarray(1), socket.place)).toBe("sent");
    await until(() => got.length > 0);
    expect(got).toHaveLength(1);
  });

  it("to a port where nobody listens is no error, nor is it for the next one", async () => {
    const sender = opened(routeTo("127.0.0.1", { use: "connect", port: 9 }));
    const { place } = opened(routeTo("127.0.0.1"));
    closing.pop()?.close();
    for (let i = 0; i < 3; i++) expect(await send(sender, "x", place)).toBe("sent");
  });

  it.runIf(LOOPBACKS.includes("::1"))("IPv4 is IPv4 at a socket of both", async () => {
    const both = listener("::");
    const four = listener("127.0.0.1");
    const { port } = both.socket.place;
    await send(four.socket, "question", { ip: "127.0.0.1", port });
    await until(() => both.got.length > 0);
    expect(both.got).toEqual(["question from 127.0.0.1"]);
    expect(await send(both.socket, "answer", four.socket.place)).toBe("sent");
    await until(() => four.got.length > 0);
    expect(four.got).toEqual(["answer from 127.0.0.1"]);
  });
});

describe("a group", () => {
  const group = (more: Partial<UdpRoute> = {}): Partial<UdpRoute> => ({
    isGroup: true,
    via: "127.0.0.1",
    ...more,
  });

  it("is heard by all who joined it, at one port", async () => {
    const one = listener("239.7.7.1", group());
    const { port } = one.socket.place;
    const other = listener("239.7.7.1", group({ port }));
    const route = routeTo("239.7.7.1", group({ use: "connect", port }));
    const sender = opened(route, { multicast: MULTICAST });
    expect(await send(sender, "all", { ip: "239.7.7.1", port })).toBe("sent");
    await until(() => one.got.length > 0 && other.got.length > 0);
    expect([one.got, other.got]).toEqual([["all from 127.0.0.1"], ["all from 127.0.0.1"]]);
  });

  it("is sent to as far as it is said", () => {
    const hops = vi.spyOn(Datagrams.prototype, "setMulticastTTL");
    const route = routeTo("239.7.7.2", group({ use: "connect", port: 9 }));
    opened(route, { multicast: { hops: 7, loop: true } });
    opened(route);
    expect(hops.mock.calls).toEqual([[7]]);
  });

  // The loopback interface has no route for such groups.
  it.runIf(OUTSIDE_V6 !== undefined && process.platform !== "win32")(
    "of IPv6 is heard at its interface",
    async () => {
      const at = group({ via: `::%${OUTSIDE_V6}` });
      const { socket, got } = listener("ff02::7a65:726f", at);
      const { port } = socket.place;
      const route = routeTo("ff02::7a65:726f", { ...at, use: "connect", port });
      const sender = opened(route, { multicast: MULTICAST });
      expect(await send(sender, "all", { ip: "ff02::7a65:726f", port })).toBe("sent");
      await until(() => got.length > 0);
      expect(got[0]).toMatch(/^all from /);
    },
  );

  // What goes out at the loopback interface comes back in any case.
  it.runIf(OUTSIDE !== undefined)("is not heard here, if the sender says so", async () => {
    const at = group({ via: OUTSIDE });
    const { socket, got } = listener("239.7.7.2", at);
    const { port } = socket.place;
    const route = routeTo("239.7.7.2", { ...at, use: "connect", port });
    const silent = opened(route, { multicast: { hops: 1, loop: false } });
    const loud = opened(route, { multicast: MULTICAST });
    expect(await send(silent, "silent", { ip: "239.7.7.2", port })).toBe("sent");
    expect(await send(loud, "loud", { ip: "239.7.7.2", port })).toBe("sent");
    await until(() => got.length > 0);
    expect(got).toEqual([`loud from ${OUTSIDE}`]);
  });
});

it("errors of single datagrams mean nothing for the next ones", async () => {
  const sockets: Datagrams[] = [];
  const { unref } = Datagrams.prototype;
  vi.spyOn(Datagrams.prototype, "unref").mockImplementation(function note(this: Datagrams) {
    sockets.push(this);
    return unref.call(this);
  });
  const { socket, got } = listener("127.0.0.1");
  sockets[0]?.emit("error", Object.assign(new Error("reset"), { code: "ECONNRESET" }));
  const other = createSocket("udp4");
  closing.push(other);
  other.send("still there", socket.place.port, socket.place.ip);
  await until(() => got.length > 0);
  expect(got).toEqual(["still there from 127.0.0.1"]);
});

it("what it is made of is loaded when an endpoint needs it, and not before", () => {
  const program = fileURLToPath(new URL("./udp-loading.child.mjs", import.meta.url));
  expect(String(execFileSync(process.execPath, [program]))).toBe("false true\n");
});
