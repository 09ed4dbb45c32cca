import { expect, it } from "vitest";
import { Connection } from "../../src/zmtp/connection.js";
import type { Mechanism } from "../../src/zmtp/mechanism.js";
import { type Input, type Phase, TRANSITIONS } from "../../src/zmtp/phase.js";
import { ProtocolError } from "../../src/zmtp/protocol-error.js";
import { VirtualClock } from "../support/clock.js";
import { connectionOptions } from "../support/connection-pair.js";
import * as wire from "../support/wire.js";

const PHASES: Phase[] = [
  ...(["greeting", "handshake", "authentication", "refused"] as const),
  ...(["admission", "traffic", "closed"] as const),
];
const INPUTS: Input[] = [
  "greeting",
  "command",
  "credentials",
  "accept",
  "refuse",
  "properties",
  "admit",
  "message",
  "failure",
  "close",
];

/** Its handshake may have any number of steps; WHO asks to be judged, DONE ends it. */
const mechanism: Mechanism = {
  name: "STEPS",
  start: () => undefined,
  receive: ({ name }) => {
    if (name === "WHO") return { credentials: [] };
    return name === "DONE" ? { properties: new Map() } : {};
  },
  accept: () => ({}),
  admit: () => undefined,
};

const greeting = wire.greeting({ mechanism: "STEPS" });
const OCTETS: Partial<Record<Input, Uint8Array>> = {
  greeting,
  command: wire.command("STEP"),
  credentials: wire.command("WHO"),
  properties: wire.command("DONE"),
  message: wire.message("m"),
  failure: wire.frame("", { flags: 0x80 }),
};

function inPhase(phase: Phase) {
  const clock = new VirtualClock();
  const handler = {
    authenticate: () => false,
    handshake: () => false,
    message: () => true,
  };
  const connection = new Connection(connectionOptions("server", { mechanism }), handler, clock.now);
  const feed = (octets: Uint8Array) => {
    const taken = connection.receive(octets, 0, octets.length, clock.now);
    return taken === octets.length ? undefined : "not taken";
  };
  const steps: Record<Phase, (() => void)[]> = {
    greeting: [],
    handshake: [() => feed(greeting)],
    authentication: [() => feed(greeting), () => feed(wire.command("WHO"))],
    refused: [
      () => feed(wire.concat(greeting, wire.command("WHO"))),
      () => connection.refuse("400", clock.now),
    ],
    admission: [() => feed(greeting), () => feed(wire.command("DONE"))],
    traffic: [
      () => feed(wire.concat(greeting, wire.command("DONE"))),
      () => connection.admit(clock.now),
    ],
    closed: [() => connection.close()],
  };
  for (const step of steps[phase]) step();
  expect(connection.phase).toBe(phase);
  return { connection, feed, clock };
}

/** What an input comes to: a result, or the error. */
function put(input: Input, { connection, feed, clock }: ReturnType<typeof inPhase>): unknown {
  try {
    if (input === "admit") return connection.admit(clock.now);
    if (input === "accept") return connection.authenticated(clock.now);
    if (input === "refuse") return connection.refuse("400", clock.now);
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
    credentials: [VERSION, "closed"],
    accept: ["accept while in greeting", "greeting"],
    refuse: ["refuse while in greeting", "greeting"],
    properties: [VERSION, "closed"],
    message: [VERSION, "closed"],
    admit: ["admit while in greeting", "greeting"],
  },
  handshake: {
    greeting: [FRAME, "closed"],
    accept: ["accept while in handshake", "handshake"],
    refuse: ["refuse while in handshake", "handshake"],
    message: ["ERR_ZMTP_INVALID_SEQUENCE", "closed"],
    admit: ["admit while in handshake", "handshake"],
  },
  authentication: {
    greeting: ["not taken", "authentication"],
    command: ["not taken", "authentication"],
    credentials: ["not taken", "authentication"],
    properties: ["not taken", "authentication"],
    message: ["not taken", "authentication"],
    admit: ["admit while in authentication", "authentication"],
  },
  refused: {
    greeting: ["not taken", "refused"],
    command: ["not taken", "refused"],
    credentials: ["not taken", "refused"],
    accept: ["accept while in refused", "refused"],
    refuse: ["refuse while in refused", "refused"],
    properties: ["not taken", "refused"],
    message: ["not taken", "refused"],
    admit: ["admit while in refused", "refused"],
  },
  admission: {
    greeting: ["not taken", "admission"],
    command: ["not taken", "admission"],
    credentials: ["not taken", "admission"],
    accept: ["accept while in admission", "admission"],
    refuse: ["refuse while in admission", "admission"],
    properties: ["not taken", "admission"],
    message: ["not taken", "admission"],
  },
  traffic: {
    greeting: [FRAME, "closed"],
    // A command of a handshake that is over is ignored.
    credentials: [undefined, "traffic"],
    accept: ["accept while in traffic", "traffic"],
    refuse: ["refuse while in traffic", "traffic"],
    properties: [undefined, "traffic"],
    admit: ["admit while in traffic", "traffic"],
  },
  closed: {
    greeting: ["not taken", "closed"],
    command: ["not taken", "closed"],
    credentials: ["not taken", "closed"],
    accept: ["accept while in closed", "closed"],
    refuse: ["refuse while in closed", "closed"],
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
