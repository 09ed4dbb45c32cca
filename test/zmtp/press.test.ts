import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Encoder, SLAB_SIZE } from "../../src/zmtp/encoder.js";
import { COPY_MAX } from "../../src/zmtp/frame.js";
import { Press } from "../../src/zmtp/press.js";
import { CountingSlabs } from "../support/connection-pair.js";
import { trafficOf } from "../support/traffic-of.js";
import * as wire from "../support/wire.js";

function parts(...bodies: wire.Octets[]): Uint8Array[] {
  return bodies.map(wire.bytes);
}

/** What the press knows of a message while that is being published. */
function printed(message: Uint8Array[]): Uint8Array | undefined {
  let octets: Uint8Array | undefined;
  const press = new Press();
  press.print(message, () => {
    octets = press.octetsOf(message)?.slice();
  });
  return octets;
}

describe("Press", () => {
  it.each([
    ["a part", ["hello"]],
    ["an empty part", [""]],
    ["several", ["a", "", "b".repeat(255), "c".repeat(256)]],
    ["as many octets as an encoder copies", ["x".repeat(COPY_MAX - 9)]],
    ["as many in two parts", ["x".repeat(4000), "y".repeat(COPY_MAX - 4000 - 9 - 9)]],
  ])("knows the frames of %s", (_, bodies) => {
    expect(printed(parts(...bodies))).toEqual(wire.message(...bodies));
  });

  it.each([
    ["a part", ["x".repeat(COPY_MAX - 8)]],
    ["two parts", ["x".repeat(4000), "y".repeat(COPY_MAX - 4000 - 9 - 8)]],
    ["many empty parts", Array.from({ length: COPY_MAX / 2 + 1 }, () => "")],
    ["a very large part", ["x".repeat(100_000)]],
  ])("leaves what is larger than that to the encoders: %s", (_, bodies) => {
    expect(printed(parts(...bodies))).toBeUndefined();
  });

  it("encodes a message once, however often it is asked", () => {
    const press = new Press();
    const message = parts("x");
    press.print(message, () => {
      const octets = press.octetsOf(message);
      expect(octets).toBeDefined();
      expect(press.octetsOf(message)).toBe(octets);
    });
  });

  it("knows no other message, and none before and afterwards", () => {
    const press = new Press();
    const [one, other] = [parts("x"), parts("x")];
    expect(press.octetsOf(one)).toBeUndefined();
    press.print(one, () => {
      expect(press.octetsOf(other)).toBeUndefined();
      expect(press.octetsOf(one)).toBeDefined();
    });
    expect(press.octetsOf(one)).toBeUndefined();
  });

  it("one after the other has its own octets", () => {
    const press = new Press();
    for (const bodies of [["first"], ["a", "b"], [""]]) {
      const message = parts(...bodies);
      press.print(message, () => {
        expect(press.octetsOf(message)).toEqual(wire.message(...bodies));
      });
    }
  });

  it("what is published meanwhile has its own, and what goes on afterwards again its own", () => {
    const press = new Press();
    const [outer, inner] = [parts("the outer one"), parts("inner")];
    press.print(outer, () => {
      expect(press.octetsOf(outer)).toEqual(wire.message("the outer one"));
      press.print(inner, () => {
        expect(press.octetsOf(outer)).toBeUndefined();
        expect(press.octetsOf(inner)).toEqual(wire.message("inner"));
      });
      expect(press.octetsOf(inner)).toBeUndefined();
      expect(press.octetsOf(outer)).toEqual(wire.message("the outer one"));
    });
    expect(press.octetsOf(outer)).toBeUndefined();
  });
});

/** An encoder that shares the press, and one that does all itself. */
class Twins {
  readonly slabs = [new CountingSlabs(), new CountingSlabs()];
  readonly #pressed: Encoder;
  readonly #plain: Encoder;

  constructor(press: Press, greeting?: Uint8Array) {
    const [one, other] = this.slabs as [CountingSlabs, CountingSlabs];
    this.#pressed = new Encoder(one, greeting, press);
    this.#plain = new Encoder(other, greeting);
  }

  get both(): Encoder[] {
    return [this.#pressed, this.#plain];
  }

  message(message: Uint8Array[]): void {
    for (const encoder of this.both) encoder.message(message);
    expect(this.#pressed.size).toBe(this.#plain.size);
  }

  /** What the next batch would put on the wire; both have the same. */
  written(): Uint8Array {
    const [octets, expected] = this.both.map((encoder) => {
      const batch = encoder.take();
      const octets = wire.concat(...batch.chunks);
      expect(batch.size).toBe(octets.length);
      encoder.release(batch);
      return octets;
    }) as [Uint8Array, Uint8Array];
    expect(Buffer.compare(octets, expected)).toBe(0);
    return octets;
  }

  /** What is taken back, of both the same; perhaps with a batch that the wire refused. */
  takeBack(refused: boolean): void {
    const [back, expected] = this.both.map((encoder) => {
      const batch = refused ? encoder.take() : undefined;
      const messages = encoder.takeBack(batch);
      if (batch !== undefined) encoder.release(batch);
      return messages;
    }) as [Uint8Array[][], Uint8Array[][]];
    const sizes = (messages: Uint8Array[][]) =>
      messages.map((it) => it.map(({ length }) => length));
    expect(sizes(back)).toEqual(sizes(expected));
    expect(Buffer.compare(wire.concat(...back.flat()), wire.concat(...expected.flat()))).toBe(0);
  }
}

describe("an encoder with a press", () => {
  it("writes what is published, and what is not, in order", () => {
    const press = new Press();
    const twins = new Twins(press, wire.greeting());
    twins.message(parts("before"));
    const published = parts("a", "b");
    press.print(published, () => {
      twins.message(published);
      // Equal, and yet another message.
      twins.message(parts("a", "b"));
    });
    twins.message(parts("after"));
    const messages = [["before"], ["a", "b"], ["a", "b"], ["after"]];
    const expected = messages.map((bodies) => wire.message(...bodies));
    expect(twins.written()).toEqual(wire.concat(wire.greeting(), ...expected));
  });

  it("writes what the press has: nobody encodes the message again", () => {
    const press = new Press();
    const [one, other] = [new Twins(press), new Twins(press)].map(({ both }) => both[0] as Encoder);
    const message = parts("x");
    press.print(message, () => {
      one?.message(message);
      message[0]?.fill(0);
      other?.message(message);
    });
    for (const encoder of [one, other]) {
      expect(wire.concat(...(encoder?.take().chunks ?? []))).toEqual(wire.message("x"));
    }
  });

  it("copies what is published: the next one does not change it", () => {
    const press = new Press();
    const twins = new Twins(press);
    for (const text of ["one", "two"]) {
      const message = parts(text);
      press.print(message, () => twins.message(message));
      message[0]?.fill(0);
    }
    expect(twins.written()).toEqual(wire.concat(wire.message("one"), wire.message("two")));
  });

  it("fills one slab after the other, none beyond its end", () => {
    const press = new Press();
    const twins = new Twins(press);
    const expected: Uint8Array[] = [];
    // Frames of 8 KiB fill a slab to its last octet; one octet less, and a rest remains.
    for (const size of [...Array(8).fill(COPY_MAX - 9), ...Array(9).fill(COPY_MAX - 10)]) {
      const message = parts("x".repeat(size));
      press.print(message, () => twins.message(message));
      expected.push(wire.message("x".repeat(size)));
    }
    const [pressed] = twins.both;
    const batch = (pressed as Encoder).take();
    expect(batch.slabs).toHaveLength(3);
    expect(batch.chunks.map(({ length }) => length)).toEqual([
      SLAB_SIZE,
      8 * (COPY_MAX - 1),
      COPY_MAX - 1,
    ]);
    expect(Buffer.compare(wire.concat(...batch.chunks), wire.concat(...expected))).toBe(0);
  });

  it("gives what was published back as the message that it was", () => {
    const press = new Press();
    const [encoder] = new Twins(press, wire.greeting()).both as [Encoder];
    const message = parts("a", "", "b".repeat(300));
    press.print(message, () => encoder.message(message));
    encoder.message(parts("c"));
    expect(encoder.takeBack()).toEqual([message, parts("c")]);
  });

  it("under a mechanism hands it each part as it is", () => {
    const press = new Press();
    const twins = new Twins(press);
    for (const encoder of twins.both) {
      encoder.traffic = trafficOf({
        wrap: (flags, body) => ({ flags: 0, body: wire.concat(Uint8Array.of(flags), body) }),
      });
    }
    const message = parts("a", "b");
    press.print(message, () => twins.message(message));
    expect(twins.written()).toEqual(wire.concat(wire.message("\x01a"), wire.message("\0b")));
  });

  /** Around the sizes where frames, slabs and what is copied change. */
  const size = fc.oneof(
    { weight: 4, arbitrary: fc.nat(300) },
    { weight: 2, arbitrary: fc.integer({ min: COPY_MAX - 30, max: COPY_MAX + 2 }) },
    { weight: 1, arbitrary: fc.nat(20_000) },
  );
  const bodies = fc.array(size, { minLength: 1, maxLength: 4 });
  const whom = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });
  const step = fc.record({
    what: fc.oneof(
      { weight: 8, arbitrary: fc.constant("publish") },
      { weight: 2, arbitrary: fc.constant("nested") },
      { weight: 3, arbitrary: fc.constant("message") },
      { weight: 1, arbitrary: fc.constant("command") },
      { weight: 2, arbitrary: fc.constant("take") },
      { weight: 1, arbitrary: fc.constant("takeBack") },
      { weight: 1, arbitrary: fc.constant("refused") },
    ),
    bodies,
    whom,
  });

  it("puts the same octets on the wire as one without, and takes the same messages back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25, size: "max" }), (steps) => {
        const press = new Press();
        const connections = [0, 1, 2].map(() => new Twins(press, wire.greeting()));
        for (const [i, { what, bodies, whom }] of steps.entries()) {
          const message = bodies.map((size, j) => new Uint8Array(size).fill(i + j));
          run(
            what,
            message,
            connections.filter((_, i) => whom[i]),
            press,
          );
        }
        for (const twins of connections) {
          twins.written();
          expect(twins.slabs.map(({ out }) => out)).toEqual([0, 0]);
        }
      }),
      { numRuns: 60 },
    );
  });

  function run(what: string, message: Uint8Array[], connections: Twins[], press: Press): void {
    const send = (message: Uint8Array[]): void => {
      for (const twins of connections) twins.message(message);
    };
    switch (what) {
      case "publish":
        press.print(message, () => send(message));
        return;
      case "nested":
        press.print(message, () => {
          send(message);
          const other = parts("published meanwhile");
          press.print(other, () => send(other));
          send(message);
        });
        return;
      case "message":
        send(message);
        return;
      case "command":
        for (const { both } of connections) {
          for (const encoder of both) encoder.command(wire.commandBody("X"));
        }
        return;
      case "take":
        for (const twins of connections) twins.written();
        return;
      default:
        for (const twins of connections) twins.takeBack(what === "refused");
    }
  }
});
