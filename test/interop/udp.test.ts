import { createSocket } from "node:dgram";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import * as draft from "../../src/draft.js";
import * as root from "../../src/index.js";
import type { Socket } from "../../src/socket/socket.js";
import { DraftPeer, type DraftSocket } from "../support/draft-peer.js";
import { LOOPBACKS } from "../support/ports.js";

let peer: DraftPeer;
let closing: (() => unknown)[] = [];

beforeAll(async () => {
  peer = await DraftPeer.start();
});

afterAll(() => peer.kill());

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

const { Radio, Dish, Datagram } = draft;

function ours<S extends Socket>(Type: new (options: object) => S, options: object = {}): S {
  const socket = new Type({ linger: 0, ...options });
  closing.push(() => socket.close());
  return socket;
}

async function theirs(type: string, options: object = {}): Promise<DraftSocket> {
  const socket = await peer.draft(type, { linger: 0, ...options });
  closing.push(() => socket.call("close"));
  return socket;
}

const bracketed = (ip: string) => (ip.includes(":") ? `[${ip}]` : ip);

/** A port that nobody has: libzmq does not say which one it has bound. */
async function freePort(ip: string): Promise<number> {
  const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
  await new Promise<void>((resolve) => socket.bind(0, ip, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

const SIZES = [0, 1, 63, 64, 127, 128, 129, 1000, 4096, 8189, 8190];
const BODIES = SIZES.map((size, i) => Buffer.alloc(size, `${i} ${size}`));

const show = (message: unknown): string => String(Buffer.from(message as Uint8Array));

/**
 * Sends until `done`: what comes before libzmq has bound its socket, in a thread of its own, is lost. Now and then
 * only, for what is sent too much waits before all that follows, and has to find room.
 */
async function untilHeard(send: () => Promise<unknown>, done: () => boolean): Promise<void> {
  while (!done()) {
    await send();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

type GroupMessage = [Uint8Array, { group: Uint8Array }];

/** Sends until libzmq's has received something. */
async function heardBy(them: DraftSocket, send: () => Promise<unknown>): Promise<void> {
  let isHeard = false;
  const received = them.call("receive").then(() => {
    isHeard = true;
  });
  await untilHeard(send, () => isHeard);
  await received;
}

const WAYS = [
  ...LOOPBACKS.map((ip) => [ip, bracketed(ip), { ipv6: ip.includes(":") }] as const),
  ["a group", "127.0.0.1;239.5.5.1", {}] as const,
];

describe.each(WAYS)("over %s", (ip, host, options) => {
  const at = async () => `udp://${host}:${await freePort(ip.includes(":") ? ip : "127.0.0.1")}`;

  it("RADIO to libzmq's DISH: what it has joined, as it was sent", async () => {
    const [us, them] = [ours(Radio, options), await theirs("Dish", options)];
    await them.call("join", "a", "b");
    const endpoint = await at();
    await them.bind(endpoint);
    us.connect(endpoint);
    await heardBy(them, () => us.send("there?", { group: "a" }));
    for (const body of BODIES) {
      await us.send("not", { group: "c" });
      await us.send(body, { group: "b" });
      for (;;) {
        const [message, { group }] = (await them.call("receive")) as GroupMessage;
        if (show(group) === "a") continue;
        expect(show(group)).toBe("b");
        expect(Buffer.from(message).equals(body)).toBe(true);
        break;
      }
    }
  });

  it("libzmq's RADIO to DISH: what it has joined, as it was sent", async () => {
    const [us, them] = [ours(Dish, options), await theirs("Radio", options)];
    us.join("a", "b");
    await us.bind(`udp://${host}:*`);
    await them.call("connect", us.lastEndpoint);
    await untilHeard(
      () => them.call("send", "there?", { group: "a" }),
      () => us.readable,
    );
    for (const body of BODIES) {
      await them.call("send", "not", { group: "c" });
      await them.call("send", body, { group: "b" });
      for (;;) {
        const [message, { group }] = await us.receive();
        if (String(group) === "a") continue;
        expect(String(group)).toBe("b");
        expect(message.equals(body)).toBe(true);
        break;
      }
    }
    expect(us.stats().total.messagesDropped).toBe(0);
  });
});

it("a group is shared with libzmq's DISH: both hear all", async () => {
  const [us, them, radio] = [ours(Dish), await theirs("Dish"), ours(Radio)];
  us.join("g");
  await them.call("join", "g");
  const endpoint = `udp://127.0.0.1;239.5.5.2:${await freePort("127.0.0.1")}`;
  await them.bind(endpoint);
  await us.bind(endpoint);
  radio.connect(endpoint);
  await heardBy(them, () => radio.send("all", { group: "g" }));
  expect(String((await us.receive())[0])).toBe("all");
});

describe("Datagram", () => {
  // libzmq's ends the process when a datagram comes over IPv6.
  it("and libzmq's: questions and answers, both ways", async () => {
    const [us, them] = [ours(Datagram), await theirs("Datagram")];
    await us.bind("udp://127.0.0.1:*");
    const here = (us.lastEndpoint as string).slice("udp://".length);
    const there = `127.0.0.1:${await freePort("127.0.0.1")}`;
    await them.bind(`udp://${there}`);
    await untilHeard(
      () => them.call("send", [here, "there?"]),
      () => us.readable,
    );
    const [address, question] = await us.receive();
    expect([String(address), String(question)]).toEqual([`${there}\0`, "there?"]);
    for (const body of BODIES) {
      await us.send([address, body]);
      const [from, message] = (await them.call("receive")) as [Uint8Array, Uint8Array];
      expect(show(from)).toBe(`${here}\0`);
      expect(Buffer.from(message).equals(body)).toBe(true);
      await them.call("send", [from, `answer ${body.length}`]);
      for (;;) {
        const [, answer] = await us.receive();
        if (String(answer) === "there?") continue;
        expect(String(answer)).toBe(`answer ${body.length}`);
        break;
      }
    }
  });
});

describe("what npm zeromq says", () => {
  const ENDPOINT = "udp://127.0.0.1;1.2.3.4:9";
  const CALLS = ["bind", "bindSync", "connect", "unbind", "disconnect"];

  /** What becomes of a call, as the child has it of npm zeromq's. */
  async function outcome(socket: Socket, method: string, endpoint: string): Promise<unknown> {
    let how = "throws";
    try {
      const call = Reflect.get(socket, method) as (endpoint: string) => unknown;
      const result = call.call(socket, endpoint);
      how = "rejects";
      await result;
      return "fine";
    } catch (error) {
      const { name, code, message } = error as Error & { code?: string };
      return { how, name, code, message };
    }
  }

  const CLASSES = { ...root, ...draft } as unknown as Record<
    string,
    new (
      options: object,
    ) => Socket
  >;
  const NAMES = [
    ...["Pair", "Publisher", "Subscriber", "Request", "Reply", "Dealer", "Router", "Pull", "Push"],
    ...["XPublisher", "XSubscriber", "Stream"],
    ...["Server", "Client", "Radio", "Dish", "Gather", "Scatter", "Datagram"],
  ];

  it.each(NAMES)("of udp to a %s: each call fails the same way", async (name) => {
    for (const method of CALLS) {
      const us = new (CLASSES[name] as (typeof CLASSES)[string])({ linger: 0 });
      // By its number: the child knows the classes of the draft alone.
      const them = await peer.draft(us.type, { linger: 0 });
      for (const endpoint of [ENDPOINT, "udp://x", "udp://"]) {
        const said = await them.request("outcome", { method, args: [endpoint] });
        expect([method, endpoint, await outcome(us, method, endpoint)]).toEqual([
          method,
          endpoint,
          said,
        ]);
      }
      us.close();
      await them.call("close");
    }
  });
});
