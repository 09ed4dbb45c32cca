import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
// biome-ignore lint/suspicious/noShadowRestrictedNames: npm zeromq's name for it.
import { Proxy } from "../../src/socket/proxy.js";
import { Reply } from "../../src/socket/rep.js";
import { Request } from "../../src/socket/req.js";
import { Router } from "../../src/socket/router.js";
import {
  bound,
  Events,
  failure,
  maker,
  peers,
  receiveOne,
  Turns,
  texts,
  thrown,
  vacant,
} from "../support/patterns.js";
import { freePort, LOOPBACKS } from "../support/ports.js";
import { Sockets, TRANSPORTS, turns, until } from "../support/sockets.js";

const sockets = new Sockets();
const request = maker(sockets, Request);
const reply = maker(sockets, Reply);
const router = maker(sockets, Router);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

/** A question and its answer, of several parts each. */
async function bounce(asker: Request, server: Reply): Promise<void> {
  await asker.send(["ABC", "", "DEF"]);
  expect(await receiveOne(server)).toEqual(["ABC", "", "DEF"]);
  await server.send(["", "GHI"]);
  expect(await receiveOne(asker)).toEqual(["", "GHI"]);
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  describe("test_spec_req", () => {
    it("round_robin_out: the services are asked in the order in which they came", async () => {
      const one = request();
      const services = [reply(), reply(), reply(), reply(), reply()];
      await sockets.join(transport, one, ...services);
      for (const service of [...services, ...services]) await bounce(one, service);
    });

    it("req_message_format: an empty part, then the request; so the reply", async () => {
      const [one, other] = [router(), request()];
      await sockets.join(transport, one, other);
      await other.send(["ABC", "DEF"]);
      const [id, ...parts] = await one.receive();
      expect(texts(parts)).toEqual(["", "ABC", "DEF"]);
      await one.send([id as Buffer, "", "GHI"]);
      expect(await receiveOne(other)).toEqual(["GHI"]);
    });

    it("req_only_listens_to_current_peer: replies of others are dropped", async () => {
      const one = request({ routingId: "A" });
      const routers = [router(), router(), router()];
      for (const peer of routers) peer.mandatory = true;
      await sockets.join(transport, one, ...routers);
      for (const asked of [...routers, ...routers]) {
        await one.send("ABC");
        expect(await receiveOne(asked)).toEqual(["A", "", "ABC"]);
        for (const peer of routers) {
          if (peer !== asked) await peer.send(["A", "", "WRONG"]);
        }
        await until(() => one.stats().receive.messages === 2);
        expect(one.tryReceive()).toBeUndefined();
        await asked.send(["A", "", "GOOD"]);
        expect(await receiveOne(one)).toEqual(["GOOD"]);
      }
    });

    it("block_on_send_no_peers: EAGAIN, or waits for a peer", async () => {
      const one = request({ sendTimeout: 0 });
      expect([one.trySend(""), one.writable]).toEqual([false, false]);
      await expect(one.send("")).rejects.toEqual(failure("EAGAIN"));
      one.sendTimeout = 20;
      await expect(one.send("")).rejects.toEqual(failure("EAGAIN"));
      one.sendTimeout = -1;
      const sent = one.send("waited");
      const other = reply();
      one.connect(await bound(sockets, transport, other));
      await sent;
      expect(await receiveOne(other)).toEqual(["waited"]);
    });
  });

  it(`test_reqrep_${transport}: question and answer, again and again`, async () => {
    const [one, other] = [reply(), request()];
    await sockets.join(transport, one, other);
    for (let i = 0; i < 20; i++) await bounce(other, one);
    other.disconnect(one.lastEndpoint as string);
    await one.unbind(one.lastEndpoint as string);
    await until(() => peers(one) === 0);
    expect([other.trySend("x"), other.writable]).toEqual([false, false]);
  });

  describe("test_req_relaxed", () => {
    /** A socket that asks five services in turn. */
    async function relaxed(): Promise<[Request, Reply, Reply, Reply, Reply, Reply]> {
      const one = request({ relaxed: true, correlate: true });
      const services = [reply(), reply(), reply(), reply(), reply()] as const;
      await sockets.join(transport, one, ...services);
      return [one, ...services];
    }

    async function ask(one: Request, service: Reply, text: string): Promise<void> {
      expect(one.writable).toBe(true);
      await one.send(text);
      expect(await receiveOne(service)).toEqual([text]);
    }

    it("case 1: of two requests in a row only the second is answered", async () => {
      const [one, first, second, third] = await relaxed();
      await ask(one, first, "AB");
      await ask(one, second, "CD");
      await first.send("WRONG");
      await until(() => one.readable);
      expect(one.tryReceive()).toBeUndefined();
      await second.send("OK");
      expect(await receiveOne(one)).toEqual(["OK"]);
      await ask(one, third, "E");
      await third.send(["F", "G"]);
      expect(await receiveOne(one)).toEqual(["F", "G"]);
    });

    it("case 2: a reply that has come already is none to the next request", async () => {
      const [one, first, second] = await relaxed();
      await ask(one, first, "H");
      await first.send("BAD");
      await until(() => one.readable);
      await ask(one, second, "I");
      await second.send("GOOD");
      expect(await receiveOne(one)).toEqual(["GOOD"]);
    });

    it("case 3: two requests in a row end no connection", async () => {
      const [one, ...services] = await relaxed();
      for (const service of [...services, ...services]) {
        await ask(one, service, "J");
        await service.send("late");
      }
      expect(peers(one)).toBe(5);
    });

    it("case 4: of requests that waited for a server the last one's answer is taken", async () => {
      const one = request({ relaxed: true, correlate: true, reconnectInterval: 10 });
      const endpoint = await vacant(sockets, transport);
      one.connect(endpoint);
      await one.send("TO_BE_DISCARDED");
      await one.send("TO_BE_ANSWERED");
      const server = router();
      await server.bind(endpoint);
      for (let i = 0; i < 2; i++) await server.send(await server.receive());
      expect(await receiveOne(one)).toEqual(["TO_BE_ANSWERED"]);
    });

    it("a receive that waits gets the answer to the request that was sent last", async () => {
      const [one, first, second] = await relaxed();
      await ask(one, first, "1");
      const received = one.receive();
      await ask(one, second, "2");
      await first.send("first");
      await second.send("second");
      expect(String(await received)).toBe("second");
    });
  });

  it("test_req_correlate: four octets stand before the request; a reply with others is dropped", async () => {
    const one = router();
    const other = request({ correlate: true });
    await sockets.join(transport, one, other);
    const numbers = new Set<string>();
    for (let i = 0; i < 5; i++) {
      await other.send(["ABC", "DEF"]);
      const [peer, id, ...parts] = (await one.receive()) as [Buffer, Buffer, ...Buffer[]];
      expect([id.length, ...texts(parts)]).toEqual([4, "", "ABC", "DEF"]);
      numbers.add(id.toString("hex"));
      const bad = Buffer.from(id);
      bad[3] = (id[3] as number) ^ 1;
      await one.send([peer, bad, "", "DATA"]);
      await one.send([peer, "", "DATA"]);
      await one.send([peer, id, "", "GHI"]);
      expect(await receiveOne(other)).toEqual(["GHI"]);
    }
    expect(numbers.size).toBe(5);
  });

  it("a second answer to one question is not received, nor taken for one to the next", async () => {
    const [one, other] = [router(), request({ routingId: "A" })];
    await sockets.join(transport, one, other);
    for (let i = 0; i < 3; i++) {
      await other.send("question");
      await one.receive();
      for (const text of ["answer", "another"]) await one.send(["A", "", `${text} ${i}`]);
      expect(await receiveOne(other)).toEqual([`answer ${i}`]);
      await until(() => other.stats().receive.messages === 1);
      expect([other.readable, thrown(() => other.tryReceive())]).toEqual([false, "EFSM"]);
    }
  });

  it("a Reply returns the number of a request", async () => {
    const one = reply();
    const other = request({ correlate: true });
    await sockets.join(transport, one, other);
    for (let i = 0; i < 3; i++) await bounce(other, one);
  });

  describe("out of turn", () => {
    it("receive before any request: EFSM, or it waits for the answer to the next one", async () => {
      const [one, other] = [reply(), request({ receiveTimeout: 0 })];
      await sockets.join(transport, one, other);
      expect([thrown(() => other.tryReceive()), other.readable]).toEqual(["EFSM", false]);
      await expect(other.receive()).rejects.toEqual(failure("EFSM"));
      other.receiveTimeout = 20;
      await expect(other.receive()).rejects.toEqual(failure("EFSM"));
      other.receiveTimeout = -1;
      const received = other.receive();
      await other.send("question");
      await one.receive();
      await one.send("answer");
      expect(String(await received)).toBe("answer");
    });

    it("send before the answer: EFSM, or it waits until that was received", async () => {
      const [one, other] = [reply(), request({ sendTimeout: 0 })];
      await sockets.join(transport, one, other);
      await other.send("first");
      expect([thrown(() => other.trySend("x")), other.writable]).toEqual(["EFSM", false]);
      await expect(other.send("x")).rejects.toEqual(failure("EFSM"));
      other.sendTimeout = 20;
      await expect(other.send("x")).rejects.toEqual(failure("EFSM"));
      other.sendTimeout = -1;
      const sent = other.send("second");
      expect(await receiveOne(one)).toEqual(["first"]);
      await one.send("to the first");
      await until(() => other.readable);
      expect(one.tryReceive()).toBeUndefined();
      expect(await receiveOne(other)).toEqual(["to the first"]);
      await sent;
      expect(await receiveOne(one)).toEqual(["second"]);
    });

    it("a question without an answer yet: EAGAIN, for it is receive's turn", async () => {
      const [one, other] = [reply(), request({ receiveTimeout: 0 })];
      await sockets.join(transport, one, other);
      await other.send("question");
      expect(other.tryReceive()).toBeUndefined();
      await expect(other.receive()).rejects.toEqual(failure("EAGAIN"));
      other.receiveTimeout = 20;
      await expect(other.receive()).rejects.toEqual(failure("EAGAIN"));
      other.receiveTimeout = -1;
      await one.receive();
      await one.send("answer");
      expect(await receiveOne(other)).toEqual(["answer"]);
    });
  });

  describe("the peer that was asked goes", () => {
    /** Two peers that may be asked, the first of them next. */
    async function two(): Promise<[Request, Router, Router]> {
      const one = request({ routingId: "A" });
      const [first, second] = [router({ linger: -1 }), router()];
      await sockets.join(transport, one, first, second);
      await one.send("question");
      await first.receive();
      return [one, first, second];
    }

    it("its answer is still received", async () => {
      const [one, first, second] = await two();
      await first.send(["A", "", "answer"]);
      await first[Symbol.asyncDispose]();
      await until(() => peers(one) === 1);
      await second.send(["A", "", "wrong"]);
      await until(() => one.stats().receive.messages === 2);
      expect(await receiveOne(one)).toEqual(["answer"]);
    });

    it("without an answer: anybody's will do, as with libzmq", async () => {
      const [one, first, second] = await two();
      first.close();
      await until(() => peers(one) === 1);
      expect([thrown(() => one.trySend("x")), one.tryReceive()]).toEqual(["EFSM", undefined]);
      await second.send(["A", "", "for the other"]);
      expect(await receiveOne(one)).toEqual(["for the other"]);
      await one.send("next");
      expect(await receiveOne(second)).toEqual(["A", "", "next"]);
    });

    it("relaxed: a question that waits is asked", async () => {
      const [one, , second] = await two();
      const asked = one.send("again");
      one.relaxed = true;
      await asked;
      expect(await receiveOne(second)).toEqual(["A", "", "again"]);
    });

    it("relaxed: the next may be asked", async () => {
      const [one, first, second] = await two();
      first.close();
      await until(() => peers(one) === 1);
      one.relaxed = true;
      await one.send("again");
      expect(await receiveOne(second)).toEqual(["A", "", "again"]);
    });
  });

  it("an answer that comes before the question's send is over is received by a call that waited", async () => {
    const [one, other] = [router(), request()];
    await sockets.join("inproc", one, other);
    const proxy = new Proxy(one, one);
    const done = proxy.run();
    for (const relaxed of [false, true]) {
      other.relaxed = relaxed;
      const answer = receiveOne(other);
      await other.send("question");
      expect(await answer).toEqual(["question"]);
    }
    proxy.terminate();
    await done;
  });

  it("disconnect forgets an answer that was not received; the question may be asked anew if relaxed", async () => {
    const [one, other] = [reply(), request({ relaxed: true })];
    await sockets.join(transport, one, other);
    const endpoint = one.lastEndpoint as string;
    await other.send("question");
    await one.receive();
    await one.send("answer");
    await until(() => other.readable);
    other.disconnect(endpoint);
    expect([other.readable, other.tryReceive(), other.trySend("x")]).toEqual([
      false,
      undefined,
      false,
    ]);
    other.connect(endpoint);
    await bounce(other, one);
  });
});

it("an answer that comes before the question's send is over is received, though another peer was asked before", async () => {
  const [silent, echo, one] = [
    router(),
    router(),
    request({ relaxed: true, receiveTimeout: 5000 }),
  ];
  await sockets.join("inproc", silent, one);
  await sockets.join("inproc", echo);
  one.connect(echo.lastEndpoint as string);
  const proxy = new Proxy(echo, echo);
  const done = proxy.run();
  try {
    // Each round has turns of its own: with time left in them, who waits is told within the send.
    for (let i = 0; i < 20; i++) {
      await one.send("unanswered");
      const answer = receiveOne(one);
      await turns(1);
      await one.send("question");
      expect(await answer).toEqual(["question"]);
      expect(thrown(() => one.tryReceive())).toBe("EFSM");
    }
  } finally {
    proxy.terminate();
    await done;
  }
});

it("test_invalid_rep: over inproc replies that are none are dropped", async () => {
  const [one, other] = [router(), request()];
  await sockets.join("inproc", one, other);
  await other.send("r");
  const [id] = (await one.receive()) as [Buffer];
  for (const parts of [[], [""], ["b"], ["b", ""], ["b", "", "b"], ["", "b"]]) {
    await one.send([id, ...parts]);
  }
  expect(String(other.tryReceive())).toBe("b");
  expect(thrown(() => other.tryReceive())).toBe("EFSM");
});

describe.each(["ipc", "tcp"] as const)("over %s", (transport) => {
  it.each([[["b"]], [[""]], [["b", ""]], [["b", "", "b"]], [["1234", "b"]], [["1234", ""]]])(
    "test_invalid_rep: a peer that replies %j is disconnected",
    async (parts) => {
      const one = router();
      const other = request({ reconnectInterval: 10, relaxed: true });
      const events = new Events(other);
      await sockets.join(transport, one, other);
      await other.send("question");
      const [id] = (await one.receive()) as [Buffer];
      await one.send([id, ...parts]);
      const { error } = await events.seen("handshake:error:protocol");
      expect([error.code, error.message]).toEqual([
        "ERR_ZMTP_MALFORMED_MESSAGE",
        "ZMTP protocol error",
      ]);
      await events.seen("handshake", 2);
      await other.send("again");
      const [next] = (await one.receive()) as [Buffer];
      await one.send([next, "", "answer"]);
      expect(await receiveOne(other)).toEqual(["answer"]);
    },
  );

  it("test_monitor: a Router's events say what the Request is called", async () => {
    const one = router();
    const events = new Events(one);
    const other = request({ routingId: "asker" });
    await sockets.join(transport, one, other);
    other.close();
    for (const type of ["handshake", "disconnect"] as const) {
      expect(String((await events.seen(type)).routingId)).toBe("asker");
    }
  });
});

describe("test_reqrep_tcp", () => {
  const HOSTS = LOOPBACKS.map((ip) => (ip === "::1" ? "[::1]" : ip));

  describe.each(HOSTS)("%s", (host) => {
    const ipv6 = host !== "127.0.0.1";

    async function server(): Promise<[Reply, string]> {
      const socket = reply({ ipv6 });
      await socket.bind(`tcp://${host}:*`);
      return [socket, socket.lastEndpoint as string];
    }

    /** The endpoint, to be connected to from a port. */
    function from(port: number, endpoint: string): string {
      return `tcp://${host}:${port};${endpoint.slice("tcp://".length)}`;
    }

    it("single_connect, multi_connect: services take turns, wherever they are connected from", async () => {
      const servers = [await server(), await server(), await server()];
      const one = request({ ipv6 });
      const port = await freePort();
      const endpoints = servers.map(([, it], i) => (i < 2 ? it : from(port, it)));
      for (const endpoint of endpoints) {
        one.connect(endpoint);
      }
      await until(() => peers(one) === 3);
      expect(servers[2]?.[0].stats().peers[0]?.address).toBe(`tcp://${host}:${port}`);
      for (let i = 0; i < 7; i++) await bounce(one, (servers[i % 3] as [Reply, string])[0]);
      for (const endpoint of endpoints) one.disconnect(endpoint);
      for (const [socket, endpoint] of servers) await socket.unbind(endpoint);
      expect(one.writable).toBe(false);
    });

    it("multi_connect_same_port: two connections may come from one port", async () => {
      const [first, second] = [await server(), await server()];
      const [one, other] = [request({ ipv6 }), request({ ipv6 })];
      const [a, b] = [await freePort(), await freePort()];
      one.connect(from(a, first[1]));
      one.connect(from(b, second[1]));
      other.connect(from(b, first[1]));
      other.connect(from(a, second[1]));
      await until(() => peers(one) === 2 && peers(other) === 2);
      for (const asker of [one, other, one]) {
        await bounce(asker, first[0]);
        await bounce(asker, second[0]);
      }
    });
  });
});

it("a loop of questions does not hold up timers", async () => {
  const [one, other] = [reply(), request()];
  await sockets.join("inproc", one, other);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  void (async () => {
    for await (const parts of one) await one.send(parts);
  })().catch(() => {});
  while (ticks < 5) {
    await other.send("x");
    await other.receive();
  }
  clearInterval(timer);
  expect(ticks).toBe(5);
});

/**
 * The state machine, as its table has it:
 *
 *   idle     send: asks the next peer, and is waiting     receive: EFSM
 *   waiting  send: EFSM; if relaxed, as when idle         receive: the asked peer's reply, and is idle
 *
 * A call that may wait does so until its turn has come, and there is a peer, or a reply.
 */
describe("any sequence of calls, answers, arrivals and departures", () => {
  const KINDS = ["good", "old", "other number", "no delimiter", "no body", "two parts"] as const;
  const timeoutMs = fc.constantFrom(0, -1);
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ do: "trySend" } as const) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("send" as const), timeoutMs }) },
    { weight: 3, arbitrary: fc.constant({ do: "tryReceive" } as const) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("receive" as const), timeoutMs }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("answer" as const),
        peer: fc.nat(5),
        kind: fc.constantFrom(...KINDS),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant("asked answers" as const) }),
    },
    { weight: 2, arbitrary: fc.constant({ do: "come" } as const) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("go" as const), peer: fc.nat(5) }) },
  );

  /** A peer: what it has been asked, and what it said that was not looked at yet. */
  class Peer {
    readonly socket: Router;
    readonly envelopes: Buffer[][] = [];
    readonly queue: Buffer[][] = [];
    gone = false;

    constructor(name: string) {
      this.socket = router();
      this.socket.connect(name);
    }

    /** What it says: an answer to its last request, or something else. */
    answer(kind: (typeof KINDS)[number], text: string): Buffer[] {
      const body = Buffer.from(text);
      const last = this.envelopes.at(-1) ?? [Buffer.alloc(0)];
      if (kind === "good") return [...last, body];
      if (kind === "old") return [...(this.envelopes.at(-2) ?? last), body];
      if (kind === "other number") return [Buffer.from("four"), Buffer.alloc(0), body];
      if (kind === "no delimiter") return [body];
      return kind === "no body" ? last : [...last, body, body];
    }

    say(parts: Buffer[]): void {
      expect(this.socket.trySend(["Q", ...parts])).toBe(true);
      this.queue.push(parts);
    }
  }

  class Model {
    readonly correlate: boolean;
    readonly relaxed: boolean;
    readonly peers: Peer[] = [];
    readonly #asking = new Turns<Peer>();
    readonly #listening = new Turns<Peer>();
    #waiting = false;
    #number: Buffer | undefined;
    asked: Peer | undefined;

    constructor(correlate: boolean, relaxed: boolean) {
      this.correlate = correlate;
      this.relaxed = relaxed;
    }

    come(peer: Peer): void {
      this.peers.push(peer);
      this.#asking.activate(peer);
      this.#listening.activate(peer);
    }

    go(peer: Peer): void {
      peer.gone = true;
      this.peers.splice(this.peers.indexOf(peer), 1);
      this.#asking.delete(peer);
      this.#forgetLost();
    }

    said(peer: Peer): void {
      this.#listening.activate(peer);
    }

    get maySend(): boolean {
      return !this.#waiting || this.relaxed;
    }

    get mayReceive(): boolean {
      return this.#waiting;
    }

    /** Sends; whom it asked, if it could ask anybody. */
    send(text: string): Peer | undefined {
      const peer = this.maySend ? this.#asking.next((it) => it) : undefined;
      if (peer === undefined) return undefined;
      while (this.#listening.next((it) => it.queue.shift()) !== undefined);
      const parts = peer.socket.tryReceive() ?? [];
      const envelope = parts.slice(1, -1);
      expect([parts[0], parts.at(-1), envelope.at(-1)].map(String)).toEqual(["Q", text, ""]);
      expect(envelope.length).toBe(this.correlate ? 2 : 1);
      if (this.correlate) {
        expect(envelope[0]).toHaveLength(4);
        expect(envelope[0]).not.toEqual(this.#number);
        this.#number = envelope[0];
      }
      peer.envelopes.push(envelope);
      this.#waiting = true;
      this.asked = peer;
      return peer;
    }

    receive(): string[] | undefined {
      if (!this.#waiting) return undefined;
      const body = this.#reply();
      if (body === undefined) {
        this.#forgetLost();
        return undefined;
      }
      this.#waiting = false;
      this.asked = undefined;
      return texts(body);
    }

    /** Takes messages until one is a reply; what is behind its envelope. */
    #reply(): Buffer[] | undefined {
      for (;;) {
        const next = this.#listening.next((it) => {
          const parts = it.queue.shift();
          return parts && { from: it, parts };
        });
        if (next === undefined) return undefined;
        const { from, parts } = next;
        const body = parts.slice(this.correlate ? 2 : 1);
        const envelope = parts.slice(0, this.correlate ? 2 : 1);
        const wanted = this.correlate ? [this.#number, Buffer.alloc(0)] : [Buffer.alloc(0)];
        const fits = envelope.every((part, i) => wanted[i]?.equals(part));
        if (fits && body.length > 0 && (this.asked ?? from) === from) return body;
      }
    }

    /** Of a peer that is gone without an answer nothing can come. */
    #forgetLost(): void {
      if (this.asked?.gone && this.asked.queue.length === 0) this.asked = undefined;
    }
  }

  it("the calls do what the table says", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 50 }),
        fc.boolean(),
        fc.boolean(),
        async (steps, correlate, relaxed) => {
          const one = request({ routingId: "Q", correlate, relaxed });
          const name = sockets.endpoint("inproc");
          one.bindSync(name);
          const model = new Model(correlate, relaxed);
          /** Calls that wait, and how they ended. */
          let sending: string | undefined;
          let receiving = false;
          let ended: unknown[] = [];
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
              } else if (sending !== undefined && model.send(sending) !== undefined) {
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
            } else if (it.do === "answer" && peer !== undefined) {
              peer.say(peer.answer(it.kind, text));
              model.said(peer);
            } else if (it.do === "asked answers" && model.asked?.gone === false) {
              model.asked.say(model.asked.answer("good", text));
              model.said(model.asked);
            } else if (it.do === "trySend") {
              let result: unknown;
              const code = thrown(() => {
                result = one.trySend(text);
              });
              if (sending !== undefined) expect(code).toBe("EBUSY");
              else if (!model.maySend) expect(code).toBe("EFSM");
              else expect([code, result]).toEqual([undefined, model.send(text) !== undefined]);
            } else if (it.do === "send" && sending === undefined) {
              one.sendTimeout = it.timeoutMs;
              follow(one.send(text));
              if (model.send(text) !== undefined) expected.push("sent");
              else if (it.timeoutMs === 0) expected.push(model.maySend ? "EAGAIN" : "EFSM");
              else sending = text;
            } else if (it.do === "tryReceive") {
              let result: Buffer[] | undefined;
              const code = thrown(() => {
                result = one.tryReceive();
              });
              if (receiving) expect(code).toBe("EBUSY");
              else if (!model.mayReceive) expect(code).toBe("EFSM");
              else expect([code, result && texts(result)]).toEqual([undefined, model.receive()]);
            } else if (it.do === "receive" && !receiving) {
              one.receiveTimeout = it.timeoutMs;
              const mayReceive = model.mayReceive;
              const body = model.receive();
              follow(one.receive());
              if (body !== undefined) expected.push(body);
              else if (it.timeoutMs === 0) expected.push(mayReceive ? "EAGAIN" : "EFSM");
              else receiving = true;
            }
            // Who waits may go on in a later turn.
            await turns(3);
            settle();
            // Of two that end together either may be first.
            expect(ended.splice(0).sort()).toEqual(expected.splice(0).sort());
          }
          const left: string[] = [];
          if (receiving) left.push(model.mayReceive ? "EAGAIN" : "EFSM");
          if (sending !== undefined) left.push(model.maySend ? "EAGAIN" : "EFSM");
          one.close();
          for (const { socket } of model.peers) socket.close();
          await turns(1);
          expect(ended).toEqual(left);
          ended = [];
        },
      ),
      { numRuns: 150 },
    );
  });
});
