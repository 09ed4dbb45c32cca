import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PeerProcess, type Reply } from "./peer-process.js";

const PROGRAM = fileURLToPath(new URL("./draft.child.mjs", import.meta.url));

/** A process with sockets of libzmq's draft types, through npm zeromq. */
export class DraftPeer extends PeerProcess {
  static start(): Promise<DraftPeer> {
    return new DraftPeer().started();
  }

  private constructor() {
    super(
      "libzmq",
      fork(PROGRAM, {
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

  async draft(type: string | number, options: object = {}): Promise<DraftSocket> {
    return new DraftSocket(this, (await this.request("open", { type, options })) as number);
  }
}

/** A socket of a draft type in a peer process. */
export class DraftSocket {
  readonly #peer: DraftPeer;
  readonly #id: number;

  constructor(peer: DraftPeer, id: number) {
    this.#peer = peer;
    this.#id = id;
  }

  /** @returns The endpoint with its port, or path. */
  bind(address: string): Promise<string> {
    return this.request("bind", { address }) as Promise<string>;
  }

  get(property: string): Promise<unknown> {
    return this.request("get", { property });
  }

  call(method: string, ...args: unknown[]): Promise<unknown> {
    return this.request("call", { method, args });
  }

  request(op: string, parameters: object): Promise<unknown> {
    return this.#peer.request(op, { socket: this.#id, ...parameters });
  }
}
