// Octets, however cut, stopped or read in place, decode to what the naive codec reads; budgets end at 0.
import { Budget, Decoder, ProtocolError } from "../../src/zmtp/index.js";
import { readFrames } from "../../test/support/naive-codec.js";
import { trafficOf } from "../../test/support/traffic-of.js";
import { LIMITS, traffic } from "../conversation.js";
import type { Random } from "../random.js";
import { check, digest, open, same, seal, type Target } from "../target.js";

const UNWRAPS = 1;
const HANDSHAKES = 2;
const POOR = 4;

const RICH = 1e6;

/** What a mechanism may find inside: nothing, MORE, COMMAND, something reserved. */
const INNER_FLAGS = [0, 1, 1, 0, 1, 4, 8];

export const decoder: Target = {
  name: "decoder",
  states: [
    "between frames",
    "in a header",
    "in a body",
    "in a message",
    "ERR_ZMTP_MALFORMED_FRAME",
    "ERR_ZMTP_MESSAGE_TOO_LARGE",
    "ERR_ZMTP_MULTIPART_TOO_LARGE",
    "ERR_ZMTP_TOO_MANY_FRAMES",
    "ERR_ZMTP_COMMAND_TOO_LARGE",
    "ERR_ZMTP_INVALID_SEQUENCE",
    "ERR_ZMTP_ASSEMBLY_LIMIT",
  ],

  generate(random) {
    const mode = random.once(2) ? 0 : random.below(8);
    return seal(
      random,
      mode,
      Array.from({ length: random.below(6) }, () => traffic(random)),
    );
  },

  execute(input, reach) {
    const { random, mode, octets } = open(input);
    const whole = outcome(octets, mode, octets.length, random, reach);
    const cut = outcome(octets, mode, 1 + random.below(100), random, reach);
    if (mode & POOR) return;
    same("cut by chance", cut, whole);
    if (mode & (UNWRAPS | HANDSHAKES) || !random.once(8)) return;
    const naive = readFrames(octets, LIMITS);
    // Whether a command's name fits is not the decoder's business.
    if (naive.error === "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED") return;
    const events = naive.events.map((event) => {
      if (event.kind === "message") return digest("message", event.parts);
      if (event.kind !== "command") return event.kind;
      const name = Array.from(event.name, (character) => character.charCodeAt(0));
      return digest("command", [[name.length, ...name, ...event.data]]);
    });
    same("the naive codec", whole, { events, error: naive.error });
  },
};

function outcome(
  octets: Uint8Array,
  mode: number,
  most: number,
  random: Random,
  reach: (state: string) => void,
): { events: string[]; error: string | undefined } {
  const held = new Budget(mode & POOR ? random.below(600) : RICH);
  const reserve = new Budget(mode & POOR ? random.below(600) : RICH);
  const events: string[] = [];
  const sink = {
    message: (parts: Uint8Array[]) => {
      check("no message breaks a limit", parts.length <= LIMITS.maxFrames && withinLimits(parts));
      return events.push(digest("message", parts)) > 0 && !random.once(3);
    },
    command: (body: Uint8Array) => events.push(digest("command", [body])) > 0 && !random.once(9),
  };
  const decoder = new Decoder(sink, { limits: LIMITS, held, reserve });
  if (mode & HANDSHAKES) decoder.handshaking = true;
  if (mode & UNWRAPS) {
    decoder.traffic = trafficOf({
      overhead: 3,
      unwrap: (flags, head, at, body, target) => {
        target.set(body);
        return INNER_FLAGS[(flags + (head[at] ?? 0) + body.length) % INNER_FLAGS.length] as number;
      },
    });
  }
  let error: string | undefined;
  try {
    for (let at = 0; at < octets.length; ) {
      const end = Math.min(octets.length, at + 1 + random.below(most));
      const room = random.once(4) ? decoder.room(1) : undefined;
      if (room === undefined) {
        at = decoder.decode(octets, at, end);
      } else {
        const count = Math.min(room.length, end - at);
        room.set(octets.subarray(at, at + count));
        decoder.filled(count);
        at += count;
      }
      check("memory follows octets", decoder.held <= 2 * at + 4096 + reserve.used + 128 * 4);
      reach(stateOf(decoder));
    }
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    error = thrown.code;
    reach(error);
  }
  decoder.drop();
  check("budgets end at 0", held.used === 0 && reserve.used === 0 && decoder.held === 0);
  return { events, error };
}

function withinLimits(parts: readonly Uint8Array[]): boolean {
  const total = parts.reduce((sum, part) => sum + part.length, 0);
  return total <= (parts.length > 1 ? LIMITS.maxMultipartSize : LIMITS.maxMessageSize);
}

function stateOf(decoder: Decoder): string {
  if (decoder.inFrame) return decoder.room(1) === undefined ? "in a header" : "in a body";
  return decoder.held > 0 ? "in a message" : "between frames";
}
