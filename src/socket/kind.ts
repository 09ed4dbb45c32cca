import type { OptionSpec, OptionValue } from "../options.js";
import type { Use } from "../transport/address.js";
import type { SocketTypeName } from "../zmtp/index.js";
import type { Pattern, PatternHost } from "./pattern.js";
import type { Present } from "./reader.js";

type RawType = "STREAM" | "DGRAM";

/** Whether sockets of the type have no handshake, so that nothing can be secured. */
export function isRaw(name: SocketKind["name"]): name is RawType {
  return name === "STREAM" || name === "DGRAM";
}

/** What makes a socket of some type. */
export interface SocketKind {
  /** libzmq's number (`ZMQ_PAIR`). */
  type: number;
  /** As the handshake names it; STREAM and DGRAM have none. */
  name: SocketTypeName | RawType;
  options: ReadonlyMap<number, OptionSpec>;
  /** Options that have another default than the table says. */
  defaults?: Readonly<Record<string, OptionValue>>;
  /** A second connection to the same endpoint makes no sense, says libzmq: it is not made. */
  single?: true;
  /** It speaks udp, where it is bound or connected. */
  udp?: Use;
  /** It tells its routing id (RFC 37, "Identity"). */
  named?: true;
  /** It is ours, and not the application's: it does not count, nor hold up the end. */
  hidden?: true;
  /** It sends a message to many peers at once. */
  publishes?: true;
  /** Whether a message of a peer's may be one for this type; if absent, any may. */
  accepts?: (parts: readonly Uint8Array[]) => boolean;
  /** What the application receives of a message; if absent, its parts. */
  present?: Present;
  pattern: (host: PatternHost) => Pattern;
}
