import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Parts } from "../../src/message.js";
import { Distributor, Recipient } from "../../src/socket/dist.js";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";

let dist: Distributor;
/** The names of those whom a message passed by. */
let dropped: string[];
let names: Map<Pipe, string>;

function open(): void {
  dropped = [];
  names = new Map();
  dist = new Distributor((pipe) => dropped.push(names.get(pipe) as string));
}

/** Somebody to whom messages may go, with room for so many; 0: for any amount. */
class Peer {
  readonly name: string;
  readonly recipient: Recipient;
  readonly pipe: Pipe;
  readonly end: Pipe;
  /** Called when there is something to read. */
  onMessage = (): void => {};
  #taken: Parts[] | undefined;

  constructor(name: string, mark: number) {
    this.name = name;
    [this.pipe, this.end] = Pipe.pair({ messages: mark, bytes: 0 }, { messages: 0, bytes: 0 });
    const sink: PipeSink = { readActivated() {}, writeActivated() {}, pipeEnded() {} };
    this.pipe.attach(sink);
    this.end.attach({
      ...sink,
      readActivated: () => this.onMessage(),
      take: (parts) => this.#taken?.push(parts) !== undefined,
    });
    this.recipient = new Recipient(this.pipe);
    names.set(this.pipe, name);
  }

  read(): string | undefined {
    return this.end.read()?.map(String).join("|");
  }

  readAll(): string[] {
    const texts: string[] = [];
    for (let it = this.read(); it !== undefined; it = this.read()) texts.push(it);
    return texts;
  }

  /** Takes messages as they come, as a session does whose wire has room. */
  take(received: Parts[]): void {
    this.#taken = received;
  }
}

function peer(name: string, mark = 0): Peer {
  const peer = new Peer(name, mark);
  dist.attach(peer.recipient);
  return peer;
}

function send(text: string, ...peers: Peer[]): void {
  dist.begin();
  for (const { recipient } of peers) dist.match(recipient);
  dist.send([Buffer.from(text)]);
}

function sendToAll(text: string): void {
  dist.begin();
  dist.matchAll();
  dist.send([Buffer.from(text)]);
}

beforeEach(open);

describe("Distributor", () => {
  it("sends to those whom a message is for, and to nobody else", () => {
    const [a, b, c] = [peer("a"), peer("b"), peer("c")];
    send("1", a, c);
    send("2");
    send("3", b);
    expect([a, b, c].map((peer) => peer.readAll())).toEqual([["1"], ["3"], ["1"]]);
  });

  it("sends once to one that is told of more than once", () => {
    const a = peer("a");
    dist.begin();
    dist.match(a.recipient);
    dist.match(a.recipient);
    expect(dist.matching).toBe(1);
    dist.send([Buffer.from("x")]);
    expect([a.readAll(), dist.matching]).toEqual([["x"], 0]);
  });

  it("forgets whom the last message was for, sent or not", () => {
    const [a, b] = [peer("a"), peer("b")];
    dist.begin();
    dist.match(a.recipient);
    send("x", b);
    expect([a.readAll(), b.readAll()]).toEqual([[], ["x"]]);
  });

  it("can send to those whom the message was not for", () => {
    const [a, b, c] = [peer("a"), peer("b"), peer("c")];
    dist.begin();
    dist.match(b.recipient);
    dist.reverse();
    expect(dist.matching).toBe(2);
    dist.send([Buffer.from("x")]);
    dist.begin();
    dist.reverse();
    dist.send([Buffer.from("all")]);
    expect([a, b, c].map((peer) => peer.readAll())).toEqual([["x", "all"], ["all"], ["x", "all"]]);
  });

  it("passes those by that are full, and tells of each", () => {
    const [a, b] = [peer("a", 1), peer("b")];
    for (const text of ["1", "2", "3"]) sendToAll(text);
    expect(dropped).toEqual(["a", "a"]);
    expect([a.readAll(), b.readAll()]).toEqual([["1"], ["1", "2", "3"]]);
    sendToAll("4");
    expect([a.readAll(), dropped.length]).toEqual([["4"], 2]);
  });

  it("one that has ended misses nothing that it could have had", () => {
    const [a, b] = [peer("a"), peer("b")];
    a.end.close();
    sendToAll("x");
    expect([dropped, b.readAll()]).toEqual([[], ["x"]]);
  });

  it("asks all whom a message is for whether they have room", () => {
    const [a, b, c] = [peer("a", 1), peer("b", 1), peer("c")];
    const told: string[] = [];
    for (const { name, pipe } of [a, b, c]) {
      pipe.attach({ readActivated() {}, writeActivated: () => told.push(name), pipeEnded() {} });
    }
    sendToAll("x");
    dist.begin();
    dist.match(c.recipient);
    expect(dist.checkWrite()).toBe(true);
    dist.match(a.recipient);
    dist.match(b.recipient);
    expect(dist.checkWrite()).toBe(false);
    b.read();
    a.read();
    expect(told).toEqual(["b", "a"]);
    expect([dist.checkWrite(), dropped]).toEqual([true, []]);
  });

  it("knows its recipients, and what waits for them", () => {
    const [a, b] = [peer("a"), peer("b")];
    sendToAll("four");
    expect(dist.depth).toEqual({ messages: 2, bytes: 8 });
    expect([...dist.recipients]).toEqual([a.recipient, b.recipient]);
    expect(dist.get(a.pipe)).toBe(a.recipient);
    dist.detach(a.pipe);
    expect([dist.get(a.pipe), dist.depth.messages]).toEqual([undefined, 1]);
    dist.close();
    expect([[...dist.recipients], dist.depth.messages]).toEqual([[], 0]);
  });
});

describe("what is sent to many", () => {
  it("is the same array for all that take it at once, nothing of it copied", () => {
    const received: Parts[] = [];
    for (const name of ["a", "b"]) peer(name).take(received);
    const parts = [Buffer.from("x")];
    const [part] = parts;
    dist.begin();
    dist.matchAll();
    dist.send(parts);
    expect(received).toHaveLength(2);
    expect(received.every((it) => it === parts && it[0] === part)).toBe(true);
  });

  it.each(["first", "last"])("is independent of the sender if the %s has to wait", (place) => {
    const received: Parts[] = [];
    const [a, b] = [peer("a"), peer("b")];
    const [waiting, reading] = place === "first" ? [a, b] : [b, a];
    reading.take(received);
    const [small, large] = [Buffer.alloc(128, "s"), Buffer.alloc(129, "l")];
    dist.begin();
    dist.matchAll();
    dist.send([small, large]);
    small.fill("x");
    const parts = waiting.end.read() as Parts;
    expect(String(parts[0])).toBe("s".repeat(128));
    // Large ones go by reference.
    expect(parts[1]).toBe(large);
    expect(received).toHaveLength(1);
  });

  it("is an array of its own for each receiver in this process, with small parts of its own", () => {
    const peers = [peer("a"), peer("b"), peer("c")];
    for (const { pipe } of peers) pipe.direct = true;
    const sent = [Buffer.from("x"), Buffer.alloc(0)];
    dist.begin();
    dist.matchAll();
    dist.send(sent);
    const received = peers.map(({ end }) => end.read() as Parts);
    expect(new Set([sent, ...received]).size).toBe(4);
    received[0]?.[0]?.fill("y");
    received[0]?.push(Buffer.from("more"));
    sent[0]?.fill("z");
    expect(received.map((parts) => parts.map(String))).toEqual([
      ["y", "", "more"],
      ["x", ""],
      ["x", ""],
    ]);
  });
});

describe("what happens while a message is sent", () => {
  it("one that ends is passed by", () => {
    const [a, b, c] = [peer("a"), peer("b"), peer("c")];
    a.onMessage = () => {
      b.end.close();
      dist.detach(b.pipe);
    };
    sendToAll("x");
    expect([a, b, c].map((peer) => peer.readAll())).toEqual([["x"], [], ["x"]]);
    expect(dropped).toEqual([]);
  });

  it("one that comes does not get it", () => {
    const a = peer("a");
    const late: Peer[] = [];
    a.onMessage = () => void late.push(peer("late"));
    sendToAll("x");
    expect([a.readAll(), late[0]?.readAll()]).toEqual([["x"], []]);
    sendToAll("y");
    expect([a.readAll(), late[0]?.readAll()]).toEqual([["y"], ["y"]]);
  });

  it("another message goes to all whom it is for", () => {
    const [a, b, c] = [peer("a"), peer("b"), peer("c")];
    a.onMessage = () => {
      if (a.read() === "outer") send("inner", b, a);
    };
    send("outer", a, b);
    expect([b, c].map((peer) => peer.readAll())).toEqual([["inner", "outer"], []]);
  });
});

/** A recipient as lists: what waits, and how much it has read that nobody was told of (see Pipe). */
interface Entry {
  peer: Peer;
  mark: number;
  waiting: string[];
  untold: number;
  ended: boolean;
}

function hasRoom({ mark, waiting, untold, ended }: Entry): boolean {
  return !ended && (mark === 0 || waiting.length + untold < mark);
}

describe("Distributor, whatever peers do", () => {
  const who = fc.nat(5);
  const whom = fc.array(fc.nat(5), { maxLength: 8 });
  const count = fc.nat(4);
  const operation = fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant("attach"), who, whom, count }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("detach"), who, whom, count }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("end"), who, whom, count }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("read"), who, whom, count }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("send"), who, whom, count }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("reverse"), who, whom, count }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("all"), who, whom, count }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("ask"), who, whom, count }) },
  );

  it("sends what a loop over all would send", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: "max" }), (steps) => {
        open();
        let entries: Entry[] = [];
        const expectedDrops: string[] = [];
        for (const [i, { do: what, who, whom, count }] of steps.entries()) {
          const entry = entries[who % Math.max(entries.length, 1)];
          if (what === "attach") {
            if (entries.length < 6) {
              const added = { peer: peer(`p${i}`, count), mark: count, waiting: [] };
              entries.push({ ...added, untold: 0, ended: false });
            }
          } else if (["send", "reverse", "all", "ask"].includes(what)) {
            const chosen = choose(entries, what, whom);
            expect(dist.matching).toBe(chosen.length);
            if (what === "ask") {
              expect(dist.checkWrite()).toBe(chosen.every(hasRoom));
              continue;
            }
            dist.send([Buffer.from(`m${i}`)]);
            for (const it of chosen) {
              if (hasRoom(it)) it.waiting.push(`m${i}`);
              else if (!it.ended) expectedDrops.push(it.peer.name);
            }
          } else if (entry !== undefined) {
            if (what === "read") for (let j = 0; j < count; j++) read(entry);
            if (what === "end") {
              entry.peer.end.close();
              entry.waiting = [];
              entry.ended = true;
            }
            if (what === "detach") {
              dist.detach(entry.peer.pipe);
              entries = entries.filter((other) => other !== entry);
            }
          }
          expect(dropped).toEqual(expectedDrops);
          expect(dist.depth.messages).toBe(entries.flatMap(({ waiting }) => waiting).length);
        }
        for (const { peer, waiting } of entries) expect(peer.readAll()).toEqual(waiting);
      }),
      { numRuns: 200 },
    );
  });

  /** Says whom the next message is for, in the order in which they get it. */
  function choose(entries: Entry[], what: string, whom: number[]): Entry[] {
    dist.begin();
    if (what === "all") {
      dist.matchAll();
      return entries;
    }
    const named = new Set<Entry>();
    for (const index of whom) {
      const entry = entries[index];
      if (entry === undefined) continue;
      dist.match(entry.peer.recipient);
      named.add(entry);
    }
    if (what !== "reverse") return [...named];
    dist.reverse();
    return entries.filter((entry) => !named.has(entry));
  }

  function read(entry: Entry): void {
    const [expected] = entry.waiting.splice(0, 1);
    expect(entry.peer.read()).toBe(expected);
    if (expected === undefined || entry.mark === 0) return;
    entry.untold++;
    if (entry.untold >= Math.floor((entry.mark + 1) / 2)) entry.untold = 0;
  }
});
