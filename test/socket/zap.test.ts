import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeReply } from "../../src/socket/zap.js";
import * as wire from "../support/wire.js";

const GOOD = ["", "1.0", "7", "200", "OK", "joe", ""];

function reply(changes: Record<number, string | Uint8Array> = {}): Buffer[] {
  return GOOD.map((it, i) => Buffer.from((changes[i] ?? it) as string));
}

it("a good reply says who the peer is, and what is known of it", () => {
  const metadata = wire.metadata({ "X-Role": "root" });
  expect(decodeReply(reply({ 6: metadata }), "7")).toEqual({
    kind: "allowed",
    userId: "joe",
    metadata: new Map([["x-role", wire.bytes("root")]]),
  });
});

it.each([
  ["a delimiter with something in it", { 0: "x" }, "ERR_ZAP_UNSPECIFIED"],
  ["another version", { 1: "1.1" }, "ERR_ZAP_BAD_VERSION"],
  ["a longer version", { 1: "1.0 " }, "ERR_ZAP_BAD_VERSION"],
  ["no version", { 1: "" }, "ERR_ZAP_BAD_VERSION"],
  ["another request", { 2: "8" }, "ERR_ZAP_BAD_REQUEST_ID"],
  ["a longer request", { 2: "77" }, "ERR_ZAP_BAD_REQUEST_ID"],
  ...["", "2", "20", "2000", "100", "600", "201", "210", "2 0", " 200", "+200", "ERR"].map(
    (status) => [`a status of "${status}"`, { 3: status }, "ERR_ZAP_INVALID_STATUS_CODE"] as const,
  ),
  ["metadata cut short", { 6: "\x01" }, "ERR_ZAP_INVALID_METADATA"],
  ["metadata of a wrong length", { 6: "\x01a\0\0\0\x05abc" }, "ERR_ZAP_INVALID_METADATA"],
] as const)("%s lets nobody in", (_what, changes, code) => {
  expect(decodeReply(reply(changes), "7")).toEqual({ kind: "malformed", code });
});

it.each([0, 1, 3, 6, 8, 100])("%d parts let nobody in", (count) => {
  const parts = Array.from({ length: count }, (_, i) => reply()[i] ?? Buffer.alloc(0));
  expect(decodeReply(parts, "7")).toEqual({ kind: "malformed", code: "ERR_ZAP_MALFORMED_REPLY" });
});

it("whatever a reply is, only 200 in answer to the request lets somebody in", () => {
  const part = fc.oneof(
    fc.constantFrom(...GOOD, "300", "400", "500", "8").map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 8 }).map((octets) => Buffer.from(octets)),
  );
  const any = fc.oneof(
    fc.array(part, { minLength: 5, maxLength: 9 }),
    fc
      .tuple(fc.nat({ max: 6 }), part)
      .map(([at, octets]) => reply().map((it, i) => (i === at ? octets : it))),
  );
  fc.assert(
    fc.property(any, (parts) => {
      const verdict = decodeReply(parts, "7");
      if (verdict.kind !== "allowed") return;
      expect(parts.slice(0, 4).map(String)).toEqual(GOOD.slice(0, 4));
      expect(parts).toHaveLength(7);
    }),
    { numRuns: 5000 },
  );
});
