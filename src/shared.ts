/**
 * What the ES module and the CommonJS copy of this library, loaded into one thread, have in
 * common: with it they are one library. The number is that of what they know of each other: two
 * versions that disagree on it must not meet.
 */
const KEY = Symbol.for("purezmq.shared.1");

type Registry = Map<string, unknown>;

/** The object of this name, made by whichever copy asks first. */
export function shared<T>(name: string, make: () => T): T {
  const holder = globalThis as { [KEY]?: Registry };
  holder[KEY] ??= new Map();
  const registry = holder[KEY];
  if (!registry.has(name)) registry.set(name, make());
  return registry.get(name) as T;
}
