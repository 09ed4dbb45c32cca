/** What a message takes along to another thread is not copied, unless somebody else has it, too. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Dealer } from "../../src/socket/dealer.js";
import { Pair } from "../../src/socket/pair.js";
import { Proxy as Relay } from "../../src/socket/proxy.js";
import { Publisher } from "../../src/socket/pub.js";
import { Pull } from "../../src/socket/pull.js";
import { Push } from "../../src/socket/push.js";
import { Router } from "../../src/socket/router.js";
import { Subscriber } from "../../src/socket/sub.js";
import { maker, peers, receiveOne } from "../support/patterns.js";
import { Sockets, until } from "../support/sockets.js";
import { Thread } from "../support/thread.js";

const sockets = new Sockets();
let thread: Thread;
let other: Thread;

beforeAll(() => {
  thread = new Thread();
  other = new Thread();
});

afterEach(async () => {
  await sockets.close();
  for (const it of [thread, other]) await it.reset();
});

afterAll(async () => {
  await thread.end();
  await other.end();
  await sockets.end();
});

const pair = maker(sockets, Pair);
const SIZE = 10_000;

/** Memory that says where each octet of it was. */
function memory(size = SIZE): ArrayBuffer {
  return new Uint8Array(size).map((_, i) => i % 251).buffer;
}

/** Of each part what it holds, as numbers, where it lies, and in how large a buffer. */
interface Place {
  first: number | undefined;
  size: number;
  offset: number;
  whole: number;
}

/** Where the parts of the next message lie that a socket of the other thread receives. */
function places(it: Thread): Promise<Place[]> {
  return it.run(async ({ kept }) => {
    const parts: Buffer[] = await kept.socket.receive();
    return parts.map((part) => ({
      first: part[0],
      size: part.length,
      offset: part.byteOffset,
      whole: part.buffer.byteLength,
    }));
  });
}

/** A socket of the other thread, bound to the name. */
function host(it: Thread, type: "Pair" | "Pull" | "Subscriber" | "Dealer", name: string) {
  return it.run(
    ({ zmq, kept }, Type, endpoint) => {
      kept.socket = new zmq[Type]({ linger: 0 });
      if (Type === "Subscriber") kept.socket.subscribe("");
      kept.socket.bindSync(endpoint);
    },
    type,
    name,
  );
}

it("parts of 4 KB and more come in the buffer that they were sent in, smaller ones as ever", async () => {
  const name = sockets.endpoint("inproc");
  await host(thread, "Pair", name);
  const one = pair();
  one.connect(name);
  const [buffer, second, copied] = [memory(), memory(), memory()];
  const call = one.send(
    [
      new Uint8Array(buffer, 16, 4096),
      new Uint8Array(buffer, 8, 100),
      "text",
      new Uint8Array(buffer, 5000, 5000),
      second,
      copied,
    ],
    { transfer: [second, buffer] },
  );
  await call;
  expect([buffer, second, copied].map(({ byteLength }) => byteLength)).toEqual([0, 0, SIZE]);
  const [large, small, text, overlapping, whole, copy] = await places(thread);
  expect(large).toEqual({ first: 16, size: 4096, offset: 16, whole: SIZE });
  expect(small).toMatchObject({ first: 8, size: 100 });
  expect(small?.whole).toBeLessThanOrEqual(8192);
  expect(text).toMatchObject({ first: "t".charCodeAt(0), size: 4 });
  expect(overlapping).toEqual({ first: 5000 % 251, size: 5000, offset: 5000, whole: SIZE });
  expect(whole).toEqual({ first: 0, size: SIZE, offset: 0, whole: SIZE });
  expect(copy).toEqual(whole);
});

it("one buffer goes to and fro, each time as its receiver's", async () => {
  const name = sockets.endpoint("inproc");
  await host(thread, "Pair", name);
  const one = pair();
  one.connect(name);
  await thread.run(({ kept }) => {
    void (async () => {
      for await (const [part] of kept.socket) {
        part[0]++;
        await kept.socket.send(part, { transfer: [part.buffer] });
      }
    })();
  });
  let part: Uint8Array = new Uint8Array(memory(), 8);
  for (let i = 0; i < 10; i++) {
    const before = part;
    await one.send(part, { transfer: [part.buffer as ArrayBuffer] });
    expect(before.length).toBe(0);
    part = (await one.receive())[0] as Uint8Array;
    expect([part[0], part.byteOffset, part.buffer.byteLength]).toEqual([9 + i, 8, SIZE]);
  }
});

it("what waited for its peer is not copied either, whoever turned it away before", async () => {
  const name = sockets.endpoint("inproc");
  await thread.run(({ zmq, kept }, endpoint) => {
    kept.unsuitable = new zmq.Publisher();
    kept.unsuitable.bindSync(endpoint);
  }, name);
  const one = pair();
  one.connect(name);
  const buffer = memory();
  await one.send(new Uint8Array(buffer, 100), { transfer: [buffer] });
  expect(buffer.byteLength).toBe(0);
  await thread.run(({ kept }) => kept.unsuitable.close());
  await host(other, "Pair", name);
  expect(await places(other)).toEqual([{ first: 100, size: SIZE - 100, offset: 100, whole: SIZE }]);
});

it("behind a routing id, too", async () => {
  const router = sockets.open(new Router({ linger: 0, mandatory: true }));
  const name = sockets.endpoint("inproc");
  await router.bind(name);
  await thread.run(({ zmq, kept }, endpoint) => {
    kept.socket = new zmq.Dealer({ linger: 0, routingId: "peer" });
    kept.socket.connect(endpoint);
  }, name);
  await until(() => peers(router) === 1);
  const buffer = memory();
  await router.send(["peer", new Uint8Array(buffer, 8)], { transfer: [buffer] });
  expect(await places(thread)).toEqual([{ first: 8, size: SIZE - 8, offset: 8, whole: SIZE }]);
});

it("published to one thread it goes there as it is; to several, each gets a copy, and so does ours", async () => {
  const pub = sockets.open(new Publisher({ linger: 0 }));
  const names = [thread, other].map(() => sockets.endpoint("inproc"));
  await host(thread, "Subscriber", names[0] as string);
  await host(other, "Subscriber", names[1] as string);
  pub.connect(names[0] as string);
  await until(() => pub.stats().subscriptions === 1);
  const publish = async (): Promise<void> => {
    const buffer = memory();
    await pub.send(new Uint8Array(buffer, 8), { transfer: [buffer] });
    expect(buffer.byteLength).toBe(0);
  };
  const moved = { first: 8, size: SIZE - 8, offset: 8, whole: SIZE };
  const copied = { first: 8, size: SIZE - 8, offset: 0, whole: SIZE - 8 };
  await publish();
  expect(await places(thread)).toEqual([moved]);
  const near = sockets.open(new Subscriber());
  near.subscribe("");
  pub.connect(names[1] as string);
  near.bindSync(sockets.endpoint("inproc"));
  pub.connect(near.lastEndpoint as string);
  await until(() => peers(pub) === 3);
  // Whoever has heard this is subscribed.
  await until(() => {
    pub.trySend("subscribed?");
    return near.tryReceive() !== undefined;
  });
  await other.run(({ kept }) => kept.socket.receive());
  await thread.run(async ({ kept }) => {
    while (kept.socket.readable) await kept.socket.receive();
  });
  while (near.tryReceive() !== undefined);
  await publish();
  const [part] = await near.receive();
  part?.fill(0);
  expect(await nextLarge(thread)).toEqual(copied);
  expect(await nextLarge(other)).toEqual(copied);
});

/** Where the next message of one large part lies: others may have come before it. */
async function nextLarge(it: Thread): Promise<Place> {
  for (;;) {
    const [place] = (await places(it)) as [Place];
    if (place.size > 1000) return place;
  }
}

it("what a socket of our thread has received stays its own when it goes on to another", async () => {
  const [far, near] = [sockets.endpoint("inproc"), sockets.endpoint("inproc")];
  await host(thread, "Dealer", far);
  const first = sockets.open(new Push({ linger: 0 }));
  const second = sockets.open(new Pull());
  const third = sockets.open(new Dealer({ linger: 0 }));
  second.bindSync(near);
  first.connect(near);
  third.connect(far);
  const buffer = memory();
  await first.send(new Uint8Array(buffer, 8), { transfer: [buffer] });
  const parts = await second.receive();
  await third.send(parts);
  expect(await places(thread)).toEqual([{ first: 8, size: SIZE - 8, offset: 0, whole: SIZE - 8 }]);
  expect([parts[0]?.length, parts[0]?.[0]]).toEqual([SIZE - 8, 8]);
});

it("through a proxy it comes, and the capture has it, too", async () => {
  const [far, near] = [sockets.endpoint("inproc"), sockets.endpoint("inproc")];
  await host(thread, "Pull", far);
  const [front, back] = [new Pull(), new Push({ linger: 0 })];
  front.bindSync(near);
  back.connect(far);
  const capture = sockets.open(new Push({ linger: 0 }));
  const captured = sockets.open(new Pull());
  captured.bindSync(sockets.endpoint("inproc"));
  capture.connect(captured.lastEndpoint as string);
  const relay = new Relay(front, back, { capture });
  const done = relay.run();
  const push = sockets.open(new Push({ linger: 0 }));
  push.connect(near);
  const buffer = memory();
  await push.send(["head", buffer], { transfer: [buffer] });
  expect((await places(thread)).map(({ size }) => size)).toEqual([4, SIZE]);
  const [head, body] = await receiveOne(captured);
  expect([head, body?.length]).toEqual(["head", SIZE]);
  relay.terminate();
  await done;
});
