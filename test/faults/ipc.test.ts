/**
 * Files of ipc endpoints on a disk that is full, or may not be written to. It takes a file system of
 * one's own: a tmpfs, in a mount namespace that ends with the program.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const PROGRAM = fileURLToPath(new URL("./full.child.mjs", import.meta.url));

/** As root, or as who may be root in a namespace of his own. */
const UNSHARE = [["-m"], ["-rm"]].find(
  (options) =>
    spawnSync("unshare", [...options, "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).status === 0,
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "purezmq-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Found {
  bind: string[];
  left: string[];
  received: string[];
  afterwards: string[];
}

function run(options: string): Found {
  const args = [...(UNSHARE as string[]), process.execPath, PROGRAM, folder, options];
  const { status, stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

// Skipped where nobody may mount. What does not depend on it is in test/transport/ipc.test.ts: a file
// that cannot be put in its place leaves nothing behind.
describe.skipIf(UNSHARE === undefined)("an ipc endpoint", () => {
  it.each([
    ["that is full", "nr_inodes=1"],
    ["that may only be read", "ro"],
  ])("on a disk %s: refused, nothing left behind; bound as soon as that is over", (_, options) => {
    const { bind, left, received, afterwards } = run(options);
    expect(bind.map((code) => code.startsWith("E") && !code.includes(" "))).toEqual([true, true]);
    expect(left).toEqual([]);
    expect(received).toEqual(["hello"]);
    expect(afterwards).toEqual([]);
  });

  it.each([
    ["ENOSPC", "nr_inodes=1"],
    ["EROFS", "ro"],
  ])("is refused with %s", (code, options) => {
    expect(run(options).bind).toEqual([code, code]);
  });
});

describe("bind without a descriptor left", () => {
  const program = fileURLToPath(new URL("./descriptors.child.mjs", import.meta.url));

  function bind(endpoint: string): string[] {
    const command = `ulimit -n 64; exec "$0" "$1" "$2"`;
    const { stdout } = spawnSync("sh", ["-c", command, process.execPath, program, endpoint]);
    return JSON.parse(String(stdout));
  }

  it("is refused over tcp with EMFILE, and succeeds once there are some", () => {
    expect(bind("tcp://127.0.0.1:*")).toEqual(["EMFILE", "bound"]);
  });

  it("is refused over ipc, and succeeds once there are some", () => {
    expect(bind(`ipc://${folder}/socket`)[1]).toBe("bound");
  });

  it("is refused over ipc with EMFILE", () => {
    expect(bind(`ipc://${folder}/socket`)).toEqual(["EMFILE", "bound"]);
  });
});
