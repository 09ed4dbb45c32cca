import { Buffer } from "node:buffer";
import type { ZapErrorCode } from "../events.js";
import type { Parts } from "../message.js";
import { DEFAULT_LIMITS, decodeMetadata, type Metadata, type Refusal } from "../zmtp/index.js";

/** Where a context's ZAP handler is bound (RFC 27). */
export const ZAP_ENDPOINT = "inproc://zeromq.zap.01";
export const ZAP_NAME = "zeromq.zap.01";

const VERSION = "1.0";
const DELIMITER = Buffer.alloc(0);

/** What a handler can do wrong. */
export const ZAP_ERRORS: Readonly<Record<ZapErrorCode, string>> = {
  ERR_ZAP_UNSPECIFIED: "The reply does not begin with an empty part",
  ERR_ZAP_MALFORMED_REPLY: "The reply has not seven parts",
  ERR_ZAP_BAD_VERSION: "The reply is not of version 1.0",
  ERR_ZAP_BAD_REQUEST_ID: "The reply is not to our request",
  ERR_ZAP_INVALID_STATUS_CODE: "The reply's status is not 200, 300, 400 or 500",
  ERR_ZAP_INVALID_METADATA: "The reply's metadata is malformed",
};

/** The way to the handler that decides who may come in (RFC 27). */
export interface Zap {
  /** Whether there is one. */
  readonly found: boolean;
  /**
   * Asks it.
   * @param done Called with the reply, undefined when the handler has gone without one.
   * @returns Takes the question back.
   */
  ask(request: Parts, done: (reply: Parts | undefined) => void): () => void;
}

/** Who asks to be let in, as RFC 27 says it. Its octets are its own: who is asked may do with them what he likes. */
export interface ZapRequest {
  /** Which request it is: the reply says it again. */
  id: string;
  /** `ZMQ_ZAP_DOMAIN`; empty when there is none. */
  domain: Buffer;
  /** The peer's IP address; empty where it has none. */
  address: string;
  /** Our own routing id; empty when there is none. */
  identity: Buffer;
  mechanism: "NULL" | "PLAIN" | "CURVE";
  /** What the peer proves itself with: see `ConnectionHandler.authenticate`. */
  credentials: Buffer[];
}

/** What becomes of a peer. */
export type Verdict =
  /** It may come in. */
  | { kind: "allowed"; userId: string; metadata: Metadata }
  /** It may not. `cause`: what the application's own judge threw. */
  | { kind: "refused"; status: Refusal; cause?: unknown }
  /** The handler's reply is none. */
  | { kind: "malformed"; code: ZapErrorCode }
  /** There is no handler, or it does not answer. */
  | { kind: "unanswered"; code: "ECONNREFUSED" | "EAGAIN" };

/** A request, without the parts that a REQ puts before it but for its delimiter. */
export function encodeRequest(request: ZapRequest): Parts {
  const { id, domain, address, identity, mechanism, credentials } = request;
  return [
    DELIMITER,
    Buffer.from(VERSION),
    Buffer.from(id),
    domain,
    Buffer.from(address),
    identity,
    Buffer.from(mechanism),
    ...credentials,
  ];
}

/** What a handler's reply to the request `id` says. Whatever is wrong with it, nobody gets in. */
export function decodeReply(parts: readonly Uint8Array[], id: string): Verdict {
  if (parts.length !== 7) return malformed("ERR_ZAP_MALFORMED_REPLY");
  const [delimiter, version, answered, status, , userId, metadata] = parts.map(bufferOf);
  if (delimiter?.length !== 0) return malformed("ERR_ZAP_UNSPECIFIED");
  if (version?.equals(Buffer.from(VERSION)) !== true) return malformed("ERR_ZAP_BAD_VERSION");
  if (answered?.equals(Buffer.from(id)) !== true) return malformed("ERR_ZAP_BAD_REQUEST_ID");
  const code = status?.toString("latin1") as string;
  if (code === "300" || code === "400" || code === "500") return { kind: "refused", status: code };
  if (code !== "200") return malformed("ERR_ZAP_INVALID_STATUS_CODE");
  try {
    return {
      kind: "allowed",
      userId: (userId as Buffer).toString(),
      metadata: decodeMetadata(metadata as Buffer, 0, DEFAULT_LIMITS),
    };
  } catch {
    return malformed("ERR_ZAP_INVALID_METADATA");
  }
}

function malformed(code: ZapErrorCode): Verdict {
  return { kind: "malformed", code };
}

function bufferOf(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}
