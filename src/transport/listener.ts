import { createServer, type ListenOptions, type Server, type Socket as Stream } from "node:net";
import { type ErrnoError, errnoError, fromSystem } from "../errors.js";
import { type IpcAddress, type TcpAddress, tcpEndpoint } from "./address.js";
import { bindHandle } from "./handle.js";
import { IpcFile } from "./ipc.js";
import { adopt, onread } from "./reading.js";
import { bindHost, familyAllowed, resolve } from "./tcp.js";

export interface ListenerOptions {
  /** `ZMQ_BACKLOG`: connections that the operating system may keep for us. */
  backlog: number;
  ipv6: boolean;
  /** The permissions of an ipc endpoint's file; null: as the process makes files. */
  ipcMode: number | null;
}

/** What happens at a listener. */
export interface ListenerEvents {
  accepted(stream: Stream): void;
  /** A connection could not be accepted; the listener goes on. */
  acceptFailed(error: ErrnoError): void;
}

/** Errors of accept (EMFILE and friends) come in floods; told of at most this often, at first. */
const QUIET_MIN_MS = 100;
const QUIET_MAX_MS = 30_000;

/** A bound endpoint of the operating system: accepts until it is closed. */
export class Listener {
  /** The endpoint as bound, with its real host and port or path. */
  readonly endpoint: string;
  readonly #server: Server;
  readonly #file: IpcFile | undefined;
  readonly #events: ListenerEvents;
  #quietMs = QUIET_MIN_MS;
  #quietUntil = 0;

  private constructor(server: Server, endpoint: string, events: ListenerEvents, file?: IpcFile) {
    this.#server = server;
    this.endpoint = endpoint;
    this.#events = events;
    this.#file = file;
    server.on("connection", (accepted: Stream) => {
      this.#quietMs = QUIET_MIN_MS;
      const stream = adopt(accepted);
      if (stream !== undefined) events.accepted(stream);
    });
    server.on("error", (error) => this.#acceptFailed(error));
    server.unref();
  }

  /** Binds; whatever fails rejects. */
  static async bind(
    address: TcpAddress | IpcAddress,
    endpoint: string,
    options: ListenerOptions,
    events: ListenerEvents,
  ): Promise<Listener> {
    if (address.transport === "ipc")
      return Listener.#bindIpc(address.path, endpoint, options, events);
    const found = bindHost(address.host, options.ipv6);
    const ip = "ip" in found ? found.ip : await resolve(found.name, options.ipv6, endpoint);
    return Listener.#bindTcp(ip, address, endpoint, options, events);
  }

  /**
   * Binds now; whatever fails throws. A TCP endpoint needs an IP address, an interface's name or
   * `localhost`: other names would have to be looked up.
   * @returns undefined when this runtime can only bind asynchronously.
   */
  static bindSync(
    address: TcpAddress | IpcAddress,
    endpoint: string,
    options: ListenerOptions,
    events: ListenerEvents,
  ): Listener | undefined {
    if (address.transport === "ipc") {
      return Listener.#bindIpc(address.path, endpoint, options, events);
    }
    const found = bindHost(address.host, options.ipv6);
    if (!("ip" in found)) throw errnoError("ENODEV", endpoint);
    if (!familyAllowed(found.ip, options.ipv6)) throw errnoError("ENODEV", endpoint);
    const handle = bindHandle(found.ip, address.port);
    if (handle === undefined) return undefined;
    if (typeof handle === "string") throw errnoError(handle, endpoint);
    // Listening is where a port that is taken shows; Node would tell of it only a tick later.
    const server = makeServer();
    server.listen({ _handle: handle }, options.backlog);
    if (!server.listening) {
      server.once("error", () => {});
      throw errnoError("EADDRINUSE", endpoint);
    }
    return new Listener(server, boundEndpoint(server), events);
  }

  static async #bindTcp(
    ip: string,
    address: TcpAddress,
    endpoint: string,
    options: ListenerOptions,
    events: ListenerEvents,
  ): Promise<Listener> {
    if (!familyAllowed(ip, options.ipv6)) throw errnoError("ENODEV", endpoint);
    const server = makeServer();
    await listening(
      server,
      {
        host: ip,
        port: address.port,
        backlog: options.backlog,
        exclusive: true,
      },
      endpoint,
    );
    return new Listener(server, boundEndpoint(server), events);
  }

  /** Node listens on a path without delay, and tells of errors a tick later. */
  static #bindIpc(
    path: string,
    endpoint: string,
    options: ListenerOptions,
    events: ListenerEvents,
  ): Listener {
    const file = IpcFile.prepare(path, endpoint, options.ipcMode);
    const server = makeServer();
    server.listen({ path: file.bindPath, backlog: options.backlog, exclusive: true });
    if (!server.listening) {
      server.once("error", () => {});
      const code = file.whyNotBound();
      file.remove();
      throw errnoError(code, endpoint);
    }
    try {
      file.publish();
    } catch (error) {
      server.close();
      file.remove();
      throw fromSystem(error as NodeJS.ErrnoException, endpoint);
    }
    return new Listener(server, file.endpoint, events, file);
  }

  /** Stops accepting. Connections that were accepted live on. */
  close(): void {
    this.#server.removeAllListeners("connection");
    this.#server.on("connection", (stream: Stream) => stream.destroy());
    this.#file?.remove();
    this.#server.close();
  }

  #acceptFailed(error: NodeJS.ErrnoException): void {
    const now = performance.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + this.#quietMs;
    this.#quietMs = Math.min(2 * this.#quietMs, QUIET_MAX_MS);
    this.#events.acceptFailed(fromSystem(error, this.endpoint));
  }
}

function makeServer(): Server {
  return createServer({ pauseOnConnect: onread !== undefined });
}

function boundEndpoint(server: Server): string {
  const { address, port } = server.address() as { address: string; port: number };
  return tcpEndpoint(address, port);
}

function listening(server: Server, options: ListenOptions, endpoint: string): Promise<void> {
  return new Promise((done, fail) => {
    const failed = (error: NodeJS.ErrnoException) => fail(fromSystem(error, endpoint));
    server.once("error", failed);
    server.listen(options, () => {
      server.off("error", failed);
      done();
    });
  });
}
