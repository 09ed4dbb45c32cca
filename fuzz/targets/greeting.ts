// Any octets, however cut, end in a greeting or a ProtocolError, at the octet where the naive codec ends.
import { GreetingDecoder, ProtocolError } from "../../src/zmtp/index.js";
import { readConversation } from "../../test/support/naive-codec.js";
import { greetings, LIMITS } from "../conversation.js";
import type { Random } from "../random.js";
import { open, same, seal, type Target } from "../target.js";

const GREETINGS = greetings("NULL");

export const greeting: Target = {
  name: "greeting",
  states: [
    "begun",
    "done",
    "ERR_ZMTP_UNSUPPORTED_VERSION",
    "ERR_ZMTP_MECHANISM_MISMATCH",
    "ERR_ZMTP_MALFORMED_GREETING",
  ],

  generate: (random) => seal(random, 0, [random.pick(GREETINGS), new Uint8Array(random.below(9))]),

  execute(input, reach) {
    const { random, octets } = open(input);
    const whole = outcome(octets, octets.length, random);
    same("cut by chance", outcome(octets, 20, random), whole);
    same("byte by byte", outcome(octets, 1, random), whole);
    const { error } = readConversation(octets.subarray(0, 64), LIMITS, []);
    same("the naive codec", whole.error, error);
    reach(whole.error ?? (whole.done ? "done" : "begun"));
  },
};

function outcome(octets: Uint8Array, most: number, random: Random) {
  const decoder = new GreetingDecoder("NULL");
  let at = 0;
  try {
    while (at < octets.length && !decoder.done) {
      const end = Math.min(octets.length, at + 1 + random.below(most));
      at = decoder.decode(octets, at, end);
    }
    return { done: decoder.done, at, ...decoder.greeting };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { done: false, error: error.code };
  }
}
