/** What clients and the process under test do with each other, and what may be lost of it. */
import { type JudgeName, MECHANISMS, type SoakMechanism } from "./mechanisms.js";

/**
 * Who does what. `in`: clients send, and what they send is checked at the receiver. `hear`: the same, where
 * gaps are allowed. `out`: the process under test sends each message to one client. `publish`: to all of
 * them. `ask`: clients ask. `answer`: clients answer. `echo`: clients get back what they sent.
 */
type Way = "in" | "hear" | "out" | "publish" | "ask" | "answer" | "echo";

export interface Pattern {
  name: string;
  /** The class of the one that binds: it is under test. */
  bound: string;
  /** The class of its clients. */
  client: string;
  way: Way;
  /** What the semantics allow to be lost. Never allowed: anything twice, changed, or (but for a cut) out of order. */
  allowed: string;
}

const CUT_RUN = "one run of messages for each cut, or for a client that vanished";
const GAPS = "any gaps";

const PATTERNS: readonly Pattern[] = [
  { name: "PUSH to PULL", bound: "Pull", client: "Push", way: "in", allowed: CUT_RUN },
  { name: "DEALER to DEALER", bound: "Dealer", client: "Dealer", way: "in", allowed: CUT_RUN },
  { name: "PAIR to PAIR", bound: "Pair", client: "Pair", way: "in", allowed: CUT_RUN },
  { name: "DEALER to ROUTER", bound: "Router", client: "Dealer", way: "echo", allowed: CUT_RUN },
  {
    name: "REQ to REP",
    bound: "Reply",
    client: "Request",
    way: "ask",
    allowed: "one question or answer for each cut",
  },
  {
    name: "REP to REQ",
    bound: "Request",
    client: "Reply",
    way: "answer",
    allowed: "one question or answer for each client that went or was cut off",
  },
  {
    name: "PULL to PUSH",
    bound: "Push",
    client: "Pull",
    way: "out",
    allowed: "what was queued and in the system's hands for each client that went or was cut off",
  },
  { name: "PUB to SUB", bound: "Subscriber", client: "Publisher", way: "hear", allowed: GAPS },
  { name: "XPUB to XSUB", bound: "XSubscriber", client: "XPublisher", way: "hear", allowed: GAPS },
  { name: "SUB to PUB", bound: "Publisher", client: "Subscriber", way: "publish", allowed: GAPS },
  {
    name: "XSUB to XPUB",
    bound: "XPublisher",
    client: "XSubscriber",
    way: "publish",
    allowed: GAPS,
  },
];

/** A pattern over a mechanism: a row of the report, and a socket of the process under test. */
export interface Row {
  key: string;
  pattern: Pattern;
  mechanism: SoakMechanism;
  judge: JudgeName;
}

/** Each pattern over each mechanism; the judges take turns. */
export const ROWS: readonly Row[] = MECHANISMS.flatMap((mechanism, i) =>
  PATTERNS.map((pattern, j): Row => {
    const judge = i === 0 ? "nobody" : (i + j) % 2 === 0 ? "authenticate" : "ZAP";
    const key = `${pattern.name}, ${mechanism.name}`;
    return { key: judge === "nobody" ? key : `${key} by ${judge}`, pattern, mechanism, judge };
  }),
);

export function rowOf(key: string): Row {
  return ROWS.find((row) => row.key === key) as Row;
}

/** Messages that each queue may hold: few, so that clients that stall are felt. */
export const MARK = 100;
