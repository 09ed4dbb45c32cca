// CURVE, both roles, however cut: it ends the same way, meets only who knows the keys, and hears of no message but
// those that tweetnacl opens.
import { PROTOCOL_ERRORS, type Role } from "../../src/zmtp/index.js";
import * as wire from "../../test/support/wire.js";
import { greetings, handshake, inner, traffic } from "../conversation.js";
import { isRight, messageOf, messagesIn, ours, SCRIPTS } from "../curve-conversation.js";
import type { Random } from "../random.js";
import { anySizes, framesIn, outcomeOf, protocolSizes } from "../secured.js";
import { check, open, same, seal, type Target } from "../target.js";

const GREETINGS = greetings("CURVE");

/** What only the time, another option or the other role leads to, or another mechanism. */
const ELSEWHERE: Record<Role, string[]> = {
  client: ["MALFORMED_COMMAND_HELLO", "MALFORMED_COMMAND_INITIATE"],
  server: ["MALFORMED_COMMAND_WELCOME", "MALFORMED_COMMAND_READY"],
};
const NEVER = [
  ...["PEER_ERROR", "MALFORMED_MESSAGE", "ASSEMBLY_LIMIT", "HANDSHAKE_TIMEOUT"],
  "HEARTBEAT_TIMEOUT",
];

function codesOf(role: Role): string[] {
  const others = [...NEVER, ...ELSEWHERE[role]].map((code) => `ERR_ZMTP_${code}`);
  return Object.keys(PROTOCOL_ERRORS).filter((code) => !others.includes(code));
}

const STEPS: Record<Role, string[]> = {
  client: ["", "HELLO said", "INITIATE said"],
  server: ["greeted", "WELCOME said"],
};

const PHASES: Record<Role, string[]> = {
  client: ["admission", "traffic"],
  server: ["authentication", "refused", "admission", "traffic"],
};

export const curveClient: Target = target("client");
export const curveServer: Target = target("server");

function target(role: Role): Target {
  const script = SCRIPTS[role];
  return {
    name: `curve-${role}`,
    states: [
      "greeting",
      ...STEPS[role].filter((step) => step !== ""),
      ...PHASES[role],
      "message",
      ...codesOf(role),
    ],

    generate(random) {
      const mode = random.below(128);
      const greeting = random.once(12) ? random.pick(GREETINGS) : (GREETINGS[1] as Uint8Array);
      const count = random.below(14);
      return seal(random, mode, [greeting, ...said(role, random).slice(0, count)]);
    },

    execute(input, reach) {
      const { random, mode, octets } = open(input);
      const whole = outcomeOf(role, ours(role), mode, octets, protocolSizes(octets));
      same("cut by chance", outcomeOf(role, ours(role), mode, octets, anySizes(random)), whole);
      const { phase, error, met, messages } = whole;
      const bodies = [...framesIn(octets.subarray(64))].map(({ body }) => body);
      if (met) check("only who knows the keys is met", isRight(script, bodies));
      if (messages.length > 0) {
        const opened = messagesIn(script, octets);
        const count = error === undefined ? opened.length : messages.length;
        same("messages", messages, opened.slice(0, count));
        reach("message");
      }
      if (error !== undefined) reach(error);
      else if (phase === "handshake") reach(STEPS[role][whole.said] as string);
      else reach(phase);
    },
  };
}

/** Frames of a peer; mostly what is due. */
function said(role: Role, random: Random): Uint8Array[] {
  const script = SCRIPTS[role];
  const frames = [script.first, script.second].map((bodies) => {
    if (random.once(12)) return handshake(random);
    if (random.once(8)) return commandFrame(random.pick(script.wrong), random);
    const body = random.once(3) ? random.pick(bodies) : (bodies[0] as Uint8Array);
    return commandFrame(body, random);
  });
  let count = BigInt(script.count);
  for (let i = random.below(5); i > 0; i--) {
    if (random.once(10)) frames.push(traffic(random));
    for (const one of inner(random)) {
      count = next(count, random);
      const flags = random.once(30) ? random.next() & 0xff : one.flags;
      const body = messageOf(script, count, { flags, body: one.body });
      frames.push(random.once(10) ? odd(body, random) : wire.frame(body));
    }
  }
  return frames;
}

function commandFrame(body: Uint8Array, random: Random): Uint8Array {
  return wire.frame(body, { command: true, long: random.once(8) });
}

/** The next nonce; seldom one that is none. */
function next(count: bigint, random: Random): bigint {
  if (!random.once(20)) return count + 1n;
  return random.pick([0n, count, count - 1n, count + 1000n, 2n ** 53n, 2n ** 64n - 1n]);
}

/** A frame that is another way to say the same, or wrong. */
function odd(body: Uint8Array, random: Random): Uint8Array {
  switch (random.below(5)) {
    case 0:
      return wire.frame(body, { more: true });
    case 1:
      return wire.frame(body.subarray(0, random.below(body.length)));
    case 2: {
      const at = random.below(body.length);
      body[at] = (body[at] as number) ^ (1 << random.below(8));
      return wire.frame(body);
    }
    case 3:
      return wire.frame(body, { long: true });
    default:
      return wire.frame(body, { command: true });
  }
}
