import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Sockets, TRANSPORTS } from "../support/sockets.js";

// What the memory of received parts is like (invariants 4 and 9).
const sockets = new Sockets();

afterEach(() => sockets.close());
afterAll(() => sockets.end());

const SIZES = [1, 2, 3, 7, 8, 9, 10, 63, 64, 65, 100, 127, 128, 129, 1000, 4095, 4096, 4097, 8192];
const SEGMENT_SIZE = 8 * 1024;
/** Parts of this size own their memory. */
const LARGE = 4 * 1024;

function body(size: number): Buffer {
  return Buffer.alloc(size, "0123456789abcdefghijklmnopqrstuvwxyz");
}

describe.each(["tcp", "ipc"] as const)("received over %s", (transport) => {
  it("parts start on 8-byte boundaries, so that typed arrays can look at them", async () => {
    const [one, other] = await sockets.connected(transport);
    for (let round = 0; round < 5; round++) {
      await other.send(SIZES.map(body));
      const parts = await one.receive();
      for (const [i, part] of parts.entries()) {
        expect(part.equals(body(SIZES[i] as number))).toBe(true);
        expect(part.byteOffset % 8).toBe(0);
        const floats = new Float64Array(part.buffer, part.byteOffset, part.length >> 3);
        expect(floats).toHaveLength(part.length >> 3);
      }
    }
  });

  it("a part keeps no more alive than itself or 8 KB", async () => {
    const [one, other] = await sockets.connected(transport);
    for (let round = 0; round < 5; round++) {
      await other.send([...SIZES, 100_000].map(body));
      for (const part of await one.receive()) {
        expect(part.buffer.byteLength).toBeLessThanOrEqual(Math.max(part.length, SEGMENT_SIZE));
      }
    }
  });

  it("large parts own their memory", async () => {
    const [one, other] = await sockets.connected(transport);
    await other.send([LARGE, LARGE + 1, 65_536, 1_000_000].map(body));
    for (const part of await one.receive()) {
      expect([part.byteOffset, part.buffer.byteLength]).toEqual([0, part.length]);
    }
  });

  it("parts of one socket share no memory with those of another", async () => {
    const [one, first] = await sockets.connected(transport);
    const [other, second] = await sockets.connected(transport);
    const buffers: ArrayBufferLike[][] = [[], []];
    for (let i = 0; i < 50; i++) {
      await first.send(body(100));
      await second.send(body(100));
      for (const [side, socket] of [one, other].entries()) {
        buffers[side]?.push(((await socket.receive())[0] as Buffer).buffer);
      }
    }
    expect(buffers[0]?.filter((buffer) => buffers[1]?.includes(buffer))).toEqual([]);
  });

  it("parts that share memory do not overlap", async () => {
    const [one, other] = await sockets.connected(transport);
    const parts: Buffer[] = [];
    for (let i = 0; i < 100; i++) await other.send(Buffer.alloc(100 + i, i));
    for (let i = 0; i < 100; i++) parts.push(((await one.receive()) as [Buffer])[0]);
    for (const [i, part] of parts.entries())
      expect(part.equals(Buffer.alloc(100 + i, i))).toBe(true);
    for (const part of parts) part.fill(255);
    parts[50]?.fill(1);
    expect(parts.filter((part) => !part.every((octet) => octet === 255))).toEqual([parts[50]]);
  });

  it("a segment that parts share cannot be transferred away from the others", async () => {
    const [one, other] = await sockets.connected(transport);
    await other.send([body(100), body(100)]);
    const [first, second] = (await one.receive()) as [Buffer, Buffer];
    expect(first.buffer).toBe(second.buffer);
    try {
      // Node.js 20 copies what must not be transferred, later ones throw.
      structuredClone(first.buffer, { transfer: [first.buffer as ArrayBuffer] });
    } catch {}
    expect(first.equals(body(100))).toBe(true);
    expect(second.equals(body(100))).toBe(true);
  });
});

describe.each(TRANSPORTS)("exclusiveBuffers over %s", (transport) => {
  it("every part has an ArrayBuffer to itself", async () => {
    const [one, other] = await sockets.connected(transport, { exclusiveBuffers: true });
    await other.send([Buffer.alloc(0), ...[...SIZES, 100_000].map(body)]);
    for (const part of await one.receive()) {
      expect([part.byteOffset, part.buffer.byteLength]).toEqual([0, part.length]);
    }
  });

  it("texts, numbers and views as well", async () => {
    const [one, other] = await sockets.connected(transport, { exclusiveBuffers: true });
    const pool = body(1000);
    await other.send(["text", 12, null, pool.subarray(10, 20), pool.subarray(100, 500)]);
    const parts = await one.receive();
    expect(parts.map(String)).toEqual([
      "text",
      "12",
      "",
      String(pool.subarray(10, 20)),
      String(pool.subarray(100, 500)),
    ]);
    for (const part of parts) {
      expect([part.byteOffset, part.buffer.byteLength]).toEqual([0, part.length]);
    }
  });

  it("a part can be transferred without harm to the others", async () => {
    const [one, other] = await sockets.connected(transport, { exclusiveBuffers: true });
    await other.send([body(100), body(10)]);
    const [first, second] = (await one.receive()) as [Buffer, Buffer];
    structuredClone(first.buffer, { transfer: [first.buffer as ArrayBuffer] });
    expect(second.equals(body(10))).toBe(true);
  });
});

describe("sent", () => {
  it.each(TRANSPORTS)(
    "over %s: parts of 128 bytes may be reused at once, sent or waiting",
    async (transport) => {
      const [one, other] = await sockets.connected(transport, {}, { sendHighWaterMark: 1 });
      const part = Buffer.alloc(128);
      const sent: Promise<void>[] = [];
      for (let i = 0; i < 20; i++) {
        part.fill(i);
        const send = other.send(part);
        part.fill(255);
        await send;
      }
      await Promise.all(sent);
      for (let i = 0; i < 20; i++) {
        expect((await one.receive())[0]?.equals(Buffer.alloc(128, i))).toBe(true);
      }
    },
  );
});
