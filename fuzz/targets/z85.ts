// Z85 both ways is what arithmetic with whole numbers of any size makes of it, and no text is read that is none.
import { Buffer } from "node:buffer";
import { decode, encode } from "../../src/z85.js";
import * as wire from "../../test/support/wire.js";
import type { Random } from "../random.js";
import { check, open, same, seal, type Target } from "../target.js";

/** RFC 32's characters, in its own order: what stands here comes from nowhere else. */
const CHARACTERS =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

const ENCODE = 1;
/** Octets of the input are read as UTF-8, and not each as a character. */
const WIDE = 2;

/** The largest that five characters stand for, and what is beyond. */
const EDGES = ["%nSc0", "%nSb~", "%nSc1", "#####", "00000", "%nSbz"];

export const z85: Target = {
  name: "z85",
  states: [
    ...["encoded", "encoded: nothing", "encoded: largest"],
    ...["decoded", "decoded: nothing", "decoded: largest"],
    ...["refused: length", "refused: character", "refused: more than 32 bits"],
  ],

  generate(random) {
    const mode = random.below(4);
    const count = random.below(10);
    if (mode & ENCODE) {
      return seal(random, mode, [Uint8Array.from({ length: 4 * count }, () => octet(random))]);
    }
    const groups = Array.from({ length: count }, () => group(random));
    return seal(random, mode, [Buffer.from(groups.join(""))]);
  },

  execute(input, reach) {
    const { mode, octets } = open(input);
    if (mode & ENCODE) {
      const whole = octets.subarray(0, octets.length - (octets.length % 4));
      const text = encode(whole);
      same("encoded", text, naiveEncode(whole));
      same("and back", decode(text), whole);
      reach(whole.length > 0 ? "encoded" : "encoded: nothing");
      if (text.includes("%nSc0")) reach("encoded: largest");
      return;
    }
    const text = mode & WIDE ? Buffer.from(octets).toString() : String.fromCharCode(...octets);
    const expected = naiveDecode(text);
    const decoded = decode(text);
    if (typeof expected === "string") {
      check(`${JSON.stringify(text)} is no Z85`, decoded === undefined);
      reach(`refused: ${expected}`);
      return;
    }
    same("decoded", decoded, Uint8Array.from(expected));
    same("and back", encode(decoded as Uint8Array), text);
    reach(expected.length > 0 ? "decoded" : "decoded: nothing");
    if (text.includes("%nSc0")) reach("decoded: largest");
  },
};

function octet(random: Random): number {
  return random.once(3) ? random.pick([0, 1, 0x7f, 0x80, 0xff]) : random.below(256);
}

/** Five characters; seldom others than those that there may be, or fewer. */
function group(random: Random): string {
  if (random.once(4)) return random.pick(EDGES);
  const length = random.once(20) ? random.below(5) : 5;
  const most = random.once(20) ? 300 : 85;
  const characters = Array.from({ length }, () => {
    const value = random.below(most);
    return CHARACTERS[value] ?? String.fromCharCode(value);
  });
  // More would mostly stand for too much.
  return characters.join("").replace(/^[@%$#](?=.{4})/, "a");
}

function naiveEncode(octets: Uint8Array): string {
  let text = "";
  for (let at = 0; at < octets.length; at += 4) {
    let value = BigInt(`0x${Buffer.from(octets.subarray(at, at + 4)).toString("hex")}`);
    let five = "";
    for (let i = 0; i < 5; i++) {
      five = CHARACTERS.charAt(Number(value % 85n)) + five;
      value /= 85n;
    }
    text += five;
  }
  return text;
}

/** The octets, or what is wrong. */
function naiveDecode(text: string): number[] | string {
  if (text.length % 5 !== 0) return "length";
  const octets: number[] = [];
  for (const five of text.match(/.{5}/gs) ?? []) {
    const values = Array.from({ length: 5 }, (_, i) => CHARACTERS.indexOf(five.charAt(i)));
    if (values.includes(-1)) return "character";
    const value = values.reduce((sum, each) => sum * 85n + BigInt(each), 0n);
    if (value >= 1n << 32n) return "more than 32 bits";
    octets.push(...wire.number(value, 4));
  }
  return octets;
}
