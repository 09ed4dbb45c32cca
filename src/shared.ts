/**
 * What the ES module and the CommonJS copy of this library, loaded into one thread, have in
 * common: with it they are one library.
 */
const KEY = Symbol.for("purezmq.shared");

type Registry = Map<string, unknown>;

/** The object of this name, made by whichever copy asks first. */
export function shared<T>(name: string, make: () => T): T {
  const holder = globalThis as { [KEY]?: Registry };
  holder[KEY] ??= new Map();
  const registry = holder[KEY];
  if (!registry.has(name)) registry.set(name, make());
  return registry.get(name) as T;
}
