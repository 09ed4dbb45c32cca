import { describe, expect, it, vi } from "vitest";
import { shared } from "../src/shared.js";

describe("shared", () => {
  it("makes a thing once", () => {
    const make = vi.fn(() => ({}));
    const first = shared("test once", make);
    expect(shared("test once", make)).toBe(first);
    expect(make).toHaveBeenCalledTimes(1);
  });

  it("keeps names apart", () => {
    expect(shared("test a", () => ({}))).not.toBe(shared("test b", () => ({})));
  });

  it("is the same in every copy of the library", async () => {
    const first = shared("test copies", () => ({}));
    vi.resetModules();
    const copy = await import("../src/shared.js");
    expect(copy.shared).not.toBe(shared);
    expect(copy.shared("test copies", () => ({}))).toBe(first);
  });
});
