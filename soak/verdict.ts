/** Sets what was sent against what came, row by row. */
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

/** What a queue, the system and a relay may hold for a client that goes: 16 MB, in messages of 500 octets. */
const HELD = 2 * MARK + 16e6 / 500;

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
  for (const [client, { wrong }] of accounts) {
    if (wrong > 0) violate(`${wrong} messages of client ${client} came twice, late or changed`);
  }
  for (const { client, account } of ends) {
    if (account !== undefined && account.wrong > 0) {
      violate(`${account.wrong} messages came to client ${client} twice, late or changed`);
    }
  }
  const excused = (end: End) =>
    end.disconnects + (end.closed ? 0 : 1) + (end.relayed || !end.met ? 1 : 0);
  const left = sum(ends.map(excused)) + killed.length;

  switch (pattern.way) {
    case "in":
    case "hear":
    case "echo":
      line.messages = sum([...accounts.values()].map(({ count }) => count));
      for (const end of ends) {
        const account = accounts.get(end.client) ?? { last: 0, gaps: 0, missed: 0 };
        const found = account.gaps + (account.last < end.sent ? 1 : 0);
        line.found += found;
        line.missed += account.missed + Math.max(end.sent - account.last, 0);
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
        const gaps = accounts.get(client)?.gaps ?? 0;
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
      line.found = sum(ends.map(({ account }) => Math.max((account?.gaps ?? 0) - 1, 0)));
      line.missed = 0;
      line.allowed = Number.POSITIVE_INFINITY;
      break;
  }
  if (line.messages === 0) violate("nothing came through");
  return line;
}

/** What came back: each cut may cost a run on its way there, and one on its way back. */
function judgeEchoes(
  ends: End[],
  excused: (end: End) => number,
  line: Line,
  violate: (text: string) => void,
): void {
  for (const end of ends) {
    const { gaps = 0, last = 0, missed = 0 } = end.account ?? {};
    const found = gaps + (last < end.sent ? 1 : 0);
    line.found += found;
    line.missed += missed + end.sent - last;
    line.allowed += 2 * excused(end);
    if (found > 2 * excused(end))
      violate(`client ${end.client}: ${found} runs of echoes lost: ${JSON.stringify(end)}`);
  }
}
