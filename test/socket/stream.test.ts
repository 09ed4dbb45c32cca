import { once } from "node:events";
import { createServer as createHttpServer, get } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Dealer } from "../../src/socket/dealer.js";
import { Stream } from "../../src/socket/stream.js";
import {
  bound,
  Events,
  failure,
  fill,
  maker,
  numbered,
  receiveOne,
  saturate,
  thrown,
  vacant,
} from "../support/patterns.js";
import { untilFull } from "../support/pubsub.js";
import { Sockets, turns, until } from "../support/sockets.js";
import { concat, greeting, message, ready } from "../support/wire.js";

const sockets = new Sockets();
const stream = maker(sockets, Stream);
const dealer = maker(sockets, Dealer);

const ends: { close(): void }[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) end.close();
  await sockets.close();
});
afterAll(() => sockets.end());

/** The plain end of a connection. */
class Plain {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  ended = false;

  /** Comes to a bound endpoint. */
  static async connect(endpoint: string): Promise<Plain> {
    const socket = endpoint.startsWith("ipc://")
      ? connect(endpoint.slice("ipc://".length))
      : connect(Number(new URL(endpoint).port), "127.0.0.1");
    await once(socket, "connect");
    return new Plain(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    ends.push({ close: () => socket.destroy() });
    socket.on("data", (chunk) => this.#chunks.push(chunk));
    socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.ended = true;
      });
    }
  }

  /** What has come. */
  get octets(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get size(): number {
    return this.#chunks.reduce((size, { length }) => size + length, 0);
  }

  get text(): string {
    return this.octets.toString("latin1");
  }
}

/** Where a stream of ours finds plain ends. */
class PlainServer {
  readonly #server: Server;
  readonly #plains: Plain[] = [];

  static async open(port = 0): Promise<PlainServer> {
    const plain = new PlainServer();
    plain.#server.listen(port, "127.0.0.1");
    await once(plain.#server, "listening");
    ends.push(plain);
    return plain;
  }

  private constructor() {
    this.#server = createServer((socket) => this.#plains.push(new Plain(socket)));
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many have come. */
  get size(): number {
    return this.#plains.length;
  }

  /** The one that comes as the given one, counted from 0. */
  async plain(index: number): Promise<Plain> {
    await until(() => this.#plains.length > index);
    return this.#plains[index] as Plain;
  }

  close(): void {
    this.#server.close();
  }
}

/** The routing id that is told with the notice which comes next: that a peer is there, or gone. */
async function notice(socket: Stream): Promise<Buffer> {
  const [id, nothing] = await socket.receive();
  expect(nothing).toHaveLength(0);
  return id;
}

/** Reads from one peer until it has `size` octets. */
async function read(socket: Stream, id: Buffer, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let missing = size; missing > 0; ) {
    const [from, chunk] = await socket.receive();
    expect(from.equals(id)).toBe(true);
    expect(chunk.length).toBeGreaterThan(0);
    chunks.push(chunk);
    missing -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Octets of which no two stretches are alike. */
function pattern(size: number): Buffer {
  const octets = Buffer.alloc(size);
  for (let i = 0; i < size; i++) octets[i] = (i ^ (i >> 8) ^ (i >> 16)) & 0xff;
  return octets;
}

describe.each(["ipc", "tcp"] as const)("over %s", (transport) => {
  it("each peer is called five octets, the first of them zero, and all are different", async () => {
    const socket = stream();
    const endpoint = await bound(sockets, transport, socket);
    const ids = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const plain = await Plain.connect(endpoint);
      const id = await notice(socket);
      expect([id.length, id[0]]).toEqual([5, 0]);
      ids.add(id.toString("hex"));
      plain.socket.write(`from ${i}`);
      expect(await socket.receive()).toEqual([id, Buffer.from(`from ${i}`)]);
      await socket.send([id, `to ${i}`]);
      await until(() => plain.text === `to ${i}`);
      // Who has the name stands in the statistics, with its address.
      const peer = socket.stats().peers.find(({ routingId }) => routingId?.equals(id));
      const { localPort } = plain.socket;
      const address = transport === "tcp" ? `tcp://127.0.0.1:${localPort}` : endpoint;
      expect(peer).toMatchObject({ endpoint, address, connected: true });
    }
    expect(ids.size).toBe(5);
  });

  it("the name that is received may be changed", async () => {
    const socket = stream();
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    const id = await notice(socket);
    const copy = Buffer.from(id);
    id.fill(0xff);
    plain.socket.write("x");
    expect(await socket.receive()).toEqual([copy, Buffer.from("x")]);
    await socket.send([copy, "y"]);
    await until(() => plain.text === "y");
  });

  it("notices tell when a peer comes, before what it sends, and when it is gone, after that", async () => {
    const socket = stream();
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    const octets = pattern(300_000);
    plain.socket.end(octets);
    const id = await notice(socket);
    expect((await read(socket, id, octets.length)).equals(octets)).toBe(true);
    expect((await notice(socket)).equals(id)).toBe(true);
    await until(() => socket.stats().peers.length === 0);
    expect(socket.tryReceive()).toBeUndefined();
  });

  it("an empty part that waited for room hangs up behind all that was sent before it", async () => {
    const one = stream({ sendHighWaterMark: 10 });
    const plain = await Plain.connect(await bound(sockets, transport, one));
    plain.socket.pause();
    const id = await notice(one);
    // No two are alike, so that their order shows.
    const octets = pattern(20_000);
    const numbered = (i: number) => Buffer.concat([Buffer.from([i >> 8, i]), octets]);
    const count = await saturate(one, (i) => [id, numbered(i)]);
    const closing = one.send([id, ""]);
    // Other traffic, so that the turn in which there is room has time left.
    const [from, to] = await sockets.connected("inproc");
    const traffic = (async () => {
      for (; !plain.ended; await turns(1)) {
        await from.send("x");
        await to.receive();
      }
    })();
    plain.socket.resume();
    await closing;
    await traffic;
    expect(plain.size).toBe(count * 20_002);
    const sent = Buffer.concat(Array.from({ length: count }, (_, i) => numbered(i)));
    expect(plain.octets.equals(sent)).toBe(true);
  });

  it("without notify there are no notices", async () => {
    const socket = stream({ notify: false });
    const endpoint = await bound(sockets, transport, socket);
    for (const text of ["one", "two"]) {
      const plain = await Plain.connect(endpoint);
      plain.socket.end(text);
      expect((await receiveOne(socket))[1]).toBe(text);
      await until(() => socket.stats().peers.length === 0);
    }
    expect(socket.tryReceive()).toBeUndefined();
  });

  it("octets go both ways, as they are and in order", async () => {
    const socket = stream();
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    const id = await notice(socket);
    const octets = pattern(1_000_000);
    plain.socket.write(octets);
    const sent = (async () => {
      for (let at = 0; at < octets.length; at += 777) {
        await socket.send([id, octets.subarray(at, at + 777)]);
      }
    })();
    expect((await read(socket, id, octets.length)).equals(octets)).toBe(true);
    await sent;
    await until(() => plain.size === octets.length);
    expect(plain.octets.equals(octets)).toBe(true);
  });

  it("an empty part hangs up once everything before it is written, and the peer is gone at once", async () => {
    const socket = stream();
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    plain.socket.pause();
    const id = await notice(socket);
    const octets = pattern(8_000_000);
    for (let at = 0; at < octets.length; at += 100_000) {
      expect(socket.trySend([id, octets.subarray(at, at + 100_000)])).toBe(true);
    }
    await socket.send([id, ""]);
    expect(thrown(() => socket.trySend([id, "more"]))).toBe("EHOSTUNREACH");
    await turns(20);
    expect(plain.ended).toBe(false);
    plain.socket.resume();
    await until(() => plain.ended);
    expect(plain.octets.equals(octets)).toBe(true);
    await until(() => socket.stats().peers.length === 0);
    // Who hangs up knows it.
    expect(socket.tryReceive()).toBeUndefined();
  });

  it("null is an empty part, too", async () => {
    const socket = stream();
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    const id = await notice(socket);
    await socket.send([id, null]);
    await until(() => plain.ended);
  });

  it("who is not there, or gone, cannot be reached", async () => {
    const socket = stream();
    const endpoint = await bound(sockets, transport, socket);
    const unknown = Buffer.from([0, 1, 2, 3, 4]);
    await expect(socket.send([unknown, "x"])).rejects.toEqual(failure("EHOSTUNREACH"));
    expect(thrown(() => socket.trySend([unknown, "x"]))).toBe("EHOSTUNREACH");
    const plain = await Plain.connect(endpoint);
    const id = await notice(socket);
    plain.socket.end();
    await notice(socket);
    await until(() => socket.stats().peers.length === 0);
    await expect(socket.send([id, "x"])).rejects.toEqual(failure("EHOSTUNREACH"));
    expect(socket.stats().total.messagesSent).toBe(0);
  });

  it("a message that names a peer and nothing else is ignored", async () => {
    const socket = stream();
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    const id = await notice(socket);
    await socket.send([id] as unknown as [Buffer, Buffer]);
    await socket.send([id, "x"]);
    await until(() => plain.text === "x");
  });

  it("a peer that reads nothing makes its sender wait; nothing is lost, others go on", async () => {
    const socket = stream({ sendHighWaterMark: 4 });
    const endpoint = await bound(sockets, transport, socket);
    const slow = await Plain.connect(endpoint);
    const id = await notice(socket);
    slow.socket.pause();
    const fast = await Plain.connect(endpoint);
    const other = await notice(socket);
    const octets = pattern(100_000);
    const count = await untilFull(socket, [id, octets]);
    expect(socket.stats().send.messages).toBeLessThanOrEqual(4);
    await socket.send([other, "goes on"]);
    await until(() => fast.text === "goes on");
    const sent = socket.send([id, "end"]);
    slow.socket.resume();
    await sent;
    await until(() => slow.size === count * octets.length + 3);
    expect(slow.text.endsWith("end")).toBe(true);
  });

  it("does not wait any longer for a peer that is gone", async () => {
    const socket = stream({ sendHighWaterMark: 1 });
    const slow = await Plain.connect(await bound(sockets, transport, socket));
    const id = await notice(socket);
    slow.socket.pause();
    await untilFull(socket, [id, pattern(100_000)]);
    socket.sendTimeout = 500;
    const sent = socket.send([id, "x"]);
    slow.socket.destroy();
    await expect(sent).rejects.toEqual(failure("EHOSTUNREACH"));
  });

  it("a peer that sends more than is received has to wait; nothing is lost", async () => {
    const socket = stream({ receiveHighWaterMark: 4 });
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    const octets = pattern(16_000_000);
    plain.socket.write(octets);
    await until(() => socket.stats().receive.messages === 4);
    await turns(20);
    expect(socket.stats().receive.messages).toBe(4);
    expect(plain.socket.writableLength).toBeGreaterThan(0);
    const id = await notice(socket);
    expect((await read(socket, id, octets.length)).equals(octets)).toBe(true);
  });

  it("several peers are received from in turn", async () => {
    const socket = stream({ notify: false, receiveHighWaterMark: 8 });
    const endpoint = await bound(sockets, transport, socket);
    for (let i = 0; i < 3; i++) {
      const plain = await Plain.connect(endpoint);
      plain.socket.write(Buffer.alloc(4_000_000, i));
    }
    await until(() => socket.stats().receive.messages === 24);
    const order: number[] = [];
    for (let i = 0; i < 24; i++) order.push((await socket.receive())[1][0] as number);
    expect([...order.slice(0, 3)].sort()).toEqual([0, 1, 2]);
    expect(order).toEqual(numbered(8).flatMap(() => order.slice(0, 3)));
  });

  it("what was sent is written though the socket is closed, while it lingers", async () => {
    const socket = stream({ linger: -1 });
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    plain.socket.pause();
    const id = await notice(socket);
    const octets = pattern(4_000_000);
    for (let at = 0; at < octets.length; at += 100_000) {
      expect(socket.trySend([id, octets.subarray(at, at + 100_000)])).toBe(true);
    }
    socket.close();
    plain.socket.resume();
    await until(() => plain.ended);
    expect(plain.octets.equals(octets)).toBe(true);
  });

  it("what a peer has left is received after it is gone", async () => {
    const socket = stream();
    const endpoint = await bound(sockets, transport, socket);
    for (const text of ["one", "two"]) {
      const plain = await Plain.connect(endpoint);
      plain.socket.end(text);
      await until(() => plain.ended);
    }
    await until(() => socket.stats().peers.length === 0);
    const all: string[] = [];
    for (let i = 0; i < 6; i++) all.push((await receiveOne(socket))[1] as string);
    expect(all.filter((text) => text !== "").sort()).toEqual(["one", "two"]);
    expect(all.filter((text) => text === "")).toHaveLength(4);
  });

  it("waits for no handshake: a peer may be silent for as long as it likes", async () => {
    const socket = stream({ handshakeInterval: 10, heartbeatInterval: 10 });
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    const id = await notice(socket);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([plain.ended, plain.size]).toEqual([false, 0]);
    await socket.send([id, "x"]);
    await until(() => plain.text === "x");
  });

  it("emits no handshake: there is none", async () => {
    const socket = stream();
    const events = new Events(socket);
    const plain = await Plain.connect(await bound(sockets, transport, socket));
    await notice(socket);
    plain.socket.end("x");
    await events.seen("disconnect");
    expect(events.types).toEqual(["bind", "accept", "disconnect"]);
  });

  it("test_stream: stream_to_stream: a request and its answer, and the connection's end", async () => {
    const [server, client] = [stream(), stream()];
    client.connect(await bound(sockets, transport, server));
    const [peer, id] = [await notice(server), await notice(client)];
    await client.send([id, "GET /\n\n"]);
    expect(await server.receive()).toEqual([peer, Buffer.from("GET /\n\n")]);
    const answer = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nHello, World!";
    await server.send([peer, answer]);
    await server.send([peer, ""]);
    expect(await client.receive()).toEqual([id, Buffer.from(answer)]);
    expect(await notice(client)).toEqual(id);
  });

  it("test_stream_empty: to hang up on a peer whose message was not answered harms nobody", async () => {
    const [socket, other] = [stream({ notify: false }), dealer({ reconnectInterval: -1 })];
    other.connect(await bound(sockets, transport, socket));
    await other.send("");
    const [id] = await socket.receive();
    await socket.send([id, ""]);
    await until(() => socket.stats().peers.length === 0);
  });

  it("test_stream_disconnect: the one who did not hang up is told", async () => {
    const [server, client] = [stream(), stream()];
    client.connect(await bound(sockets, transport, server));
    const [peer, id] = [await notice(server), await notice(client)];
    await client.send([id, "i can haz cheez burger?"]);
    expect((await receiveOne(server))[1]).toBe("i can haz cheez burger?");
    await server.send([peer, "y u no disonnect?"]);
    expect((await receiveOne(client))[1]).toBe("y u no disonnect?");
    await client.send([id, ""]);
    expect(await notice(server)).toEqual(peer);
    expect(client.tryReceive()).toBeUndefined();
  });

  describe("test_stream_timeout", () => {
    it("handshake_timeout_accept: who comes and says nothing is given up", async () => {
      const other = dealer();
      expect(other.handshakeInterval).toBe(30_000);
      other.handshakeInterval = 20;
      const events = new Events(other);
      const socket = stream();
      socket.connect(await bound(sockets, transport, other));
      await notice(socket);
      await events.seen("disconnect");
      expect(events.types.slice(0, 4)).toEqual([
        "bind",
        "accept",
        "handshake:error:other",
        "disconnect",
      ]);
    });

    it("handshake_timeout_connect: who is connected to and says nothing is given up", async () => {
      const socket = stream();
      const other = dealer({ handshakeInterval: 20, reconnectInterval: -1 });
      const events = new Events(other);
      other.connect(await bound(sockets, transport, socket));
      await notice(socket);
      await events.seen("disconnect");
      const types = events.types.filter((type) => type !== "connect:delay");
      expect(types.slice(0, 3)).toEqual(["connect", "handshake:error:other", "disconnect"]);
    });
  });

  it("test_stream: stream_to_dealer: what stands on the wire can be read and written by hand", async () => {
    const [socket, other] = [stream(), dealer()];
    other.connect(await bound(sockets, transport, socket));
    await other.send("Hello");
    const id = await notice(socket);
    const heard = [await read(socket, id, 10)];
    expect(heard[0]?.subarray(0, 10).equals(greeting().subarray(0, 10))).toBe(true);
    await socket.send([id, greeting()]);
    const whole = concat(greeting(), ready({ "Socket-Type": "DEALER", Identity: "" }));
    while (Buffer.concat(heard).length < whole.length) heard.push(await read(socket, id, 1));
    expect(Buffer.concat(heard).equals(whole)).toBe(true);
    await socket.send([id, ready({ "Socket-Type": "ROUTER", Identity: "" })]);
    expect((await read(socket, id, 7)).equals(message("Hello"))).toBe(true);
    await socket.send([id, message("World")]);
    expect(await receiveOne(other)).toEqual(["World"]);
    const large = Buffer.alloc(64_000, 0xab);
    await other.send(large);
    expect((await read(socket, id, 9 + 64_000)).subarray(9).equals(large)).toBe(true);
  });
});

describe("a stream that connects", () => {
  it("test_stream_exceeds_buffer: what does not fit into one read begins with its first octets", async () => {
    const server = await PlainServer.open();
    const socket = stream();
    socket.connect(server.endpoint);
    const octets = pattern(8193);
    (await server.plain(0)).socket.write(octets);
    const id = await notice(socket);
    expect((await read(socket, id, octets.length)).equals(octets)).toBe(true);
  });

  it("is told when its peer is there, when it is gone, and when it is there again: by one name", async () => {
    const server = await PlainServer.open();
    const socket = stream({ reconnectInterval: 5 });
    socket.connect(server.endpoint);
    const id = await notice(socket);
    for (let i = 0; i < 3; i++) {
      const plain = await server.plain(i);
      plain.socket.end(`round ${i}`);
      expect(await socket.receive()).toEqual([id, Buffer.from(`round ${i}`)]);
      expect(await notice(socket)).toEqual(id);
      expect(await notice(socket)).toEqual(id);
      await socket.send([id, `answer ${i}`]);
      const next = await server.plain(i + 1);
      await until(() => next.text === `answer ${i}`);
    }
  });

  it("is told so with immediate, too, where nothing can be sent to a peer that is not there", async () => {
    const server = await PlainServer.open();
    const socket = stream({ reconnectInterval: 5, immediate: true });
    socket.connect(server.endpoint, { routingId: "server" });
    expect(thrown(() => socket.trySend(["server", "x"]))).toBe("EHOSTUNREACH");
    for (let i = 0; i < 3; i++) {
      expect(String(await notice(socket))).toBe("server");
      const plain = await server.plain(i);
      await socket.send(["server", `to ${i}`]);
      await until(() => plain.text === `to ${i}`);
      plain.socket.end(`round ${i}`);
      expect(await receiveOne(socket)).toEqual(["server", `round ${i}`]);
      expect(String(await notice(socket))).toBe("server");
    }
  });

  it("without notify hears of none of that", async () => {
    const server = await PlainServer.open();
    const socket = stream({ reconnectInterval: 5, notify: false });
    socket.connect(server.endpoint);
    for (let i = 0; i < 3; i++) {
      (await server.plain(i)).socket.end(`round ${i}`);
      expect((await receiveOne(socket))[1]).toBe(`round ${i}`);
    }
  });

  it("can call its peer as it likes, and send before it is there", async () => {
    const endpoint = await vacant(sockets, "tcp");
    const socket = stream({ reconnectInterval: 5 });
    socket.connect(endpoint, { routingId: "server" });
    await socket.send(["server", "early"]);
    const server = await PlainServer.open(Number(new URL(endpoint).port));
    const plain = await server.plain(0);
    await until(() => plain.text === "early");
    expect(String(await notice(socket))).toBe("server");
    plain.socket.write("answer");
    expect(await receiveOne(socket)).toEqual(["server", "answer"]);
  });

  it.each([
    ["text", "Grüße", Buffer.from("Grüße")],
    ["octets", Uint8Array.of(1, 0, 255), Buffer.of(1, 0, 255)],
    ["255 octets", "x".repeat(255), Buffer.alloc(255, "x")],
  ])("a name may be %s", async (_, routingId, octets) => {
    const server = await PlainServer.open();
    const socket = stream();
    socket.connect(server.endpoint, { routingId });
    expect(await notice(socket)).toEqual(octets);
    await socket.send([octets, "x"]);
    const plain = await server.plain(0);
    await until(() => plain.text === "x");
  });

  it("cannot call two peers the same, nor any by too long a name, or by one that begins with zero", async () => {
    const server = await PlainServer.open();
    const socket = stream();
    socket.connect(server.endpoint, { routingId: "name" });
    await notice(socket);
    for (const routingId of ["name", "x".repeat(256), Buffer.of(0, 1)]) {
      expect(thrown(() => socket.connect("tcp://127.0.0.1:9", { routingId }))).toBe("EINVAL");
    }
    expect(socket.stats().peers).toHaveLength(1);
    // A name belongs to one call, not to those after it.
    socket.connect(server.endpoint);
    expect(await notice(socket)).toHaveLength(5);
    socket.disconnect(server.endpoint);
    socket.connect(server.endpoint, { routingId: "name" });
    expect(String(await notice(socket))).toBe("name");
  });

  it("connects several times to one endpoint: to another peer each time", async () => {
    const server = await PlainServer.open();
    const socket = stream();
    socket.connect(server.endpoint, { routingId: "one" });
    socket.connect(server.endpoint, { routingId: "two" });
    const names = [String(await notice(socket)), String(await notice(socket))];
    expect(names.sort()).toEqual(["one", "two"]);
    await socket.send(["one", "to one"]);
    await socket.send(["two", "to two"]);
    const plains = [await server.plain(0), await server.plain(1)];
    await until(() => plains.every(({ size }) => size === 6));
    expect(plains.map(({ text }) => text).sort()).toEqual(["to one", "to two"]);
  });

  it("does not come back to a peer that it hung up on", async () => {
    const server = await PlainServer.open();
    const socket = stream({ reconnectInterval: 1 });
    const events = new Events(socket);
    socket.connect(server.endpoint);
    const id = await notice(socket);
    const plain = await server.plain(0);
    await socket.send([id, "bye"]);
    await socket.send([id, ""]);
    await until(() => plain.ended);
    expect(plain.text).toBe("bye");
    await until(() => socket.stats().peers.length === 0);
    await turns(20);
    expect(events.types.filter((type) => type === "connect")).toHaveLength(1);
    expect(thrown(() => socket.disconnect(server.endpoint))).toBe("ENOENT");
  });

  it("a send that waits for a peer fails with EHOSTUNREACH once it has disconnected from it", async () => {
    const server = await PlainServer.open();
    const socket = stream({ sendHighWaterMark: 2 });
    socket.connect(server.endpoint, { routingId: "name" });
    await notice(socket);
    (await server.plain(0)).socket.pause();
    await saturate(socket, ["name", Buffer.alloc(1_000_000)]);
    const sent = socket.send(["name", "waits"]);
    socket.disconnect(server.endpoint);
    await expect(sent).rejects.toEqual(failure("EHOSTUNREACH"));
  });

  it("while nobody receives, a peer that breaks off again and again leaves no more than the mark", async () => {
    const server = await PlainServer.open();
    const socket = stream({ receiveHighWaterMark: 4, reconnectInterval: 1 });
    socket.connect(server.endpoint);
    for (let i = 0; i < 2; i++) (await server.plain(i)).socket.end("x");
    await until(() => socket.stats().receive.messages === 4);
    await turns(50);
    // The second is here, but there is no room for what it sends, nor to see that it goes.
    expect([socket.stats().receive.messages, server.size]).toEqual([4, 2]);
    const got: string[] = [];
    while (got.length < 7) got.push(String((await socket.receive())[1]));
    expect(got).toEqual(["", "x", "", "", "x", "", ""]);
  });

  it("knows a peer no more once it has disconnected from it", async () => {
    const server = await PlainServer.open();
    const socket = stream();
    socket.connect(server.endpoint, { routingId: "name" });
    await notice(socket);
    const plain = await server.plain(0);
    expect(fill(socket, () => ["name", "x"], 10)).toBe(10);
    socket.disconnect(server.endpoint);
    expect(thrown(() => socket.trySend(["name", "y"]))).toBe("EHOSTUNREACH");
    socket.linger = -1;
    await until(() => plain.ended);
    expect(socket.tryReceive()).toBeUndefined();
  });
});

describe("inproc", () => {
  it("is no protocol for a stream", async () => {
    const socket = stream();
    await expect(socket.bind("inproc://stream")).rejects.toEqual(failure("ENOCOMPATPROTO"));
    expect(thrown(() => socket.bindSync("inproc://stream"))).toBe("ENOCOMPATPROTO");
    expect(thrown(() => socket.connect("inproc://stream"))).toBe("ENOCOMPATPROTO");
  });
});

describe("node:http", () => {
  it("asks a server made of a stream", async () => {
    const socket = stream({ notify: false });
    const endpoint = await bound(sockets, "tcp", socket);
    const body = "x".repeat(100_000);
    void (async () => {
      let head = "";
      for await (const [id, chunk] of socket) {
        head += chunk;
        if (!head.includes("\r\n\r\n")) continue;
        const path = head.split(" ")[1] as string;
        head = "";
        await socket.send([id, `HTTP/1.0 200 OK\r\nX-Path: ${path}\r\n\r\n`]);
        await socket.send([id, body]);
        await socket.send([id, ""]);
      }
    })();
    for (const path of ["/one", "/two"]) {
      const url = `${endpoint.replace("tcp", "http")}${path}`;
      const answer = await new Promise<string[]>((resolve, reject) => {
        get(url, { agent: false }, (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk) => {
            text += chunk;
          });
          response.on("end", () => resolve([String(response.headers["x-path"]), text]));
        }).on("error", reject);
      });
      expect(answer).toEqual([path, body]);
    }
  });

  it("answers a client made of a stream", async () => {
    const server = createHttpServer((request, response) => {
      response.setHeader("Connection", "close");
      response.end(`you asked for ${request.url}`);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ends.push(server);
    const socket = stream({ reconnectInterval: -1 });
    socket.connect(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const id = await notice(socket);
    await socket.send([id, "GET /path HTTP/1.1\r\nHost: localhost\r\n\r\n"]);
    let text = "";
    for await (const [, chunk] of socket) {
      if (chunk.length === 0) break;
      text += chunk;
    }
    expect(text.startsWith("HTTP/1.1 200 OK\r\n")).toBe(true);
    expect(text.endsWith("you asked for /path")).toBe(true);
  });
});
