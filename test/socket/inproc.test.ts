import { afterAll, afterEach, describe, expect, it } from "vitest";
import type { Pair } from "../../src/socket/pair.js";
import { Publisher } from "../../src/socket/pub.js";
import { Pull } from "../../src/socket/pull.js";
import { Push } from "../../src/socket/push.js";
import { Sockets, turns } from "../support/sockets.js";

const sockets = new Sockets();
const pair = sockets.pair.bind(sockets);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

/** Sends until there is no room, at most `limit` messages. */
function fill(socket: Pair, limit = 5000): number {
  let count = 0;
  while (count < limit && socket.trySend("x")) count++;
  return count;
}

describe("high-water marks of both sides", () => {
  /** Send mark, receive mark, and how many messages that makes. */
  const SUMS = [
    [1, 1, 2],
    [2, 3, 5],
    [1000, 1000, 2000],
    [0, 5, 5000],
    [5, 0, 5000],
    [0, 0, 5000],
  ] as const;

  describe.each(SUMS)("%i and %i", (sendHighWaterMark, receiveHighWaterMark, expected) => {
    it(`the connector sends ${expected}`, () => {
      const [one, other] = [pair({ receiveHighWaterMark }), pair({ sendHighWaterMark })];
      const name = sockets.endpoint("inproc");
      one.bindSync(name);
      other.connect(name);
      expect(fill(other)).toBe(expected);
    });

    it(`the binder sends ${expected}`, () => {
      const [one, other] = [pair({ sendHighWaterMark }), pair({ receiveHighWaterMark })];
      const name = sockets.endpoint("inproc");
      one.bindSync(name);
      other.connect(name);
      expect(fill(one)).toBe(expected);
    });

    it(`connect before bind: ${expected} once both are there`, () => {
      const [one, other] = [pair({ receiveHighWaterMark }), pair({ sendHighWaterMark })];
      const name = sockets.endpoint("inproc");
      other.connect(name);
      const alone = fill(other);
      expect(alone).toBe(sendHighWaterMark === 0 ? 5000 : sendHighWaterMark);
      one.bindSync(name);
      expect(alone + fill(other, 5000 - alone)).toBe(expected);
    });
  });

  it("a send that waits goes on when the name is bound", async () => {
    const [one, other] = [pair({ receiveHighWaterMark: 1 }), pair({ sendHighWaterMark: 1 })];
    const name = sockets.endpoint("inproc");
    other.connect(name);
    await other.send("1");
    const second = other.send("2");
    one.bindSync(name);
    await second;
    expect([String(one.tryReceive()), String(one.tryReceive())]).toEqual(["1", "2"]);
  });

  it("a change on either side counts at once", () => {
    const [one, other] = [pair({ receiveHighWaterMark: 2 }), pair({ sendHighWaterMark: 2 })];
    const name = sockets.endpoint("inproc");
    one.bindSync(name);
    other.connect(name);
    expect(fill(other)).toBe(4);
    one.receiveHighWaterMark = 3;
    expect(fill(other)).toBe(1);
    other.sendHighWaterMark = 4;
    expect(fill(other)).toBe(2);
    one.receiveHighWaterMark = 0;
    expect(fill(other, 100)).toBe(100);
  });

  it("byte marks are added up, too", () => {
    const [one, other] = [
      pair({ receiveHighWaterMarkBytes: 300 }),
      pair({ sendHighWaterMarkBytes: 200 }),
    ];
    const name = sockets.endpoint("inproc");
    one.bindSync(name);
    other.connect(name);
    let count = 0;
    while (other.trySend("x".repeat(100))) count++;
    expect(count).toBe(5);
  });
});

describe("messages", () => {
  it("arrive in the same turn", () => {
    const [one, other] = [pair(), pair()];
    const name = sockets.endpoint("inproc");
    one.bindSync(name);
    other.connect(name);
    other.trySend("x");
    expect([one.readable, String(one.tryReceive())]).toEqual([true, "x"]);
  });

  it("of more than 128 bytes are the sender's memory, smaller ones are not", () => {
    const [one, other] = [pair(), pair()];
    const name = sockets.endpoint("inproc");
    one.bindSync(name);
    other.connect(name);
    const [large, small] = [Buffer.alloc(129, 1), Buffer.alloc(128, 1)];
    other.trySend([large, small]);
    large.fill(2);
    small.fill(2);
    const [first, second] = one.tryReceive() as [Buffer, Buffer];
    expect([first[0], second[0]]).toEqual([2, 1]);
    expect(first.buffer).toBe(large.buffer);
  });

  it("small ones of a receiver that waits are not the sender's memory either", async () => {
    const [one, other] = [pair(), pair()];
    const name = sockets.endpoint("inproc");
    one.bindSync(name);
    other.connect(name);
    const received = one.receive();
    const part = Buffer.alloc(10, 1);
    await other.send(part);
    part.fill(2);
    expect([...((await received)[0] as Buffer)]).toEqual(new Array(10).fill(1));
  });

  it("an array that is changed after the call is not sent changed", () => {
    const [one, other] = [pair(), pair()];
    const name = sockets.endpoint("inproc");
    one.bindSync(name);
    other.connect(name);
    const message = ["a", "b"];
    other.trySend(message);
    message.push("c");
    message[0] = "z";
    expect(one.tryReceive()?.map(String)).toEqual(["a", "b"]);
  });
});

describe("names", () => {
  it("several wait for a name; they are served in their order", async () => {
    const name = sockets.endpoint("inproc");
    const peers = [pair(), pair(), pair()];
    for (const [i, peer] of peers.entries()) {
      peer.connect(name);
      await peer.send(String(i));
    }
    const one = pair();
    one.bindSync(name);
    for (const [i, peer] of peers.entries()) {
      expect(String(await one.receive())).toBe(String(i));
      expect(one.tryReceive()).toBeUndefined();
      peer.close();
    }
  });

  it("who finds a type of socket that does not suit waits for the next, whoever of the two came first", async () => {
    const name = sockets.endpoint("inproc");
    const [early, late] = [new Push({ linger: 0 }), new Push({ linger: 0 })].map((it) =>
      sockets.open(it),
    );
    early?.connect(name);
    await early?.send("early");
    const unsuitable = sockets.open(new Publisher());
    unsuitable.bindSync(name);
    late?.connect(name);
    await late?.send("late");
    expect([unsuitable.stats().peers, early?.stats().peers[0]?.connected]).toEqual([[], false]);
    unsuitable.close();
    const pull = sockets.open(new Pull());
    pull.bindSync(name);
    expect([String(await pull.receive()), String(await pull.receive())]).toEqual(["early", "late"]);
  });

  it("one who disconnects before the name is bound is not found", async () => {
    const name = sockets.endpoint("inproc");
    const [gone, stays] = [pair(), pair()];
    for (const [peer, text] of [
      [gone, "gone"],
      [stays, "stays"],
    ] as const) {
      peer.connect(name);
      await peer.send(text);
    }
    gone.disconnect(name);
    const one = pair();
    one.bindSync(name);
    expect(String(await one.receive())).toBe("stays");
  });

  it("one who closes before the name is bound is not found", async () => {
    const name = sockets.endpoint("inproc");
    const gone = pair();
    gone.connect(name);
    gone.close();
    const one = pair();
    one.bindSync(name);
    expect(one.writable).toBe(false);
    const next = pair();
    next.connect(name);
    await next.send("next");
    expect(String(await one.receive())).toBe("next");
  });

  it("unbind gives the name back; who is connected stays so", async () => {
    const name = sockets.endpoint("inproc");
    const [one, other, next] = [pair(), pair(), pair()];
    one.bindSync(name);
    other.connect(name);
    one.unbindSync(name);
    next.bindSync(name);
    await other.send("x");
    expect([String(await one.receive()), next.tryReceive()]).toEqual(["x", undefined]);
  });

  it("a name that is bound again is met by those who connect then", async () => {
    const name = sockets.endpoint("inproc");
    const [one, other] = [pair(), pair()];
    one.bindSync(name);
    one.unbindSync(name);
    other.connect(name);
    await other.send("x");
    expect(one.tryReceive()).toBeUndefined();
    one.bindSync(name);
    expect(String(await one.receive())).toBe("x");
  });

  it("a socket may connect to itself", async () => {
    // As in libzmq: the connector has the one place of a PAIR, so the binder's side waits.
    const name = sockets.endpoint("inproc");
    const socket = pair();
    socket.bindSync(name);
    socket.connect(name);
    await socket.send("x");
    expect(socket.tryReceive()).toBeUndefined();
    socket.disconnect(name);
    await turns(2);
    expect(socket.writable).toBe(false);
  });

  it("the same endpoint connected twice is connected once", async () => {
    const name = sockets.endpoint("inproc");
    const [one, other] = [pair(), pair()];
    one.bindSync(name);
    other.connect(name);
    other.connect(name);
    await other.send("x");
    expect(String(await one.receive())).toBe("x");
    other.disconnect(name);
    expect(() => other.disconnect(name)).toThrow("No such endpoint");
    expect(one.writable).toBe(false);
  });
});

describe("ends", () => {
  it("of a connector: the binder's place is free in the same turn", () => {
    const name = sockets.endpoint("inproc");
    const [one, first, second] = [pair(), pair(), pair()];
    one.bindSync(name);
    first.connect(name);
    second.connect(name);
    second.trySend("second");
    first.trySend("first");
    first.close();
    expect([String(one.tryReceive()), String(one.tryReceive())]).toEqual(["first", "second"]);
    expect(one.trySend("x")).toBe(true);
    expect(String(second.tryReceive())).toBe("x");
  });

  it("of a binder: what it sent can be read, what is sent waits for the next", async () => {
    const [name, another] = [sockets.endpoint("inproc"), sockets.endpoint("inproc")];
    const [one, other, next] = [pair(), pair(), pair()];
    one.bindSync(name);
    next.bindSync(another);
    other.connect(name);
    one.trySend("last");
    one.close();
    expect(String(other.tryReceive())).toBe("last");
    expect(other.trySend("x")).toBe(false);
    const sent = other.send("first");
    expect(next.tryReceive()).toBeUndefined();
    other.connect(another);
    await sent;
    expect(String(next.tryReceive())).toBe("first");
  });

  it("of a binder: connect finds who binds the name next", () => {
    const name = sockets.endpoint("inproc");
    const [one, other, next] = [pair(), pair(), pair()];
    one.bindSync(name);
    other.connect(name);
    one.close();
    expect(other.stats().peers).toEqual([]);
    next.bindSync(name);
    other.connect(name);
    expect(other.trySend("x")).toBe(true);
    expect(String(next.tryReceive())).toBe("x");
  });

  it("of a binder: the place of a connector that waited for one there is free", () => {
    const [name, another] = [sockets.endpoint("inproc"), sockets.endpoint("inproc")];
    const [one, first, second, next] = [pair(), pair(), pair(), pair()];
    one.bindSync(name);
    next.bindSync(another);
    first.connect(name);
    second.connect(name);
    one.close();
    expect([first.writable, second.writable]).toEqual([false, false]);
    second.connect(another);
    expect(second.trySend("x")).toBe(true);
    expect(String(next.tryReceive())).toBe("x");
  });

  it("with both sides gone nothing is left", async () => {
    const name = sockets.endpoint("inproc");
    const [one, other] = [pair({ linger: -1 }), pair({ linger: -1 })];
    one.bindSync(name);
    other.connect(name);
    one.trySend("x");
    other.trySend("y");
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    const next = pair();
    next.bindSync(name);
    expect(next.writable).toBe(false);
  });

  it("linger: a connector whose name is never bound does not wait", async () => {
    const socket = pair({ linger: -1 });
    socket.connect(sockets.endpoint("inproc"));
    await socket.send("x");
    await socket[Symbol.asyncDispose]();
    expect(socket.closed).toBe(true);
  });
});
