import { connect, isIP, type Socket as Stream, type TcpNetConnectOpts } from "node:net";
import { type ErrnoError, errnoError, fromSystem } from "../errors.js";
import type { IpcAddress, TcpAddress } from "./address.js";
import { Backoff, type BackoffOptions } from "./backoff.js";
import { systemPath } from "./ipc.js";
import { onread } from "./reading.js";
import { requests } from "./requests.js";
import { bindHost, type Lookup, lookupName } from "./tcp.js";

/** How often to look whether attempts may begin again, once they were suspended. */
const SUSPENDED_MS = 100;

export interface DialerOptions extends BackoffOptions {
  /** How long one attempt may take, in milliseconds; 0: as long as the system says. */
  connectTimeoutMs: number;
  ipv6: boolean;
  /** Instead of the system's. */
  lookup?: Lookup;
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
  /** Counts attempts since the last connection: of several addresses each gets its turn. */
  #attempt = 0;

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

  /** Begins an attempt. */
  dial(): void {
    if (this.#stopped) return;
    this.#attempt++;
    this.#events.delayed();
    // Whoever was told may have stopped us.
    if (this.#stopped) return;
    let stream: Stream;
    try {
      stream = this.#open();
    } catch (error) {
      // What is wrong now (an interface that is not there) may be right at the next attempt.
      this.#timer = setTimeout(() => this.#failed(error as NodeJS.ErrnoException), 0);
      this.#timer.unref();
      return;
    }
    this.#stream = stream;
    stream.unref();
    requests.begin(stream);
    const { connectTimeoutMs } = this.#options;
    if (connectTimeoutMs > 0) {
      this.#timer = setTimeout(() => stream.destroy(errnoError("ETIMEDOUT")), connectTimeoutMs);
      this.#timer.unref();
    }
    let failure: NodeJS.ErrnoException = errnoError("ECONNRESET");
    const failed = (error: NodeJS.ErrnoException) => {
      failure = error;
    };
    const closed = () => this.#failed(failure);
    stream.on("error", failed);
    stream.on("close", closed);
    stream.once("connect", () => {
      if (isSelfConnected(stream)) {
        // A reset, so that the port is not held by TIME-WAIT.
        stream.resetAndDestroy();
        return;
      }
      stream.off("error", failed);
      stream.off("close", closed);
      this.#done();
      this.#attempt = 0;
      this.#events.connected(stream);
    });
  }

  /** Begins an attempt after the next delay. */
  redial(): void {
    if (this.#stopped) return;
    const delay = this.#backoff.next();
    if (delay === undefined) return;
    this.#dialAfter(delay);
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

  #failed(failure: NodeJS.ErrnoException): void {
    this.#done();
    this.#events.failed(fromSystem(failure, this.#endpoint));
    this.redial();
  }

  #dialAfter(delayMs: number): void {
    this.#timer = setTimeout(() => {
      // At the end of the process no attempt begins; but it may turn out not to be the end.
      if (requests.suspended) this.#dialAfter(SUSPENDED_MS);
      else this.dial();
    }, delayMs);
    this.#timer.unref();
  }

  #done(): void {
    clearTimeout(this.#timer);
    if (this.#stream !== undefined) requests.end(this.#stream);
    this.#stream = undefined;
  }

  #open(): Stream {
    const address = this.#address;
    if (address.transport === "ipc") {
      return connect({ path: systemPath(address.path, this.#endpoint), ...(onread && { onread }) });
    }
    const { ipv6, lookup = lookupName } = this.#options;
    const options: TcpNetConnectOpts = {
      host: address.host,
      port: address.port,
      noDelay: true,
      ...(onread && { onread }),
      // Node would try one address after the other, 250 ms each, with timers that hold the process.
      autoSelectFamily: false,
      lookup: (name, _, done) => {
        lookup(name, ipv6, (error, found) => {
          const ip = found[(this.#attempt - 1) % found.length];
          if (ip !== undefined) done(null, ip, isIP(ip));
          else done(error ?? errnoError("ENOTFOUND"), "", 0);
        });
      },
    };
    if (address.source !== undefined) {
      const source = bindHost(address.source.host, ipv6);
      if (!("ip" in source)) throw errnoError("ENODEV", this.#endpoint);
      options.localAddress = source.ip;
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
