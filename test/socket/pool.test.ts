import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Dealer } from "../../src/socket/dealer.js";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";
import { Pool } from "../../src/socket/pool.js";
import { Pull } from "../../src/socket/pull.js";
import { Push } from "../../src/socket/push.js";
import { Router } from "../../src/socket/router.js";
import { RawPeer } from "../support/raw-peer.js";
import { Sockets, turns, until } from "../support/sockets.js";
import { concat, greeting, ready, message as wireMessage } from "../support/wire.js";

const sink = (calls: string[] = []): PipeSink => ({
  readActivated: () => calls.push("read"),
  writeActivated: () => calls.push("write"),
  pipeEnded: () => calls.push("ended"),
});

const NO_MARK = { messages: 0, bytes: 0 };
const message = (size: number) => [Buffer.alloc(size)];

/** Two pipes whose writing ends share a pool. */
function shared(limit: number) {
  const pool = new Pool(limit);
  const calls: string[] = [];
  const pipes = [0, 1].map((i) => {
    const [near, far] = Pipe.pair({ ...NO_MARK, pool }, NO_MARK);
    near.attach({ ...sink(), writeActivated: () => calls.push(`write ${i}`) });
    far.attach(sink());
    return { near, far };
  });
  const [one, other] = pipes as [(typeof pipes)[0], (typeof pipes)[0]];
  return { pool, calls, one, other };
}

describe("pipes with a common pool", () => {
  it("are full together, once they hold as many bytes", () => {
    const { one, other, pool } = shared(100);
    one.near.write(message(60));
    expect(other.near.checkWrite()).toBe(true);
    other.near.write(message(60));
    expect(pool.bytes).toBe(120);
    expect([one.near.checkWrite(), other.near.checkWrite()]).toEqual([false, false]);
  });

  it("have room again as soon as it is not full, whichever of them it went from", () => {
    const { one, other, calls } = shared(100);
    for (let i = 0; i < 5; i++) one.near.write(message(25));
    expect(other.near.checkWrite()).toBe(false);
    one.far.read();
    expect(calls).toEqual([]);
    // The other may never be read from: what it still holds keeps nobody waiting.
    one.far.read();
    expect(calls).toEqual(["write 1"]);
    expect(other.near.checkWrite()).toBe(true);
  });

  it("let those who wait write one after the other, each while there is room", () => {
    const { one, other, pool, calls } = shared(100);
    const [near, far] = Pipe.pair({ ...NO_MARK, pool }, NO_MARK);
    far.attach(sink());
    near.attach({
      ...sink(),
      writeActivated: () => {
        calls.push("write 2");
        near.write(message(100));
      },
    });
    other.near.write(message(100));
    expect([near.checkWrite(), one.near.checkWrite()]).toEqual([false, false]);
    other.far.read();
    expect(calls).toEqual(["write 2"]);
    far.read();
    expect(calls).toEqual(["write 2", "write 0"]);
  });

  it("nothing is written to one that is closed, though that makes room", () => {
    const { one, pool } = shared(100);
    one.near.attach({ ...sink(), writeActivated: () => one.near.write(message(100)) });
    one.near.write(message(100));
    expect(one.near.checkWrite()).toBe(false);
    one.far.close();
    expect(pool.bytes).toBe(0);
  });

  it("thousands that end when they are woken do so one after the other", () => {
    const { one, pool } = shared(100);
    one.near.write(message(100));
    let over = 0;
    for (let i = 0; i < 20_000; i++) {
      const [near, far] = Pipe.pair({ ...NO_MARK, pool }, NO_MARK);
      far.attach(sink());
      const end = (): void => {
        // Its message comes and goes with it.
        near.write(message(100));
        far.close();
        over++;
      };
      near.attach({ ...sink(), writeActivated: end });
      expect(near.checkWrite()).toBe(false);
    }
    one.far.read();
    expect([over, pool.bytes]).toEqual([20_000, 0]);
  });

  it("count nothing more of one that keeps the newest message only", () => {
    const { one, other, pool } = shared(100);
    one.near.write(message(100));
    expect(other.near.checkWrite()).toBe(false);
    one.near.conflate();
    one.near.write(message(200));
    expect([pool.bytes, one.near.checkWrite(), other.near.checkWrite()]).toEqual([0, true, true]);
  });

  it("count what cannot be read yet apart, where it is bounded as much, and in nobody's way", () => {
    const { one, other, pool, calls } = shared(100);
    for (const { near } of [one, other]) near.write(message(50));
    expect([one.near.checkWrite(), other.near.checkWrite()]).toEqual([false, false]);
    one.far.countApart();
    // Both have room now: the one apart, the other where that one was.
    expect([pool.bytes, pool.apart.bytes, calls]).toEqual([50, 50, ["write 1", "write 0"]]);
    one.near.write(message(50));
    one.far.countApart();
    expect([pool.bytes, one.near.checkWrite(), other.near.checkWrite()]).toEqual([50, false, true]);
    one.far.read();
    expect([pool.apart.bytes, calls.length]).toEqual([50, 3]);
    one.far.countTogether();
    one.far.countTogether();
    expect([pool.bytes, pool.apart.bytes]).toEqual([100, 0]);
    expect([one.near.checkWrite(), other.near.checkWrite()]).toEqual([false, false]);
  });

  it("who waits apart goes on waiting, if it has to, where all are", () => {
    const { one, other, calls } = shared(100);
    one.far.countApart();
    for (const { near } of [one, other]) near.write(message(100));
    expect([one.near.checkWrite(), other.near.checkWrite()]).toEqual([false, false]);
    one.far.countTogether();
    other.far.read();
    expect(calls).toEqual([]);
    one.far.read();
    expect(calls).toEqual(["write 1", "write 0"]);
  });

  it("do not count what is forgotten, or read again", () => {
    const { one, pool } = shared(100);
    one.near.write(message(10));
    one.near.write(message(20));
    const read = one.far.read();
    expect(pool.bytes).toBe(20);
    one.far.unread([read as Buffer[]]);
    expect(pool.bytes).toBe(30);
    one.far.close();
    expect(pool.bytes).toBe(0);
  });

  it("are not remembered after their end", () => {
    const { one, other, calls } = shared(10);
    one.near.write(message(10));
    expect(other.near.checkWrite()).toBe(false);
    other.far.end();
    other.near.checkWrite();
    one.far.read();
    expect(calls).toEqual([]);
  });

  it("count what they held when they joined", () => {
    const pool = new Pool(100);
    const [near, far] = Pipe.pair(NO_MARK, NO_MARK);
    near.attach(sink());
    far.attach(sink());
    near.write(message(70));
    near.join(pool);
    expect(pool.bytes).toBe(70);
    far.read();
    expect(pool.bytes).toBe(0);
  });
});

describe("any sequence of what happens to pipes with common pools, from within each other too", () => {
  const action = fc.record({
    which: fc.nat(3),
    does: fc.constantFrom(
      ...(["write", "write", "write", "read", "read", "apart", "apart", "together"] as const),
      ...(["conflate", "close"] as const),
    ),
  });

  it("each pool counts what its pipes hold, no more and no less", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 20, size: "max" }), (actions) => {
        const rest = [...actions];
        const [sending, ...receiving] = [new Pool(60, "send"), new Pool(60), new Pool(60)] as const;
        const pools = [sending, ...receiving];
        // Two count everywhere; of the others each may have room while those have none.
        const members = [pools, pools, [sending], [receiving[0]]];
        const conflated = new Set<number>();
        const pipes = members.map((joined) => {
          const [near, far] = Pipe.pair(NO_MARK, NO_MARK);
          for (const pool of joined) near.join(pool);
          // Whoever is woken does what comes next.
          near.attach({ ...sink(), writeActivated: () => next() });
          far.attach(sink());
          return { near, far };
        });
        const next = (): void => {
          const action = rest.shift();
          if (action === undefined) return;
          const { which, does } = action;
          const { near, far } = pipes[which] as (typeof pipes)[0];
          if (does === "write" && near.checkWrite()) near.write(message(60));
          else if (does === "read") far.read();
          else if (does === "apart") far.countApart();
          else if (does === "together") far.countTogether();
          else if (does === "close") far.close();
          else if (does === "conflate") {
            conflated.add(which);
            near.conflate();
          }
        };
        while (rest.length > 0) next();
        for (const pool of pools) {
          const counted = pipes.filter((_, i) => members[i]?.includes(pool) && !conflated.has(i));
          const held = counted.reduce((sum, { far }) => sum + far.bytes, 0);
          expect(pool.bytes + (pool === sending ? 0 : pool.apart.bytes)).toBe(held);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

it("a mark in bytes of each queue bounds what those who are gone have left, too", async () => {
  const sockets = new Sockets();
  const receiver = sockets.open(new Pull({ receiveHighWaterMarkBytes: 1000 }));
  await sockets.join("inproc", receiver);
  for (let i = 0; i < 5; i++) {
    const sender = sockets.open(new Push());
    sender.connect(receiver.lastEndpoint as string);
    sender.trySend(Buffer.alloc(600, i));
    sender.close();
  }
  expect(receiver.stats().receive.bytes).toBe(1200);
  for (let i = 0; i < 5; i++) expect(receiver.tryReceive()?.[0]?.[0]).toBe(i);
  await sockets.end();
});

describe("a mark in bytes for all peers", () => {
  const sockets = new Sockets();
  const open: (Push | Pull)[] = [];

  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  afterAll(() => sockets.end());

  function pull(limit: number): Pull {
    const socket = new Pull({ receiveHighWaterMarkTotalBytes: limit });
    open.push(socket);
    return socket;
  }

  function push(): Push {
    const socket = new Push({ linger: 0, sendHighWaterMark: 1, sendTimeout: 0 });
    open.push(socket);
    return socket;
  }

  it.each(["tcp", "ipc"] as const)(
    "over %s: makes all peers wait, and loses nothing",
    async (transport) => {
      const KB = 1024;
      const receiver = pull(1000 * KB);
      await receiver.bind(sockets.endpoint(transport));
      const senders = [push(), push(), push()];
      for (const sender of senders) sender.connect(receiver.lastEndpoint as string);
      await until(() => receiver.stats().peers.filter(({ connected }) => connected).length === 3);

      let sent = 0;
      const fill = async () => {
        for (let idle = 0; idle < 20; idle++) {
          for (const sender of senders) {
            while (sent < 2000 && sender.trySend(Buffer.alloc(100 * KB, sent))) {
              sent++;
              idle = 0;
            }
          }
          await turns(1);
        }
      };
      await fill();
      const { receive } = receiver.stats();
      expect(receive.highWaterMarkTotalBytes).toBe(1000 * KB);
      expect(receive.bytes).toBeGreaterThanOrEqual(1000 * KB);
      // One more from each of those who found room at the same time.
      expect(receive.bytes).toBeLessThanOrEqual(1000 * KB + 3 * 100 * KB);
      expect(sent).toBeLessThan(2000);

      let received = 0;
      while (received < sent) {
        await receiver.receive();
        received++;
      }
      await turns(20);
      expect(receiver.tryReceive()).toBeUndefined();
    },
  );

  it("is not passed by peers that come, send and break off, however many they are", async () => {
    // Who has broken off shows when it cannot be written to.
    const receiver = new Pull({
      receiveHighWaterMark: 0,
      receiveHighWaterMarkTotalBytes: 12_500,
      heartbeatInterval: 10,
    });
    open.push(receiver);
    await receiver.bind(sockets.endpoint("tcp"));
    // All in one read, of which the message finds no room.
    const hello = [greeting(), ready({ "Socket-Type": "PUSH" })];
    const octets = concat(...hello, wireMessage("x".repeat(5000)));
    for (let i = 0; i < 6; i++) {
      const peer = await RawPeer.connect(receiver.lastEndpoint as string);
      peer.socket.write(octets);
      await until(() => receiver.stats().peers.some(({ connected }) => connected));
      peer.socket.resetAndDestroy();
      await until(() => receiver.stats().peers.length === 0);
    }
    expect(receiver.stats().receive.bytes).toBe(15_000);
  });

  it("over inproc: of who keeps the newest message only there is none", async () => {
    const receiver = new Pull({ conflate: true, receiveHighWaterMarkTotalBytes: 10 });
    open.push(receiver);
    const sender = push();
    await sockets.join("inproc", receiver, sender);
    for (let i = 0; i < 3; i++) expect(sender.trySend(Buffer.alloc(20, i))).toBe(true);
    expect(receiver.tryReceive()?.[0]?.[0]).toBe(2);
    const [bounded, newest] = [pull(10), new Push({ linger: 0, conflate: true })];
    open.push(newest);
    await sockets.join("inproc", bounded, newest);
    for (let i = 0; i < 3; i++) expect(newest.trySend(Buffer.alloc(20, i))).toBe(true);
    expect(bounded.tryReceive()?.[0]?.[0]).toBe(2);
  });

  it("over inproc: who has no place takes nobody's room", async () => {
    const host = sockets.pair({ receiveHighWaterMarkTotalBytes: 1000 });
    const [one, surplus] = [sockets.pair(), sockets.pair()];
    await sockets.join("inproc", host, one, surplus);
    expect(surplus.trySend(Buffer.alloc(2000))).toBe(true);
    expect(one.trySend("x")).toBe(true);
    expect(String(host.tryReceive())).toBe("x");
    one.close();
    expect(host.tryReceive()?.[0]).toHaveLength(2000);
  });

  it("over inproc: who cannot be read from, for its name is another's, has sent no more for that", async () => {
    const host = sockets.open(new Router({ linger: 0, receiveHighWaterMarkTotalBytes: 1000 }));
    const settings = { linger: 0, routingId: "X", sendHighWaterMarkTotalBytes: 100 };
    const [first, second] = [new Dealer(settings), new Dealer(settings)].map((it) =>
      sockets.open(it),
    ) as [Dealer, Dealer];
    await sockets.join("inproc", host, first, second);
    for (const sender of [first, second]) {
      const elsewhere = sockets.open(new Router({ linger: 0 }));
      await sockets.join("inproc", elsewhere);
      sender.connect(elsewhere.lastEndpoint as string);
      let sent = 0;
      while (sent < 10 && sender.trySend(Buffer.alloc(50))) sent++;
      expect(sent).toBe(2);
    }
  });

  it("over inproc: counts at both sockets", async () => {
    const receiver = pull(1000);
    const sender = new Push({ linger: 0, sendHighWaterMarkTotalBytes: 5000 });
    open.push(sender);
    const endpoint = sockets.endpoint("inproc");
    sender.connect(endpoint);
    expect(sender.trySend(Buffer.alloc(600))).toBe(true);
    await receiver.bind(endpoint);
    expect(sender.trySend(Buffer.alloc(600))).toBe(true);
    expect(sender.trySend(Buffer.alloc(1))).toBe(false);
    receiver.tryReceive();
    receiver.tryReceive();
    expect(sender.trySend(Buffer.alloc(1))).toBe(true);
  });
});
