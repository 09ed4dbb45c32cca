import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { MessageLike } from "../../src/message.js";
import { Dish } from "../../src/socket/dish.js";
import { Radio } from "../../src/socket/radio.js";
import type { Writable } from "../../src/socket/socket.js";
import { heard, joined, mockOf, shakeHands, untilStuck } from "../support/draft.js";
import { MockListener, type MockPeer, wire } from "../support/mock-peer.js";
import { bound, Events, failure, maker, numbered, thrown } from "../support/patterns.js";
import { Sockets, TRANSPORTS, until } from "../support/sockets.js";

const sockets = new Sockets();
const dish = maker(sockets, Dish);
const radio = maker(sockets, Radio);

let closing: { close(): void }[] = [];

afterEach(async () => {
  for (const it of closing) it.close();
  closing = [];
  await sockets.close();
});
afterAll(() => sockets.end());

const LARGE = Buffer.alloc(100_000, "x");

/** A Radio that is bound, and a Dish of octets that has joined groups there. */
async function mocked(...groups: string[]): Promise<{ one: Radio; mock: MockPeer }> {
  const one = radio();
  await bound(sockets, "tcp", one);
  return { one, mock: await another(one, ...groups) };
}

async function another(one: Radio, ...groups: string[]): Promise<MockPeer> {
  const mock = await mockOf(one, "RADIO", "DISH");
  closing.push(mock);
  mock.send(...groups.map((it) => wire.command("JOIN", it)), wire.ping(0, "joined"));
  await mock.expect(wire.pong("joined"));
  return mock;
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("a message goes to all who are in its group, whoever binds, and to nobody else", async () => {
    const group = fc.constantFrom("", "a", "b", "ab", "\0");
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(group.filter((it) => it !== "\0")), { minLength: 1, maxLength: 3 }),
        fc.array(group, { maxLength: 20 }),
        fc.boolean(),
        async (wishes, messages, binds) => {
          const one = radio();
          const dishes = wishes.map(() => dish());
          if (binds) await sockets.join(transport, one, ...dishes);
          else for (const it of dishes) await sockets.join(transport, it, one);
          for (const [i, it] of dishes.entries()) it.join(...(wishes[i] as string[]), `last ${i}`);
          await joined(one, new Set(wishes.flat()).size + dishes.length);
          for (const [i, group] of messages.entries()) await one.send(String(i), { group });
          for (const i of dishes.keys()) await one.send("end", { group: `last ${i}` });
          for (const [i, it] of dishes.entries()) {
            const wanted = messages.map((group, at) => `${group.replace("\0", "")}: ${at}`);
            const heardByIt = wanted.filter((text) =>
              (wishes[i] as string[]).includes(text.slice(0, text.indexOf(":"))),
            );
            const last = `last ${i}: end`;
            expect(await heard(it, heardByIt.length + 1)).toEqual([...heardByIt, last]);
          }
          await sockets.close();
        },
      ),
      { numRuns: transport === "inproc" ? 40 : 10 },
    );
  });

  it("never waits: it has no peers, or none in the group", async () => {
    const one = radio();
    expect([one.writable, one.trySend("x", { group: "g" })]).toEqual([true, true]);
    await sockets.join(transport, one, dish());
    for (let i = 0; i < 3000; i++) expect(one.trySend(LARGE, { group: "g" })).toBe(true);
    expect(one.stats()).toMatchObject({ send: { messages: 0 }, total: { messagesDropped: 0 } });
  });

  it("receive is not for it: ENOTSUP", async () => {
    const one = radio();
    await sockets.join(transport, one, dish());
    await expect(one.receive()).rejects.toEqual(failure("ENOTSUP"));
    expect([thrown(() => one.tryReceive()), one.readable]).toEqual(["ENOTSUP", false]);
  });

  it("who is full misses messages, and nobody else does; that is counted", async () => {
    const one = radio({ sendHighWaterMark: 2 });
    const [slow, quick] = [dish({ receiveHighWaterMark: 2 }), dish()];
    await sockets.join(transport, one, slow, quick);
    for (const it of [slow, quick]) it.join("g");
    await until(() => one.stats().peers.length === 2 && one.stats().subscriptions === 1);
    slow.join("slow");
    quick.join("quick");
    await joined(one, 3);
    let count = 0;
    while (one.stats().total.messagesDropped < 5) {
      await one.send(Buffer.concat([Buffer.from(`${count} `), LARGE]), { group: "g" });
      const [message] = await quick.receive();
      expect(Number.parseInt(String(message.subarray(0, 20)), 10)).toBe(count++);
    }
    const got = new Set<number>();
    for (let next = slow.tryReceive(); next !== undefined; next = slow.tryReceive()) {
      got.add(Number.parseInt(String(next[0].subarray(0, 20)), 10));
    }
    expect(got.has(0)).toBe(true);
    expect(got.has(count - 1)).toBe(false);
  });

  it("noDrop: waits while a member of the group has no room, and until it leaves", async () => {
    const one = radio({ sendHighWaterMark: 1, noDrop: true });
    const slow = dish({ receiveHighWaterMark: 1 });
    await sockets.join(transport, one, slow);
    slow.join("g");
    await joined(one, 1);
    const count = await untilStuck(one, () => one.send(LARGE, { group: "g" }));
    const sent = one.send("then", { group: "g" });
    await expect(one.receive()).rejects.toEqual(failure("ENOTSUP"));
    for (let i = 0; i < count; i++) expect((await slow.receive())[0]).toHaveLength(LARGE.length);
    await sent;
    expect(await heard(slow, 1)).toEqual(["g: then"]);
    await untilStuck(one, () => one.send(LARGE, { group: "g" }));
    expect(one.trySend("others", { group: "h" })).toBe(true);
    const waits = one.send("nobody is there", { group: "g" });
    slow.leave("g");
    await waits;
    expect(one.stats().total.messagesDropped).toBe(0);
  });

  it("noDrop: a peer that goes holds up nobody", async () => {
    const one = radio({ sendHighWaterMark: 1, noDrop: true });
    const slow = dish({ receiveHighWaterMark: 1 });
    await sockets.join(transport, one, slow);
    slow.join("g");
    await joined(one, 1);
    await untilStuck(one, () => one.send(LARGE, { group: "g" }));
    const waits = one.send("nobody is there", { group: "g" });
    slow.close();
    await waits;
    await joined(one, 0);
  });

  it("forgets the groups of a peer that it disconnects from", async () => {
    const [one, other] = [radio(), dish()];
    await sockets.join(transport, other, one);
    other.join("g");
    await joined(one, 1);
    one.disconnect(other.lastEndpoint as string);
    expect(one.stats().subscriptions).toBe(0);
    expect(one.trySend("x", { group: "g" })).toBe(true);
  });
});

describe("a dish of octets", () => {
  it("gets a group and a message behind it, in two frames", async () => {
    const { one, mock } = await mocked("g", "");
    const third = await another(one, "g", "x".repeat(255));
    await one.send("body", { group: "g" });
    await one.send("", { group: Buffer.from("") });
    await one.send(LARGE, { group: "g\0cut" });
    await one.send("y", { group: "x".repeat(255) });
    const [body, large] = [wire.message("g", "body"), wire.message("g", LARGE)];
    await mock.expect(Buffer.concat([body, wire.message("", ""), large]));
    await third.expect(Buffer.concat([body, large, wire.message("x".repeat(255), "y")]));
  });

  it("may join as often as it likes: it gets a message once, and none once it has left", async () => {
    const { one, mock } = await mocked("g", "g", "g");
    await one.send("once", { group: "g" });
    mock.send(wire.command("LEAVE", "g"), wire.command("LEAVE", "h"), wire.ping(0, "left"));
    await mock.expect(Buffer.concat([wire.message("g", "once"), wire.pong("left")]));
    await one.send("never", { group: "g" });
    expect(one.stats()).toMatchObject({ subscriptions: 0, send: { messages: 0 } });
  });

  it("subscribes to no topics, and joins no group whose name is too long for a message", async () => {
    const { one, mock } = await mocked("x".repeat(256));
    mock.send(wire.command("SUBSCRIBE", "g"), wire.message("\x01g"), wire.ping(0, "all"));
    await mock.expect(wire.pong("all"));
    expect(one.stats().subscriptions).toBe(0);
  });

  it("that is slow is told of once by a drop event, until it has had room", async () => {
    const one = radio({ sendHighWaterMark: 2 });
    await bound(sockets, "tcp", one);
    const events = new Events(one);
    const mock = await another(one, "g");
    mock.pause();
    await untilDropped(one, 10);
    const { address, peerAddress } = await events.seen("drop");
    expect([address, peerAddress]).toEqual([one.lastEndpoint, one.stats().peers[0]?.address]);
    expect(events.of("drop")).toHaveLength(1);
    mock.resume();
    await until(() => one.stats().send.messages === 0);
    mock.pause();
    await untilDropped(one, one.stats().total.messagesDropped + 1);
    await events.seen("drop", 2);
    expect(events.of("drop")).toHaveLength(2);
  });

  it("keeps its groups while it is away, and those alone that it joins again from then on", async () => {
    const listener = await MockListener.open();
    closing.push(listener);
    const one = radio({ reconnectInterval: 1 });
    const events = new Events(one);
    one.connect(listener.endpoint);
    const come = async (count: number, ...groups: string[]): Promise<MockPeer> => {
      const mock = await listener.accept();
      closing.push(mock);
      await shakeHands(mock, "RADIO", "DISH");
      await events.seen("handshake", count);
      mock.send(...groups.map((it) => wire.command("JOIN", it)), wire.ping(0, "joined"));
      return mock;
    };
    const first = await come(1, "a", "b");
    await first.expect(wire.pong("joined"));
    first.close();
    await events.seen("disconnect", 1);
    await one.send("meanwhile", { group: "a" });
    const second = await come(2, "b", "c");
    await second.expect(Buffer.concat([wire.message("a", "meanwhile"), wire.pong("joined")]));
    expect(one.stats().subscriptions).toBe(3);
    second.send(wire.command("LEAVE", "c"), wire.ping());
    await second.expect(wire.pong());
    second.close();
    await events.seen("disconnect", 2);
    expect(one.stats().subscriptions).toBe(1);
    await one.send("not", { group: "a" });
    await one.send("kept", { group: "b" });
    const third = await come(3);
    await third.expect(Buffer.concat([wire.message("b", "kept"), wire.pong("joined")]));
  });
});

/** Sends to a group until `count` messages were dropped. */
async function untilDropped(one: Radio, count: number): Promise<void> {
  while (one.stats().total.messagesDropped < count) await one.send(LARGE, { group: "g" });
}

it("what is said is npm zeromq's answer to a wrong call", async () => {
  const one = radio();
  const send = (...args: unknown[]) => Reflect.apply(one.send, one, args);
  const trySend = (...args: unknown[]) => Reflect.apply(one.trySend, one, args);
  for (const call of [send, trySend]) {
    expect(() => call()).toThrow(new TypeError("Message must be present"));
    for (const bad of [undefined, null, "g"]) {
      expect(() => call("x", bad)).toThrow(new TypeError("Options must be an object"));
    }
    expect(() => call("x", { group: "g" }, {})).toThrow(
      new TypeError("Expected 2 arguments but received 3"),
    );
    for (const bad of [1, null]) {
      const wrong = new TypeError("Value must be a string or buffer");
      expect(() => call("x", { group: bad })).toThrow(wrong);
    }
    for (const bad of [{}, { group: "x".repeat(256) }]) {
      expect(thrown(() => call("x", bad))).toBe("EINVAL");
    }
  }
  await expect(send([], { group: "g" })).resolves.toBeUndefined();
  const aborted = AbortSignal.abort(new Error("enough"));
  await expect(send("x", { group: "g", signal: aborted })).rejects.toThrow("enough");
  one.close();
  expect(thrown(() => send("x", { group: "g" }))).toBe("EBADF");
});

it("messages for several peers reach them in order, each as often as it was sent", async () => {
  const one = radio({ sendHighWaterMark: 0 });
  const dishes = [dish(), dish(), dish()];
  await sockets.join("tcp", one, ...dishes);
  for (const it of dishes) it.join("g");
  for (const [i, it] of dishes.entries()) it.join(`${i}`);
  await joined(one, 4);
  for (const text of numbered(2000)) await one.send(text, { group: "g" });
  for (const it of dishes) expect(await heard(it, 2000)).toEqual(numbered(2000, "g: "));
});

it("has npm zeromq's types", () => {
  const one: Writable<MessageLike, [{ group: Buffer | string }]> = radio();
  expect(one).toBeInstanceOf(Radio);
});
