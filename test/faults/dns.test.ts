/** Names that take long to look up, or are not known. The resolver is a script; see the dialer's tests for its parts. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { Pair } from "../../src/socket/pair.js";
import { requests } from "../../src/transport/requests.js";
import { dns } from "../support/dns.js";
import { EventLog } from "../support/event-log.js";
import { failure, texts } from "../support/patterns.js";
import { Sockets, turns, until } from "../support/sockets.js";

type Answer = (
  error: NodeJS.ErrnoException | null,
  found?: { address: string; family: number }[],
) => void;

vi.mock("../../src/builtin.js", async () => (await import("../support/dns.js")).builtinWithDns());

const sockets = new Sockets();

afterEach(async () => {
  await sockets.close();
  vi.resetAllMocks();
  expect(requests.size).toBe(0);
});

/** The question that was asked as the `nth`, from 0 on, and how to answer it. */
async function question(nth: number): Promise<{ name: string; answer: Answer }> {
  await until(() => dns.lookup.mock.calls.length > nth);
  const [name, , answer] = dns.lookup.mock.calls[nth] as [string, object, Answer];
  return { name, answer };
}

const HERE = [{ address: "127.0.0.1", family: 4 }];

function unknown(code = "ENOTFOUND"): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ${code}`), { code });
}

async function bound(): Promise<{ server: Pair; port: string }> {
  const server = sockets.pair({ receiveTimeout: 5000 });
  await server.bind("tcp://127.0.0.1:*");
  return { server, port: new URL(server.lastEndpoint as string).port };
}

describe("connecting to a name", () => {
  it("that is slow at first, then not known, then known: what was sent meanwhile arrives", async () => {
    const { server, port } = await bound();
    const client = sockets.pair({ reconnectInterval: 1 });
    const events = EventLog.of(client);
    client.connect(`tcp://name.example:${port}`);
    await client.send("sent during the lookup");
    const first = await question(0);
    expect(first.name).toBe("name.example");
    await turns(50);
    expect(events.types).toEqual(["connect:delay"]);
    first.answer(unknown());
    const second = await question(1);
    second.answer(unknown("EAI_AGAIN"));
    (await question(2)).answer(null, HERE);
    expect(texts(await server.receive())).toEqual(["sent during the lookup"]);
    await events.next("handshake");
    const attempt = ["connect:delay", "close", "connect:retry"];
    expect(events.types).toEqual([...attempt, ...attempt, "connect:delay", "connect", "handshake"]);
  });

  it("whose first address is dead: the next one has its turn", async () => {
    const { server, port } = await bound();
    const client = sockets.pair({ reconnectInterval: 1 });
    client.connect(`tcp://name.example:${port}`);
    await client.send("hello");
    const addresses = [{ address: "127.0.0.2", family: 4 }, ...HERE];
    dns.lookup.mockImplementation((_name, _options, answer: Answer) => answer(null, addresses));
    (await question(0)).answer(null, addresses);
    expect(texts(await server.receive())).toEqual(["hello"]);
  });

  it("is given up after connectTimeout, and asked for again", async () => {
    const { server, port } = await bound();
    const client = sockets.pair({ reconnectInterval: 1, connectTimeout: 20 });
    const events = EventLog.of(client);
    client.connect(`tcp://name.example:${port}`);
    await client.send("hello");
    const { answer } = await question(0);
    await events.next("close");
    await events.next("connect:delay");
    // One question is enough: it is still under way, and whoever asks again gets its answer.
    expect(dns.lookup).toHaveBeenCalledTimes(1);
    answer(null, HERE);
    expect(texts(await server.receive())).toEqual(["hello"]);
  });

  it.each(["the answer", "an error"])("close() does not wait for it, nor mind %s", async (what) => {
    const client = sockets.pair({ linger: -1 });
    client.connect("tcp://name.example:1234");
    const { answer } = await question(0);
    await client[Symbol.asyncDispose]();
    expect(client.closed).toBe(true);
    if (what === "the answer") answer(null, HERE);
    else answer(unknown());
    await turns(10);
    expect(dns.lookup).toHaveBeenCalledTimes(1);
  });

  it("disconnect() ends it, and another may connect to the name meanwhile", async () => {
    const { server, port } = await bound();
    const endpoint = `tcp://name.example:${port}`;
    const [one, other] = [sockets.pair(), sockets.pair()];
    one.connect(endpoint);
    other.connect(endpoint);
    await other.send("the other");
    const { answer } = await question(0);
    one.disconnect(endpoint);
    answer(null, HERE);
    expect(texts(await server.receive())).toEqual(["the other"]);
    expect(dns.lookup).toHaveBeenCalledTimes(1);
  });
});

describe("binding to a name", () => {
  it.each(["ENOTFOUND", "EAI_AGAIN"])("that is not known: ENODEV, after %s", async (code) => {
    const server = sockets.pair();
    const binding = server.bind("tcp://name.example:*");
    (await question(0)).answer(unknown(code));
    await expect(binding).rejects.toEqual(failure("ENODEV"));
    await server.bind("tcp://127.0.0.1:*");
  });

  it("that is slow: close() is put off until the answer, and nothing stays bound", async () => {
    const server = new Pair();
    const binding = server.bind("tcp://name.example:*");
    const { answer } = await question(0);
    server.close();
    expect(server.closed).toBe(false);
    answer(null, HERE);
    await binding.catch(() => {});
    await until(() => server.closed);
  });

  it("that is slow: the signal ends the wait at once", async () => {
    const server = sockets.pair();
    const controller = new AbortController();
    const binding = server.bind("tcp://name.example:*", { signal: controller.signal });
    const { answer } = await question(0);
    controller.abort();
    await expect(binding).rejects.toThrow();
    answer(null, HERE);
    await turns(10);
    await server.bind("tcp://127.0.0.1:*");
    expect(server.stats().peers).toEqual([]);
  });
});
