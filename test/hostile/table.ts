/** The table of hostile inputs: which are tried on which type, under which mechanism. */
import type { Dialect, Part } from "../support/dialects.js";
import { partners, type Trade } from "../support/hostile.js";
import { handshakes, type Input, MB, traffic } from "./inputs.js";
import { securedInputs } from "./secured-inputs.js";

/** The inputs for one type; for all types they are the same, in the same order. */
export function inputsFor(dialect: Dialect, part: Part, { name }: Trade): [type: string, Input[]] {
  const [type = ""] = partners(name);
  const illegal = name === "PAIR" ? "PUSH" : "PAIR";
  const inputs = [
    ...handshakes(type, illegal, dialect, part),
    ...securedInputs(dialect, part, type),
    ...traffic(dialect).map((input) => ({ ...input, isLate: true })),
  ];
  return [type, inputs];
}

/** Why an input is not tried on a type; undefined: it is. */
export function whyNot({ name }: Trade, { octets, isFlood = false }: Input): string | undefined {
  if (octets.length > 10 * MB) return "it has tests of its own, of the types that care";
  // It takes its time, and more where each frame is sealed; the tests beside these try every type.
  return isFlood && name !== "PULL" ? "PULL stands for all" : undefined;
}

/** Where our socket is, and so which part a peer plays. */
export const PARTS: [where: string, part: Part][] = [
  ["where we bind", "client"],
  ["where we connect", "server"],
];
