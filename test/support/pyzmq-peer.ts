import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { PeerProcess, type Reply } from "./peer-process.js";

/** Debian's python3-zmq belongs to this one, which may not be the first in PATH. */
export const PYTHON = "/usr/bin/python3";

const PROGRAM = fileURLToPath(new URL("./pyzmq_peer.py", import.meta.url));

/** A process with sockets of PyZMQ. It does one thing at a time, and tells no events. */
export class PyzmqPeer extends PeerProcess {
  static start(): Promise<PyzmqPeer> {
    return new PyzmqPeer().started();
  }

  private constructor() {
    super("PyZMQ", spawn(PYTHON, [PROGRAM], { stdio: ["pipe", "pipe", "pipe"] }));
    this.child.stdin?.on("error", () => {});
    createInterface({ input: this.child.stdout as Readable }).on("line", (line) => {
      this.reply(JSON.parse(line) as Reply);
    });
  }

  protected override post(request: object): void {
    (this.child.stdin as Writable).write(`${JSON.stringify(request)}\n`);
  }
}
