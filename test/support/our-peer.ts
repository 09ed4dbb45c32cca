import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PeerProcess, type Reply } from "./peer-process.js";

const PROGRAM = fileURLToPath(new URL("./libzmq.child.mjs", import.meta.url));
const LIBRARY = new URL("../../dist/esm/module/index.js", import.meta.url).href;

/** A process with sockets of ours, as they are built. */
export class OurPeer extends PeerProcess {
  static start(): Promise<OurPeer> {
    return new OurPeer().started();
  }

  private constructor() {
    super(
      "ours",
      fork(PROGRAM, [LIBRARY], {
        execArgv: [],
        stdio: ["ignore", "ignore", "pipe", "ipc"],
        // Parts of messages go along, and are no JSON.
        serialization: "advanced",
      }),
    );
    this.child.on("message", (message) => this.reply(message as Reply));
  }

  protected override post(request: object): void {
    this.child.send(request, () => {});
  }
}
