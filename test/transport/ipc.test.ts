import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IpcFile, type Platform, systemPath } from "../../src/transport/ipc.js";
import { Listener } from "../../src/transport/listener.js";
import { Program } from "../support/program.js";

const LINUX: Platform = { name: "linux", uv: "1.46.0" };
const NEW_LINUX: Platform = { name: "linux", uv: "1.48.0" };
const MAC: Platform = { name: "darwin", uv: "1.51.0" };
const WINDOWS: Platform = { name: "win32", uv: "1.51.0" };

function error(code: string, endpoint = "ipc://endpoint"): object {
  return expect.objectContaining({ code, address: endpoint });
}

describe("systemPath", () => {
  it.each<[string, Platform, string, string | RegExp]>([
    ["a path", LINUX, "/tmp/socket", "/tmp/socket"],
    ["a path as long as can be", LINUX, "p".repeat(107), "p".repeat(107)],
    ["a path that is too long", LINUX, "p".repeat(108), "ENAMETOOLONG"],
    ["a path of too many octets", LINUX, "é".repeat(54), "ENAMETOOLONG"],
    ["a path as long as can be on macOS", MAC, "p".repeat(103), "p".repeat(103)],
    ["a path that is too long on macOS", MAC, "p".repeat(104), "ENAMETOOLONG"],
    ["an abstract name", NEW_LINUX, "@name", "\0name"],
    ["an abstract name in a runtime of today's", { name: "linux", uv: "2.0.0" }, "@n", "\0n"],
    ["an abstract name, libuv too old", LINUX, "@name", "ENOTSUP"],
    ["an abstract name, no libuv", { name: "linux", uv: undefined }, "@name", "ENOTSUP"],
    ["an abstract name on macOS", MAC, "@name", "ENOTSUP"],
    ["an abstract name that is too long", NEW_LINUX, `@${"n".repeat(107)}`, "ENAMETOOLONG"],
    ["a path on Windows", WINDOWS, "/tmp/socket", "EPROTONOSUPPORT"],
  ])("%s", (_, platform, path, expected) => {
    const find = () => systemPath(path, "ipc://endpoint", platform);
    if (typeof expected === "string" && /^E[A-Z]+$/.test(expected)) {
      expect(find).toThrow(error(expected));
    } else {
      expect(find()).toBe(expected);
    }
  });

  it("says why", () => {
    expect(() => systemPath("@name", "x", LINUX)).toThrow(/libuv 1\.48/);
    expect(() => systemPath("path", "x", WINDOWS)).toThrow(/Windows/);
    expect(() => IpcFile.prepare("*", "x", null, WINDOWS)).toThrow(/Windows/);
  });
});

let folder: string;
let closing: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "purezmq-"));
});

afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
  rmSync(folder, { recursive: true, force: true });
});

/** Binds as a socket does. Connections it accepts say `name`. */
async function bind(
  path: string,
  name = "ours",
  sync = false,
  ipcMode: number | null = null,
): Promise<Listener> {
  const address = { transport: "ipc" as const, path };
  const endpoint = `ipc://${path}`;
  const options = { backlog: 10, ipv6: false, ipcMode };
  const events = {
    accepted: (stream: NodeJS.WritableStream) => void stream.end(name),
    acceptFailed: () => {},
  };
  const listener = sync
    ? (Listener.bindSync(address, endpoint, options, events) as Listener)
    : await Listener.bind(address, endpoint, options, events);
  closing.push(() => listener.close());
  return listener;
}

/** Who answers at a path. */
function whoIs(path: string): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const socket = connect(path);
    socket.on("data", (text) => {
      said += text;
    });
    socket.on("end", () => resolve(said));
    socket.on("error", (reason: NodeJS.ErrnoException) => resolve(reason.code as string));
  });
}

/** A server that is none of ours. */
async function foreign(path: string): Promise<Server> {
  const server = createServer((socket) => socket.end("foreign"));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closing.push(() => server.close());
  return server;
}

describe.each([
  ["bind", false],
  ["bindSync", true],
])("%s", (_, sync) => {
  it("makes a file, with the mode that the process gives to files, and removes it", async () => {
    const path = join(folder, "socket");
    const listener = await bind(path, "ours", sync);
    expect(listener.endpoint).toBe(`ipc://${path}`);
    expect(readdirSync(folder)).toEqual(["socket"]);
    expect(statSync(path).isSocket()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o777 & ~process.umask());
    expect(await whoIs(path)).toBe("ours");
    listener.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("takes the place of a file that nobody listens at", async () => {
    const path = join(folder, "socket");
    const program = new Program(new URL("./stale.child.mjs", import.meta.url), [path]);
    await program.ended();
    expect(await whoIs(path)).toBe("ECONNREFUSED");
    await bind(path, "ours", sync);
    expect(await whoIs(path)).toBe("ours");
  });

  it("takes over from another of ours, which leaves the file alone when it is closed", async () => {
    const path = join(folder, "socket");
    const one = await bind(path, "one", sync);
    const other = await bind(path, "other", sync);
    expect(await whoIs(path)).toBe("other");
    one.close();
    expect(await whoIs(path)).toBe("other");
    other.close();
    expect(existsSync(path)).toBe(false);
  });

  it("takes over from others, and leaves them alone when they have taken over", async () => {
    const path = join(folder, "socket");
    await foreign(path);
    const listener = await bind(path, "ours", sync);
    expect(await whoIs(path)).toBe("ours");
    rmSync(path);
    await foreign(path);
    listener.close();
    expect(await whoIs(path)).toBe("foreign");
  });

  it.each([
    ["a file", (path: string) => writeFileSync(path, "precious")],
    ["a folder", (path: string) => mkdirSync(path)],
    [
      "a link to a file",
      (path: string) => {
        writeFileSync(`${path}.target`, "precious");
        symlinkSync(`${path}.target`, path);
      },
    ],
  ])("refuses %s, and leaves it alone", async (_, make) => {
    const path = join(folder, "thing");
    make(path);
    const before = readdirSync(folder);
    await expect(bindRejects(path, sync)).rejects.toThrow(error("EADDRINUSE", `ipc://${path}`));
    expect(readdirSync(folder)).toEqual(before);
    expect(statSync(path).isSocket()).toBe(false);
  });

  it.each([
    ["nowhere/socket", "ENOENT"],
    ["file/socket", "ENOTDIR"],
    [".", "EADDRINUSE"],
    [`${"p".repeat(200)}`, "ENAMETOOLONG"],
  ])("refuses %s: %s", async (name, code) => {
    writeFileSync(join(folder, "file"), "");
    const path = name === "." ? folder : join(folder, name);
    await expect(bindRejects(path, sync)).rejects.toThrow(error(code, `ipc://${path}`));
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("refuses an abstract name, where this platform cannot speak it", async () => {
    const [major = 0, minor = 0] = (process.versions.uv ?? "0.0").split(".").map(Number);
    const speaks = process.platform === "linux" && (major > 1 || minor >= 48);
    const bound = bindRejects(`@purezmq-${process.pid}`, sync);
    if (speaks) await bound;
    else await expect(bound).rejects.toThrow(expect.objectContaining({ code: "ENOTSUP" }));
  });

  it("* makes a folder of its own, and removes it", async () => {
    const listener = await bind("*", "ours", sync);
    const path = listener.endpoint.slice("ipc://".length);
    expect(readdirSync(dirname(path))).toEqual(["socket"]);
    expect(await whoIs(path)).toBe("ours");
    listener.close();
    expect(existsSync(dirname(path))).toBe(false);
  });

  it.each([107, 104, 101, 100])("a path of %i octets", async (size) => {
    const path = join(folder, "p".repeat(size - folder.length - 1));
    const listener = await bind(path, "ours", sync);
    expect(await whoIs(path)).toBe("ours");
    const other = await bind(path, "other", sync);
    expect(await whoIs(path)).toBe("other");
    other.close();
    listener.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("a path that leaves no room for another name beside it", async () => {
    const deep = join(folder, "d".repeat(107 - folder.length - 5));
    mkdirSync(deep);
    const path = join(deep, "abc");
    expect(path).toHaveLength(107);
    const listener = await bind(path, "ours", sync);
    expect(await whoIs(path)).toBe("ours");
    listener.close();
    await foreign(path);
    await bind(path, "other", sync);
    expect(await whoIs(path)).toBe("other");
  });

  it("a relative path", async () => {
    const path = join("node_modules", `.purezmq-${process.pid}`);
    const listener = await bind(path, "ours", sync);
    expect(listener.endpoint).toBe(`ipc://${path}`);
    listener.close();
    expect(existsSync(path)).toBe(false);
  });

  it.each([0o600, 0o660, 0o666, 0o777, 0o000])("gives the file the mode %i", async (mode) => {
    const path = join(folder, "socket");
    const listener = await bind(path, "ours", sync, mode);
    expect([readdirSync(folder), statSync(path).mode & 0o7777]).toEqual([["socket"], mode]);
    if (mode !== 0) expect(await whoIs(path)).toBe("ours");
    listener.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("with a mode, takes over as without, and * has a folder of its own", async () => {
    const path = join(folder, "socket");
    const one = await bind(path, "one", sync);
    await bind(path, "other", sync, 0o600);
    expect([await whoIs(path), statSync(path).mode & 0o777]).toEqual(["other", 0o600]);
    one.close();
    expect(await whoIs(path)).toBe("other");
    const wildcard = await bind("*", "ours", sync, 0o606);
    const own = wildcard.endpoint.slice("ipc://".length);
    expect(statSync(own).mode & 0o777).toBe(0o606);
    expect(statSync(dirname(own)).mode & 0o777).toBe(0o700);
    wildcard.close();
    expect(existsSync(dirname(own))).toBe(false);
  });

  it.each([
    ["nowhere/socket", "ENOENT"],
    ["file/socket", "ENOTDIR"],
    ["file", "EADDRINUSE"],
  ])("with a mode, refuses %s: %s", async (name, code) => {
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, name);
    await expect(bind(path, "ours", sync, 0o600)).rejects.toThrow(error(code, `ipc://${path}`));
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("with a mode, refuses a folder whose name leaves no room for another one in it", async () => {
    const name = (size: number) => join(folder, "d".repeat(size - folder.length - 1));
    for (const size of [97, 98]) mkdirSync(name(size));
    const fits = await bind(join(name(97), "s"), "ours", sync, 0o600);
    expect(await whoIs(join(name(97), "s"))).toBe("ours");
    fits.close();
    const refused = bind(join(name(98), "s"), "ours", sync, 0o600);
    await expect(refused).rejects.toThrow(error("ENAMETOOLONG", `ipc://${join(name(98), "s")}`));
    await expect(refused).rejects.toThrow("the folder may have 97 octets");
    expect(readdirSync(name(98))).toEqual([]);
  });

  it("leaves nothing behind when the file cannot be put in its place", async () => {
    const failure = Object.assign(new Error("rename"), { code: "EROFS" });
    vi.spyOn(IpcFile.prototype, "publish").mockImplementation(() => {
      throw failure;
    });
    const path = join(folder, "socket");
    await expect(bindRejects(path, sync)).rejects.toThrow(error("EROFS", `ipc://${path}`));
    vi.restoreAllMocks();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("closing does not fail when everything is gone, or has been filled by others", async () => {
    const path = join(folder, "socket");
    const listener = await bind(path, "ours", sync);
    const wildcard = await bind("*", "ours", sync);
    const other = dirname(wildcard.endpoint.slice("ipc://".length));
    writeFileSync(join(other, "guest"), "");
    rmSync(folder, { recursive: true });
    listener.close();
    wildcard.close();
    expect(readdirSync(other)).toEqual(["guest"]);
    rmSync(other, { recursive: true });
  });
});

// Skipped on Windows: it has neither such users nor ipc endpoints. Root may do everything: as root
// the program becomes nobody first.
describe.skipIf(process.getuid === undefined)("somebody who is not root", () => {
  it.each([
    ["a folder that may not be entered", 0o000],
    ["a folder that may not be written to", 0o555],
  ])("is refused %s", async (_, mode) => {
    const closed = join(folder, "closed");
    mkdirSync(closed);
    chmodSync(closed, mode);
    chmodSync(folder, 0o755);
    const endpoint = `ipc://${join(closed, "socket")}`;
    const program = new Program(new URL("./eacces.child.mjs", import.meta.url), [endpoint]);
    const { code, stdout, stderr } = await program.ended();
    chmodSync(closed, 0o700);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      bind: { code: "EACCES", address: endpoint },
      bindSync: { code: "EACCES", address: endpoint },
      connect: ["close", "connect:retry"],
    });
    expect(readdirSync(closed)).toEqual([]);
  });

  it.each([
    ["may connect to a file whose mode lets all", 0o666, true],
    // The owner is refused by no bits at all; root, who is the owner, becomes somebody else.
    ["may not to one that is the owner's", process.getuid?.() === 0 ? 0o600 : 0o000, false],
  ])("%s", async (_, mode, isIn) => {
    const path = join(folder, "socket");
    await bind(path, "ours", false, mode);
    chmodSync(folder, 0o555);
    const program = new Program(new URL("./eacces.child.mjs", import.meta.url), [`ipc://${path}`]);
    const { code, stdout, stderr } = await program.ended();
    chmodSync(folder, 0o700);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).connect.includes("connect")).toBe(isIn);
  });
});

function bindRejects(path: string, sync: boolean): Promise<unknown> {
  return bind(path, "ours", sync);
}

describe("a file with a mode", () => {
  it("has it before it has its name, and nobody else can come to it until then", async () => {
    const path = join(folder, "socket");
    const file = IpcFile.prepare(path, "ipc://endpoint", 0o640);
    await foreign(file.bindPath);
    expect(existsSync(path)).toBe(false);
    const secluded = dirname(file.bindPath);
    expect([dirname(secluded), statSync(secluded).mode & 0o777]).toEqual([folder, 0o700]);
    file.publish();
    expect([readdirSync(folder), statSync(path).mode & 0o777]).toEqual([["socket"], 0o640]);
    file.remove();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("leaves nothing behind when its name cannot be had", async () => {
    const path = join(folder, "socket");
    const file = IpcFile.prepare(path, "ipc://endpoint", 0o640);
    const server = await foreign(file.bindPath);
    mkdirSync(path);
    expect(() => file.publish()).toThrow();
    server.close();
    file.remove();
    expect([readdirSync(folder), readdirSync(path)]).toEqual([["socket"], []]);
  });

  it("is refused for an abstract name, which has none", () => {
    const refused = () => IpcFile.prepare("@name", "ipc://endpoint", 0o600, NEW_LINUX);
    expect(refused).toThrow(error("ENOTSUP"));
    expect(refused).toThrow("ipcMode cannot protect it");
    expect(IpcFile.prepare("@name", "ipc://endpoint", null, NEW_LINUX).bindPath).toBe("\0name");
  });
});

it("a folder for temporary files whose name is too long", () => {
  const { TMPDIR } = process.env;
  process.env["TMPDIR"] = `/${"t".repeat(200)}`;
  try {
    expect(() => IpcFile.prepare("*", "ipc://*", null)).toThrow(error("ENAMETOOLONG", "ipc://*"));
    process.env["TMPDIR"] = join(folder, "nowhere");
    expect(() => IpcFile.prepare("*", "ipc://*", null)).toThrow(error("ENOENT", "ipc://*"));
  } finally {
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
  }
});
