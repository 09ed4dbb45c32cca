/** The table of hostile inputs: which are tried on which type, under which mechanism. */
import { type Dialect, NULL, type Part } from "../support/dialects.js";
import { partners, type Trade } from "../support/trades.js";
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

/** Types on which floods are tried: of the others none minds more, and they take their time. */
const FLOODED = ["PULL", "PUB", "XPUB", "RADIO"];

/** Why an input is not tried on a type; undefined: it is. */
export function whyNot(
  dialect: Dialect,
  part: Part,
  { name }: Trade,
  { octets, isFlood = false }: Input,
): string | undefined {
  if (octets.length > 10 * MB) return "it has tests of its own, of the types that care";
  if (!isFlood || name === "PULL") return undefined;
  const isCheap = dialect === NULL && part === "client";
  return isCheap && FLOODED.includes(name) ? undefined : "PULL stands for all";
}

/** Where our socket is, and so which part a peer plays. */
export const PARTS: [where: string, part: Part][] = [
  ["where we bind", "client"],
  ["where we connect", "server"],
];
