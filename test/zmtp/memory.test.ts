import { Buffer } from "node:buffer";
import { expect, it } from "vitest";
import { copyOf, plainMemory } from "../../src/zmtp/memory.js";

it.each([
  ["a typed array", Uint8Array.of(1, 2, 3, 4)],
  ["a Buffer, whose slice is a view", Buffer.of(1, 2, 3, 4)],
])("copies %s", (_, source) => {
  const copy = copyOf(source, 1, 3);
  const part = plainMemory.copy(source, 1, 3);
  source.fill(9);
  expect([...copy]).toEqual([2, 3]);
  expect([...part]).toEqual([2, 3]);
  expect(part.buffer.byteLength).toBe(2);
});

it("allocates memory that the part owns", () => {
  const part = plainMemory.allocate(5);
  expect(part.length).toBe(5);
  expect(part.byteOffset).toBe(0);
  expect(part.buffer.byteLength).toBe(5);
});
