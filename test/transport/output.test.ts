import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { Output } from "../../src/transport/output.js";
import { requests } from "../../src/transport/requests.js";
import type { Batch } from "../../src/zmtp/index.js";
import { FakeStream } from "../support/fake-stream.js";

const KB = 1024;

function batchOf(...sizes: number[]): Batch {
  let octet = 0;
  const chunks = sizes.map((size) => Buffer.alloc(size, ++octet));
  return { chunks, size: sizes.reduce((sum, size) => sum + size, 0), slabs: [] };
}

function outputTo(family: string | undefined): {
  stream: FakeStream;
  output: Output;
  written: ReturnType<typeof vi.fn>;
  failed: ReturnType<typeof vi.fn>;
} {
  const stream = new FakeStream(family);
  const written = vi.fn();
  const failed = vi.fn();
  return { stream, output: new Output(stream.asStream, written, failed), written, failed };
}

const sizesOf = (stream: FakeStream): number[] => stream.written.map(({ length }) => length);

describe("Output", () => {
  it("says at once that a batch has been written, and does not tell again", () => {
    const { stream, output, written } = outputTo("IPv4");
    expect(output.write(batchOf(5, 300 * KB))).toBe(true);
    expect([output.busy, output.size, requests.size]).toEqual([false, 0, 0]);
    stream.finish();
    expect(written).not.toHaveBeenCalled();
    expect(sizesOf(stream)).toEqual([5, 300 * KB]);
  });

  it("is busy until a write is over, which is a request meanwhile", () => {
    const { stream, output, written } = outputTo("IPv6");
    stream.mode = "pending";
    const batch = batchOf(5);
    expect(output.write(batch)).toBe(false);
    expect([output.busy, output.size, requests.size]).toEqual([true, 5, 1]);
    stream.finish();
    expect(written.mock.calls).toEqual([[batch]]);
    expect([output.busy, output.size, requests.size]).toEqual([false, 0, 0]);
  });

  it("gives a Unix socket a large batch in pieces, each once the one before is written", () => {
    const { stream, output, written } = outputTo(undefined);
    stream.mode = "pending";
    expect(output.write(batchOf(9, 300 * KB))).toBe(false);
    expect(sizesOf(stream)).toEqual([9, 128 * KB - 9]);
    const before = requests.settled;
    stream.finish();
    expect(requests.settled).toBe(before + 1);
    expect(sizesOf(stream).slice(2)).toEqual([128 * KB]);
    expect(written).not.toHaveBeenCalled();
    stream.mode = "taken";
    stream.finish();
    expect(sizesOf(stream).slice(3)).toEqual([44 * KB + 9]);
    expect(written).toHaveBeenCalledTimes(1);
    expect(requests.size).toBe(0);
  });

  it("writes the octets of any batch, whole and in order, however it is taken", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("IPv4", undefined),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 400 * KB })), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.array(fc.boolean()),
        (family, sizes, pending) => {
          const { stream, output, written } = outputTo(family);
          const batch = batchOf(...sizes);
          const wait = (): void => {
            stream.mode = pending.pop() === true ? "pending" : "taken";
          };
          wait();
          const atOnce = output.write(batch);
          while (output.busy) {
            wait();
            stream.finish();
          }
          stream.finish();
          expect(Buffer.concat(stream.written).equals(Buffer.concat(batch.chunks))).toBe(true);
          expect(written.mock.calls.length).toBe(atOnce ? 0 : 1);
          expect(requests.size).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("knows what was refused at the call, and only if nothing of it was sent", () => {
    const whole = outputTo(undefined);
    whole.stream.mode = "refused";
    const batch = batchOf(300 * KB);
    expect(whole.output.write(batch)).toBe(false);
    expect(whole.output.refused).toBe(batch);
    expect(whole.failed).toHaveBeenCalled();

    const begun = outputTo(undefined);
    begun.stream.mode = "pending";
    begun.output.write(batch);
    begun.stream.mode = "refused";
    begun.stream.finish();
    expect(begun.output.refused).toBeUndefined();
    expect(begun.failed).toHaveBeenCalled();
    expect([begun.output.busy, begun.written.mock.calls.length]).toEqual([true, 0]);
  });

  it("a write that fails later is no request any more, and was not refused", () => {
    const { stream, output, written, failed } = outputTo("IPv4");
    stream.mode = "pending";
    output.write(batchOf(5));
    stream.writable = false;
    stream.finish();
    expect([requests.size, output.refused]).toEqual([0, undefined]);
    expect(failed).toHaveBeenCalledTimes(1);
    expect(written).not.toHaveBeenCalled();
  });

  it("one that is given up is no request any more", () => {
    const { stream, output } = outputTo("IPv4");
    stream.mode = "pending";
    output.write(batchOf(5));
    output.close();
    expect(requests.size).toBe(0);
  });
});
