/** What 1,000 peers leave behind that ask for much, send what nobody wants, and go in the midst of it. */
import { afterEach, describe, expect, it } from "vitest";
import { repeat, subscriptions } from "../hostile/inputs.js";
import { HostileMemory } from "../support/hostile-memory.js";
import type { ClassName } from "../support/trades.js";
import { command, concat, frame, greeting, message, ready, subscribe } from "../support/wire.js";

const KB = 1024;

let subject: HostileMemory | undefined;

afterEach(() => subject?.kill());

function hello(type: string, name?: string): Uint8Array {
  const identity = name === undefined ? {} : { Identity: name };
  return concat(greeting(), ready({ "Socket-Type": type, ...identity }));
}

const BODY = "x".repeat(1000);

/** What is said, and how much there is to be heard before the connection is reset. */
const ATTACKS: [ClassName, Uint8Array, number?][] = [
  ["Publisher", concat(hello("SUB"), subscriptions(100), message(BODY), half(subscribe("a")))],
  ["XPublisher", concat(hello("XSUB"), subscriptions(100), message(BODY), half(subscribe("a")))],
  [
    "Radio",
    concat(
      hello("DISH"),
      ...Array.from({ length: 100 }, (_, i) => command("JOIN", `${i}`)),
      message("group", BODY),
      half(command("JOIN", "a")),
    ),
  ],
  [
    "Router",
    concat(hello("DEALER", "name"), repeat(message(BODY, ""), 10), frame("half", { more: true })),
  ],
  ["Stream", new Uint8Array(10 * KB), 0],
  ["Pull", concat(hello("PUSH"), repeat(message(BODY), 10), frame("half", { more: true }))],
  ["Server", concat(hello("CLIENT"), repeat(message(BODY), 10), half(message("a")))],
];

function half(octets: Uint8Array): Uint8Array {
  return octets.subarray(0, -1);
}

describe("1,000 attacks leave nothing behind", () => {
  it.each(ATTACKS)("our %s", async (name, octets, answer) => {
    subject = await HostileMemory.start(name);
    // More than are measured: the compiler's code is on the heap, too, and comes and goes.
    const before = await subject.attack(octets, 2000, answer);
    const after = await subject.attack(octets, 1000, answer);
    expect(after).toMatchObject({ peers: 0, handles: before.handles });
    // 600 octets of each would be seen. Eight slabs of 64 KB may have come to the thread's pool.
    expect(after.heapUsed - before.heapUsed).toBeLessThan(500 * KB);
    expect(after.external - before.external).toBeLessThan((512 + 32) * KB);
  });
});
