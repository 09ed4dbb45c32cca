import { createPrivateKey, createPublicKey } from "node:crypto";
import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { curveKeyPair } from "../src/curve-key-pair.js";
import { Program } from "./support/program.js";

const npm = createRequire(import.meta.url)("zeromq") as typeof import("zeromq");

const DIGITS =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** Z85 (RFC 32) backwards. */
function octetsOf(text: string): Buffer {
  const groups = text.match(/.{5}/gs) ?? [];
  const values = groups.map((group) =>
    [...group].reduce((sum, digit) => sum * 85 + DIGITS.indexOf(digit), 0),
  );
  return Buffer.concat(
    values.map((value) => Buffer.from([24, 16, 8, 0].map((by) => value / 2 ** by))),
  );
}

/** The public key that belongs to a secret one. */
function publicOf(secret: Buffer): Buffer {
  const header = Buffer.from("302e020100300506032b656e04220420", "hex");
  const key = createPrivateKey({
    key: Buffer.concat([header, secret]),
    format: "der",
    type: "pkcs8",
  });
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
}

it.each([
  ["ours", curveKeyPair],
  ["npm zeromq's", npm.curveKeyPair],
])("%s: two keys of 40 characters that belong together, others each time", (_, make) => {
  const { publicKey, secretKey } = make();
  expect([publicKey.length, secretKey.length]).toEqual([40, 40]);
  expect(publicOf(octetsOf(secretKey))).toEqual(octetsOf(publicKey));
  expect(make().secretKey).not.toBe(secretKey);
});

it("never meets the garbage collector at the wrong moment", async () => {
  // A KeyObject that was exported then held the process up for ever, once in some ten thousand pairs.
  const program = new URL("./curve-key-pair.child.mjs", import.meta.url);
  const outcome = await new Program(program, [40_000], ["--max-semi-space-size=1"]).ended();
  expect(outcome).toMatchObject({ code: 0, stdout: "made\n" });
}, 20_000);
