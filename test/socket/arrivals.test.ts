import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Arrivals } from "../../src/socket/arrivals.js";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";

const SILENT: PipeSink = { readActivated() {}, writeActivated() {}, pipeEnded() {} };

let arrivals: Arrivals;

function open(mark: number): void {
  arrivals = new Arrivals(() => mark);
}

/** Somebody whose messages and subscriptions are received. */
class Peer {
  readonly pipe: Pipe;
  readonly #end: Pipe;

  constructor() {
    const unbound = { messages: 0, bytes: 0 };
    [this.#end, this.pipe] = Pipe.pair(unbound, unbound);
    for (const end of [this.#end, this.pipe]) end.attach(SILENT);
  }

  send(...texts: string[]): void {
    for (const text of texts) this.#end.write([Buffer.from(text)]);
    arrivals.push(this.pipe, texts.length);
  }

  /** The text says what is to be received: `+topic` or `-topic`. */
  notify(text: string): void {
    arrivals.notify(this.pipe, text.slice(1), text.startsWith("+"), [Buffer.from(text)]);
  }

  /** As when its endpoint is disconnected. */
  forget(): void {
    arrivals.forget(this.pipe, this.pipe.length);
    this.pipe.close();
  }
}

/** Takes the next one, and reads it. */
function take(): { pipe: Pipe; text: string; isNotice: boolean } | undefined {
  const arrival = arrivals.shift();
  if (arrival === undefined) return undefined;
  const { pipe, notice } = arrival;
  const [text] = notice ?? pipe.read() ?? [];
  return { pipe, text: String(text), isNotice: notice !== undefined };
}

function shift(): string | undefined {
  return take()?.text;
}

/** All that is there. */
function drain(): string[] {
  const texts: string[] = [];
  for (let it = shift(); it !== undefined; it = shift()) texts.push(it);
  return texts;
}

let a: Peer;
let b: Peer;

beforeEach(() => {
  open(0);
  [a, b] = [new Peer(), new Peer()];
});

describe("Arrivals", () => {
  it("are none at first", () => {
    expect([arrivals.readable, shift()]).toEqual([false, undefined]);
    expect(arrivals.notices).toEqual({ messages: 0, bytes: 0 });
  });

  it("are received in the order in which they came, whichever peer they are of", () => {
    a.send("a0", "a1");
    b.notify("+t");
    b.send("b0");
    a.send("a2");
    a.notify("-t");
    expect(drain()).toEqual(["a0", "a1", "+t", "b0", "a2", "-t"]);
    expect(arrivals.readable).toBe(false);
  });

  it("say of whom they are, and what", () => {
    a.send("m");
    b.notify("+t");
    expect(take()).toEqual({ pipe: a.pipe, text: "m", isNotice: false });
    expect(take()).toEqual({ pipe: b.pipe, text: "+t", isNotice: true });
  });

  it("count notices; messages are counted in their pipes", () => {
    a.send("message");
    a.notify("+topic");
    b.notify("-t");
    expect(arrivals.notices).toEqual({ messages: 2, bytes: 8 });
    shift();
    shift();
    expect(arrivals.notices).toEqual({ messages: 1, bytes: 2 });
    shift();
    expect(arrivals.notices).toEqual({ messages: 0, bytes: 0 });
  });

  it("pass over messages of a peer that was forgotten", () => {
    a.send("a0");
    b.send("b0");
    a.send("a1");
    b.notify("+t");
    a.send("a2");
    a.forget();
    expect([arrivals.readable, drain()]).toEqual([true, ["b0", "+t"]]);
  });

  it("are nothing when all that is left was forgotten", () => {
    a.send("a0", "a1");
    a.forget();
    expect([arrivals.readable, shift()]).toEqual([false, undefined]);
    b.send("b0");
    expect(drain()).toEqual(["b0"]);
  });

  it("of one pipe: what comes after what was forgotten has a place of its own", () => {
    a.send("a0", "a1");
    b.send("b0");
    a.forget();
    a.notify("+t");
    a.send("a2");
    expect(drain()).toEqual(["b0", "+t", "a2"]);
  });

  it("keep nothing of those who are gone, though nobody ever receives", async () => {
    b.send("b0", "b1", "b2");
    const gone = ((): WeakRef<Pipe>[] =>
      Array.from({ length: 100 }, () => {
        const peer = new Peer();
        peer.send("x", "y");
        peer.forget();
        return new WeakRef(peer.pipe);
      }))();
    await new Promise((resolve) => setImmediate(resolve));
    (globalThis.gc as () => void)();
    // Those whose places are not half of all that there are.
    expect(gone.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(3);
    expect(drain()).toEqual(["b0", "b1", "b2"]);
  });

  it("are forgotten at clear", () => {
    open(1);
    a.notify("+t");
    a.send("m");
    arrivals.clear();
    expect([arrivals.readable, arrivals.notices.messages]).toEqual([false, 0]);
    for (const text of ["+u", "-t"]) a.notify(text);
    expect(drain()).toEqual(["+u", "-t"]);
  });
});

describe("notices that undo each other", () => {
  it("are all received while there are fewer than the mark, or none is set", () => {
    for (const mark of [0, 5]) {
      open(mark);
      for (const text of ["+t", "-t", "+t", "-t"]) a.notify(text);
      expect(drain()).toEqual(["+t", "-t", "+t", "-t"]);
    }
  });

  it("take each other away beyond the mark, whoever they are of", () => {
    open(2);
    a.notify("+t");
    a.notify("+u");
    b.notify("-t");
    expect(arrivals.notices).toEqual({ messages: 1, bytes: 2 });
    expect(drain()).toEqual(["+u"]);
  });

  it("leave messages, and notices on other topics, in their order", () => {
    open(1);
    a.send("a0");
    a.notify("+t");
    a.send("a1");
    a.notify("+u");
    a.send("a2");
    a.notify("-t");
    expect(drain()).toEqual(["a0", "a1", "+u", "a2"]);
  });

  it("do so again and again: the one before the last may be undone next", () => {
    open(3);
    for (const text of ["+t", "-t", "+t"]) a.notify(text);
    a.notify("-t");
    expect(arrivals.notices.messages).toBe(2);
    a.notify("+u");
    a.notify("+t");
    expect(drain()).toEqual(["+t", "+u"]);
  });

  it("never undo one that has been received", () => {
    open(3);
    for (const text of ["+t", "-t", "+t"]) a.notify(text);
    expect(shift()).toBe("+t");
    // Both that are left are undone; then there is nothing left of the topic to take away.
    for (const text of ["+u", "-t", "+v", "+t", "+w", "-t"]) a.notify(text);
    expect(arrivals.notices.messages).toBe(4);
    expect(drain()).toEqual(["+u", "+v", "+w", "-t"]);
    expect(arrivals.notices).toEqual({ messages: 0, bytes: 0 });
  });

  it("are forgotten once they are received, though there is always another on their topic", async () => {
    const received = ((): WeakRef<Pipe>[] => {
      const peers = Array.from({ length: 100 }, () => new Peer());
      for (const [i, peer] of peers.entries()) {
        peer.notify(i % 2 === 0 ? "+t" : "-t");
        if (i > 0) shift();
      }
      return peers.slice(0, -2).map(({ pipe }) => new WeakRef(pipe));
    })();
    await new Promise((resolve) => setImmediate(resolve));
    (globalThis.gc as () => void)();
    expect(received.filter((ref) => ref.deref() !== undefined)).toHaveLength(0);
    expect(arrivals.notices.messages).toBe(1);
  });
});

type Waiting = { from: Peer; text: string; notice: boolean };

describe("Arrivals, whatever comes", () => {
  const TOPICS = ["t", "u", "v", "w"];
  const who = fc.nat(2);
  /** One of them again and again: of that many notices wait below the mark. */
  const topic = fc.oneof(
    { weight: 4, arbitrary: fc.constant("t") },
    { weight: 3, arbitrary: fc.constantFrom(...TOPICS) },
  );
  /** Whether a notice says what the one before it on its topic has said; most of them undo it. */
  const again = fc.nat(5).map((n) => n === 1);
  const step = (what: string) => fc.record({ do: fc.constant(what), who, topic, again });
  const operation = fc.oneof(
    { weight: 2, arbitrary: step("send") },
    { weight: 9, arbitrary: step("notify") },
    { weight: 3, arbitrary: step("shift") },
    { weight: 1, arbitrary: step("forget") },
  );
  const operations = fc.array(operation, { maxLength: 80, size: "max" });
  const mark = fc.nat(6);

  it("are a list", () => {
    fc.assert(
      fc.property(mark, operations, (mark, steps) => {
        open(mark);
        const peers = [new Peer(), new Peer(), new Peer()];
        const said = new Map<string, boolean>();
        let list: Waiting[] = [];
        for (const [i, { do: what, who, topic, again }] of steps.entries()) {
          const from = peers[who] as Peer;
          if (what === "send") {
            from.send(`${i}`);
            list.push({ from, text: `${i}`, notice: false });
          } else if (what === "notify") {
            const subscribe = said.get(topic) === again;
            said.set(topic, subscribe);
            const text = `${subscribe ? "+" : "-"}${topic}`;
            from.notify(text);
            list = notified(list, { from, text, notice: true }, mark);
          } else if (what === "shift") {
            const expected = list.shift();
            const got = take();
            expect(got?.text).toBe(expected?.text);
            expect([got?.pipe, got?.isNotice]).toEqual([expected?.from.pipe, expected?.notice]);
          } else {
            from.forget();
            list = list.filter((it) => it.from !== from || it.notice);
            peers[who] = new Peer();
          }
          const notices = list.filter(({ notice }) => notice);
          expect(arrivals.notices).toEqual({ messages: notices.length, bytes: 2 * notices.length });
          expect(arrivals.readable).toBe(list.length > 0);
        }
        expect(drain()).toEqual(list.map(({ text }) => text));
      }),
      { numRuns: 300 },
    );
  });

  it("leave the receiver with what is subscribed to in the end, and are never many", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: topic },
      { weight: 1, arbitrary: fc.constant("receive") },
    );
    const toggles = fc.array(step, { maxLength: 120, size: "max" });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), toggles, (mark, steps) => {
        open(mark);
        const subscribed = new Set<string>();
        const known = new Set<string>();
        // Each topic in turn: it is told of only when somebody is the first, or the last.
        const learn = (text: string): void => {
          const topic = text.slice(1);
          expect(known.has(topic)).toBe(text.startsWith("-"));
          if (text.startsWith("+")) known.add(topic);
          else known.delete(topic);
        };
        for (const step of steps) {
          if (step === "receive") {
            const text = shift();
            if (text !== undefined) learn(text);
          } else if (subscribed.delete(step)) {
            a.notify(`-${step}`);
          } else {
            subscribed.add(step);
            a.notify(`+${step}`);
          }
          expect(arrivals.notices.messages).toBeLessThan(mark + TOPICS.length);
        }
        for (const text of drain()) learn(text);
        expect(known).toEqual(subscribed);
      }),
      { numRuns: 300 },
    );
  });
});

/** The list with one more notice. Beyond the mark, it and the last on its topic undo each other. */
function notified(list: Waiting[], it: Waiting, mark: number): Waiting[] {
  const waiting = list.filter(({ notice }) => notice);
  const last = waiting.filter(({ text }) => text.slice(1) === it.text.slice(1)).at(-1);
  const undone = mark > 0 && waiting.length >= mark && last !== undefined && last.text !== it.text;
  return undone ? list.filter((other) => other !== last) : [...list, it];
}
