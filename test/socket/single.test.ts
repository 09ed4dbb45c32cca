import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { MessageLike } from "../../src/message.js";
import { Channel } from "../../src/socket/channel.js";
import { Client } from "../../src/socket/client.js";
import { Dish } from "../../src/socket/dish.js";
import { Gather } from "../../src/socket/gather.js";
import { Peer } from "../../src/socket/peer.js";
import { Radio } from "../../src/socket/radio.js";
import { Scatter } from "../../src/socket/scatter.js";
import { Server } from "../../src/socket/server.js";
import { nameOctets } from "../../src/socket/single.js";
import { Socket, type SocketOptions } from "../../src/socket/socket.js";
import { mockOf } from "../support/draft.js";
import { wire } from "../support/mock-peer.js";
import { bound, Events, failure, peers, thrown } from "../support/patterns.js";
import { Sockets, until } from "../support/sockets.js";

const sockets = new Sockets();

afterEach(() => sockets.close());
afterAll(() => sockets.end());

const TYPES = [
  { name: "SERVER", type: 12, Type: Server, peer: "CLIENT", takes: ["x"] },
  { name: "CLIENT", type: 13, Type: Client, peer: "SERVER", takes: ["x"] },
  { name: "RADIO", type: 14, Type: Radio, peer: "DISH", takes: undefined },
  { name: "DISH", type: 15, Type: Dish, peer: "RADIO", takes: ["group", "x"] },
  { name: "GATHER", type: 16, Type: Gather, peer: "SCATTER", takes: ["x"] },
  { name: "SCATTER", type: 17, Type: Scatter, peer: "GATHER", takes: undefined },
  { name: "PEER", type: 19, Type: Peer, peer: "PEER", takes: ["x"] },
  { name: "CHANNEL", type: 20, Type: Channel, peer: "CHANNEL", takes: ["x"] },
];

type AnyType = new (options?: SocketOptions<Socket>) => Socket;

/** A socket of a type, with any options. */
function open(Type: unknown, options: object = {}): Socket {
  return sockets.open(new (Type as AnyType)(options as SocketOptions<Socket>));
}

/** What it is sent with, where it has to be. */
const ADDRESS: Record<string, object> = {
  SERVER: { routingId: 1 },
  PEER: { routingId: 1 },
  RADIO: { group: "g" },
};

/** Calls `send` or `trySend` with a message, and whom it is for where that has to be said. */
function sendTo(name: string, socket: Socket, call: "send" | "trySend", message: MessageLike[]) {
  const address = ADDRESS[name];
  const method = socket[call] as (...args: unknown[]) => unknown;
  return method.call(socket, message, ...(address === undefined ? [] : [address]));
}

describe.each(TYPES)("$name", ({ name, type, Type, peer, takes }) => {
  it("has npm zeromq's number and defaults", () => {
    const socket = open(Type);
    const { linger, threadSafe } = socket;
    expect([socket.type, linger, threadSafe]).toEqual([type, name === "DISH" ? 0 : -1, true]);
    expect(sockets.open(new Socket(type)).type).toBe(type);
  });

  it("says before there is a peer what libzmq says of reading and writing", () => {
    const { readable, writable } = open(Type);
    const always = ["SERVER", "PEER", "RADIO", "DISH"].includes(name);
    expect([readable, writable]).toEqual([false, always]);
  });

  it.each([
    ["two parts", ["a", "b"]],
    ["three, one of them empty", ["a", "", "b"]],
  ])(
    "does not send a message of %s: EINVAL at once, whether there are peers or not",
    async (_, parts) => {
      const socket = open(Type);
      const code = name === "DISH" || name === "GATHER" ? "ENOTSUP" : "EINVAL";
      await expect(sendTo(name, socket, "send", parts)).rejects.toEqual(failure(code));
      expect(thrown(() => sendTo(name, socket, "trySend", parts))).toBe(code);
      await bound(sockets, "tcp", socket);
      const mock = await mockOf(socket, name, peer);
      await until(() => peers(socket) === 1);
      await expect(sendTo(name, socket, "send", parts)).rejects.toEqual(failure(code));
      mock.send(wire.ping(0, "all"));
      // Nothing stands before the answer.
      await mock.expect(wire.pong("all"));
      expect(socket.stats().total.messagesSent).toBe(0);
      mock.close();
    },
  );

  if (takes === undefined) {
    it("forgets what a peer sends all the same", async () => {
      const socket = open(Type);
      await bound(sockets, "tcp", socket);
      const mock = await mockOf(socket, name, peer);
      mock.send(wire.message("a"), wire.message("a", "b", "c"), wire.ping(0, "still there"));
      await mock.expect(wire.pong("still there"));
      await expect((socket as Client).receive()).rejects.toEqual(failure("ENOTSUP"));
      expect(socket.stats().receive.messages).toBe(0);
      mock.close();
    });
    return;
  }

  it.each(["tcp", "ipc"] as const)(
    "a peer that sends parts which are no message here loses its connection, over %s",
    async (transport) => {
      const socket = open(Type);
      const events = new Events(socket);
      await bound(sockets, transport, socket);
      const bad = [[...takes, "more"], takes.slice(1), ["g".repeat(256), "x"]];
      for (const [i, parts] of bad.filter((it) => it.length > 0).entries()) {
        const mock = await mockOf(socket, name, peer);
        mock.send(wire.message(...takes), wire.message(...parts));
        await mock.gone();
        const { error } = await events.seen("handshake:error:protocol", i + 1);
        expect(error.code).toBe("ERR_ZMTP_MALFORMED_MESSAGE");
        mock.close();
      }
    },
  );
});

it.each(TYPES.filter(({ name }) => ["CLIENT", "SCATTER", "CHANNEL"].includes(name)))(
  "$name takes an array of one part for the part, and sends nothing for an empty one",
  async ({ name, Type, peer }) => {
    const socket = open(Type);
    await bound(sockets, "tcp", socket);
    const mock = await mockOf(socket, name, peer);
    await until(() => peers(socket) === 1);
    await sendTo(name, socket, "send", []);
    await sendTo(name, socket, "send", ["one"]);
    await mock.expect(wire.message("one"));
    mock.close();
  },
);

it("the octets of a name end before a zero", () => {
  expect(nameOctets("a\0b")).toEqual(Buffer.from("a"));
  expect(nameOctets(Buffer.of(0, 1))).toHaveLength(0);
  expect(nameOctets("ü")).toEqual(Buffer.of(0xc3, 0xbc));
  for (const bad of [1, null, undefined, {}, []]) {
    expect(() => nameOctets(bad)).toThrow(new TypeError("Value must be a string or buffer"));
  }
});
