import { connect, type Socket as Stream, type TcpNetConnectOpts } from "node:net";
import { type ErrnoError, errnoError, fromSystem } from "../errors.js";
import type { IpcAddress, TcpAddress } from "./address.js";
import { Backoff, type BackoffOptions } from "./backoff.js";
import { systemPath } from "./ipc.js";
import { onread } from "./reading.js";
import { bindHost } from "./tcp.js";

export interface DialerOptions extends BackoffOptions {
  /** How long one attempt may take, in milliseconds; 0: as long as the system says. */
  connectTimeoutMs: number;
  ipv6: boolean;
}

/** What happens while a dialer tries. */
export interface DialerEvents {
  /** An attempt has begun. */
  delayed(): void;
  /** The attempt failed, or its connection was lost. */
  failed(error: ErrnoError): void;
  /** The next attempt begins in `intervalMs`. */
  retrying(intervalMs: number): void;
  connected(stream: Stream): void;
}

/**
 * Connects to an endpoint, and again after each loss, until it is stopped.
 *
 * ```
 *   idle --dial--> dialling --connected--> idle (the connection is its owner's)
 *                     |  ^
 *               failed|  |after a delay
 *                     v  |
 *                   waiting
 * ```
 */
export class Dialer {
  readonly #address: TcpAddress | IpcAddress;
  readonly #endpoint: string;
  readonly #options: DialerOptions;
  readonly #events: DialerEvents;
  readonly #backoff: Backoff;
  #stream: Stream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    address: TcpAddress | IpcAddress,
    endpoint: string,
    options: DialerOptions,
    events: DialerEvents,
  ) {
    this.#address = address;
    this.#endpoint = endpoint;
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff(options);
  }

  /** Whether an attempt is under way now. */
  get dialling(): boolean {
    return this.#stream !== undefined;
  }

  /** Begins an attempt. */
  dial(): void {
    if (this.#stopped) return;
    const stream = this.#open();
    this.#stream = stream;
    stream.unref();
    const { connectTimeoutMs } = this.#options;
    if (connectTimeoutMs > 0) {
      this.#timer = setTimeout(() => stream.destroy(errnoError("ETIMEDOUT")), connectTimeoutMs);
      this.#timer.unref();
    }
    let failure: NodeJS.ErrnoException = errnoError("ECONNRESET");
    const failed = (error: NodeJS.ErrnoException) => {
      failure = error;
    };
    const closed = () => {
      this.#done();
      this.#events.failed(fromSystem(failure, this.#endpoint));
      this.redial();
    };
    stream.on("error", failed);
    stream.on("close", closed);
    stream.once("connect", () => {
      if (isSelfConnected(stream)) {
        stream.destroy();
        return;
      }
      stream.off("error", failed);
      stream.off("close", closed);
      this.#done();
      this.#events.connected(stream);
    });
    this.#events.delayed();
  }

  /** Begins an attempt after the next delay. */
  redial(): void {
    if (this.#stopped) return;
    const delay = this.#backoff.next();
    if (delay === undefined) return;
    this.#timer = setTimeout(() => this.dial(), delay);
    this.#timer.unref();
    this.#events.retrying(delay);
  }

  /** The last connection ended by a fault of the peer's: the delays grow. */
  distrust(): void {
    this.#backoff.failed();
  }

  /** The last connection's handshake was completed: the delays start over. */
  trust(): void {
    this.#backoff.reset();
  }

  /** Gives up: no attempt goes on, none will begin. */
  stop(): void {
    this.#stopped = true;
    const stream = this.#stream;
    this.#done();
    if (stream === undefined) return;
    stream.removeAllListeners();
    stream.on("error", () => {});
    stream.destroy();
  }

  #done(): void {
    clearTimeout(this.#timer);
    this.#stream = undefined;
  }

  #open(): Stream {
    const address = this.#address;
    if (address.transport === "ipc") {
      return connect({ path: systemPath(address.path, this.#endpoint), ...(onread && { onread }) });
    }
    const { ipv6 } = this.#options;
    const options: TcpNetConnectOpts = {
      host: address.host,
      port: address.port,
      noDelay: true,
      ...(onread && { onread }),
      // Node would try one family after the other, 250 ms each.
      family: ipv6 ? 0 : 4,
    };
    if (address.source !== undefined) {
      const found = bindHost(address.source.host, ipv6);
      options.localAddress = "ip" in found ? found.ip : found.name;
      if (address.source.port > 0) options.localPort = address.source.port;
    }
    return connect(options);
  }
}

/** A connector to a free local port may be given that very port, and meet itself. */
function isSelfConnected(stream: Stream): boolean {
  return (
    stream.localPort !== undefined &&
    stream.localPort === stream.remotePort &&
    stream.localAddress === stream.remoteAddress
  );
}
