/** The 85 characters, in the order of their values (RFC 32). */
const DIGITS =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

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
