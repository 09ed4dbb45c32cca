import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Gather } from "../../src/socket/gather.js";
import { Scatter } from "../../src/socket/scatter.js";
import { mockOf } from "../support/draft.js";
import { wire } from "../support/mock-peer.js";
import { bound, failure, maker, numbered, receive, thrown } from "../support/patterns.js";
import { Sockets, TRANSPORTS } from "../support/sockets.js";

const sockets = new Sockets();
const scatter = maker(sockets, Scatter);
const gather = maker(sockets, Gather);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_scatter_gather: each gather gets a message in turn", async () => {
    const one = scatter();
    const gathers = [gather(), gather(), gather()];
    await sockets.join(transport, one, ...gathers);
    for (const text of numbered(9)) await one.send(text);
    for (const [i, it] of gathers.entries()) {
      expect((await receive(it, 3)).flat()).toEqual([`${i}`, `${i + 3}`, `${i + 6}`]);
    }
  });

  it("RFC 49: waits while nobody has room, discards nothing", async () => {
    const one = scatter({ sendTimeout: 0 });
    expect([one.trySend("x"), one.writable]).toEqual([false, false]);
    await expect(one.send("x")).rejects.toEqual(failure("EAGAIN"));
    one.sendTimeout = -1;
    const sent = (async () => {
      for (const text of numbered(3000)) await one.send(text);
    })();
    const other = gather();
    one.connect(await bound(sockets, transport, other));
    expect((await receive(other, 3000)).flat()).toEqual(numbered(3000));
    await sent;
  });

  it("receive is not for it: ENOTSUP", async () => {
    const one = scatter();
    await sockets.join(transport, one, gather());
    await expect(one.receive()).rejects.toEqual(failure("ENOTSUP"));
    expect(thrown(() => one.tryReceive())).toBe("ENOTSUP");
  });
});

it("on the wire there is the message and nothing else", async () => {
  const one = scatter();
  await bound(sockets, "tcp", one);
  const mock = await mockOf(one, "SCATTER", "GATHER");
  await one.send("a");
  await mock.expect(wire.message("a"));
  mock.close();
});
