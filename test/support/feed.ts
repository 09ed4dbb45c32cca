/** What takes octets, and says how far it came. */
export type Take = (chunk: Uint8Array, at: number, end: number) => number;

/** Feeds all octets in one chunk. */
export function feedWhole(octets: Uint8Array, take: Take): number {
  return take(octets, 0, octets.length);
}

/** Feeds one octet at a time, each in memory that is overwritten afterwards. */
export function feedBytes(octets: Uint8Array, take: Take): number {
  for (let i = 0; i < octets.length; i++) {
    const chunk = octets.slice(i, i + 1);
    const taken = take(chunk, 0, 1);
    chunk[0] = 0xa5;
    if (taken === 0) return i;
  }
  return octets.length;
}

/**
 * Feeds chunks that end at `cuts` (offsets in any order, repeated ones make empty chunks), each
 * somewhere inside a larger array that is overwritten afterwards.
 */
export function feedCut(octets: Uint8Array, cuts: readonly number[], take: Take): number {
  const ends = [...cuts.filter((cut) => cut < octets.length), octets.length];
  ends.sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    const room = new Uint8Array(end - from + 5).fill(0x5a);
    room.set(octets.subarray(from, end), 3);
    const taken = take(room, 3, 3 + end - from) - 3;
    room.fill(0xa5);
    if (taken < end - from) return from + taken;
    from = end;
  }
  return from;
}
