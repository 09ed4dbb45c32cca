/** The 85 characters, in the order of their values (RFC 32). */
const DIGITS =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

const VALUES: ReadonlyMap<string, number> = new Map([...DIGITS].map((digit, i) => [digit, i]));

/**
 * Octets as Z85 text (RFC 32): five characters for each four octets. Their number must be a
 * multiple of four.
 */
export function encode(octets: Uint8Array): string {
  let text = "";
  for (let at = 0; at < octets.length; at += 4) {
    let value = 0;
    for (let i = at; i < at + 4; i++) value = value * 256 + (octets[i] as number);
    for (let divisor = 85 ** 4; divisor >= 1; divisor /= 85) {
      text += DIGITS[Math.floor(value / divisor) % 85];
    }
  }
  return text;
}

/**
 * The octets that Z85 text stands for (RFC 32); undefined when it is none: its length is not a
 * multiple of five, a character is not one of the 85, or five of them stand for more than 32 bits.
 */
export function decode(text: string): Uint8Array | undefined {
  if (text.length % 5 !== 0) return undefined;
  const octets = new Uint8Array((text.length / 5) * 4);
  const view = new DataView(octets.buffer);
  for (let at = 0; at < text.length; at += 5) {
    let value = 0;
    for (let i = at; i < at + 5; i++) {
      value = value * 85 + (VALUES.get(text[i] as string) ?? Number.NaN);
    }
    // What is no number is not smaller either.
    if (!(value < 2 ** 32)) return undefined;
    view.setUint32((at / 5) * 4, value);
  }
  return octets;
}
