import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it, vi } from "vitest";
import { requests } from "../../src/transport/requests.js";
import { bindHost, familyAllowed, lookupName, resolve } from "../../src/transport/tcp.js";
import { dns } from "../support/dns.js";

type Found = { address: string; family: number }[];
type Answer = (error: NodeJS.ErrnoException | null, found: Found) => void;

vi.mock("../../src/builtin.js", async () => (await import("../support/dns.js")).builtinWithDns());
vi.mock("node:os", async (importOriginal) => ({
  ...(await importOriginal<typeof import("node:os")>()),
  networkInterfaces: vi.fn(),
}));

afterEach(() => {
  vi.resetAllMocks();
  expect(requests.size).toBe(0);
});

/** Who was asked for, and how to answer. */
function questions(): { name: string; family: number; answer: Answer }[] {
  return dns.lookup.mock.calls.map(([name, { family }, answer]) => ({ name, family, answer }));
}

describe("bindHost", () => {
  const address = (family: "IPv4" | "IPv6", ip: string) => ({
    address: ip,
    family,
    netmask: "",
    mac: "",
    internal: false,
    cidr: null,
    ...(family === "IPv6" && { scopeid: 0 }),
  });

  it.each([
    ["*", false, { ip: "0.0.0.0" }],
    ["*", true, { ip: "::" }],
    ["10.1.2.3", false, { ip: "10.1.2.3" }],
    ["::1", true, { ip: "::1" }],
    ["localhost", false, { ip: "127.0.0.1" }],
    ["localhost", true, { ip: "127.0.0.1" }],
    ["both", false, { ip: "10.0.0.1" }],
    ["both", true, { ip: "fd00::1" }],
    ["old", true, { ip: "10.0.0.2" }],
    ["new", false, { name: "new" }],
    ["new", true, { ip: "fd00::2" }],
    ["none", true, { name: "none" }],
    ["example.com", true, { name: "example.com" }],
    ["constructor", false, { name: "constructor" }],
    ["__proto__", false, { name: "__proto__" }],
  ])("%s, ipv6: %s", (host, ipv6, expected) => {
    vi.mocked(networkInterfaces).mockReturnValue({
      both: [address("IPv4", "10.0.0.1"), address("IPv6", "fd00::1"), address("IPv4", "10.0.0.9")],
      old: [address("IPv4", "10.0.0.2")],
      new: [address("IPv6", "fd00::2")],
      none: [],
    } as ReturnType<typeof networkInterfaces>);
    expect(bindHost(host, ipv6)).toEqual(expected);
  });
});

describe("lookupName", () => {
  it("asks for IPv4 unless ipv6 is set", () => {
    const answers: unknown[] = [];
    lookupName("name", false, (...answer) => answers.push(answer));
    lookupName("name", true, (...answer) => answers.push(answer));
    expect(questions()).toMatchObject([
      { name: "name", family: 4 },
      { name: "name", family: 0 },
    ]);
    expect(requests.size).toBe(2);
    const [one, other] = questions();
    one?.answer(null, [{ address: "10.0.0.1", family: 4 }]);
    other?.answer(null, [
      { address: "::1", family: 6 },
      { address: "10.0.0.1", family: 4 },
    ]);
    expect(answers).toEqual([
      [null, ["10.0.0.1"]],
      [null, ["::1", "10.0.0.1"]],
    ]);
  });

  it("asks once, however many want to know meanwhile", () => {
    const answers: unknown[] = [];
    for (let i = 0; i < 100; i++) lookupName("slow", false, (_, found) => answers.push(found));
    expect(questions()).toHaveLength(1);
    questions()[0]?.answer(null, [{ address: "10.0.0.1", family: 4 }]);
    expect(answers).toEqual(Array.from({ length: 100 }, () => ["10.0.0.1"]));
    lookupName("slow", false, () => {});
    expect(questions()).toHaveLength(2);
    questions()[1]?.answer(null, []);
  });

  it("passes errors on", () => {
    const errors: unknown[] = [];
    lookupName("name", false, (error, found) => errors.push([error?.code, found]));
    questions()[0]?.answer(Object.assign(new Error(), { code: "EAI_AGAIN" }), undefined as never);
    expect(errors).toEqual([["EAI_AGAIN", []]]);
  });
});

describe("resolve", () => {
  it("finds the first address", async () => {
    const found = resolve("name", false, "endpoint");
    questions()[0]?.answer(null, [
      { address: "10.0.0.1", family: 4 },
      { address: "10.0.0.2", family: 4 },
    ]);
    expect(await found).toBe("10.0.0.1");
  });

  it.each(["ENOTFOUND", "EAI_AGAIN"])("is ENODEV after %s", async (code) => {
    const found = resolve("name", false, "endpoint");
    questions()[0]?.answer(Object.assign(new Error(), { code }), []);
    await expect(found).rejects.toThrow(
      expect.objectContaining({ code: "ENODEV", address: "endpoint" }),
    );
  });
});

it.each([
  ["10.0.0.1", false, true],
  ["10.0.0.1", true, true],
  ["::1", false, false],
  ["::1", true, true],
])("familyAllowed %s, ipv6: %s", (ip, ipv6, allowed) => {
  expect(familyAllowed(ip, ipv6)).toBe(allowed);
});
