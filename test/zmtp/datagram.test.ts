import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SegmentMemory } from "../../src/transport/memory.js";
import { decodeDatagram, encodeDatagram } from "../../src/zmtp/datagram.js";
import { plainMemory } from "../../src/zmtp/memory.js";

const octets = fc.uint8Array({ maxLength: 600 });
const group = fc.uint8Array({ maxLength: 255 });

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

describe("a datagram of RADIO", () => {
  it("is the size of the group, the group, and the body", () => {
    const [head, body] = encodeDatagram(Uint8Array.of(1, 2), Uint8Array.of(3));
    expect([[...head], [...body]]).toEqual([[2, 1, 2], [3]]);
    expect(joined(encodeDatagram(new Uint8Array(0), new Uint8Array(0)))).toEqual(Uint8Array.of(0));
    expect(encodeDatagram(new Uint8Array(255).fill(7), new Uint8Array(0))[0]).toEqual(
      Uint8Array.of(255, ...new Uint8Array(255).fill(7)),
    );
  });

  it("goes by reference, but for its head", () => {
    const body = new Uint8Array(10);
    expect(encodeDatagram(new Uint8Array(3), body)[1]).toBe(body);
  });

  it("is decoded to what was encoded, in memory of its own", () => {
    fc.assert(
      fc.property(group, octets, (group, body) => {
        const datagram = joined(encodeDatagram(group, body));
        const parts = decodeDatagram(datagram, plainMemory);
        datagram.fill(0);
        expect(parts).toEqual([group, body]);
      }),
    );
  });

  it("is any octets but none, or fewer than its group is said to have", () => {
    fc.assert(
      fc.property(octets, (datagram) => {
        const memory = new SegmentMemory();
        const parts = decodeDatagram(datagram, memory);
        const [size] = datagram;
        if (size === undefined || datagram.length <= size) expect(parts).toBeUndefined();
        else {
          expect(parts?.map((part) => Uint8Array.from(part))).toEqual([
            datagram.slice(1, 1 + size),
            datagram.slice(1 + size),
          ]);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
