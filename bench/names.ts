/** What takes part, as tables, ratios and goals call it. */
export const names = {
  awaiting: "purezmq, await",
  iterating: "purezmq, for await",
  draining: "purezmq, drain",
  oursToLibzmq: "purezmq to libzmq C",
  libzmqToOurs: "libzmq C to purezmq",
  npm: "npm zeromq",
  libzmq: "libzmq in C",
  pyzmq: "PyZMQ asyncio",
  bare: "bare net.Socket",
} as const;

export type Name = (typeof names)[keyof typeof names];
