import { Buffer } from "node:buffer";
import { expect } from "vitest";
import { TAG_SIZE } from "../../src/zmtp/curve-cipher.js";
import type { Secretbox } from "../../src/zmtp/index.js";

/** How a box was sealed, and where in its octets it begins. */
interface Sealed {
  nonce: Uint8Array;
  key: Uint8Array;
  at?: number;
  leadSize?: number;
}

/** Opens a box both ways, to other memory and in its place, which come to the same. */
export function openBox(
  box: Secretbox,
  source: Uint8Array,
  { nonce, key, at = 0, leadSize = 0 }: Sealed,
): { isOpen: boolean; lead: Uint8Array; plain: Uint8Array } {
  const bodyAt = at + TAG_SIZE + leadSize;
  const [lead, sameLead] = [new Uint8Array(leadSize).fill(9), new Uint8Array(leadSize).fill(9)];
  const body = source.subarray(bodyAt);
  const plain = new Uint8Array(body.length).fill(9);
  const place = Uint8Array.from(body);
  const isOpen = box.open(lead, plain, source, at, body, nonce, key);
  expect(box.open(sameLead, place, source.slice(0, bodyAt), at, place, nonce, key)).toBe(isOpen);
  expect(Buffer.compare(sameLead, lead)).toBe(0);
  expect(Buffer.compare(place, plain)).toBe(0);
  return { isOpen, lead, plain };
}
