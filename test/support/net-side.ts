import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import type { ConnectionOptions, Role } from "../../src/zmtp/index.js";
import { VirtualClock } from "./clock.js";
import { connectionOptions, Side } from "./connection-pair.js";

/** A connection on a real wire, without engine or socket: it writes down what it hears. */
export class NetSide extends Side {
  readonly socket: Socket;
  /** All that came, and all that went. */
  readonly came: Buffer[] = [];
  readonly went: Buffer[] = [];
  /** The wire has ended. */
  ended = false;
  /** Whether messages go back as they came. */
  echoes = false;

  constructor(role: Role, options: Partial<ConnectionOptions>, socket: Socket) {
    super(connectionOptions(role, options), new VirtualClock());
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.came.push(chunk);
      this.feed(new Uint8Array(chunk));
      this.flush();
      if (this.error !== undefined) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.ended = true;
    });
    this.flush();
  }

  override message(parts: Uint8Array[]): boolean {
    if (this.echoes) this.connection.send(parts);
    return super.message(parts);
  }

  /** Messages as texts. */
  get texts(): string[][] {
    return this.messages.map((parts) => parts.map((part) => Buffer.from(part).toString("latin1")));
  }

  send(...parts: string[]): void {
    this.connection.send(parts.map((part) => Buffer.from(part)));
    this.flush();
  }

  flush(): void {
    while (this.connection.hasOutput) {
      const octets = Buffer.from(this.output());
      this.went.push(octets);
      this.socket.write(octets);
    }
  }
}

/** Dials `tcp://127.0.0.1:port`. */
export function dial(role: Role, options: Partial<ConnectionOptions>, endpoint: string): NetSide {
  return new NetSide(role, options, connect(Number(new URL(endpoint).port), "127.0.0.1"));
}

/** Waits for peers, and makes a side for each who comes. */
export class NetServer {
  readonly sides: NetSide[] = [];
  readonly #server: Server;

  /** @param judges Whether everybody is good; false: decided later. */
  static async open(
    role: Role,
    options: () => Partial<ConnectionOptions>,
    judges = true,
  ): Promise<NetServer> {
    const server = new NetServer(role, options, judges);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  private constructor(role: Role, options: () => Partial<ConnectionOptions>, judges: boolean) {
    this.#server = createServer((socket) => {
      const side = new NetSide(role, options(), socket);
      side.judges = judges;
      this.sides.push(side);
    });
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const { socket } of this.sides) socket.destroy();
    this.#server.close();
  }
}
