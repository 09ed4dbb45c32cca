/** Sets what was sent against what came, row by row. */
import type { SoakMechanism } from "./mechanisms.js";
import { type Account, missing } from "./messages.js";
import { MARK, type Pattern, ROWS } from "./patterns.js";
import type { End, Life, SubjectReport } from "./protocol.js";

/** A line of the report. */
export interface Line {
  row: string;
  messages: number;
  connections: number;
  /** Connections of clients that were cut, and clients that vanished or were killed. */
  cuts: number;
  /** Losses that these excuse, in the row's own unit: runs of messages, or messages; Infinity: any. */
  allowed: number;
  found: number;
  /** Messages that were accepted and did not arrive. */
  missed: number;
}

/** Clients of one mechanism that were not to get in, and did not. */
export interface Intrusions {
  mechanism: string;
  /** How many came, by what was wrong with them. */
  tried: Record<string, number>;
  /** Handshakes that the judges ended; the others came to nothing before. */
  refused: number;
}

/** What a queue, the system and a relay may hold for a client that goes: 16 MB, in messages of 500 octets. */
const HELD = 2 * MARK + 16e6 / 500;

/** Of a client of whom nothing came. */
const NOTHING: Account = { count: 0, last: 0, holes: [], late: 0, wrong: 0 };

/** What happened to a row's clients. */
export interface History {
  reports: SubjectReport[];
  ends: End[];
  /** Whose process was killed. */
  killed: Life[];
  cuts: number;
}

export function judge(key: string, history: History, violations: string[]): Line {
  const { pattern } = ROWS.find((row) => row.key === key) as { pattern: Pattern };
  const { reports, ends, killed } = history;
  const accounts = new Map(reports.flatMap((report) => report.accounts));
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  const vanished = ends.filter(({ closed }) => !closed).length;
  const line: Line = {
    row: key,
    messages: 0,
    connections: sum(reports.map(({ accepted }) => accepted)),
    cuts: history.cuts + vanished + killed.length,
    allowed: 0,
    found: 0,
    missed: 0,
  };
  const violate = (text: string) => violations.push(`${key}: ${text}`);
  const check = (client: number, account: Account | undefined, mayBeLate: boolean) => {
    const { wrong = 0, late = 0 } = account ?? {};
    if (wrong > 0) violate(`client ${client}: ${wrong} messages came twice or changed`);
    if (late > 0 && !mayBeLate) violate(`client ${client}: ${late} messages came out of order`);
  };
  for (const { client, relayed, account, disconnects } of ends) {
    // What a connection that was cut left behind may come after what the next one brought.
    const mayBeLate = relayed || disconnects > 0;
    check(client, accounts.get(client), mayBeLate);
    check(client, account, mayBeLate);
  }
  for (const { client, relayed } of killed) check(client, accounts.get(client), relayed);
  const excused = (end: End) =>
    end.disconnects + (end.closed ? 0 : 1) + (end.relayed || !end.met ? 1 : 0);
  const left = sum(ends.map(excused)) + killed.length;

  switch (pattern.way) {
    case "in":
    case "hear":
    case "echo":
      line.messages = sum([...accounts.values()].map(({ count }) => count));
      for (const end of ends) {
        const account = accounts.get(end.client) ?? NOTHING;
        const found = account.holes.length + (account.last < end.sent ? 1 : 0);
        line.found += found;
        line.missed += missing(account) + Math.max(end.sent - account.last, 0);
        if (account.last > end.sent + 1) violate(`client ${end.client} sent less than came`);
        const allowed = pattern.way === "hear" ? Number.POSITIVE_INFINITY : excused(end);
        line.allowed += allowed;
        if (found > allowed) {
          violate(
            `client ${end.client}: ${found} runs lost, ${allowed} allowed: ${JSON.stringify({ end, account })}`,
          );
        }
      }
      for (const { client, relayed } of killed) {
        const gaps = accounts.get(client)?.holes.length ?? 0;
        if (!relayed && gaps > 0 && pattern.way !== "hear")
          violate(`client ${client}: ${gaps} gaps`);
      }
      if (pattern.way === "echo") judgeEchoes(ends, excused, line, violate);
      break;
    case "ask":
      line.messages = sum(ends.map(({ answered }) => answered));
      for (const end of ends) {
        const found = end.sent - end.answered;
        line.found += found;
        line.missed += found;
        line.allowed += excused(end);
        if (found > excused(end))
          violate(`client ${end.client}: ${found} questions unanswered: ${JSON.stringify(end)}`);
      }
      break;
    case "answer": {
      line.messages = sum(reports.map(({ answered }) => answered));
      line.missed = sum(reports.map(({ sent, answered }) => sent - answered));
      line.found = line.missed;
      // Whoever goes may take a question with it, however it goes.
      line.allowed = left + ends.length;
      const wrong = sum(reports.map((report) => report.wrong));
      if (wrong > 0) violate(`${wrong} answers to something else`);
      if (line.found > line.allowed) violate(`${line.found} questions unanswered`);
      break;
    }
    case "out": {
      const numbers = ends.flatMap((end) => end.numbers);
      const sent = sum(reports.map((report) => report.sent));
      line.messages = numbers.length;
      line.missed = sent - numbers.length;
      line.found = line.missed;
      line.allowed = Math.round((left + ends.length) * HELD);
      const twice = numbers.length - new Set(numbers).size;
      if (twice > 0) violate(`${twice} messages came to two clients`);
      if (line.found > line.allowed) violate(`${line.found} messages lost`);
      break;
    }
    case "publish":
      line.messages = sum(ends.map(({ account }) => account?.count ?? 0));
      // What was before the first message of a subscriber is no loss.
      line.found = sum(ends.map(({ account }) => Math.max((account?.holes.length ?? 0) - 1, 0)));
      line.missed = 0;
      line.allowed = Number.POSITIVE_INFINITY;
      break;
  }
  if (line.messages === 0) violate("nothing came through");
  return line;
}

/** Looks whether anybody of a mechanism's wrong clients got in. The history is that of all its rows. */
export function judgeIntruders(
  { name, intruders }: SoakMechanism,
  { reports, ends, killed }: Omit<History, "cuts">,
  violations: string[],
): Intrusions {
  const violate = (text: string) => violations.push(`${name}: ${text}`);
  const heard = new Set(reports.flatMap(({ accounts }) => accounts.map(([client]) => client)));
  const tried = Object.fromEntries(Object.keys(intruders).map((wrong) => [wrong, 0]));
  for (const { client, wrong } of [...ends, ...killed]) {
    if (wrong === undefined) continue;
    tried[wrong] = (tried[wrong] ?? 0) + 1;
    if (heard.has(client)) violate(`client ${client}, with ${wrong}, was heard`);
  }
  for (const { client, met, answered, wrong } of ends) {
    if (wrong === undefined || (!met && answered === 0)) continue;
    violate(`client ${client}, with ${wrong}, was let in`);
  }
  for (const [wrong, count] of Object.entries(tried)) {
    if (count === 0) violate(`nobody came with ${wrong}`);
  }
  let refused = 0;
  for (const report of reports) {
    refused += report.refused;
    if (report.intruders > 0)
      violate(`${report.row}: met ${report.intruders} that no judge let in`);
  }
  return { mechanism: name, tried, refused };
}

/** What came back: each cut may cost a run on its way there, and one on its way back. */
function judgeEchoes(
  ends: End[],
  excused: (end: End) => number,
  line: Line,
  violate: (text: string) => void,
): void {
  for (const end of ends) {
    const account = end.account ?? NOTHING;
    const { holes, last } = account;
    const found = holes.length + (last < end.sent ? 1 : 0);
    line.found += found;
    line.missed += missing(account) + end.sent - last;
    line.allowed += 2 * excused(end);
    if (found > 2 * excused(end))
      violate(`client ${end.client}: ${found} runs of echoes lost: ${JSON.stringify(end)}`);
  }
}
