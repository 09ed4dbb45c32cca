import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ErrnoError } from "../../src/errors.js";
import { parseAddress } from "../../src/transport/address.js";
import { bindHandle, type TcpHandle } from "../../src/transport/handle.js";
import { Listener, type ListenerEvents } from "../../src/transport/listener.js";
import { Program } from "../support/program.js";

const interfaces = networkInterfaces();

/** Whether this machine has what the endpoint names. */
function isHere(endpoint: string): boolean {
  const here = Object.values(interfaces).flatMap((addresses = []) => addresses);
  if (endpoint.includes("[") || endpoint.includes("::")) return here.some(isLoopback6);
  return !endpoint.includes("lo:") || interfaces["lo"] !== undefined;
}

const isLoopback6 = ({ address }: NetworkInterfaceInfo): boolean => address === "::1";

let closing: (() => unknown)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closing.reverse()) await close();
  closing = [];
});

const SILENT: ListenerEvents = { accepted: (stream) => stream.destroy(), acceptFailed: () => {} };

type Bind = (
  endpoint: string,
  options?: { ipv6?: boolean; events?: ListenerEvents },
) => Promise<Listener | undefined>;

const bind: Bind = async (endpoint, { ipv6 = false, events = SILENT } = {}) => {
  const address = parseAddress(endpoint, "bind");
  if (address.transport !== "tcp" && address.transport !== "ipc") throw new Error("not here");
  const listener = await Listener.bind(
    address,
    endpoint,
    { backlog: 100, ipv6, ipcMode: null },
    events,
  );
  closing.push(() => listener.close());
  return listener;
};

const bindSync: Bind = async (endpoint, { ipv6 = false, events = SILENT } = {}) => {
  const address = parseAddress(endpoint, "bind");
  if (address.transport !== "tcp" && address.transport !== "ipc") throw new Error("not here");
  const listener = Listener.bindSync(
    address,
    endpoint,
    { backlog: 100, ipv6, ipcMode: null },
    events,
  );
  if (listener !== undefined) closing.push(() => listener.close());
  return listener;
};

function reach(endpoint: string): Promise<void> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ""), () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

describe.each([
  ["bind", bind],
  ["bindSync", bindSync],
] as const)("%s", (_, bind) => {
  it.each([
    ["tcp://127.0.0.1:*", false, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://127.0.0.1:0", false, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://127.0.0.1:*", true, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://*:*", false, /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
    ["tcp://*:*", true, /^tcp:\/\/\[::\]:[1-9]\d*$/],
    ["tcp://0.0.0.0:*", false, /^tcp:\/\/0\.0\.0\.0:[1-9]\d*$/],
    ["tcp://localhost:*", false, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://lo:*", false, /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/],
    ["tcp://lo:*", true, /^tcp:\/\/\[::1\]:[1-9]\d*$/],
    ["tcp://[::1]:*", true, /^tcp:\/\/\[::1\]:[1-9]\d*$/],
    ["tcp://::1:*", true, /^tcp:\/\/\[::1\]:[1-9]\d*$/],
    ["tcp://[::1%lo]:*", true, /^tcp:\/\/\[::1\]:[1-9]\d*$/],
    ["tcp://[::]:*", true, /^tcp:\/\/\[::\]:[1-9]\d*$/],
  ])("%s, ipv6: %s", async (endpoint, ipv6, expected) => {
    if (!isHere(endpoint) || (ipv6 && !isHere("[::1]"))) return;
    const listener = (await bind(endpoint, { ipv6 })) as Listener;
    expect(listener.endpoint).toMatch(expected);
    await reach(listener.endpoint);
  });

  it.each([
    ["tcp://nosuchif:*", false, "ENODEV"],
    ["tcp://nosuch.invalid:5555", false, "ENODEV"],
    ["tcp://256.0.0.1:5555", false, "ENODEV"],
    ["tcp://constructor:*", false, "ENODEV"],
    ["tcp://__proto__:*", false, "ENODEV"],
    ["tcp://[::1]:*", false, "ENODEV"],
    ["tcp://[::]:*", false, "ENODEV"],
    ["tcp://8.8.8.8:5783", false, "EADDRNOTAVAIL"],
    ["tcp://[2001:db8::1]:5783", true, "EADDRNOTAVAIL"],
  ])("%s, ipv6: %s is refused: %s", async (endpoint, ipv6, code) => {
    if (ipv6 && !isHere(endpoint)) return;
    await expect(bind(endpoint, { ipv6 })).rejects.toThrow(
      expect.objectContaining({ code, address: endpoint }),
    );
  });

  it("a port that is taken is refused, until it is free", async () => {
    const one = (await bind("tcp://127.0.0.1:*")) as Listener;
    const refused = expect.objectContaining({
      code: "EADDRINUSE",
      address: one.endpoint,
      message: "Address already in use",
    });
    await expect(bind(one.endpoint)).rejects.toThrow(refused);
    one.close();
    await reach(one.endpoint).then(
      () => expect.unreachable(),
      (error) => expect(error.code).toBe("ECONNREFUSED"),
    );
    expect((await bind(one.endpoint))?.endpoint).toBe(one.endpoint);
  });

  it("a port that somebody else has is refused", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    closing.push(() => other.close());
    const endpoint = `tcp://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await expect(bind(endpoint)).rejects.toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  });

  it("accepts until it is closed; who was accepted stays", async () => {
    const streams: Socket[] = [];
    let came: () => void = () => {};
    const events: ListenerEvents = {
      ...SILENT,
      accepted: (stream) => {
        streams.push(stream);
        came();
      },
    };
    const listener = (await bind("tcp://127.0.0.1:*", { events })) as Listener;
    const accepted = new Promise<void>((resolve) => {
      came = resolve;
    });
    const client = connect(Number(new URL(listener.endpoint).port), "127.0.0.1");
    closing.push(() => client.destroy());
    await accepted;
    listener.close();
    const [stream] = streams as [Socket];
    closing.push(() => stream.destroy());
    const said = new Promise((resolve) => client.once("data", resolve));
    stream.write("hello");
    expect(String(await said)).toBe("hello");
  });
});

it("bind looks up what is no address and no interface", async () => {
  // An old way to write an address, which the system's look-up knows, and nobody else.
  const listener = (await bind("tcp://127.1:*")) as Listener;
  expect(listener.endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:/);
  await reach(listener.endpoint);
});

describe("bindSync", () => {
  it("tells at once of what shows only when the port is listened at", async () => {
    const first = bindHandle("127.0.0.1", 0) as TcpHandle;
    const name: { port?: number } = {};
    first.getsockname(name);
    const endpoint = `tcp://127.0.0.1:${name.port}`;
    const second = bindHandle("127.0.0.1", name.port as number) as TcpHandle;
    first.listen(1);
    vi.spyOn(process as unknown as { binding: () => unknown }, "binding").mockReturnValue({
      TCP: class {
        constructor() {
          // biome-ignore lint/correctness/noConstructorReturn: it is the handle that was bound before.
          return Object.assign(second, { bind: () => 0 });
        }
      },
      constants: {},
    });
    await expect(bindSync(endpoint)).rejects.toThrow(
      expect.objectContaining({ code: "EADDRINUSE", address: endpoint }),
    );
    first.close();
  });

  it("says so where this runtime cannot", async () => {
    vi.spyOn(process as unknown as { binding: () => unknown }, "binding").mockImplementation(() => {
      throw new Error("no such module");
    });
    expect(await bindSync("tcp://127.0.0.1:*")).toBeUndefined();
  });
});

describe("errors of accept", () => {
  it("come in floods and are told of now and then", async () => {
    const errors: ErrnoError[] = [];
    const events = { ...SILENT, acceptFailed: (error: ErrnoError) => void errors.push(error) };
    const created: NodeJS.EventEmitter[] = [];
    const listen = vi.spyOn(
      Object.getPrototypeOf(createServer()) as { listen: (...args: unknown[]) => unknown },
      "listen",
    );
    const listener = (await bind("tcp://127.0.0.1:*", { events })) as Listener;
    created.push(listen.mock.contexts[0] as NodeJS.EventEmitter);
    const now = vi.spyOn(performance, "now");
    const emfile = () =>
      created[0]?.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
    const told: number[] = [];
    for (let ms = 0; ms < 100_000; ms += 10) {
      now.mockReturnValue(1e6 + ms);
      const before = errors.length;
      emfile();
      if (errors.length > before) told.push(ms);
    }
    expect(told).toEqual([0, 100, 300, 700, 1500, 3100, 6300, 12_700, 25_500, 51_100, 81_100]);
    expect(errors[0]).toMatchObject({ code: "EMFILE", address: listener.endpoint });
    expect(errors[0]?.message).toBe("Too many open file descriptors");
    await reach(listener.endpoint);
  });

  it("a process without descriptors goes on as soon as it has some", async () => {
    const program = new Program(new URL("./emfile.child.mjs", import.meta.url));
    const outcome = await program.ended();
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toBe("refused\nreceived hello\n");
  });
});
