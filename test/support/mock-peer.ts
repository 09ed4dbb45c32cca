import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const LIMIT_MS = 5000;

/** Builders of what stands on the wire, octet by octet as RFC 23 and RFC 37 have it. */
export const wire = {
  /** `padding` is ignored by everyone; libzmq's says `00 ... 01`. */
  greeting({ major = 3, minor = 0, mechanism = "NULL", asServer = 0, padding = 1 } = {}): Buffer {
    const bytes = Buffer.alloc(64);
    bytes[0] = 0xff;
    bytes[8] = padding;
    bytes[9] = 0x7f;
    bytes[10] = major;
    bytes[11] = minor;
    bytes.write(mechanism, 12, "latin1");
    bytes[32] = asServer;
    return bytes;
  },

  property(name: string, value: string | Uint8Array): Buffer {
    const octets = Buffer.from(value as string);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(octets.length);
    return Buffer.concat([Buffer.of(name.length), Buffer.from(name, "latin1"), size, octets]);
  },

  /** A frame: short where it can be, unless `long`. */
  frame(body: string | Uint8Array, { more = false, long = false, command = false } = {}): Buffer {
    const octets = Buffer.from(body as string);
    const flags = (more ? 1 : 0) | (command ? 4 : 0);
    if (octets.length < 256 && !long) {
      return Buffer.concat([Buffer.of(flags, octets.length), octets]);
    }
    const header = Buffer.alloc(9);
    header[0] = flags | 2;
    header.writeBigUInt64BE(BigInt(octets.length), 1);
    return Buffer.concat([header, octets]);
  },

  message(...parts: (string | Uint8Array)[]): Buffer {
    return Buffer.concat(parts.map((part, i) => wire.frame(part, { more: i < parts.length - 1 })));
  },

  command(name: string, data: string | Uint8Array = ""): Buffer {
    const octets = Buffer.from(data as string);
    const body = Buffer.concat([Buffer.of(name.length), Buffer.from(name, "latin1"), octets]);
    return wire.frame(body, { command: true });
  },

  ready(properties: Record<string, string> = { "Socket-Type": "PAIR" }): Buffer {
    const pairs = Object.entries(properties).map(([name, value]) => wire.property(name, value));
    return wire.command("READY", Buffer.concat(pairs));
  },

  ping(ttlDeciseconds = 0, context = ""): Buffer {
    const ttl = Buffer.of(ttlDeciseconds >> 8, ttlDeciseconds & 0xff);
    return wire.command("PING", Buffer.concat([ttl, Buffer.from(context)]));
  },

  pong(context = ""): Buffer {
    return wire.command("PONG", context);
  },
};

interface Reader {
  ready: () => boolean;
  resolve: () => void;
}

/** A peer that says and hears octets, and knows nothing. */
export class MockPeer {
  readonly #socket: Socket;
  #input = Buffer.alloc(0);
  #end: "open" | "end" | "reset" = "open";
  #reader: Reader | undefined;

  static async connect(endpoint: string): Promise<MockPeer> {
    const path = pathOf(endpoint);
    const { port, hostname } = new URL(endpoint);
    const socket = path === undefined ? connect(Number(port), hostname) : connect(path);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new MockPeer(socket);
  }

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("error", () => this.#ended("reset"));
    socket.on("end", () => this.#ended("end"));
    socket.on("data", (data) => {
      this.#input = Buffer.concat([this.#input, data]);
      this.#look();
    });
  }

  /** Octets that have come and that nobody has read. */
  get unread(): Buffer {
    return this.#input;
  }

  /** Octets that were sent, and that the system has not taken. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  send(...octets: Uint8Array[]): void {
    this.#socket.write(Buffer.concat(octets));
  }

  /** One octet in a segment each, as far as the system obeys. */
  async sendSlowly(octets: Uint8Array): Promise<void> {
    for (const octet of octets) {
      await new Promise<void>((resolve) => this.#socket.write(Buffer.of(octet), () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Reads `size` octets. */
  async read(size: number): Promise<Buffer> {
    await this.#until(`${size} octets`, () => this.#input.length >= size);
    const octets = this.#input.subarray(0, size);
    this.#input = this.#input.subarray(size);
    return octets;
  }

  /** Reads as many octets as `octets` has; fails, showing both, when they are others. */
  async expect(octets: Uint8Array): Promise<void> {
    const got = await this.read(octets.length);
    if (got.equals(octets)) return;
    throw new Error(`expected ${show(octets)}\n     got ${show(got)}`);
  }

  /** Resolves once `octets` are among those that nobody has read. */
  async saw(octets: Uint8Array): Promise<void> {
    await this.#until(show(octets), () => this.#input.includes(Buffer.from(octets)));
  }

  /** Resolves when the other side has hung up; nothing unread may be left. */
  async expectEnd(): Promise<"end" | "reset"> {
    await this.#until("end", () => this.#end !== "open");
    if (this.#input.length > 0) throw new Error(`before the end came ${show(this.#input)}`);
    return this.#end as "end" | "reset";
  }

  /** Resolves when the other side has hung up, whatever it said before. */
  async gone(): Promise<"end" | "reset"> {
    await this.#until("end", () => this.#end !== "open");
    return this.#end as "end" | "reset";
  }

  /** Takes no octet any more, until {@link resume}. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends our direction only. */
  end(): void {
    this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  #ended(how: "end" | "reset"): void {
    if (this.#end === "open") this.#end = how;
    this.#look();
  }

  #look(): void {
    if (this.#reader?.ready()) this.#reader.resolve();
  }

  #until(what: string, ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#reader = undefined;
        const state = `${this.#end}, unread ${show(this.#input)}`;
        reject(new Error(`the mock waited ${LIMIT_MS} ms for ${what}: ${state}`));
      }, LIMIT_MS);
      this.#reader = {
        ready: () => ready() || this.#end !== "open",
        resolve: () => {
          clearTimeout(timer);
          this.#reader = undefined;
          if (ready()) resolve();
          else reject(new Error(`${this.#end} before ${what}: unread ${show(this.#input)}`));
        },
      };
    });
  }
}

/** Where mocks wait to be dialled. */
export class MockListener {
  readonly #server: Server;
  readonly #path: string | undefined;
  readonly #peers: MockPeer[] = [];
  readonly #waiting: ((peer: MockPeer) => void)[] = [];

  /** @param endpoint `ipc://path`; by default it is somewhere on tcp. */
  static async open(endpoint?: string): Promise<MockListener> {
    const listener = new MockListener(endpoint && pathOf(endpoint));
    await new Promise<void>((resolve) => {
      if (listener.#path === undefined) listener.#server.listen(0, "127.0.0.1", resolve);
      else listener.#server.listen(listener.#path, resolve);
    });
    return listener;
  }

  private constructor(path: string | undefined) {
    this.#path = path;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      const peer = new MockPeer(socket);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#peers.push(peer);
      else waiting(peer);
    });
  }

  get endpoint(): string {
    if (this.#path !== undefined) return `ipc://${this.#path}`;
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next connection. */
  accept(): Promise<MockPeer> {
    const peer = this.#peers.shift();
    if (peer !== undefined) return Promise.resolve(peer);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nobody dialled in ${LIMIT_MS} ms`)),
        LIMIT_MS,
      );
      this.#waiting.push((dialled) => {
        clearTimeout(timer);
        resolve(dialled);
      });
    });
  }

  /** Listens no more. Who dialled and was not accepted is thrown out. */
  close(): void {
    this.#server.close();
    for (const peer of this.#peers.splice(0)) peer.reset();
  }
}

function pathOf(endpoint: string): string | undefined {
  return endpoint.startsWith("ipc://") ? endpoint.slice("ipc://".length) : undefined;
}

function show(octets: Uint8Array): string {
  const shown = Buffer.from(octets.subarray(0, 200)).toString("hex");
  return `${octets.length} octets ${shown}${octets.length > 200 ? "..." : ""}`;
}
