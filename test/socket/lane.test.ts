import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Parts } from "../../src/message.js";
import { Lane, type Marks } from "../../src/socket/lane.js";
import { Pool } from "../../src/socket/pool.js";

const UNBOUND: Marks = { messages: 0, bytes: 0 };

let lane: Lane;
/** How often a pool has woken the writer. */
let woken: number;
const writer = { wakeWriter: () => woken++ };

function open(marks: Partial<Marks>): void {
  lane = new Lane({ ...UNBOUND, ...marks });
  woken = 0;
}

function message(...sizes: number[]): Parts {
  return sizes.map((size) => Buffer.alloc(size));
}

function write(...sizes: number[]): void {
  expect(hasRoom()).toBe(true);
  lane.write(message(...sizes));
}

const hasRoom = (): boolean => lane.checkWrite(writer);

/** Writes until there is no room, at most `limit` messages. */
function fill(limit = 10_000): number {
  let count = 0;
  for (; count < limit && hasRoom(); count++) lane.write(message(1));
  return count;
}

/** Reads as a pipe does. */
function read(): Parts | undefined {
  const parts = lane.read();
  if (lane.isLowWater()) lane.acknowledge();
  return parts;
}

function readMany(count: number): Parts[] {
  return Array.from({ length: count }, () => read() as Parts);
}

/** Reads until there is room for the writer, and says how many that took. */
function readUntilRoom(): number {
  for (let count = 1; ; count++) {
    if (read() === undefined) throw new Error(`no room after ${count - 1} reads`);
    if (lane.roomCame(writer)) return count;
  }
}

beforeEach(() => open({ messages: 4 }));

describe("the mark in messages", () => {
  it.each([1, 2, 3, 4, 5, 10, 999, 1000])("%i: is full at it, and not before", (mark) => {
    open({ messages: mark });
    expect(fill()).toBe(mark);
  });

  it.each([1, 2, 3, 4, 5, 10, 999, 1000])(
    "%i: has room again after (HWM + 1) / 2 reads, rounded down",
    (mark) => {
      open({ messages: mark });
      fill();
      const low = Math.floor((mark + 1) / 2);
      expect(readUntilRoom()).toBe(low);
      expect(fill()).toBe(low);
    },
  );

  it("a message of many parts counts once", () => {
    for (let i = 0; i < 4; i++) write(1, 2, 3, 4, 5, 6);
    expect(hasRoom()).toBe(false);
  });

  it("0: there is none", () => {
    open({ messages: 0 });
    expect(fill()).toBe(10_000);
    while (read() !== undefined) {}
    expect(fill()).toBe(10_000);
  });

  it("counts written minus acknowledged, not what waits", () => {
    open({ messages: 10 });
    fill();
    readMany(4);
    expect([lane.length, hasRoom()]).toEqual([6, false]);
    readMany(1);
    expect(fill()).toBe(5);
  });
});

describe("the mark in bytes", () => {
  it("is full once as many bytes wait", () => {
    open({ bytes: 100 });
    write(60);
    write(39);
    write(1);
    expect(hasRoom()).toBe(false);
  });

  it("counts all parts", () => {
    open({ bytes: 100 });
    write(40, 40, 20);
    expect(hasRoom()).toBe(false);
  });

  it("lets a larger message through, alone", () => {
    open({ bytes: 100 });
    write(1000);
    expect(hasRoom()).toBe(false);
    read();
    expect(lane.roomCame(writer)).toBe(true);
    write(1000);
  });

  it("has room again when half of it has been read", () => {
    open({ bytes: 100 });
    for (let i = 0; i < 10; i++) write(10);
    expect(hasRoom()).toBe(false);
    expect(readUntilRoom()).toBe(5);
  });

  it("stands beside the one in messages: whichever is reached first", () => {
    open({ messages: 3, bytes: 100 });
    fill(3);
    expect([lane.length, hasRoom()]).toEqual([3, false]);
    while (read() !== undefined) {}
    write(100);
    expect(hasRoom()).toBe(false);
  });

  it("takes empty messages without end", () => {
    open({ bytes: 1 });
    for (let i = 0; i < 5000; i++) write(0);
    expect(hasRoom()).toBe(true);
  });
});

describe("who is to be told", () => {
  it("a reader that has found nothing, of the first message, once", () => {
    expect(lane.messageCame()).toBe(false);
    write(1);
    write(1);
    expect([lane.messageCame(), lane.messageCame()]).toEqual([true, false]);
    readMany(2);
    write(1);
    expect(lane.messageCame()).toBe(false);
    read();
    expect(read()).toBeUndefined();
    write(1);
    expect(lane.messageCame()).toBe(true);
  });

  it("a reader that asked whether there is any, and only if there was none", () => {
    write(1);
    lane.messageCame();
    expect(lane.checkRead()).toBe(true);
    write(1);
    expect(lane.messageCame()).toBe(false);
    readMany(2);
    expect(lane.checkRead()).toBe(false);
    write(1);
    expect(lane.messageCame()).toBe(true);
  });

  it("a reader that wants to hear of the next, though others are there", () => {
    write(1);
    lane.messageCame();
    lane.listen();
    expect([lane.messageCame(), lane.messageCame()]).toEqual([true, false]);
  });

  it("nobody is idle who has not found nothing, or for whom something is there", () => {
    expect(lane.idle).toBe(true);
    write(1);
    expect(lane.idle).toBe(false);
    lane.messageCame();
    read();
    expect(lane.idle).toBe(false);
    read();
    expect(lane.idle).toBe(true);
  });

  it("a writer that has found no room, once there is, and once", () => {
    write(1);
    expect(lane.roomCame(writer)).toBe(false);
    fill();
    readMany(1);
    expect(lane.roomCame(writer)).toBe(false);
    readMany(1);
    expect([lane.roomCame(writer), lane.roomCame(writer)]).toEqual([true, false]);
  });
});

describe("what is put back", () => {
  it("comes first, in its order", () => {
    for (const size of [1, 2, 3]) write(size);
    lane.unread(readMany(2));
    expect([lane.length, lane.bytes]).toEqual([3, 6]);
    expect(readMany(3)).toEqual([message(1), message(2), message(3)]);
  });

  it("counts as unread: it brings the acknowledgement no nearer", () => {
    fill();
    lane.unread(readMany(1));
    read();
    expect(hasRoom()).toBe(false);
    read();
    expect(hasRoom()).toBe(true);
  });

  it("counts as unread though the writer has heard of it", () => {
    fill();
    const taken = readMany(4);
    expect(hasRoom()).toBe(true);
    lane.unread(taken);
    expect(hasRoom()).toBe(false);
    expect(readUntilRoom()).toBe(2);
  });

  it("may be more than the mark allows", () => {
    fill();
    const taken = readMany(4);
    fill();
    expect(lane.overfull).toBe(false);
    lane.unread(taken);
    expect([lane.overfull, lane.length, hasRoom()]).toEqual([true, 8, false]);
  });

  it("is nothing where nothing was read", () => {
    fill();
    lane.unread([]);
    expect(lane.length).toBe(4);
  });
});

describe("what is taken over", () => {
  it("comes first, in its order, and counts as written", () => {
    write(3);
    lane.adopt([message(1), message(2)]);
    expect([lane.length, lane.bytes]).toEqual([3, 6]);
    expect(fill()).toBe(1);
    expect(readMany(3)).toEqual([message(1), message(2), message(3)]);
    expect(fill()).toBe(2);
  });

  it("may be more than the marks allow, and reading makes room again", () => {
    lane.adopt(Array.from({ length: 10 }, () => message(10)));
    expect([lane.overfull, hasRoom()]).toEqual([true, false]);
    expect(readUntilRoom()).toBe(8);
    open({ bytes: 100 });
    lane.adopt([message(50), message(51)]);
    expect([lane.overfull, hasRoom()]).toEqual([true, false]);
  });
});

describe("other marks", () => {
  it("raised, or 0: there is room", () => {
    fill();
    lane.bound({ messages: 6, bytes: 0 });
    expect(lane.roomCame(writer)).toBe(true);
    expect(fill()).toBe(2);
    lane.bound(UNBOUND);
    expect(fill(100)).toBe(100);
  });

  it("lowered: what waits stays, nothing more has room before it is read", () => {
    fill();
    lane.bound({ messages: 1, bytes: 0 });
    expect([lane.overfull, hasRoom(), lane.length]).toEqual([true, false, 4]);
    expect(readUntilRoom()).toBe(4);
    expect(fill()).toBe(1);
  });

  it.each([
    { messages: 10, bytes: 0 },
    { messages: 100, bytes: 10 },
  ])("lowered: what was read and not acknowledged fills no empty lane", (marks) => {
    open({ messages: 100 });
    fill(40);
    readMany(40);
    lane.bound(marks);
    expect([lane.length, fill()]).toEqual([0, 10]);
  });
});

describe("that keeps the newest message only", () => {
  beforeEach(() => open({ conflate: true }));

  it("has a place for one, which the next one takes, and is never full", () => {
    for (const size of [1, 2, 3]) write(size);
    expect([lane.length, lane.bytes]).toEqual([1, 3]);
    expect([read(), read(), lane.bytes]).toEqual([message(3), undefined, 0]);
    expect([fill(5000), lane.length, lane.overfull]).toEqual([5000, 1, false]);
  });

  it("takes back only the newest, and only if nothing newer is there", () => {
    write(1);
    const older = read() as Parts;
    write(2);
    lane.unread([older]);
    expect([lane.length, lane.bytes]).toEqual([1, 2]);
    const newer = read() as Parts;
    lane.unread([older, newer]);
    expect([lane.length, read()]).toEqual([1, newer]);
    lane.unread([]);
    expect([lane.length, lane.bytes]).toEqual([0, 0]);
  });

  it("stays so, whatever marks are set; and other marks never make it so", () => {
    lane.bound({ messages: 10, bytes: 0 });
    for (const size of [1, 2, 3]) write(size);
    expect([lane.length, lane.marks.messages]).toEqual([1, 0]);
    open({ messages: 10 });
    lane.bound({ ...UNBOUND, conflate: true } as Marks);
    for (const size of [1, 2, 3]) write(size);
    expect(lane.length).toBe(3);
  });

  it("can be made so later: then of what waits the newest stays, and there is room", () => {
    open({ messages: 3 });
    for (const size of [1, 2, 3]) write(size);
    expect(hasRoom()).toBe(false);
    lane.conflate(writer);
    expect([lane.roomCame(writer), lane.length, lane.bytes]).toEqual([true, 1, 3]);
    write(4);
    expect([lane.length, read()]).toEqual([1, message(4)]);
  });

  it("what is put behind the others takes no other's place", () => {
    for (const size of [1, 2]) lane.put(message(size));
    expect([lane.length, lane.bytes]).toEqual([2, 3]);
  });

  it("is a place for one message, whatever is done", () => {
    const step = fc.oneof(fc.nat(20), fc.constantFrom("read", "back"));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
        open({ conflate: true });
        let place: number | undefined;
        let taken: number | undefined;
        for (const step of steps) {
          if (typeof step === "number") {
            write(step);
            place = step;
          } else if (step === "read") {
            expect(read()?.[0]?.length).toBe(place);
            taken = place;
            place = undefined;
          } else if (taken !== undefined) {
            lane.unread([message(taken)]);
            place ??= taken;
            taken = undefined;
          }
          expect([lane.length, lane.bytes]).toEqual(place === undefined ? [0, 0] : [1, place]);
        }
      }),
    );
  });
});

describe("in pools", () => {
  it("counts in each of them what waits, and is full when one is", () => {
    const [one, other] = [new Pool(100), new Pool(50)];
    open({ pool: one });
    write(40);
    lane.join(other);
    expect([one.bytes, other.bytes, lane.pooled, hasRoom()]).toEqual([40, 40, true, true]);
    write(20);
    expect([one.bytes, other.bytes, hasRoom()]).toEqual([60, 60, false]);
    expect(read()).toEqual(message(40));
    expect([one.bytes, other.bytes, woken]).toEqual([20, 20, 1]);
    lane.clear();
    expect([one.bytes, other.bytes]).toEqual([0, 0]);
  });

  it("moves with all that waits, and its writer waits no more where it was", () => {
    const pool = new Pool(50);
    open({ pool });
    write(60);
    expect(hasRoom()).toBe(false);
    lane.moveTo(({ apart }) => apart, writer);
    expect([pool.bytes, pool.apart.bytes, woken]).toEqual([0, 60, 0]);
    lane.moveTo(({ whole }) => whole, writer);
    expect([pool.bytes, pool.apart.bytes]).toEqual([60, 0]);
  });

  it("keeps its turn in those that it stays in, and joins none by moving", () => {
    const pool = new Pool(50);
    open({ pool });
    write(60);
    expect(hasRoom()).toBe(false);
    lane.moveTo(({ whole }) => whole, writer);
    read();
    expect([pool.bytes, woken]).toEqual([0, 1]);
    open({});
    lane.moveTo(({ apart }) => apart, writer);
    expect(lane.pooled).toBe(false);
  });

  it("is overfull when more is in one of them than it may hold", () => {
    const pool = new Pool(50);
    open({ pool });
    write(50);
    expect(lane.overfull).toBe(false);
    pool.add(1);
    expect(lane.overfull).toBe(true);
  });

  it("a writer that is forgotten is not woken", () => {
    const pool = new Pool(50);
    open({ pool });
    write(60);
    expect(hasRoom()).toBe(false);
    lane.forget(writer);
    read();
    expect([pool.bytes, woken]).toEqual([0, 0]);
  });

  it("one that keeps the newest only leaves them, and joins none", () => {
    const pool = new Pool(50);
    open({ pool });
    for (const size of [30, 30]) write(size);
    expect(hasRoom()).toBe(false);
    lane.conflate(writer);
    lane.join(pool);
    expect([pool.bytes, woken, lane.pooled, hasRoom()]).toEqual([0, 0, false, true]);
  });

  it("room that comes is taken within the same read: the message read counts as that", () => {
    const pool = new Pool(10);
    open({ pool, messages: 2 });
    write(5);
    write(5);
    const rooms: boolean[] = [];
    const waiter = { wakeWriter: () => rooms.push(lane.checkWrite(waiter)) };
    expect(lane.checkWrite(waiter)).toBe(false);
    lane.read();
    // The mark in messages has not been acknowledged.
    expect(rooms).toEqual([false]);
  });
});

it("knows the largest message that was ever written", () => {
  write(1, 1);
  write(7);
  write(3);
  while (read() !== undefined) {}
  expect(lane.largest).toBe(7);
});
