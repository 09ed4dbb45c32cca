import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Gather } from "../../src/socket/gather.js";
import { Scatter } from "../../src/socket/scatter.js";
import { failure, maker, numbered, receive, receiveOne, thrown } from "../support/patterns.js";
import { Sockets, TRANSPORTS, until } from "../support/sockets.js";

const sockets = new Sockets();
const scatter = maker(sockets, Scatter);
const gather = maker(sockets, Gather);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("RFC 49: takes a message of each peer in turn", async () => {
    const one = gather();
    const scatters = [scatter(), scatter(), scatter()];
    await sockets.join(transport, one, ...scatters);
    for (const [i, it] of scatters.entries()) {
      for (const text of numbered(4)) await it.send(`${i} ${text}`);
    }
    await until(() => one.stats().receive.messages === 12);
    for (const text of numbered(4)) {
      const got = (await receive(one, 3)).flat().sort();
      expect(got).toEqual(numbered(3).map((i) => `${i} ${text}`));
    }
  });

  it("conflate: only the newest message is received", async () => {
    const [one, other] = [gather({ conflate: true }), scatter()];
    await sockets.join(transport, one, other);
    for (const text of numbered(20)) expect(other.trySend(text)).toBe(true);
    await until(() => one.readable);
    expect([await receiveOne(one), one.tryReceive()]).toEqual([["19"], undefined]);
  });

  it("send is not for it: ENOTSUP", async () => {
    const one = gather();
    await sockets.join(transport, one, scatter());
    await expect(one.send("x")).rejects.toEqual(failure("ENOTSUP"));
    expect(thrown(() => one.trySend("x"))).toBe("ENOTSUP");
  });
});
