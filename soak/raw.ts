/** Peers that speak octets, break off at random, and say nonsense. */
import { connect, type Socket } from "node:net";
import type { Random } from "../fuzz/random.js";
import {
  command,
  concat,
  greeting,
  message,
  metadata,
  ready,
  subscribe,
} from "../test/support/wire.js";
import { LOGIN } from "./mechanisms.js";
import { rowOf } from "./patterns.js";
import type { Endpoint } from "./protocol.js";

/** As how they announce themselves: such that no message is given to them, and none of theirs passes for a client's. */
const TYPES: Record<string, string> = {
  Pull: "PUSH",
  Dealer: "ROUTER",
  Pair: "PAIR",
  Router: "DEALER",
  Reply: "REQ",
  Request: "PUSH",
  Push: "PUSH",
  Subscriber: "PUB",
  XSubscriber: "PUB",
  Publisher: "SUB",
  XPublisher: "SUB",
};

const { plainUsername, plainPassword } = LOGIN;
const HELLO = [plainUsername, plainPassword]
  .map((it) => String.fromCharCode(it.length) + it)
  .join("");

export class RawPeers {
  connections = 0;
  readonly #random: Random;
  readonly #sockets = new Set<Socket>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** One comes, says some of what it might say, and goes, by an end or a reset, at once or later. */
  come(endpoints: readonly Endpoint[]): void {
    const random = this.#random;
    const { row, address } = random.pick(endpoints);
    const { pattern, mechanism } = rowOf(row);
    const type = TYPES[pattern.bound] as string;
    const rest = [subscribe("x"), message("", "stranger"), message("x".repeat(random.below(3000)))];
    const whole = concat(
      ...beginning(mechanism.name, type, random),
      ...rest,
      "\x02\0\0\0\0\0\x01\0\0half",
    );
    const octets = whole.slice(0, random.once(3) ? whole.length : random.below(whole.length));
    if (random.once(4) && octets.length > 0) {
      octets[random.below(octets.length)] = random.below(256);
    }
    const path = address.startsWith("ipc://") ? address.slice("ipc://".length) : undefined;
    const socket = path ? connect(path) : connect(Number(new URL(address).port), "127.0.0.1");
    this.#sockets.add(socket);
    this.connections++;
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    if (!random.once(4)) socket.resume();
    socket.on("connect", () => {
      socket.write(octets, () => {
        setTimeout(() => {
          if (random.once(3)) socket.end();
          else if (path === undefined && random.once(2)) socket.resetAndDestroy();
          else socket.destroy();
        }, random.below(200));
      });
    });
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** A handshake, as far as it can be said without an answer: over CURVE not far. Some speak another mechanism. */
function beginning(mechanism: string, type: string, random: Random): Uint8Array[] {
  const spoken = random.once(4) ? random.pick(["NULL", "PLAIN", "CURVE"]) : mechanism;
  const properties = metadata({ "Socket-Type": type });
  if (spoken === "NULL") return [greeting(), ready({ "Socket-Type": type })];
  const first = spoken === "PLAIN" ? HELLO : "\x01\0".padEnd(194, "\0");
  return [
    greeting({ mechanism: spoken }),
    command("HELLO", first),
    command("INITIATE", properties),
  ];
}
