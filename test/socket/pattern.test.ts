import { beforeEach, describe, expect, it } from "vitest";
import type { Parts } from "../../src/message.js";
import {
  fairQueueOf,
  type Input,
  NoInput,
  noOutput,
  type Output,
  type PatternHost,
  RoutedPattern,
} from "../../src/socket/pattern.js";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";

const UNBOUND = { messages: 0, bytes: 0 };
const SILENT: PipeSink = { readActivated() {}, writeActivated() {}, pipeEnded() {} };

/** What was called, in order. */
let log: string[];
let pipe: Pipe;
/** The peer's end. */
let end: Pipe;

function took(): string[] {
  return log.splice(0);
}

const host: PatternHost = {
  options: { boolean: () => false, number: () => 0, octets: () => undefined },
  readActivated: () => void log.push("host read"),
  writeActivated: () => void log.push("host write"),
  vacated: () => void log.push("host vacated"),
  dropped: () => void log.push("host dropped"),
  publish: (_, distribute) => distribute(),
};

/** Says the name of the pipe that it is given: there is only one. */
function named(call: string): (given: Pipe) => void {
  return (given) => void log.push(`${call} ${given === pipe ? "pipe" : "?"}`);
}

const input: Input = {
  vacant: false,
  readable: true,
  depth: { messages: 1, bytes: 2 },
  refusal: { code: "EFSM", waits: true },
  attach: named("input attach"),
  activated: named("input activated"),
  ended: named("input ended"),
  detach: named("input detach"),
  close: () => void log.push("input close"),
  receive: () => [Buffer.from("received")],
};

const output: Output = {
  writable: true,
  depth: { messages: 3, bytes: 4 },
  refusal: { code: "EHOSTUNREACH", waits: false },
  attach: named("output attach"),
  activated: named("output activated"),
  detach: named("output detach"),
  close: () => void log.push("output close"),
  send: (parts) => log.push(`send ${parts.join()}`) > 0,
};

function message(text: string): Parts {
  return [Buffer.from(text)];
}

function open(): void {
  log = [];
  [end, pipe] = Pipe.pair(UNBOUND, UNBOUND);
  end.attach(SILENT);
}

beforeEach(open);

describe("RoutedPattern", () => {
  let pattern: RoutedPattern;

  beforeEach(() => {
    pattern = new RoutedPattern(host, input, output);
  });

  it("receives from one half, and sends to the other", () => {
    expect(String(pattern.receive())).toBe("received");
    expect(pattern.send(message("x"))).toBe(true);
    expect(took()).toEqual(["send x"]);
  });

  it("is what its halves are", () => {
    expect([pattern.vacant, pattern.readable, pattern.writable]).toEqual([false, true, true]);
    expect([pattern.depth, pattern.outDepth]).toEqual([input.depth, output.depth]);
    expect([pattern.receiveRefusal, pattern.sendRefusal]).toEqual([input.refusal, output.refusal]);
  });

  it("gives a pipe to both halves, and tells that there may be room now", () => {
    pattern.attach(pipe);
    expect(took()).toEqual(["input attach pipe", "output attach pipe", "host write"]);
  });

  it("tells of what waited in a pipe already", () => {
    end.write(message("early"));
    pattern.attach(pipe);
    expect(took().slice(2)).toEqual(["host read", "host write"]);
  });

  it("hands on what a pipe says: first to the half, then to the host", () => {
    pattern.attach(pipe);
    took();
    end.write(message("x"));
    end.flush();
    expect(took()).toEqual(["input activated pipe", "host read"]);
    pattern.writeActivated(pipe);
    expect(took()).toEqual(["output activated pipe", "host write"]);
  });

  it("a peer that is gone is sent nothing more; what it sent stays the input's", () => {
    pattern.attach(pipe);
    took();
    end.close();
    expect(took()).toEqual(["output detach pipe", "input ended pipe"]);
  });

  it("takes a pipe from both halves, and closes both", () => {
    pattern.detach(pipe);
    expect(took()).toEqual(["output detach pipe", "input detach pipe"]);
    pattern.close();
    expect(took()).toEqual(["output close", "input close"]);
  });
});

describe("a pattern that receives nothing", () => {
  let noInput: NoInput;
  let pattern: RoutedPattern;

  beforeEach(() => {
    noInput = new NoInput();
    pattern = new RoutedPattern(host, noInput, output);
  });

  it("says so", () => {
    expect([pattern.receive(), pattern.readable, pattern.vacant]).toEqual([undefined, false, true]);
    expect([pattern.depth, pattern.receiveRefusal]).toEqual([
      { messages: 0, bytes: 0 },
      { code: "ENOTSUP", waits: false },
    ]);
  });

  it("forgets whatever comes, before and after: nobody has to wait for room", () => {
    [end, pipe] = Pipe.pair({ messages: 2, bytes: 0 }, UNBOUND);
    end.attach(SILENT);
    end.write(message("early"));
    pattern.attach(pipe);
    expect(pipe.length).toBe(0);
    for (let i = 0; i < 10; i++) {
      expect(end.checkWrite()).toBe(true);
      end.write(message("late"));
      end.flush();
    }
    expect(pipe.length).toBe(0);
  });

  it("ends a pipe whose peer is gone, or that is taken from it, once", () => {
    const [otherEnd, other] = Pipe.pair(UNBOUND, UNBOUND);
    otherEnd.attach(SILENT);
    pattern.attach(pipe);
    pattern.attach(other);
    end.end();
    pattern.detach(other);
    expect([end.ended, otherEnd.ended]).toEqual([true, true]);
    noInput.close();
  });

  it("keeps nothing of peers that are gone", async () => {
    const gone = (() => {
      const [end, pipe] = Pipe.pair(UNBOUND, UNBOUND);
      end.attach(SILENT);
      pattern.attach(pipe);
      log = [];
      end.close();
      return new WeakRef(pipe);
    })();
    await new Promise((resolve) => setImmediate(resolve));
    (globalThis.gc as () => void)();
    expect(gone.deref()).toBeUndefined();
  });

  it("ends all pipes at close", () => {
    const [otherEnd, other] = Pipe.pair(UNBOUND, UNBOUND);
    otherEnd.attach(SILENT);
    pattern.attach(pipe);
    pattern.attach(other);
    pattern.close();
    expect([end.ended, otherEnd.ended]).toEqual([true, true]);
  });
});

describe("a pattern that sends nothing", () => {
  it("says so, whoever is there", () => {
    const pattern = new RoutedPattern(host, input, noOutput);
    pattern.attach(pipe);
    expect([pattern.send(message("x")), pattern.writable]).toEqual([false, false]);
    expect([pattern.outDepth, pattern.sendRefusal]).toEqual([
      { messages: 0, bytes: 0 },
      { code: "ENOTSUP", waits: false },
    ]);
    pattern.writeActivated(pipe);
    pattern.detach(pipe);
    pattern.close();
    expect([pipe.outLength, pattern.writable]).toEqual([0, false]);
  });
});

it("a fair queue holds as much of departed peers as the options say, and tells its host of room", () => {
  const number = (name: string) => (name === "receiveHighWaterMark" ? 2 : 0);
  const fq = fairQueueOf({ ...host, options: { ...host.options, number } });
  const pattern = new RoutedPattern(host, fq, noOutput);
  pattern.attach(pipe);
  for (const text of ["a", "b"]) end.write(message(text));
  end.flush();
  expect(pattern.vacant).toBe(true);
  end.close();
  expect(pattern.vacant).toBe(false);
  took();
  expect(String(pattern.receive())).toBe("a");
  expect([pattern.vacant, took()]).toEqual([true, ["host vacated"]]);
});
