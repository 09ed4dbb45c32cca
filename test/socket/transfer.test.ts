/** `send(message, { transfer })`: when the buffers are the caller's no more, and that this changes nothing else. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Channel } from "../../src/socket/channel.js";
import { Client } from "../../src/socket/client.js";
import { Datagram } from "../../src/socket/datagram.js";
import { Dealer } from "../../src/socket/dealer.js";
import { Dish } from "../../src/socket/dish.js";
import { Pair } from "../../src/socket/pair.js";
import { Peer } from "../../src/socket/peer.js";
import { Publisher } from "../../src/socket/pub.js";
import { Push } from "../../src/socket/push.js";
import { Radio } from "../../src/socket/radio.js";
import { Reply } from "../../src/socket/rep.js";
import { Request } from "../../src/socket/req.js";
import { Router } from "../../src/socket/router.js";
import { Scatter } from "../../src/socket/scatter.js";
import { Server } from "../../src/socket/server.js";
import type { Socket } from "../../src/socket/socket.js";
import { Stream } from "../../src/socket/stream.js";
import { Subscriber } from "../../src/socket/sub.js";
import { XPublisher } from "../../src/socket/xpub.js";
import { XSubscriber } from "../../src/socket/xsub.js";
import { drain, failure, peers, receiveOne, saturate } from "../support/patterns.js";
import { Sockets, TRANSPORTS, until } from "../support/sockets.js";

const sockets = new Sockets();

afterEach(() => sockets.close());
afterAll(() => sockets.end());

const SIZE = 10_000;
// biome-ignore lint/suspicious/noExplicitAny: sockets of all types, and what each is to be told beside the message
type Any = any;

/** A message, as its type wants it, and the buffer that it is to take along. */
interface Attempt {
  socket: Any;
  /** What goes before the body. */
  before?: (string | Buffer)[];
  /** What goes behind it. */
  behind?: string[];
  options?: object;
}

/** A socket that has one place for messages each way, where it has any. */
function open<S extends Socket>(Type: new (options: Any) => S, options: object = {}): S {
  const marks = ["sendHighWaterMark", "receiveHighWaterMark"].filter((it) => it in Type.prototype);
  const settings = Object.fromEntries(marks.map((name) => [name, 1]));
  return sockets.open(new Type({ linger: 0, ...settings, ...options }));
}

/** A bound socket and one that is connected to it, over inproc. */
function joined<A extends Socket, B extends Socket>(one: A, other: B): [A, B] {
  const name = sockets.endpoint("inproc");
  one.bindSync(name);
  other.connect(name);
  return [one, other];
}

function full(socket: Any, message: Any = "full", options?: object): void {
  const more = options === undefined ? [] : [options];
  for (let i = 0; i < 10 && socket.trySend(message, ...more); i++);
}

function subscriber(one: Publisher | XPublisher, topic = ""): Subscriber {
  const other = open(Subscriber);
  other.subscribe(topic);
  joined(one, other);
  return other;
}

/** The routing id by which a Server or Peer knows who has just come. */
function idOf(one: Server | Peer, other: Client | Peer): number {
  other.bindSync(sockets.endpoint("inproc"));
  one.connect(other.lastEndpoint as string);
  return one.stats().peers[0]?.routingId?.readUInt32BE() as number;
}

async function stream(): Promise<{ socket: Stream; id: Buffer }> {
  const [one, other] = [open(Stream, { notify: false }), open(Stream, { notify: false })];
  await one.bind("tcp://127.0.0.1:*");
  other.connect(one.lastEndpoint as string);
  await until(() => peers(one) === 1 && peers(other) === 1);
  return { socket: one, id: one.stats().peers[0]?.routingId as Buffer };
}

const ATTEMPTS: Record<string, () => Attempt | Promise<Attempt>> = {
  "PAIR without a peer": () => ({ socket: open(Pair) }),
  "PAIR with a peer": () => ({ socket: joined(open(Pair), open(Pair))[0] }),
  "PAIR whose peer is full": () => {
    const [socket] = joined(open(Pair), open(Pair));
    full(socket);
    return { socket };
  },
  "PUSH without a peer": () => ({ socket: open(Push) }),
  "PUSH to a name that nobody has yet": () => {
    const socket = open(Push);
    socket.connect(sockets.endpoint("inproc"));
    return { socket };
  },
  "DEALER whose peers are full": () => {
    const [socket] = joined(open(Dealer), open(Dealer));
    full(socket);
    return { socket };
  },
  "REQ that may ask": () => ({ socket: joined(open(Request), open(Reply))[0] }),
  "REQ that waits for an answer": async () => {
    const [socket] = joined(open(Request), open(Reply));
    await socket.send("question");
    return { socket };
  },
  "REQ without a peer": () => ({ socket: open(Request) }),
  "REP that was asked": async () => {
    const [socket, other] = joined(open(Reply), open(Request));
    await other.send("question");
    await socket.receive();
    return { socket };
  },
  "REP that was not": () => ({ socket: joined(open(Reply), open(Request))[0] }),
  "REP whose asker is gone": async () => {
    const [socket, other] = joined(open(Reply), open(Request));
    await other.send("question");
    await socket.receive();
    other.close();
    return { socket };
  },
  "ROUTER to a peer": () => {
    const [socket] = joined(open(Router), open(Dealer, { routingId: "peer" }));
    return { socket, before: ["peer"] };
  },
  "ROUTER to nobody": () => ({ socket: open(Router), before: ["peer"] }),
  "ROUTER to nobody, mandatory": () => {
    const socket = open(Router, { mandatory: true });
    return { socket, before: ["peer"] };
  },
  "ROUTER to nobody while there are peers, mandatory": () => {
    const socket = open(Router, { mandatory: true });
    joined(socket, open(Dealer, { routingId: "other" }));
    return { socket, before: ["peer"] };
  },
  "ROUTER to a peer that is full": () => {
    const [socket] = joined(open(Router), open(Dealer, { routingId: "peer" }));
    socket.mandatory = true;
    full(socket, ["peer", "full"]);
    socket.mandatory = false;
    return { socket, before: ["peer"] };
  },
  "ROUTER to a peer that is full, mandatory": () => {
    const [socket] = joined(open(Router), open(Dealer, { routingId: "peer" }));
    socket.mandatory = true;
    full(socket, ["peer", "full"]);
    return { socket, before: ["peer"] };
  },
  "ROUTER, an id alone": () => ({ socket: open(Router, { mandatory: true }) }),
  "STREAM to a peer": async () => {
    const { socket, id } = await stream();
    return { socket, before: [id] };
  },
  "STREAM to nobody": async () => ({ socket: (await stream()).socket, before: ["nobody"] }),
  "STREAM to a peer that is full": async () => {
    const { socket, id } = await stream();
    await saturate(socket as Any, [id, Buffer.alloc(1_000_000)]);
    return { socket, before: [id] };
  },
  "STREAM, an id alone": async () => ({ socket: (await stream()).socket }),
  "PUB without a subscriber": () => ({ socket: open(Publisher) }),
  "PUB with one": () => {
    const socket = open(Publisher);
    subscriber(socket);
    return { socket };
  },
  "PUB with one that is full": () => {
    const socket = open(Publisher);
    subscriber(socket);
    for (let i = 0; i < 5; i++) socket.trySend("full");
    return { socket };
  },
  "PUB with one that is full, noDrop": () => {
    const socket = open(Publisher, { noDrop: true });
    subscriber(socket);
    full(socket);
    return { socket };
  },
  "PUB with one that is full and wants something else, noDrop": () => {
    const socket = open(Publisher, { noDrop: true });
    subscriber(socket, "else");
    full(socket, "else");
    return { socket };
  },
  "XPUB with two of which one is full, noDrop": () => {
    const socket = open(XPublisher, { noDrop: true });
    subscriber(socket);
    full(socket);
    const other = open(Subscriber);
    other.subscribe("");
    other.connect(socket.lastEndpoint as string);
    return { socket };
  },
  "XSUB to a publisher": () => ({ socket: joined(open(XSubscriber), open(XPublisher))[0] }),
  "SUB, which cannot send": () => ({ socket: open(Subscriber) }),
  "CLIENT with a server": () => ({ socket: joined(open(Client), open(Server))[0] }),
  "CLIENT, several parts": () => {
    const [socket] = joined(open(Client), open(Server));
    return { socket, behind: ["more"] };
  },
  "SCATTER without a peer": () => ({ socket: open(Scatter) }),
  "CHANNEL with a peer": () => ({ socket: joined(open(Channel), open(Channel))[0] }),
  "CHANNEL, several parts": () => {
    const [socket] = joined(open(Channel), open(Channel));
    return { socket, behind: ["more"] };
  },
  "SERVER to a client": () => {
    const [socket, other] = [open(Server), open(Client)];
    return { socket, options: { routingId: idOf(socket, other) } };
  },
  "SERVER to nobody": () => ({ socket: open(Server), options: { routingId: 1 } }),
  "SERVER to a client that is full": () => {
    const [socket, other] = [open(Server), open(Client)];
    const options = { routingId: idOf(socket, other) };
    full(socket, "full", options);
    return { socket, options };
  },
  "PEER, several parts": () => {
    const [socket, other] = [open(Peer), open(Peer)];
    return { socket, behind: ["more"], options: { routingId: idOf(socket, other) } };
  },
  "RADIO to a group": async () => {
    const [socket, other] = joined(open(Radio), open(Dish));
    other.join("group");
    return { socket, options: { group: "group" } };
  },
  "RADIO to a group that is full, noDrop": () => {
    const [socket, other] = joined(open(Radio, { noDrop: true }), open(Dish));
    other.join("group");
    full(socket, "full", { group: "group" });
    return { socket, options: { group: "group" } };
  },
  "RADIO, several parts": () => {
    const [socket] = joined(open(Radio), open(Dish));
    return { socket, behind: ["more"], options: { group: "group" } };
  },
  "RADIO over udp, too long": async () => {
    const [socket, other] = [open(Radio), open(Dish)];
    await other.bind("udp://127.0.0.1:*");
    socket.connect(other.lastEndpoint as string);
    return { socket, options: { group: "group" } };
  },
  DGRAM: async () => ({ socket: await datagram(), before: ["127.0.0.1:9"] }),
  "DGRAM to nowhere": async () => ({ socket: await datagram(), before: ["nowhere"] }),
  "DGRAM, three parts": async () => {
    return { socket: await datagram(), before: ["127.0.0.1:9"], behind: ["more"] };
  },
  "DGRAM that is not bound": () => ({ socket: open(Datagram), before: ["127.0.0.1:9"] }),
};

async function datagram(): Promise<Datagram> {
  const socket = open(Datagram);
  await socket.bind("udp://127.0.0.1:*");
  return socket;
}

/** Sends a body that is the buffer. */
function attempt({ socket, before = [], behind = [], options }: Attempt, send: Any): [Any, Any] {
  const buffer = Buffer.alloc(SIZE, "x").buffer as ArrayBuffer;
  const parts = [...before, buffer, ...behind];
  const message = parts.length === 1 ? parts[0] : parts;
  return [send(socket, message, options, buffer), buffer];
}

async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return (await call()) ?? "done";
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

describe("trySend takes the buffer if it takes the message, and says what it says without", () => {
  it.each(Object.entries(ATTEMPTS))("%s", async (_, make) => {
    const said: unknown[] = [];
    let kept: ArrayBuffer | undefined;
    for (const transfers of [false, true]) {
      const it = await make();
      const call = () => {
        const send = (socket: Any, message: Any, options: Any, buffer: ArrayBuffer) => {
          kept = buffer;
          const more = transfers ? { ...options, transfer: [buffer] } : options;
          return more === undefined ? socket.trySend(message) : socket.trySend(message, more);
        };
        return attempt(it, send)[0];
      };
      said.push([await outcome(call), it.socket.stats().total.messagesDropped]);
      const [says] = said.at(-1) as [unknown];
      expect(kept?.byteLength).toBe(transfers && says === true ? 0 : SIZE);
      await sockets.close();
    }
    expect(said[1]).toEqual(said[0]);
  });
});

describe("send", () => {
  it.each(Object.entries(ATTEMPTS))(
    "%s: the same, and keeps what it does not send",
    async (_, make) => {
      const said: unknown[] = [];
      for (const transfers of [false, true]) {
        const it = await make();
        if ("sendTimeout" in it.socket) it.socket.sendTimeout = 20;
        const [call, buffer] = attempt(
          it,
          (socket: Any, message: Any, options: Any, own: ArrayBuffer) => {
            const more = transfers ? { ...options, transfer: [own] } : options;
            return outcome(() =>
              more === undefined ? socket.send(message) : socket.send(message, more),
            );
          },
        );
        said.push(await call);
        expect(buffer.byteLength).toBe(transfers && said.at(-1) === "done" ? 0 : SIZE);
        await sockets.close();
      }
      expect(said[1]).toBe(said[0]);
    },
  );

  it("that has to wait takes the buffer once there is room", async () => {
    const [one, other] = joined(open(Pair), open(Pair));
    full(one);
    const buffer = Buffer.alloc(SIZE, "x").buffer as ArrayBuffer;
    const call = one.send(["late", new Uint8Array(buffer, 8, 100)], { transfer: [buffer] });
    expect(buffer.byteLength).toBe(SIZE);
    await until(() => drain(other).at(-1)?.[0] === "late");
    expect(buffer.byteLength).toBe(0);
    await call;
  });

  it.each([
    ["is aborted", (_: Pair, controller: AbortController) => controller.abort()],
    ["is closed", (socket: Pair) => socket.close()],
  ])("that waits and %s leaves the buffer, whole", async (_, end) => {
    const one = open(Pair);
    const controller = new AbortController();
    const buffer = Buffer.alloc(SIZE, "x").buffer as ArrayBuffer;
    const call = one.send(buffer, { signal: controller.signal, transfer: [buffer] });
    end(one, controller);
    await expect(call).rejects.toThrow();
    expect(Buffer.from(buffer).equals(Buffer.alloc(SIZE, "x"))).toBe(true);
  });

  it("that waits rejects with EINVAL when the buffer is gone meanwhile, and sends nothing", async () => {
    const [one, other] = joined(open(Pair), open(Pair));
    full(one);
    const buffer = new ArrayBuffer(SIZE);
    const call = one.send(buffer, { transfer: [buffer] });
    call.catch(() => {});
    structuredClone(buffer, { transfer: [buffer] });
    drain(other);
    await expect(call).rejects.toEqual(failure("EINVAL"));
    await one.send("next");
    expect(drain(other)).toEqual([["next"]]);
  });

  it("throws at the call, and sends nothing, for what it cannot take", async () => {
    const [one, other] = joined(open(Pair), open(Pair));
    const pooled = Buffer.from("pooled");
    const [mine, alien] = [new ArrayBuffer(SIZE), new ArrayBuffer(SIZE)];
    const calls: [unknown, unknown, unknown][] = [
      [pooled, [pooled.buffer], failure("EINVAL")],
      [[mine, pooled], [mine, pooled.buffer], failure("EINVAL")],
      [mine, [alien], failure("EINVAL")],
      [[], [alien], failure("EINVAL")],
      ["text", [mine, mine], failure("EINVAL")],
      [mine, mine, expect.any(TypeError)],
    ];
    for (const [message, transfer, error] of calls) {
      expect(() => one.send(message as Any, { transfer } as Any)).toThrow(error as Error);
      expect(() => one.trySend(message as Any, { transfer } as Any)).toThrow(error as Error);
    }
    expect([mine.byteLength, alien.byteLength, String(pooled)]).toEqual([SIZE, SIZE, "pooled"]);
    await one.send("next", { transfer: [] });
    expect(drain(other)).toEqual([["next"]]);
  });
});

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("what is sent comes, and the caller's buffers are detached at once", async () => {
    const [one, other] = await sockets.connected(transport);
    for (const size of [0, 1, 128, 129, 4096, 100_000]) {
      const buffer = Buffer.alloc(2 * size, "ab").buffer as ArrayBuffer;
      const halves = [new Uint8Array(buffer, 0, size), new Uint8Array(buffer, size)];
      const call = other.send(["head", ...halves], { transfer: [buffer] });
      expect(halves.map(({ length }) => length)).toEqual([0, 0]);
      await call;
      const [head, ...parts] = await receiveOne(one);
      expect([head, parts.join("")]).toEqual(["head", Buffer.alloc(2 * size, "ab").toString()]);
    }
  });

  it("published to many, each has it, and may change it", async () => {
    const pub = open(Publisher);
    const subs = [open(Subscriber), open(Subscriber)];
    for (const sub of subs) sub.subscribe("");
    await sockets.join(transport, pub, ...subs);
    await until(() => peers(pub) === 2 && pub.stats().subscriptions === 1);
    // The second one's subscription may still be under way.
    const buffer = Buffer.alloc(100, "x").buffer as ArrayBuffer;
    await pub.send(buffer, { transfer: [buffer] });
    expect(buffer.byteLength).toBe(0);
    const [part] = await (subs[0] as Subscriber).receive();
    expect(String(part)).toBe("x".repeat(100));
    part?.fill("y");
    if (transport !== "inproc") return;
    expect(await receiveOne(subs[1] as Subscriber)).toEqual(["x".repeat(100)]);
  });
});

it("a buffer that went to another socket of the thread is its receiver's, and can go on from there", async () => {
  const [one, other] = joined(open(Pair), open(Pair));
  const buffer = Buffer.alloc(SIZE, "x").buffer as ArrayBuffer;
  await one.send(new Uint8Array(buffer, 16), { transfer: [buffer] });
  const [part] = await other.receive();
  expect([part?.byteOffset, part?.buffer.byteLength]).toEqual([16, SIZE]);
  await other.send(part as Buffer, { transfer: [part?.buffer as ArrayBuffer] });
  expect(part).toHaveLength(0);
  expect(await receiveOne(one)).toEqual(["x".repeat(SIZE - 16)]);
});
