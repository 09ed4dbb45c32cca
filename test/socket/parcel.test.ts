import { Buffer } from "node:buffer";
import { expect, it } from "vitest";
import { pack, Unpacker } from "../../src/socket/parcel.js";

it("a part whose memory was taken away since it was sent is empty; the others are what they were", () => {
  const taken = Buffer.from(new ArrayBuffer(1000));
  structuredClone(taken.buffer, { transfer: [taken.buffer as ArrayBuffer] });
  const { parcel } = pack([[Buffer.from("one"), taken, Buffer.from("two")]]);
  const unpacked: string[][] = [];
  new Unpacker().unpack(parcel, (parts) => unpacked.push(parts.map(String)));
  expect(unpacked).toEqual([["one", "", "two"]]);
});
