import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Parts } from "../../src/message.js";
import { FairQueue } from "../../src/socket/fq.js";
import { Pipe, type PipeSink } from "../../src/socket/pipe.js";

const UNBOUND = { messages: 0, bytes: 0 };
const SILENT: PipeSink = { readActivated() {}, writeActivated() {}, pipeEnded() {} };

let mark: number;
let byteMark: number;
let vacated: number;
let onVacated: () => void;
let fq: FairQueue;

function open(): void {
  mark = 3;
  byteMark = 0;
  vacated = 0;
  onVacated = () => {};
  fq = new FairQueue(
    () => ({ messages: mark, bytes: byteMark }),
    () => {
      vacated++;
      onVacated();
    },
  );
}

/** Somebody who sends numbered messages. */
class Peer {
  readonly name: string;
  readonly pipe: Pipe;
  readonly #end: Pipe;
  sent = 0;

  constructor(name: string) {
    this.name = name;
    [this.#end, this.pipe] = Pipe.pair(UNBOUND, UNBOUND);
    this.#end.attach(SILENT);
    this.pipe.attach({
      readActivated: (pipe) => fq.activated(pipe),
      writeActivated: () => {},
      pipeEnded: (pipe) => fq.ended(pipe),
    });
  }

  send(count = 1): this {
    for (let i = 0; i < count; i++) {
      this.#end.write([Buffer.from(`${this.name}${this.sent++}`)]);
      this.#end.flush();
    }
    return this;
  }

  /** As when its connection is over. */
  leave(): void {
    this.#end.close();
  }

  get over(): boolean {
    return this.#end.ended;
  }
}

/** A peer that the queue knows, and that has sent this much. */
function peer(name: string, count = 0): Peer {
  const peer = new Peer(name);
  fq.attach(peer.pipe);
  return peer.send(count);
}

function receive(): string | undefined {
  return text(fq.receive());
}

function text(parts: Parts | undefined): string | undefined {
  return parts?.map(String).join();
}

/** All that is there. */
function drain(): string[] {
  const texts: string[] = [];
  for (let it = receive(); it !== undefined; it = receive()) texts.push(it);
  return texts;
}

beforeEach(open);

describe("FairQueue", () => {
  it("has nothing to give without peers, and says why", () => {
    expect([receive(), fq.readable, fq.last]).toEqual([undefined, false, undefined]);
    expect(fq.refusal).toEqual({ code: "EAGAIN", waits: true });
    expect(fq.depth).toEqual({ messages: 0, bytes: 0 });
  });

  it("takes one message from each peer in turn", () => {
    for (const name of ["a", "b", "c"]) peer(name, 3);
    const expected = ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"];
    expect(drain()).toEqual(expected);
  });

  it("passes over those who have sent nothing", () => {
    peer("a");
    peer("b", 2);
    peer("c");
    peer("d", 2);
    expect(drain()).toEqual(["b0", "d0", "b1", "d1"]);
  });

  it("serves one that sends again after all others that are ready", () => {
    const a = peer("a", 1);
    peer("b", 2);
    peer("c", 2);
    expect([receive(), receive(), receive(), receive()]).toEqual(["a0", "b0", "c0", "b1"]);
    a.send(2);
    expect(drain()).toEqual(["c1", "a1", "a2"]);
  });

  it("to look whether there is something takes nobody's turn", () => {
    peer("a", 2);
    peer("b", 2);
    const texts: (string | undefined)[] = [];
    while (fq.readable && fq.readable) texts.push(receive());
    expect(texts).toEqual(["a0", "b0", "a1", "b1"]);
    expect(receive()).toBeUndefined();
  });

  it("is told of what comes after it looked in vain", () => {
    const a = peer("a");
    expect(fq.readable).toBe(false);
    a.send();
    expect([fq.readable, receive()]).toEqual([true, "a0"]);
  });

  it("takes what was sent before the peer had its place", () => {
    fq.attach(new Peer("a").send(2).pipe);
    expect(drain()).toEqual(["a0", "a1"]);
  });

  it("says which pipe the last message came from", () => {
    const a = peer("a", 1);
    const b = peer("b", 1);
    receive();
    expect(fq.last).toBe(a.pipe);
    receive();
    expect(fq.last).toBe(b.pipe);
    receive();
    expect(fq.last).toBe(b.pipe);
  });

  it("knows what waits", () => {
    peer("a", 2);
    peer("b", 1);
    expect(fq.depth).toEqual({ messages: 3, bytes: 6 });
    receive();
    expect(fq.depth).toEqual({ messages: 2, bytes: 4 });
  });

  it("forgets what a peer sent whose endpoint is disconnected", () => {
    const a = peer("a", 2);
    peer("b", 2);
    receive();
    fq.detach(a.pipe);
    expect([drain(), a.over, fq.has(a.pipe)]).toEqual([["b0", "b1"], true, false]);
  });

  it("at close ends all pipes, and forgets what was left behind", () => {
    const a = peer("a", 5);
    const b = peer("b", 5);
    b.leave();
    fq.close();
    expect([a.over, drain(), [...fq.pipes], fq.vacant]).toEqual([true, [], [], true]);
    expect(fq.depth).toEqual({ messages: 0, bytes: 0 });
  });
});

describe("what a peer left behind", () => {
  it("is received in its turn", () => {
    const a = peer("a", 2);
    peer("b", 2);
    a.leave();
    expect(fq.has(a.pipe)).toBe(true);
    expect(drain()).toEqual(["a0", "b0", "a1", "b1"]);
    expect([fq.has(a.pipe), a.over]).toEqual([false, true]);
  });

  it("nothing: the peer is forgotten at once", () => {
    const a = peer("a", 1);
    receive();
    a.leave();
    expect([fq.has(a.pipe), a.over, [...fq.pipes]]).toEqual([false, true, []]);
  });

  it("takes the place of another peer once it is as much as a queue may hold", () => {
    peer("a", 2).leave();
    expect(fq.vacant).toBe(true);
    peer("b", 1).leave();
    expect(fq.vacant).toBe(false);
    peer("c", 9);
    expect([receive(), fq.vacant, vacated]).toEqual(["a0", true, 1]);
    drain();
    expect([fq.vacant, vacated]).toEqual([true, 1]);
  });

  it("takes it, too, once it is as many bytes as a queue may hold", () => {
    mark = 0;
    byteMark = 5;
    peer("a", 2).leave();
    expect(fq.vacant).toBe(true);
    const b = peer("b", 1);
    b.leave();
    expect(fq.vacant).toBe(false);
    expect([receive(), fq.vacant, vacated]).toEqual(["a0", true, 1]);
    peer("c", 1).leave();
    expect(fq.vacant).toBe(false);
    fq.detach(b.pipe);
    expect([fq.vacant, vacated]).toEqual([true, 2]);
  });

  it("gives its place away when it is forgotten", () => {
    const a = peer("a", 2);
    const b = peer("b", 2);
    a.leave();
    b.leave();
    expect(fq.vacant).toBe(false);
    fq.detach(a.pipe);
    expect([fq.vacant, vacated]).toEqual([true, 1]);
    expect(drain()).toEqual(["b0", "b1"]);
  });

  it("is received though nobody was told that it had come", () => {
    const [end, pipe] = Pipe.pair(UNBOUND, UNBOUND);
    end.attach(SILENT);
    pipe.attach({ ...SILENT, pipeEnded: () => fq.ended(pipe) });
    fq.attach(pipe);
    expect(receive()).toBeUndefined();
    end.write([Buffer.from("x")]);
    end.close();
    expect(drain()).toEqual(["x"]);
  });

  it("of a peer that never had a place counts for nothing", () => {
    const stranger = new Peer("a").send(5);
    stranger.leave();
    expect([fq.vacant, drain(), fq.has(stranger.pipe)]).toEqual([true, [], false]);
  });

  it("of a peer that is there counts for nothing", () => {
    peer("a", 100);
    expect(fq.vacant).toBe(true);
  });

  it("does not count where queues have no bound", () => {
    mark = 0;
    peer("a", 1000).leave();
    expect(fq.vacant).toBe(true);
    expect([drain().length, vacated]).toEqual([1000, 0]);
  });

  it("is counted as what is left, though the peer goes while it is read from", () => {
    mark = 2;
    for (let round = 0; round < 5; round++) {
      const [end, pipe] = Pipe.pair({ messages: 2, bytes: 0 }, UNBOUND);
      end.attach({ ...SILENT, writeActivated: () => end.close() });
      pipe.attach({ ...SILENT, pipeEnded: () => fq.ended(pipe) });
      fq.attach(pipe);
      for (const text of ["x", "y"]) end.write([Buffer.from(text)]);
      end.flush();
      expect(end.checkWrite()).toBe(false);
      expect(receive()).toBe("x");
      expect(end.over).toBe(true);
      expect(receive()).toBe("y");
    }
    // Two of them are as much as there may be: no more, and no less.
    peer("a", 1).leave();
    expect(fq.vacant).toBe(true);
    peer("b", 1).leave();
    expect(fq.vacant).toBe(false);
  });

  it("lets in another peer from within, who waits for its turn", () => {
    peer("a", 3).leave();
    const waiting = new Peer("b").send(1);
    onVacated = () => fq.attach(waiting.pipe);
    expect(drain()).toEqual(["a0", "a1", "b0", "a2"]);
  });
});

/** A peer as a list, and what the queue does as its documentation says it. */
class Model {
  readonly peers: { peer: Peer; waiting: string[]; departed: boolean }[] = [];
  /** Whose turn it is, and whose then; those who may have something. */
  turns: string[] = [];
  last: string | undefined;
  vacated = 0;

  of(name: string) {
    return this.peers.find(({ peer }) => peer.name === name);
  }

  activate(name: string): void {
    if (!this.turns.includes(name)) this.turns.push(name);
  }

  get vacant(): boolean {
    const left = this.peers.filter(({ departed }) => departed).flatMap(({ waiting }) => waiting);
    const hasBytes = byteMark === 0 || left.join("").length < byteMark;
    return (mark === 0 || left.length < mark) && hasBytes;
  }

  remove(name: string): void {
    this.peers.splice(
      this.peers.findIndex(({ peer }) => peer.name === name),
      1,
    );
    this.turns = this.turns.filter((other) => other !== name);
  }

  /** Passes over those who have nothing. */
  next(): string | undefined {
    while (this.turns.length > 0 && this.of(this.turns[0] as string)?.waiting.length === 0) {
      this.turns.shift();
    }
    return this.turns[0];
  }

  receive(): string | undefined {
    const name = this.next();
    const entry = name === undefined ? undefined : this.of(name);
    if (name === undefined || entry === undefined) return undefined;
    const before = this.vacant;
    this.turns.push(this.turns.shift() as string);
    this.last = name;
    const text = entry.waiting.shift();
    if (entry.departed && entry.waiting.length === 0) this.remove(name);
    if (!before && this.vacant) this.vacated++;
    return text;
  }
}

describe("FairQueue, whatever peers do", () => {
  const who = fc.nat(7);
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant("connect"), who, count: fc.nat(3) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("send"), who, count: fc.nat(5) }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("receive"), who, count: fc.nat(4) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("leave"), who, count: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("detach"), who, count: fc.constant(0) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("look"), who, count: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("mark"), who, count: fc.nat(6) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("bytes"), who, count: fc.nat(20) }) },
  );
  const operations = fc.array(operation, { maxLength: 80, size: "max" });

  /** Does it to the queue and to the model, and tells of what is received and of each step. */
  function run(
    steps: { do: string; who: number; count: number }[],
    received: (text: string, model: Model) => void,
    done: (model: Model) => void = () => {},
  ): Model {
    const model = new Model();
    let names = 0;
    for (const { do: what, who, count } of steps) {
      const entry = model.peers[who % Math.max(model.peers.length, 1)];
      if (what === "connect") {
        const peer = new Peer(`${String.fromCharCode(97 + names++)}-`).send(count);
        const waiting = Array.from({ length: count }, (_, i) => `${peer.name}${i}`);
        fq.attach(peer.pipe);
        model.peers.push({ peer, waiting, departed: false });
        model.activate(peer.name);
      } else if (what === "receive") {
        for (let i = 0; i < count; i++) {
          const expected = model.receive();
          expect(receive()).toBe(expected);
          expect(fq.last).toBe(lastPipe(model));
          if (expected !== undefined) received(expected, model);
        }
      } else if (what === "look") {
        expect(fq.readable).toBe(model.next() !== undefined);
      } else if (what === "mark") {
        mark = count;
      } else if (what === "bytes") {
        byteMark = count;
      } else if (entry !== undefined) {
        change(what, entry, count, model);
      }
      check(model);
      done(model);
    }
    return model;
  }

  /** The pipes of those who are gone are remembered here. */
  const pipes = new Map<string, Pipe>();

  function lastPipe(model: Model): Pipe | undefined {
    for (const { peer } of model.peers) pipes.set(peer.name, peer.pipe);
    return model.last === undefined ? undefined : pipes.get(model.last);
  }

  function change(
    what: string,
    entry: { peer: Peer; waiting: string[]; departed: boolean },
    count: number,
    model: Model,
  ): void {
    const { peer, waiting } = entry;
    pipes.set(peer.name, peer.pipe);
    if (what === "detach") {
      const before = model.vacant;
      fq.detach(peer.pipe);
      model.remove(peer.name);
      if (!before && model.vacant) model.vacated++;
    } else if (entry.departed) {
      return;
    } else if (what === "send") {
      for (let i = 0; i < count; i++) waiting.push(`${peer.name}${peer.sent + i}`);
      peer.send(count);
      if (count > 0) model.activate(peer.name);
    } else {
      peer.leave();
      entry.departed = true;
      if (waiting.length === 0) model.remove(peer.name);
    }
  }

  function check(model: Model): void {
    const waiting = model.peers.flatMap((entry) => entry.waiting);
    expect(fq.depth).toEqual({ messages: waiting.length, bytes: waiting.join("").length });
    expect([...fq.pipes]).toEqual(model.peers.map(({ peer }) => peer.pipe));
    expect([fq.vacant, vacated]).toEqual([model.vacant, model.vacated]);
  }

  beforeEach(() => pipes.clear());

  it("gives what lists that take turns would give", () => {
    fc.assert(
      fc.property(operations, (steps) => {
        open();
        run(steps, () => {});
      }),
      { numRuns: 150 },
    );
  });

  it("serves nobody twice while another waits: so n that are ready within n receives", () => {
    fc.assert(
      fc.property(operations, (steps) => {
        open();
        /** Who waits, and who was served meanwhile. */
        const meanwhile = new Map<string, Set<string>>();
        const note = (model: Model): void => {
          for (const { peer, waiting } of model.peers) {
            if (waiting.length === 0) meanwhile.delete(peer.name);
            else if (!meanwhile.has(peer.name)) meanwhile.set(peer.name, new Set());
          }
          for (const name of meanwhile.keys()) {
            if (model.of(name) === undefined) meanwhile.delete(name);
          }
        };
        const received = (text: string, model: Model): void => {
          const served = `${text.split("-")[0]}-`;
          meanwhile.delete(served);
          for (const others of meanwhile.values()) {
            expect(others).not.toContain(served);
            others.add(served);
          }
          note(model);
        };
        run(steps, received, note);
      }),
      { numRuns: 100 },
    );
  });

  it("loses nothing of those who leave, and keeps the order of each", () => {
    fc.assert(
      fc.property(operations, (steps) => {
        open();
        const received = new Map<string, number>();
        const take = (text: string): void => {
          const [name, number] = text.split("-");
          expect(Number(number)).toBe(received.get(`${name}-`) ?? 0);
          received.set(`${name}-`, Number(number) + 1);
        };
        const everybody = new Map<string, Peer>();
        const kept = steps.filter(({ do: what }) => what !== "detach");
        const model = run(kept, (text, { peers }) => {
          for (const { peer } of peers) everybody.set(peer.name, peer);
          take(text);
        });
        for (const { peer } of model.peers) everybody.set(peer.name, peer);
        for (const text of drain()) take(text);
        for (const peer of everybody.values()) {
          expect(received.get(peer.name) ?? 0).toBe(peer.sent);
        }
        expect(fq.vacant).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
