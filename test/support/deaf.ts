import { type AddressInfo, connect, createServer, type Server, Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { wire } from "./mock-peer.js";

/** Completes handshakes as a PAIR would, and never reads what comes after. */
export class DeafPeer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  static open(): Promise<DeafPeer> {
    return DeafPeer.#open((accepted) => accepted);
  }

  /** One that is not deaf at all: it reads as fast as it can, and forgets what it has read. */
  static async greedy(): Promise<DeafPeer & { read: number }> {
    const peer = await DeafPeer.#open((socket) => {
      // Into the same megabyte again and again, which `net.Server` has no option for.
      const { _handle: handle } = socket as unknown as { _handle: object };
      Object.assign(socket, { _handle: null });
      const callback = (count: number) => {
        greedy.read += count;
        return true;
      };
      const onread = { buffer: Buffer.alloc(2 ** 20), callback };
      return new Socket({ handle, onread } as ConstructorParameters<typeof Socket>[0]);
    });
    const greedy = Object.assign(peer, { read: 0 });
    return greedy;
  }

  static async #open(adopt: (accepted: Socket) => Socket): Promise<DeafPeer> {
    const peer = new DeafPeer(adopt);
    await new Promise<void>((resolve) => peer.#server.listen(0, "127.0.0.1", resolve));
    return peer;
  }

  private constructor(adopt: (accepted: Socket) => Socket) {
    this.#server = createServer({ pauseOnConnect: true }, (accepted) => {
      const socket = adopt(accepted);
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      socket.write(Buffer.concat([wire.greeting(), wire.ready()]));
    });
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/**
 * A port that answers no one: its queue of connections is full and nobody accepts any. Works where
 * the system drops a SYN in that case, as Linux does.
 */
export class BlackHole {
  readonly #worker: Worker;
  readonly #fillers: Socket[] = [];
  #port = 0;

  static async open(): Promise<BlackHole> {
    const hole = new BlackHole();
    await hole.#fill();
    return hole;
  }

  private constructor() {
    this.#worker = new Worker(
      `const { createServer } = require("node:net");
       const { parentPort } = require("node:worker_threads");
       const server = createServer();
       server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
         parentPort.postMessage(server.address().port);
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
       });`,
      { eval: true },
    );
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    await this.#worker.terminate();
  }

  async #fill(): Promise<void> {
    this.#port = await new Promise((resolve) => this.#worker.once("message", resolve));
    // The queue takes one more than its length.
    for (let i = 0; i < 2; i++) {
      const filler = connect(this.#port, "127.0.0.1").on("error", () => {});
      this.#fillers.push(filler);
      await new Promise((resolve) => filler.once("connect", resolve));
    }
  }
}
