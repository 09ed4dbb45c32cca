import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { NameSet } from "../../src/socket/name-set.js";
import { type HasTopics, Subscriptions } from "../../src/socket/subscriptions.js";

class Subscriber implements HasTopics {
  readonly topics = new NameSet();
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

let subscriptions: Subscriptions<Subscriber>;
let a: Subscriber;
let b: Subscriber;
let c: Subscriber;

/** Who is to get a message, with repetitions. */
function visited(message: string): string[] {
  const names: string[] = [];
  subscriptions.match(Buffer.from(message, "latin1"), ({ name }) => names.push(name));
  return names.sort();
}

beforeEach(() => {
  subscriptions = new Subscriptions();
  [a, b, c] = [new Subscriber("a"), new Subscriber("b"), new Subscriber("c")];
});

describe("Subscriptions", () => {
  it("says who is the first to subscribe, and who the last to cancel", () => {
    expect([subscriptions.add("t", a), subscriptions.add("t", b)]).toEqual([true, false]);
    expect([subscriptions.delete("t", a), subscriptions.delete("t", b)]).toEqual([false, true]);
    expect(subscriptions.add("t", b)).toBe(true);
  });

  it("asking twice is asking once", () => {
    subscriptions.add("t", a);
    expect(subscriptions.add("t", a)).toBe(false);
    expect(visited("t")).toEqual(["a"]);
    expect(subscriptions.delete("t", a)).toBe(true);
    expect([visited("t"), subscriptions.size]).toEqual([[], 0]);
  });

  it("cancelling what was not subscribed to changes nothing", () => {
    subscriptions.add("t", a);
    expect([subscriptions.delete("t", b), subscriptions.delete("u", a)]).toEqual([false, false]);
    expect([visited("t"), subscriptions.size]).toEqual([["a"], 1]);
  });

  it("one of many leaves, whichever it is", () => {
    for (const leaver of [a, b, c]) {
      for (const subscriber of [a, b, c]) subscriptions.add("t", subscriber);
      expect(subscriptions.delete("t", leaver)).toBe(false);
      expect(visited("t")).toEqual(["a", "b", "c"].filter((name) => name !== leaver.name));
    }
  });

  it("visits a subscriber for each of its topics that a message begins with", () => {
    for (const topic of ["", "t", "to", "u"]) subscriptions.add(topic, a);
    subscriptions.add("to", b);
    expect(visited("topic")).toEqual(["a", "a", "a", "b"]);
    expect(visited("u")).toEqual(["a", "a"]);
    expect(subscriptions.size).toBe(4);
  });
});

describe("Subscriptions, whatever is done", () => {
  const topic = fc.string({ unit: fc.constantFrom("x", "y", "\xff"), maxLength: 3 });
  const who = fc.nat(3);
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant("add"), topic, who }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("delete"), topic, who }) },
    // As one does that goes.
    { weight: 1, arbitrary: fc.record({ do: fc.constant("leave"), topic, who }) },
  );

  it("are a set of topics for each subscriber", () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 80, size: "max" }),
        topic,
        (operations, message) => {
          subscriptions = new Subscriptions();
          const subscribers = ["a", "b", "c", "d"].map((name) => new Subscriber(name));
          const model = subscribers.map(() => new Set<string>());
          const wanted = (topic: string): boolean => model.some((topics) => topics.has(topic));
          for (const { do: what, topic, who } of operations) {
            const subscriber = subscribers[who] as Subscriber;
            const topics = model[who] as Set<string>;
            const before = wanted(topic);
            if (what === "add") {
              topics.add(topic);
              expect(subscriptions.add(topic, subscriber)).toBe(!before);
            } else if (what === "delete") {
              topics.delete(topic);
              const last = subscriptions.delete(topic, subscriber);
              expect(last).toBe(before && !wanted(topic));
            } else {
              topics.clear();
              for (const topic of subscriber.topics) {
                expect(subscriptions.delete(topic, subscriber)).toBe(!wanted(topic));
              }
            }
            expect(new Set(subscriber.topics)).toEqual(topics);
            expect(subscriptions.size).toBe(new Set(model.flatMap((topics) => [...topics])).size);
          }
          const expected = model.flatMap((topics, i) =>
            [...topics].filter((it) => message.startsWith(it)).map(() => subscribers[i]?.name),
          );
          expect(visited(message)).toEqual(expected.sort());
        },
      ),
      { numRuns: 100 },
    );
  });
});
