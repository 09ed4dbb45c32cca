import { afterAll, afterEach, describe, expect, it } from "vitest";
import { Channel } from "../../src/socket/channel.js";
import { mockOf } from "../support/draft.js";
import { wire } from "../support/mock-peer.js";
import { bound, failure, maker, numbered, receive, receiveOne } from "../support/patterns.js";
import { Sockets, TRANSPORTS, until } from "../support/sockets.js";

const sockets = new Sockets();
const channel = maker(sockets, Channel);

afterEach(() => sockets.close());
afterAll(() => sockets.end());

describe.each(TRANSPORTS)("over %s", (transport) => {
  it("test_channel: both ways, in order, nothing discarded", async () => {
    const [one, other] = [channel(), channel()];
    await sockets.join(transport, one, other);
    const send = async (socket: Channel) => {
      for (const text of numbered(2000)) await socket.send(text);
    };
    const [, , here, there] = await Promise.all([
      send(one),
      send(other),
      receive(one, 2000),
      receive(other, 2000),
    ]);
    expect([here.flat(), there.flat()]).toEqual([numbered(2000), numbered(2000)]);
  });

  it("RFC 52: has one peer; another one has to wait until that has gone", async () => {
    const [one, first, second] = [channel(), channel(), channel()];
    await sockets.join(transport, one, first);
    second.connect(one.lastEndpoint as string);
    await second.send("from the second");
    await first.send("from the first");
    expect(await receiveOne(one)).toEqual(["from the first"]);
    first.close();
    expect(await receiveOne(one)).toEqual(["from the second"]);
    await one.send("to the second");
    expect(await receiveOne(second)).toEqual(["to the second"]);
  });

  it("waits while there is no peer; a message of several parts changes nothing for the next", async () => {
    const [one, other] = [channel({ sendTimeout: 5 }), channel()];
    await expect(one.send("x")).rejects.toEqual(failure("EAGAIN"));
    await expect(Reflect.apply(one.send, one, [["x", "y"]])).rejects.toEqual(failure("EINVAL"));
    expect([one.trySend("x"), one.writable]).toEqual([false, false]);
    one.sendTimeout = -1;
    const sent = one.send("waited");
    one.connect(await bound(sockets, transport, other));
    await sent;
    expect(await receiveOne(other)).toEqual(["waited"]);
    await until(() => one.writable);
  });
});

it("on the wire there is the message and nothing else", async () => {
  const one = channel();
  await bound(sockets, "tcp", one);
  const mock = await mockOf(one, "CHANNEL", "CHANNEL");
  await one.send("a");
  await mock.expect(wire.message("a"));
  mock.close();
});
