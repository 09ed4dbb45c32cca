import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket as Stream } from "node:net";
import { beforeEach, describe, expect, it } from "vitest";
import type { Parts } from "../../src/message.js";
import { Input } from "../../src/transport/input.js";
import { onread } from "../../src/transport/reading.js";
import { slabs } from "../../src/transport/slabs.js";
import { Connection, DEFAULT_LIMITS, NullMechanism, plainMemory } from "../../src/zmtp/index.js";
import { properties, welcome } from "../support/binder.js";
import { FakeStream } from "../support/fake-stream.js";
import { until } from "../support/sockets.js";

const frames = (...all: string[]): Uint8Array =>
  Buffer.concat(all.map((text) => Buffer.from([0, text.length, ...Buffer.from(text)])));

const stop = Buffer.of(0x80, 0);

let stream: FakeStream;
let connection: Connection;
let input: Input;
/** Messages, "fed" at the end of a chunk's, and what failed. */
let events: string[];
/** How many messages there is room for. */
let room: number;
/** What wants to look at octets, when it is not its turn. */
let postponed: (() => void)[] | undefined;
let takesRest: boolean;
/** What is done when a message comes. */
let onMessage: () => void;

beforeEach(() => {
  stream = new FakeStream();
  [events, room, postponed, takesRest] = [[], Number.POSITIVE_INFINITY, undefined, true];
  onMessage = () => {};
  connection = new Connection(
    {
      role: "client",
      socketType: "PAIR",
      mechanism: new NullMechanism("client", properties, DEFAULT_LIMITS),
      slabs,
      memory: plainMemory,
      handshakeTimeoutMs: 0,
      heartbeat: { intervalMs: 0, timeoutMs: 0, ttlMs: 0 },
    },
    {
      handshake: () => true,
      message: (parts) => {
        events.push(Buffer.from((parts as Parts)[0] as Uint8Array).toString());
        onMessage();
        return --room > 0;
      },
    },
    0,
  );
  input = inputOf(stream.asStream);
  input.start();
  stream.come(welcome());
  events = [];
});

function inputOf(stream: Stream): Input {
  return new Input(
    stream,
    connection,
    {
      admitInput: (take) => {
        if (postponed === undefined) take();
        else postponed.push(take);
      },
      takeRest: () => {
        room = Number.POSITIVE_INFINITY;
        return takesRest;
      },
    },
    () => events.push("fed"),
    (error) => events.push((error as { code: string }).code),
  );
}

describe("room", () => {
  it("that is there: all of a chunk is taken, and then told of once", () => {
    stream.come(frames("a", "b"));
    expect([events, stream.paused]).toEqual([["a", "b", "fed"], false]);
  });

  it("that ends within a chunk: the rest waits, and nothing is read, until there is some", () => {
    room = 2;
    stream.come(frames("a", "b", "c", "d"));
    expect([events, stream.paused]).toEqual([["a", "b", "fed"], true]);
    room = 1;
    input.restart();
    expect([events.slice(3), stream.paused]).toEqual([["c", "fed"], true]);
    room = 10;
    input.restart();
    expect([events.slice(5), stream.paused]).toEqual([["d", "fed"], false]);
  });

  it("that ends with a chunk: nothing is read until there is some", () => {
    room = 2;
    stream.come(frames("a", "b"));
    expect(stream.paused).toBe(true);
    room = 10;
    input.restart();
    expect(stream.paused).toBe(false);
    events = [];
    input.restart();
    expect(events).toEqual([]);
  });

  it("that there is not before anything comes: nothing is read", () => {
    room = 1;
    connection.receive(frames("a"), 0, 3, 0);
    input.pauseIfFull();
    expect(stream.paused).toBe(true);
    room = 10;
    input.restart();
    expect(stream.paused).toBe(false);
    input.pauseIfFull();
    expect(stream.paused).toBe(false);
  });

  it("that comes while messages are being handed over is used after them", () => {
    room = 1;
    onMessage = () => input.restart();
    stream.come(frames("a", "b"));
    expect([events, stream.paused]).toEqual([["a", "fed"], true]);
    room = 10;
    input.restart();
    expect([events, stream.paused]).toEqual([["a", "fed", "b", "fed"], false]);
  });
});

it("what a stream had read ahead is kept, of any size", () => {
  room = 1;
  input.data(frames("a", "b"));
  input.data(frames("c"));
  input.data(frames(...Array.from({ length: 30_000 }, () => "d")));
  room = Number.POSITIVE_INFINITY;
  events = [];
  input.restart();
  expect(events.slice(0, 3)).toEqual(["b", "c", "d"]);
  expect([events.length, events.at(-1)]).toEqual([30_003, "fed"]);
});

describe("a large body", () => {
  const size = 200_000;
  const header = Buffer.alloc(9);
  header[0] = 2;
  header.writeUInt32BE(size, 5);
  const begun = Buffer.concat([header, Buffer.alloc(1000, "a")]);

  it("is read to its own memory, and reading stops there too", () => {
    room = 1;
    const place = input.data(begun) as Uint8Array;
    expect(place.length).toBe(size - 1000);
    place.fill(98);
    expect(input.filled(place.length)).toBeUndefined();
    expect(events).toEqual(["fed", `${"a".repeat(1000)}${"b".repeat(size - 1000)}`, "fed"]);
    expect(stream.paused).toBe(true);
  });

  it("waits between two reads while it is the turn of others", () => {
    const place = input.data(begun) as Uint8Array;
    postponed = [];
    place.fill(98);
    expect([input.filled(100_000), stream.paused]).toEqual([undefined, true]);
    for (const take of postponed.splice(0)) take();
    expect(stream.paused).toBe(false);
    postponed = undefined;
    const rest = size - 101_000;
    expect(input.data(Buffer.from("b"))?.length).toBe(rest - 1);
    expect(input.filled(rest - 1)).toBeUndefined();
    expect(events.at(-2)).toBe(`${"a".repeat(1000)}${"b".repeat(size - 1000)}`);
    expect(stream.paused).toBe(false);
  });

  it("has no place while nothing is read", () => {
    room = 1;
    expect(input.data(Buffer.concat([frames("a"), begun]))).toBeUndefined();
    room = 10;
    input.restart();
    expect(stream.paused).toBe(false);
    expect(input.data(Buffer.from("a"))?.length).toBe(size - 1001);
  });
});

describe("octets that come when it is not their turn", () => {
  it("wait, and nothing more is read, until it is", () => {
    postponed = [];
    stream.come(frames("a", "b"));
    expect([events, stream.paused]).toEqual([[], true]);
    // The stream had read ahead before it paused.
    stream.come(frames("c"));
    input.restart();
    expect(events).toEqual([]);
    for (const take of postponed.splice(0)) take();
    expect([events, stream.paused]).toEqual([["a", "b", "c", "fed"], false]);
  });

  it("are not taken any more once it is closed", () => {
    postponed = [];
    stream.come(frames("a"));
    input.close();
    for (const take of postponed) take();
    stream.come(frames("b"));
    expect([events, input.filled(1)]).toEqual([[], undefined]);
  });
});

it("a peer that is wrong is told of, after what was right", () => {
  stream.come(Buffer.concat([frames("a"), stop]));
  expect(events).toEqual(["a", "ERR_ZMTP_MALFORMED_FRAME", "fed"]);
});

describe("when the wire breaks, what waits", () => {
  it.each([true, false])("is taken if its owner says so: %s", (takes) => {
    room = 1;
    takesRest = takes;
    stream.come(Buffer.concat([frames("a", "b"), stop]));
    input.decodeRest();
    expect(events).toEqual(takes ? ["a", "fed", "b"] : ["a", "fed"]);
  });

  it("is nothing where there was room: nobody is asked", () => {
    stream.come(frames("a"));
    room = 0;
    input.decodeRest();
    expect([events, room]).toEqual([["a", "fed"], 0]);
  });
});

describe("a stream that cannot be written any more", () => {
  /** Both ends of a TCP connection; `near` is read from by the input. */
  async function connected(): Promise<{ near: Stream; far: Stream; close(): void }> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const near = connect({ port, host: "127.0.0.1", onread });
    const accepted = once(server, "connection") as Promise<[Stream]>;
    const [[far]] = await Promise.all([accepted, once(near, "connect")]);
    input = inputOf(near);
    input.start();
    const close = () => {
      for (const end of [near, far]) end.destroy();
      server.close();
    };
    return { near, far, close };
  }

  it("is read to its end by another one, where Node lets us", async () => {
    const { near, far, close } = await connected();
    const stream = input.readOn();
    expect(stream === undefined).toBe(onread === undefined);
    expect(stream).not.toBe(near);
    far.end(frames("a", "b"));
    await until(() => events.length === 3);
    expect(events).toEqual(["a", "b", "fed"]);
    stream?.destroy();
    close();
  });

  it("is when it is not its turn, which comes", async () => {
    const { far, close } = await connected();
    postponed = [];
    far.write(frames("a"));
    await until(() => postponed?.length === 1);
    const stream = input.readOn();
    far.end(frames("b"));
    for (const take of postponed.splice(0)) take();
    postponed = undefined;
    await until(() => events.includes("b"));
    expect(events).toEqual(["a", "fed", "b", "fed"]);
    stream?.destroy();
    close();
  });

  it("is not while there is no room, for it could stay so for ever", async () => {
    const { far, close } = await connected();
    room = 1;
    far.write(frames("a"));
    await until(() => events.length === 2);
    expect(input.readOn()).toBeUndefined();
    close();
  });
});
