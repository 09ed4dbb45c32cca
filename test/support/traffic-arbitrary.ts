import fc from "fast-check";
import * as wire from "./wire.js";

/** Bodies around the sizes where something changes. */
const body = fc
  .oneof(fc.nat(20), fc.constantFrom(0, 254, 255, 256, 257), {
    weight: 1,
    arbitrary: fc.integer({ min: 300, max: 700 }),
  })
  .chain((size) => fc.nat(255).map((octet) => new Uint8Array(size).fill(octet)));

const message = fc
  .array(body, { minLength: 1, maxLength: 5 })
  .map((parts) => wire.message(...parts));

const command = fc
  .tuple(fc.constantFrom("PING", "PONG", "SUBSCRIBE", "CANCEL", "READY", "ERROR", "X"), body)
  .map(([name, data]) => wire.command(name, data));

const longFrame = body.map((octets) => wire.frame(octets, { long: true }));

/** Valid frames of the traffic, though some may break limits. */
export const traffic: fc.Arbitrary<Uint8Array> = fc
  .array(fc.oneof(message, command, longFrame), { maxLength: 8 })
  .map((pieces) => wire.concat(...pieces));

const property = fc
  .tuple(
    fc.constantFrom("Identity", "X-a", "x-A", "X-b", "Resource", "__proto__"),
    fc.constantFrom("", "id", "long".repeat(60)),
  )
  .map(([name, value]) => wire.property(name, value));

const socketType = fc
  .constantFrom("PAIR", "PAIR", "PAIR", "PUB", "")
  .map((type) => [wire.property("Socket-Type", type)]);

const ready = fc
  .tuple(fc.option(socketType, { nil: [] }), fc.array(property, { maxLength: 3 }))
  .map(([type, rest]) => wire.command("READY", wire.concat(...type, ...rest)));

const handshake = fc.oneof(
  { weight: 6, arbitrary: ready },
  { weight: 1, arbitrary: fc.constant(wire.error("400")) },
  { weight: 1, arbitrary: fc.constant(wire.command("HELLO")) },
);

const greeting = fc
  .tuple(fc.constantFrom(3, 3, 3, 4, 2), fc.nat(2))
  .map(([major, minor]) => wire.greeting({ major, minor }));

/** What a peer may say from its first octet on. */
export const conversation: fc.Arbitrary<Uint8Array> = fc
  .tuple(greeting, handshake, traffic)
  .map((pieces) => wire.concat(...pieces));

/** Octets changed, taken out and put in. */
export function mutated(octets: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const mutation = fc.tuple(fc.constantFrom("set", "cut", "add"), fc.nat(), fc.nat(255));
  return fc
    .tuple(octets, fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([octets, mutations]) => {
      const list = [...octets];
      for (const [kind, where, octet] of mutations) {
        const at = where % (list.length + 1);
        if (kind === "set" && at < list.length) list[at] = octet;
        else if (kind === "cut") list.splice(at, 1 + (octet % 4));
        else list.splice(at, 0, octet);
      }
      return Uint8Array.from(list);
    });
}
