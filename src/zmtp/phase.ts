/**
 * Where a connection stands, and what takes it from there.
 *
 * ```
 *   greeting --greeting--> handshake --properties--> admission --admit--> traffic
 *                          |      ^                                       |     ^
 *                          +------+ command             message, command  +-----+
 *
 *   any of them --failure, close--> closed
 * ```
 *
 * In `admission` the peer has done its part, and reading stops: its handler decides when, or
 * whether, to let it in.
 */
export type Phase = "greeting" | "handshake" | "admission" | "traffic" | "closed";

/**
 * What takes a connection on: `properties` is the command that ends the peer's part of the
 * handshake, `failure` the peer's mistake or a deadline, `close` our own wish.
 */
export type Input =
  | "greeting"
  | "command"
  | "properties"
  | "admit"
  | "message"
  | "failure"
  | "close";

/**
 * Phase by input; a missing entry is an error. Where a command has no entry, nothing is read; where
 * a message has none, one that comes is the peer's mistake.
 */
export const TRANSITIONS: Readonly<Record<Phase, Partial<Record<Input, Phase>>>> = {
  greeting: { greeting: "handshake", failure: "closed", close: "closed" },
  handshake: {
    command: "handshake",
    properties: "admission",
    failure: "closed",
    close: "closed",
  },
  admission: { admit: "traffic", failure: "closed", close: "closed" },
  traffic: { message: "traffic", command: "traffic", failure: "closed", close: "closed" },
  closed: { failure: "closed", close: "closed" },
};
