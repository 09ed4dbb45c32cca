import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Encoder, SLAB_SIZE } from "../../src/zmtp/encoder.js";
import { COPY_MAX, REUSE_MAX } from "../../src/zmtp/frame.js";
import { CountingSlabs } from "../support/connection-pair.js";
import { writeMessage } from "../support/naive-codec.js";
import { trafficOf } from "../support/traffic-of.js";
import * as wire from "../support/wire.js";

/** What the next batch would put on the wire. */
function written(encoder: Encoder): Uint8Array {
  const batch = encoder.take();
  const octets = wire.concat(...batch.chunks);
  expect(batch.size).toBe(octets.length);
  encoder.release(batch);
  return octets;
}

function setUp(greeting?: Uint8Array) {
  const slabs = new CountingSlabs();
  return { slabs, encoder: new Encoder(slabs, greeting) };
}

function send(encoder: Encoder, ...parts: wire.Octets[]): void {
  encoder.message(parts.map(wire.bytes));
}

const texts = (messages: Uint8Array[][]) =>
  messages.map((parts) => parts.map((part) => String.fromCharCode(...part)));

const LARGE = new Uint8Array(COPY_MAX + 1).fill(0x4c);

describe("messages and commands", () => {
  it.each([
    ["a part", ["hello"]],
    ["an empty part", [""]],
    ["several", ["a", "", "b".repeat(47), "c".repeat(48), "d".repeat(49)]],
    ["255 and 256 octets", ["x".repeat(255), "y".repeat(256)]],
    ["what is just copied, and just not", ["x".repeat(COPY_MAX), "y".repeat(COPY_MAX + 1)]],
  ])("of %s", (_, parts) => {
    const { encoder, slabs } = setUp();
    send(encoder, ...parts);
    const expected = wire.message(...parts);
    expect(encoder.size).toBe(expected.length);
    expect(written(encoder)).toEqual(expected);
    expect(encoder.size).toBe(0);
    expect(slabs.out).toBe(0);
  });

  it("keep their order", () => {
    const { encoder } = setUp();
    encoder.command(wire.commandBody("A"));
    send(encoder, "b", LARGE, "c");
    encoder.command(wire.commandBody("D", LARGE));
    const expected = wire.concat(
      wire.command("A"),
      wire.message("b", LARGE, "c"),
      wire.command("D", LARGE),
    );
    expect(written(encoder)).toEqual(expected);
  });

  it("of any sizes, in any batches, are what the naive codec writes, in slabs of just the size that is asked for", () => {
    const size = fc.oneof(fc.nat(300), fc.integer({ min: 8000, max: 9000 }), fc.nat(70_000));
    const messages = fc.array(fc.array(size, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 3 }), (batches) => {
        const slabs = new CountingSlabs();
        const take = (size: number): Uint8Array => slabs.take(size).subarray(0, size);
        const encoder = new Encoder({ take, give: () => slabs.give() });
        for (const messages of batches) {
          const sent = messages.map((sizes) => sizes.map((n, i) => new Uint8Array(n).fill(n + i)));
          for (const parts of sent) encoder.message(parts);
          const octets = written(encoder);
          const expected = Uint8Array.from(sent.flatMap(writeMessage));
          expect(Buffer.compare(octets, expected)).toBe(0);
          expect(slabs.out).toBe(0);
        }
        expect(Math.max(0, ...slabs.wanted)).toBeLessThanOrEqual(SLAB_SIZE);
      }),
      { numRuns: 40 },
    );
  });

  it("take a slab for as much as there was the last time", () => {
    const { encoder, slabs } = setUp();
    for (const texts of [["a"], ["x".repeat(40), "y".repeat(50)], ["b"], ["c"]]) {
      for (const text of texts) send(encoder, text);
      written(encoder);
    }
    expect(slabs.wanted).toEqual([10, 49, 94, 10]);
  });

  it("take a small one beside bodies that go by reference", () => {
    const { encoder, slabs } = setUp();
    for (let i = 0; i < 2; i++) {
      send(encoder, new Uint8Array(10 * SLAB_SIZE));
      written(encoder);
    }
    expect(slabs.wanted).toEqual([9, 9]);
  });
});

describe("a greeting", () => {
  it("goes first, once", () => {
    const { encoder } = setUp(wire.greeting());
    expect(encoder.size).toBe(64);
    send(encoder, "a");
    expect(written(encoder)).toEqual(wire.concat(wire.greeting(), wire.message("a")));
    send(encoder, "b");
    expect(written(encoder)).toEqual(wire.message("b"));
  });

  it("may be all there is", () => {
    const { encoder, slabs } = setUp(wire.greeting());
    expect(written(encoder)).toEqual(wire.greeting());
    expect(slabs.out).toBe(0);
  });
});

describe("small parts", () => {
  it("are packed into one chunk, and copied", () => {
    const { encoder } = setUp();
    const part = wire.bytes("first");
    encoder.message([part]);
    part.fill(0);
    for (let i = 0; i < 99; i++) send(encoder, "more");
    const batch = encoder.take();
    expect(batch.chunks).toHaveLength(1);
    expect(batch.slabs).toHaveLength(1);
    expect(String.fromCharCode(...(batch.chunks[0] as Uint8Array).subarray(2, 7))).toBe("first");
  });

  it("fill one slab after the other, none beyond its end", () => {
    const { encoder, slabs } = setUp();
    const parts = Array.from({ length: 50 }, (_, i) => String.fromCharCode(65 + i).repeat(5000));
    for (const part of parts) send(encoder, part);
    const batch = encoder.take();
    expect(batch.slabs).toHaveLength(4);
    expect(slabs.out).toBe(4);
    expect(batch.chunks.every((chunk) => chunk.length <= SLAB_SIZE)).toBe(true);
    expect(wire.concat(...batch.chunks)).toEqual(wire.concat(...parts.map((p) => wire.message(p))));
    encoder.release(batch);
    expect(slabs.out).toBe(0);
  });

  it("fill a slab to its last octet", () => {
    const { encoder } = setUp();
    const filled = Array.from({ length: 7 }, (_, i) => String.fromCharCode(65 + i).repeat(8192));
    const left = SLAB_SIZE - 7 * (9 + 8192) - 9;
    for (const size of [left - 1, left, left + 1]) {
      const parts = [...filled, "x".repeat(size)];
      for (const part of parts) send(encoder, part);
      const batch = encoder.take();
      expect(batch.slabs).toHaveLength(size > left ? 2 : 1);
      const expected = wire.concat(...parts.map((part) => wire.message(part)));
      expect(Buffer.compare(wire.concat(...batch.chunks), expected)).toBe(0);
    }
  });

  it("may follow while the last batch is being written", () => {
    const { encoder } = setUp();
    send(encoder, "a");
    const batch = encoder.take();
    send(encoder, "b");
    expect(wire.concat(...batch.chunks)).toEqual(wire.message("a"));
    expect(written(encoder)).toEqual(wire.message("b"));
    encoder.release(batch);
  });
});

it("large parts go by reference", () => {
  const { encoder } = setUp();
  send(encoder, "a", LARGE, LARGE, "b");
  const { chunks } = encoder.take();
  expect(chunks.map((chunk) => chunk.length)).toEqual([12, LARGE.length, 9, LARGE.length, 3]);
  expect(chunks[1]).toBe(LARGE);
  expect(chunks[3]).toBe(LARGE);
});

it("nothing encoded is an empty batch", () => {
  const { encoder, slabs } = setUp();
  expect(encoder.take()).toEqual({ chunks: [], size: 0, slabs: [] });
  expect(slabs.out).toBe(0);
});

describe("taking back", () => {
  it("gives whole messages in order, and forgets greeting and commands", () => {
    const { encoder, slabs } = setUp(wire.greeting());
    encoder.command(wire.commandBody("READY"));
    send(encoder, "a", "", "bb".repeat(200));
    encoder.command(wire.commandBody("SUBSCRIBE", LARGE));
    send(encoder, "c");
    expect(texts(encoder.takeBack())).toEqual([["a", "", "bb".repeat(200)], ["c"]]);
    expect(encoder.size).toBe(0);
    expect(slabs.out).toBe(0);
    expect(encoder.takeBack()).toEqual([]);
  });

  it("leaves out what was taken", () => {
    const { encoder } = setUp();
    send(encoder, "a");
    encoder.take();
    send(encoder, "b");
    expect(texts(encoder.takeBack())).toEqual([["b"]]);
  });

  it("gives what was taken and refused by the wire, too", () => {
    const { encoder } = setUp(wire.greeting());
    encoder.command(wire.commandBody("READY"));
    send(encoder, "a", LARGE);
    const refused = encoder.take();
    send(encoder, "b");
    const messages = encoder.takeBack(refused);
    expect(messages.map((parts) => parts.map((part) => part.length))).toEqual([[1, 8193], [1]]);
    expect(messages[0]?.[1]).toBe(LARGE);
    encoder.release(refused);
  });

  it("knows its greeting, whenever that was refused", () => {
    const { encoder } = setUp(wire.greeting());
    const refused = encoder.take();
    expect(encoder.takeBack(refused)).toEqual([]);
  });

  it("gives large parts as they are, small ones as copies", () => {
    const { encoder } = setUp();
    const exact = new Uint8Array(COPY_MAX).fill(1);
    encoder.message([LARGE, exact, LARGE]);
    encoder.message([LARGE]);
    const messages = encoder.takeBack();
    expect(messages.map((parts) => parts.length)).toEqual([3, 1]);
    expect(messages[0]?.[0]).toBe(LARGE);
    expect(messages[0]?.[1]).toEqual(exact);
    expect(messages[1]?.[0]).toBe(LARGE);
  });

  it("of any messages gives what was sent, and it can be sent again", () => {
    const size = fc.oneof(fc.nat(300), fc.integer({ min: 8150, max: 8250 }));
    const messages = fc.array(fc.array(size, { minLength: 1, maxLength: 5 }), { maxLength: 30 });
    fc.assert(
      fc.property(messages, (messages) => {
        const { encoder, slabs } = setUp(wire.greeting());
        const sent = messages.map((sizes) => sizes.map((n, i) => new Uint8Array(n).fill(n + i)));
        for (const parts of sent) encoder.message(parts);
        const back = encoder.takeBack();
        expect(back.map((parts) => parts.map((part) => part.length))).toEqual(messages);
        for (const parts of back) encoder.message(parts);
        const expected = wire.concat(...sent.map((parts) => wire.message(...parts)));
        expect(Buffer.compare(written(encoder), expected)).toBe(0);
        expect(slabs.out).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe("under a mechanism", () => {
  /** Every frame travels in a message frame, its flags in front of its body. */
  function wrapping() {
    const { encoder, slabs } = setUp();
    const wrapped: string[] = [];
    encoder.traffic = trafficOf({
      wrap: (flags, body) => {
        wrapped.push(`${flags} ${String.fromCharCode(...body.subarray(0, 8))}`);
        return { flags: 0, body: wire.concat(Uint8Array.of(flags), body) };
      },
    });
    return { encoder, slabs, wrapped };
  }

  it("messages and commands are transformed in order when the batch is taken", () => {
    const { encoder, wrapped, slabs } = wrapping();
    send(encoder, "a", "b");
    encoder.command(wire.commandBody("C"));
    send(encoder, LARGE);
    expect(wrapped).toEqual([]);
    const octets = written(encoder);
    const expected = ["\x01a", "\0b", "\x04\x01C", wire.concat("\0", LARGE)];
    expect(octets).toEqual(wire.concat(...expected.map((body) => wire.message(body))));
    expect(wrapped).toEqual(["1 a", "0 b", "4 \x01C", "0 LLLLLLLL"]);
    expect(encoder.size).toBe(0);
    expect(slabs.out).toBe(0);
  });

  it("there is output even when all parts are empty", () => {
    const { encoder } = wrapping();
    send(encoder, "");
    expect(encoder.size).toBe(2);
    expect(written(encoder)).toEqual(wire.message("\0"));
  });

  it("parts of up to 128 octets are copied at once, larger ones wait as they are", () => {
    const { encoder } = wrapping();
    for (const size of [1, REUSE_MAX, REUSE_MAX + 1]) {
      const part = new Uint8Array(size).fill(1);
      encoder.message([part]);
      part.fill(2);
    }
    const bodies = [
      new Uint8Array(1).fill(1),
      new Uint8Array(128).fill(1),
      new Uint8Array(129).fill(2),
    ];
    expect(written(encoder)).toEqual(
      wire.concat(...bodies.map((body) => wire.message(wire.concat("\0", body)))),
    );
  });

  it("what was encoded before goes as it is", () => {
    const { encoder, slabs } = setUp(wire.greeting());
    encoder.command(wire.commandBody("READY"));
    encoder.traffic = trafficOf({
      wrap: (flags, body) => ({ flags: 0, body: wire.concat(Uint8Array.of(flags), body) }),
    });
    send(encoder, "a");
    const octets = written(encoder);
    const expected = wire.concat(wire.greeting(), wire.command("READY"), wire.message("\0a"));
    expect(octets).toEqual(expected);
    expect(slabs.out).toBe(0);
  });

  it("what was refused is transformed, and lost", () => {
    const { encoder } = wrapping();
    send(encoder, "a");
    const refused = encoder.take();
    send(encoder, "b");
    expect(texts(encoder.takeBack(refused))).toEqual([["b"]]);
  });

  it("one that cannot be transformed is lost alone: the others of its batch are taken back", () => {
    const { encoder, slabs } = setUp();
    const unfit = new RangeError("too large");
    encoder.traffic = trafficOf({
      wrap: (flags, body) => {
        if (body === LARGE) throw unfit;
        return { flags, body };
      },
    });
    send(encoder, "a");
    send(encoder, "b", LARGE, "c");
    encoder.command(wire.commandBody("SUBSCRIBE"));
    send(encoder, "d", "e");
    expect(() => encoder.take()).toThrow(unfit);
    expect(texts(encoder.takeBack())).toEqual([["a"], ["d", "e"]]);
    expect([encoder.size, slabs.out]).toEqual([0, 0]);
  });

  it("messages are taken back untransformed, even when a command followed", () => {
    const { encoder, wrapped, slabs } = wrapping();
    send(encoder, "a", LARGE);
    encoder.command(wire.commandBody("SUBSCRIBE"));
    send(encoder, "b");
    const messages = encoder.takeBack();
    expect(messages.map((parts) => parts.length)).toEqual([2, 1]);
    expect(messages[0]?.[1]).toBe(LARGE);
    expect(wrapped).toEqual([]);
    expect(encoder.size).toBe(0);
    expect(slabs.out).toBe(0);
    expect(encoder.takeBack()).toEqual([]);
  });
});
