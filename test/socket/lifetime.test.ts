import type { Socket as Stream } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Hold } from "../../src/socket/hold.js";
import { Lifetime, type Resident } from "../../src/socket/lifetime.js";
import { Requests } from "../../src/transport/requests.js";

// What a process does at its end is tested with processes, in test/lifetime. Here is what they
// cannot show without waiting long: the ends that turn out to be none.

const WARNING = expect.stringMatching(
  /^\(node:\d+\) WARNING: Waiting for queued ZeroMQ messages to be delivered\. Set/,
);

/** Whatever else keeps the process alive. */
let resources: string[];
let requests: Requests;
let hold: Hold;
let lifetime: Lifetime;
let beforeExit: () => void;
let cpu: number;

interface Fake extends Resident {
  hasOutput: boolean;
  closed: boolean;
  linger: number;
  blocky: boolean;
  sent: number;
}

function resident(linger: number, more: Partial<Fake> = {}): Fake {
  const it: Fake = {
    hasOutput: true,
    closed: false,
    linger,
    blocky: true,
    sent: 0,
    options: { number: () => it.linger },
    writer: {
      get messages() {
        return it.sent;
      },
    },
    context: { get: () => it.blocky },
    ...more,
  };
  lifetime.add(it);
  return it;
}

function request(connecting: boolean): Stream {
  const stream = { connecting, destroy: vi.fn() } as unknown as Stream;
  requests.begin(stream);
  return stream;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const before = new Set(process.listeners("beforeExit"));
  resources = [];
  cpu = 0;
  vi.spyOn(process, "cpuUsage").mockImplementation(() => ({ user: cpu, system: 0 }));
  hold = new Hold();
  requests = new Requests({
    getActiveResourcesInfo: () => [
      ...resources,
      ...(hold.count > 0 ? ["Timeout"] : []),
      ...Array.from({ length: requests.size }, () => "WriteWrap"),
    ],
  });
  lifetime = new Lifetime(requests, hold);
  lifetime.add({ hasOutput: false } as Resident);
  const added = process.listeners("beforeExit").filter((listener) => !before.has(listener));
  expect(added).toHaveLength(1);
  beforeExit = added[0] as () => void;
});

afterEach(() => {
  process.off("beforeExit", beforeExit);
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("beforeExit", () => {
  it("is nothing while nothing is queued", () => {
    beforeExit();
    expect(hold.count).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("holds the process until the messages are out", () => {
    const socket = resident(-1);
    beforeExit();
    beforeExit();
    expect(hold.count).toBe(1);
    vi.advanceTimersByTime(400);
    socket.hasOutput = false;
    vi.advanceTimersByTime(100);
    expect(hold.count).toBe(0);
    expect(process.stderr.write).not.toHaveBeenCalled();
  });

  it("holds the process for as long as linger says, once", () => {
    resident(1000);
    beforeExit();
    vi.advanceTimersByTime(990);
    expect(hold.count).toBe(1);
    expect(process.stderr.write).toHaveBeenCalledExactlyOnceWith(WARNING);
    vi.advanceTimersByTime(120);
    expect(hold.count).toBe(0);
    // The event loop ran, so it comes again.
    beforeExit();
    expect(hold.count).toBe(0);
  });

  it("gives messages that were sent after that their own time", () => {
    const socket = resident(1000);
    beforeExit();
    vi.advanceTimersByTime(1200);
    socket.sent++;
    beforeExit();
    expect(hold.count).toBe(1);
  });

  it("leaves it to closed sockets when they end, and waits for the longest", () => {
    resident(10);
    const closed = resident(10, { closed: true });
    beforeExit();
    vi.advanceTimersByTime(60_000);
    expect(hold.count).toBe(1);
    lifetime.remove(closed);
    vi.advanceTimersByTime(100);
    expect(hold.count).toBe(0);
  });

  it.each([true, false])("advises on blocky if it is set: %s", (blocky) => {
    resident(-1, { blocky });
    resident(-1, { blocky: true, hasOutput: false });
    beforeExit();
    vi.advanceTimersByTime(5000);
    const [text] = vi.mocked(process.stderr.write).mock.lastCall as [string];
    expect(text.includes("blocky")).toBe(blocky);
    expect(process.stderr.write).toHaveBeenCalledTimes(1);
  });

  it("does not warn of messages that have just gone", () => {
    const socket = resident(-1);
    beforeExit();
    vi.advanceTimersByTime(420);
    socket.hasOutput = false;
    vi.advanceTimersByTime(100);
    expect(process.stderr.write).not.toHaveBeenCalled();
  });

  it("is called off by a call that waits: somebody went on", () => {
    resident(1000);
    beforeExit();
    vi.advanceTimersByTime(300);
    hold.take();
    vi.advanceTimersByTime(100);
    expect(hold.count).toBe(1);
    hold.release();
    // At the next end linger starts over.
    beforeExit();
    vi.advanceTimersByTime(990);
    expect(hold.count).toBe(1);
  });

  it("is called off by anything else that stays alive, not by what comes and goes", () => {
    resident(-1);
    beforeExit();
    resources = ["Immediate"];
    vi.advanceTimersByTime(20);
    resources = [];
    vi.advanceTimersByTime(1000);
    expect(hold.count).toBe(1);
    resources = ["TCPServerWrap"];
    vi.advanceTimersByTime(1000);
    expect(hold.count).toBe(0);
  });
});

describe("requests of ours that keep the process alive", () => {
  it("are watched only while there are any", () => {
    const stream = request(true);
    expect(vi.getTimerCount()).toBe(1);
    requests.end(stream);
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("are given up when nothing else is left: a connection soon, for it can be tried again", () => {
    const stream = request(true);
    resources = ["FSReqCallback"];
    vi.advanceTimersByTime(1000);
    expect(stream.destroy).not.toHaveBeenCalled();
    resources = [];
    vi.advanceTimersByTime(100);
    expect(stream.destroy).toHaveBeenCalled();
    expect(requests.suspended).toBe(true);
  });

  it.each([
    ["something else lives", () => resources.push("Timeout")],
    ["a call waits", () => hold.take()],
  ])("and attempts begin again when %s after all", (_, live) => {
    request(true);
    vi.advanceTimersByTime(100);
    expect(requests.suspended).toBe(true);
    vi.advanceTimersByTime(1000);
    expect(requests.suspended).toBe(true);
    live();
    vi.advanceTimersByTime(100);
    expect(requests.suspended).toBe(false);
    vi.advanceTimersByTime(100);
    expect(vi.getTimerCount()).toBe(hold.count);
  });

  it("a write is given up only after half a second in which nothing moved", () => {
    const stream = request(false);
    vi.advanceTimersByTime(400);
    requests.end(request(false));
    vi.advanceTimersByTime(500);
    expect(stream.destroy).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(stream.destroy).toHaveBeenCalled();
  });

  it("a write is not given up while other threads are at work", () => {
    const stream = request(false);
    for (let i = 0; i < 50; i++) {
      cpu += 90_000;
      vi.advanceTimersByTime(100);
    }
    expect(stream.destroy).not.toHaveBeenCalled();
    vi.advanceTimersByTime(600);
    expect(stream.destroy).toHaveBeenCalled();
  });

  it("a write of messages with linger holds the process as if it had come to its end", () => {
    const socket = resident(300);
    const stream = request(false);
    vi.advanceTimersByTime(100);
    expect(hold.count).toBe(1);
    vi.advanceTimersByTime(200);
    expect(stream.destroy).not.toHaveBeenCalled();
    vi.advanceTimersByTime(200);
    expect(stream.destroy).toHaveBeenCalled();
    expect(hold.count).toBe(0);
    socket.hasOutput = false;
  });
});

describe("a runtime that does not tell what keeps it alive", () => {
  it("still holds the process for its messages", () => {
    const blind = new Requests({});
    const stream = request(true);
    requests.end(stream);
    vi.advanceTimersByTime(100);
    const other = new Lifetime(blind, hold);
    const before = new Set(process.listeners("beforeExit"));
    other.add(resident(100));
    const added = process.listeners("beforeExit").find((listener) => !before.has(listener));
    blind.begin(stream);
    expect(vi.getTimerCount()).toBe(0);
    (added as () => void)();
    expect(hold.count).toBe(1);
    vi.advanceTimersByTime(90);
    expect(hold.count).toBe(1);
    vi.advanceTimersByTime(200);
    expect(hold.count).toBe(0);
    expect(stream.destroy).toHaveBeenCalled();
    process.off("beforeExit", added as () => void);
  });
});
