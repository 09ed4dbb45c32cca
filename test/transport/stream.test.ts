import type { Socket } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { OPTIONS, OptionStore } from "../../src/options.js";
import { keepAlive, remoteAddress } from "../../src/transport/stream.js";

it.each([
  [{ remoteAddress: "10.0.0.1", remotePort: 80 }, "tcp://10.0.0.1:80"],
  [{ remoteAddress: "::1", remotePort: 80 }, "tcp://[::1]:80"],
  [{}, "ipc://path"],
])("remoteAddress of %o", (stream, expected) => {
  expect(remoteAddress(stream as Socket, "ipc://path")).toBe(expected);
});

describe("keepAlive", () => {
  it.each([
    [-1, -1, undefined],
    [-1, 10, undefined],
    [0, -1, [false, 0]],
    [1, -1, [true, 0]],
    [1, 0, [true, 0]],
    [1, 10, [true, 10_000]],
  ])("tcpKeepalive %d, tcpKeepaliveIdle %d", (on, idle, expected) => {
    const options = new OptionStore(new Map(OPTIONS.map((option) => [option.id, option])));
    options.put("tcpKeepalive", on);
    options.put("tcpKeepaliveIdle", idle);
    const setKeepAlive = vi.fn();
    keepAlive({ setKeepAlive } as unknown as Socket, options);
    expect(setKeepAlive.mock.calls).toEqual(expected === undefined ? [] : [expected]);
  });
});
