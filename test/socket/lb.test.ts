import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { LoadBalancer } from "../../src/socket/lb.js";
import { Pipe } from "../../src/socket/pipe.js";

let lb: LoadBalancer;

/** Somebody who is sent messages, and may have room for only so many. */
class Peer {
  readonly pipe: Pipe;
  readonly #end: Pipe;
  readonly received: string[] = [];

  constructor(mark: number) {
    [this.pipe, this.#end] = Pipe.pair({ messages: mark, bytes: 0 }, { messages: 0, bytes: 0 });
    this.#end.attach({ readActivated() {}, writeActivated() {}, pipeEnded() {} });
    this.pipe.attach({
      readActivated: () => {},
      writeActivated: (pipe) => lb.activated(pipe),
      pipeEnded: (pipe) => lb.detach(pipe),
    });
  }

  /** Takes messages that were sent. */
  read(count = Number.POSITIVE_INFINITY): string[] {
    const texts: string[] = [];
    for (let i = 0; i < count; i++) {
      const parts = this.#end.read();
      if (parts === undefined) break;
      texts.push(String(parts[0]));
    }
    this.received.push(...texts);
    return texts;
  }

  /** As when its connection is over. */
  leave(): void {
    this.#end.close();
  }
}

/** A peer with room for this much; 0: for any amount. */
function peer(mark = 0): Peer {
  const peer = new Peer(mark);
  lb.attach(peer.pipe);
  return peer;
}

function send(text: string): boolean {
  return lb.send([Buffer.from(text)]);
}

/** Sends numbered messages, as many as are taken. */
function sendMany(count: number): number {
  let sent = 0;
  while (sent < count && send(String(sent))) sent++;
  return sent;
}

beforeEach(() => {
  lb = new LoadBalancer();
});

describe("LoadBalancer", () => {
  it("takes nothing while nobody is there, and says why", () => {
    expect([lb.writable, send("x"), lb.next]).toEqual([false, false, undefined]);
    expect(lb.refusal).toEqual({ code: "EAGAIN", waits: true });
    expect(lb.depth).toEqual({ messages: 0, bytes: 0 });
  });

  it("gives one message to each in turn, in the order in which they came", () => {
    const peers = [peer(), peer(), peer()];
    expect(sendMany(8)).toBe(8);
    expect(peers.map((peer) => peer.read())).toEqual([
      ["0", "3", "6"],
      ["1", "4", "7"],
      ["2", "5"],
    ]);
  });

  it("passes over those who are full, and takes nothing once all are", () => {
    const peers = [peer(1), peer(3), peer(2)];
    expect(sendMany(10)).toBe(6);
    expect([lb.writable, lb.depth]).toEqual([false, { messages: 6, bytes: 6 }]);
    expect(peers.map((peer) => peer.read())).toEqual([["0"], ["1", "3", "5"], ["2", "4"]]);
  });

  it("lets one that was full take turns again once it has room, after all others", () => {
    const [full, a, b] = [peer(1), peer(), peer()];
    sendMany(4);
    full.read();
    sendMany(6);
    expect(full.read()).toHaveLength(1);
    expect([a.read().length, b.read().length]).toEqual([4, 4]);
  });

  it("one that was full and gives its place up is sent nothing more", () => {
    const [full, other] = [peer(1), peer()];
    sendMany(3);
    full.leave();
    sendMany(3);
    expect([full.pipe.outLength, other.read().length]).toEqual([0, 5]);
  });

  it("to look whether there is room takes nobody's turn", () => {
    const peers = [peer(), peer()];
    for (let i = 0; lb.writable && lb.writable && i < 4; i++) send(String(i));
    expect(peers.map((peer) => peer.read())).toEqual([
      ["0", "2"],
      ["1", "3"],
    ]);
  });

  it("says which pipe the next message goes to", () => {
    const [a, b] = [peer(), peer(1)];
    for (const it of [a, b, a, a]) {
      expect(lb.next).toBe(it.pipe);
      send("x");
    }
  });

  it("copies small parts that have to wait", () => {
    const one = peer();
    const part = Buffer.from("kept");
    lb.send([part]);
    part.fill("x");
    expect(one.read()).toEqual(["kept"]);
  });

  it("forgets one that is detached, and all at close", () => {
    const [a, b] = [peer(), peer()];
    lb.detach(a.pipe);
    lb.activated(a.pipe);
    sendMany(2);
    expect([a.read(), b.read()]).toEqual([[], ["0", "1"]]);
    lb.close();
    expect([lb.writable, send("x")]).toEqual([false, false]);
  });
});

/** A peer as lists: what waits, and what it has read that nobody was told of (see Pipe). */
interface Entry {
  peer: Peer;
  mark: number;
  waiting: string[];
  untold: number;
  received: string[];
  awaitsRoom: boolean;
}

function isFull({ mark, waiting, untold }: Entry): boolean {
  return mark > 0 && waiting.length + untold >= mark;
}

describe("LoadBalancer, whatever peers do", () => {
  const who = fc.nat(7);
  const operation = fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant("connect"), who, count: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("leave"), who, count: fc.constant(0) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("send"), who, count: fc.nat(6) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("read"), who, count: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("look"), who, count: fc.constant(0) }) },
  );
  const operations = fc.array(operation, { maxLength: 80, size: "max" });

  let entries: Entry[];
  /** Whose turn it is, and whose then; those who may have room. */
  let turns: Entry[];

  /** Passes over those who are full. */
  function next(): Entry | undefined {
    while (turns[0] !== undefined && isFull(turns[0])) {
      turns[0].awaitsRoom = true;
      turns.shift();
    }
    return turns[0];
  }

  function connect(mark: number): void {
    const entry = { peer: peer(mark), mark, waiting: [], untold: 0, received: [] };
    entries.push({ ...entry, awaitsRoom: false });
    turns.push(entries.at(-1) as Entry);
  }

  function sendOne(text: string): boolean {
    const entry = next();
    expect(lb.next).toBe(entry?.peer.pipe);
    expect(send(text)).toBe(entry !== undefined);
    if (entry === undefined) return false;
    turns.push(turns.shift() as Entry);
    entry.waiting.push(text);
    return true;
  }

  function readOne(entry: Entry): void {
    const expected = entry.waiting.splice(0, 1);
    expect(entry.peer.read(1)).toEqual(expected);
    entry.received.push(...expected);
    entry.untold += expected.length;
    if (entry.mark === 0 || entry.untold < Math.floor((entry.mark + 1) / 2)) return;
    entry.untold = 0;
    if (!entry.awaitsRoom || isFull(entry)) return;
    entry.awaitsRoom = false;
    turns.push(entry);
  }

  it("gives to whom lists that take turns would give; nothing is lost, doubled, or one too many", () => {
    fc.assert(
      fc.property(operations, (steps) => {
        lb = new LoadBalancer();
        entries = [];
        turns = [];
        const gone: string[] = [];
        let sent = 0;
        for (const { do: what, who, count } of steps) {
          const entry = entries[who % Math.max(entries.length, 1)];
          if (what === "connect") {
            connect(count);
          } else if (what === "send") {
            for (let i = 0; i < count; i++) if (sendOne(String(sent))) sent++;
          } else if (what === "look") {
            expect(lb.writable).toBe(next() !== undefined);
          } else if (entry !== undefined && what === "read") {
            for (let i = 0; i < count; i++) readOne(entry);
          } else if (entry !== undefined) {
            entry.peer.leave();
            entries = entries.filter((other) => other !== entry);
            turns = turns.filter((other) => other !== entry);
            gone.push(...entry.received, ...entry.waiting);
          }
          const waiting = entries.flatMap((entry) => entry.waiting);
          expect(lb.depth.messages).toBe(waiting.length);
          expect(entries.some(({ peer }) => peer.pipe.overfull)).toBe(false);
        }
        for (const { peer } of entries) peer.read();
        const everything = [...gone, ...entries.flatMap(({ peer }) => peer.received)];
        expect(everything.map(Number).sort((a, b) => a - b)).toEqual([...Array(sent).keys()]);
      }),
      { numRuns: 120 },
    );
  });

  it("goes round exactly: those with room differ by one message at the most", () => {
    const peers = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(peers, fc.nat(50), (full, count) => {
        lb = new LoadBalancer();
        const all = full.map((isFull) => peer(isFull ? 1 : 0));
        for (const [i, isFull] of full.entries()) if (isFull) all[i]?.pipe.send([Buffer.from("x")]);
        const ready = all.filter((_, i) => !full[i]);
        expect(sendMany(count)).toBe(ready.length === 0 ? 0 : count);
        for (const [i, peer] of ready.entries()) {
          const expected = [...Array(count).keys()].filter((n) => n % ready.length === i);
          expect(peer.read().map(Number)).toEqual(expected);
        }
        for (const [i, isFull] of full.entries()) if (isFull) expect(all[i]?.read()).toEqual(["x"]);
      }),
      { numRuns: 100 },
    );
  });
});
