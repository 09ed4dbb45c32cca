import type { Random } from "./random.js";

/** Octets at which something changes. */
const NOTABLE = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x7f, 0x80, 0xfe, 0xff];

/** Changes an input in a few places; `other` lends a piece of itself. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let octets: Uint8Array = input.slice();
  for (let count = 1 + random.below(3); count > 0; count--) octets = once(octets, other, random);
  return octets;
}

function once(octets: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = random.below(octets.length + 1);
  switch (random.below(7)) {
    case 0:
      octets[at] = random.next();
      return octets;
    case 1:
      octets[at] = random.pick(NOTABLE);
      return octets;
    case 2:
      octets[at] = (octets[at] ?? 0) ^ (1 << random.below(8));
      return octets;
    case 3:
      return splice(octets, at, random.below(9), new Uint8Array(0));
    case 4:
      return splice(octets, at, 0, octets.subarray(at, at + random.below(40)));
    case 5: {
      const from = random.below(other.length + 1);
      return splice(octets, at, 0, other.subarray(from, from + random.below(60)));
    }
    default:
      return octets.slice(0, at);
  }
}

function splice(octets: Uint8Array, at: number, remove: number, add: Uint8Array): Uint8Array {
  const end = Math.min(octets.length, at + remove);
  const spliced = new Uint8Array(octets.length - (end - at) + add.length);
  spliced.set(octets.subarray(0, at));
  spliced.set(add, at);
  spliced.set(octets.subarray(end), at + add.length);
  return spliced;
}
