import { describe, expect, it } from "vitest";
import { OwnNonces, PeerNonces, PREFIX } from "../../src/zmtp/curve-nonce.js";
import { bytes, concat, number } from "../support/wire.js";

const LAST = 2n ** 64n - 1n;

describe("the nonces that we send", () => {
  it("count from 1, over all kinds", () => {
    const nonces = new OwnNonces();
    const kinds = [PREFIX.HELLO, PREFIX.INITIATE, PREFIX.fromClient, PREFIX.fromClient];
    kinds.forEach((prefix, i) => {
      expect(nonces.next(prefix)).toEqual(concat(prefix, number(i + 1, 8)));
    });
  });

  it.each([0xffn, 0xffffn, 2n ** 32n - 1n, 2n ** 53n, 2n ** 56n - 1n, LAST - 1n])(
    "carry: after %i comes the next",
    (last) => {
      const nonces = new OwnNonces(number(last, 8));
      expect(nonces.next(PREFIX.READY)).toEqual(concat(PREFIX.READY, number(last + 1n, 8)));
    },
  );

  it("end with 2^64 - 1: none comes twice", () => {
    const nonces = new OwnNonces(number(LAST, 8));
    for (let i = 0; i < 3; i++) expect(() => nonces.next(PREFIX.READY)).toThrow("used up");
  });
});

describe("the nonces that a peer sends", () => {
  const take = (nonces: PeerNonces, count: bigint) =>
    nonces.take(concat("x", number(count, 8)), 1, PREFIX.fromServer);

  it("grow, by however much", () => {
    const nonces = new PeerNonces();
    for (const count of [1n, 2n, 255n, 256n, 2n ** 32n, 2n ** 53n + 1n, LAST]) {
      expect(take(nonces, count)).toEqual(concat(bytes("CurveZMQMESSAGES"), number(count, 8)));
    }
  });

  it.each([
    [0n, 0n],
    [5n, 5n],
    [5n, 4n],
    [256n, 255n],
    [2n ** 40n, 2n ** 32n + 5n],
    [LAST, LAST],
    [LAST, 0n],
    [LAST, 1n],
  ])("after %i do not take %i", (last, count) => {
    const nonces = new PeerNonces();
    if (last > 0n) take(nonces, last);
    expect(() => take(nonces, count)).toThrow(
      expect.objectContaining({ code: "ERR_ZMTP_INVALID_SEQUENCE" }),
    );
  });
});
