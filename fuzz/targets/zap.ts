// Whatever a ZAP handler replies, and whenever, a peer is decided about once, unless it has gone: it is let in only by
// what a naive reader takes for such a reply to this very request, and told of as the docs say.
import { Buffer } from "node:buffer";
import type { Parts } from "../../src/message.js";
import { refusalOf } from "../../src/socket/failure.js";
import { Judge } from "../../src/socket/judge.js";
import { Policy } from "../../src/socket/policy.js";
import { type Verdict, ZAP_ERRORS, type Zap } from "../../src/socket/zap.js";
import * as wire from "../../test/support/wire.js";
import { Loop } from "../loop.js";
import type { Random } from "../random.js";
import { check, open, same, seal, type Target } from "../target.js";

/** Bits of an input's mode; the lowest two say which mechanism. */
const DOMAIN = 4;
const ENFORCED = 8;
const NO_HANDLER = 16;
/** Another peer has asked before, and got no answer. */
const SECOND = 32;

const MECHANISMS = ["NULL", "PLAIN", "CURVE", "PLAIN"] as const;

/** What a handler does, but for what it says. */
const COURSES = [
  ...([
    "at once",
    "later",
    "later",
    "later",
    "later",
    "twice",
    "never",
    "gone",
    "gone before",
  ] as const),
  ...(["taken back before", "taken back", "taken back after"] as const),
];
type Course = (typeof COURSES)[number];

export const zap: Target = {
  name: "zap",
  states: [
    ...["nobody is asked", "taken back", "allowed", "allowed, with metadata"],
    ...["NULL", "PLAIN", "CURVE"].map((mechanism) => `asked: ${mechanism}`),
    ...["300", "400", "500"].map((status) => `refused: ${status}`),
    ...Object.keys(ZAP_ERRORS),
    ...["ECONNREFUSED", "EAGAIN"],
  ],

  generate(random) {
    const mode = random.below(64) & (random.once(4) ? 63 : ~NO_HANDLER);
    const id = mode & SECOND ? "2" : "1";
    return seal(random, mode, reply(id, random).map(sized));
  },

  execute(input, reach) {
    const { random, mode, octets } = open(input);
    const parts = partsIn(octets);
    const course = random.pick(COURSES);
    Loop.during((loop) => run(loop, mode, course, parts, reach));
  },
};

function run(
  loop: Loop,
  mode: number,
  course: Course,
  parts: Buffer[],
  reach: (state: string) => void,
): void {
  const handler = new Handler((mode & NO_HANDLER) === 0);
  const judge = new Judge(handler);
  const policy = policyOf(mode);
  if (mode & SECOND) judge.ask(applicantOf(), policy, () => check("nobody answered", false))?.();
  const applicant = applicantOf();
  const verdicts: Verdict[] = [];
  let asking = true;
  const takeBack = judge.ask(applicant, policy, (verdict) => {
    check("decided once, and not before the question is asked", !asking && verdicts.length === 0);
    verdicts.push(verdict);
  });
  asking = false;
  const asks = policy.mechanism === "PLAIN" || (mode & (DOMAIN | ENFORCED)) !== 0;
  same(
    "is anybody asked",
    takeBack !== undefined,
    asks || (policy.mechanism === "CURVE" && handler.found),
  );
  if (takeBack === undefined) {
    same("who is not asked has no time", loop.timers, []);
    reach("nobody is asked");
    return;
  }
  same("whoever is asked has some time", loop.timers, [30_000]);
  // What the peer sent lies in memory that is used again.
  for (const credential of applicant.credentials) credential.fill(0);
  if (course === "at once") handler.replyAtOnce = parts;
  if (course === "taken back before") takeBack();
  if (course === "gone before") handler.found = false;
  loop.turn();
  const { request, done } = handler;
  if (request !== undefined) {
    const id = mode & SECOND ? "2" : "1";
    same(
      "the request",
      request.map((part) => Buffer.from(part).toString()),
      requestOf(policy, id),
    );
    reach(`asked: ${policy.mechanism}`);
  }
  if (course === "taken back") takeBack();
  if (course === "gone") done(undefined);
  else if (course !== "never") done(parts as Parts);
  if (course === "twice") done([Buffer.alloc(0)] as unknown as Parts);
  if (course === "taken back after") takeBack();
  loop.turn();
  const isAsked = request !== undefined;
  same("timers", loop.timers, isAsked && course === "never" ? [30_000] : []);
  loop.wait();
  const isBack = course === "taken back before" || (course === "taken back" && isAsked);
  same("decided once, or never about who has gone", verdicts.length, isBack ? 0 : 1);
  if (isAsked && course !== "at once") check("the question is taken back", handler.over);
  const verdict = verdicts[0];
  if (verdict === undefined) reach("taken back");
  else judgeVerdict(verdict, isAsked ? course : "gone", parts, mode, reach);
}

/** Whether it is the verdict that is due, and told as it should be. */
function judgeVerdict(
  verdict: Verdict,
  course: Course,
  parts: Buffer[],
  mode: number,
  reach: (state: string) => void,
): void {
  const [kind, what, metadata] = naive(course, parts, mode & SECOND ? "2" : "1");
  same("the verdict", verdict.kind, kind);
  if (verdict.kind === "allowed") {
    const known = [...verdict.metadata].map(([name, value]) => [
      name,
      Buffer.from(value).toString("latin1"),
    ]);
    same("who it is", [verdict.userId, known], [what, metadata]);
    reach(known.length > 0 ? "allowed, with metadata" : "allowed");
    return;
  }
  const failure = refusalOf(verdict);
  const { error } = failure;
  const code = "status" in error ? String(error.status) : error.code;
  same("what it says", code, what);
  same("the event", failure.type, EVENTS[kind as keyof typeof EVENTS]);
  reach(kind === "refused" ? `refused: ${code}` : code);
}

const EVENTS = {
  refused: "handshake:error:auth",
  malformed: "handshake:error:protocol",
  unanswered: "handshake:error:other",
};

/** The application's handler, to which the input leads. */
class Handler implements Zap {
  found: boolean;
  request: Parts | undefined;
  done: (reply: Parts | undefined) => void = () => {};
  replyAtOnce: Buffer[] | undefined;
  over = false;

  constructor(found: boolean) {
    this.found = found;
  }

  ask(request: Parts, done: (reply: Parts | undefined) => void): () => void {
    this.request = request;
    this.done = done;
    if (this.replyAtOnce !== undefined) done(this.replyAtOnce as Parts);
    return () => {
      this.over = true;
    };
  }
}

const DOMAIN_NAME = "global";
const KEY = new Uint8Array(32).fill(7);

function policyOf(mode: number): Policy {
  const mechanism = MECHANISMS[mode & 3];
  return new Policy({
    ...(mechanism === "PLAIN" && { plain: "server" }),
    ...(mechanism === "CURVE" && { curve: { secretKey: KEY, serverKey: undefined } }),
    domain: mode & DOMAIN ? Buffer.from(DOMAIN_NAME) : undefined,
    enforced: (mode & ENFORCED) !== 0,
  });
}

function applicantOf() {
  const credentials = ["admin", "s3cret"].map((it) => Buffer.from(it));
  return { address: "127.0.0.1", identity: Buffer.from("me"), credentials };
}

function requestOf({ mechanism, domain }: Policy, id: string): string[] {
  const where = domain === undefined ? "" : DOMAIN_NAME;
  return ["", "1.0", id, where, "127.0.0.1", "me", mechanism, "admin", "s3cret"];
}

/** What is due, as RFC 27 has it: the kind, what it says, and what is known of the peer. */
function naive(course: Course, parts: Buffer[], id: string): [string, string, unknown?] {
  if (course === "never") return ["unanswered", "EAGAIN"];
  if (course === "gone") return ["unanswered", "ECONNREFUSED"];
  const wrong = (code: string): [string, string] => ["malformed", `ERR_ZAP_${code}`];
  const texts = parts.map((part) => part.toString("latin1"));
  if (texts.length !== 7) return wrong("MALFORMED_REPLY");
  const [delimiter, version, answered, status = "", , , metadata = ""] = texts;
  if (delimiter !== "") return wrong("UNSPECIFIED");
  if (version !== "1.0") return wrong("BAD_VERSION");
  if (answered !== id) return wrong("BAD_REQUEST_ID");
  if (["300", "400", "500"].includes(status)) return ["refused", status];
  if (status !== "200") return wrong("INVALID_STATUS_CODE");
  const known = naiveMetadata(metadata);
  if (known === undefined) return wrong("INVALID_METADATA");
  return ["allowed", (parts[5] as Buffer).toString(), known];
}

/** Properties in a text with a character for each octet; undefined when they are none. */
function naiveMetadata(text: string): [string, string][] | undefined {
  const known: [string, string][] = [];
  for (let rest = text; rest !== ""; ) {
    const nameEnd = 1 + rest.charCodeAt(0);
    const name = rest.slice(1, nameEnd).toLowerCase();
    const size = [...rest.slice(nameEnd, nameEnd + 4)].map((it) => it.charCodeAt(0));
    const valueSize = size.reduce((sum, octet) => 256 * sum + octet, 0);
    const value = rest.slice(nameEnd + 4, nameEnd + 4 + valueSize);
    const isGood = /^[a-z0-9\-_.+]+$/.test(name) && size.length === 4 && value.length === valueSize;
    if (!isGood || known.some(([other]) => other === name) || known.length === 256)
      return undefined;
    if (name === "identity" && (value.length > 255 || value.startsWith("\0"))) return undefined;
    known.push([name, value]);
    rest = rest.slice(nameEnd + 4 + valueSize);
  }
  return known;
}

const STATUSES = [
  "200",
  "200",
  "200",
  "300",
  "400",
  "500",
  "600",
  "",
  "20",
  "2000",
  "200\0",
  "100",
];
const PROPERTIES = [
  wire.property("Name", "value"),
  wire.property("name", ""),
  wire.property("X-y_z.1+", "#".repeat(300)),
  wire.property("Identity", "me"),
  wire.property("Identity", "\0"),
  wire.property("Identity", "#".repeat(256)),
  wire.property("a b", "x"),
  wire.property("", "x"),
  wire.property("__proto__", "x"),
  wire.bytes("\x01X\xff\xff\xff\xff"),
  wire.bytes("\x01X\0"),
];
const MANY = Array.from({ length: 257 }, (_, i) => wire.property(`p${i}`, ""));

/** A reply; mostly one part of it is odd, or none. */
function reply(id: string, random: Random): Uint8Array[] {
  const parts = [
    ...["", "1.0", id, random.pick(STATUSES), "text", random.once(2) ? "" : "user\xe9"],
  ].map((text) => wire.bytes(text));
  if (random.once(40)) parts.push(wire.concat(...MANY.slice(random.below(3))));
  else
    parts.push(
      wire.concat(...Array.from({ length: random.below(3) }, () => random.pick(PROPERTIES))),
    );
  const at = random.below(7);
  switch (random.below(8)) {
    case 0:
      parts[at] = wire.bytes(
        random.pick(["", "1.0", "1", "2", "3", "200", "\0", "2.0", "x".repeat(300)]),
      );
      break;
    case 1:
      parts.splice(at, 1);
      break;
    case 2:
      parts.splice(at, 0, wire.bytes(random.pick(["", "x"])));
      break;
    default:
  }
  return parts;
}

/** A part with its size before it, as inputs carry them. */
function sized(part: Uint8Array): Uint8Array {
  return wire.concat(wire.number(part.length, 2), part);
}

function partsIn(octets: Uint8Array): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at + 2 <= octets.length; ) {
    const size = 256 * (octets[at] as number) + (octets[at + 1] as number);
    // In memory of its own, as parts that were received are.
    parts.push(Buffer.from(octets.subarray(at + 2, at + 2 + size)));
    at += 2 + size;
  }
  return parts;
}
