import { type Command, encodeCommand } from "./command.js";
import type { Limits } from "./limits.js";
import type { Mechanism, Role, Step } from "./mechanism.js";
import { decodeMetadata, encodeMetadata, type Metadata } from "./metadata.js";
import { ProtocolError } from "./protocol-error.js";

/**
 * NULL (RFC 37): no security; each side sends READY with its metadata, the connector first. What
 * its members do: see {@link Mechanism}.
 */
export class NullMechanism implements Mechanism {
  readonly name = "NULL";
  readonly #role: Role;
  readonly #ready: Uint8Array;
  readonly #limits: Limits;
  /** The peer's, while it is being judged. */
  #properties: Metadata | undefined;

  /**
   * @param role `client` on the side that connects, `server` on the side that binds.
   * @param properties Our metadata: see {@link announce}.
   * @param limits Bounds of the peer's metadata.
   */
  constructor(role: Role, properties: Iterable<readonly [string, Uint8Array]>, limits: Limits) {
    this.#role = role;
    this.#ready = encodeCommand("READY", encodeMetadata(properties));
    this.#limits = limits;
  }

  start(): Uint8Array | undefined {
    return this.#role === "client" ? this.#ready : undefined;
  }

  receive({ name, data }: Command): Step {
    if (name !== "READY") throw new ProtocolError("ERR_ZMTP_UNEXPECTED_COMMAND", "no READY");
    this.#properties = decodeMetadata(data, 0, this.#limits);
    return { credentials: [] };
  }

  accept(): Step {
    const properties = this.#properties;
    if (properties === undefined) throw new Error("accept without credentials");
    this.#properties = undefined;
    return { properties };
  }

  admit(): Uint8Array | undefined {
    return this.#role === "server" ? this.#ready : undefined;
  }
}
