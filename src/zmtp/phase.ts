/**
 * Where a connection stands, and what takes it from there.
 *
 * ```
 *   greeting --greeting--> handshake --properties--> admission --admit--> traffic
 *                          |   ^   ^                                      |     ^
 *                          |   +---+ command          message, command    +-----+
 *              credentials |   | accept
 *                          v   |
 *                      authentication --refuse--> refused
 *
 *   any of them --failure, close--> closed
 * ```
 *
 * In `authentication` the peer has said who it is, in `admission` it has done its part; in both
 * reading stops, and the handler decides when, or whether, to go on. In `refused` an ERROR may
 * have to be written, and that is all.
 */
export type Phase =
  | "greeting"
  | "handshake"
  | "authentication"
  | "refused"
  | "admission"
  | "traffic"
  | "closed";

/**
 * What takes a connection on: `credentials` is the command by which the peer says who it is,
 * `properties` the end of its part of the handshake, `failure` its mistake or a deadline, `close`
 * our own wish.
 */
export type Input =
  | "greeting"
  | "command"
  | "credentials"
  | "accept"
  | "refuse"
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
    credentials: "authentication",
    properties: "admission",
    failure: "closed",
    close: "closed",
  },
  authentication: { accept: "handshake", refuse: "refused", failure: "closed", close: "closed" },
  refused: { failure: "closed", close: "closed" },
  admission: { admit: "traffic", failure: "closed", close: "closed" },
  traffic: { message: "traffic", command: "traffic", failure: "closed", close: "closed" },
  closed: { failure: "closed", close: "closed" },
};
