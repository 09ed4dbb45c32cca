import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import * as npm from "zeromq";
import { curveKeyPair } from "../../src/curve-key-pair.js";
import { Pair } from "../../src/socket/pair.js";
import { Stream } from "../../src/socket/stream.js";
import { Sockets } from "../support/sockets.js";

const sockets = new Sockets();

afterEach(() => sockets.close());

const { publicKey, secretKey } = curveKeyPair();

type Setting = readonly [name: string, value: unknown];

const SETTINGS: readonly Setting[] = [
  ...[true, false].map((value) => ["plainServer", value] as const),
  ...["user", null].map((value) => ["plainUsername", value] as const),
  ...["password", null].map((value) => ["plainPassword", value] as const),
  ...[true, false].map((value) => ["curveServer", value] as const),
  ["curvePublicKey", publicKey],
  ["curveSecretKey", secretKey],
  ["curveServerKey", publicKey],
];

/** What of a socket tells how it is secured. */
function stateOf(socket: object) {
  const { securityMechanism, plainServer, curveServer } = socket as Pair;
  return { securityMechanism, plainServer, curveServer };
}

function withAll(settings: readonly Setting[]): Pair {
  const socket = sockets.pair();
  for (const [name, value] of settings) Object.assign(socket, { [name]: value });
  return socket;
}

describe("the mechanism", () => {
  it("is NULL at first", () => {
    expect(stateOf(sockets.pair())).toEqual({
      securityMechanism: null,
      plainServer: false,
      curveServer: false,
    });
  });

  it("is what the option asks for that was set last, as in npm zeromq", () => {
    const asking = SETTINGS.filter(([, value]) => value !== null && value !== false);
    const sequence = fc.array(fc.constantFrom(...asking), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(sequence, (settings) => {
        const theirs = new npm.Pair();
        for (const [name, value] of settings) Object.assign(theirs, { [name]: value });
        const { securityMechanism } = withAll(settings);
        expect(securityMechanism).toBe(theirs.securityMechanism);
        theirs.close();
      }),
      { numRuns: 200 },
    );
  });

  it("is never NULL while an option asks for another, whatever was turned off, and when", () => {
    const sequence = fc.array(fc.constantFrom(...SETTINGS), { maxLength: 8 });
    fc.assert(
      fc.property(sequence, (settings) => {
        const socket = withAll(settings);
        const { securityMechanism, plainServer, curveServer } = stateOf(socket);
        const { plainUsername, plainPassword } = socket;
        const { curvePublicKey, curveSecretKey, curveServerKey } = socket;
        const asksPlain = plainServer || plainUsername !== null || plainPassword !== null;
        const keys = [curvePublicKey, curveSecretKey, curveServerKey];
        const asksCurve = curveServer || keys.some((key) => key !== null);
        if (securityMechanism === null) expect(asksPlain || asksCurve).toBe(false);
        if (securityMechanism === "plain") expect(asksPlain).toBe(true);
        if (securityMechanism === "curve") expect(asksCurve).toBe(true);
        if (plainServer) expect(securityMechanism).toBe("plain");
        if (curveServer) expect(securityMechanism).toBe("curve");
        socket.close();
      }),
      { numRuns: 2000 },
    );
  });

  it("goes back to NULL with what asked for it", () => {
    for (const [on, off] of [
      [["plainServer", true] as const, ["plainServer", false] as const],
      [["plainUsername", "a"] as const, ["plainUsername", null] as const],
      [["plainPassword", "a"] as const, ["plainPassword", null] as const],
      [["curveServer", true] as const, ["curveServer", false] as const],
    ] as const) {
      expect(withAll([on]).securityMechanism).not.toBeNull();
      expect(stateOf(withAll([on, off]))).toEqual(stateOf(sockets.pair()));
    }
  });

  it("half a login that is taken back takes the other half along", () => {
    const { plainUsername, plainPassword, securityMechanism } = withAll([
      ["plainUsername", "a"],
      ["plainPassword", "b"],
      ["plainUsername", null],
    ]);
    expect([plainUsername, plainPassword, securityMechanism]).toEqual([null, null, null]);
  });

  it("a server flag that was never set turns nothing off", () => {
    const client: Setting[] = [
      ["curveServerKey", publicKey],
      ["curveSecretKey", secretKey],
      ["curveServer", false],
      ["plainServer", false],
    ];
    expect(withAll(client).securityMechanism).toBe("curve");
    expect(
      withAll([
        ["plainUsername", "a"],
        ["plainServer", false],
      ]).securityMechanism,
    ).toBe("plain");
  });

  it("cannot be set", () => {
    const socket = sockets.pair() as unknown as Record<string, unknown>;
    expect(() => {
      socket["securityMechanism"] = "curve";
    }).toThrow(TypeError);
  });
});

describe("keys", () => {
  const NAMES = ["curvePublicKey", "curveSecretKey", "curveServerKey"] as const;

  it.each(NAMES)("%s is null at first, and read as Z85 however it was set", (name) => {
    const socket = sockets.pair();
    expect(socket[name]).toBeNull();
    socket[name] = publicKey;
    expect(socket[name]).toBe(publicKey);
    Object.assign(socket, { [name]: Buffer.alloc(32) });
    expect(socket[name]).toBe("0".repeat(40));
    Object.assign(socket, { [name]: Buffer.from(publicKey) });
    expect(socket[name]).toBe(publicKey);
  });

  it.each([
    ...["", "short", `${publicKey}0`, publicKey.slice(1), "#".repeat(40), "\\".repeat(40), null],
    ...[Buffer.alloc(31), Buffer.alloc(33)],
  ])("%j is none: EINVAL, as in npm zeromq, and nothing changes", (value) => {
    const theirs = new npm.Pair();
    for (const name of NAMES) {
      const socket = sockets.pair();
      const set = (to: object): unknown => Object.assign(to, { [name]: value });
      expect(() => set(socket)).toThrow(expect.objectContaining({ code: "EINVAL" }));
      expect(() => set(theirs)).toThrow(expect.objectContaining({ code: "EINVAL" }));
      expect([socket[name], socket.securityMechanism]).toEqual([null, null]);
    }
    theirs.close();
  });
});

describe("logins and domains", () => {
  it.each([
    ...["plainUsername", "plainPassword", "zapDomain"].flatMap((name) =>
      ["", "a", "ä", "a".repeat(255), "a".repeat(256), null].map((value) => [name, value] as const),
    ),
  ])("%s: %j is taken, or not, and read as in npm zeromq", (name, value) => {
    const outcome = (socket: object): unknown => {
      try {
        Object.assign(socket, { [name]: value });
      } catch (error) {
        return (error as { code: string }).code;
      }
      return (socket as Record<string, unknown>)[name] ?? null;
    };
    const theirs = new npm.Pair();
    expect(outcome(sockets.pair())).toBe(outcome(theirs));
    theirs.close();
  });
});

describe("an endpoint", () => {
  const where = "tcp://127.0.0.1:1";
  const lacking = (option: string) =>
    expect.objectContaining({
      code: "EINVAL",
      message: expect.stringContaining(option),
      address: where,
    });

  it("of a client of CURVE needs its secret key and the server's key", () => {
    const socket = sockets.pair({ curveServerKey: publicKey });
    expect(() => socket.connect(where)).toThrow(lacking("curveSecretKey"));
    const other = sockets.pair({ curveSecretKey: secretKey });
    expect(() => other.connect(where)).toThrow(lacking("curveServerKey"));
    expect(() => other.bindSync(where)).toThrow(lacking("curveServer"));
    expect(socket.stats().peers).toEqual([]);
  });

  it("bound without what it needs rejects, and binds nothing", async () => {
    const socket = sockets.pair({ curveSecretKey: secretKey });
    await expect(socket.bind(where)).rejects.toEqual(lacking("curveServerKey"));
    expect(socket.lastEndpoint).toBeNull();
  });

  it("of a Stream cannot be secured", async () => {
    const stream = sockets.open(new Stream({ plainServer: true }));
    const refused = expect.objectContaining({ code: "EINVAL" });
    await expect(stream.bind("tcp://127.0.0.1:*")).rejects.toEqual(refused);
    expect(() => stream.connect(where)).toThrow(refused);
  });

  it.each([{ zapDomain: "d" }, { zapEnforceDomain: true }])(
    "of a Stream cannot be judged: %j",
    async (options) => {
      const stream = sockets.open(new Stream(options));
      const refused = expect.objectContaining({ code: "EINVAL" });
      await expect(stream.bind("tcp://127.0.0.1:*")).rejects.toEqual(refused);
      expect(() => stream.connect(where)).toThrow(refused);
    },
  );

  it("over inproc is secured by nothing, as in libzmq", async () => {
    const [one, other] = await sockets.connected("inproc", { plainServer: true });
    await other.send("hello");
    expect(String(await one.receive())).toBe("hello");
  });
});

describe("authenticate", () => {
  it("is null at first, and takes functions and null", () => {
    const socket = sockets.pair();
    expect(socket.authenticate).toBeNull();
    const judge = (): boolean => true;
    socket.authenticate = judge;
    expect(socket.authenticate).toBe(judge);
    socket.authenticate = null;
    expect(socket.authenticate).toBeNull();
    expect(sockets.pair({ authenticate: judge }).authenticate).toBe(judge);
  });

  it.each([true, "yes", {}, 1, undefined])("does not take %j", (value) => {
    const text = "authenticate must be a function or null";
    expect(() => new Pair({ authenticate: value as unknown as null })).toThrow(new TypeError(text));
  });

  it("is not there for a Stream, whose peers say nothing of themselves", () => {
    const stream = sockets.open(new Stream({ authenticate: null }));
    expect(() => {
      stream.authenticate = () => false;
    }).toThrow(expect.objectContaining({ code: "EINVAL" }));
  });

  it("of a closed socket: ENOTSOCK", () => {
    const socket = sockets.pair();
    socket.close();
    const closed = expect.objectContaining({ code: "ENOTSOCK" });
    expect(() => socket.authenticate).toThrow(closed);
    expect(() => {
      socket.authenticate = null;
    }).toThrow(closed);
  });
});
