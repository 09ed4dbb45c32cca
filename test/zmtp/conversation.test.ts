import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Budget, type Limits } from "../../src/zmtp/limits.js";
import { ProtocolError } from "../../src/zmtp/protocol-error.js";
import { VirtualClock } from "../support/clock.js";
import { connectionOptions, Side } from "../support/connection-pair.js";
import { feedBytes, feedCut, type Take } from "../support/feed.js";
import { type NaiveEvent, readConversation } from "../support/naive-codec.js";
import { conversation, mutated } from "../support/traffic-arbitrary.js";

const LIMITS: Limits = {
  maxMessageSize: 600,
  maxMultipartSize: 800,
  maxFrames: 4,
  maxHandshakeCommandSize: 400,
  maxCommandSize: 300,
  maxProperties: 3,
};

/** All that a connection shows of a conversation. */
interface Outcome {
  phase: string;
  error: string | undefined;
  version: unknown;
  properties: unknown;
  messages: number[][][];
  subscriptions: string[];
}

/** Feeds a whole conversation to a connection. */
function converse(octets: Uint8Array, feed: (octets: Uint8Array, take: Take) => number) {
  const clock = new VirtualClock();
  const held = new Budget(1e6);
  const reserve = new Budget(1e4);
  const heartbeat = { intervalMs: 1000, timeoutMs: 500, ttlMs: 0 };
  const options = connectionOptions("server", { limits: LIMITS, held, reserve, heartbeat });
  const side = new Side(options, clock);
  feed(octets, (chunk, at, end) => {
    if (side.error !== undefined) return end;
    try {
      return side.connection.receive(chunk, at, end, clock.now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      side.error = error;
      return end;
    }
  });
  const { deadline, phase } = side.connection;
  const output = [...side.output()];
  side.connection.close();
  expect([held.used, reserve.used]).toEqual([0, 0]);
  const outcome: Outcome = {
    phase,
    error: side.error?.code,
    version: side.peer?.greeting,
    properties: side.peer && [...side.peer.properties].map(([name, value]) => [name, [...value]]),
    messages: side.messages.map((parts) => parts.map((part) => [...part])),
    subscriptions: side.subscriptions,
  };
  return { outcome, deadline, output };
}

/** The same, as the naive codec has it. */
function expected(octets: Uint8Array): Outcome {
  const { events, error, phase } = readConversation(octets, LIMITS, ["PAIR"]);
  const of = <K extends NaiveEvent["kind"]>(kind: K) =>
    events.filter((event): event is Extract<NaiveEvent, { kind: K }> => event.kind === kind);
  const [greeting] = of("greeting");
  const [handshake] = of("handshake");
  return {
    phase,
    error,
    version: handshake && greeting && { major: greeting.major, minor: greeting.minor },
    properties: handshake?.properties,
    messages: of("message").map(({ parts }) => parts),
    subscriptions: of("command")
      .filter(({ name }) => name === "SUBSCRIBE" || name === "CANCEL")
      .map(({ name, data }) => `${name === "CANCEL" ? "-" : "+"}${String.fromCharCode(...data)}`),
  };
}

const cuts = fc.array(fc.nat(1500), { maxLength: 6 });

describe.each([
  ["a valid conversation", conversation],
  ["one that was changed on its way", mutated(conversation)],
])("%s", (_, octets) => {
  it("is what the naive codec reads, however it is cut", () => {
    fc.assert(
      fc.property(octets, cuts, (octets, cuts) => {
        const whole = converse(octets, (octets, take) => feedCut(octets, [], take));
        expect(whole.outcome).toEqual(expected(octets));
        expect(converse(octets, (octets, take) => feedCut(octets, cuts, take))).toEqual(whole);
        expect(converse(octets, feedBytes)).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });
});
