import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Parts } from "../../src/message.js";
import type { Marks } from "../../src/socket/lane.js";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";

const UNBOUND: Marks = { messages: 0, bytes: 0 };

/** Writes down what a pipe says. */
class Log implements PipeSink {
  entries: string[] = [];
  /** Whether it takes what need not wait. */
  takes = false;
  readonly #names = new Map<Pipe, string>();

  name(pipe: Pipe, name: string): void {
    this.#names.set(pipe, name);
    pipe.attach(this);
  }

  take(parts: Parts): boolean {
    if (this.takes) this.entries.push(`took ${parts.map(({ length }) => length)}`);
    return this.takes;
  }

  readActivated(pipe: Pipe): void {
    this.entries.push(`${this.#names.get(pipe)} read`);
  }

  writeActivated(pipe: Pipe): void {
    this.entries.push(`${this.#names.get(pipe)} write`);
  }

  pipeEnded(pipe: Pipe): void {
    this.entries.push(`${this.#names.get(pipe)} ended`);
  }

  peerConnected(pipe: Pipe, routingId: Buffer): void {
    this.entries.push(`${this.#names.get(pipe)} connected ${routingId}`);
  }

  peerDisconnected(pipe: Pipe): void {
    this.entries.push(`${this.#names.get(pipe)} disconnected`);
  }

  peerSubscribed(pipe: Pipe, topic: Uint8Array, subscribe: boolean): void {
    const what = `${subscribe ? "+" : "-"}${Buffer.from(topic)}`;
    this.entries.push(`${this.#names.get(pipe)} subscribed ${what}`);
  }

  /** What was said since the last time. */
  said(): string[] {
    const { entries } = this;
    this.entries = [];
    return entries;
  }
}

function message(...sizes: number[]): Parts {
  return sizes.map((size) => Buffer.alloc(size));
}

let log: Log;
let a: Pipe;
let b: Pipe;

function open(there: Partial<Marks>, back: Partial<Marks> = {}): void {
  log = new Log();
  [a, b] = Pipe.pair({ ...UNBOUND, ...there }, { ...UNBOUND, ...back });
  log.name(a, "a");
  log.name(b, "b");
}

function write(pipe: Pipe, parts: Parts = message(1)): void {
  expect(pipe.checkWrite()).toBe(true);
  pipe.write(parts);
  pipe.flush();
}

/** Writes until there is no room, at most `limit` messages. */
function fill(pipe: Pipe, limit = 10_000): number {
  let count = 0;
  for (; count < limit && pipe.checkWrite(); count++) pipe.write(message(1));
  pipe.flush();
  return count;
}

/** Reads until the writer is told of room, and says how many that took. */
function readUntilRoom(reader: Pipe, name: string): number {
  for (let count = 1; ; count++) {
    if (reader.read() === undefined) throw new Error(`no room after ${count - 1} reads`);
    if (log.said().includes(`${name} write`)) return count;
  }
}

describe("Pipe", () => {
  beforeEach(() => open({ messages: 4 }, { messages: 2 }));

  it("hands over what was written, in order and as it is", () => {
    const first = message(3, 0, 5);
    const second = message(200);
    write(a, first);
    write(a, second);
    expect([a.outLength, a.outBytes, b.length, b.bytes]).toEqual([2, 208, 2, 208]);
    expect(b.read()).toBe(first);
    expect(b.bytes).toBe(200);
    expect(b.read()).toBe(second);
    expect(b.read()).toBeUndefined();
    expect([a.outLength, a.outBytes, b.length, b.bytes]).toEqual([0, 0, 0, 0]);
  });

  it("keeps both directions apart", () => {
    write(a, message(1));
    write(b, message(2));
    expect(a.read()?.[0]).toHaveLength(2);
    expect(b.read()?.[0]).toHaveLength(1);
    expect(a.marks.messages).toBe(4);
    expect(b.marks.messages).toBe(2);
  });

  describe("marks", () => {
    it("is for each direction its own", () => {
      expect(fill(a)).toBe(4);
      expect(fill(b)).toBe(2);
    });
  });

  describe("readActivated", () => {
    it("comes at flush, not at write", () => {
      a.write(message(1));
      expect(log.said()).toEqual([]);
      a.flush();
      expect(log.said()).toEqual(["b read"]);
    });

    it("comes once, until read has found nothing", () => {
      write(a);
      write(a);
      expect(log.said()).toEqual(["b read"]);
      b.read();
      b.read();
      write(a);
      expect(log.said()).toEqual([]);
      b.read();
      expect(b.read()).toBeUndefined();
      expect(log.said()).toEqual([]);
      write(a);
      expect(log.said()).toEqual(["b read"]);
    });

    it("does not come for nothing", () => {
      a.flush();
      expect(log.said()).toEqual([]);
      b.read();
      a.flush();
      expect(log.said()).toEqual([]);
    });

    it("may read and write from within", () => {
      const seen: number[] = [];
      const [one, other] = Pipe.pair(UNBOUND, UNBOUND);
      const echo: PipeSink = {
        readActivated: (pipe) => {
          for (let parts = pipe.read(); parts !== undefined; parts = pipe.read()) {
            seen.push(parts.length);
            if (parts.length > 3) continue;
            pipe.write(message(...new Array(parts.length + 1).fill(1)));
            pipe.flush();
          }
        },
        writeActivated: () => {},
        pipeEnded: () => {},
      };
      one.attach(echo);
      other.attach(echo);
      one.write(message(1));
      one.flush();
      expect(seen).toEqual([1, 2, 3, 4]);
    });
  });

  describe("writeActivated", () => {
    it("comes only to those who found no room", () => {
      for (let i = 0; i < 4; i++) write(a);
      while (b.read() !== undefined) {}
      expect(log.said()).toEqual(["b read"]);
    });

    it("comes once", () => {
      fill(a);
      log.said();
      while (b.read() !== undefined) {}
      expect(log.said()).toEqual(["a write"]);
    });

    it("comes again when there was no room again", () => {
      fill(a);
      expect(readUntilRoom(b, "a")).toBe(2);
      fill(a);
      expect(readUntilRoom(b, "a")).toBe(2);
    });
  });

  it("unread puts messages back in front, and counts them as unread again", () => {
    for (const size of [1, 2, 3, 4]) write(a, message(size));
    expect(a.checkWrite()).toBe(false);
    log.said();
    b.unread([b.read() as Parts]);
    expect([b.length, b.bytes]).toEqual([4, 10]);
    expect([b.read(), log.said()]).toEqual([message(1), []]);
    expect([b.read(), log.said()]).toEqual([message(2), ["a write"]]);
  });

  describe("adopt", () => {
    let other: Pipe;
    let otherPeer: Pipe;

    beforeEach(() => {
      [other, otherPeer] = Pipe.pair(UNBOUND, UNBOUND);
      log.name(other, "other");
      log.name(otherPeer, "otherPeer");
    });

    it("takes over what is unread, in front of its own", () => {
      const [first, second, third] = [message(1), message(2), message(3)];
      write(otherPeer, first);
      write(otherPeer, second);
      write(a, third);
      b.adopt(other);
      expect([b.length, b.bytes]).toEqual([3, 6]);
      expect([other.length, other.bytes]).toEqual([0, 0]);
      expect([b.read(), b.read(), b.read()]).toEqual([first, second, third]);
    });

    it("counts it against the marks of the pipe that takes over", () => {
      for (let i = 0; i < 3; i++) write(otherPeer);
      b.adopt(other);
      expect(fill(a)).toBe(1);
      expect(readUntilRoom(b, "a")).toBe(2);
      expect(fill(a)).toBe(2);
    });
  });

  describe("setMarks", () => {
    it("raised: makes room at once", () => {
      fill(a);
      log.said();
      a.setMarks({ messages: 6, bytes: 0 }, UNBOUND);
      expect(log.said()).toEqual(["a write"]);
      expect(fill(a)).toBe(2);
    });

    it("raised from the other end: makes room at once", () => {
      fill(a);
      log.said();
      b.setMarks(UNBOUND, { messages: 6, bytes: 0 });
      expect(log.said()).toEqual(["a write"]);
      expect(fill(a)).toBe(2);
    });
  });

  describe("end", () => {
    it("is told to the other end, once", () => {
      a.end();
      a.end();
      expect(log.said()).toEqual(["b ended"]);
      expect([a.ended, b.ended]).toEqual([false, true]);
    });

    it("is not told to an end that has ended", () => {
      a.end();
      log.said();
      b.end();
      expect(log.said()).toEqual([]);
      expect([a.ended, b.ended]).toEqual([true, true]);
    });

    it("leaves what is queued to the other end's reader", () => {
      write(a, message(7));
      a.end();
      expect(b.read()?.[0]).toHaveLength(7);
      expect(b.read()).toBeUndefined();
    });

    it("leaves its own reader what is queued", () => {
      write(b, message(7));
      a.end();
      expect(a.read()?.[0]).toHaveLength(7);
    });

    it("lets nothing more be written to it", () => {
      a.end();
      expect(b.checkWrite()).toBe(false);
      b.setMarks(UNBOUND, UNBOUND);
      expect(b.checkWrite()).toBe(false);
      expect(log.said()).toEqual(["b ended"]);
    });

    it("lets nothing more be written by it, either", () => {
      a.end();
      expect(a.checkWrite()).toBe(false);
      expect([a.over, b.over]).toEqual([true, true]);
      while (b.read() !== undefined) {}
      a.setMarks(UNBOUND, UNBOUND);
      expect(log.said()).toEqual(["b ended"]);
    });

    it.each([0, 1])(
      "of either end is told to who asked for it, once for each (end %i)",
      (asked) => {
        const ends = [a, b] as const;
        let told = 0;
        (ends[asked] as Pipe).onEnd = () => told++;
        expect([a.over, told]).toEqual([false, 0]);
        for (const [i, end] of ends.entries()) {
          end.end();
          end.close();
          expect([end.over, told]).toEqual([true, i + 1]);
        }
      },
    );

    it("is not told of room any more", () => {
      fill(a);
      a.end();
      log.said();
      while (b.read() !== undefined) {}
      expect(log.said()).toEqual([]);
    });
  });

  describe("close", () => {
    it("forgets what is unread, and ends", () => {
      write(b, message(7));
      log.said();
      a.close();
      expect(log.said()).toEqual(["b ended"]);
      expect([a.length, a.bytes, b.outLength, b.outBytes]).toEqual([0, 0, 0, 0]);
      expect(a.read()).toBeUndefined();
    });

    it("leaves the other end what was written to it", () => {
      write(a, message(7));
      a.close();
      expect(b.read()?.[0]).toHaveLength(7);
    });

    it("after end forgets what is unread", () => {
      write(b, message(7));
      a.end();
      a.close();
      expect(a.length).toBe(0);
    });
  });

  describe("pass", () => {
    it("hands a message over while the reader takes it, and has found nothing to read", () => {
      expect(a.pass(message(1))).toBe(false);
      log.takes = true;
      expect(a.pass(message(2, 3))).toBe(true);
      a.write(message(1));
      expect(a.pass(message(4))).toBe(false);
      a.flush();
      b.read();
      // It would not be told: it has not found out yet that there is nothing more.
      expect(a.pass(message(5))).toBe(false);
      b.read();
      expect(a.pass(message(6))).toBe(true);
      expect(log.said()).toEqual(["took 2,3", "b read", "took 6"]);
      log.takes = false;
      expect(a.pass(message(7))).toBe(false);
    });

    it("is not so when others wait, though the reader wants to be told of the next", () => {
      log.takes = true;
      a.write(message(1));
      b.listen();
      expect(a.pass(message(1))).toBe(false);
    });

    it("takes no room, and is known as the largest", () => {
      open({ messages: 1, bytes: 1 });
      log.takes = true;
      for (let i = 0; i < 3; i++)
        expect([a.checkWrite(), a.pass(message(7, 2))]).toEqual([true, true]);
      expect([a.outLength, a.outBytes, a.largest.written]).toEqual([0, 0, 9]);
    });

    it("comes first: what is sent is copied only if it has to wait", () => {
      const parts = message(5);
      const [part] = parts;
      log.takes = true;
      a.send(parts);
      expect(log.said()).toEqual(["took 5"]);
      expect(parts[0]).toBe(part);
      log.takes = false;
      a.send(parts);
      expect(b.read()?.[0]).not.toBe(part);
    });
  });

  describe("a mark that keeps the newest message only", () => {
    const CONFLATE: Marks = { ...UNBOUND, conflate: true };

    beforeEach(() => open(CONFLATE));

    it("a message takes the place of the one that waits", () => {
      for (const size of [1, 2, 3]) write(a, message(size));
      expect([b.length, b.bytes, a.outLength, a.outBytes]).toEqual([1, 3, 1, 3]);
      expect(b.read()).toEqual(message(3));
      expect(b.read()).toBeUndefined();
      expect(b.bytes).toBe(0);
    });

    it("the reader is told once, and again after it found nothing", () => {
      for (let i = 0; i < 3; i++) write(a);
      expect(log.said()).toEqual(["b read"]);
      b.read();
      b.read();
      write(a);
      expect(log.said()).toEqual(["b read"]);
    });

    it("is for each direction its own", () => {
      for (let i = 0; i < 3; i++) {
        write(a);
        write(b);
      }
      expect([b.length, a.length]).toEqual([1, 3]);
    });

    it("can be made so later, both ways: then of what waits the newest stays, and there is room", () => {
      open({ messages: 3 }, { messages: 3 });
      for (const size of [1, 2, 3]) {
        write(a, message(size));
        write(b, message(size));
      }
      expect([a.checkWrite(), b.checkWrite()]).toEqual([false, false]);
      log.said();
      a.conflate();
      expect(log.said()).toEqual(["a write", "b write"]);
      expect([a.length, b.length, a.bytes, b.bytes]).toEqual([1, 1, 3, 3]);
      write(a, message(4));
      expect([b.length, b.read()]).toEqual([1, message(4)]);
    });

    it("what is put in beside the peer's messages takes no other's place", () => {
      for (const size of [1, 2]) b.inject(message(size));
      expect([b.length, b.bytes]).toEqual([2, 3]);
    });
  });

  describe("checkRead", () => {
    it("says whether there is a message, and takes none", () => {
      expect(b.checkRead()).toBe(false);
      write(a, message(7));
      expect([b.checkRead(), b.checkRead(), b.length]).toEqual([true, true, 1]);
      b.read();
      expect(b.checkRead()).toBe(false);
    });

    it("that found none is told of the next one", () => {
      write(a);
      b.read();
      write(a);
      log.said();
      b.read();
      b.checkRead();
      write(a);
      expect(log.said()).toEqual(["b read"]);
    });

    it("that found one is not", () => {
      write(a);
      log.said();
      b.checkRead();
      write(a);
      expect(log.said()).toEqual([]);
    });
  });

  describe("send", () => {
    it("writes, and lets the other end know", () => {
      a.send(message(7));
      expect(log.said()).toEqual(["b read"]);
      expect(b.read()).toEqual(message(7));
    });

    it("copies small parts of a message that has to wait, and only those", () => {
      const parts = [Buffer.from("small"), Buffer.alloc(128, "s"), Buffer.alloc(129, "l")];
      const [small, border, large] = parts;
      a.send(parts);
      small?.fill("x");
      border?.fill("x");
      const read = b.read() as Parts;
      expect([String(read[0]), String(read[1])]).toEqual(["small", "s".repeat(128)]);
      expect(read[2]).toBe(large);
    });

    it("copies when others wait before it, though the reader takes what need not wait", () => {
      const part = Buffer.from("small");
      log.takes = true;
      a.write(message(1));
      a.send([part]);
      part.fill("x");
      b.read();
      expect(String(b.read()?.[0])).toBe("small");
    });
  });

  describe("inject", () => {
    it("puts a message behind what waits here, and tells nobody", () => {
      write(a, message(1));
      log.said();
      b.inject(message(2));
      expect([b.length, b.bytes, log.said()]).toEqual([2, 3, []]);
      write(a, message(3));
      expect([b.read(), b.read(), b.read()]).toEqual([message(1), message(2), message(3)]);
    });

    it("counts against the mark, as if the other end had written it", () => {
      for (let i = 0; i < 4; i++) b.inject(message(1));
      expect(a.checkWrite()).toBe(false);
      b.inject(message(1));
      expect([a.outLength, a.overfull]).toEqual([5, true]);
      log.said();
      expect(readUntilRoom(b, "a")).toBe(2);
    });

    it("is still possible when the other end has ended", () => {
      a.end();
      b.inject(message(7));
      expect(b.read()).toEqual(message(7));
    });
  });

  describe("listen", () => {
    it("lets the reader be told of the next message, though others wait", () => {
      write(a);
      expect(log.said()).toEqual(["b read"]);
      b.listen();
      write(a);
      write(a);
      expect(log.said()).toEqual(["b read"]);
    });

    it("tells nothing by itself", () => {
      write(a);
      log.said();
      b.listen();
      expect(log.said()).toEqual([]);
    });
  });

  describe("what is told of the peer", () => {
    it("reaches the other end, at once and whatever waits in the pipe", () => {
      fill(a);
      fill(b);
      log.said();
      a.connected(Buffer.from("me"));
      a.subscribe(Buffer.from("topic"), true);
      a.subscribe(Buffer.from(""), false);
      a.disconnected();
      expect(log.said()).toEqual([
        "b connected me",
        "b subscribed +topic",
        "b subscribed -",
        "b disconnected",
      ]);
      expect([a.length, b.length]).toEqual([2, 4]);
    });

    it("does not reach one that has ended, but still one whose peer has", () => {
      b.end();
      log.said();
      const tell = (pipe: Pipe): void => {
        pipe.connected(Buffer.from("me"));
        pipe.subscribe(Buffer.from("t"), true);
        pipe.disconnected();
      };
      tell(a);
      expect(log.said()).toEqual([]);
      tell(b);
      expect(log.said()).toEqual(["a connected me", "a subscribed +t", "a disconnected"]);
    });

    it("need not be listened to", () => {
      b.attach({ readActivated() {}, writeActivated() {}, pipeEnded() {} });
      a.connected(Buffer.from("me"));
      a.subscribe(Buffer.from("t"), true);
      a.disconnected();
      expect(log.said()).toEqual([]);
    });
  });

  describe("dropping", () => {
    it("is over once there is room again, before that is told", () => {
      fill(a);
      log.said();
      a.dropping = true;
      const seen: boolean[] = [];
      a.attach({
        readActivated() {},
        writeActivated: (pipe) => seen.push(pipe.dropping),
        pipeEnded() {},
      });
      b.read();
      expect([a.dropping, seen]).toEqual([true, []]);
      b.read();
      expect([a.dropping, seen]).toEqual([false, [false]]);
    });

    it("is each end's own", () => {
      fill(a);
      a.dropping = true;
      fill(b);
      while (a.read() !== undefined) {}
      expect([a.dropping, b.dropping]).toEqual([true, false]);
    });
  });

  it("its ends are nobody's in particular, and hand messages to a session, unless told otherwise", () => {
    expect([a.routingId, a.direct, a.dropping]).toEqual([undefined, false, false]);
  });
});

/** One direction of a pipe as plain lists, by the book (semantics of `ZMQ_SNDHWM`). */
class Direction {
  queue: number[] = [];
  /** Read since the writer was told of it last. */
  sinceTold: number[] = [];
  /** Read and still known to the reader, who may put it back; the newest last. */
  held: number[] = [];
  awaitsRead = true;
  awaitsRoom = false;
  marks: Marks;
  readonly writer: string;
  readonly reader: string;

  constructor(marks: Marks, writer: string, reader: string) {
    this.marks = marks;
    this.writer = writer;
    this.reader = reader;
  }

  get full(): boolean {
    const unknown = [...this.queue, ...this.sinceTold];
    const { messages, bytes } = this.marks;
    return (messages > 0 && unknown.length >= messages) || (bytes > 0 && sum(unknown) >= bytes);
  }

  get lowWater(): boolean {
    const { messages, bytes } = this.marks;
    const read = this.sinceTold;
    const enough = Math.floor((messages + 1) / 2);
    return (messages > 0 && read.length >= enough) || (bytes > 0 && sum(read) >= bytes / 2);
  }
}

function sum(sizes: number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

/** Both directions of a pipe and what its ends are told. */
class Model {
  readonly ends = { a: false, b: false };
  readonly #from: { a: Direction; b: Direction };
  entries: string[] = [];

  constructor(there: Marks, back: Marks) {
    this.#from = { a: new Direction(there, "a", "b"), b: new Direction(back, "b", "a") };
  }

  /** What `end` writes. */
  out(end: "a" | "b"): Direction {
    return this.#from[end];
  }

  /** What `end` reads. */
  in(end: "a" | "b"): Direction {
    return this.#from[end === "a" ? "b" : "a"];
  }

  checkWrite(end: "a" | "b"): boolean {
    const direction = this.out(end);
    const { reader } = direction;
    if (!this.ends[reader as "a" | "b"] && !direction.full) return true;
    direction.awaitsRoom = true;
    return false;
  }

  flush(end: "a" | "b"): void {
    const direction = this.out(end);
    if (!direction.awaitsRead || direction.queue.length === 0) return;
    direction.awaitsRead = false;
    this.entries.push(`${direction.reader} read`);
  }

  read(end: "a" | "b"): number | undefined {
    const direction = this.in(end);
    const size = direction.queue.shift();
    if (size === undefined) {
      direction.awaitsRead = true;
      return undefined;
    }
    direction.sinceTold.push(size);
    direction.held.push(size);
    if (direction.lowWater) this.tell(direction);
    return size;
  }

  tell(direction: Direction): void {
    direction.sinceTold = [];
    const { a, b } = this.ends;
    if (!direction.awaitsRoom || direction.full || a || b) return;
    direction.awaitsRoom = false;
    this.entries.push(`${direction.writer} write`);
  }

  end(end: "a" | "b"): void {
    const other = end === "a" ? "b" : "a";
    if (!this.ends[end] && !this.ends[other]) this.entries.push(`${other} ended`);
    this.ends[end] = true;
  }
}

type End = "a" | "b";

type Operation =
  | { do: "write"; end: End; sizes: number[] }
  | { do: "force"; end: End; sizes: number[] }
  | { do: "inject"; end: End; sizes: number[] }
  | { do: "read"; end: End; times: number }
  | { do: "checkRead"; end: End }
  | { do: "listen"; end: End }
  | { do: "unread"; end: End; count: number }
  | { do: "adopt"; end: End; sizes: number[] }
  | { do: "marks"; end: End; out: Marks; back: Marks }
  | { do: "end"; end: End }
  | { do: "close"; end: End };

describe("Pipe, whatever is done with it", () => {
  const end = fc.constantFrom<End>("a", "b");
  const sizes = fc.array(fc.nat(20), { minLength: 1, maxLength: 12 });
  const marks = fc.record({
    messages: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 })),
    bytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 })),
  });
  const operation: fc.Arbitrary<Operation> = fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant("write"), end, sizes }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("force"), end, sizes }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("inject"), end, sizes }) },
    { weight: 12, arbitrary: fc.record({ do: fc.constant("read"), end, times: fc.nat(12) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("checkRead"), end }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("listen"), end }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("unread"), end, count: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("adopt"), end, sizes }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("marks"), end, out: marks, back: marks }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("end"), end }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("close"), end }) },
  ) as fc.Arbitrary<Operation>;

  it("does as lists do, and tells of room and of messages exactly when that is due", () => {
    fc.assert(
      fc.property(
        marks,
        marks,
        fc.array(operation, { maxLength: 60, size: "max" }),
        (there, back, operations) => {
          open(there, back);
          const model = new Model(there, back);
          for (const it of operations) {
            run(it, model);
            expect(log.said()).toEqual(model.entries);
            model.entries = [];
            for (const name of ["a", "b"] as const) {
              const { queue } = model.in(name);
              const pipe = pipeOf(name);
              expect([pipe.length, pipe.bytes]).toEqual([queue.length, sum(queue)]);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("never leaves both ends waiting", () => {
    fc.assert(
      fc.property(
        marks,
        fc.array(operation, { maxLength: 60, size: "max" }),
        (initial, operations) => {
          open(initial, initial);
          const model = new Model(initial, initial);
          for (const it of operations) {
            if (it.do === "end" || it.do === "close") continue;
            run(it, model);
          }
          while (b.read() !== undefined) {}
          expect(a.checkWrite()).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  function pipeOf(name: End): Pipe {
    return name === "a" ? a : b;
  }

  function run(it: Operation, model: Model): void {
    const pipe = pipeOf(it.end);
    switch (it.do) {
      case "write":
        if (model.ends[it.end]) return;
        for (const size of it.sizes) {
          const room = model.checkWrite(it.end);
          expect(pipe.checkWrite()).toBe(room);
          if (!room) break;
          pipe.write(message(size));
          model.out(it.end).queue.push(size);
        }
        pipe.flush();
        model.flush(it.end);
        return;
      case "force":
        // As a session does whose wire broke: it asks for no room.
        if (model.ends[it.end] || pipe.ended) return;
        for (const size of it.sizes) {
          pipe.write(message(size));
          model.out(it.end).queue.push(size);
        }
        pipe.flush();
        model.flush(it.end);
        return;
      case "inject":
        for (const size of it.sizes) {
          pipe.inject(message(size));
          model.in(it.end).queue.push(size);
        }
        return;
      case "checkRead":
        expect(pipe.checkRead()).toBe(model.in(it.end).queue.length > 0);
        if (!pipe.checkRead()) model.in(it.end).awaitsRead = true;
        return;
      case "listen":
        pipe.listen();
        model.in(it.end).awaitsRead = true;
        return;
      case "read":
        for (let i = 0; i < it.times; i++) {
          const got = pipe.read();
          expect(got === undefined ? undefined : got[0]?.length).toBe(model.read(it.end));
        }
        return;
      case "unread": {
        const direction = model.in(it.end);
        const back = direction.held.splice(Math.max(0, direction.held.length - it.count));
        pipe.unread(back.map((size) => message(size)));
        direction.queue.unshift(...back);
        direction.sinceTold.splice(Math.max(0, direction.sinceTold.length - back.length));
        return;
      }
      case "adopt": {
        const [other, otherPeer] = Pipe.pair(UNBOUND, UNBOUND);
        const silent = { readActivated() {}, writeActivated() {}, pipeEnded() {} };
        other.attach(silent);
        otherPeer.attach(silent);
        for (const size of it.sizes) write(otherPeer, message(size));
        pipe.adopt(other);
        expect(other.length).toBe(0);
        model.in(it.end).queue.unshift(...it.sizes);
        // What was read before can no longer be put back in its place.
        model.in(it.end).held = [];
        return;
      }
      case "marks": {
        pipe.setMarks(it.out, it.back);
        const [out, back] = [model.out(it.end), model.in(it.end)];
        out.marks = it.out;
        back.marks = it.back;
        for (const direction of [out, back]) model.tell(direction);
        return;
      }
      case "end":
        pipe.end();
        model.end(it.end);
        return;
      case "close":
        pipe.close();
        model.in(it.end).queue = [];
        model.in(it.end).held = [];
        model.end(it.end);
        return;
    }
  }
});
