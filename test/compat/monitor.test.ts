/** What `monitor()` emits, beside npm zeromq's layer. */
import { createRequire } from "node:module";
import { afterEach, describe, expect, it } from "vitest";
import * as zmq from "../../src/v5-compat.js";
import { freePort } from "../support/ports.js";
import { turns, until } from "../support/sockets.js";

const npm = createRequire(import.meta.url)("zeromq/v5-compat") as typeof zmq;

const NAMES = [
  ...["connect", "connect_delay", "connect_retry", "listen", "bind_error"],
  ...["accept", "accept_error", "close", "close_error", "disconnect"],
];

type Layer = typeof zmq;

let open: zmq.Socket[] = [];

function monitored(layer: Layer, type: zmq.SocketType): [zmq.Socket, unknown[][]] {
  const socket = layer.socket(type, { linger: 0 });
  open.push(socket);
  const seen: unknown[][] = [];
  for (const name of NAMES) socket.on(name, (...args) => seen.push([name, ...args]));
  return [socket.monitor(), seen];
}

function count(seen: unknown[][], name: string): number {
  return seen.filter(([it]) => it === name).length;
}

/** Errors as what they say, intervals as numbers: they are random. */
function plain(seen: unknown[][]): unknown[][] {
  return seen.map((args) =>
    args.map((arg, i) => {
      if (arg instanceof Error) return [arg.message, (arg as NodeJS.ErrnoException).code];
      return args[0] === "connect_retry" && i === 1 ? typeof arg : arg;
    }),
  );
}

afterEach(() => {
  for (const socket of open) socket.close();
  open = [];
});

/** A peer comes, and goes; an address is taken; the endpoint is given up. */
async function binding(layer: Layer, address: string): Promise<unknown[][]> {
  const [socket, seen] = monitored(layer, "rep");
  socket.bindSync(address);
  await until(() => count(seen, "listen") === 1);
  const [peer] = monitored(zmq, "req");
  peer.connect(address);
  await until(() => count(seen, "accept") === 1);
  peer.close();
  await until(() => count(seen, "disconnect") === 1);
  const [other, failures] = monitored(layer, "rep");
  expect(() => other.bindSync(address)).toThrow("Address already in use");
  await until(() => count(failures, "bind_error") === 1);
  await new Promise((resolve) => socket.unbind(address, resolve));
  await until(() => count(seen, "close") === 1);
  // Theirs also tells that a listener was closed that never was: without an address.
  return plain([...seen, ...failures.filter(([name]) => name === "bind_error")]);
}

/** Nobody is there; then somebody, who goes again. */
async function connecting(layer: Layer, address: string): Promise<unknown[][]> {
  const [socket, seen] = monitored(layer, "req");
  socket.connect(address);
  await until(() => count(seen, "connect_retry") === 1);
  const [peer] = monitored(zmq, "rep");
  peer.bindSync(address);
  await until(() => count(seen, "connect") === 1);
  // What a second attempt tells may be there or not, as time has it.
  const upToRetry = seen.slice(0, seen.findIndex(([name]) => name === "connect_retry") + 1);
  const connect = seen.filter(([name]) => name === "connect");
  peer.close();
  await until(() => count(seen, "disconnect") === 1);
  const disconnect = seen.filter(([name]) => name === "disconnect");
  return plain([...upToRetry, ...connect, ...disconnect]);
}

describe("monitor", () => {
  it("emits what npm zeromq's layer emits for a socket that binds, with the same arguments", async () => {
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const theirs = await binding(npm, address);
    expect(await binding(zmq, address)).toEqual(theirs);
    expect(theirs.map(([name]) => name)).toEqual(
      expect.arrayContaining(["listen", "accept", "disconnect", "close", "bind_error"]),
    );
  });

  it("emits what npm zeromq's layer emits for a socket that connects", async () => {
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const theirs = await connecting(npm, address);
    expect(await connecting(zmq, address)).toEqual(theirs);
  });

  it("tells each event once, however often it is called", async () => {
    const [socket, seen] = monitored(zmq, "rep");
    socket.monitor().bindSync("tcp://127.0.0.1:*");
    await until(() => seen.length > 0);
    await turns(3);
    expect(count(seen, "listen")).toBe(1);
  });

  it("ends with unmonitor, without an error, and can begin again", async () => {
    const [socket, seen] = monitored(zmq, "rep");
    const errors: Error[] = [];
    socket.on("error", (error) => errors.push(error));
    socket.unmonitor().bindSync("tcp://127.0.0.1:*");
    await turns(3);
    expect(seen).toEqual([]);
    socket.monitor().bindSync("tcp://127.0.0.1:*");
    await until(() => seen.length > 0);
    expect([count(seen, "listen"), errors]).toEqual([1, []]);
  });

  it("can be undone when nothing is monitored, or the socket is closed", () => {
    const socket = zmq.socket("rep");
    expect(socket.unmonitor()).toBe(socket);
    expect(socket.close().unmonitor()).toBe(socket);
    expect(() => socket.monitor()).toThrow(expect.objectContaining({ code: "ENOTSOCK" }));
  });
});
