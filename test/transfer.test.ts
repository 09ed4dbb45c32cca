/** What a message takes along: which buffers it may be, and what becomes of them. */
import { markAsUntransferable } from "node:worker_threads";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toParts } from "../src/message.js";
import { isSole, share, Transfer } from "../src/transfer.js";

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(10);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

function marked(): ArrayBuffer {
  const buffer = new ArrayBuffer(10);
  markAsUntransferable(buffer);
  return buffer;
}

const ours = (size = 10): ArrayBuffer => new Uint8Array(size).map((_, i) => i).buffer;

// Node.js' types do not know it.
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
};

const NO_LIST = new TypeError("transfer must be an array of ArrayBuffers");
const invalid = (why: string): unknown =>
  expect.objectContaining({ code: "EINVAL", message: `Invalid argument: ${why}` });

describe("a list of what to transfer", () => {
  it.each([
    ["no array", new ArrayBuffer(1)],
    ["null", null],
    ["a SharedArrayBuffer", [new SharedArrayBuffer(10)]],
    ["a view", [new Uint8Array(10)]],
    ["nothing", [undefined]],
  ])("%s: TypeError", (_, list) => {
    expect(() => new Transfer(list, toParts(ours()))).toThrow(NO_LIST);
  });

  const UNTRANSFERABLE: [string, () => ArrayBuffer][] = [
    ["the pool of Buffers", () => Buffer.from("pooled").buffer as ArrayBuffer],
    ["WebAssembly's memory", () => new WebAssembly.Memory({ initial: 1 }).buffer],
    ["what is marked", marked],
  ];

  it.each(UNTRANSFERABLE)("%s: EINVAL, and nothing happens to the others", (_, make) => {
    const [good, bad] = [ours(), make()];
    const size = bad.byteLength;
    for (const list of [
      [good, bad],
      [bad, good],
    ]) {
      expect(() => new Transfer(list, toParts([good, bad]))).toThrow(
        invalid(`transfer[${list.indexOf(bad)}] cannot be transferred`),
      );
    }
    expect([good.byteLength, bad.byteLength]).toEqual([10, size]);
  });

  it("what is detached: EINVAL, with a part that lay in it, too", () => {
    const buffer = ours();
    const parts = toParts(new Uint8Array(buffer, 2, 4));
    structuredClone(buffer, { transfer: [buffer] });
    expect(() => new Transfer([buffer], parts)).toThrow(
      invalid("transfer[0] cannot be transferred"),
    );
    expect(() => new Transfer([detached()], [])).toThrow(invalid("transfer[0] holds no part"));
  });

  it("what is there twice, or holds no part: EINVAL", () => {
    const [one, other] = [ours(), ours()];
    const parts = toParts([one, "text", new Uint8Array(other, 3, 0)]);
    expect(() => new Transfer([one, other, one], parts)).toThrow(
      invalid("transfer[2] is there twice"),
    );
    expect(() => new Transfer([one, ours()], parts)).toThrow(invalid("transfer[1] holds no part"));
    expect(() => new Transfer([one, other], parts)).not.toThrow();
    expect([one.byteLength, other.byteLength]).toEqual([10, 10]);
  });

  it("may be changed after the call", () => {
    const [one, other] = [ours(), ours()];
    const list = [one];
    const transfer = new Transfer(list, toParts([one, other]));
    list.push(other);
    transfer.take(toParts([one, other]));
    expect([one.byteLength, other.byteLength]).toEqual([0, 10]);
  });
});

describe("take", () => {
  it("detaches what is in the list, and nothing else; the message is the same", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.record({ buffer: fc.nat(3), from: fc.nat(5000), to: fc.nat(5000) }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.infiniteStream(fc.boolean()),
        (sizes, views, chosen) => {
          const buffers = sizes.map(ours);
          const message = views.map(({ buffer, from, to }) => {
            const memory = buffers[buffer % buffers.length] as ArrayBuffer;
            const [start, end] = [from, to].map((at) => at % (memory.byteLength + 1)).sort(lower);
            return new Uint8Array(memory, start, (end as number) - (start as number));
          });
          const list = buffers.filter(
            (buffer) => message.some((it) => it.buffer === buffer) && chosen.next().value,
          );
          const before = message.map((it) => Buffer.from(it));
          const offsets = message.map(({ byteOffset }) => byteOffset);
          const parts = toParts(message);
          const taken = new Transfer(list, parts).take(parts);
          expect(taken.map(String)).toEqual(before.map(String));
          expect(taken.map(({ byteOffset }) => byteOffset)).toEqual(offsets);
          for (const buffer of buffers) expect(isGone(buffer)).toBe(list.includes(buffer));
          for (const [i, part] of taken.entries()) {
            const given = list.includes(parts[i]?.buffer as ArrayBuffer);
            expect([isSole(part), part === parts[i]]).toEqual([given, !given]);
          }
        },
      ),
    );
  });

  it("throws EINVAL when somebody else has taken a buffer meanwhile", () => {
    const [one, other] = [ours(), ours()];
    const parts = toParts([one, other]);
    const transfer = new Transfer([one, other], parts);
    structuredClone(other, { transfer: [other] });
    expect(() => transfer.take(parts)).toThrow(invalid("transfer[1] has changed its size"));
    expect(one.byteLength).toBe(10);
  });

  it("its parts are the message's alone, until they are shared", () => {
    const buffer = ours();
    const parts = toParts(buffer);
    const taken = new Transfer([buffer], parts).take(parts);
    expect(taken.map(isSole)).toEqual([true]);
    share(taken);
    expect(taken.map(isSole)).toEqual([false]);
  });
});

function lower(a: number, b: number): number {
  return a - b;
}

function isGone(buffer: ArrayBuffer): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
