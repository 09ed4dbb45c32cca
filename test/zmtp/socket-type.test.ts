import { expect, it } from "vitest";
import { isCompatible, type SocketTypeName } from "../../src/zmtp/socket-type.js";

/** Every pair that may talk, from the RFCs' own lists; a pair stands once. */
const PAIRS = `
  PAIR-PAIR PUB-SUB PUB-XSUB XPUB-SUB XPUB-XSUB REQ-REP REQ-ROUTER REP-DEALER DEALER-DEALER
  DEALER-ROUTER ROUTER-ROUTER PUSH-PULL CLIENT-SERVER RADIO-DISH SCATTER-GATHER PEER-PEER
  CHANNEL-CHANNEL`;

it("lets exactly these types talk, whoever asks", () => {
  const pairs = PAIRS.trim().split(/\s+/);
  const types = [...new Set(pairs.flatMap((pair) => pair.split("-")))] as SocketTypeName[];
  const talking = types.flatMap((ours) =>
    types.filter((theirs) => isCompatible(ours, theirs)).map((theirs) => `${ours}-${theirs}`),
  );
  const both = pairs.flatMap((pair) => [pair, pair.split("-").reverse().join("-")]);
  expect(talking.sort()).toEqual([...new Set(both)].sort());
});

it.each(["", "pair", "PAIR ", "NONE", "__proto__", "constructor"])("refuses %j", (theirs) => {
  expect(isCompatible("PAIR", theirs)).toBe(false);
});
