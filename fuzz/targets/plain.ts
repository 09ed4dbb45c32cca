// PLAIN, both roles, however cut: it ends the same way, asks for a judge only with what HELLO says, and meets nobody
// who has not said all that was due.
import { announce, PlainMechanism, type Role } from "../../src/zmtp/index.js";
import * as wire from "../../test/support/wire.js";
import { greetings, handshake, metadata, traffic } from "../conversation.js";
import type { Random } from "../random.js";
import { anySizes, framesIn, outcomeOf, protocolSizes, WIDE } from "../secured.js";
import { digest, open, same, seal, type Target } from "../target.js";

const CLIENT = 1;

const GREETINGS = greetings("PLAIN").slice(0, -5);
const LOGIN = { username: wire.bytes("admin"), password: wire.bytes("s3cret") };
const HELLOS = [
  "\x05admin\x06s3cret",
  "\0\0",
  "",
  "\0",
  "\x05admin",
  "\x05admin\x07s3cret",
  "\xff",
];
const MISSPELT = wire.frame("^RROR\x03400", { command: true });

export const plain: Target = {
  name: "plain",
  states: [
    ...["greeting", "client: HELLO said", "client: INITIATE said", "client: traffic"],
    ...["server: greeted", "server: authentication", "server: refused", "server: WELCOME said"],
    ...["server: admission", "client: admission", "server: traffic", "message"],
    "ERR_ZMTP_UNSUPPORTED_VERSION",
    "ERR_ZMTP_MECHANISM_MISMATCH",
    "ERR_ZMTP_MALFORMED_GREETING",
    "ERR_ZMTP_MALFORMED_FRAME",
    "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED",
    "ERR_ZMTP_MALFORMED_COMMAND_HELLO",
    "ERR_ZMTP_MALFORMED_COMMAND_WELCOME",
    "ERR_ZMTP_MALFORMED_COMMAND_INITIATE",
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
    const mode = random.below(128);
    const frames = Array.from({ length: random.below(5) }, (_, i) => said(mode, i, random));
    return seal(random, mode, [random.pick(GREETINGS), ...frames]);
  },

  execute(input, reach) {
    const { random, mode, octets } = open(input);
    const role: Role = mode & CLIENT ? "client" : "server";
    const run = (sizes: Iterator<number>) => {
      const login = role === "client" ? LOGIN : undefined;
      const mechanism = new PlainMechanism(role, login, announce("PAIR", undefined), WIDE);
      return outcomeOf(role, mechanism, mode, octets, sizes);
    };
    const whole = run(protocolSizes(octets));
    same("cut by chance", run(anySizes(random)), whole);
    const { phase, error, said, credentials, met } = whole;
    const commands = [...framesIn(octets.subarray(64))].map(({ body }) => body);
    if (credentials !== undefined) same("who it is", credentials, loginIn(commands[0]));
    if (met) same("what was said before", namesOf(commands).slice(0, 2), DUE[role]);
    if (error !== undefined && (!met || error === "ERR_ZMTP_PEER_ERROR")) reach(error);
    else if (phase === "greeting") reach(phase);
    else if (phase === "handshake") reach(`${role}: ${STEPS[role][said]}`);
    else if (phase !== "closed") reach(`${role}: ${phase}`);
    if (whole.messages.length > 0) reach("message");
  },
};

const DUE: Record<Role, string[]> = {
  client: ["WELCOME", "READY"],
  server: ["HELLO", "INITIATE"],
};

const STEPS: Record<Role, string[]> = {
  client: ["", "HELLO said", "INITIATE said"],
  server: ["greeted", "WELCOME said"],
};

/** What a peer says as its `index`th frame; mostly what is due. */
function said(mode: number, index: number, random: Random): Uint8Array {
  if (random.once(8)) return random.once(3) ? MISSPELT : handshake(random);
  const client = (mode & CLIENT) !== 0;
  if (index === 0 && client) return wire.command("WELCOME", random.once(16) ? "x" : "");
  if (index === 0) {
    return wire.command("HELLO", random.once(2) ? HELLOS[0] : random.pick(HELLOS));
  }
  if (index === 1) return wire.command(client ? "READY" : "INITIATE", metadata(random));
  return traffic(random);
}

function namesOf(commands: readonly Uint8Array[]): string[] {
  return commands.map((body) => String.fromCharCode(...body.subarray(1, 1 + (body[0] as number))));
}

/** The user name and the password in a HELLO, if it is a right one. */
function loginIn(body: Uint8Array = new Uint8Array(0)): string | undefined {
  const text = String.fromCharCode(...body);
  if (!text.startsWith("\x05HELLO")) return undefined;
  const size = text.charCodeAt(6);
  const username = text.slice(7, 7 + size);
  const password = text.slice(8 + size);
  if (text.charCodeAt(7 + size) !== password.length) return undefined;
  return digest("who", [wire.bytes(username), wire.bytes(password)]);
}
