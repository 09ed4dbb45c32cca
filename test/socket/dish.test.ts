import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Message } from "../../src/message.js";
import { Dish } from "../../src/socket/dish.js";
import * as proxies from "../../src/socket/proxy.js";
import { Radio } from "../../src/socket/radio.js";
import type { Readable } from "../../src/socket/socket.js";
import { heard, joined, mockOf, shakeHands } from "../support/draft.js";
import { MockListener, type MockPeer, wire } from "../support/mock-peer.js";
import { bound, Events, failure, maker, numbered, thrown, vacant } from "../support/patterns.js";
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

const join = (group: string) => wire.command("JOIN", Buffer.from(group, "latin1"));
const leave = (group: string) => wire.command("LEAVE", Buffer.from(group, "latin1"));

/** A Dish that is bound, and a Radio of octets that is connected to it. */
async function mocked(options = {}): Promise<{ one: Dish; mock: MockPeer }> {
  const one = dish(options);
  await bound(sockets, "tcp", one);
  const mock = await mockOf(one, "DISH", "RADIO");
  closing.push(mock);
  return { one, mock };
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_radio_dish_tcp_poll: hears the groups that it has joined, and those alone", async () => {
    const [one, other] = [dish(), radio()];
    one.join("Movies");
    await sockets.join(transport, other, one);
    await joined(other, 1);
    for (const [text, group] of ["Friends TV", "Godfather Movies"].map((it) => it.split(" "))) {
      await other.send(text as string, { group: group as string });
    }
    expect(await heard(one, 1)).toEqual(["Movies: Godfather"]);
    one.join("TV");
    await joined(other, 2);
    await other.send("Friends", { group: "TV" });
    expect(await heard(one, 1)).toEqual(["TV: Friends"]);
    one.leave("TV");
    await joined(other, 1);
    await other.send("Friends", { group: "TV" });
    await other.send("Godfather", { group: "Movies" });
    await until(() => one.readable);
    expect(await heard(one, 1)).toEqual(["Movies: Godfather"]);
    expect(one.tryReceive()).toBeUndefined();
  });

  it("groups can be joined before and after connecting, and before anybody is bound", async () => {
    const endpoint = await vacant(sockets, transport);
    const [one, other] = [dish({ reconnectInterval: 5 }), radio()];
    one.join("before", "early");
    one.connect(endpoint);
    one.join("after");
    one.leave("early");
    await other.bind(endpoint);
    one.join("late");
    await joined(other, 3);
    for (const group of ["before", "early", "after", "late"]) await other.send("x", { group });
    expect(await heard(one, 3)).toEqual(["before: x", "after: x", "late: x"]);
    expect(one.stats().subscriptions).toBe(3);
  });

  it("RFC 48: takes a message of each radio in turn", async () => {
    const one = dish();
    const radios = [radio(), radio(), radio()];
    await sockets.join(transport, one, ...radios);
    one.join("g");
    for (const [i, it] of radios.entries()) {
      await joined(it, 1);
      for (const text of numbered(4)) await it.send(`${i} ${text}`, { group: "g" });
    }
    await until(() => one.stats().receive.messages === 12);
    for (const text of numbered(4)) {
      const got = (await heard(one, 3)).sort();
      expect(got).toEqual(numbered(3).map((i) => `g: ${i} ${text}`));
    }
  });

  it("forgets what was on its way from a group that it has left", async () => {
    const [one, other] = [dish(), radio()];
    await sockets.join(transport, other, one);
    one.join("a", "b");
    await joined(other, 2);
    for (const text of numbered(5)) await other.send(text, { group: "a" });
    await other.send("end", { group: "b" });
    await until(() => one.stats().receive.messages === 6);
    expect(one.readable).toBe(true);
    // What it has looked at is as good as received.
    expect(one.stats().receive).toMatchObject({ messages: 6, bytes: 14 });
    one.leave("a");
    expect(await heard(one, 2)).toEqual(["a: 0", "b: end"]);
    expect(one.tryReceive()).toBeUndefined();
  });

  it("what a radio sent before it went is still received; of one it disconnects from, nothing", async () => {
    const [one, goes, left] = [dish(), radio(), radio()];
    await sockets.join(transport, one, goes);
    const endpoint = await bound(sockets, transport, left);
    one.connect(endpoint);
    one.join("g");
    for (const it of [goes, left]) {
      await joined(it, 1);
      for (const text of numbered(3)) await it.send(text, { group: "g" });
    }
    await until(() => one.stats().receive.messages === 6);
    one.disconnect(endpoint);
    goes.close();
    await until(() => one.stats().peers.length === 0);
    await joined(left, 0);
    expect(await heard(one, 3)).toEqual(numbered(3, "g: "));
    expect(one.tryReceive()).toBeUndefined();
  });

  it("send is not for it: ENOTSUP", async () => {
    const one = dish();
    await sockets.join(transport, one, radio());
    await expect(one.send("x")).rejects.toEqual(failure("ENOTSUP"));
    expect([thrown(() => one.trySend("x")), one.writable]).toEqual(["ENOTSUP", true]);
  });

  it("an iteration, tryReceive and an aborted call give what the others do", async () => {
    const [one, other] = [dish(), radio()];
    await sockets.join(transport, other, one);
    one.join("g");
    await joined(other, 1);
    const abort = new AbortController();
    const received = one.receive({ signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(received).rejects.toThrow("enough");
    await other.send("1", { group: "g" });
    await until(() => one.readable);
    expect(one.tryReceive()).toEqual([Buffer.from("1"), { group: Buffer.from("g") }]);
    await other.send("2", { group: "g" });
    for await (const [message, { group }] of one) {
      expect([String(message), String(group)]).toEqual(["2", "g"]);
      one.close();
    }
  });

  it("a proxy passes on what a Dish hears to a Radio, with its group", async () => {
    const [source, front, back, sink, capture] = [radio(), dish(), radio(), dish(), radio()];
    const witness = dish();
    await sockets.join(transport, source, front);
    await sockets.join(transport, back, sink);
    await sockets.join(transport, capture, witness);
    front.join("g");
    sink.join("g");
    witness.join("g");
    for (const it of [source, back, capture]) await joined(it, 1);
    const proxy = new proxies.Proxy(front, back, { capture });
    const done = proxy.run();
    for (const text of numbered(10)) await source.send(text, { group: "g" });
    expect(await heard(sink, 10)).toEqual(numbered(10, "g: "));
    expect(await heard(witness, 10)).toEqual(numbered(10, "g: "));
    proxy.terminate();
    await done;
  });
});

describe("joining", () => {
  it("test_join_twice_fails, test_leave_unjoined_fails, test_join_too_long_fails: EINVAL", () => {
    const one = dish();
    one.join("Movies", "b");
    for (const group of ["Movies", "x".repeat(256)]) {
      expect(thrown(() => one.join(group))).toBe("EINVAL");
    }
    for (const group of ["TV", "x".repeat(256)]) {
      expect(thrown(() => one.leave(group))).toBe("EINVAL");
    }
    one.join("x".repeat(255), "");
    expect(one.stats().subscriptions).toBe(4);
    one.leave("", "Movies", "b");
    one.join("Movies");
    expect(one.stats().subscriptions).toBe(2);
    // What stands before a mistake has been done, what stands behind it not.
    expect(thrown(() => one.join("c", "Movies", "d"))).toBe("EINVAL");
    one.leave("c");
    expect(thrown(() => one.leave("d"))).toBe("EINVAL");
  });

  it("a group is called by octets, or by a text's, up to a zero", () => {
    const one = dish();
    one.join(Buffer.of(0xff), "ü");
    for (const same of [Buffer.from([0xff, 0, 1]), Buffer.from("ü"), "ü\0ber"]) {
      expect(thrown(() => one.join(same))).toBe("EINVAL");
    }
    one.leave(Buffer.from("ü"), Buffer.of(0xff));
    expect(one.stats().subscriptions).toBe(0);
  });

  it("what is said is npm zeromq's answer to a wrong call", () => {
    const one = dish();
    for (const call of [one.join, one.leave]) {
      for (const bad of [1, null, undefined, ["a"]]) {
        const wrong = new TypeError("Value must be a string or buffer");
        expect(() => Reflect.apply(call, one, [bad])).toThrow(wrong);
      }
      expect(call.call(one)).toBeUndefined();
    }
    one.close();
    for (const call of [one.join, one.leave]) {
      expect(thrown(() => call.call(one, "a"))).toBe("EBADF");
      expect(call.call(one)).toBeUndefined();
    }
  });
});

describe("a radio of octets", () => {
  it("is told of each group by a command, and of all of them when it comes again", async () => {
    const listener = await MockListener.open();
    closing.push(listener);
    const one = dish({ reconnectInterval: 1 });
    one.join("a", "", "c");
    one.connect(listener.endpoint);
    const first = await listener.accept();
    closing.push(first);
    await shakeHands(first, "DISH", "RADIO");
    await first.expect(Buffer.concat([join("a"), join(""), join("c")]));
    one.leave("");
    one.join(Buffer.alloc(255, 0xff));
    await first.expect(Buffer.concat([leave(""), join("\xff".repeat(255))]));
    first.close();
    const second = await listener.accept();
    closing.push(second);
    one.leave("a");
    await shakeHands(second, "DISH", "RADIO");
    await second.expect(Buffer.concat([join("c"), join("\xff".repeat(255))]));
  });

  it("its message of a group is received with that; what is of no joined group is not", async () => {
    const { one, mock } = await mocked();
    one.join("a", "");
    await mock.expect(Buffer.concat([join("a"), join("")]));
    mock.send(wire.message("b", "not"), wire.message("a", "x"), wire.message("", ""));
    expect(await heard(one, 2)).toEqual(["a: x", ": "]);
  });

  it("that does not know its rights may ask for topics and groups: a Dish has none to give", async () => {
    const { one, mock } = await mocked();
    mock.send(join("a"), wire.command("SUBSCRIBE", "a"), wire.ping(0, "there"));
    await mock.expect(wire.pong("there"));
    expect(one.stats().subscriptions).toBe(0);
  });

  it("has in the end the groups that are joined, whatever changed while the wire broke", async () => {
    const name = fc.constantFrom("", "a", "b", "ab");
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ toggle: name }) },
      { weight: 1, arbitrary: fc.record({ cut: fc.boolean() }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.boolean(),
        async (steps, immediate) => {
          const listener = await MockListener.open();
          const one = dish({ reconnectInterval: 1, immediate });
          one.connect(listener.endpoint);
          let mock = await listener.accept();
          await shakeHands(mock, "DISH", "RADIO");
          const groups = new Set<string>();
          for (const step of steps) {
            if ("cut" in step) {
              mock.close();
              mock = await listener.accept();
              if (step.cut) await shakeHands(mock, "DISH", "RADIO");
              else mock.send(wire.greeting({ minor: 1 }), wire.ready({ "Socket-Type": "RADIO" }));
            } else if (groups.delete(step.toggle)) {
              one.leave(step.toggle);
            } else {
              groups.add(step.toggle);
              one.join(step.toggle);
            }
          }
          const events = new Events(one);
          mock.close();
          mock = await listener.accept();
          await shakeHands(mock, "DISH", "RADIO");
          await events.seen("handshake");
          one.join("end");
          await mock.expect(Buffer.concat([...groups, "end"].map(join)));
          mock.close();
          listener.close();
          await sockets.close();
        },
      ),
      { numRuns: 15 },
    );
  });
});

it("has npm zeromq's types", () => {
  const one: Readable<[Message, { group: Buffer }]> & {
    join(...values: (Buffer | string)[]): void;
    leave(...values: (Buffer | string)[]): void;
  } = dish();
  expect(one).toBeInstanceOf(Dish);
});
