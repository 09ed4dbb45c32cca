import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Dealer } from "../../src/socket/dealer.js";
import { Reply } from "../../src/socket/rep.js";
import { Request } from "../../src/socket/req.js";
import { Router } from "../../src/socket/router.js";
import {
  bound,
  drain,
  Events,
  failure,
  maker,
  numbered,
  peers,
  receiveOne,
  Turns,
  texts,
  thrown,
} from "../support/patterns.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const reply = maker(sockets, Reply);
const request = maker(sockets, Request);
const dealer = maker(sockets, Dealer);
const router = maker(sockets, Router);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

const dropped = (socket: Reply): number => socket.stats().total.messagesDropped;

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_spec_rep, fair_queue_in: askers are heard in turn, each gets its own reply", async () => {
    const one = reply();
    const askers = [request(), request(), request(), request(), request()];
    await sockets.join(transport, one, ...askers);
    for (let i = 0; i < 2; i++) {
      await askers[0]?.send("A");
      expect(await receiveOne(one)).toEqual(["A"]);
      await one.send("A");
      expect(await receiveOne(askers[0] as Request)).toEqual(["A"]);
    }
    for (const [i, asker] of askers.entries()) await asker.send(String(i));
    await until(() => one.stats().receive.messages === 5);
    const heard: string[] = [];
    for (let i = 0; i < 5; i++) {
      heard.push(...(await receiveOne(one)));
      await one.send(`to ${heard.at(-1)}`);
    }
    expect(heard.sort()).toEqual(numbered(5));
    for (const [i, asker] of askers.entries()) {
      expect(await receiveOne(asker)).toEqual([`to ${i}`]);
    }
  });

  it("test_spec_rep, fair_queue_in: who asks all the time holds up nobody for more than one question", async () => {
    const one = reply();
    const [loud, quiet] = [dealer(), dealer()];
    await sockets.join(transport, one, loud, quiet);
    for (let i = 0; i < 10; i++) await loud.send(["", "loud"]);
    for (let i = 0; i < 3; i++) await quiet.send(["", "quiet"]);
    await until(() => one.stats().receive.messages === 13);
    const heard: string[] = [];
    for (let i = 0; i < 6; i++) {
      heard.push(...(await receiveOne(one)));
      await one.send("");
    }
    expect(heard.filter((text) => text === "quiet")).toHaveLength(3);
  });

  it("test_spec_rep, envelope: all up to the empty part comes back before the reply", async () => {
    const [one, other] = [reply(), dealer()];
    await sockets.join(transport, one, other);
    for (const envelope of [[""], ["X", "Y", ""], [...numbered(50), ""]]) {
      await other.send([...envelope, "A", "", "B"]);
      expect(await receiveOne(one)).toEqual(["A", "", "B"]);
      await one.send(["C", "", ""]);
      expect(await receiveOne(other)).toEqual([...envelope, "C", "", ""]);
    }
  });

  it("test_reqrep_device: a Router and a Dealer between asker and service", async () => {
    const [front, back, service, asker] = [router(), dealer(), reply(), request()];
    await sockets.join(transport, front, asker);
    await sockets.join(transport, back, service);
    for (let i = 0; i < 3; i++) {
      await asker.send(["ABC", "DEF"]);
      await back.send(await front.receive());
      expect(await receiveOne(service)).toEqual(["ABC", "DEF"]);
      await service.send(["GHI", "JKL"]);
      await front.send(await back.receive());
      expect(await receiveOne(asker)).toEqual(["GHI", "JKL"]);
    }
  });

  it("test_reqrep_ipc, leak: a reply to one who is gone is dropped; the next is served", async () => {
    const [one, gone, other] = [reply(), request(), request()];
    await sockets.join(transport, one, gone, other);
    await gone.send("question");
    expect(await receiveOne(one)).toEqual(["question"]);
    gone.close();
    await until(() => peers(one) === 1);
    expect(one.writable).toBe(true);
    await one.send("to nobody");
    expect(dropped(one)).toBe(1);
    await other.send("next");
    expect(await receiveOne(one)).toEqual(["next"]);
    await one.send("answer");
    expect(await receiveOne(other)).toEqual(["answer"]);
    expect(dropped(one)).toBe(1);
  });

  it("a question of one who is gone is heard; the reply is dropped", async () => {
    const one = reply();
    const gone = request({ linger: -1 });
    await sockets.join(transport, one, gone);
    await gone.send("question");
    await gone[Symbol.asyncDispose]();
    await until(() => one.readable && peers(one) === 0);
    expect(await receiveOne(one)).toEqual(["question"]);
    await one.send("answer");
    expect(dropped(one)).toBe(1);
    expect(thrown(() => one.trySend("again"))).toBe("EFSM");
  });

  it("what is no question is skipped: no empty part, or nothing behind it", async () => {
    const [one, other] = [reply(), dealer()];
    await sockets.join(transport, one, other);
    for (const parts of [["x"], ["x", "y"], [""], ["x", ""], ["x", "y", ""]]) {
      await other.send(parts);
    }
    await other.send(["", "question"]);
    expect(await receiveOne(one)).toEqual(["question"]);
    await one.send("answer");
    expect(await receiveOne(other)).toEqual(["", "answer"]);
    expect(one.tryReceive()).toBeUndefined();
  });

  describe("out of turn", () => {
    it("send before a question: EFSM, or it waits and answers the next one", async () => {
      const [one, other] = [reply({ sendTimeout: 0 }), request()];
      await sockets.join(transport, one, other);
      expect([thrown(() => one.trySend("x")), one.writable]).toEqual(["EFSM", false]);
      await expect(one.send("x")).rejects.toEqual(failure("EFSM"));
      one.sendTimeout = 20;
      await expect(one.send("x")).rejects.toEqual(failure("EFSM"));
      one.sendTimeout = -1;
      const sent = one.send("answer");
      await other.send("question");
      expect(await receiveOne(one)).toEqual(["question"]);
      await sent;
      expect(await receiveOne(other)).toEqual(["answer"]);
    });

    it("receive before the reply: EFSM, or it waits until that was sent", async () => {
      const [one, other] = [reply({ receiveTimeout: 0 }), dealer()];
      await sockets.join(transport, one, other);
      await other.send(["", "first"]);
      await other.send(["", "second"]);
      await until(() => one.stats().receive.messages === 2);
      await one.receive();
      expect([thrown(() => one.tryReceive()), one.readable]).toEqual(["EFSM", false]);
      await expect(one.receive()).rejects.toEqual(failure("EFSM"));
      one.receiveTimeout = 20;
      await expect(one.receive()).rejects.toEqual(failure("EFSM"));
      one.receiveTimeout = -1;
      const received = one.receive();
      await one.send("to the first");
      expect(String(await received)).toBe("second");
      expect(await receiveOne(other)).toEqual(["", "to the first"]);
    });

    it("no question yet: EAGAIN, for it is receive's turn", async () => {
      const one = reply({ receiveTimeout: 0 });
      await bound(sockets, transport, one);
      expect(one.tryReceive()).toBeUndefined();
      await expect(one.receive()).rejects.toEqual(failure("EAGAIN"));
      one.receiveTimeout = 20;
      await expect(one.receive()).rejects.toEqual(failure("EAGAIN"));
    });
  });

  it("disconnect before the reply: it is dropped, and the other end hears nothing", async () => {
    const [one, other] = [reply(), dealer()];
    await sockets.join(transport, other, one);
    await other.send(["", "first"]);
    await one.receive();
    await one.send("to the first");
    await until(() => other.readable);
    await other.send(["", "second"]);
    await one.receive();
    one.disconnect(other.lastEndpoint as string);
    await one.send("to the second");
    await until(() => peers(other) === 0);
    expect(drain(other)).toEqual([["", "to the first"]]);
    expect([dropped(one), other.stats().receive.messages]).toEqual([1, 0]);
  });

  it("the reply is dropped if the asker has no room for it, and counted; then it goes on", async () => {
    const one = reply({ sendHighWaterMark: 1 });
    const other = dealer({ receiveHighWaterMark: 1 });
    const events = new Events(one);
    await sockets.join(transport, one, other);
    const body = Buffer.alloc(200_000);
    const ask = async (answer: string | Buffer) => {
      await other.send(["", "question"]);
      await one.receive();
      await one.send(answer);
      await turns(3);
    };
    let sent = 0;
    for (; dropped(one) < 3; sent++) await ask(body);
    const heard = sent - 3;
    for (let i = 0; i < heard; i++) expect((await other.receive())[1]).toHaveLength(body.length);
    await until(() => one.stats().send.messages === 0);
    await ask("answer");
    expect(await receiveOne(other)).toEqual(["", "answer"]);
    expect(dropped(one)).toBe(3);
    // Of inproc endpoints no event tells.
    if (transport === "inproc") return;
    expect(events.of("drop").map(({ address }) => address)).toEqual([one.lastEndpoint]);
    while (dropped(one) < 5) await ask(body);
    expect(events.of("drop")).toHaveLength(2);
  });
});

/**
 * The state machine, as its table has it:
 *
 *   listening  receive: the next question, and is asked     send: EFSM
 *   asked      send: to who asked, and is listening         receive: EFSM
 *
 * A call that may wait does so until its turn has come, and there is a question.
 */
describe("any sequence of calls, questions, arrivals and departures", () => {
  const ENVELOPES = [[], ["a"], ["a", "b"]];
  const OTHERS = [["x"], ["x", "y"], [""], ["x", ""]];
  const timeoutMs = fc.constantFrom(0, -1);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ do: "trySend" } as const) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("send" as const), timeoutMs }) },
    { weight: 3, arbitrary: fc.constant({ do: "tryReceive" } as const) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("receive" as const), timeoutMs }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("ask" as const),
        peer: fc.nat(5),
        envelope: fc.constantFrom(...ENVELOPES),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("say" as const),
        peer: fc.nat(5),
        parts: fc.constantFrom(...OTHERS),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ do: "come" } as const) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("go" as const), peer: fc.nat(5) }) },
  );

  /** A peer, and what it said that was not looked at yet. */
  class Peer {
    readonly socket: Dealer;
    readonly queue: string[][] = [];
    gone = false;

    constructor(name: string) {
      this.socket = dealer();
      this.socket.connect(name);
    }
  }

  class Model {
    readonly peers: Peer[] = [];
    readonly #listening = new Turns<Peer>();
    #asker: Peer | undefined;
    #envelope: string[] = [];
    dropped = 0;

    come(peer: Peer): void {
      this.peers.push(peer);
      this.#listening.activate(peer);
    }

    go(peer: Peer): void {
      peer.gone = true;
      this.peers.splice(this.peers.indexOf(peer), 1);
    }

    say(peer: Peer, parts: string[]): void {
      expect(peer.socket.trySend(parts)).toBe(true);
      peer.queue.push(parts);
      this.#listening.activate(peer);
    }

    get asked(): boolean {
      return this.#asker !== undefined;
    }

    receive(): string[] | undefined {
      while (!this.asked) {
        const next = this.#listening.next((it) => {
          const parts = it.queue.shift();
          return parts && { from: it, parts };
        });
        if (next === undefined) return undefined;
        const start = next.parts.indexOf("") + 1;
        if (start === 0 || start === next.parts.length) continue;
        this.#asker = next.from;
        this.#envelope = next.parts.slice(0, start);
        return next.parts.slice(start);
      }
      return undefined;
    }

    /** Whether it was this call's turn; looks whether the asker has the reply. */
    send(text: string): boolean {
      const asker = this.#asker;
      if (asker === undefined) return false;
      this.#asker = undefined;
      if (asker.gone) this.dropped++;
      else expect(drain(asker.socket)).toEqual([[...this.#envelope, text]]);
      // A call that waits for its turn to receive may have it now.
      this.#listening.look((it) => it.queue.length > 0);
      return true;
    }
  }

  it("the calls do what the table says", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 50 }), async (steps) => {
        const one = reply();
        const name = sockets.endpoint("inproc");
        one.bindSync(name);
        const model = new Model();
        /** Calls that wait, and how calls ended. */
        let sending: string | undefined;
        let receiving = false;
        const ended: unknown[] = [];
        const expected: unknown[] = [];
        const follow = (promise: Promise<unknown>): void => {
          promise.then(
            (parts) => ended.push(parts === undefined ? "sent" : texts(parts as Buffer[])),
            (error) => ended.push(error.code),
          );
        };
        /** What those who wait get done, now that something has changed. */
        const settle = (): void => {
          for (;;) {
            const body = receiving ? model.receive() : undefined;
            if (body !== undefined) {
              receiving = false;
              expected.push(body);
            } else if (sending !== undefined && model.send(sending)) {
              sending = undefined;
              expected.push("sent");
            } else return;
          }
        };
        for (const [i, it] of steps.entries()) {
          const text = `message ${i}`;
          const peer = "peer" in it ? model.peers[it.peer % model.peers.length] : undefined;
          if (it.do === "come") {
            model.come(new Peer(name));
          } else if (it.do === "go" && peer !== undefined) {
            peer.socket.close();
            model.go(peer);
          } else if (it.do === "ask" && peer !== undefined) {
            model.say(peer, [...it.envelope, "", text]);
          } else if (it.do === "say" && peer !== undefined) {
            model.say(peer, it.parts);
          } else if (it.do === "trySend") {
            const code = thrown(() => one.trySend(text));
            if (sending !== undefined) expect(code).toBe("EBUSY");
            else expect(code).toBe(model.send(text) ? undefined : "EFSM");
          } else if (it.do === "send" && sending === undefined) {
            one.sendTimeout = it.timeoutMs;
            follow(one.send(text));
            if (model.send(text)) expected.push("sent");
            else if (it.timeoutMs === 0) expected.push("EFSM");
            else sending = text;
          } else if (it.do === "tryReceive") {
            let result: Buffer[] | undefined;
            const code = thrown(() => {
              result = one.tryReceive();
            });
            if (receiving) expect(code).toBe("EBUSY");
            else if (model.asked) expect(code).toBe("EFSM");
            else expect([code, result && texts(result)]).toEqual([undefined, model.receive()]);
          } else if (it.do === "receive" && !receiving) {
            one.receiveTimeout = it.timeoutMs;
            const asked = model.asked;
            const body = model.receive();
            follow(one.receive());
            if (body !== undefined) expected.push(body);
            else if (it.timeoutMs === 0) expected.push(asked ? "EFSM" : "EAGAIN");
            else receiving = true;
          }
          // Who waits may go on in a later turn.
          await turns(3);
          settle();
          // Of two that end together either may be first.
          expect(ended.splice(0).sort()).toEqual(expected.splice(0).sort());
          expect(dropped(one)).toBe(model.dropped);
        }
        const left: string[] = [];
        if (receiving) left.push(model.asked ? "EFSM" : "EAGAIN");
        if (sending !== undefined) left.push("EFSM");
        one.close();
        for (const { socket } of model.peers) socket.close();
        await turns(1);
        expect(ended).toEqual(left);
      }),
      { numRuns: 150 },
    );
  });
});
