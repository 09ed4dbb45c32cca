/** Poly1305 as its paper has it, by numbers as long as they are. */

const P = 2n ** 130n - 5n;
const R_MASK = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

function numberOf(octets: Uint8Array): bigint {
  return [...octets].reduceRight((number, octet) => number * 256n + BigInt(octet), 0n);
}

function octetsOf(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => Number((number >> BigInt(8 * i)) & 255n));
}

function multiplier(oneTimeKey: Uint8Array): bigint {
  return numberOf(oneTimeKey.subarray(0, 16)) & R_MASK;
}

/** What a message comes to in the field, before the pad is added. */
function evaluate(oneTimeKey: Uint8Array, message: Uint8Array): bigint {
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    sum = ((sum + numberOf(block) + 256n ** BigInt(block.length)) * multiplier(oneTimeKey)) % P;
  }
  return sum;
}

export function naivePoly1305(oneTimeKey: Uint8Array, message: Uint8Array): Uint8Array {
  const pad = numberOf(oneTimeKey.subarray(16, 32));
  return octetsOf((evaluate(oneTimeKey, message) + pad) % 2n ** 128n);
}

/** Where carries run far, or a number is one that has two spellings in 130 bits. */
const BORDERS = [
  ...[0n, 1n, 2n, 3n, 4n, 5n, P - 1n, P - 2n, P - 5n],
  ...[32n, 64n, 96n, 128n, 129n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits]),
  // Numbers whose lowest word is nearly empty: with 2^130 - 5 added, it overflows twice.
  ...[2n, 3n, 4n, 7n, 8n].flatMap((high) =>
    [0n, 1n, 2n, 3n, 4n].map((low) => high * 2n ** 32n + low),
  ),
];

/** The last blocks that bring a message with these octets before them to a border of the field. */
export function solvePoly1305(oneTimeKey: Uint8Array, before: Uint8Array): Uint8Array[] {
  const inverse = power(multiplier(oneTimeKey), P - 2n);
  return BORDERS.map((border) => border * inverse - evaluate(oneTimeKey, before) - 2n ** 128n)
    .map((number) => ((number % P) + P) % P)
    .filter((number) => number < 2n ** 128n)
    .map(octetsOf);
}

/** By Fermat, a number to the power of P - 2 is its inverse. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let bits = exponent, factor = base; bits > 0n; bits >>= 1n) {
    if ((bits & 1n) === 1n) result = (result * factor) % P;
    factor = (factor * factor) % P;
  }
  return result;
}
