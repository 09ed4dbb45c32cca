import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { greeting, ready } from "./wire.js";

const GREETING_SIZE = 64;

/** A peer made of octets that can stop reading, and reads what it got frame by frame. */
export class RawPeer {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  ended = false;

  static async connect(endpoint: string): Promise<RawPeer> {
    const ipc = endpoint.startsWith("ipc://");
    const socket = ipc
      ? connect(endpoint.slice("ipc://".length))
      : connect(Number(new URL(endpoint).port), "127.0.0.1");
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawPeer(socket);
  }

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
    });
    socket.on("error", () => {
      this.ended = true;
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.ended = true;
      });
    }
  }

  /** Octets that have come. */
  get size(): number {
    return this.#size;
  }

  /** Everything that this side has to say in a handshake, as a socket of the given type. */
  greet(type = "PAIR"): void {
    this.socket.write(Buffer.concat([greeting(), ready({ "Socket-Type": type })]));
  }

  /** Whole messages that have come. */
  get messages(): Buffer[][] {
    return this.#frames().messages;
  }

  /** Names of the commands that have come. */
  get commands(): string[] {
    return this.#frames().commands.map((body) =>
      body.toString("latin1", 1, 1 + (body[0] as number)),
    );
  }

  #frames(): Frames {
    return framesOf(Buffer.concat(this.#chunks).subarray(GREETING_SIZE));
  }
}

interface Frames {
  messages: Buffer[][];
  /** Their bodies. */
  commands: Buffer[];
}

/** The whole messages and commands in what follows a greeting. */
export function framesOf(octets: Buffer): Frames {
  const messages: Buffer[][] = [];
  const commands: Buffer[] = [];
  let parts: Buffer[] = [];
  for (let at = 0; at + 2 <= octets.length; ) {
    const flags = octets[at] as number;
    const long = (flags & 2) !== 0;
    if (long && at + 9 > octets.length) break;
    const size = long ? Number(octets.readBigUInt64BE(at + 1)) : (octets[at + 1] as number);
    const start = at + (long ? 9 : 2);
    if (start + size > octets.length) break;
    const body = octets.subarray(start, start + size);
    at = start + size;
    if ((flags & 4) !== 0) {
      commands.push(body);
      continue;
    }
    parts.push(body);
    if ((flags & 1) !== 0) continue;
    messages.push(parts);
    parts = [];
  }
  return { messages, commands };
}

/** Where connectors of ours find raw peers. */
export class RawServer {
  readonly #server: Server;
  /** Those who have come, in their order. */
  readonly peers: RawPeer[] = [];

  static async open(greets = true): Promise<RawServer> {
    const raw = new RawServer(greets);
    await new Promise<void>((resolve) => raw.#server.listen(0, "127.0.0.1", resolve));
    return raw;
  }

  private constructor(greets: boolean) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const peer = new RawPeer(socket);
      this.peers.push(peer);
      if (greets) peer.greet();
    });
  }

  get endpoint(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const { socket } of this.peers) socket.destroy();
    this.#server.close();
  }
}
