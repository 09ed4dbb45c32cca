import { Buffer } from "node:buffer";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Authenticate } from "../../src/socket/authenticate.js";
import { Judge } from "../../src/socket/judge.js";
import { Policy, type Terms } from "../../src/socket/policy.js";
import type { Verdict, Zap } from "../../src/socket/zap.js";
import { encodeMetadata } from "../../src/zmtp/index.js";

/** A handler, there or not, that answers when the test says so. */
class Handler implements Zap {
  found = true;
  asked: Buffer[][] = [];
  takenBack = 0;
  answer: (reply: Buffer[] | undefined) => void = () => {};

  ask(request: Buffer[], done: (reply: Buffer[] | undefined) => void): () => void {
    this.asked.push(request);
    this.answer = done;
    return () => {
      this.takenBack++;
    };
  }
}

const OPEN: Terms = { domain: undefined, enforced: false };
const applicant = {
  address: "10.0.0.1",
  identity: Buffer.from("us"),
  credentials: [Buffer.from("admin"), Buffer.from("secret")],
};

let handler: Handler;
let judge: Judge;
let verdicts: Verdict[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  handler = new Handler();
  judge = new Judge(handler);
  verdicts = [];
});

afterEach(() => {
  vi.useRealTimers();
});

function ask(terms: Partial<Terms> = {}): (() => void) | undefined {
  return judge.ask(applicant, new Policy({ ...OPEN, ...terms }), (it) => verdicts.push(it));
}

/** Promises and microtasks have run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const PLAIN: Partial<Terms> = { plain: "server" };
const CURVE: Partial<Terms> = { curve: { secretKey: undefined, serverKey: undefined } };
const DOMAIN: Partial<Terms> = { domain: Buffer.from("d") };
const ENFORCED: Partial<Terms> = { enforced: true };

describe("whether anybody has to be asked", () => {
  /** Without `authenticate`; with a handler, and without. */
  const TABLE: [name: string, terms: Partial<Terms>, handler: boolean, none: boolean][] = [
    ["NULL", {}, false, false],
    ["NULL with a domain", DOMAIN, true, true],
    ["NULL, enforced", ENFORCED, true, true],
    ["PLAIN", PLAIN, true, true],
    ["PLAIN with a domain", { ...PLAIN, ...DOMAIN }, true, true],
    ["PLAIN, enforced", { ...PLAIN, ...ENFORCED }, true, true],
    ["CURVE", CURVE, true, false],
    ["CURVE with a domain", { ...CURVE, ...DOMAIN }, true, true],
    ["CURVE, enforced", { ...CURVE, ...ENFORCED }, true, true],
  ];

  it.each(TABLE)("%s", async (_name, terms, withHandler, without) => {
    const asked = ask(terms);
    asked?.();
    expect(asked !== undefined).toBe(withHandler);
    handler.found = false;
    expect(ask(terms) !== undefined).toBe(without);
    await settled();
    // Whoever should be asked and is not there lets nobody in.
    expect(verdicts).toEqual(without ? [{ kind: "unanswered", code: "ECONNREFUSED" }] : []);
    judge.authenticate = () => true;
    expect(ask(terms)).toBeDefined();
  });
});

describe("a handler", () => {
  it("is asked as RFC 27 says, with a copy of what the peer sent", async () => {
    const sent = Buffer.from("admin");
    const credentials = [sent, Buffer.from("secret")];
    judge.ask(
      { ...applicant, credentials },
      new Policy({ ...OPEN, ...PLAIN, ...DOMAIN }),
      () => {},
    );
    sent.fill(0);
    await settled();
    const [request] = handler.asked;
    const said = ["", "1.0", "1", "d", "10.0.0.1", "us", "PLAIN", "admin", "secret"];
    expect(request?.map(String)).toEqual(said);
  });

  it("gets octets of its own: what it does to them is nobody's business", async () => {
    const [domain, identity] = [Buffer.from("d"), Buffer.from("us")];
    const policy = new Policy({ ...OPEN, ...PLAIN, domain });
    judge.ask({ ...applicant, identity }, policy, () => {});
    await settled();
    for (const part of handler.asked[0] ?? []) part.fill(0);
    expect([domain, identity, ...applicant.credentials].map(String)).toEqual([
      ...["d", "us", "admin", "secret"],
    ]);
  });

  it.each([["200"], ["300"], ["400"], ["500"]])("that says %s is heard", async (status) => {
    ask(PLAIN);
    await settled();
    const metadata = Buffer.from(encodeMetadata([["X-Role", Buffer.from("root")]]));
    handler.answer(
      ["", "1.0", "1", status, "text", "joe"].map((it) => Buffer.from(it)).concat(metadata),
    );
    const allowed = {
      kind: "allowed",
      userId: "joe",
      metadata: new Map([["x-role", new Uint8Array(Buffer.from("root"))]]),
    };
    expect(verdicts).toEqual([status === "200" ? allowed : { kind: "refused", status }]);
    expect(handler.takenBack).toBe(1);
  });

  it("that has gone lets nobody in", async () => {
    ask(PLAIN);
    await settled();
    handler.answer(undefined);
    expect(verdicts).toEqual([{ kind: "unanswered", code: "ECONNREFUSED" }]);
  });

  it("that does not answer within 30 s lets nobody in, and is not heard afterwards", async () => {
    ask(PLAIN);
    await settled();
    vi.advanceTimersByTime(29_999);
    expect(verdicts).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(verdicts).toEqual([{ kind: "unanswered", code: "EAGAIN" }]);
    expect(handler.takenBack).toBe(1);
    handler.answer(undefined);
    expect(verdicts).toHaveLength(1);
  });

  it("is not asked about who has gone meanwhile, nor heard", async () => {
    ask(PLAIN)?.();
    await settled();
    expect(handler.asked).toEqual([]);
    const takeBack = ask(PLAIN);
    await settled();
    takeBack?.();
    expect(handler.takenBack).toBe(1);
    handler.answer(undefined);
    vi.advanceTimersByTime(60_000);
    expect([verdicts, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it("is asked with a number of its own each time", async () => {
    for (let i = 0; i < 3; i++) ask(PLAIN);
    await settled();
    expect(handler.asked.map((request) => String(request[2]))).toEqual(["1", "2", "3"]);
  });
});

describe("authenticate", () => {
  const requests: unknown[] = [];

  async function reply(
    answer: Authenticate | (() => unknown),
    terms: Partial<Terms> = PLAIN,
  ): Promise<Verdict | undefined> {
    judge.authenticate = ((request) => {
      requests.push(request);
      return (answer as Authenticate)(request);
    }) as Authenticate;
    ask(terms);
    await settled();
    return verdicts.at(-1);
  }

  it("is asked in place of a handler, and learns who wants to come in", async () => {
    await reply(() => true, { ...PLAIN, ...DOMAIN });
    expect(requests.at(-1)).toEqual({
      mechanism: "PLAIN",
      domain: "d",
      address: "10.0.0.1",
      identity: Buffer.from("us"),
      username: "admin",
      password: "secret",
      credentials: applicant.credentials,
    });
    expect(handler.asked).toEqual([]);
  });

  it("learns a client's key as Z85", async () => {
    const key = Buffer.alloc(32);
    judge.authenticate = (request) => requests.push(request) > 0;
    const policy = new Policy({ ...OPEN, ...CURVE });
    judge.ask({ ...applicant, credentials: [key] }, policy, () => {});
    await settled();
    const told = { mechanism: "CURVE", publicKey: "0".repeat(40), credentials: [key] };
    expect(requests.at(-1)).toMatchObject(told);
  });

  it("that says nothing of a peer but that it may come in", async () => {
    const nobody = { kind: "allowed", userId: "", metadata: new Map() };
    expect(await reply(() => true)).toEqual(nobody);
    expect(await reply(() => ({ userId: undefined }))).toEqual(nobody);
    expect(await reply(async () => true)).toEqual(nobody);
  });

  it("may say who it is, and more", async () => {
    const metadata = { "X-Role": "root", "x-key": Uint8Array.of(1) };
    expect(await reply(() => ({ userId: "joe", metadata }))).toEqual({
      kind: "allowed",
      userId: "joe",
      metadata: new Map([
        ["x-role", Buffer.from("root")],
        ["x-key", Buffer.from([1])],
      ]),
    });
  });

  it.each([
    [false, "400"],
    [{ status: 300 }, "300"],
    [{ status: 400 }, "400"],
    [{ status: 500 }, "500"],
  ] as const)("that says %j refuses with %s", async (answer, status) => {
    expect(await reply(() => answer)).toEqual({ kind: "refused", status });
    expect(await reply(() => Promise.resolve(answer))).toEqual({ kind: "refused", status });
  });

  it.each([
    ...[undefined, null, 1, "yes", 0, "", () => true],
    ...[{ status: 200 }, { status: 0 }, { status: "3000" }, { status: undefined }],
    ...[{ userId: 1 }, { userId: null }, { metadata: null }, { metadata: { a: 1 } }],
    ...[
      { metadata: { "": "x" } },
      { metadata: { "a b": "x" } },
      { metadata: { ["a".repeat(256)]: "" } },
    ],
    ...[{}, [[]], { ok: false }, new Error("no"), new Map(), new Boolean(false)],
  ])("that says what it should not, %j, lets nobody in: 500", async (answer) => {
    const cause = expect.any(TypeError);
    expect(await reply(() => answer)).toEqual({ kind: "refused", status: "500", cause });
  });

  it("that throws or rejects lets nobody in: 500", async () => {
    const cause = new Error("no database");
    const refused = { kind: "refused", status: "500", cause };
    expect(
      await reply(() => {
        throw cause;
      }),
    ).toEqual(refused);
    expect(await reply(() => Promise.reject(cause))).toEqual(refused);
  });

  it("that never answers lets nobody in after 30 s", async () => {
    expect(await reply(() => new Promise(() => {}))).toBeUndefined();
    vi.advanceTimersByTime(30_000);
    expect(verdicts).toEqual([{ kind: "unanswered", code: "EAGAIN" }]);
  });

  it("is called for so many at a time, those who have gone included, and for others 30 s later", async () => {
    let calls = 0;
    judge.authenticate = () => {
      calls++;
      return new Promise(() => {});
    };
    for (let i = 0; i < 1024; i++) {
      const takeBack = ask();
      await Promise.resolve();
      takeBack?.();
    }
    ask();
    await settled();
    expect([calls, verdicts]).toEqual([1024, [{ kind: "unanswered", code: "EAGAIN" }]]);
    vi.advanceTimersByTime(30_000);
    ask();
    await settled();
    expect(calls).toBe(1025);
  });

  it("is called for any number, one after the other", async () => {
    for (let i = 0; i < 3000; i++) await reply(() => false);
    expect(verdicts).toEqual(new Array(3000).fill({ kind: "refused", status: "400" }));
  });

  it("is asked as it was when the peer came", async () => {
    judge.authenticate = () => false;
    ask();
    judge.authenticate = null;
    await settled();
    expect(verdicts).toEqual([{ kind: "refused", status: "400" }]);
  });
});
