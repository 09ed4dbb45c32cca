import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Peer } from "../../src/socket/peer.js";
import { mockOf, routed } from "../support/draft.js";
import { wire } from "../support/mock-peer.js";
import { bound, failure, maker, numbered, thrown, vacant } from "../support/patterns.js";
import { Sockets, TRANSPORTS, until } from "../support/sockets.js";

const sockets = new Sockets();
const peer = maker(sockets, Peer);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_peer: who connects may begin, and both answer whom they heard", async () => {
    const [one, other] = [peer(), peer()];
    const toOne = other.connectPeer(await bound(sockets, transport, one));
    await other.send("hello", { routingId: toOne });
    const [text, toOther] = await routed(one);
    expect(text).toBe("hello");
    for (const text of numbered(3)) await one.send(text, { routingId: toOther });
    for (const text of numbered(3)) expect(await routed(other)).toEqual([text, toOne]);
  });

  it("each connection has a name of its own, those to one endpoint, too", async () => {
    const [one, ...others] = [peer(), peer(), peer()] as const;
    const endpoints: string[] = [];
    for (const it of others) endpoints.push(await bound(sockets, transport, it));
    const ids = [...endpoints, ...endpoints].map((endpoint) => one.connectPeer(endpoint));
    expect(new Set(ids).size).toBe(4);
    for (const routingId of ids) await one.send(String(routingId), { routingId });
    const heard: [string, number][] = [];
    for (const it of others) {
      for (let i = 0; i < 2; i++) {
        const [text, routingId] = await routed(it);
        heard.push([text, routingId]);
        await it.send(`re ${text}`, { routingId });
      }
    }
    expect(heard.map(([text]) => text).sort()).toEqual(ids.map(String).sort());
    for (let i = 0; i < 4; i++) {
      const [text, routingId] = await routed(one);
      expect(text).toBe(`re ${routingId}`);
    }
  });

  it("a peer can be sent to before it is there", async () => {
    const endpoint = await vacant(sockets, transport);
    const [one, other] = [peer({ reconnectInterval: 5 }), peer()];
    const routingId = one.connectPeer(endpoint);
    await one.send("early", { routingId });
    await other.bind(endpoint);
    expect((await routed(other))[0]).toBe("early");
  });

  it("an aborted send sends nothing", async () => {
    const [one, other] = [peer(), peer()];
    const routingId = other.connectPeer(await bound(sockets, transport, one));
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(other.send("x", { routingId, signal })).rejects.toThrow("enough");
    await other.send("y", { routingId, signal: new AbortController().signal });
    expect(other.trySend("z", { routingId })).toBe(true);
    expect([(await routed(one))[0], (await routed(one))[0]]).toEqual(["y", "z"]);
  });

  it("connect will do for who does not begin", async () => {
    const [one, other] = [peer(), peer()];
    other.connect(await bound(sockets, transport, one));
    await until(() => one.stats().peers[0]?.connected === true);
    const routingId = one.stats().peers[0]?.routingId?.readUInt32BE() as number;
    await one.send("hello", { routingId });
    expect((await routed(other))[0]).toBe("hello");
  });

  it("nobody is called so: EHOSTUNREACH, once the endpoint was disconnected, too", async () => {
    const [one, other] = [peer(), peer()];
    const endpoint = await bound(sockets, transport, one);
    const routingId = other.connectPeer(endpoint);
    await expect(other.send("x", { routingId: 1 })).rejects.toEqual(failure("EHOSTUNREACH"));
    other.disconnect(endpoint);
    await expect(other.send("x", { routingId })).rejects.toEqual(failure("EHOSTUNREACH"));
    expect(thrown(() => other.trySend("x", { routingId }))).toBe("EHOSTUNREACH");
  });

  it("is not there yet where peers have left more than a queue may hold; then it is", async () => {
    const one = peer({ receiveHighWaterMark: 2 });
    const endpoint = await bound(sockets, transport, one);
    for (const text of numbered(2)) {
      const gone = peer();
      await gone.send(text, { routingId: gone.connectPeer(endpoint) });
      await until(() => one.stats().receive.messages > Number(text));
      gone.close();
      await until(() => one.stats().peers.length === 0);
    }
    const other = peer();
    const routingId = one.connectPeer(await bound(sockets, transport, other));
    await expect(one.send("x", { routingId })).rejects.toEqual(failure("EHOSTUNREACH"));
    for (const text of numbered(2)) expect((await routed(one))[0]).toBe(text);
    await one.send("now", { routingId });
    expect((await routed(other))[0]).toBe("now");
  });
});

it("connectPeer says what is wrong with a call, and leaves no name behind", async () => {
  const one = peer();
  expect(thrown(() => one.connectPeer("nowhere"))).toBe("EINVAL");
  expect(() => Reflect.apply(one.connectPeer, one, [1])).toThrow(TypeError);
  const [endpoint, other] = [await bound(sockets, "inproc", one), peer({ immediate: true })];
  expect(thrown(() => other.connectPeer(endpoint))).toBe("EFAULT");
  other.immediate = false;
  const first = other.connectPeer(endpoint);
  other.connect(endpoint);
  const names = other.stats().peers.map(({ routingId }) => routingId?.readUInt32BE());
  expect([names[0], new Set(names).size]).toEqual([first, 2]);
  other.close();
  expect(thrown(() => other.connectPeer(endpoint))).toBe("EBADF");
});

it("on the wire there is the message and nothing else", async () => {
  const one = peer();
  await bound(sockets, "tcp", one);
  const mock = await mockOf(one, "PEER", "PEER");
  mock.send(wire.message("hello"));
  const [, routingId] = await routed(one);
  await one.send("answer", { routingId });
  await mock.expect(wire.message("answer"));
  mock.close();
});
