// A box by vector instructions is octet for octet tweetnacl's, whatever is in it, and only what was sealed opens.
import { Buffer } from "node:buffer";
import nacl from "tweetnacl";
import { VectorSecretbox } from "../../src/socket/secretbox-vector.js";
import { PIECE_SIZE } from "../../src/socket/secretbox-wasm.js";
import type { Random } from "../random.js";
import { check, open, seal, type Target } from "../target.js";

const KEY_SIZE = 32;
const NONCE_SIZE = 24;
const TAG_SIZE = 16;

/** How much of the octets stands in front of the rest, as flags and keys do. */
const LEAD_MAX = 0b0011_1111;
/** The octets are what has been sealed: Poly1305 gets to see exactly them. */
const IS_SEALED = 0b0100_0000;

const box = new VectorSecretbox();

export const secretbox: Target = {
  name: "secretbox",
  states: [
    ...["nothing", "less than a block", "one piece", "more than one piece"],
    ...["with a lead", "sealed octets", "a bit that flips"],
  ],

  generate(random) {
    const size = random.once(30) ? random.below(3 * PIECE_SIZE) : random.below(400);
    return seal(random, random.below(256), [
      octets(random, KEY_SIZE + NONCE_SIZE),
      octets(random, size),
    ]);
  },

  execute(input, reach) {
    const { random, mode, octets } = open(input);
    const all = new Uint8Array(Math.max(octets.length, KEY_SIZE + NONCE_SIZE));
    all.set(octets);
    const key = all.slice(0, KEY_SIZE);
    const nonce = all.slice(KEY_SIZE, KEY_SIZE + NONCE_SIZE);
    const whole = (mode & IS_SEALED) === 0 ? rest(all) : opened(rest(all), nonce, key);
    const expected = nacl.secretbox(whole, nonce, key);
    if (mode & IS_SEALED) reach("sealed octets");
    reach(extent(whole.length));

    const lead = whole.subarray(0, mode & LEAD_MAX);
    const plain = whole.subarray(lead.length);
    if (lead.length > 0) reach("with a lead");
    const at = random.below(20);
    const target = new Uint8Array(at + expected.length);
    box.seal(target, at, lead, plain, nonce, key);
    alike("sealed", target.subarray(at), expected);
    check(
      "nothing before it",
      target.subarray(0, at).every((octet) => octet === 0),
    );

    const [openLead, openPlain] = [new Uint8Array(lead.length), new Uint8Array(plain.length)];
    const body = target.subarray(at + TAG_SIZE + lead.length);
    check("opens", box.open(openLead, openPlain, target, at, body, nonce, key));
    alike("the lead", openLead, lead);
    alike("opened", openPlain, plain);
    const place = body.slice();
    check("opens in its place", box.open(openLead, place, target, at, place, nonce, key));
    alike("opened in its place", place, plain);

    const bit = random.below(8 * expected.length);
    target[at + (bit >> 3)] = (target[at + (bit >> 3)] as number) ^ (1 << (bit & 7));
    check("does not open", !box.open(openLead, openPlain, target, at, body, nonce, key));
    check(
      "is zero",
      [...openLead, ...openPlain].every((octet) => octet === 0),
    );
    reach("a bit that flips");
  },
};

function extent(size: number): string {
  if (size === 0) return "nothing";
  if (size < 64) return "less than a block";
  return size < PIECE_SIZE ? "one piece" : "more than one piece";
}

/** By chance, or a few values again and again: carries that run far. */
function octets(random: Random, size: number): Uint8Array {
  const values = random.pick([undefined, [0, 255], [255], [0, 1, 254, 255, 127, 128]]);
  return Uint8Array.from({ length: size }, () =>
    values === undefined ? random.below(256) : random.pick(values),
  );
}

function rest(all: Uint8Array): Uint8Array {
  return all.slice(KEY_SIZE + NONCE_SIZE);
}

/** What comes to these octets when it is sealed: the key stream is its own inverse. */
function opened(sealed: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  return nacl.secretbox(sealed, nonce, key).subarray(TAG_SIZE);
}

function alike(what: string, one: Uint8Array, other: Uint8Array): void {
  check(`${what} is another`, Buffer.compare(one, other) === 0);
}
