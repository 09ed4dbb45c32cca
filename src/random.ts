import { builtin } from "./builtin.js";

let loaded: typeof import("node:crypto") | undefined;

/**
 * A whole number from `least` to below `limit` that nobody can guess. Node's module is loaded when the first one is
 * wanted: that takes 2 ms, and most programs want none.
 * @internal
 */
export function randomInt(least: number, limit: number): number {
  loaded ??= builtin<typeof import("node:crypto")>("node:crypto");
  return loaded.randomInt(least, limit);
}
