import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Context } from "../../src/socket/context.js";
import { Pull } from "../../src/socket/pull.js";
import { Push } from "../../src/socket/push.js";
import {
  bound,
  drain,
  failure,
  maker,
  numbered,
  peers,
  receive,
  receiveOne,
  Turns,
  thrown,
} from "../support/patterns.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const push = maker(sockets, Push);
const pull = maker(sockets, Pull);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

describe.each(TRANSPORTS)("over %s", (transport) => {
  /** A socket that has sent what `texts` say and is gone, or will be once it was let in. */
  async function passerBy(endpoint: string, ...texts: string[]): Promise<void> {
    const socket = push({ linger: -1, reconnectInterval: 10 });
    socket.connect(endpoint);
    for (const text of texts) await socket.send(text);
    await socket[Symbol.asyncDispose]();
  }

  it("test_spec_pushpull, pull_fair_queue_in: one message of each peer, then the next of each", async () => {
    const one = pull();
    const pushes = [push(), push(), push(), push(), push()];
    await sockets.join(transport, one, ...pushes);
    for (const [i, peer] of pushes.entries()) {
      await peer.send(`${i} first`);
      await peer.send(`${i} second`);
    }
    await until(() => one.stats().receive.messages === 10);
    const expected = [...numbered(5).map((i) => `${i} first`)];
    expect((await receive(one, 5)).flat().sort()).toEqual(expected);
    expect((await receive(one, 5)).flat().sort()).toEqual(numbered(5).map((i) => `${i} second`));
  });

  it("a peer that floods holds up nobody's message for more than one of its own", async () => {
    const one = pull({ receiveHighWaterMark: 10 });
    const [loud, quiet] = [push({ sendHighWaterMark: 10 }), push()];
    await sockets.join(transport, one, loud, quiet);
    const flood = (async () => {
      for (;;) await loud.send("loud");
    })().catch(() => {});
    await until(() => one.stats().receive.messages >= 10);
    for (const text of numbered(5)) await quiet.send(text);
    await until(() => one.stats().receive.messages >= 15);
    const order = (await receive(one, 10)).flat();
    expect(order.filter((text) => text !== "loud")).toEqual(numbered(5));
    loud.close();
    await flood;
  });

  it("messages of many parts stay together, whoever else sends", async () => {
    const one = pull();
    const pushes = [push(), push(), push()];
    await sockets.join(transport, one, ...pushes);
    await Promise.all(
      pushes.map(async (peer, i) => {
        for (let j = 0; j < 50; j++) await peer.send([`${i}`, `${j}`, `${i}`]);
      }),
    );
    const next = [0, 0, 0];
    for (const [a, b, c] of await receive(one, 150)) {
      const i = Number(a);
      expect([b, c]).toEqual([String(next[i]), a]);
      next[i] = Number(b) + 1;
    }
    expect(next).toEqual([50, 50, 50]);
  });

  it("test_conflate: only the newest message is received", async () => {
    const one = pull({ conflate: true });
    const other = push();
    await sockets.join(transport, one, other);
    for (const text of numbered(20)) expect(other.trySend(text)).toBe(true);
    await until(() => one.readable);
    expect([await receiveOne(one), one.tryReceive()]).toEqual([["19"], undefined]);
    await other.send("next");
    expect(await receiveOne(one)).toEqual(["next"]);
  });

  it("send is not for a Pull: ENOTSUP, whether there are peers or not", async () => {
    const one = pull();
    const sending = one as unknown as Push;
    expect([one.writable, thrown(() => sending.trySend("x"))]).toEqual([false, "ENOTSUP"]);
    await expect(sending.send("x")).rejects.toEqual(failure("ENOTSUP"));
    await sockets.join(transport, one, push());
    expect(thrown(() => sending.trySend("x"))).toBe("ENOTSUP");
    await expect(sending.send("x")).rejects.toEqual(failure("ENOTSUP"));
  });

  it("what a peer has sent before it went is received", async () => {
    const one = pull();
    const endpoint = await bound(sockets, transport, one);
    await passerBy(endpoint, ...numbered(100));
    await until(() => one.stats().receive.messages === 100 && peers(one) === 0);
    expect((await receive(one, 100)).flat()).toEqual(numbered(100));
    expect(one.stats().receive.messages).toBe(0);
  });

  it("peers that come, send and go pile up no more than the mark; nobody is lost", async () => {
    const one = pull({ receiveHighWaterMark: 4 });
    const endpoint = await bound(sockets, transport, one);
    for (const text of numbered(4)) {
      await passerBy(endpoint, text);
      await until(() => peers(one) === 0);
    }
    expect(one.stats().receive.messages).toBe(4);
    const late: Push[] = [];
    for (let i = 4; i < 20; i++) {
      const socket = push({ linger: -1 });
      socket.connect(endpoint);
      await socket.send(String(i));
      late.push(socket);
      await turns(3);
    }
    expect(one.stats().receive.messages).toBe(4);
    const all = (await receive(one, 20)).flat();
    expect(all.slice(0, 4)).toEqual(numbered(4));
    expect(all.map(Number).sort((a, b) => a - b)).toEqual([...Array(20).keys()]);
    await until(() => peers(one) === late.length);
  });

  it("peers that close while they wait to be let in are heard, too", async () => {
    const one = pull({ receiveHighWaterMark: 2 });
    const endpoint = await bound(sockets, transport, one);
    for (const text of numbered(2)) await passerBy(endpoint, text);
    await until(() => peers(one) === 0);
    const gone: Promise<void>[] = [];
    for (let i = 2; i < 8; i++) {
      gone.push(passerBy(endpoint, String(i)));
      await turns(3);
    }
    expect(one.stats().receive.messages).toBe(2);
    const received = (async () => {
      const all: string[] = [];
      while (all.length < 8) all.push(...(await receiveOne(one)));
      return all;
    })();
    await Promise.all(gone);
    one.receiveTimeout = 2000;
    expect((await received).sort()).toEqual(numbered(8));
  });

  it("disconnect forgets what was not received from that endpoint, and nothing else", async () => {
    const one = pull();
    const [left, stays] = [push(), push()];
    for (const peer of [left, stays]) {
      const endpoint = await bound(sockets, transport, peer);
      one.connect(endpoint);
      await peer.send(`1 ${peer === left}`);
      await peer.send(`2 ${peer === left}`);
    }
    await until(() => one.stats().receive.messages === 4);
    one.disconnect(left.lastEndpoint as string);
    expect(drain(one)).toEqual([["1 false"], ["2 false"]]);
    await until(() => !left.writable);
  });

  it("test_ctx_destroy, ctx_shutdown: a receive that waits ends with EAGAIN when the socket is closed", async () => {
    const one = pull();
    await sockets.join(transport, one, push());
    const received = one.receive();
    expect(thrown(() => one.receive())).toBe("EBUSY");
    one.close();
    await expect(received).rejects.toEqual(failure("EAGAIN"));
    expect(thrown(() => one.receive())).toBe("EBADF");
  });

  it("a loop over messages ends when the socket is closed, and goes on through departures", async () => {
    const one = pull();
    const endpoint = await bound(sockets, transport, one);
    const seen: string[] = [];
    const loop = (async () => {
      for await (const parts of one) seen.push(String(parts));
    })();
    for (const text of numbered(5)) await passerBy(endpoint, text);
    await until(() => seen.length === 5);
    one.close();
    await loop;
    expect(seen.sort()).toEqual(numbered(5));
  });
});

describe("test_many_sockets", () => {
  it("zmq_default_max: a context has 1023 sockets, then EMFILE; who closes makes room", () => {
    const context = new Context();
    const make = (i: number) => (i % 2 === 0 ? pull({ context }) : push({ context }));
    const all = Array.from({ length: 1023 }, (_, i) => make(i));
    for (let i = 0; i < 10; i++) expect(thrown(() => make(i))).toBe("EMFILE");
    all[500]?.close();
    expect(thrown(() => make(0))).toBeUndefined();
    expect(thrown(() => make(0))).toBe("EMFILE");
  });
});

describe("any sequence of sends, receives, arrivals and departures", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("send" as const), peer: fc.nat(7) }) },
    { weight: 5, arbitrary: fc.constant({ do: "take" } as const) },
    { weight: 2, arbitrary: fc.constant({ do: "come" } as const) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("go" as const), peer: fc.nat(7) }) },
  );

  interface Expected {
    socket: Push;
    queue: string[];
    gone: boolean;
    waits: boolean;
  }

  it("each receive takes from the peer whose turn it is; no one comes in above the mark", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 0, max: 5 }),
        (steps, mark) => {
          const one = pull({ receiveHighWaterMark: mark });
          const name = sockets.endpoint("inproc");
          one.bindSync(name);
          const order = new Turns<Expected>();
          const present: Expected[] = [];
          let departed = 0;
          const admit = (): void => {
            if (mark > 0 && departed >= mark) return;
            for (const peer of present) if (peer.waits) order.activate(peer);
            for (const peer of present) peer.waits = false;
          };
          for (const [i, it] of steps.entries()) {
            const peer = "peer" in it ? present[it.peer % present.length] : undefined;
            if (it.do === "send" && peer !== undefined) {
              expect(peer.socket.trySend(String(i))).toBe(true);
              peer.queue.push(String(i));
              if (!peer.waits) order.activate(peer);
            } else if (it.do === "take") {
              const [from, text] = order.next((candidate) => {
                const next = candidate.queue.shift();
                return next === undefined ? undefined : ([candidate, next] as const);
              }) ?? [undefined, undefined];
              expect(one.tryReceive()?.toString()).toBe(text);
              if (from?.gone) departed--;
              admit();
            } else if (it.do === "come") {
              const socket = push({ sendHighWaterMark: 0 });
              socket.connect(name);
              present.push({ socket, queue: [], gone: false, waits: true });
              admit();
            } else if (it.do === "go" && peer !== undefined && !peer.waits) {
              peer.socket.close();
              peer.gone = true;
              present.splice(present.indexOf(peer), 1);
              departed += peer.queue.length;
              if (peer.queue.length === 0) order.delete(peer);
            }
          }
          one.close();
          for (const { socket } of present) socket.close();
        },
      ),
      { numRuns: 200 },
    );
  });
});
