import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dish } from "../../src/draft.js";
import { BlackHole, DeafPeer } from "../support/deaf.js";
import { Pair } from "../support/ours.js";
import { type Outcome, Program } from "../support/program.js";

const PROGRAM = new URL("./lifetime.child.mjs", import.meta.url);

/** A port of which the system gives us no more than a refusal. */
const NOBODY = "tcp://127.0.0.1:1";

/** The status with which the programs end themselves when something has held them. */
const HELD = 42;

let folder: string;
let hole: BlackHole;
let deaf: DeafPeer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "purezmq-"));
  hole = await BlackHole.open();
  deaf = await DeafPeer.open();
});

afterAll(async () => {
  await hole.close();
  deaf.close();
  rmSync(folder, { recursive: true });
});

function start(scenario: string, endpoint: string, options: object = {}): Program {
  return new Program(PROGRAM, [scenario, endpoint, JSON.stringify(options)]);
}

function run(scenario: string, endpoint: string, options: object = {}): Promise<Outcome> {
  return start(scenario, endpoint, options).ended();
}

/** The endpoint that a name in the tables below stands for. */
function endpointOf(name: string): string {
  if (name === "ipc") return `ipc://${join(folder, "nobody")}`;
  if (name === "black hole") return hole.endpoint;
  if (name === "deaf peer") return deaf.endpoint;
  return name;
}

function warning(pid: number, blocky = true): string {
  const advice = blocky ? " Set 'context.blocky = false' to change this behaviour." : "";
  return `(node:${pid}) WARNING: Waiting for queued ZeroMQ messages to be delivered.${advice}\n`;
}

async function listening(): Promise<Pair> {
  const pair = new Pair({ linger: 0, receiveTimeout: 10_000 });
  await pair.bind("tcp://127.0.0.1:*");
  return pair;
}

/** Receives `message 0` and so on, then closes. */
async function expectNumbers(pair: Pair, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const [text] = await pair.receive();
    expect(String(text)).toBe(`message ${i}`);
  }
  pair.close();
}

describe.concurrent("a process ends by itself", () => {
  it.each<[string, string, object?]>([
    ["bind", "tcp://127.0.0.1:*"],
    ["bind", "ipc://*"],
    ["bind", "inproc://name"],
    ["bindSync", "tcp://127.0.0.1:*"],
    ["bindSync", "ipc://*"],
    ["bind, and unbind", "tcp://127.0.0.1:*"],
    ["connect", NOBODY],
    ["connect", "ipc"],
    ["connect", "inproc://name"],
    ["connect", "tcp://no-such-host.invalid:5555"],
    ["connect", "black hole"],
    ["connect", "black hole", { immediate: true }],
    ["connect", "black hole", { connectTimeout: 200 }],
    ["connect", "deaf peer"],
    ["connect, then idle", "deaf peer"],
    ["connect, then idle", "deaf peer", { heartbeatInterval: 50, heartbeatTimeout: 100 }],
    ["connect, and close", "black hole"],
    ["stop reading events with on", NOBODY],
    ["leave messages", NOBODY, { linger: 0 }],
    ["leave messages", NOBODY, { linger: 300 }],
    ["leave messages", NOBODY, { context: { blocky: false } }],
    ["leave messages", "black hole", { linger: 0 }],
    ["leave messages", "black hole", { linger: 300 }],
    ["leave messages, and close", NOBODY, { linger: 0 }],
    ["leave messages, and close", NOBODY, { linger: 300 }],
    ["leave messages, and close", "black hole", { linger: 300 }],
    ["stall", "deaf peer", { linger: 0 }],
    ["stall", "deaf peer", { linger: 300 }],
    ["stall", "deaf peer", { linger: 0, sendHighWaterMark: 1 }],
    ["stall, and close", "deaf peer", { linger: 0 }],
    ["stall, and close", "deaf peer", { linger: 300 }],
  ])("%s %s %o", async (scenario, endpoint, options = {}) => {
    const outcome = await run(scenario, endpointOf(endpoint), options);
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
  });

  it.each([
    ["udp: bind, connect, talk", "udp://127.0.0.1:*"],
    // Datagrams for a name that is not known are lost: nobody waits for it to become known.
    ["udp: send many", "udp://no-such-host.invalid:5555"],
    ["udp: send many, and close", "udp://no-such-host.invalid:5555"],
  ])("%s %s", async (scenario, endpoint) => {
    expect(await run(scenario, endpoint)).toMatchObject({ code: 0, stderr: "" });
  });

  it("receive times out", async () => {
    const outcome = await run("await receive until a timeout", NOBODY, { receiveTimeout: 50 });
    expect(outcome).toMatchObject({ code: 0, stderr: "", stdout: "EAGAIN\n" });
  });

  it("receive ends with its socket", async () => {
    const outcome = await run("receive, and close", NOBODY);
    expect(outcome).toMatchObject({ code: 0, stderr: "", stdout: "EAGAIN\n" });
  });

  it("receive is aborted", async () => {
    const outcome = await run("receive, and abort", endpointOf("black hole"));
    expect(outcome).toMatchObject({ code: 0, stderr: "", stdout: "AbortError\n" });
  });
});

describe.concurrent("a process is held", () => {
  it.each([
    ["await receive", NOBODY],
    ["await receive", "black hole"],
    ["await send", "tcp://127.0.0.1:*"],
    ["await an event", NOBODY],
    ["read events with on", NOBODY],
    ["udp: await receive", "udp://127.0.0.1:*"],
    ["udp: await send", ""],
  ])("by a call that waits: %s %s", async (scenario, endpoint) => {
    const outcome = await run(scenario, endpointOf(endpoint));
    expect(outcome).toMatchObject({ code: HELD, stderr: "" });
  });

  it.each([
    ["leave messages, held", NOBODY, {}, true],
    ["leave messages, held", "black hole", {}, true],
    ["leave messages, held", "black hole", { immediate: false, linger: 5000 }, true],
    ["leave messages, held", NOBODY, { linger: 5000, context: { blocky: false } }, false],
    ["leave messages, close, held", NOBODY, {}, true],
    ["leave messages, close, held", "black hole", { linger: 5000 }, true],
    ["stall, held", "deaf peer", {}, true],
    ["stall, held", "deaf peer", { linger: 5000, context: { blocky: false } }, false],
  ])("by messages, and says so: %s %s %o", async (scenario, endpoint, options, blocky) => {
    const outcome = await run(scenario, endpointOf(endpoint), options);
    expect(outcome.code).toBe(HELD);
    expect(outcome.stderr).toBe(warning(outcome.pid, blocky));
  });

  it("but not when it calls process.exit", async () => {
    const outcome = await run("leave messages, and exit", NOBODY);
    expect(outcome).toMatchObject({ code: 7, stderr: "" });
  });

  it("until a peer comes and takes the messages", async () => {
    const pair = await listening();
    const { lastEndpoint } = pair;
    await pair.unbind(lastEndpoint as string);
    const program = start("leave messages", lastEndpoint as string);
    await program.says("WARNING");
    await pair.bind(lastEndpoint as string);
    await expectNumbers(pair, 10);
    const outcome = await program.ended();
    expect(outcome).toMatchObject({ code: 0, stderr: warning(outcome.pid) });
  });
});

describe.concurrent("messages arrive, though the process ends", () => {
  it.each([
    ["send many", 2000],
    ["send many, and close", 2000],
    ["send large", 40],
    ["send before exit", 10],
  ])("%s", async (scenario, count) => {
    const pair = await listening();
    const ended = run(scenario, pair.lastEndpoint as string);
    await expectNumbers(pair, count);
    expect(await ended).toMatchObject({ code: 0 });
  });

  it("over ipc", async () => {
    const pair = new Pair({ linger: 0, receiveTimeout: 10_000 });
    await pair.bind("ipc://*");
    const ended = run("send many", pair.lastEndpoint as string);
    await expectNumbers(pair, 2000);
    expect(await ended).toMatchObject({ code: 0 });
  });

  it.each(["udp: send many", "udp: send many, and close"])("%s", async (scenario) => {
    const dish = new Dish({ receiveTimeout: 10_000 });
    dish.join("g");
    await dish.bind("udp://127.0.0.1:*");
    const ended = run(scenario, dish.lastEndpoint as string);
    for (let i = 0; i < 150; i++) expect(String((await dish.receive())[0])).toBe(`message ${i}`);
    dish.close();
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  });

  it("when others find something to do meanwhile", async () => {
    const pair = await listening();
    const program = start("live on before exit", pair.lastEndpoint as string);
    const received = (async () => {
      for (const number of [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]) {
        const [text] = await pair.receive();
        expect(String(text)).toBe(`message ${number}`);
      }
      pair.close();
    })();
    await received;
    expect(await program.ended()).toMatchObject({ code: 0, stdout: "sent\n" });
  });
});

describe("a peer that reads as fast as we write", () => {
  it("does not have a queue for longer than it lingers", async () => {
    const greedy = await DeafPeer.greedy();
    const options = { linger: 300, sendHighWaterMark: 0 };
    const outcome = await run("leave a long queue", greedy.endpoint, options);
    greedy.close();
    expect(outcome).toMatchObject({ code: 0 });
    expect(greedy.read).toBeGreaterThan(1_000_000);
    expect(greedy.read).toBeLessThan(15e9);
  });
});

describe.concurrent("a peer that does not read is not given up", () => {
  it("while the program has something to do", async () => {
    const outcome = await run("stall, and live on", deaf.endpoint, { linger: 0 });
    expect(outcome).toMatchObject({ code: 0, stdout: "over\n", stderr: "" });
  });
});

describe.concurrent("a worker", () => {
  it.each([
    ["bind", "tcp://127.0.0.1:*", {}],
    ["connect", NOBODY, {}],
    ["connect", "black hole", {}],
    ["leave messages", NOBODY, { linger: 300 }],
    ["leave messages", "black hole", { linger: 300 }],
    ["leave messages, and close", "black hole", { linger: 300 }],
    ["stall", "deaf peer", { linger: 300 }],
  ])("ends by itself: %s %s %o", async (scenario, endpoint, options) => {
    const outcome = await run("in a worker", endpointOf(endpoint), { scenario, options });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toContain("worker: 0\n");
  });

  it("is held by messages, and says so", async () => {
    const options = { scenario: "leave messages, held" };
    const outcome = await run("in a worker", NOBODY, options);
    expect(outcome).toMatchObject({ code: 0, stdout: `worker: ${HELD}\n` });
    expect(outcome.stderr).toBe(warning(outcome.pid));
  });

  it("delivers its messages, and comes to its end once", async () => {
    const pair = await listening();
    const options = { scenario: "count beforeExit" };
    const ended = run("in a worker", pair.lastEndpoint as string, options);
    await expectNumbers(pair, 10);
    const outcome = await ended;
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/^beforeExit: [1-3]\nworker: 0\n$/);
  });

  it.each([
    ["terminate a worker in mid-traffic", "tcp://127.0.0.1:*"],
    ["terminate a worker in mid-traffic", "ipc://*"],
    ["terminate a worker that has stalled", "deaf peer"],
  ])("%s %s", async (scenario, endpoint) => {
    const outcome = await run(scenario, endpointOf(endpoint));
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toContain("terminated: 1\n");
  });

  it("may call process.exit in mid-traffic", async () => {
    const options = { scenario: "exit in a worker in mid-traffic" };
    const outcome = await run("in a worker", "tcp://127.0.0.1:*", options);
    expect(outcome).toMatchObject({ code: 0, stdout: "worker: 7\n", stderr: "" });
  });
});

it.concurrent.each(["tcp://127.0.0.1:*", "ipc"])(
  "process.exit in mid-traffic over %s",
  async (endpoint) => {
    const outcome = await run("exit in mid-traffic", endpointOf(endpoint));
    expect(outcome).toMatchObject({ code: 7, stderr: "" });
    // The other one may be at it still.
    if (endpoint === "ipc") expect(readdirSync(folder)).toEqual([]);
  },
);
