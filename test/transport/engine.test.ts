import { describe, expect, it, vi } from "vitest";
import type { Parts } from "../../src/message.js";
import { type EndReason, Engine, type EngineOwner } from "../../src/transport/engine.js";
import { exclusiveMemory } from "../../src/transport/memory.js";
import { RawConnection } from "../../src/transport/raw.js";
import { slabs } from "../../src/transport/slabs.js";
import {
  Connection,
  type ConnectionOptions,
  DEFAULT_LIMITS,
  encodeGreeting,
  NullMechanism,
  plainMemory,
} from "../../src/zmtp/index.js";
import { properties, welcome } from "../support/binder.js";
import { FakeStream } from "../support/fake-stream.js";
import { trafficOf } from "../support/traffic-of.js";

function options(): ConnectionOptions {
  return {
    role: "client",
    socketType: "PAIR",
    mechanism: new NullMechanism("client", properties, DEFAULT_LIMITS),
    slabs,
    memory: plainMemory,
    handshakeTimeoutMs: 0,
    heartbeat: { intervalMs: 0, timeoutMs: 0, ttlMs: 0 },
  };
}

class Owner implements EngineOwner {
  messages: Parts[] = [];
  room = Number.POSITIVE_INFINITY;
  takesRest = true;
  end: { reason: EndReason; unwritten: Parts[] } | undefined;
  handshake = (): boolean => true;
  message(parts: Uint8Array[]): boolean {
    this.messages.push(parts as Parts);
    return this.messages.length < this.room;
  }
  /** What wants to look at octets, when it is not its turn. */
  postponed: (() => void)[] | undefined;
  admitInput(take: () => void): void {
    if (this.postponed === undefined) take();
    else this.postponed.push(take);
  }
  received = vi.fn();
  restartOutput = vi.fn();
  takeRest(): boolean {
    this.room = Number.POSITIVE_INFINITY;
    return this.takesRest;
  }
  ended(reason: EndReason, unwritten: Parts[]): void {
    this.end = { reason, unwritten };
  }
}

function started(mechanism = options().mechanism): {
  engine: Engine;
  stream: FakeStream;
  owner: Owner;
} {
  const stream = new FakeStream();
  const owner = new Owner();
  const all = { ...options(), mechanism };
  const engine = new Engine(stream.asStream, (now) => new Connection(all, owner, now), owner);
  engine.start();
  stream.come(welcome());
  return { engine, stream, owner };
}

const texts = (messages: Parts[]): string[] =>
  messages.map(([part]) => Buffer.from(part as Uint8Array).toString());
const message = (text: string): Parts => [Buffer.from(text)];
const frames = (...all: string[]): Uint8Array =>
  Buffer.concat(all.map((text) => Buffer.from([0, text.length, ...Buffer.from(text)])));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("writing", () => {
  it("what the system refuses at the call comes back, and what is encoded behind it", async () => {
    const { engine, stream, owner } = started();
    await turn();
    stream.mode = "refused";
    engine.send(message("a"));
    await turn();
    engine.send(message("b"));
    await turn();
    stream.emit("close");
    expect(texts(owner.end?.unwritten ?? [])).toEqual(["a", "b"]);
  });

  it("what is under way when the wire breaks does not come back", async () => {
    const { engine, stream, owner } = started();
    await turn();
    stream.mode = "pending";
    engine.send(message("a"));
    await turn();
    engine.send(message("b"));
    await turn();
    stream.emit("close");
    expect(texts(owner.end?.unwritten ?? [])).toEqual(["b"]);
  });

  it("after a write that took its time the next one goes, and more is asked for", async () => {
    const { engine, stream, owner } = started();
    await turn();
    stream.mode = "pending";
    engine.send(message("a"));
    await turn();
    const written = stream.written.length;
    engine.send(message("b"));
    await turn();
    expect(stream.written.length).toBe(written);
    owner.restartOutput.mockClear();
    engine.close();
    expect(stream.destroyed).toBe(true);
    expect(engine.close()).toEqual([]);
  });

  it.each([
    ["it is out of nonces", new Error("no nonce is left")],
    ["the message is too large", new RangeError("too many octets")],
  ])("a mechanism that cannot go on, as %s, ends the connection and says so", async (_, error) => {
    const wrap = (): never => {
      throw error;
    };
    const traffic = trafficOf({ wrap });
    const { engine, owner } = started(Object.assign(options().mechanism, { traffic }));
    await turn();
    for (const text of ["a", "b"]) engine.send(message(text));
    await turn();
    expect(owner.end?.reason).toEqual({ kind: "connection", error });
    expect(texts(owner.end?.unwritten ?? [])).toEqual(["b"]);
  });

  it("gives up a peer that takes no subscriptions, once many wait, and not because there are many", async () => {
    const MB = 2 ** 20;
    const topic = new Uint8Array(MB);
    const { engine, stream, owner } = started();
    await turn();
    for (let i = 0; i < 70; i++) engine.subscribe(topic, true);
    expect(owner.end).toBeUndefined();
    await turn();
    stream.finish();
    stream.mode = "pending";
    engine.send(message("a"));
    await turn();
    for (let i = 0; i < 60; i++) engine.subscribe(topic, i % 2 === 0);
    expect(owner.end).toBeUndefined();
    for (let i = 0; i < 10 && owner.end === undefined; i++) engine.subscribe(topic, true);
    expect(owner.end?.reason).toMatchObject({ kind: "connection", error: { code: "ENOBUFS" } });
    expect(stream.destroyed).toBe(true);
  });

  it("is full when a batch waits, and when as much is under way", async () => {
    const { engine, stream } = started();
    await turn();
    stream.mode = "pending";
    const body = Buffer.alloc(8000);
    let sent = 0;
    while (!engine.full && sent < 100) {
      engine.send([body]);
      sent++;
    }
    expect(engine.full).toBe(true);
    expect(sent).toBeLessThan(18);
    expect(engine.outputBytes).toBeGreaterThan(100_000);
  });
});

describe("a message", () => {
  it("that fills a batch is told of, once the system has taken all of it", async () => {
    const { engine, stream } = started();
    await turn();
    const large = (): Parts => [Buffer.alloc(70_000)];
    expect([engine.send(message("a")), engine.send(large()), engine.outputBytes]).toEqual([
      ...[false, true],
      0,
    ]);
    stream.mode = "pending";
    expect([engine.send(large()), engine.send(large())]).toEqual([false, false]);
    stream.mode = "taken";
    stream.finish();
    expect([engine.full, engine.send(message("b"))]).toEqual([false, false]);
  });
});

describe("subscriptions", () => {
  const topic = Buffer.alloc(1000, "t");

  it("that fill a batch leave at once: whoever finds no room is told of room", async () => {
    const { engine, stream } = started();
    await turn();
    const before = stream.written.length;
    let count = 0;
    for (; count < 1000 && stream.written.length === before; count++) engine.subscribe(topic, true);
    expect(count).toBeLessThan(70);
    expect([engine.full, engine.outputBytes]).toEqual([false, 0]);
  });

  it("that fill a batch while a write is under way wait for its end; then more is asked for", async () => {
    const { engine, stream, owner } = started();
    await turn();
    stream.mode = "pending";
    engine.send(message("a"));
    await turn();
    for (let i = 0; i < 100; i++) engine.subscribe(topic, true);
    expect(engine.full).toBe(true);
    owner.restartOutput.mockClear();
    stream.mode = "taken";
    stream.finish();
    expect([engine.full, engine.outputBytes]).toEqual([false, 0]);
    expect(owner.restartOutput).toHaveBeenCalled();
  });
});

describe("a peer that is to be judged", () => {
  const hello = (type = "PAIR"): Uint8Array => {
    const ready = new NullMechanism(
      "client",
      [["Socket-Type", Buffer.from(type)]],
      DEFAULT_LIMITS,
    ).start() as Uint8Array;
    return Buffer.concat([encodeGreeting("NULL", false), Buffer.of(4, ready.length), ready]);
  };

  function judged(octets: Uint8Array): {
    engine: Engine;
    stream: FakeStream;
    owner: Owner & { authenticate(): boolean };
  } {
    const stream = new FakeStream();
    const owner = Object.assign(new Owner(), { authenticate: () => false });
    const mechanism = new NullMechanism("server", properties, DEFAULT_LIMITS);
    const open = (now: number) =>
      new Connection({ ...options(), role: "server", mechanism }, owner, now);
    const engine = new Engine(stream.asStream, open, owner);
    engine.start();
    stream.come(octets);
    return { engine, stream, owner };
  }

  it("goes on when it is good, with what it said meanwhile", async () => {
    const { engine, stream, owner } = judged(hello());
    stream.come(frames("a"));
    expect([owner.messages, stream.paused]).toEqual([[], true]);
    engine.authenticated();
    expect([texts(owner.messages), stream.paused]).toEqual([["a"], false]);
    expect(stream.text).toContain("READY");
  });

  it("is told that it is refused, and then we hang up", async () => {
    const { engine, stream, owner } = judged(hello());
    await turn();
    engine.refuse("400");
    expect(stream.text).toContain("ERROR\x03400");
    expect([stream.ended, owner.end?.reason]).toEqual([
      true,
      { kind: "connection", error: undefined },
    ]);
    engine.refuse("400");
    engine.authenticated();
    expect(stream.text).not.toContain("READY");
  });

  it("may be refused while it is being asked", () => {
    const { engine, stream, owner } = judged(new Uint8Array(0));
    owner.authenticate = () => {
      engine.refuse("500");
      return false;
    };
    stream.come(hello());
    expect(stream.text).toContain("ERROR\x03500");
    expect(owner.end?.reason).toEqual({ kind: "connection", error: undefined });
  });

  it("ends when what it said before turns out to be wrong", () => {
    const { engine, stream, owner } = judged(hello("SUB"));
    engine.authenticated();
    const { reason } = owner.end as { reason: EndReason };
    expect(reason).toMatchObject({ error: { code: "ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE" } });
    expect(stream.destroyed).toBe(true);
  });
});

describe("reading", () => {
  it("does not begin while there is no room for what a peer without a handshake sends", () => {
    const stream = new FakeStream();
    const owner = new Owner();
    let room = false;
    const handler = Object.assign(owner, { hasRoom: () => room });
    const open = (): RawConnection => new RawConnection(handler, exclusiveMemory);
    const engine = new Engine(stream.asStream, open, owner);
    engine.start();
    expect(stream.paused).toBe(true);
    stream.come(Buffer.from("read ahead"));
    expect(owner.messages).toEqual([]);
    room = true;
    engine.restartInput();
    expect([texts(owner.messages), stream.paused]).toEqual([["read ahead"], false]);
  });

  it("stops when there is no room, keeps the rest, and goes on", () => {
    const { engine, stream, owner } = started();
    owner.room = 2;
    stream.come(frames("a", "b", "c", "d"));
    expect([texts(owner.messages), stream.paused]).toEqual([["a", "b"], true]);
    owner.room = 10;
    engine.restartInput();
    expect([texts(owner.messages), stream.paused]).toEqual([["a", "b", "c", "d"], false]);
  });

  it.each([true, false])(
    "the rest is taken when the wire breaks, if the owner says %s",
    (takes) => {
      const { stream, owner } = started();
      owner.room = 1;
      owner.takesRest = takes;
      stream.come(Buffer.concat([frames("a", "b"), Buffer.of(0xff)]));
      stream.emit("end");
      expect(texts(owner.messages)).toEqual(takes ? ["a", "b"] : ["a"]);
      expect(owner.end?.reason.kind).toBe("connection");
      stream.come(frames("c"));
      expect(owner.messages.length).toBe(takes ? 2 : 1);
    },
  );

  it("ends a connection whose peer is wrong, after what was right", () => {
    const { stream, owner } = started();
    stream.come(Buffer.concat([frames("a"), Buffer.of(0x80, 0)]));
    expect(texts(owner.messages)).toEqual(["a"]);
    expect(owner.end?.reason).toMatchObject({ error: { code: "ERR_ZMTP_MALFORMED_FRAME" } });
    expect(stream.destroyed).toBe(true);
  });
});

describe("octets that come when it is not their turn", () => {
  it("are taken before the end when the wire breaks meanwhile, and not again", () => {
    const { stream, owner } = started();
    owner.postponed = [];
    stream.come(frames("a"));
    stream.emit("close");
    expect(texts(owner.messages)).toEqual(["a"]);
    for (const take of owner.postponed) take();
    expect(texts(owner.messages)).toEqual(["a"]);
  });
});
