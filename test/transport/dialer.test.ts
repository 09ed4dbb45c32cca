import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrnoError } from "../../src/errors.js";
import type { TcpAddress } from "../../src/transport/address.js";
import { Dialer, type DialerOptions } from "../../src/transport/dialer.js";
import { requests } from "../../src/transport/requests.js";
import type { Lookup } from "../../src/transport/tcp.js";
import { BlackHole } from "../support/deaf.js";

/** A port that nobody listens at. */
const NOBODY: TcpAddress = { transport: "tcp", host: "127.0.0.1", port: 1 };

type Seen =
  | { type: "delayed" }
  | { type: "failed"; error: ErrnoError }
  | { type: "retrying"; interval: number }
  | { type: "connected"; stream: Socket };

let server: Server;
let accepted: Socket[];
let closing: (() => unknown)[] = [];

beforeEach(async () => {
  accepted = [];
  server = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
  for (const socket of accepted) socket.destroy();
  server.close();
  expect(requests.size).toBe(0);
});

function port(): number {
  return (server.address() as AddressInfo).port;
}

interface Watched {
  dialer: Dialer;
  seen: Seen[];
  next: <T extends Seen["type"]>(type: T) => Promise<Extract<Seen, { type: T }>>;
}

function watch(
  address: ConstructorParameters<typeof Dialer>[0],
  options: Partial<DialerOptions> = {},
): Watched {
  const seen: Seen[] = [];
  let read = 0;
  let look = () => {};
  const add = (event: Seen) => {
    seen.push(event);
    look();
  };
  const dialer = new Dialer(
    address,
    "endpoint",
    { intervalMs: 1, maxMs: 0, connectTimeoutMs: 0, ipv6: false, ...options },
    {
      delayed: () => add({ type: "delayed" }),
      failed: (error) => add({ type: "failed", error }),
      retrying: (interval) => add({ type: "retrying", interval }),
      connected: (stream) => {
        closing.push(() => stream.destroy());
        stream.on("error", () => {});
        add({ type: "connected", stream });
      },
    },
  );
  closing.push(() => dialer.stop());
  const next: Watched["next"] = (type) =>
    new Promise((resolve) => {
      look = () => {
        while (read < seen.length) {
          const event = seen[read++] as Seen;
          if (event.type === type) {
            look = () => {};
            resolve(event as never);
            return;
          }
        }
      };
      look();
    });
  return { dialer, seen, next };
}

const tcp = (host: string, more: Partial<TcpAddress> = {}): TcpAddress => ({
  transport: "tcp",
  host,
  port: port(),
  ...more,
});

const types = (seen: Seen[]) => seen.map(({ type }) => type);

/** Answers with addresses, or fails, at once; undefined: never answers. */
function lookupOf(answers: (string[] | string | undefined)[]): { lookup: Lookup; asked: string[] } {
  const asked: string[] = [];
  const lookup: Lookup = (name, ipv6, callback) => {
    const answer = answers[Math.min(asked.push(`${name} ${ipv6}`), answers.length) - 1];
    if (Array.isArray(answer)) callback(null, answer);
    else if (answer !== undefined) callback(Object.assign(new Error(), { code: answer }), []);
  };
  return { lookup, asked };
}

describe("connects", () => {
  it("to an address, without delaying what is written", async () => {
    const { dialer, seen, next } = watch(tcp("127.0.0.1"));
    dialer.dial();
    const { stream } = await next("connected");
    expect(types(seen)).toEqual(["delayed", "connected"]);
    expect(stream.remotePort).toBe(port());
  });

  it("to localhost", async () => {
    const { dialer, next } = watch(tcp("localhost"));
    dialer.dial();
    expect((await next("connected")).stream.remoteAddress).toBe("127.0.0.1");
  });

  it.each([
    [{ host: "127.0.0.2", port: 0 }, "127.0.0.2"],
    [{ host: "127.0.0.1", port: 0 }, "127.0.0.1"],
    [{ host: "*", port: 0 }, "127.0.0.1"],
    [{ host: "lo", port: 0 }, "127.0.0.1"],
  ])("from %o", async (source, from) => {
    const { dialer, next } = watch(tcp("127.0.0.1", { source }));
    dialer.dial();
    expect((await next("connected")).stream.localAddress).toBe(from);
  });

  it("from a port", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const free = (other.address() as AddressInfo).port;
    await new Promise((resolve) => other.close(resolve));
    const { dialer, next } = watch(tcp("127.0.0.1", { source: { host: "127.0.0.1", port: free } }));
    dialer.dial();
    expect((await next("connected")).stream.localPort).toBe(free);
  });

  it("to the addresses of a name in turn", async () => {
    const { lookup, asked } = lookupOf([["::1", "127.0.0.1"]]);
    const { dialer, seen, next } = watch(tcp("name"), { lookup, ipv6: true });
    dialer.dial();
    expect((await next("connected")).stream.remoteAddress).toBe("127.0.0.1");
    expect(types(seen)).toEqual(["delayed", "failed", "retrying", "delayed", "connected"]);
    expect(asked).toEqual(["name true", "name true"]);
  });

  it("to a name that is not known at first", async () => {
    const { lookup, asked } = lookupOf(["ENOTFOUND", "EAI_AGAIN", [], ["127.0.0.1"]]);
    const { dialer, seen, next } = watch(tcp("name"), { lookup });
    dialer.dial();
    await next("connected");
    expect(asked).toHaveLength(4);
    const codes = seen.map((it) => (it.type === "failed" ? it.error.code : undefined));
    expect(codes.filter(Boolean)).toEqual(["ENOTFOUND", "EAI_AGAIN", "ENOTFOUND"]);
  });
});

describe("fails, and tries again", () => {
  it("where nobody listens", async () => {
    const { dialer, seen, next } = watch(NOBODY);
    dialer.dial();
    const { error } = await next("failed");
    expect(error).toMatchObject({ code: "ECONNREFUSED", address: "endpoint" });
    expect((await next("retrying")).interval).toBeGreaterThanOrEqual(1);
    await next("failed");
    expect(types(seen).slice(0, 5)).toEqual(["delayed", "failed", "retrying", "delayed", "failed"]);
  });

  it("only once without an interval", async () => {
    const { dialer, seen, next } = watch(NOBODY, { intervalMs: 0 });
    dialer.dial();
    await next("failed");
    expect(types(seen)).toEqual(["delayed", "failed"]);
  });

  it.each([
    ["an interface that is not there", { host: "nosuchif", port: 0 }, "ENODEV"],
    ["an address that is not ours", { host: "8.8.8.8", port: 0 }, "EADDRNOTAVAIL"],
    ["an address of another family", { host: "::1", port: 0 }, "EINVAL"],
  ])("from %s", async (_, source, code) => {
    const { dialer, next } = watch(tcp("127.0.0.1", { source }));
    dialer.dial();
    expect((await next("failed")).error.code).toBe(code);
    await next("retrying");
    await next("failed");
  });

  it.each(["/nowhere/socket", "/", "/dev/null"])("at the path %s", async (path) => {
    const { dialer, next } = watch({ transport: "ipc", path });
    dialer.dial();
    expect((await next("failed")).error.code).toMatch(/^E(NOENT|ACCES|CONNREFUSED|NOTSOCK)$/);
    await next("retrying");
  });

  it("when it would connect to itself", async () => {
    const free = port();
    server.close();
    const source = { host: "127.0.0.1", port: free };
    const address: TcpAddress = { transport: "tcp", host: "127.0.0.1", port: free, source };
    const { dialer, seen, next } = watch(address);
    dialer.dial();
    await next("failed");
    await next("failed");
    expect(types(seen)).not.toContain("connected");
  });

  it("after connectTimeout", async () => {
    const hole = await BlackHole.open();
    closing.push(() => hole.close());
    const address: TcpAddress = { ...NOBODY, port: Number(new URL(hole.endpoint).port) };
    const { dialer, next } = watch(address, { connectTimeoutMs: 20 });
    dialer.dial();
    expect((await next("failed")).error.code).toBe("ETIMEDOUT");
    expect((await next("failed")).error.code).toBe("ETIMEDOUT");
  });

  it("after connectTimeout, also when it is the name that nobody tells", async () => {
    const { lookup, asked } = lookupOf([undefined, ["127.0.0.1"]]);
    const { dialer, next } = watch(tcp("name"), { lookup, connectTimeoutMs: 50 });
    dialer.dial();
    expect((await next("failed")).error.code).toBe("ETIMEDOUT");
    await next("connected");
    expect(asked).toHaveLength(2);
  });
});

describe("stops", () => {
  it("while it connects", async () => {
    const hole = await BlackHole.open();
    closing.push(() => hole.close());
    const address: TcpAddress = { ...NOBODY, port: Number(new URL(hole.endpoint).port) };
    const { dialer, seen } = watch(address);
    dialer.dial();
    dialer.stop();
    dialer.redial();
    dialer.dial();
    expect(requests.size).toBe(0);
    expect(types(seen)).toEqual(["delayed"]);
  });

  it("while it waits for a name, whose answer is of no use then", () => {
    let answer: Parameters<Lookup>[2] = () => {};
    const lookup: Lookup = (_name, _ipv6, callback) => {
      answer = callback;
    };
    const { dialer, seen } = watch(tcp("name"), { lookup });
    dialer.dial();
    dialer.stop();
    answer(null, ["127.0.0.1"]);
    expect(types(seen)).toEqual(["delayed"]);
  });

  it("while it waits for the next attempt", async () => {
    const { dialer, seen, next } = watch(NOBODY);
    dialer.dial();
    await next("retrying");
    dialer.stop();
    expect(types(seen)).toEqual(["delayed", "failed", "retrying"]);
  });

  it("when told so in its own events", async () => {
    const seen: string[] = [];
    const options = { intervalMs: 1, maxMs: 0, connectTimeoutMs: 0, ipv6: false };
    await new Promise<void>((resolve) => {
      const dialer: Dialer = new Dialer(NOBODY, "endpoint", options, {
        delayed: () => void seen.push("delayed"),
        failed: () => {
          seen.push("failed");
          dialer.stop();
          setTimeout(resolve, 10);
        },
        retrying: () => void seen.push("retrying"),
        connected: () => void seen.push("connected"),
      });
      dialer.dial();
    });
    const other: Dialer = new Dialer(NOBODY, "endpoint", options, {
      delayed: () => other.stop(),
      failed: () => void seen.push("failed"),
      retrying: () => void seen.push("retrying"),
      connected: () => void seen.push("connected"),
    });
    other.dial();
    expect(requests.size).toBe(0);
    expect(seen).toEqual(["delayed", "failed"]);
  });
});

describe("the process is about to end", () => {
  afterEach(() => {
    requests.suspended = false;
  });

  it("an attempt is given up, the next one waits until it is known that the process lives", async () => {
    const { lookup, asked } = lookupOf([undefined, ["127.0.0.1"]]);
    const { dialer, seen, next } = watch(tcp("name"), { lookup });
    dialer.dial();
    requests.suspended = true;
    requests.abandon();
    await next("failed");
    await next("retrying");
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(types(seen)).toEqual(["delayed", "failed", "retrying"]);
    requests.suspended = false;
    await next("connected");
    expect(asked).toHaveLength(2);
  });
});
