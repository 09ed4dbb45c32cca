/** ASCII by hand: this folder runs where there is no Buffer and no TextDecoder. */

/** The octets of an ASCII string. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Octets `from` to `to` as a string, one character each. */
export function toAscii(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i] as number);
  return text;
}

/** Whether octets `from` to `to` are printable ASCII. */
export function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const octet = bytes[i] as number;
    if (octet < 0x20 || octet > 0x7e) return false;
  }
  return true;
}
