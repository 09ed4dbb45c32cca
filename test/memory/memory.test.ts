import { type ChildProcess, type ForkOptions, fork } from "node:child_process";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Stats } from "../../src/socket/stats.js";
import { DeafPeer } from "../support/deaf.js";
import { PeerProcess, type Reply } from "../support/peer-process.js";
import { RawUdp } from "../support/raw-udp.js";
import { command, concat, frame, greeting, message, number, ping, ready } from "../support/wire.js";

const KB = 1024;
const MB = 1024 * KB;
const PROGRAM = fileURLToPath(new URL("./memory.child.mjs", import.meta.url));
/** What a datagram for "g" begins with. */
const GROUP = Buffer.from("\x01g");
const HELLO = concat(greeting(), ready());

interface Memory {
  rss: number;
  heapUsed: number;
  external: number;
  arrayBuffers: number;
  handles: number;
}

/** The process whose memory is looked at. */
class Subject extends PeerProcess {
  #counting: () => void = () => {};

  static start(): Promise<Subject> {
    const options: ForkOptions = {
      execArgv: ["--expose-gc"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    };
    return new Subject(fork(PROGRAM, options)).started();
  }

  private constructor(child: ChildProcess) {
    super("ours", child);
    child.on("message", (reply: Reply) => {
      if (reply.value === "counting") this.#counting();
      else this.reply(reply);
    });
  }

  /** Asks for something to be counted; resolves to the count, once `act` has had its effect. */
  async counts(op: string, parameters: object, act: () => void): Promise<number> {
    this.#counting = act;
    return (await this.request(op, parameters)) as number;
  }

  collect(): Promise<Memory> {
    return this.request("collect") as Promise<Memory>;
  }

  protected override post(request: object): void {
    this.child.send(request, () => {});
  }
}

let subject: Subject;
let sockets: Socket[] = [];

beforeEach(async () => {
  subject = await Subject.start();
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await subject.kill();
});

async function open(count = 1, options: object = {}): Promise<string[]> {
  return (await subject.request("open", { count, options })) as string[];
}

/** Connects, and says the octets. */
async function dial(endpoint: string, octets: Uint8Array): Promise<Socket> {
  const { port, hostname } = new URL(endpoint);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.on("error", () => {});
  socket.resume();
  socket.write(octets);
  return socket;
}

function repeat(octets: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(octets.length * count);
  for (let i = 0; i < count; i++) all.set(octets, i * octets.length);
  return all;
}

async function peer(options: object = {}): Promise<Socket> {
  const [endpoint = ""] = await open(1, options);
  const socket = await dial(endpoint, HELLO);
  await subject.request("connected");
  return socket;
}

describe("nothing ahead of demand", () => {
  it("1,000 messages that nobody asks for make no promise, 1,000 calls one each", async () => {
    const socket = await peer();
    const arriving = await subject.counts("arriving", { count: 1000 }, () => {
      socket.write(repeat(message("hello"), 1000));
    });
    expect(arriving).toBe(0);
    expect(await subject.request("receiving", { count: 1000 })).toBeLessThanOrEqual(1000);
  });

  it("a call that waits makes one promise", async () => {
    const socket = await peer();
    const waiting = await subject.counts("waiting", {}, () => {
      socket.write(message("hello"));
    });
    expect(waiting).toBe(1);
  });

  it("trySend and tryReceive make none", async () => {
    const socket = await peer();
    socket.write(repeat(message("hello"), 100));
    await subject.request("queued", { count: 100 });
    expect(await subject.request("trying", { count: 100 })).toBe(0);
  });

  it.each([
    ["tcp://127.0.0.1:*", 1],
    ["tcp://127.0.0.1:*", 100],
    ["ipc://*", 100],
    ["inproc://memory", 1],
    ["inproc://memory", 100],
  ])("100,000 receives leave nothing behind: %s, %i at a time", async (transport, batch) => {
    const { few, many } = (await subject.request("repeat", { transport, batch }, 19_000)) as {
      few: Memory;
      many: Memory;
    };
    expect(many.handles).toBe(few.handles);
    // One reference left behind by each of 99,000 would be 800 KB.
    expect(many.external - few.external).toBeLessThan(64 * KB);
    expect(many.arrayBuffers - few.arrayBuffers).toBeLessThan(64 * KB);
    expect(many.heapUsed - few.heapUsed).toBeLessThan(512 * KB);
  });
});

describe("bounded", () => {
  it("a socket that nobody reads takes as many messages as its mark allows", async () => {
    const socket = await peer({ receiveHighWaterMark: 100 });
    const before = await subject.collect();
    const some = repeat(message("x".repeat(1000)), 1000);
    let refused = false;
    // 200 MB would fit nowhere else.
    for (let i = 0; i < 200 && !refused; i++) {
      if (socket.write(some)) continue;
      const drained = new Promise<boolean>((resolve) => socket.once("drain", () => resolve(true)));
      const full = subject.request("queued", { count: 100 }).then(() => subject.collect());
      refused = !(await Promise.race([drained, full.then(() => false)]));
    }
    expect(refused).toBe(true);
    const after = await subject.collect();
    expect(await subject.request("stats")).toMatchObject({ messages: 100, peers: 1 });
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(100 * KB * 2 + 256 * KB);
    expect(after.rss - before.rss).toBeLessThan(16 * MB);
  });

  it("a peer that does not read makes the queue as long as its mark allows", async () => {
    const deaf = await DeafPeer.open();
    const options = { sendHighWaterMark: 100 };
    await subject.request("connect", { endpoint: deaf.endpoint, options });
    await subject.request("connected");
    const before = await subject.collect();
    const { sent, queued } = (await subject.request("flood", { size: 100, forMs: 200 })) as {
      sent: number;
      queued: number;
    };
    const after = await subject.collect();
    deaf.close();
    expect(sent).toBeGreaterThan(100);
    expect(queued).toBeLessThanOrEqual(100);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(512 * KB);
    expect(after.rss - before.rss).toBeLessThan(24 * MB);
  });
});

describe("datagrams", () => {
  /** What has come to the Dish. */
  interface Heard {
    messages: number;
    dropped: number;
  }

  it("that nobody receives: as many are kept as the mark allows, however many come", async () => {
    const endpoint = (await subject.request("listen", {
      options: { receiveHighWaterMark: 100 },
    })) as string;
    const stranger = await RawUdp.open();
    const bodies = [0, 10, 1000, 30_000].map((size) => Buffer.alloc(size));
    /** Until so many have been dropped: those that the system drops on the way do not count. */
    const flood = async (count: number): Promise<Heard> => {
      for (;;) {
        const heard = (await subject.request("heard")) as Heard;
        if (heard.dropped >= count) return heard;
        for (let i = 0; i < 250; i++) {
          for (const body of bodies) await stranger.send(Buffer.concat([GROUP, body]), endpoint);
        }
        // And one that is none.
        await stranger.send(Buffer.of(255, 0), endpoint);
      }
    };
    await flood(3000);
    const before = await subject.collect();
    // 230 MB.
    const { messages } = await flood(33_000);
    const after = await subject.collect();
    stranger.close();
    expect(messages).toBe(100);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(512 * KB);
    expect(after.rss - before.rss).toBeLessThan(32 * MB);
    expect(after.handles).toBe(before.handles);
  });

  it("that cannot leave as fast as they are sent: the queue is as long as its mark allows", async () => {
    const stranger = await RawUdp.open();
    const before = await subject.collect();
    const parameters = { endpoint: stranger.endpoint, size: 8000, count: 300 };
    const stats = (await subject.request("broadcast", parameters)) as Stats;
    const after = await subject.collect();
    stranger.close();
    expect(stats.total.messagesSent).toBe(90_000);
    expect(stats.send.messages).toBeLessThanOrEqual(1000);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(1 * MB);
    expect(after.rss - before.rss).toBeLessThan(32 * MB);
  });
});

describe("memory follows received octets", () => {
  const ANNOUNCED = concat("\x02", number(2 ** 30, 8), "x");

  it("1,000 peers announce 1 GB each and send one octet", async () => {
    const endpoints = await open(1000);
    for (const endpoint of endpoints) await dial(endpoint, HELLO);
    await subject.request("connected");
    const before = await subject.collect();
    for (const socket of sockets) socket.write(ANNOUNCED);
    await subject.request("assembling", { count: 1000 });
    const after = await subject.collect();
    expect(after.rss - before.rss).toBeLessThan(32 * MB);
    // Reservations are address space, not memory, and bounded for the whole context.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(64 * MB + 1000 * 8 * KB);
    for (const socket of sockets) socket.destroy();
    await subject.request("assembling", { count: 0 });
    const left = await subject.collect();
    expect(await subject.request("stats")).toMatchObject({ assemblyBytes: 0, peers: 0 });
    expect(left.arrayBuffers - before.arrayBuffers).toBeLessThan(1 * MB);
  });

  it("1,000 peers announce a READY of 64 KB and send one octet", async () => {
    const [endpoint = ""] = await open(1, { handshakeInterval: 0, backlog: 1000 });
    const before = await subject.collect();
    const octets = concat(greeting(), "\x06", number(64 * KB, 8), "x");
    await Promise.all(Array.from({ length: 1000 }, () => dial(endpoint, octets)));
    await subject.request("peers", { count: 1000 });
    const after = await subject.collect();
    expect(after.rss - before.rss).toBeLessThan(48 * MB);
  });
});

describe("a kept message keeps little else", () => {
  async function keep(
    size: number,
    count: number,
    nth: number,
  ): Promise<{ bytes: number; kept: number }> {
    const socket = await peer();
    const some = repeat(message("x".repeat(size)), 1000);
    const sending = (async () => {
      for (let sent = 0; sent < count; sent += 1000) {
        if (!socket.write(some)) await new Promise((resolve) => socket.once("drain", resolve));
      }
    })();
    const result = (await subject.request("keep", { count, nth }, 19_000)) as {
      kept: number;
      before: Memory;
      after: Memory;
    };
    await sending;
    const { before, after, kept } = result;
    const bytes = after.heapUsed - before.heapUsed + after.external - before.external;
    return { bytes, kept };
  }

  it("10,000 of ten octets each, out of 2,000,000", async () => {
    const { bytes, kept } = await keep(10, 2_000_000, 200);
    expect(kept).toBe(10_000);
    // Alone they are 100 KB; in the chunks that they came in they would be 24 MB and more.
    expect(bytes).toBeLessThan(10_000 * 512);
  });

  it("2,000 of 200 octets each, out of 660,000", async () => {
    const { bytes, kept } = await keep(200, 660_000, 330);
    expect(kept).toBe(2000);
    // Each keeps a segment of 8 KB at the most; chunks of 64 KB, no two in the same, are 128 MB.
    expect(bytes).toBeLessThan(2000 * 8.5 * KB);
  });

  const SIZES = [0, 1, 8, 63, 64, 65, 100, 1000, 4095, 4096, 5000, 70_000];

  it("large parts own their memory, small ones share 8 KB with their connection's alone", async () => {
    const endpoints = await open(2);
    for (const endpoint of endpoints) {
      await dial(endpoint, concat(HELLO, ...SIZES.map((size) => message("x".repeat(size)))));
    }
    const { shapes, common } = (await subject.request("shapes", { count: SIZES.length })) as {
      shapes: { length: number; byteOffset: number; size: number; transferred: boolean }[];
      common: number;
    };
    expect(common).toBe(0);
    expect(shapes.map(({ length }) => length)).toEqual(SIZES.flatMap((size) => [size, size]));
    for (const { length, byteOffset, size, transferred } of shapes) {
      expect(byteOffset % 8).toBe(0);
      expect(size).toBeLessThanOrEqual(Math.max(length, 8 * KB));
      if (length >= 4096) expect({ byteOffset, size }).toEqual({ byteOffset: 0, size: length });
      expect(transferred).toBe(size > 0 && size === length);
    }
  });

  it("with exclusiveBuffers every part owns its memory", async () => {
    const [endpoint = ""] = await open(1, { exclusiveBuffers: true });
    await dial(endpoint, concat(HELLO, ...SIZES.map((size) => message("x".repeat(size)))));
    const { shapes } = (await subject.request("shapes", { count: SIZES.length })) as {
      shapes: { length: number; byteOffset: number; size: number }[];
    };
    for (const { length, byteOffset, size } of shapes) {
      expect({ byteOffset, size }).toEqual({ byteOffset: 0, size: length });
    }
  });
});

describe("a hostile peer that comes again and again leaves nothing behind", () => {
  const EMPTY_PART = frame("", { more: true });
  const LARGE_READY = ready({ "Socket-Type": "PAIR", "X-Large": new Uint8Array(63 * KB) });

  /** What it says, and how often it comes if not 1,000 times. */
  it.each<[name: string, octets: Uint8Array, times?: number]>([
    ["HTTP", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
    ["another mechanism", greeting({ mechanism: "CURVE" })],
    ["a READY that is no such thing", concat(greeting(), command("READY", "\xff\xff\xff"))],
    ["a reserved flag", concat(HELLO, frame("x", { flags: 0x80 }))],
    ["1 GB announced", concat(HELLO, "\x02", number(2 ** 30, 8), "x")],
    ["a part, and no other", concat(HELLO, frame("x".repeat(1000), { more: true }))],
    ["a flood of PINGs", concat(HELLO, repeat(ping(0, "context"), 1000))],
    ["empty parts without end", concat(HELLO, repeat(EMPTY_PART, 70_000)), 60],
    ["a READY of 63 KB", concat(greeting(), LARGE_READY)],
    ["a READY of 63 KB, less an octet", concat(greeting(), LARGE_READY.subarray(0, -1))],
    ["a READY of 1 MB announced", concat(greeting(), "\x06", number(MB, 8), "x")],
  ])("%s", async (_, octets, times = 1000) => {
    const [endpoint = ""] = await open();
    const attack = async (times: number) => {
      for (let i = 0; i < times; i += 20) {
        const some = await Promise.all(Array.from({ length: 20 }, () => dial(endpoint, octets)));
        await Promise.all(
          some.map((socket) => {
            socket.end();
            return new Promise((resolve) => socket.once("close", resolve));
          }),
        );
        sockets = [];
      }
      await subject.request("peers", { count: 0 });
    };
    // As long as what is measured: the compiler's code is on the heap, too.
    await attack(times);
    const before = await subject.collect();
    await attack(times);
    const after = await subject.collect();
    expect(await subject.request("stats")).toMatchObject({ assemblyBytes: 0, peers: 0 });
    expect(after.handles).toBe(before.handles);
    // A pool of 256 KB may have been filled; 1,000 times 1 KB would be seen, or 60 times 10 KB.
    expect(after.external - before.external).toBeLessThan(512 * KB);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(512 * KB);
  });
});
