import { type ForkOptions, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PeerProcess, type Reply } from "./peer-process.js";

const PROGRAM = fileURLToPath(new URL("./libzmq.child.mjs", import.meta.url));

/** A process with sockets of libzmq, through npm zeromq. */
export class LibzmqPeer extends PeerProcess {
  static start(): Promise<LibzmqPeer> {
    return new LibzmqPeer().started();
  }

  private constructor() {
    const options: ForkOptions = {
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      // Parts of messages go along, and are no JSON.
      serialization: "advanced",
    };
    super("libzmq", fork(PROGRAM, options));
    this.child.on("message", (message) => this.reply(message as Reply));
  }

  protected override post(request: object): void {
    // A child that is just gone is no error here: the request fails when that is known.
    this.child.send(request, () => {});
  }
}
