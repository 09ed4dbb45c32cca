import { createRequire } from "node:module";

/**
 * A module of Node.js', loaded now. For those that take milliseconds to load, and that few need.
 * @internal
 */
export function builtin<T>(name: string): T {
  // Any file will do, if it has a path that the system knows: on Windows `file:///` has none.
  return createRequire(process.execPath)(name) as T;
}
