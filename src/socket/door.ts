import type { Socket as Stream } from "node:net";
import { type ErrnoError, errnoError } from "../errors.js";
import type { OptionStore } from "../options.js";

/**
 * Says who is let in at a bound endpoint, before anything is read or written. A surplus connection is
 * closed rather than left waiting: its peer learns at once, and tries again when it likes.
 */
export class Door {
  readonly #options: OptionStore;
  readonly #endpoint: string;
  #warned = false;

  constructor(options: OptionStore, endpoint: string) {
    this.#options = options;
    this.#endpoint = endpoint;
  }

  /**
   * Why a peer that came is refused; undefined when it may come in.
   * @param connections How many there are, those included that are in their handshake, or over but for
   *   the peer's hanging up.
   */
  refusal(stream: Stream, connections: number): ErrnoError | undefined {
    const options = this.#options;
    const { remoteAddress } = stream;
    if (this.#endpoint.startsWith("tcp://") && !options.acceptFilter.admits(remoteAddress)) {
      const who = remoteAddress ?? "a peer that has gone";
      return this.#refused("EACCES", `Permission denied: tcpAcceptFilter does not hold ${who}`);
    }
    const most = options.number("maxConnections");
    if (most > 0 && connections >= most) {
      this.#warn(most);
      return this.#refused("ECONNREFUSED", `Too many connections: maxConnections is ${most}`);
    }
    return undefined;
  }

  /**
   * Why one peer in its handshake has to go before the next may come in; undefined when there is room.
   * @param handshakes How many there are that have not done theirs.
   */
  crowded(handshakes: number): ErrnoError | undefined {
    const most = this.#options.number("maxHandshakes");
    if (most === 0 || handshakes < most) return undefined;
    const text = `Too many connections in handshake: maxHandshakes is ${most}`;
    return this.#refused("ECONNREFUSED", text);
  }

  #refused(code: string, text: string): ErrnoError {
    return errnoError(code, this.#endpoint, text);
  }

  /** A server that grew up to a bound which it may not know of should not have to look for it. */
  #warn(most: number): void {
    if (this.#warned) return;
    this.#warned = true;
    process.emitWarning(
      `${this.#endpoint} has ${most} connections and refuses more. See the option maxConnections.`,
    );
  }
}
