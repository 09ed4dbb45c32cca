/** That a soak sees what it looks for. */
import { describe, expect, it } from "vitest";
import { isGood, MECHANISMS, type SoakMechanism } from "../soak/mechanisms.js";
import { build, Ledger, read } from "../soak/messages.js";
import { ROWS } from "../soak/patterns.js";
import type { End, SubjectReport } from "../soak/protocol.js";
import { judge, judgeIntruders, type Line } from "../soak/verdict.js";
import { decode } from "../src/z85.js";

const CLIENT = 7;

const keyOf = (name: string) => `${name}, NULL`;

/** The account of a client whose messages came with these numbers. */
function accountOf(...numbers: number[]) {
  const ledger = new Ledger();
  for (const n of numbers) ledger.add({ client: CLIENT, n, whole: true });
  return ledger.accounts.get(CLIENT);
}

function endOf(row: string, more: Partial<End>): End {
  return {
    ...{ client: CLIENT, row, relayed: false, closed: true, met: true, sent: 0, answered: 0 },
    ...{ disconnects: 0, account: undefined, numbers: [] },
    ...more,
  };
}

function reportOf(row: string, more: Partial<SubjectReport>): SubjectReport {
  const none = {
    accounts: [],
    accepted: 1,
    strangers: 0,
    sent: 0,
    answered: 0,
    wrong: 0,
    refused: 0,
    intruders: 0,
  };
  return { row, ...none, ...more };
}

interface Verdict {
  line: Line;
  violations: string[];
}

function verdict(name: string, end: Partial<End>, report: Partial<SubjectReport>): Verdict {
  const row = keyOf(name);
  const violations: string[] = [];
  const history = {
    reports: [reportOf(row, report)],
    ends: [endOf(row, end)],
    killed: [],
    cuts: 0,
  };
  return { line: judge(row, history, violations), violations };
}

/** A client sent so many, and these came. */
function came(name: string, sent: number, numbers: number[], end: Partial<End> = {}): Verdict {
  const account = accountOf(...numbers);
  return verdict(
    name,
    { sent, account, answered: numbers.length, ...end },
    { accounts: account === undefined ? [] : [[CLIENT, account]] },
  );
}

describe("messages", () => {
  it("are read as they were built; a changed one is told, and a stranger's", () => {
    const parts = build(3, 300, 10);
    expect(read(parts)).toEqual({ client: 3, n: 300, whole: true });
    parts[1]?.fill(0, 4, 5);
    expect(read(parts)?.whole).toBe(false);
    expect(read([...build(3, 4, 0), Buffer.alloc(1)])?.whole).toBe(false);
    expect(read([Buffer.from("stranger")])).toBeUndefined();
  });
});

describe.each(["PUSH to PULL", "DEALER to DEALER", "PAIR to PAIR", "DEALER to ROUTER"])(
  "%s",
  (name) => {
    it("nothing lost: nothing to say", () => {
      const { line, violations } = came(name, 3, [1, 2, 3]);
      expect(violations).toEqual([]);
      expect(line).toMatchObject({ messages: 3, found: 0, missed: 0 });
    });

    it.each([
      ["in the middle", [1, 3]],
      ["at the end", [1, 2]],
      ["at the beginning", [2, 3]],
      ["twice", [1, 2, 2, 3]],
      ["out of order", [1, 3, 2]],
      ["of all", []],
    ])("a loss, or a message too many, that nothing excuses: %s", (_, numbers) => {
      expect(came(name, 3, numbers).violations).not.toEqual([]);
    });

    it("a cut excuses one run, and no more; nothing excuses a message that came twice", () => {
      expect(came(name, 9, [1, 5, 6, 7, 8, 9], { disconnects: 1 }).violations).toEqual([]);
      expect(came(name, 9, [1, 2, 3, 9, 3], { disconnects: 5 }).violations).not.toEqual([]);
      expect(came("PUSH to PULL", 9, [1, 3, 5, 9], { disconnects: 1 }).violations).not.toEqual([]);
    });
  },
);

it("messages may come behind later ones where a wire was cut, and nowhere else; never twice", () => {
  const late = [1, 2, 6, 3, 7, 4, 5, 8];
  expect(came("PUSH to PULL", 8, late, { disconnects: 1 }).line).toMatchObject({
    found: 0,
    missed: 0,
  });
  expect(came("PUSH to PULL", 8, late, { disconnects: 1 }).violations).toEqual([]);
  expect(came("PUSH to PULL", 8, late).violations).not.toEqual([]);
  expect(came("PUSH to PULL", 8, [...late, 4], { disconnects: 1 }).violations).not.toEqual([]);
});

it.each(["PUB to SUB", "XPUB to XSUB"])("%s: gaps are fine, order is not", (name) => {
  expect(came(name, 9, [2, 5, 7]).violations).toEqual([]);
  expect(came(name, 9, [2, 7, 5]).violations).not.toEqual([]);
});

it.each(["SUB to PUB", "XSUB to XPUB"])("%s: gaps are fine, order is not", (name) => {
  expect(verdict(name, { account: accountOf(2, 5, 7) }, {}).violations).toEqual([]);
  expect(verdict(name, { account: accountOf(2, 2) }, {}).violations).not.toEqual([]);
});

it("REQ to REP: every question has its answer, unless it was cut off", () => {
  expect(came("REQ to REP", 3, [1, 2, 3]).violations).toEqual([]);
  expect(came("REQ to REP", 3, [1, 2, 3], { answered: 2 }).violations).not.toEqual([]);
  expect(came("REQ to REP", 3, [1, 2, 3], { answered: 2, disconnects: 1 }).violations).toEqual([]);
});

it("REP to REQ: whoever goes may take one question along", () => {
  expect(verdict("REP to REQ", {}, { sent: 5, answered: 4 }).violations).toEqual([]);
  expect(verdict("REP to REQ", {}, { sent: 5, answered: 3 }).violations).not.toEqual([]);
  expect(verdict("REP to REQ", {}, { sent: 5, answered: 5, wrong: 1 }).violations).not.toEqual([]);
});

it("PULL to PUSH: no message comes to two clients", () => {
  expect(verdict("PULL to PUSH", { numbers: [1, 2] }, { sent: 3 }).violations).toEqual([]);
  expect(verdict("PULL to PUSH", { numbers: [1, 2, 2] }, { sent: 3 }).violations).not.toEqual([]);
});

it("a row through which nothing came is a violation", () => {
  for (const { pattern } of ROWS) {
    expect(verdict(pattern.name, {}, {}).violations).toContain(
      `${keyOf(pattern.name)}: nothing came through`,
    );
  }
});

describe.each(MECHANISMS)("clients with a wrong login, over $name", (mechanism) => {
  const kinds = Object.keys(mechanism.intruders);
  const row = ROWS.find((it) => it.mechanism === mechanism)?.key as string;
  const ends = kinds.map((wrong, i) => endOf(row, { client: i, wrong, met: false, sent: 3 }));

  const violationsOf = (changed: Partial<End>, report: Partial<SubjectReport> = {}) => {
    const violations: string[] = [];
    const [first, ...others] = ends as [End, ...End[]];
    const history = {
      reports: [reportOf(row, report)],
      ends: [{ ...first, ...changed }, ...others],
      killed: [],
    };
    const { tried } = judgeIntruders(mechanism, history, violations);
    return { tried, violations };
  };

  it("are counted by what is wrong; nobody got in: nothing to say", () => {
    const { tried, violations } = violationsOf({});
    expect(tried).toEqual(Object.fromEntries(kinds.map((wrong) => [wrong, 1])));
    expect(violations).toEqual([]);
  });

  it.each([
    ["is met", { met: true }, {}],
    ["gets a message", { answered: 1 }, {}],
    ["is heard", {}, { accounts: [[0, accountOf(1)]] }],
    ["is met by the other side, though no judge let it in", {}, { intruders: 1 }],
    ["did not come at all", { wrong: undefined }, {}],
  ] as [string, Partial<End>, Partial<SubjectReport>][])(
    "one that %s is a violation",
    (_, end, report) => {
      expect(violationsOf(end, report).violations).toHaveLength(1);
    },
  );

  it("one that is killed counts, and must not have been heard either", () => {
    const [first, ...others] = ends as [End, ...End[]];
    const heard: string[] = [];
    const reports = [reportOf(row, { accounts: [[0, accountOf(1) as never]] })];
    const history = { reports, ends: others, killed: [first] };
    expect(judgeIntruders(mechanism, history, heard).tried[kinds[0] as string]).toBe(1);
    expect(heard).toHaveLength(1);
  });
});

it("judges let in those with the right name and password or key, and nobody else", () => {
  const [, plain, curve] = MECHANISMS as [SoakMechanism, SoakMechanism, SoakMechanism];
  const { plainUsername: name, plainPassword: password } = plain.client;
  const login = (...texts: unknown[]) => texts.map((it) => Buffer.from(String(it)));
  expect(isGood(login(name, password))).toBe(true);
  expect(isGood(login(name, "s3cret!"))).toBe(false);
  expect(isGood(login(name))).toBe(false);
  expect(isGood(login(name, ""))).toBe(false);
  const { curvePublicKey: key } = curve.client;
  expect(isGood([decode(String(key)) as Uint8Array])).toBe(true);
  expect(isGood([new Uint8Array(32)])).toBe(false);
  expect(isGood([])).toBe(false);
});

it("every pattern goes over every mechanism, and meets both judges", () => {
  for (const { pattern } of ROWS) {
    const rows = ROWS.filter((row) => row.pattern === pattern);
    expect(rows.map(({ mechanism }) => mechanism.name)).toEqual(["NULL", "PLAIN", "CURVE"]);
    expect(rows.map(({ judge }) => judge).sort()).toEqual(["ZAP", "authenticate", "nobody"]);
  }
});
