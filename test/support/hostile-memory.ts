import { fork } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { PeerProcess, type Reply } from "./peer-process.js";
import type { ClassName } from "./trades.js";

const MEMORY_PROGRAM = fileURLToPath(new URL("./hostile-memory.child.ts", import.meta.url));

/** What is left in the process when a number of hostile peers has come and gone. */
export interface Left {
  heapUsed: number;
  external: number;
  handles: number;
  peers: number;
}

/** A process with a socket of ours, bound, whose memory is looked at. */
export class HostileMemory extends PeerProcess {
  #endpoint = "";

  static async start(type: ClassName, options: object = {}): Promise<HostileMemory> {
    const subject = await new HostileMemory().started();
    await subject.renew(type, options);
    return subject;
  }

  private constructor() {
    const child = fork(MEMORY_PROGRAM, {
      execArgv: ["--expose-gc", "--import", "tsx"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    super("ours", child);
    child.on("message", (message) => this.reply(message as Reply));
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  /** The socket is another one from now on. */
  async renew(type: ClassName, options: object): Promise<void> {
    this.#endpoint = (await this.request("open", { type, options })) as string;
  }

  /** Connects to the endpoints, and again whenever a connection has ended, until {@link hangUp}. */
  async dial(endpoints: string[], options: object): Promise<void> {
    await this.request("dial", { endpoints, options });
  }

  async hangUp(): Promise<void> {
    await this.request("hangUp");
  }

  async left(): Promise<Left> {
    return (await this.request("left")) as Left;
  }

  /**
   * Lets `times` peers say the octets, and reset their connections once they have an answer.
   * @param answer How long it is: our greeting and some of READY, or nothing.
   */
  async attack(octets: Uint8Array, times: number, answer = 65): Promise<Left> {
    const { port, hostname } = new URL(this.#endpoint);
    const once = async () => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {});
      await new Promise((resolve) => socket.write(octets, resolve));
      let size = 0;
      if (answer > 0) {
        for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
          size += (chunk as Buffer).length;
          if (size >= answer) break;
        }
      }
      socket.resetAndDestroy();
    };
    for (let i = 0; i < times; i += 20) await Promise.all(Array.from({ length: 20 }, once));
    return this.left();
  }

  protected override post(request: object): void {
    this.child.send(request, () => {});
  }
}
