import { vi } from "vitest";

/** Node's resolver, where a test answers for it. */
export const dns = { lookup: vi.fn() };

/** To be put in the place of `src/builtin.js`: every module is Node's, but for the resolver. */
export async function builtinWithDns(): Promise<typeof import("../../src/builtin.js")> {
  const { builtin } =
    await vi.importActual<typeof import("../../src/builtin.js")>("../../src/builtin.js");
  return { builtin: <T>(name: string) => (name === "node:dns" ? (dns as T) : builtin<T>(name)) };
}
