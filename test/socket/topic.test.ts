import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isSubscription,
  nameOf,
  octetsOf,
  subscribes,
  subscriptionTo,
} from "../../src/socket/topic.js";

const octets = fc.uint8Array({ maxLength: 40 });

describe("a topic", () => {
  it("of any octets is a name with a character for each, and back", () => {
    fc.assert(
      fc.property(octets, (topic) => {
        const name = nameOf(topic);
        expect(name.length).toBe(topic.length);
        expect([...octetsOf(name)]).toEqual([...topic]);
      }),
    );
  });

  it("may be a view of other octets", () => {
    const octets = Buffer.from("\x01topic");
    const view = new Uint8Array(octets.buffer, octets.byteOffset + 1, 3);
    expect([nameOf(octets.subarray(1, 4)), nameOf(view)]).toEqual(["top", "top"]);
  });
});

describe("a subscription as a part of a message", () => {
  it("is an octet that says which, and the topic", () => {
    expect(subscriptionTo("A\xff", true)).toEqual(Buffer.from([1, 65, 255]));
    expect(subscriptionTo("A\xff", false)).toEqual(Buffer.from([0, 65, 255]));
    expect(subscriptionTo("", true)).toEqual(Buffer.from([1]));
  });

  it("is known as one, and by what it says", () => {
    for (const subscribe of [true, false]) {
      const part = subscriptionTo("A", subscribe);
      expect([isSubscription(part), subscribes(part)]).toEqual([true, subscribe]);
    }
  });

  it("is nothing else: no other octet begins one, nor does an empty part", () => {
    for (let octet = 2; octet < 256; octet++) expect(isSubscription(Buffer.of(octet))).toBe(false);
    expect(isSubscription(Buffer.alloc(0))).toBe(false);
  });
});
