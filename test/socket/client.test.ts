import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Client } from "../../src/socket/client.js";
import { Server } from "../../src/socket/server.js";
import { routed } from "../support/draft.js";
import { bound, failure, maker, numbered, peers, receiveOne } from "../support/patterns.js";
import { Sockets, TRANSPORTS, until } from "../support/sockets.js";

const sockets = new Sockets();
const client = maker(sockets, Client);
const server = maker(sockets, Server);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("RFC 41, CLIENT: sends to its servers in turn, and receives from them in turn", async () => {
    const one = client();
    const servers = [server(), server(), server()];
    for (const it of servers) one.connect(await bound(sockets, transport, it));
    await until(() => peers(one) === 3);
    for (const text of numbered(6)) await one.send(text);
    for (const [i, it] of servers.entries()) {
      const [first, routingId] = await routed(it);
      expect([first, await routed(it)]).toEqual([String(i), [String(i + 3), routingId]]);
      for (const text of numbered(2)) await it.send(`${i} ${text}`, { routingId });
    }
    await until(() => one.stats().receive.messages === 6);
    const got: string[] = [];
    for (let i = 0; i < 6; i++) got.push(...(await receiveOne(one)));
    expect(got.slice(0, 3).sort()).toEqual(["0 0", "1 0", "2 0"]);
    expect(got.slice(3).sort()).toEqual(["0 1", "1 1", "2 1"]);
  });

  it("waits while there is no server, or gives up after sendTimeout; nothing is lost", async () => {
    const [one, other] = [client({ sendTimeout: 5 }), server()];
    expect([one.trySend("x"), one.writable]).toEqual([false, false]);
    await expect(one.send("x")).rejects.toEqual(failure("EAGAIN"));
    one.sendTimeout = -1;
    const sent = one.send("waited");
    await bound(sockets, transport, one);
    other.connect(one.lastEndpoint as string);
    await sent;
    expect((await routed(other))[0]).toBe("waited");
  });

  it("a call can be aborted, and a loop ends when the socket is closed", async () => {
    const [one, other] = [client(), server()];
    const abort = new AbortController();
    const sent = one.send("x", { signal: abort.signal });
    const received = one.receive({ signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(sent).rejects.toThrow("enough");
    await expect(received).rejects.toThrow("enough");
    await sockets.join(transport, other, one);
    await one.send("hello");
    const [, routingId] = await routed(other);
    for (const text of numbered(3)) await other.send(text, { routingId });
    const seen: string[] = [];
    for await (const [message] of one) {
      if (seen.push(String(message)) === 3) one.close();
    }
    expect(seen).toEqual(numbered(3));
  });
});
