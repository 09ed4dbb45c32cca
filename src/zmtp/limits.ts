/** What one peer may make us hold. Sizes are in bytes, the rest are counts. */
export interface Limits {
  /** Largest body of one message frame; -1: no bound of its own. `ZMQ_MAXMSGSIZE`. Default -1. */
  maxMessageSize: number;
  /** Largest sum of the bodies of a message of several frames. Default 1 GiB. */
  maxMultipartSize: number;
  /** Most frames in one message, empty ones included. Default 65,536. */
  maxFrames: number;
  /** Largest body of a command before the handshake is done. Default 64 KiB. */
  maxHandshakeCommandSize: number;
  /** Largest body of a command after it (a subscription, say). Default 1 MiB. */
  maxCommandSize: number;
  /** Most properties in a peer's metadata. Default 256. */
  maxProperties: number;
}

/** The limits of a decoder that is given none. */
export const DEFAULT_LIMITS: Readonly<Limits> = {
  maxMessageSize: -1,
  maxMultipartSize: 2 ** 30,
  maxFrames: 65_536,
  maxHandshakeCommandSize: 64 * 1024,
  maxCommandSize: 1024 * 1024,
  maxProperties: 256,
};

/**
 * Bytes that many connections share a bound on: what is held for unfinished messages of all
 * peers of a socket, say.
 */
export class Budget {
  /** Bytes that may be taken at the most. */
  readonly limit: number;
  #used = 0;

  /** @param limit Bytes that may be taken at the most. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes that are taken now. */
  get used(): number {
    return this.#used;
  }

  /** Takes `bytes`, or takes nothing and says false when that would pass the limit. */
  take(bytes: number): boolean {
    if (bytes > this.limit - this.#used) return false;
    this.#used += bytes;
    return true;
  }

  /** Gives back `bytes` that were taken. */
  give(bytes: number): void {
    this.#used -= bytes;
  }
}
