import { afterEach, describe, expect, it, vi } from "vitest";
import { bindHandle, type TcpHandle } from "../../src/transport/handle.js";

afterEach(() => {
  vi.restoreAllMocks();
});

function runtime(binding: unknown): void {
  vi.spyOn(process as unknown as { binding: unknown }, "binding", "get").mockReturnValue(binding);
}

describe("bindHandle", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
  ])("binds %s", (ip, expected) => {
    const handle = bindHandle(ip, 0) as TcpHandle;
    const name: { address?: string; port?: number } = {};
    handle.getsockname(name);
    expect(name.address).toBe(expected);
    expect(name.port).toBeGreaterThan(0);
    handle.close();
  });

  it.each([
    ["8.8.8.8", "EADDRNOTAVAIL"],
    ["2001:db8::1", "EADDRNOTAVAIL"],
    ["nonsense", "EINVAL"],
  ])("says why it cannot bind %s: %s", (ip, code) => {
    expect(bindHandle(ip, 0)).toBe(code);
  });

  it.each([
    ["has no bindings", undefined],
    [
      "has none of these",
      () => {
        throw new Error("No such binding");
      },
    ],
    ["has others", () => ({})],
    ["has no constants", () => ({ TCP: class {} })],
  ])("finds out that a runtime %s", (_, binding) => {
    runtime(binding);
    expect(bindHandle("127.0.0.1", 0)).toBeUndefined();
  });
});
