import { afterEach, describe, expect, it, vi } from "vitest";

/** Other runtimes have no shared buffer, no adopted handles, and maybe no species: plain streams. */
describe("where streams read the ordinary way", () => {
  const { platform } = process;
  const species = Object.getOwnPropertyDescriptor(Buffer, Symbol.species) as PropertyDescriptor;

  afterEach(() => {
    Object.defineProperty(process, "platform", { value: platform });
    Object.defineProperty(Buffer, Symbol.species, species);
    vi.resetModules();
  });

  it("messages of all sizes go both ways, and back-pressure holds", async () => {
    Object.defineProperty(process, "platform", { value: "win32" });
    Object.defineProperty(Buffer, Symbol.species, { ...species, get: () => undefined });
    vi.resetModules();
    const { Pair } = await import("../../src/index.js");
    const { onread } = await import("../../src/transport/reading.js");
    expect(onread).toBeUndefined();

    const [server, client] = [new Pair({ receiveHighWaterMark: 4 }), new Pair()];
    await server.bind("tcp://127.0.0.1:*");
    client.connect(server.lastEndpoint as string);
    const sizes = [0, 1, 17, 100, 5000, 300_000];
    const count = 120;
    const sending = (async () => {
      for (let i = 0; i < count; i++) await client.send(Buffer.alloc(sizes[i % 6] as number, i));
    })();
    for (let i = 0; i < count; i++) {
      const [part] = await server.receive();
      expect(Buffer.isBuffer(part)).toBe(true);
      expect(part?.equals(Buffer.alloc(sizes[i % 6] as number, i))).toBe(true);
    }
    await sending;
    await server.send("done");
    expect(String(await client.receive())).toBe("done");
    server.close();
    client.close();
  });
});
