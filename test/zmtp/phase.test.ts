import { expect, it } from "vitest";
import { Connection } from "../../src/zmtp/connection.js";
import type { Mechanism } from "../../src/zmtp/mechanism.js";
import { type Input, type Phase, TRANSITIONS } from "../../src/zmtp/phase.js";
import { ProtocolError } from "../../src/zmtp/protocol-error.js";
import { VirtualClock } from "../support/clock.js";
import { connectionOptions } from "../support/connection-pair.js";
import * as wire from "../support/wire.js";

const PHASES: Phase[] = ["greeting", "handshake", "admission", "traffic", "closed"];
const INPUTS: Input[] = [
  "greeting",
  "command",
  "properties",
  "admit",
  "message",
  "failure",
  "close",
];

/** Its handshake may have any number of steps; DONE ends it. */
const mechanism: Mechanism = {
  name: "STEPS",
  start: () => undefined,
  receive: ({ name }) => (name === "DONE" ? { properties: new Map() } : {}),
  admit: () => undefined,
};

const greeting = wire.greeting({ mechanism: "STEPS" });
const OCTETS: Partial<Record<Input, Uint8Array>> = {
  greeting,
  command: wire.command("STEP"),
  properties: wire.command("DONE"),
  message: wire.message("m"),
  failure: wire.frame("", { flags: 0x80 }),
};

function inPhase(phase: Phase) {
  const clock = new VirtualClock();
  const handler = { handshake: () => false, message: () => true };
  const connection = new Connection(connectionOptions("server", { mechanism }), handler, clock.now);
  const feed = (octets: Uint8Array) => {
    const taken = connection.receive(octets, 0, octets.length, clock.now);
    return taken === octets.length ? undefined : "not taken";
  };
  const index = PHASES.indexOf(phase);
  if (index > 0) feed(greeting);
  if (index > 1) feed(wire.command("DONE"));
  if (index > 2) connection.admit(clock.now);
  if (index > 3) connection.close();
  expect(connection.phase).toBe(phase);
  return { connection, feed, clock };
}

/** What an input comes to: a result, or the error. */
function put(input: Input, { connection, feed, clock }: ReturnType<typeof inPhase>): unknown {
  try {
    if (input === "admit") return connection.admit(clock.now);
    if (input === "close") return void connection.close();
    return feed(OCTETS[input] as Uint8Array);
  } catch (error) {
    return error instanceof ProtocolError ? error.code : (error as Error).message;
  }
}

const VERSION = "ERR_ZMTP_UNSUPPORTED_VERSION";
const FRAME = "ERR_ZMTP_MALFORMED_FRAME";

/** What happens where the table has no entry. */
const OTHERWISE: Record<Phase, Partial<Record<Input, [result: unknown, phase: Phase]>>> = {
  greeting: {
    command: [VERSION, "closed"],
    properties: [VERSION, "closed"],
    message: [VERSION, "closed"],
    admit: ["admit while in greeting", "greeting"],
  },
  handshake: {
    greeting: [FRAME, "closed"],
    message: ["ERR_ZMTP_INVALID_SEQUENCE", "closed"],
    admit: ["admit while in handshake", "handshake"],
  },
  admission: {
    greeting: ["not taken", "admission"],
    command: ["not taken", "admission"],
    properties: ["not taken", "admission"],
    message: ["not taken", "admission"],
  },
  traffic: {
    greeting: [FRAME, "closed"],
    // A command of a handshake that is over is ignored.
    properties: [undefined, "traffic"],
    admit: ["admit while in traffic", "traffic"],
  },
  closed: {
    greeting: ["not taken", "closed"],
    command: ["not taken", "closed"],
    properties: ["not taken", "closed"],
    message: ["not taken", "closed"],
    admit: ["admit while in closed", "closed"],
  },
};

/** A failure is not always to be had from a peer. */
const FAILURES: Partial<Record<Phase, unknown>> = {
  greeting: VERSION,
  handshake: FRAME,
  traffic: FRAME,
};

const rows = PHASES.flatMap((phase) => INPUTS.map((input) => [phase, input] as const));

it.each(rows)("%s: %s", (phase, input) => {
  const next = TRANSITIONS[phase][input];
  const otherwise = OTHERWISE[phase][input];
  expect(next === undefined).toBe(otherwise !== undefined);
  if (input === "failure" && FAILURES[phase] === undefined) return;
  const parties = inPhase(phase);
  const [result, end] = otherwise ?? [input === "failure" ? FAILURES[phase] : undefined, next];
  expect(put(input, parties)).toBe(result);
  expect(parties.connection.phase).toBe(end);
});

it("no other phase or input is in the table", () => {
  expect(Object.keys(TRANSITIONS)).toEqual(PHASES);
  const inputs = Object.values(TRANSITIONS).flatMap((row) => Object.keys(row));
  expect([...new Set(inputs)].sort()).toEqual([...INPUTS].sort());
});
