import { describe, expect, it } from "vitest";
import { Heartbeat } from "../../src/zmtp/heartbeat.js";
import * as wire from "../support/wire.js";

const NEVER = Number.POSITIVE_INFINITY;
const NONE = new Uint8Array(0);
const OPTIONS = { intervalMs: 100, timeoutMs: 30, ttlMs: 0 };

/** Started at 1000. */
function started(options = OPTIONS): Heartbeat {
  const heartbeat = new Heartbeat(options);
  heartbeat.start(1000);
  return heartbeat;
}

/** Whether the peer is given up at `now`, having been looked at a millisecond earlier. */
function lostAfterSecondLook(heartbeat: Heartbeat, now: number): boolean {
  return heartbeat.lost(now) || heartbeat.lost(now + 1);
}

/** The commands that are owed, which they are not any more then. */
function said(heartbeat: Heartbeat): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  heartbeat.encode({ command: (body) => bodies.push(body) });
  return bodies;
}

describe("PINGs", () => {
  it("are due every interval, counted from the start", () => {
    const heartbeat = started();
    expect(heartbeat.deadline).toBe(1100);
    expect(heartbeat.pingDue(1099)).toBe(false);
    expect(heartbeat.pingDue(1100)).toBe(true);
    heartbeat.alive();
    expect(heartbeat.deadline).toBe(1200);
    expect(heartbeat.pingDue(1100)).toBe(false);
  });

  it("are not made up for after a long sleep", () => {
    const heartbeat = started();
    expect(heartbeat.pingDue(5000)).toBe(true);
    expect(heartbeat.pingDue(5000)).toBe(false);
  });

  it("are never due without an interval, or before the start", () => {
    expect(started({ ...OPTIONS, intervalMs: 0 }).deadline).toBe(NEVER);
    expect(new Heartbeat(OPTIONS).deadline).toBe(NEVER);
  });

  it("say our time-to-live", () => {
    const heartbeat = started({ ...OPTIONS, ttlMs: 2500 });
    heartbeat.pingDue(1100);
    expect(said(heartbeat)).toEqual([wire.commandBody("PING", "\0\x19")]);
  });
});

describe("what is owed", () => {
  const ping = wire.commandBody("PING", "\0\0");

  it("is nothing at first, and while no PING is due or has come", () => {
    const heartbeat = started();
    heartbeat.pingDue(1099);
    expect([heartbeat.owes, said(heartbeat)]).toEqual([false, []]);
  });

  it("is one PING, however many have become due", () => {
    const heartbeat = started();
    for (const now of [1100, 1200, 1300]) heartbeat.pingDue(now);
    expect(heartbeat.owes).toBe(true);
    expect([said(heartbeat), heartbeat.owes]).toEqual([[ping], false]);
  });

  it("is one PONG, to the last of the peer's PINGs", () => {
    const heartbeat = started();
    for (const text of ["a", "b"]) heartbeat.pinged({ ttlMs: 0, context: wire.bytes(text) }, 1000);
    expect([heartbeat.owes, said(heartbeat)]).toEqual([true, [wire.commandBody("PONG", "b")]]);
    expect([heartbeat.owes, said(heartbeat)]).toEqual([false, []]);
  });

  it("is a PONG though there is no context", () => {
    const heartbeat = started();
    heartbeat.pinged({ ttlMs: 0, context: new Uint8Array(0) }, 1000);
    expect(said(heartbeat)).toEqual([wire.commandBody("PONG")]);
  });

  it("may be both, and is dropped", () => {
    const heartbeat = started();
    for (const drop of [false, true]) {
      heartbeat.pingDue(2000);
      heartbeat.pinged({ ttlMs: 0, context: wire.bytes("a") }, 1000);
      if (drop) heartbeat.drop();
      expect(said(heartbeat).length).toBe(drop ? 0 : 2);
    }
  });
});

describe("silence", () => {
  it("after a PING ends the peer, on the second look", () => {
    const heartbeat = started();
    heartbeat.pingDue(1100);
    expect(heartbeat.deadline).toBe(1130);
    expect(heartbeat.lost(1129)).toBe(false);
    expect(heartbeat.lost(1130)).toBe(false);
    expect(heartbeat.deadline).toBe(1131);
    expect(heartbeat.lost(1130.5)).toBe(false);
    expect(heartbeat.lost(1131)).toBe(true);
  });

  it("that ends between the looks is forgiven", () => {
    const heartbeat = started();
    heartbeat.pingDue(1100);
    expect(heartbeat.lost(9000)).toBe(false);
    heartbeat.alive();
    expect(heartbeat.lost(9001)).toBe(false);
    heartbeat.pingDue(9001);
    expect(heartbeat.lost(9031)).toBe(false);
    expect(heartbeat.lost(9032)).toBe(true);
  });

  it("counts from the first PING that was not answered", () => {
    const heartbeat = started({ ...OPTIONS, timeoutMs: 250 });
    for (const now of [1100, 1200, 1300]) heartbeat.pingDue(now);
    expect(heartbeat.lost(1349)).toBe(false);
    expect(lostAfterSecondLook(heartbeat, 1350)).toBe(true);
  });

  it("is fine for ever without a timeout", () => {
    const heartbeat = started({ ...OPTIONS, timeoutMs: 0 });
    heartbeat.pingDue(1100);
    expect(heartbeat.deadline).toBe(1200);
    expect(heartbeat.lost(1e9)).toBe(false);
  });
});

describe("a promise of the peer's", () => {
  it("is held against it", () => {
    const heartbeat = started({ ...OPTIONS, intervalMs: 0 });
    heartbeat.pinged({ ttlMs: 500, context: NONE }, 1000);
    expect(heartbeat.deadline).toBe(1500);
    expect(lostAfterSecondLook(heartbeat, 1498)).toBe(false);
    expect(lostAfterSecondLook(heartbeat, 1500)).toBe(true);
  });

  it("of 0 is none, and leaves others standing", () => {
    const heartbeat = started({ ...OPTIONS, intervalMs: 0 });
    heartbeat.pinged({ ttlMs: 0, context: NONE }, 1000);
    expect(heartbeat.deadline).toBe(NEVER);
    heartbeat.pinged({ ttlMs: 500, context: NONE }, 1000);
    heartbeat.pinged({ ttlMs: 0, context: NONE }, 1000);
    expect(heartbeat.deadline).toBe(1500);
  });

  it("is kept by any octet", () => {
    const heartbeat = started({ ...OPTIONS, intervalMs: 0 });
    heartbeat.pinged({ ttlMs: 500, context: NONE }, 1000);
    heartbeat.alive();
    expect(heartbeat.deadline).toBe(NEVER);
  });

  it("does not excuse an unanswered PING, nor the other way round", () => {
    const long = started();
    long.pinged({ ttlMs: 60_000, context: NONE }, 1050);
    long.pingDue(1100);
    expect(lostAfterSecondLook(long, 1130)).toBe(true);

    const short = started({ ...OPTIONS, timeoutMs: 60_000 });
    short.pingDue(1100);
    short.pinged({ ttlMs: 50, context: NONE }, 1100);
    expect(lostAfterSecondLook(short, 1150)).toBe(true);
  });
});

describe("while we do not read", () => {
  it("the peer has all the time in the world, and its rest afterwards", () => {
    const heartbeat = started();
    heartbeat.pingDue(1100);
    heartbeat.pause(1110);
    heartbeat.pause(1120);
    expect(heartbeat.lost(1e6)).toBe(false);
    expect(heartbeat.deadline).toBe(1200);
    heartbeat.resume(2110);
    heartbeat.resume(2115);
    expect(heartbeat.lost(2129)).toBe(false);
    expect(lostAfterSecondLook(heartbeat, 2130)).toBe(true);
  });

  it("PINGs go on, and their time begins when we read again", () => {
    const heartbeat = started();
    heartbeat.pause(1050);
    expect(heartbeat.pingDue(1100)).toBe(true);
    expect(heartbeat.deadline).toBe(1200);
    heartbeat.resume(3000);
    expect(lostAfterSecondLook(heartbeat, 3028)).toBe(false);
    expect(lostAfterSecondLook(heartbeat, 3030)).toBe(true);
  });

  it("a promise that is read from the rest begins when we read again", () => {
    const heartbeat = started({ ...OPTIONS, intervalMs: 0 });
    heartbeat.pause(1000);
    heartbeat.pinged({ ttlMs: 500, context: NONE }, 2000);
    heartbeat.resume(2000);
    expect(heartbeat.deadline).toBe(2500);
  });

  it("nothing changes when there was nothing to wait for", () => {
    const heartbeat = started({ ...OPTIONS, intervalMs: 0 });
    heartbeat.pause(1000);
    heartbeat.resume(2000);
    expect(heartbeat.deadline).toBe(NEVER);
  });
});
