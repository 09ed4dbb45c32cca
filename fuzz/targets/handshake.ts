// A handshake, however cut, ends where the naive codec ends; only a peer that is let in sees our last word.
import {
  announce,
  Connection,
  NullMechanism,
  type Peer,
  ProtocolError,
  type Role,
} from "../../src/zmtp/index.js";
import { readConversation } from "../../test/support/naive-codec.js";
import * as wire from "../../test/support/wire.js";
import { XorMechanism } from "../../test/support/xor-mechanism.js";
import { greetings, handshake as handshakeOf, LIMITS, metadata } from "../conversation.js";
import type { Random } from "../random.js";
import { slabs } from "../slabs.js";
import { check, open, same, seal, type Target } from "../target.js";

const CLIENT = 1;
const XOR = 2;
const WAITS = 4;

const NULLS = greetings("NULL");
const XORS = greetings("XOR");
const HELLO = wire.command("HELLO");
const WELCOME = wire.command("WELCOME");

export const handshake: Target = {
  name: "handshake",
  states: [
    "greeting",
    "handshake",
    "handshake, second step",
    "admission",
    "traffic",
    "ERR_ZMTP_UNSUPPORTED_VERSION",
    "ERR_ZMTP_MECHANISM_MISMATCH",
    "ERR_ZMTP_MALFORMED_GREETING",
    "ERR_ZMTP_MALFORMED_FRAME",
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    "ERR_ZMTP_MALFORMED_COMMAND_READY",
    "ERR_ZMTP_MALFORMED_COMMAND_ERROR",
    "ERR_ZMTP_UNEXPECTED_COMMAND",
    "ERR_ZMTP_INVALID_SEQUENCE",
    "ERR_ZMTP_INVALID_METADATA",
    "ERR_ZMTP_INCOMPATIBLE_SOCKET_TYPE",
    "ERR_ZMTP_PEER_ERROR",
    "ERR_ZMTP_COMMAND_TOO_LARGE",
    "ERR_ZMTP_TOO_MANY_PROPERTIES",
  ],

  generate(random) {
    const mode = random.below(8);
    if ((mode & XOR) === 0) return seal(random, mode, [random.pick(NULLS), handshakeOf(random)]);
    const last = wire.command(mode & CLIENT ? "READY" : "INITIATE", metadata(random));
    const first = random.once(9) ? handshakeOf(random) : mode & CLIENT ? WELCOME : HELLO;
    return seal(random, mode, [random.pick(XORS), first, last]);
  },

  execute(input, reach) {
    const { random, mode, octets } = open(input);
    const whole = outcome(octets, mode, octets.length, random);
    same("cut by chance", outcome(octets, mode, 1 + random.below(64), random), whole);
    if ((mode & XOR) === 0 && random.once(4)) {
      const { events, error, phase } = readConversation(octets, LIMITS, ["PAIR"]);
      const met = events.some(({ kind }) => kind === "handshake");
      // What follows the handshake is not this target's business.
      if (!met) same("the naive codec", [whole.error, whole.phase], [error, phase]);
      same("met", whole.met, met);
    }
    if (whole.error !== undefined) reach(whole.error);
    else if (whole.phase === "handshake" && whole.answered) reach("handshake, second step");
    else reach(whole.phase);
  },
};

function outcome(octets: Uint8Array, mode: number, most: number, random: Random) {
  const role: Role = mode & CLIENT ? "client" : "server";
  const properties = announce("PAIR", undefined);
  const mechanism =
    mode & XOR ? new XorMechanism(role, properties) : new NullMechanism(role, properties, LIMITS);
  let met: Peer | undefined;
  let stopped = false;
  const handler = {
    handshake: (peer: Peer) => {
      met = peer;
      stopped = true;
      return (mode & WAITS) === 0;
    },
    message: () => true,
  };
  const connection = new Connection(
    {
      role,
      socketType: "PAIR",
      mechanism,
      slabs,
      limits: LIMITS,
      handshakeTimeoutMs: 0,
      heartbeat: { intervalMs: 0, timeoutMs: 0, ttlMs: 0 },
    },
    handler,
    0,
  );
  let error: string | undefined;
  try {
    for (let at = 0; at < octets.length && !stopped; ) {
      const end = Math.min(octets.length, at + 1 + random.below(most));
      at = connection.receive(octets, at, end, 0);
    }
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    // The octets behind the handshake may be anything.
    error = met === undefined ? thrown.code : undefined;
  }
  const phase = met !== undefined && connection.phase === "closed" ? "traffic" : connection.phase;
  const output = connection.outputSize;
  const batch = connection.take();
  const last = batch.chunks.at(-1);
  const ready = last !== undefined && last.length > 64 ? last : new Uint8Array(0);
  connection.release(batch);
  connection.close();
  if (role === "server" && phase === "admission" && mechanism.name === "NULL") {
    check("a peer that waits sees no READY", ready.length === 0 && output === 64);
  }
  // A server of several steps has answered, a client has said its second word.
  const answered = mechanism.name === "XOR" && output > (role === "client" ? 64 + 8 : 64);
  return { phase, error, met: met !== undefined, answered };
}
