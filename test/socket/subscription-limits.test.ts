import { Buffer } from "node:buffer";
import { afterEach, describe, expect, it } from "vitest";
import { Dish } from "../../src/socket/dish.js";
import { Publisher } from "../../src/socket/pub.js";
import { Radio } from "../../src/socket/radio.js";
import { Subscriber } from "../../src/socket/sub.js";
import { XPublisher } from "../../src/socket/xpub.js";
import { EventLog } from "../support/event-log.js";
import { RawPeer } from "../support/raw-peer.js";
import { handshake, Sockets, until } from "../support/sockets.js";
import * as wire from "../support/wire.js";

const sockets = new Sockets();
let peers: RawPeer[] = [];

afterEach(async () => {
  for (const { socket } of peers) socket.destroy();
  peers = [];
  await sockets.close();
});

const TYPES = {
  Publisher: { open: (options: object) => new Publisher(options), type: "SUB", verb: "SUBSCRIBE" },
  XPublisher: {
    open: (options: object) => new XPublisher(options),
    type: "SUB",
    verb: "SUBSCRIBE",
  },
  "XPublisher that decides": {
    open: (options: object) => new XPublisher({ manual: true, ...options }),
    type: "SUB",
    verb: "SUBSCRIBE",
  },
  Radio: { open: (options: object) => new Radio(options), type: "DISH", verb: "JOIN" },
};

const NAMES = Object.keys(TYPES) as (keyof typeof TYPES)[];

describe.each(NAMES)("%s", (name) => {
  const { open, type, verb } = TYPES[name];

  it("has safe bounds, which can be set", () => {
    const socket = sockets.open(open({})) as Publisher;
    expect([socket.maxSubscriptions, socket.maxSubscriptionBytes]).toEqual([100_000, 2 ** 24]);
    const other = sockets.open(open({ maxSubscriptions: 0, maxSubscriptionBytes: 1 }));
    expect((other as Publisher).maxSubscriptions).toBe(0);
    expect(() => open({ maxSubscriptions: -1 })).toThrow("Invalid argument");
  });

  /** A socket that a peer asks for these names, one after the other. */
  async function ask(options: object, names: string[]): Promise<[Publisher, EventLog, RawPeer]> {
    const socket = sockets.open(open({ linger: 0, ...options })) as Publisher;
    await socket.bind("tcp://127.0.0.1:*");
    const log = EventLog.of(socket);
    const peer = await RawPeer.connect(socket.lastEndpoint as string);
    peers.push(peer);
    peer.greet(type);
    await handshake(socket);
    peer.socket.write(Buffer.concat(names.map((topic) => wire.command(verb, Buffer.from(topic)))));
    return [socket, log, peer];
  }

  it.each([
    ["topics", { maxSubscriptions: 3 }, ["a", "b", "c"], "d"],
    ["bytes", { maxSubscriptionBytes: 10 }, ["12345", "67890"], "x"],
  ] as const)(
    "a peer that asks for too many %s loses its connection",
    async (_, options, few, one) => {
      const good = await ask(options, [...few, ...few]);
      expect(good[2].ended).toBe(false);
      const [socket, log, peer] = await ask(options, [...few, one]);
      const { error } = await log.next("handshake:error:protocol");
      expect(error?.code).toBe("ERR_ZMTP_TOO_MANY_SUBSCRIPTIONS");
      await until(() => peer.ended && socket.stats().peers.length === 0);
      if (name !== "XPublisher that decides") expect(socket.stats().subscriptions).toBe(0);
      // And the other socket's peer goes on.
      expect(good[1].count("disconnect")).toBe(0);
    },
  );

  it("who cancels may ask again, without end; 0 is no bound", async () => {
    const cancel = verb === "JOIN" ? "LEAVE" : "CANCEL";
    const [socket, log, peer] = await ask({ maxSubscriptions: 1 }, []);
    for (let i = 0; i < 100; i++) {
      const topic = Buffer.from(String(i));
      peer.socket.write(Buffer.concat([wire.command(verb, topic), wire.command(cancel, topic)]));
    }
    peer.socket.write(wire.command("PING", Buffer.alloc(2)));
    await until(() => peer.commands.includes("PONG"));
    expect([log.count("disconnect"), socket.stats().peers.length]).toEqual([0, 1]);
    // Less than a queue may hold: each is received where the application decides.
    const many = Array.from({ length: 500 }, (_, i) => String(i));
    const unbounded = await ask({ maxSubscriptions: 0, maxSubscriptionBytes: 0 }, many);
    unbounded[2].socket.write(wire.command("PING", Buffer.alloc(2)));
    await until(() => unbounded[2].commands.includes("PONG"));
    expect(unbounded[1].count("disconnect")).toBe(0);
  });
});

it("peers within the process may ask for as much as they like", async () => {
  const publisher = sockets.open(new Publisher({ maxSubscriptions: 1 }));
  const subscriber = sockets.open(new Subscriber());
  subscriber.subscribe("a", "b", "c");
  await sockets.join("inproc", publisher, subscriber);
  expect(publisher.stats().subscriptions).toBe(3);
  const radio = sockets.open(new Radio({ maxSubscriptions: 1 }));
  const dish = sockets.open(new Dish());
  dish.join("a", "b");
  await sockets.join("inproc", radio, dish);
  expect(radio.stats().subscriptions).toBe(2);
});
